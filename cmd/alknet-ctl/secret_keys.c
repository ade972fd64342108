/* The commands about phrases and keys: new, validate, derive, password. */
#include "secret_command.h"

#include <alk/secret_mnemonic.h>
#include <alk/secret_path.h>
#include <alk/secret_ssh.h>

#include <sodium.h>
#include <stdio.h>
#include <string.h>

static void add_number(struct secret_bytes *out, uint32_t value)
{
    char text[16];

    snprintf(text, sizeof text, "%u", (unsigned)value);
    secret_add(out, text);
}

static int new_phrase(const struct secret_args *args, struct secret_bytes *out)
{
    char *mnemonic = sodium_malloc(ALK_MNEMONIC_SIZE);
    int code = mnemonic == NULL ? ALK_SECRET_E_MEMORY : 0;

    if (code == 0)
        code = alk_mnemonic_generate(args->words, mnemonic, ALK_MNEMONIC_SIZE);
    if (code == 0 && args->json && args->out == NULL) {
        secret_add_member(out, "mnemonic", mnemonic);
        secret_add(out, "}\n");
    } else if (code == 0) {
        secret_add(out, mnemonic);
        secret_add(out, "\n");
    }
    sodium_free(mnemonic);
    if (code == ALK_SECRET_E_WORD_COUNT)
        return secret_complain(args, STATUS_USAGE, "--words is 12, 15, 18, 21 or 24");
    return code == 0 ? 0 : secret_failed(args, code, NULL);
}

static int run_new(const struct secret_args *args)
{
    struct secret_bytes out = {0};
    int r = secret_bytes_init(args, &out, 512);

    if (r == 0)
        r = new_phrase(args, &out);
    if (r == 0 && args->out != NULL)
        r = secret_write_file(args, args->out, 0600, &out);
    else if (r == 0)
        r = secret_write_output(args, &out);
    if (r == 0 && args->out != NULL && args->json)
        printf("{\"words\":%u}\n", (unsigned)args->words);
    secret_bytes_free(&out);
    return r;
}

const struct secret_command secret_new = {
    "new", "make a mnemonic",
    "usage: alknet-ctl secret new [--words N] [--out FILE] [--json]\n"
    "\n"
    "Makes a BIP39 mnemonic from the system's randomness and prints it. Write it down: whoever\n"
    "has it has every key, and nobody can bring it back.\n"
    "\n"
    "  alknet-ctl secret new\n"
    "  alknet-ctl secret new --words 12 --out phrase.txt\n"
    "\n"
    "  --words N               12, 15, 18, 21 or 24 (default)\n"
    "  --out FILE              write it to a new file that only you can read\n",
    OPT_WORDS | OPT_OUT, run_new};

static int run_validate(const struct secret_args *args)
{
    struct secret_bytes mnemonic = {0}, out = {0};
    struct alk_secret_error error = {""};
    int words, r = secret_read_mnemonic(args, &mnemonic);

    if (r != 0)
        return r;
    words = alk_mnemonic_validate(mnemonic.data, &error);
    secret_bytes_free(&mnemonic);
    if (words > 0) {
        printf(args->json ? "{\"valid\":true,\"words\":%d}\n" : "valid: %d words\n", words);
        return STATUS_OK;
    }
    if (args->json && secret_bytes_init(args, &out, 2 * sizeof error.text) == 0) {
        secret_add(&out, "{\"valid\":false,\"error\":");
        secret_add_json(&out, error.text, strlen(error.text));
        secret_add(&out, "}\n");
        secret_write_output(args, &out);
        secret_bytes_free(&out);
    }
    return secret_failed(args, words, &error);
}

const struct secret_command secret_validate = {
    "validate", "check the words and the checksum of a mnemonic",
    "usage: alknet-ctl secret validate [--json]\n"
    "\n"
    "Checks that a mnemonic has a right number of words of the English BIP39 list and a right\n"
    "checksum. Exits 1 when it has not, and names the nearest word.\n"
    "\n"
    "  alknet-ctl secret validate\n"
    "  alknet-ctl secret validate --mnemonic-file phrase.txt\n",
    OPT_MNEMONIC, run_validate};

