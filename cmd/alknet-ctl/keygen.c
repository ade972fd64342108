/* alknet-ctl keygen: a new Ed25519 key pair in OpenSSH's files. */
#include "ctl.h"
#include "passphrase.h"
#include "program.h"

#include <alk/key.h>

#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <pwd.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PASSPHRASE_MAX = 1024, LINE_MAX_BYTES = ALK_KEY_COMMENT_MAX + 128 };

static const char help[] =
    "Usage: alknet-ctl keygen -f FILE [OPTION]...\n"
    "Make an Ed25519 key pair: FILE (private) and FILE.pub, in OpenSSH's format.\n"
    "\n"
    "  -f, --file FILE             where to write; existing files are never replaced\n"
    "  -C, --comment TEXT          the key's comment (default USER@HOST)\n"
    "      --passphrase-file FILE  encrypt with the first line of FILE\n"
    "      --no-passphrase         do not encrypt; without this and the option above, the\n"
    "                              passphrase is asked for on the terminal\n"
    "      --json                  print a JSON object\n"
    "      --help                  print this text\n"
    "\n"
    "Examples:\n"
    "  alknet-ctl keygen -f ~/.ssh/id_ed25519\n"
    "  alknet-ctl keygen --no-passphrase -f host_key -C tunnel.example.org\n"
    "  alknet-ctl keygen -f key --json --no-passphrase | jq -r .public_key >> authorized_keys\n";

struct request {
    const char *file, *comment, *passphrase_file;
    bool no_passphrase, json;
    char default_comment[ALK_KEY_COMMENT_MAX];
};

enum option_code { OPT_PASSPHRASE_FILE = 256, OPT_NO_PASSPHRASE, OPT_JSON, OPT_HELP };

static const struct option long_options[] = {
    {"file", required_argument, NULL, 'f'},
    {"comment", required_argument, NULL, 'C'},
    {"passphrase-file", required_argument, NULL, OPT_PASSPHRASE_FILE},
    {"no-passphrase", no_argument, NULL, OPT_NO_PASSPHRASE},
    {"json", no_argument, NULL, OPT_JSON},
    {"help", no_argument, NULL, OPT_HELP},
    {NULL, 0, NULL, 0},
};

/* Returns -1 to go on, else the exit code. */
static int parse(int argc, char **argv, struct request *r)
{
    int code;

    while ((code = getopt_long(argc, argv, "f:C:", long_options, NULL)) != -1) {
        switch (code) {
        case 'f':
            r->file = optarg;
            break;
        case 'C':
            r->comment = optarg;
            break;
        case OPT_PASSPHRASE_FILE:
            r->passphrase_file = optarg;
            break;
        case OPT_NO_PASSPHRASE:
            r->no_passphrase = true;
            break;
        case OPT_JSON:
            r->json = true;
            break;
        case OPT_HELP:
            fputs(help, stdout);
            return EXIT_SUCCESS;
        default:
            fprintf(stderr, "Try 'alknet-ctl keygen --help'.\n"); /* getopt has named the fault */
            return EXIT_USAGE;
        }
    }
    if (optind < argc)
        return program_usage("keygen: unexpected argument '%s'", argv[optind]);
    if (r->file == NULL || r->file[0] == '\0')
        return program_usage("keygen: -f is missing: name the file to write");
    if (r->no_passphrase && r->passphrase_file != NULL)
        return program_usage("keygen: --no-passphrase and --passphrase-file exclude each other");
    return -1;
}

static const char *default_comment(struct request *r)
{
    const struct passwd *me = getpwuid(getuid());
    char host[128] = "";

    if (gethostname(host, sizeof(host) - 1) != 0)
        snprintf(host, sizeof(host), "localhost");
    snprintf(r->default_comment, sizeof(r->default_comment), "%.100s@%.100s",
             me != NULL ? me->pw_name : "alknet", host);
    return r->default_comment;
}

