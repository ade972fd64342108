/* alknet-ctl credential: the sections [credential NAME] of a server's file. Their options, and
 * list. */
#include "credential.h"

#include "ctl.h"
#include "program.h"

#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char help[] =
    "Usage: alknet-ctl credential list --config FILE [--json]\n"
    "       alknet-ctl credential add NAME --kind KIND [OPTION]...\n"
    "       alknet-ctl credential remove NAME --config FILE\n"
    "Look at what a server presents to others, add to it, take from it. Secrets are in files\n"
    "of their own, mode 0600; they are never printed. A server takes a change up with SIGHUP.\n"
    "\n"
    "      --config FILE           the server's file; add appends the section to it, and prints\n"
    "                              it otherwise\n"
    "      --kind KIND             api-key (key), basic (username, password), bearer (token),\n"
    "                              s3 (access_key_id, secret_access_key), oidc (issuer,\n"
    "                              client_id) or custom\n"
    "      --set FIELD=VALUE       a field that is no secret; repeatable\n"
    "      --secret FIELD[=FILE]   a secret: the text in FILE, or standard input for -, or\n"
    "                              what you type when asked; repeatable; those that the kind\n"
    "                              needs are asked for in any case\n"
    "      --expires DAY           as in 2027-01-31, or 2027-01-31T12:00:00Z\n"
    "      --folder DIR            where the secrets go (default the folder of --config, or this\n"
    "                              one), as NAME.FIELD\n"
    "      --json                  print JSON\n"
    "      --help                  print this text\n"
    "\n"
    "Exit status: 0 done, and with list all in order; 1 failed, 2 wrong usage.\n"
    "\n"
    "Examples:\n"
    "  alknet-ctl credential add backup --kind s3 --set access_key_id=AKEXAMPLE \\\n"
    "                                   --config /etc/alknet/alknet.conf\n"
    "  pass show mail | alknet-ctl credential add mail --kind basic --set username=me \\\n"
    "                                                  --secret password=-\n"
    "  alknet-ctl credential list --config /etc/alknet/alknet.conf\n";

enum option_code {
    OPT_CONFIG = 256,
    OPT_KIND,
    OPT_SET,
    OPT_SECRET,
    OPT_EXPIRES,
    OPT_FOLDER,
    OPT_JSON,
    OPT_HELP,
};

static const struct option long_options[] = {
    {"config", required_argument, NULL, OPT_CONFIG},
    {"kind", required_argument, NULL, OPT_KIND},
    {"set", required_argument, NULL, OPT_SET},
    {"secret", required_argument, NULL, OPT_SECRET},
    {"expires", required_argument, NULL, OPT_EXPIRES},
    {"folder", required_argument, NULL, OPT_FOLDER},
    {"json", no_argument, NULL, OPT_JSON},
    {"help", no_argument, NULL, OPT_HELP},
    {NULL, 0, NULL, 0},
};

/* ---- options ---- */

/* Cuts optarg, which is ours to change, at the first =. Returns -1 to go on, else the exit code. */
static int take_pair(struct credential_option *list, size_t *count, const char *option)
{
    char *equals = strchr(optarg, '=');

    if (*count == ALK_CREDENTIAL_FIELDS_MAX)
        return program_usage("credential: %s may be given %d times at most", option,
                             ALK_CREDENTIAL_FIELDS_MAX);
    if (equals != NULL)
        *equals = '\0';
    list[(*count)++] = (struct credential_option){optarg, equals != NULL ? equals + 1 : NULL};
    return -1;
}

static int set_option(struct credential_request *r, int code)
{
    switch (code) {
    case OPT_CONFIG:
        r->config = optarg;
        return -1;
    case OPT_KIND:
        r->kind_text = optarg;
        return -1;
    case OPT_SET:
        if (strchr(optarg, '=') == NULL)
            return program_usage("credential: --set wants FIELD=VALUE, not '%s'", optarg);
        return take_pair(r->values, &r->value_count, "--set");
    case OPT_SECRET:
        return take_pair(r->secrets, &r->secret_count, "--secret");
    case OPT_EXPIRES:
        r->expires = optarg;
        return -1;
    case OPT_FOLDER:
        r->folder = optarg;
        return -1;
    case OPT_JSON:
        r->json = true;
        return -1;
    case OPT_HELP:
        fputs(help, stdout);
        return EXIT_SUCCESS;
    default:
        fprintf(stderr, "Try 'alknet-ctl credential --help'.\n"); /* getopt has named the fault */
        return EXIT_USAGE;
    }
}

/* What only add takes. */
static bool has_more(const struct credential_request *r)
{
    return r->kind_text != NULL || r->value_count > 0 || r->secret_count > 0 ||
           r->expires != NULL || r->folder != NULL;
}

static int run(struct credential_request *r, const char *command, bool named)
{
    bool add = strcmp(command, "add") == 0, list = strcmp(command, "list") == 0;

    if (!add && !list && strcmp(command, "remove") != 0)
        return program_usage("credential knows the commands list, add and remove, not '%s'",
                             command);
    if (named == list)
        return program_usage(list ? "credential list wants no name"
                                  : "credential %s wants the name of the credential",
                             command);
    if (!add && r->config == NULL)
        return program_usage("credential %s wants --config FILE", command);
    if (!add && has_more(r))
        return program_usage("credential %s takes --config and --json only", command);
    if (list)
        return credential_list(r);
    if (!add)
        return credential_remove(r);
    if (r->kind_text == NULL || alk_credential_kind_parse(r->kind_text, &r->kind) != ALK_OK)
        return program_usage("credential add wants --kind api-key, basic, bearer, s3, oidc or "
                             "custom");
    return credential_add(r);
}

