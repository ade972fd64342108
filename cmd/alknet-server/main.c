/* alknet-server: options and wiring; everything else is libalk-core. */
#include "mnemonic_key.h"
#include "program.h"

#include <alk/secret_path.h>
#include <alk/server.h>

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LISTEN_MAX = 64 };

static const char help[] =
    "Usage: alknet-server --key FILE --authorized-keys FILE [OPTION]...\n"
    "       alknet-server --key-from-secret --authorized-keys FILE [OPTION]...\n"
    "Let SSH clients with authorised Ed25519 keys reach the network from here.\n"
    "\n"
    "  --key FILE                  host key (OpenSSH format, Ed25519)\n"
    "  --generate-key              make the host key if FILE does not exist\n"
    "  --key-from-secret           derive the host key from a BIP39 mnemonic\n"
    "                              (m/74'/0'/1'/0'), instead of --key\n"
    "  --mnemonic-fd N             read the mnemonic from this descriptor; otherwise from\n"
    "                              the systemd credential alknet-mnemonic, then the terminal\n"
    "  --mnemonic-passphrase-fd N  its BIP39 passphrase; otherwise from the credential\n"
    "                              alknet-mnemonic-passphrase, then none\n"
    "  --authorized-keys FILE      who may log in, one key a line, as sshd reads it\n"
    "  --cert-authority FILE       authorities whose OpenSSH certificates let their users\n"
    "                              in, one public key a line\n"
    "  --revoked-keys FILE         keys and certificates that may not log in: an OpenSSH\n"
    "                              key revocation list, or public keys, one a line\n"
    "  --listen ADDR:PORT          where to listen, also [v6]:PORT or unix:PATH;\n"
    "                              repeatable (default 0.0.0.0:22)\n"
    "  --max-connections-per-ip N  live connections of one address (default 0: any)\n"
    "  --max-unauthenticated N     connections that have not logged in yet (default 128)\n"
    "  --max-unauthenticated-per-ip N\n"
    "                              the same of one address (default 16)\n"
    "  --max-auth-attempts N       refused keys before a connection ends (default 10)\n"
    "  --workers N                 threads (default: one per core)\n"
    "  --log-level LEVEL           error, warn, info or debug (default info)\n"
    "  --check                     validate everything, change nothing, exit\n"
    "  --version                   print the version\n"
    "  --help                      print this text\n"
    "\n"
    "SIGHUP reads the files of keys again. SIGTERM and SIGINT end the sessions and\n"
    "exit within about two seconds; a second signal exits at once.\n"
    "\n"
    "Examples:\n"
    "  alknet-server --generate-key --key host_key --authorized-keys authorized_keys \\\n"
    "                --listen 0.0.0.0:2222\n"
    "  alknet-server --check --key host_key --authorized-keys authorized_keys\n"
    "  alknet-server --key-from-secret --mnemonic-fd 3 3<phrase.txt \\\n"
    "                --authorized-keys authorized_keys\n";

struct settings {
    const char *key, *authorized_keys;
    const char *listen[LISTEN_MAX];
    unsigned listen_count;
    bool generate_key, check;
    struct mnemonic_source mnemonic;
    struct alk_log log;
    struct alk_server_options options;
};

enum option_code {
    OPT_KEY = 256,
    OPT_GENERATE,
    OPT_KEY_FROM_SECRET,
    OPT_MNEMONIC_FD,
    OPT_MNEMONIC_PASSPHRASE_FD,
    OPT_AUTHORIZED,
    OPT_AUTHORITY,
    OPT_REVOKED,
    OPT_LISTEN,
    OPT_PER_IP,
    OPT_UNAUTHENTICATED,
    OPT_UNAUTHENTICATED_PER_IP,
    OPT_ATTEMPTS,
    OPT_WORKERS,
    OPT_LOG_LEVEL,
    OPT_CHECK,
    OPT_VERSION,
    OPT_HELP,
};

