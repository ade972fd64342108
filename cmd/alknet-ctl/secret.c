/* The table of secret commands. */
#include "secret.h"

#include "secret_command.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

static const struct secret_command *const commands[] = {
    &secret_new,     &secret_validate, &secret_derive,  &secret_password,
    &secret_ssh_key, &secret_encrypt,  &secret_decrypt, &secret_rotate,
};

static const char mnemonic_help[] =
    "\n"
    "The mnemonic is asked for on the terminal, or read from standard input when that is not a\n"
    "terminal. It is never an argument and never in the environment.\n"
    "  --mnemonic-file FILE    read the mnemonic from a file\n"
    "  --mnemonic-fd N         read it from a file descriptor\n";

static const char passphrase_help[] =
    "  --passphrase            ask for a BIP39 passphrase as well (default: none)\n"
    "  --passphrase-file FILE  read the passphrase from a file; its last line end is not part of "
    "it\n"
    "  --passphrase-fd N       read it from a file descriptor\n";

static int usage(FILE *to, int status)
{
    fprintf(to, "usage: alknet-ctl secret COMMAND [OPTION...]\n\n");
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        fprintf(to, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
    fprintf(to, "\nalknet-ctl secret COMMAND --help tells more, with examples.\n");
    return status;
}

static int help(const struct secret_command *command)
{
    fputs(command->help, stdout);
    if (command->options & OPT_MNEMONIC)
        fputs(mnemonic_help, stdout);
    if (command->options & OPT_PASSPHRASE)
        fputs(passphrase_help, stdout);
    fputs("  --json                  print JSON\n", stdout);
    return STATUS_OK;
}

/* What stdio still holds has to arrive, too. */
static int finish(const struct secret_args *args, int status)
{
    if (fflush(stdout) == 0 || status != STATUS_OK)
        return status;
    return secret_complain(args, STATUS_FAILED, "cannot write standard output: %s",
                           strerror(errno));
}

int ctl_secret(int argc, char **argv)
{
    struct secret_args args;

    if (argc < 2)
        return usage(stderr, STATUS_USAGE);
    if (strcmp(argv[1], "--help") == 0)
        return usage(stdout, STATUS_OK);
    /* no core dump, and nobody but root attaches to this process */
    prctl(PR_SET_DUMPABLE, 0);
    if (sodium_init() < 0) {
        fprintf(stderr, "alknet-ctl secret: the system gives no randomness\n");
        return STATUS_FAILED;
    }
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(argv[1], commands[i]->name) != 0)
            continue;
        if (secret_parse(commands[i], argc - 1, argv + 1, &args) != 0)
            return STATUS_USAGE;
        return finish(&args, args.help ? help(commands[i]) : commands[i]->run(&args));
    }
    /* not repeating it: somebody may have given the mnemonic */
    fprintf(stderr, "alknet-ctl secret: no such command; alknet-ctl secret --help lists them\n");
    return STATUS_USAGE;
}
