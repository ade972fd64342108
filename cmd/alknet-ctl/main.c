/* alknet-ctl: one command per task; this file only knows their names. */
#include "secret.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *help;
} commands[] = {
    {"secret", ctl_secret, "mnemonics, derived keys, site passwords, encrypted records"},
};

static int usage(FILE *to, int status)
{
    fprintf(to, "usage: alknet-ctl COMMAND [ARGUMENT...]\n\n");
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        fprintf(to, "  %-10s %s\n", commands[i].name, commands[i].help);
    fprintf(to, "\nalknet-ctl COMMAND --help tells more.\n");
    return status;
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return usage(stderr, 2);
    if (strcmp(argv[1], "--help") == 0)
        return usage(stdout, 0);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    }
    fprintf(stderr, "alknet-ctl: no command %s; alknet-ctl --help lists them\n", argv[1]);
    return 2;
}