static const struct option long_options[] = {
    {"key", required_argument, NULL, OPT_KEY},
    {"generate-key", no_argument, NULL, OPT_GENERATE},
    {"key-from-secret", no_argument, NULL, OPT_KEY_FROM_SECRET},
    {"mnemonic-fd", required_argument, NULL, OPT_MNEMONIC_FD},
    {"mnemonic-passphrase-fd", required_argument, NULL, OPT_MNEMONIC_PASSPHRASE_FD},
    {"authorized-keys", required_argument, NULL, OPT_AUTHORIZED},
    {"cert-authority", required_argument, NULL, OPT_AUTHORITY},
    {"revoked-keys", required_argument, NULL, OPT_REVOKED},
    {"listen", required_argument, NULL, OPT_LISTEN},
    {"max-connections-per-ip", required_argument, NULL, OPT_PER_IP},
    {"max-unauthenticated", required_argument, NULL, OPT_UNAUTHENTICATED},
    {"max-unauthenticated-per-ip", required_argument, NULL, OPT_UNAUTHENTICATED_PER_IP},
    {"max-auth-attempts", required_argument, NULL, OPT_ATTEMPTS},
    {"workers", required_argument, NULL, OPT_WORKERS},
    {"log-level", required_argument, NULL, OPT_LOG_LEVEL},
    {"check", no_argument, NULL, OPT_CHECK},
    {"version", no_argument, NULL, OPT_VERSION},
    {"help", no_argument, NULL, OPT_HELP},
    {NULL, 0, NULL, 0},
};

static bool take_number(int code, const char *text, struct settings *s)
{
    struct alk_server_options *o = &s->options;

    switch (code) {
    case OPT_PER_IP:
        return program_number("--max-connections-per-ip", text, 0, 1000000,
                              &o->max_connections_per_ip);
    case OPT_UNAUTHENTICATED:
        return program_number("--max-unauthenticated", text, 1, 1000000, &o->max_unauthenticated);
    case OPT_UNAUTHENTICATED_PER_IP:
        return program_number("--max-unauthenticated-per-ip", text, 1, 1000000,
                              &o->max_unauthenticated_per_ip);
    case OPT_ATTEMPTS:
        return program_number("--max-auth-attempts", text, 1, 1000, &o->max_auth_attempts);
    default:
        return program_number("--workers", text, 1, 256, &o->workers);
    }
}

/* One option; returns -1 to go on, else the exit code. */
static int take(int code, struct settings *s)
{
    switch (code) {
    case OPT_KEY:
        s->key = optarg;
        return -1;
    case OPT_GENERATE:
        s->generate_key = true;
        return -1;
    case OPT_KEY_FROM_SECRET:
        s->mnemonic.wanted = true;
        return -1;
    case OPT_MNEMONIC_FD:
        return mnemonic_fd("--mnemonic-fd", optarg, &s->mnemonic.mnemonic_fd) ? -1 : EXIT_USAGE;
    case OPT_MNEMONIC_PASSPHRASE_FD:
        return mnemonic_fd("--mnemonic-passphrase-fd", optarg, &s->mnemonic.passphrase_fd)
                   ? -1
                   : EXIT_USAGE;
    case OPT_AUTHORIZED:
        s->authorized_keys = optarg;
        return -1;
    case OPT_AUTHORITY:
        s->options.cert_authority = optarg;
        return -1;
    case OPT_REVOKED:
        s->options.revoked_keys = optarg;
        return -1;
    case OPT_LISTEN:
        if (s->listen_count == LISTEN_MAX)
            return program_usage("--listen may be given %d times at most", LISTEN_MAX);
        s->listen[s->listen_count++] = optarg;
        return -1;
    case OPT_PER_IP:
    case OPT_UNAUTHENTICATED:
    case OPT_UNAUTHENTICATED_PER_IP:
    case OPT_ATTEMPTS:
    case OPT_WORKERS:
        return take_number(code, optarg, s) ? -1 : EXIT_USAGE;
    case OPT_LOG_LEVEL:
        if (alk_log_level_parse(optarg, &s->log.level) != ALK_OK)
            return program_usage("--log-level wants error, warn, info or debug, not '%s'", optarg);
        return -1;
    case OPT_CHECK:
        s->check = true;
        return -1;
    case OPT_VERSION:
        puts("alknet-server " ALK_VERSION);
        return EXIT_SUCCESS;
    case OPT_HELP:
        fputs(help, stdout);
        return EXIT_SUCCESS;
    default:
        fprintf(stderr, "Try 'alknet-server --help'.\n"); /* getopt has named the fault */
        return EXIT_USAGE;
    }
}

/* The options that together say where the host key comes from. */
static int check_key_options(const struct settings *s)
{
    if (s->mnemonic.wanted && s->key != NULL)
        return program_usage("name one of --key and --key-from-secret");
    if (s->mnemonic.wanted && s->generate_key)
        return program_usage("--generate-key makes a key file; it does not go with "
                             "--key-from-secret");
    if (!s->mnemonic.wanted && s->key == NULL)
        return program_usage("--key is missing: name the host key file, or use --key-from-secret");
    return mnemonic_source_check(&s->mnemonic, "--key-from-secret");
}

