/* alknet-ctl api-key new: a key for programs, and the section that lets a server know it. */
#include "ctl.h"
#include "program.h"

#include <alk/api_key.h>

#include <getopt.h>
#include <jansson.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char help[] =
    "Usage: alknet-ctl api-key new [OPTION]...\n"
    "Make an API key. It is printed this once; the section to paste into the server's\n"
    "configuration file holds its hash only.\n"
    "\n"
    "      --name NAME             of the section [api_key NAME] (default the key's id)\n"
    "      --scopes LIST           what it may do, by comma: relay:connect,metrics:read\n"
    "      --resources LIST        what it may use, by comma: service:gitea\n"
    "      --ttl TIME              good for so long: 12h, 30d (default for ever)\n"
    "      --description TEXT      for people, one line\n"
    "      --json                  print a JSON object\n"
    "      --help                  print this text\n"
    "\n"
    "Examples:\n"
    "  alknet-ctl api-key new --name dashboard --scopes metrics:read --ttl 90d\n"
    "  alknet-ctl api-key new --scopes relay:connect --json | jq -r .key\n";

struct request {
    const char *name, *scopes, *resources, *description;
    uint64_t expires; /* 0 = never */
    bool json;
};

enum option_code {
    OPT_NAME = 256,
    OPT_SCOPES,
    OPT_RESOURCES,
    OPT_TTL,
    OPT_DESCRIPTION,
    OPT_JSON,
    OPT_HELP,
};

static const struct option long_options[] = {
    {"name", required_argument, NULL, OPT_NAME},
    {"scopes", required_argument, NULL, OPT_SCOPES},
    {"resources", required_argument, NULL, OPT_RESOURCES},
    {"ttl", required_argument, NULL, OPT_TTL},
    {"description", required_argument, NULL, OPT_DESCRIPTION},
    {"json", no_argument, NULL, OPT_JSON},
    {"help", no_argument, NULL, OPT_HELP},
    {NULL, 0, NULL, 0},
};

/* ---- options ---- */

/* "90s", "30m", "12h", "30d"; at most a hundred years. */
static bool set_ttl(struct request *r, const char *text)
{
    static const struct {
        char unit;
        uint64_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
    const uint64_t longest = 100ULL * 365 * 86400;
    size_t digits = strspn(text, "0123456789");
    uint64_t count = digits > 0 && digits < 12 ? strtoull(text, NULL, 10) : 0;

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (text[digits] == units[i].unit && text[digits + 1] == '\0' && count > 0 &&
            count <= longest / units[i].seconds) {
            r->expires = (uint64_t)time(NULL) + count * units[i].seconds;
            return true;
        }
    }
    return false;
}

/* As the configuration file takes it: one line, without what begins a comment there. */
static bool is_description(const char *text)
{
    for (const char *at = text; *at != '\0'; at++) {
        if ((unsigned char)*at < ' ' || strchr("\x7f\";#", *at) != NULL)
            return false;
    }
    return *text != '\0' && strlen(text) <= 200;
}

static bool is_section_name(const char *text)
{
    size_t len = strlen(text);

    return len >= 1 && len <= 64 &&
           strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-@") ==
               len;
}

/* Returns -1 to go on, else the exit code. */
static int set_option(struct request *r, int code)
{
    switch (code) {
    case OPT_NAME:
        r->name = optarg;
        break;
    case OPT_SCOPES:
        r->scopes = optarg;
        break;
    case OPT_RESOURCES:
        r->resources = optarg;
        break;
    case OPT_DESCRIPTION:
        r->description = optarg;
        break;
    case OPT_TTL:
        if (!set_ttl(r, optarg))
            return program_usage("api-key: --ttl wants a time as in 90m, 12h or 30d, not '%s'",
                                 optarg);
        break;
    case OPT_JSON:
        r->json = true;
        break;
    case OPT_HELP:
        fputs(help, stdout);
        return EXIT_SUCCESS;
    default:
        fprintf(stderr, "Try 'alknet-ctl api-key --help'.\n"); /* getopt has named the fault */
        return EXIT_USAGE;
    }
    return -1;
}