/* A derived key of either curve. */
struct derived {
    struct alk_secret_ed25519 ed25519;
    struct alk_secret_secp256k1 coin;
    const uint8_t *secret, *public_key;
    size_t public_len; /* 0 for a symmetric key */
    char fingerprint[ALK_SECRET_SSH_FINGERPRINT_SIZE];
};

static int derive_kind(const struct secret_args *args, struct alk_secret_service *service,
                       const char *kind, struct derived *d)
{
    struct alk_secret_error error = {""};
    int code;

    if (strcmp(kind, "ethereum") == 0) {
        code = alk_secret_service_derive_ethereum_key(service, CTL_TENANT, args->path, &d->coin,
                                                      &error);
        d->secret = d->coin.secret;
        d->public_key = d->coin.public_key;
        d->public_len = sizeof d->coin.public_key;
    } else {
        code =
            alk_secret_service_derive_ed25519(service, CTL_TENANT, args->path, &d->ed25519, &error);
        d->secret = d->ed25519.secret;
        d->public_key = d->ed25519.public_key;
        d->public_len = strcmp(kind, "ed25519") == 0 ? sizeof d->ed25519.public_key : 0;
        alk_secret_ssh_fingerprint(d->public_key, d->fingerprint);
    }
    return code == 0 ? 0 : secret_failed(args, code, &error);
}

static void add_line(const struct secret_args *args, struct secret_bytes *out, const char *name,
                     const char *value)
{
    if (args->json) {
        secret_add_member(out, name, value);
        return;
    }
    secret_add(out, name);
    secret_add(out, ": ");
    secret_add(out, value);
    secret_add(out, "\n");
}

static void add_key(const struct secret_args *args, struct secret_bytes *out, const char *name,
                    const uint8_t *key, size_t len)
{
    if (args->json)
        secret_add(out, out->len == 0 ? "{" : ",");
    secret_add(out, args->json ? "\"" : "");
    secret_add(out, name);
    secret_add(out, args->json ? "\":\"" : ": ");
    secret_add_hex(out, key, len);
    secret_add(out, args->json ? "\"" : "\n");
}

static void describe(const struct secret_args *args, const char *kind, const struct derived *d,
                     struct secret_bytes *out)
{
    add_line(args, out, "path", args->path);
    add_line(args, out, "kind", kind);
    if (d->public_len > 0)
        add_key(args, out, "public", d->public_key, d->public_len);
    if (d->public_len == sizeof d->ed25519.public_key)
        add_line(args, out, "fingerprint", d->fingerprint);
    if (args->show_private)
        add_key(args, out, "private", d->secret, 32);
    secret_add(out, args->json ? "}\n" : "");
}

static int run_derive(const struct secret_args *args)
{
    const char *kind = args->kind != NULL ? args->kind : "ed25519";
    struct alk_secret_service *service = NULL;
    struct derived *d = NULL;
    struct secret_bytes out = {0};
    int r;

    if (args->path == NULL)
        return secret_complain(args, STATUS_USAGE, "name a path, like %s",
                               ALK_SECRET_PATH_IDENTITY);
    if (strcmp(kind, "ed25519") != 0 && strcmp(kind, "encryption") != 0 &&
        strcmp(kind, "ethereum") != 0)
        return secret_complain(args, STATUS_USAGE, "--kind is ed25519, encryption or ethereum");
    if (strcmp(kind, "encryption") == 0 && !args->show_private)
        return secret_complain(args, STATUS_USAGE,
                               "an encryption key has no public part; add --private to see it");
    if ((r = secret_unlock(args, &service)) != 0)
        return r;
    if ((d = sodium_malloc(sizeof *d)) == NULL)
        r = secret_failed(args, ALK_SECRET_E_MEMORY, NULL);
    if (r == 0 && (r = secret_bytes_init(args, &out, 2048)) == 0)
        r = derive_kind(args, service, kind, d);
    if (r == 0) {
        describe(args, kind, d, &out);
        r = secret_write_output(args, &out);
    }
    secret_bytes_free(&out);
    sodium_free(d);
    alk_secret_service_free(service);
    return r;
}

