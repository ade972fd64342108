/* The options of the secret commands, and the sentences for what is wrong. */
#include "secret_command.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    O_JSON = 256,
    O_HELP,
    O_MNEMONIC_FILE,
    O_MNEMONIC_FD,
    O_PASSPHRASE,
    O_PASSPHRASE_FILE,
    O_PASSPHRASE_FD,
    O_IN,
    O_OUT,
    O_WORDS,
    O_KIND,
    O_PRIVATE,
    O_SITE,
    O_LENGTH,
    O_KEY_VERSION,
    O_TO,
    O_COMMENT,
    O_PUBLIC,
};

static const struct {
    const char *name;
    bool has_value;
    int id;
    unsigned group; /* 0 belongs to every command */
} known[] = {
    {"json", false, O_JSON, 0},
    {"help", false, O_HELP, 0},
    {"mnemonic-file", true, O_MNEMONIC_FILE, OPT_MNEMONIC},
    {"mnemonic-fd", true, O_MNEMONIC_FD, OPT_MNEMONIC},
    {"passphrase", false, O_PASSPHRASE, OPT_PASSPHRASE},
    {"passphrase-file", true, O_PASSPHRASE_FILE, OPT_PASSPHRASE},
    {"passphrase-fd", true, O_PASSPHRASE_FD, OPT_PASSPHRASE},
    {"in", true, O_IN, OPT_IN},
    {"out", true, O_OUT, OPT_OUT},
    {"words", true, O_WORDS, OPT_WORDS},
    {"kind", true, O_KIND, OPT_KIND},
    {"private", false, O_PRIVATE, OPT_KIND},
    {"site", true, O_SITE, OPT_SITE},
    {"length", true, O_LENGTH, OPT_SITE},
    {"key-version", true, O_KEY_VERSION, OPT_VERSION},
    {"to", true, O_TO, OPT_TO},
    {"comment", true, O_COMMENT, OPT_COMMENT},
    {"public", false, O_PUBLIC, OPT_COMMENT},
};
#define KNOWN (sizeof known / sizeof known[0])

int secret_complain(const struct secret_args *args, int status, const char *format, ...)
{
    va_list list;

    fprintf(stderr, "alknet-ctl secret %s: ", args->command);
    va_start(list, format);
    vfprintf(stderr, format, list);
    va_end(list);
    fputc('\n', stderr);
    return status;
}

int secret_failed(const struct secret_args *args, int code, const struct alk_secret_error *error)
{
    bool usage = code == ALK_SECRET_E_PATH || code == ALK_SECRET_E_DEPTH ||
                 code == ALK_SECRET_E_INDEX || code == ALK_SECRET_E_HARDENED ||
                 code == ALK_SECRET_E_VERSION || code == ALK_SECRET_E_ARGUMENT;

    return secret_complain(args, usage ? STATUS_USAGE : STATUS_FAILED, "%s",
                           error != NULL && error->text[0] != '\0' ? error->text
                                                                   : alk_secret_strerror(code));
}

static int number(const struct secret_args *args, const char *option, const char *text,
                  uint32_t *out)
{
    char *end;
    unsigned long long value;

    errno = 0;
    value = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || value > 0x80000000ULL)
        return secret_complain(args, STATUS_USAGE, "--%s needs a number up to 2147483648", option);
    *out = (uint32_t)value;
    return 0;
}

static int descriptor(const struct secret_args *args, const char *option, const char *text,
                      int *out)
{
    uint32_t value;
    int r = number(args, option, text, &value);

    if (r == 0 && value > 65535)
        r = secret_complain(args, STATUS_USAGE, "--%s needs an open file descriptor", option);
    if (r == 0)
        *out = (int)value;
    return r;
}