static int check(const struct request *r)
{
    struct alk_identity *identity;
    struct alk_error error;

    if (r->name != NULL && !is_section_name(r->name))
        return program_usage("api-key: --name wants at most 64 letters, digits, _ . - and @");
    if (r->description != NULL && !is_description(r->description))
        return program_usage("api-key: --description wants one line of at most 200 bytes, without "
                             "\" ; and #");
    if (alk_identity_parse(&identity, "api-key", r->scopes, r->resources, &error) != ALK_OK)
        return program_usage("api-key: %s", error.text);
    alk_identity_unref(identity);
    return -1;
}

static int parse(int argc, char **argv, struct request *r)
{
    int code, result = -1;

    while (result < 0 && (code = getopt_long(argc, argv, "", long_options, NULL)) != -1)
        result = set_option(r, code);
    if (result >= 0)
        return result;
    if (argc - optind != 1 || strcmp(argv[optind], "new") != 0)
        return program_usage("api-key: say what to do: api-key new");
    return check(r);
}

/* ---- output ---- */

static void print_text(const struct request *r, const char *name, const char *key, const char *hash,
                       const char *expires)
{
    printf("%s\n\n"
           "That is the key, shown this once. For the server's configuration file:\n\n"
           "[api_key %s]\n"
           "hash = %s\n",
           key, name, hash);
    if (r->scopes != NULL)
        printf("scopes = %s\n", r->scopes);
    if (r->resources != NULL)
        printf("resources = %s\n", r->resources);
    if (r->description != NULL)
        printf("description = %s\n", r->description);
    if (expires != NULL)
        printf("expires = %s\n", expires);
}

static int print_json(const struct request *r, const char *name, const char *key, const char *hash,
                      const char *expires)
{
    json_t *object = json_pack("{s:s, s:s, s:s, s:s*, s:s*, s:s*, s:s*}", "key", key, "name", name,
                               "hash", hash, "scopes", r->scopes, "resources", r->resources,
                               "description", r->description, "expires", expires);

    if (object == NULL)
        return program_fail(EXIT_RUN, "the description is not UTF-8 and has no form in JSON");
    json_dumpf(object, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(object);
    return EXIT_SUCCESS;
}

static int make(const struct request *r)
{
    char key[ALK_API_KEY_SIZE], hash[ALK_API_KEY_HASH_SIZE], id[ALK_API_KEY_ID_LEN + 1];
    char expires[sizeof("YYYY-MM-DDTHH:MM:SSZ")] = "";
    time_t t = (time_t)r->expires;
    struct tm tm;
    int code = EXIT_SUCCESS;

    alk_api_key_generate(key);
    alk_api_key_hash(key, ALK_API_KEY_LEN, hash);
    memcpy(id, key + strlen("alk_"), ALK_API_KEY_ID_LEN);
    id[ALK_API_KEY_ID_LEN] = '\0';
    if (r->expires != 0)
        strftime(expires, sizeof(expires), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&t, &tm));
    const char *name = r->name != NULL ? r->name : id;
    const char *until = r->expires != 0 ? expires : NULL;
    if (r->json)
        code = print_json(r, name, key, hash, until);
    else
        print_text(r, name, key, hash, until);
    sodium_memzero(key, sizeof(key));
    return code;
}

int ctl_api_key(int argc, char **argv)
{
    static char buffer[16 * 1024]; /* our own, to wipe what a key leaves in it */
    struct request request = {.name = NULL};

    int code = parse(argc, argv, &request);
    if (code >= 0)
        return code;
    setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
    code = make(&request);
    if (fflush(stdout) != 0)
        code = program_fail(EXIT_RUN, "the key could not be written");
    sodium_memzero(buffer, sizeof(buffer));
    return code;
}