const struct secret_command secret_derive = {
    "derive", "show the key at a derivation path",
    "usage: alknet-ctl secret derive [--kind KIND] [--private] [--json] PATH\n"
    "\n"
    "Shows the public key at a path. Well-known paths:\n"
    "  m/74'/0'/0'/0'          identity, and device n at m/74'/0'/0'/n'\n"
    "  m/74'/0'/1'/0'          SSH host key\n"
    "  m/74'/2'/0'/0'          encryption key, version 1\n"
    "  m/44'/60'/0'/0/0        Ethereum\n"
    "\n"
    "  alknet-ctl secret derive \"m/74'/0'/0'/0'\"\n"
    "  alknet-ctl secret derive --kind ethereum --json m/44h/60h/0h/0/0\n"
    "\n"
    "  --kind KIND             ed25519 (default, SLIP-0010), encryption (SLIP-0010) or\n"
    "                          ethereum (BIP32 on secp256k1)\n"
    "  --private               show the private key, too\n",
    OPT_SECRETS | OPT_KIND | OPT_PATH, run_derive};

static int make_password(const struct secret_args *args, const char *path, struct secret_bytes *out)
{
    struct alk_secret_service *service = NULL;
    struct alk_secret_error error = {""};
    char *password = NULL;
    int code, r = secret_unlock(args, &service);

    if (r != 0)
        return r;
    if ((password = sodium_malloc(ALK_SECRET_PASSWORD_MAX + 1)) == NULL)
        code = ALK_SECRET_E_MEMORY;
    else
        code = alk_secret_service_derive_password(service, CTL_TENANT, path, args->length, password,
                                                  ALK_SECRET_PASSWORD_MAX + 1, &error);
    if (code != 0) {
        r = secret_failed(args, code, &error);
    } else if (args->json) {
        secret_add_member(out, "path", path);
        secret_add(out, ",\"length\":");
        add_number(out, args->length);
        secret_add_member(out, "password", password);
        secret_add(out, "}\n");
    } else {
        secret_add(out, password);
        secret_add(out, "\n");
    }
    sodium_free(password);
    alk_secret_service_free(service);
    return r;
}

static int run_password(const struct secret_args *args)
{
    struct secret_bytes out = {0};
    struct alk_secret_path site;
    char text[ALK_SECRET_PATH_SIZE];
    const char *path = args->path;
    int r;

    if ((path == NULL) == (args->site == NULL))
        return secret_complain(args, STATUS_USAGE, "name a site with --site, or a path");
    if (path != NULL && path[0] != 'm')
        return secret_complain(args, STATUS_USAGE, "a path begins with m; name a site with --site");
    if (path == NULL) {
        if (alk_secret_path_site(args->site, &site) != 0)
            return secret_complain(args, STATUS_USAGE, "--site needs the name of a site");
        alk_secret_path_format(&site, text, sizeof text);
        path = text;
    }
    r = secret_bytes_init(args, &out, 2048);
    if (r == 0)
        r = make_password(args, path, &out);
    if (r == 0)
        r = secret_write_output(args, &out);
    secret_bytes_free(&out);
    return r;
}

const struct secret_command secret_password = {
    "password", "the password of a site",
    "usage: alknet-ctl secret password [--length N] [--json] (--site NAME | PATH)\n"
    "\n"
    "Prints a password that is a function of mnemonic, site and length alone, with a lower-case\n"
    "and an upper-case letter, a digit and a symbol.\n"
    "\n"
    "  alknet-ctl secret password --site example.org\n"
    "  alknet-ctl secret password --length 32 \"m/74'/1'/0'/7'\"\n"
    "\n"
    "  --site NAME             the site's name; upper case makes a difference\n"
    "  --length N              8 to 128 characters (default 20)\n",
    OPT_SECRETS | OPT_SITE | OPT_PATH, run_password};
