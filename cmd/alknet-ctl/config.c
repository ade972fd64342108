/* alknet-ctl config check: what is wrong with a configuration file, all of it in one run. */
#include "ctl.h"
#include "program.h"

#include <alk/config.h>

#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "Usage: alknet-ctl config check [--server | --client] [--json] FILE\n"
    "Tell all that is wrong with the settings in FILE and with the files that it names.\n"
    "Nothing is changed. A file with a [profile NAME] is a client's, any other a server's.\n"
    "\n"
    "      --server                it is a server's file\n"
    "      --client                it is a client's file\n"
    "      --json                  print a JSON array of sentences\n"
    "      --help                  print this text\n"
    "\n"
    "Exit status: 0 in order, 1 something is wrong, 2 wrong usage.\n"
    "\n"
    "Examples:\n"
    "  alknet-ctl config check /etc/alknet/alknet.conf\n"
    "  alknet-ctl config check --client ~/.config/alknet/config\n";

enum option_code { OPT_SERVER = 256, OPT_CLIENT, OPT_JSON, OPT_HELP };

static const struct option long_options[] = {
    {"server", no_argument, NULL, OPT_SERVER},
    {"client", no_argument, NULL, OPT_CLIENT},
    {"json", no_argument, NULL, OPT_JSON},
    {"help", no_argument, NULL, OPT_HELP},
    {NULL, 0, NULL, 0},
};

struct request {
    int kind; /* enum alk_config_kind, or -1: the file tells */
    bool json;
    const char *file;
};

/* One option; returns -1 to go on, else the exit code. */
static int take(int code, struct request *r)
{
    switch (code) {
    case OPT_SERVER:
    case OPT_CLIENT: {
        int kind = code == OPT_SERVER ? ALK_CONFIG_SERVER : ALK_CONFIG_CLIENT;
        if (r->kind >= 0 && r->kind != kind)
            return program_usage("name one of --server and --client");
        r->kind = kind;
        return -1;
    }
    case OPT_JSON:
        r->json = true;
        return -1;
    case OPT_HELP:
        fputs(help, stdout);
        return EXIT_SUCCESS;
    default:
        fprintf(stderr, "Try 'alknet-ctl config --help'.\n"); /* getopt has named the fault */
        return EXIT_USAGE;
    }
}

static int load(struct alk_config **out, const struct request *r, struct alk_error *error)
{
    const char *home = getenv("HOME");
    int status;

    if (r->kind != ALK_CONFIG_SERVER) {
        status = alk_config_load(out, ALK_CONFIG_CLIENT, r->file, home, error);
        bool is_it = status == ALK_OK && alk_config_profile_at(*out, 0) != NULL;
        if (status != ALK_OK || is_it || r->kind == ALK_CONFIG_CLIENT)
            return status;
        alk_config_free(*out);
    }
    return alk_config_load(out, ALK_CONFIG_SERVER, r->file, NULL, error);
}

/* A file may hold any bytes; JSON holds UTF-8. */
static json_t *to_json(const char *sentence)
{
    json_t *string = json_string(sentence);
    char *copy = string == NULL ? strdup(sentence) : NULL;

    for (char *c = copy; c != NULL && *c != '\0'; c++) {
        if ((unsigned char)*c >= 0x80)
            *c = '?';
    }
    if (copy != NULL)
        string = json_string(copy);
    free(copy);
    return string;
}

static void print_json(const struct alk_config *config)
{
    json_t *array = json_array();

    for (size_t i = 0; i < alk_config_fault_count(config); i++)
        json_array_append_new(array, to_json(alk_config_fault(config, i)));
    json_dumpf(array, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
    putchar('\n');
    json_decref(array);
}

static int check(const struct request *r)
{
    struct alk_config *config = NULL;
    struct alk_error error;

    if (load(&config, r, &error) != ALK_OK)
        return program_fail(EXIT_RUN, "%s", error.text);
    int status = alk_config_check_files(config);
    size_t faults = alk_config_fault_count(config);
    if (r->json)
        print_json(config);
    for (size_t i = 0; i < faults && !r->json; i++)
        program_fail(EXIT_RUN, "%s", alk_config_fault(config, i));
    if (faults == 0 && !r->json)
        puts("alknet-ctl: everything is in order");
    alk_config_free(config);
    if (status != ALK_OK)
        return program_fail(EXIT_RUN, "out of memory");
    return faults == 0 ? EXIT_SUCCESS : EXIT_RUN;
}

int ctl_config(int argc, char **argv)
{
    struct request request = {.kind = -1};
    int code;

    while ((code = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        int result = take(code, &request);
        if (result >= 0)
            return result;
    }
    if (optind >= argc || strcmp(argv[optind], "check") != 0)
        return program_usage("config wants the command check");
    if (optind + 2 != argc)
        return program_usage("config check wants one file");
    request.file = argv[optind + 1];
    return check(&request);
}