/* The first line of a file. Returns -1, or the exit code. */
static int read_passphrase(const char *path, char *buffer)
{
    FILE *file = fopen(path, "re");

    if (file == NULL)
        return program_fail(EXIT_RUN, "cannot read %s: %s", path, strerror(errno));
    setvbuf(file, NULL, _IONBF, 0); /* no second copy to wipe */
    bool read = fgets(buffer, PASSPHRASE_MAX, file) != NULL;
    fclose(file);
    size_t len = read ? strcspn(buffer, "\r\n") : 0;
    if (len == 0)
        return program_fail(EXIT_RUN,
                            "the first line of %s is empty; for a key without passphrase give "
                            "--no-passphrase",
                            path);
    if (len == PASSPHRASE_MAX - 1)
        return program_fail(EXIT_RUN, "the passphrase in %s is longer than %d bytes", path,
                            PASSPHRASE_MAX - 2);
    buffer[len] = '\0';
    return -1;
}

static int find_passphrase(const struct request *r, char *buffer)
{
    if (r->no_passphrase)
        return -1;
    if (r->passphrase_file != NULL)
        return read_passphrase(r->passphrase_file, buffer);
    switch (passphrase_new(buffer, PASSPHRASE_MAX, r->file)) {
    case 0:
        return -1;
    case PASSPHRASE_DIFFERS:
        return program_fail(EXIT_RUN, "the two passphrases differ; nothing was written");
    default:
        return program_fail(EXIT_RUN, "there is no terminal to ask for a passphrase; give "
                                      "--passphrase-file FILE or --no-passphrase");
    }
}

static int print_result(const struct request *r, const struct alk_key *key)
{
    char fingerprint[ALK_FINGERPRINT_SIZE], line[LINE_MAX_BYTES];
    const uint8_t *blob = alk_key_blob(key);

    alk_key_fingerprint(blob, ALK_KEY_BLOB_SIZE, fingerprint);
    if (alk_key_format_public(blob, ALK_KEY_BLOB_SIZE, r->comment, line, sizeof(line)) != ALK_OK)
        return program_fail(EXIT_RUN, "the comment is too long to be printed");
    if (!r->json) {
        printf("Private key:  %s\n"
               "Public key:   %s.pub\n"
               "Fingerprint:  %s\n"
               "Line for the server's authorized_keys:\n%s\n",
               r->file, r->file, fingerprint, line);
        return EXIT_SUCCESS;
    }
    json_t *object = json_pack("{s:s, s:s+, s:s, s:s}", "private_file", r->file, "public_file",
                               r->file, ".pub", "fingerprint", fingerprint, "public_key", line);
    if (object == NULL)
        return program_fail(EXIT_RUN, "the key was made, but the file name or the comment is not "
                                      "UTF-8 and has no form in JSON");
    json_dumpf(object, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(object);
    return EXIT_SUCCESS;
}

static int generate(const struct request *r, const char *passphrase)
{
    struct alk_key *key = NULL;
    struct alk_error error;
    int code;

    if (alk_key_generate(&key) != ALK_OK)
        return program_fail(EXIT_RUN, "out of memory for a key");
    if (alk_key_save(key, r->file, r->comment, passphrase, &error) == ALK_OK)
        code = print_result(r, key);
    else
        code = program_fail(EXIT_RUN, "%s", error.text);
    alk_key_free(key);
    return code;
}

int ctl_keygen(int argc, char **argv)
{
    struct request request = {.json = false};

    int code = parse(argc, argv, &request);
    if (code >= 0)
        return code;
    if (request.comment == NULL)
        request.comment = default_comment(&request);
    if (access(request.file, F_OK) == 0) /* told before anybody types a passphrase */
        return program_fail(EXIT_RUN, "%s already exists; remove it first or choose another name",
                            request.file);
    char *passphrase = sodium_malloc(PASSPHRASE_MAX);
    if (passphrase == NULL)
        return program_fail(EXIT_RUN, "out of memory for a passphrase");
    memset(passphrase, 0, PASSPHRASE_MAX);
    code = find_passphrase(&request, passphrase);
    if (code < 0)
        code = generate(&request, passphrase);
    sodium_free(passphrase);
    return code;
}
