/* alknet-ctl: one command per task; this file only knows their names. */
#include "ctl.h"
#include "program.h"
#include "secret.h"

#include <alk/key.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct command {
    const char *name;
    int (*run)(int argc, char **argv); /* argv[0] is the command's name */
    const char *help;
};

/* One line per command; each command is a file of its own. */
static const struct command commands[] = {
    {"keygen", ctl_keygen, "make an Ed25519 key pair"},
    {"fingerprint", ctl_fingerprint, "print the fingerprints of the keys in a file"},
    {"token", ctl_token, "print an AuthToken, made with a key"},
    {"api-key", ctl_api_key, "make an API key and the section that lets a server know it"},
    {"config", ctl_config, "tell what is wrong with a configuration file"},
    {"policy", ctl_policy, "tell what the forwarding rules decide, and why"},
    {"credential", ctl_credential, "list, add and remove what a server presents to others"},
    {"status", ctl_status, "tell what a running server is doing"},
    {"secret", ctl_secret, "one seed phrase, every key: make, derive, encrypt"},
};

enum { COMMAND_COUNT = sizeof(commands) / sizeof(commands[0]) };

static void print_help(void)
{
    fputs("Usage: alknet-ctl COMMAND [OPTION]...\n"
          "Make and look at the things that alknet-server and alknet-client work with.\n"
          "\n",
          stdout);
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        printf("  %-12s %s\n", commands[i].name, commands[i].help);
    fputs("\n"
          "  --version    print the version\n"
          "  --help       print this text\n"
          "\n"
          "alknet-ctl COMMAND --help tells a command's options.\n"
          "Exit status: 0 done, 1 failed, 2 wrong usage.\n",
          stdout);
}

static int run(int argc, char **argv)
{
    if (argc < 2)
        return program_usage("no command is named");
    if (strcmp(argv[1], "--help") == 0) {
        print_help();
        return EXIT_SUCCESS;
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("alknet-ctl " ALK_VERSION);
        return EXIT_SUCCESS;
    }
    if (alk_crypto_init() != ALK_OK)
        return program_fail(EXIT_RUN, "the crypto library could not be set up");
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    }
    return program_usage("there is no command '%s'", argv[1]);
}

int main(int argc, char **argv)
{
    program_begin();
    return program_finish(run(argc, argv));
}