static int parse(int argc, char **argv, struct settings *s)
{
    int code;

    while ((code = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        int result = take(code, s);
        if (result >= 0)
            return result;
    }
    if (optind < argc)
        return program_usage("unexpected argument '%s'", argv[optind]);
    code = check_key_options(s);
    if (code >= 0)
        return code;
    if (s->authorized_keys == NULL)
        return program_usage("--authorized-keys is missing: name the file of keys that may log in");
    if (s->listen_count == 0)
        s->listen[s->listen_count++] = "0.0.0.0:22";
    return -1;
}

static int make_key(struct alk_key **key, const char *path, struct alk_error *error)
{
    int status = alk_key_generate(key);

    if (status == ALK_OK)
        status = alk_key_save(*key, path, "alknet-server", NULL, error);
    return status;
}

static int load_key(struct alk_key **key, const struct settings *s, struct alk_error *error)
{
    if (s->mnemonic.wanted)
        return mnemonic_key(key, &s->mnemonic, ALK_SECRET_PATH_HOST_KEY, error);
    if (s->generate_key && access(s->key, F_OK) != 0) {
        if (s->check)
            return alk_key_generate(key); /* a stand-in: --check writes nothing */
        return make_key(key, s->key, error);
    }
    return alk_key_load(key, s->key, NULL, NULL, error);
}

static void print_ready(struct alk_server *server, const struct alk_key *key)
{
    char fingerprint[ALK_FINGERPRINT_SIZE];
    const char *address;

    alk_key_fingerprint(alk_key_blob(key), ALK_KEY_BLOB_SIZE, fingerprint);
    for (unsigned i = 0; (address = alk_server_address(server, i)) != NULL; i++)
        fprintf(stderr, "alknet-server: listening on %s, host key %s\n", address, fingerprint);
}

static void reload(struct alk_server *server, const struct alk_log *log)
{
    struct alk_error error;

    if (alk_server_reload(server, NULL, &error) == ALK_OK)
        alk_log(log, ALK_LOG_INFO, "reloaded", NULL);
    else
        alk_log(log, ALK_LOG_ERROR, "reload failed, the old keys stay in force", "reason",
                error.text, NULL);
}

/* Serves until a signal ends it. */
static void serve(struct alk_server *server, const struct settings *s, const sigset_t *signals)
{
    int number;

    while (sigwait(signals, &number) == 0 && number == SIGHUP)
        reload(server, &s->log);
    alk_log(&s->log, ALK_LOG_INFO, "shutting down", NULL);
    /* from here on a further signal kills */
    pthread_sigmask(SIG_UNBLOCK, signals, NULL);
    alk_server_stop(server);
}

static int run(struct settings *s, const struct alk_key *key, const sigset_t *signals)
{
    struct alk_server *server;
    struct alk_error error;
    int code = EXIT_RUN;

    s->options.host_key = key;
    s->options.authorized_keys = s->authorized_keys;
    s->options.log = &s->log;
    s->options.dry_run = s->check;
    if (alk_server_new(&server, &s->options, &error) != ALK_OK)
        return program_fail(EXIT_RUN, "%s", error.text);
    for (unsigned i = 0; i < s->listen_count; i++) {
        if (alk_server_listen(server, s->listen[i], &error) != ALK_OK) {
            code =
                program_fail(error.code == ALK_E_PARSE ? EXIT_USAGE : EXIT_RUN, "%s", error.text);
            goto out;
        }
    }
    if (s->check) {
        puts("alknet-server: everything is in order");
        code = EXIT_SUCCESS;
        goto out;
    }
    if (alk_server_start(server, &error) != ALK_OK) {
        code = program_fail(EXIT_RUN, "%s", error.text);
        goto out;
    }
    print_ready(server, key);
    serve(server, s, signals);
    code = EXIT_SUCCESS;
out:
    alk_server_free(server);
    return code;
}

int main(int argc, char **argv)
{
    struct settings settings = {.log = {.level = ALK_LOG_INFO, .fd = STDERR_FILENO},
                                .mnemonic = MNEMONIC_SOURCE_INIT,
                                .options = ALK_SERVER_OPTIONS_INIT};
    struct alk_key *key = NULL;
    struct alk_error error;
    sigset_t signals;

    program_begin();
    int code = parse(argc, argv, &settings);
    if (code >= 0)
        return code;
    if (alk_crypto_init() != ALK_OK)
        return program_fail(EXIT_RUN, "the crypto library could not be set up");
    /* before signals are blocked, so that waiting for a mnemonic can be interrupted */
    if (load_key(&key, &settings, &error) != ALK_OK)
        return program_fail(EXIT_RUN, "%s", error.text);
    /* threads inherit the mask, so that only serve() takes signals */
    sigemptyset(&signals);
    sigaddset(&signals, SIGHUP);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    code = run(&settings, key, &signals);
    alk_key_free(key);
    return code;
}