static int take(struct secret_args *args, int id, const char *name, const char *value)
{
    switch (id) {
    case O_JSON:
        args->json = true;
        return 0;
    case O_HELP:
        args->help = true;
        return 0;
    case O_MNEMONIC_FILE:
        args->mnemonic_file = value;
        return 0;
    case O_MNEMONIC_FD:
        return descriptor(args, name, value, &args->mnemonic_fd);
    case O_PASSPHRASE:
        args->ask_passphrase = true;
        return 0;
    case O_PASSPHRASE_FILE:
        args->passphrase_file = value;
        return 0;
    case O_PASSPHRASE_FD:
        return descriptor(args, name, value, &args->passphrase_fd);
    case O_IN:
        args->in = value;
        return 0;
    case O_OUT:
        args->out = value;
        return 0;
    case O_WORDS:
        return number(args, name, value, &args->words);
    case O_KIND:
        args->kind = value;
        return 0;
    case O_PRIVATE:
        args->show_private = true;
        return 0;
    case O_SITE:
        args->site = value;
        return 0;
    case O_LENGTH:
        return number(args, name, value, &args->length);
    case O_KEY_VERSION:
        return number(args, name, value, &args->key_version);
    case O_TO:
        return number(args, name, value, &args->to);
    case O_COMMENT:
        args->comment = value;
        return 0;
    default:
        args->public_only = true;
        return 0;
    }
}

/* getopt's table of the options that the command takes. */
static void offered(const struct secret_command *command, struct option table[KNOWN + 1])
{
    size_t n = 0;

    for (size_t i = 0; i < KNOWN; i++) {
        if (known[i].group == 0 || (known[i].group & command->options))
            table[n++] =
                (struct option){known[i].name, known[i].has_value ? required_argument : no_argument,
                                NULL, known[i].id};
    }
    memset(&table[n], 0, sizeof table[n]);
}

static int check_sources(const struct secret_args *args)
{
    if (args->mnemonic_file != NULL && args->mnemonic_fd >= 0)
        return secret_complain(args, STATUS_USAGE, "name one of --mnemonic-file and --mnemonic-fd");
    if (args->ask_passphrase + (args->passphrase_file != NULL) + (args->passphrase_fd >= 0) > 1)
        return secret_complain(args, STATUS_USAGE,
                               "name one of --passphrase, --passphrase-file and --passphrase-fd");
    if (args->passphrase_fd >= 0 && args->passphrase_fd == args->mnemonic_fd)
        return secret_complain(args, STATUS_USAGE, "--mnemonic-fd and --passphrase-fd must differ");
    return 0;
}

/* Names the option without what follows "=": that could be a secret. */
static int bad_option(const struct secret_args *args, bool no_value, const char *option)
{
    return secret_complain(args, STATUS_USAGE,
                           no_value ? "%.*s needs a value; see --help"
                                    : "no option %.*s here; see --help",
                           (int)strcspn(option, "="), option);
}

int secret_parse(const struct secret_command *command, int argc, char **argv,
                 struct secret_args *args)
{
    struct option table[KNOWN + 1];
    int index, id;

    *args = (struct secret_args){.command = command->name,
                                 .mnemonic_fd = -1,
                                 .passphrase_fd = -1,
                                 .words = 24,
                                 .length = 20,
                                 .key_version = 1};
    offered(command, table);
    opterr = 0;
    optind = 0; /* glibc: start over, another command may have used getopt */
    while ((id = getopt_long(argc, argv, ":", table, &index)) != -1) {
        if (id == ':' || id == '?')
            return bad_option(args, id == ':', argv[optind - 1]);
        if (take(args, id, table[index].name, optarg) != 0)
            return STATUS_USAGE;
    }
    if (args->help)
        return 0;
    if (optind < argc && (command->options & OPT_PATH))
        args->path = argv[optind++];
    if (optind < argc)
        return secret_complain(
            args, STATUS_USAGE, "no more arguments are expected%s; see --help",
            command->options & OPT_MNEMONIC ? ", and a mnemonic never as an argument" : "");
    return check_sources(args);
}
