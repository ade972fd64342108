/* alknet-ctl token: an AuthToken for programs that speak to a server without us. */
#include "ctl.h"
#include "passphrase.h"
#include "program.h"

#include <alk/key.h>
#include <alk/token.h>

#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char help[] =
    "Usage: alknet-ctl token -i FILE [OPTION]...\n"
    "Print an AuthToken: who holds the key, at this time. It is good for some minutes, as the\n"
    "server's max_age has it.\n"
    "\n"
    "  -i, --identity FILE         the private key\n"
    "      --audience FILE         the server's public host key: the token is good there only;\n"
    "                              - is standard input. Without it any server that knows the\n"
    "                              key can be shown the token, by whoever gets hold of it\n"
    "      --json                  print a JSON object\n"
    "      --help                  print this text\n"
    "\n"
    "Examples:\n"
    "  alknet-ctl token -i ~/.ssh/id_ed25519 --audience host_key.pub\n"
    "  ssh-keyscan -t ed25519 tunnel.example.org 2>/dev/null | cut -d' ' -f2- |\n"
    "      alknet-ctl token -i ~/.ssh/id_ed25519 --audience -\n";

struct request {
    const char *identity, *audience;
    bool json;
};

enum option_code { OPT_AUDIENCE = 256, OPT_JSON, OPT_HELP };

static const struct option long_options[] = {
    {"identity", required_argument, NULL, 'i'},
    {"audience", required_argument, NULL, OPT_AUDIENCE},
    {"json", no_argument, NULL, OPT_JSON},
    {"help", no_argument, NULL, OPT_HELP},
    {NULL, 0, NULL, 0},
};

/* Returns -1 to go on, else the exit code. */
static int parse(int argc, char **argv, struct request *r)
{
    int code;

    while ((code = getopt_long(argc, argv, "i:", long_options, NULL)) != -1) {
        switch (code) {
        case 'i':
            r->identity = optarg;
            break;
        case OPT_AUDIENCE:
            r->audience = optarg;
            break;
        case OPT_JSON:
            r->json = true;
            break;
        case OPT_HELP:
            fputs(help, stdout);
            return EXIT_SUCCESS;
        default:
            fprintf(stderr, "Try 'alknet-ctl token --help'.\n"); /* getopt has named the fault */
            return EXIT_USAGE;
        }
    }
    if (optind < argc)
        return program_usage("token: unexpected argument '%s'", argv[optind]);
    if (r->identity == NULL)
        return program_usage("token: -i is missing: name the private key");
    if (r->audience != NULL && strncmp(r->audience, "SHA256:", 7) == 0)
        return program_usage("token: --audience wants the file of a public host key; a fingerprint "
                             "is not enough to make a token");
    return -1;
}

/* The first line of the file that is not a comment. Returns -1, or the exit code. */
static int read_audience(const char *path, uint8_t audience[ALK_TOKEN_AUDIENCE_SIZE])
{
    bool standard = strcmp(path, "-") == 0;
    FILE *file = standard ? stdin : fopen(path, "re");
    uint8_t blob[ALK_KEY_BLOB_SIZE];
    struct alk_error error;
    char line[8 * 1024];
    int status = ALK_E_NOTFOUND;

    if (file == NULL)
        return program_fail(EXIT_RUN, "cannot read %s: %s", path, strerror(errno));
    alk_error_set(&error, ALK_E_NOTFOUND, "there is no line with a key");
    while (status == ALK_E_NOTFOUND && fgets(line, sizeof(line), file) != NULL) {
        line[strcspn(line, "\r\n")] = '\0';
        if (line[0] != '\0' && line[0] != '#')
            status = alk_key_parse_public(line, blob, NULL, &error);
    }
    if (!standard)
        fclose(file);
    if (status != ALK_OK)
        return program_fail(EXIT_RUN, "%s is not a public host key (as in host_key.pub): %s",
                            standard ? "standard input" : path, error.text);
    alk_token_audience(blob, sizeof(blob), audience);
    return -1;
}

static int print_token(const struct request *r, const struct alk_key *key, const uint8_t *audience)
{
    char token[ALK_TOKEN_TEXT_SIZE], fingerprint[ALK_FINGERPRINT_SIZE];
    time_t now = time(NULL);

    alk_token_make(key, audience, (uint64_t)now, token);
    if (!r->json) {
        puts(token);
    } else {
        alk_key_fingerprint(alk_key_blob(key), ALK_KEY_BLOB_SIZE, fingerprint);
        json_t *object =
            json_pack("{s:s, s:s, s:I, s:b}", "token", token, "fingerprint", fingerprint,
                      "timestamp", (json_int_t)now, "bound", audience != NULL);
        if (object == NULL)
            return program_fail(EXIT_RUN, "out of memory for a token");
        json_dumpf(object, stdout, JSON_INDENT(2));
        putchar('\n');
        json_decref(object);
    }
    sodium_memzero(token, sizeof(token));
    return EXIT_SUCCESS;
}

int ctl_token(int argc, char **argv)
{
    struct request request = {.json = false};
    uint8_t audience[ALK_TOKEN_AUDIENCE_SIZE];
    struct alk_key *key = NULL;
    struct alk_error error;

    int code = parse(argc, argv, &request);
    if (code < 0 && request.audience != NULL)
        code = read_audience(request.audience, audience);
    if (code >= 0)
        return code;
    if (alk_key_load(&key, request.identity, passphrase_ask, NULL, &error) != ALK_OK)
        return program_fail(EXIT_RUN, "%s", error.text);
    code = print_token(&request, key, request.audience != NULL ? audience : NULL);
    alk_key_free(key);
    return code;
}