int ctl_credential(int argc, char **argv)
{
    struct credential_request request = {.name = NULL};
    int code;

    while ((code = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        int result = set_option(&request, code);
        if (result >= 0)
            return result;
    }
    if (argc - optind < 1)
        return program_usage("credential: say what to do: list, add or remove");
    if (argc - optind > 2)
        return program_usage("credential: unexpected argument '%s'", argv[optind + 2]);
    request.name = argv[optind + 1]; /* NULL when there is none */
    return run(&request, argv[optind], request.name != NULL);
}

/* ---- the file ---- */

int credential_parse(struct alk_config **config, const char *file, const char *text, size_t len,
                     struct alk_error *error)
{
    *config = NULL;
    int status = alk_config_parse(config, ALK_CONFIG_SERVER, file, text, len, NULL);

    if (status != ALK_OK)
        return alk_error_set(error, status, "out of memory");
    if (alk_config_fault_count(*config) > 0)
        return alk_error_set(error, ALK_E_PARSE, "%s", alk_config_fault(*config, 0));
    return ALK_OK;
}

const struct alk_credential_source *credential_find(const struct alk_config *config,
                                                    const char *name)
{
    const struct alk_server_options *options = &alk_config_server(config)->options;

    for (size_t i = 0; i < options->credential_count; i++) {
        if (strcmp(options->credentials[i].service, name) == 0)
            return &options->credentials[i];
    }
    return NULL;
}

/* ---- list ---- */

/* What is wrong with a credential, or that nothing is. */
static bool judge(const struct alk_credential_source *source, struct alk_error *why)
{
    struct alk_credential_source unnamed = *source;
    struct alk_credential_store *store = NULL;

    unnamed.file = NULL; /* the table names the credential, the sentence its file */
    bool good = alk_credential_store_load(&store, &unnamed, 1, why) == ALK_OK;
    alk_credential_store_free(store);
    if (good && source->expires != 0 && (uint64_t)time(NULL) >= source->expires) {
        alk_error_set(why, ALK_E_LIMIT, "expired");
        return false;
    }
    return good;
}

static const char *expiry_text(const struct alk_credential_source *source, char out[32])
{
    time_t t = (time_t)source->expires;
    struct tm tm;

    strcpy(out, "-");
    if (source->expires != 0 && gmtime_r(&t, &tm) != NULL)
        strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &tm);
    return out;
}

static void print_row(const struct alk_credential_source *source, const struct alk_error *why)
{
    char expires[32];

    printf("%-20s %-8s %-20s %s\n", source->service, alk_credential_kind_text(source->kind),
           expiry_text(source, expires), why != NULL ? why->text : "in order");
}

static json_t *to_json(const struct alk_credential_source *source, const struct alk_error *why)
{
    char expires[32];
    json_t *object = json_pack("{s:s, s:s, s:b, s:o}", "name", source->service, "kind",
                               alk_credential_kind_text(source->kind), "in_order", why == NULL,
                               "files", json_array());

    if (source->expires != 0)
        json_object_set_new(object, "expires", json_string(expiry_text(source, expires)));
    if (why != NULL) /* a path that is not UTF-8 has no form in JSON */
        json_object_set_new(object, "fault", json_string(why->text));
    for (size_t i = 0; i < source->place_count; i++) {
        if (source->places[i].path != NULL)
            json_array_append_new(json_object_get(object, "files"),
                                  json_string(source->places[i].path));
    }
    return object;
}

static bool list(const struct alk_server_options *options, json_t *array)
{
    bool all_good = true;

    if (array == NULL && options->credential_count > 0)
        printf("%-20s %-8s %-20s %s\n", "NAME", "KIND", "EXPIRES", "STATE");
    for (size_t i = 0; i < options->credential_count; i++) {
        const struct alk_credential_source *source = &options->credentials[i];
        struct alk_error why;
        bool good = judge(source, &why);
        if (array != NULL)
            json_array_append_new(array, to_json(source, good ? NULL : &why));
        else
            print_row(source, good ? NULL : &why);
        all_good &= good;
    }
    return all_good;
}

int credential_list(const struct credential_request *r)
{
    struct alk_config *config = NULL;
    struct alk_error error;
    int status = alk_config_load(&config, ALK_CONFIG_SERVER, r->config, NULL, &error);

    if (status == ALK_OK && alk_config_fault_count(config) > 0)
        status = alk_error_set(&error, ALK_E_PARSE, "%s", alk_config_fault(config, 0));
    if (status != ALK_OK) {
        alk_config_free(config);
        return program_fail(EXIT_RUN, "%s", error.text);
    }
    json_t *array = r->json ? json_array() : NULL;
    bool good = list(&alk_config_server(config)->options, array);
    if (array != NULL) {
        json_dumpf(array, stdout, JSON_INDENT(2));
        putchar('\n');
        json_decref(array);
    }
    alk_config_free(config);
    return good ? EXIT_SUCCESS : EXIT_RUN;
}
