/* The command ssh-key: a derived key as OpenSSH reads it. */
#include "secret_command.h"

#include <alk/secret_path.h>
#include <alk/secret_ssh.h>

#include <sodium.h>
#include <stdio.h>
#include <unistd.h>

/* What ssh-key makes of a key. */
struct ssh_texts {
    struct alk_secret_ed25519 key;
    char secret[ALK_SECRET_SSH_PRIVATE_SIZE];
    char line[ALK_SECRET_SSH_PUBLIC_SIZE];
    char fingerprint[ALK_SECRET_SSH_FINGERPRINT_SIZE];
};

static int make_ssh(const struct secret_args *args, const char *path, struct ssh_texts *t)
{
    const char *comment = args->comment != NULL ? args->comment : "";
    struct alk_secret_service *service = NULL;
    struct alk_secret_error error = {""};
    int code, r = secret_unlock(args, &service);

    if (r != 0)
        return r;
    code = alk_secret_service_derive_ed25519(service, CTL_TENANT, path, &t->key, &error);
    if (code == 0)
        code = alk_secret_ssh_private(t->key.secret, comment, t->secret, sizeof t->secret);
    if (code == 0)
        code = alk_secret_ssh_public(t->key.public_key, comment, t->line, sizeof t->line);
    if (code == 0)
        alk_secret_ssh_fingerprint(t->key.public_key, t->fingerprint);
    else if (error.text[0] != '\0')
        r = secret_failed(args, code, &error);
    else
        r = secret_complain(args, STATUS_USAGE, "--comment is at most %d printable bytes",
                            ALK_SECRET_SSH_COMMENT_MAX);
    alk_secret_service_free(service);
    return r;
}

/* FILE and FILE.pub. */
static int write_ssh_files(const struct secret_args *args, const struct ssh_texts *t)
{
    struct secret_bytes out = {0};
    char public_path[4096];
    int r = secret_bytes_init(args, &out, sizeof t->secret + sizeof t->line);

    if (r != 0)
        return r;
    if ((size_t)snprintf(public_path, sizeof public_path, "%s.pub", args->out) >=
        sizeof public_path) {
        secret_bytes_free(&out);
        return secret_complain(args, STATUS_USAGE, "the name of --out is too long");
    }
    secret_add(&out, t->secret);
    r = secret_write_file(args, args->out, 0600, &out);
    out.len = 0;
    secret_add(&out, t->line);
    secret_add(&out, "\n");
    if (r == 0 && (r = secret_write_file(args, public_path, 0644, &out)) != 0)
        unlink(args->out); /* both or none */
    secret_bytes_free(&out);
    return r;
}

static void describe_ssh(const struct secret_args *args, const char *path,
                         const struct ssh_texts *t, struct secret_bytes *out)
{
    bool show_private = !args->public_only && args->out == NULL;

    if (args->json) {
        secret_add_member(out, "path", path);
        secret_add_member(out, "public_key", t->line);
        secret_add_member(out, "fingerprint", t->fingerprint);
        if (args->out != NULL)
            secret_add_member(out, "file", args->out);
        if (show_private)
            secret_add_member(out, "private_key", t->secret);
        secret_add(out, "}\n");
    } else if (show_private) {
        secret_add(out, t->secret);
    } else {
        secret_add(out, t->line);
        secret_add(out, "\n");
    }
}

static int run_ssh_key(const struct secret_args *args)
{
    const char *path = args->path != NULL ? args->path : ALK_SECRET_PATH_IDENTITY;
    struct ssh_texts *t = sodium_malloc(sizeof *t);
    struct secret_bytes out = {0};
    int r;

    if (t == NULL)
        return secret_failed(args, ALK_SECRET_E_MEMORY, NULL);
    r = make_ssh(args, path, t);
    if (r == 0 && args->out != NULL && !args->public_only)
        r = write_ssh_files(args, t);
    if (r == 0)
        r = secret_bytes_init(args, &out, 16384);
    if (r == 0) {
        describe_ssh(args, path, t, &out);
        r = secret_write_output(args, &out);
    }
    secret_bytes_free(&out);
    sodium_free(t);
    return r;
}

const struct secret_command secret_ssh_key = {
    "ssh-key", "an SSH key from the mnemonic",
    "usage: alknet-ctl secret ssh-key [--out FILE] [--public] [--comment TEXT] [--json] [PATH]\n"
    "\n"
    "Writes the Ed25519 key at a path (default m/74'/0'/0'/0', the identity; the host key is\n"
    "m/74'/0'/1'/0') as an OpenSSH private key without passphrase, and prints its\n"
    "authorized_keys line.\n"
    "\n"
    "  alknet-ctl secret ssh-key --out ~/.ssh/id_alknet --comment laptop\n"
    "  alknet-ctl secret ssh-key --public \"m/74'/0'/1'/0'\"\n"
    "\n"
    "  --out FILE              write FILE, mode 0600, and FILE.pub; without it the private key\n"
    "                          goes to standard output\n"
    "  --public                only print the authorized_keys line\n"
    "  --comment TEXT          the comment of both\n",
    OPT_SECRETS | OPT_OUT | OPT_COMMENT | OPT_PATH, run_ssh_key};
