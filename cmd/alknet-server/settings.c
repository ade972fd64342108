/* The command line of alknet-server, and how it goes before the file. */
#include "settings.h"

#include "program.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "Usage: alknet-server --config FILE [OPTION]...\n"
    "       alknet-server --key FILE --authorized-keys FILE [OPTION]...\n"
    "       alknet-server --key-from-secret --authorized-keys FILE [OPTION]...\n"
    "Let SSH clients with authorised Ed25519 keys reach the network from here.\n"
    "\n"
    "  --config FILE               settings, see alknet.conf(5); options here go before them\n"
    "  --key FILE                  host key (OpenSSH format, Ed25519)\n"
    "  --generate-key              make the host key if FILE does not exist\n"
    "  --key-from-secret           derive the host key from a BIP39 mnemonic\n"
    "                              (m/74'/0'/1'/0'), instead of --key\n"
    "  --mnemonic-fd N             read the mnemonic from this descriptor; otherwise from\n"
    "                              the systemd credential alknet-mnemonic, then the terminal\n"
    "  --mnemonic-passphrase-fd N  its BIP39 passphrase; otherwise from the credential\n"
    "                              alknet-mnemonic-passphrase, then none\n"
    "  --authorized-keys FILE      who may log in, one key a line, as sshd reads it\n"
    "  --cert-authority FILE       keys of CAs whose user certificates are accepted\n"
    "  --revoked-keys FILE         keys and certificates that are refused: an OpenSSH KRL, or\n"
    "                              a list of public keys\n"
    "  --listen ADDR:PORT          where to listen, also [v6]:PORT or unix:PATH;\n"
    "                              repeatable (default 0.0.0.0:22)\n"
    "  --transport tcp|tls         what carries SSH on these (default tcp); with tls the\n"
    "                              default is 0.0.0.0:443\n"
    "  --tls-cert FILE             certificate chain for tls, PEM, the server's own first\n"
    "  --tls-key FILE              its private key, PEM\n"
    "  --stealth                   with tls: look like a web server to all but SSH clients\n"
    "  --stealth-backend HOST:PORT hand them to this web server instead of the decoy\n"
    "  --stealth-server NAME       what the decoy says it is (default nginx/1.22.1)\n"
    "  --proxy URL                 connect to targets through socks5://[user:password@]host:port\n"
    "                              or http://..., which resolves their names; better from the\n"
    "                              file when it holds a password\n"
    "  --max-connections-per-ip N  live connections of one address (default 0: any)\n"
    "  --max-unauthenticated N     connections that have not logged in yet (default 128)\n"
    "  --max-unauthenticated-per-ip N\n"
    "                              the same of one address (default 16)\n"
    "  --max-auth-attempts N       refused keys before a connection ends (default 10)\n"
    "  --workers N                 threads (default: one per core)\n"
    "  --status-socket PATH        tell who connects there what the server is doing, see\n"
    "                              'alknet-ctl status'; for this user only\n"
    "  --user NAME                 become this user once everything is bound\n"
    "  --no-confine                leave out Landlock and seccomp\n"
    "  --log-level LEVEL           error, warn, info or debug (default info)\n"
    "  --log-format FORMAT         logfmt, json or journal (default logfmt)\n"
    "  --check                     validate everything, change nothing, exit\n"
    "  --version                   print the version\n"
    "  --help                      print this text\n"
    "\n"
    "SIGHUP reads the settings and the keys again. SIGTERM and SIGINT end the sessions and\n"
    "exit within about two seconds; a second signal exits at once.\n"
    "\n"
    "Examples:\n"
    "  alknet-server --generate-key --key host_key --authorized-keys authorized_keys \\\n"
    "                --listen 0.0.0.0:2222\n"
    "  alknet-server --check --config /etc/alknet/alknet.conf\n"
    "  alknet-server --check --key host_key --authorized-keys authorized_keys\n"
    "  alknet-server --key-from-secret --mnemonic-fd 3 3<phrase.txt \\\n"
    "                --authorized-keys authorized_keys\n";

enum { FIRST_OPTION = 256 };

enum option_code {
    OPT_CONFIG = FIRST_OPTION,
    OPT_KEY,
    OPT_GENERATE,
    OPT_KEY_FROM_SECRET,
    OPT_MNEMONIC_FD,
    OPT_MNEMONIC_PASSPHRASE_FD,
    OPT_AUTHORIZED,
    OPT_AUTHORITY,
    OPT_REVOKED,
    OPT_LISTEN,
    OPT_TRANSPORT,
    OPT_TLS_CERT,
    OPT_TLS_KEY,
    OPT_STEALTH,
    OPT_STEALTH_BACKEND,
    OPT_STEALTH_SERVER,
    OPT_PROXY,
    OPT_PER_IP,
    OPT_UNAUTHENTICATED,
    OPT_UNAUTHENTICATED_PER_IP,
    OPT_ATTEMPTS,
    OPT_WORKERS,
    OPT_STATUS_SOCKET,
    OPT_USER,
    OPT_NO_CONFINE,
    OPT_LOG_LEVEL,
    OPT_LOG_FORMAT,
    OPT_CHECK,
    OPT_VERSION,
    OPT_HELP,
};

static const struct option long_options[] = {
    {"config", required_argument, NULL, OPT_CONFIG},
    {"key", required_argument, NULL, OPT_KEY},
    {"generate-key", no_argument, NULL, OPT_GENERATE},
    {"key-from-secret", no_argument, NULL, OPT_KEY_FROM_SECRET},
    {"mnemonic-fd", required_argument, NULL, OPT_MNEMONIC_FD},
    {"mnemonic-passphrase-fd", required_argument, NULL, OPT_MNEMONIC_PASSPHRASE_FD},
    {"authorized-keys", required_argument, NULL, OPT_AUTHORIZED},
    {"cert-authority", required_argument, NULL, OPT_AUTHORITY},
    {"revoked-keys", required_argument, NULL, OPT_REVOKED},
    {"listen", required_argument, NULL, OPT_LISTEN},
    {"transport", required_argument, NULL, OPT_TRANSPORT},
    {"tls-cert", required_argument, NULL, OPT_TLS_CERT},
    {"tls-key", required_argument, NULL, OPT_TLS_KEY},
    {"stealth", no_argument, NULL, OPT_STEALTH},
    {"stealth-backend", required_argument, NULL, OPT_STEALTH_BACKEND},
    {"stealth-server", required_argument, NULL, OPT_STEALTH_SERVER},
    {"proxy", required_argument, NULL, OPT_PROXY},
    {"max-connections-per-ip", required_argument, NULL, OPT_PER_IP},
    {"max-unauthenticated", required_argument, NULL, OPT_UNAUTHENTICATED},
    {"max-unauthenticated-per-ip", required_argument, NULL, OPT_UNAUTHENTICATED_PER_IP},
    {"max-auth-attempts", required_argument, NULL, OPT_ATTEMPTS},
    {"workers", required_argument, NULL, OPT_WORKERS},
    {"status-socket", required_argument, NULL, OPT_STATUS_SOCKET},
    {"user", required_argument, NULL, OPT_USER},
    {"no-confine", no_argument, NULL, OPT_NO_CONFINE},
    {"log-level", required_argument, NULL, OPT_LOG_LEVEL},
    {"log-format", required_argument, NULL, OPT_LOG_FORMAT},
    {"check", no_argument, NULL, OPT_CHECK},
    {"version", no_argument, NULL, OPT_VERSION},
    {"help", no_argument, NULL, OPT_HELP},
    {NULL, 0, NULL, 0},
};

#define GIVEN(code) (1ULL << ((code)-FIRST_OPTION))

static bool take_number(int code, const char *text, struct settings *s)
{
    struct alk_server_options *o = &s->flags;

    switch (code) {
    case OPT_PER_IP:
        return program_number("--max-connections-per-ip", text, 0, 1000000,
                              &o->limits.max_connections_per_ip);
    case OPT_UNAUTHENTICATED:
        return program_number("--max-unauthenticated", text, 1, 1000000,
                              &o->limits.max_unauthenticated);
    case OPT_UNAUTHENTICATED_PER_IP:
        return program_number("--max-unauthenticated-per-ip", text, 1, 1000000,
                              &o->limits.max_unauthenticated_per_ip);
    case OPT_ATTEMPTS:
        return program_number("--max-auth-attempts", text, 1, 1000, &o->limits.max_auth_attempts);
    default:
        return program_number("--workers", text, 1, 256, &o->workers);
    }
}

/* The options about the program as a service. */
static int take_service(int code, struct settings *s)
{
    switch (code) {
    case OPT_CONFIG:
        s->config_file = optarg;
        break;
    case OPT_USER:
        s->user = optarg;
        break;
    case OPT_STATUS_SOCKET:
        s->status_socket = optarg;
        break;
    case OPT_NO_CONFINE:
        s->no_confine = true;
        break;
    case OPT_LOG_LEVEL:
        if (alk_log_level_parse(optarg, &s->log.level) != ALK_OK)
            return program_usage("--log-level wants error, warn, info or debug, not '%s'", optarg);
        s->log_level_given = true;
        break;
    default:
        if (alk_log_format_parse(optarg, &s->log.format) != ALK_OK)
            return program_usage("--log-format wants logfmt, json or journal, not '%s'", optarg);
        s->log_format_given = true;
        break;
    }
    return -1;
}

/* The options about where to listen, and on what. */
static int take_port(int code, struct settings *s)
{
    switch (code) {
    case OPT_LISTEN:
        if (s->listen_count == LISTEN_MAX)
            return program_usage("--listen may be given %d times at most", LISTEN_MAX);
        s->listen[s->listen_count++] = optarg;
        break;
    case OPT_TRANSPORT:
        if (!program_transport(optarg, &s->listen_options.transport))
            return EXIT_USAGE;
        break;
    case OPT_STEALTH:
        s->listen_options.stealth = true;
        break;
    case OPT_STEALTH_BACKEND:
        s->stealth_backend = optarg;
        break;
    case OPT_STEALTH_SERVER:
        s->stealth_server = optarg;
        break;
    case OPT_TLS_CERT:
        s->tls_cert = optarg;
        break;
    default:
        s->tls_key = optarg;
        break;
    }
    return -1;
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
        s->cert_authority = optarg;
        return -1;
    case OPT_REVOKED:
        s->revoked_keys = optarg;
        return -1;
    case OPT_CONFIG:
    case OPT_USER:
    case OPT_STATUS_SOCKET:
    case OPT_NO_CONFINE:
    case OPT_LOG_LEVEL:
    case OPT_LOG_FORMAT:
        return take_service(code, s);
    case OPT_LISTEN:
    case OPT_TRANSPORT:
    case OPT_TLS_CERT:
    case OPT_TLS_KEY:
    case OPT_STEALTH:
    case OPT_STEALTH_BACKEND:
    case OPT_STEALTH_SERVER:
        return take_port(code, s);
    case OPT_PROXY:
        if (!program_take_url(optarg, s->proxy_argument, sizeof(s->proxy_argument)))
            return program_usage("the URL of --proxy is too long");
        s->proxy = s->proxy_argument;
        return -1;
    case OPT_PER_IP:
    case OPT_UNAUTHENTICATED:
    case OPT_UNAUTHENTICATED_PER_IP:
    case OPT_ATTEMPTS:
    case OPT_WORKERS:
        s->given |= GIVEN(code);
        return take_number(code, optarg, s) ? -1 : EXIT_USAGE;
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

/* Options that need each other: where the host key comes from, and what a port looks like. */
static int check_combinations(const struct settings *s)
{
    if (s->listen_options.stealth && s->listen_options.transport != ALK_TRANSPORT_TLS)
        return program_usage("--stealth needs --transport tls: without it SSH is plain to see");
    if (!s->listen_options.stealth && s->config_file == NULL &&
        (s->stealth_backend != NULL || s->stealth_server != NULL))
        return program_usage("--stealth-backend and --stealth-server need --stealth: without it "
                             "SSH is plain to see");
    if (s->config_file == NULL && (s->tls_cert == NULL || s->tls_key == NULL) &&
        (s->listen_options.transport == ALK_TRANSPORT_TLS || s->tls_cert != s->tls_key))
        return program_usage("a TLS listener needs --tls-cert and --tls-key, both");
    if (s->mnemonic.wanted && s->key != NULL)
        return program_usage("name one of --key and --key-from-secret");
    if (s->mnemonic.wanted && s->generate_key)
        return program_usage("--generate-key makes a key file; it does not go with "
                             "--key-from-secret");
    if (!s->mnemonic.wanted && s->key == NULL && s->config_file == NULL)
        return program_usage("--key is missing: name the host key file, or use --key-from-secret");
    return mnemonic_source_check(&s->mnemonic, "--key-from-secret");
}

int settings_parse(struct settings *s, int argc, char **argv)
{
    int code;

    *s = (struct settings){.log = {.level = ALK_LOG_INFO, .fd = 2},
                           .mnemonic = MNEMONIC_SOURCE_INIT};
    while ((code = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        int result = program_is_empty(code, optarg, long_options) ? EXIT_USAGE : take(code, s);
        if (result >= 0)
            return result;
    }
    if (optind < argc)
        return program_usage("unexpected argument '%s'", program_shown(argv[optind]));
    code = check_combinations(s);
    if (code >= 0)
        return code;
    if (s->authorized_keys == NULL && s->config_file == NULL)
        return program_usage("--authorized-keys is missing: name the file of keys that may log in");
    return -1;
}

/* ---- the file ---- */

struct alk_server_options settings_options(const struct settings *s,
                                           const struct alk_config *config)
{
    static const struct {
        int code;
        size_t offset;
    } numbers[] = {
        {OPT_PER_IP, offsetof(struct alk_server_options, limits.max_connections_per_ip)},
        {OPT_UNAUTHENTICATED, offsetof(struct alk_server_options, limits.max_unauthenticated)},
        {OPT_UNAUTHENTICATED_PER_IP,
         offsetof(struct alk_server_options, limits.max_unauthenticated_per_ip)},
        {OPT_ATTEMPTS, offsetof(struct alk_server_options, limits.max_auth_attempts)},
        {OPT_WORKERS, offsetof(struct alk_server_options, workers)},
    };
    struct alk_server_options options = ALK_SERVER_OPTIONS_INIT;

    if (config != NULL)
        options = alk_config_server(config)->options;
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        if ((s->given & GIVEN(numbers[i].code)) != 0)
            memcpy((char *)&options + numbers[i].offset,
                   (const char *)&s->flags + numbers[i].offset, sizeof(unsigned));
    }
    if (s->authorized_keys != NULL)
        options.authorized_keys = s->authorized_keys;
    if (s->cert_authority != NULL)
        options.cert_authority = s->cert_authority;
    if (s->revoked_keys != NULL)
        options.revoked_keys = s->revoked_keys;
    if (s->tls_cert != NULL)
        options.tls_cert = s->tls_cert;
    if (s->tls_key != NULL)
        options.tls_key = s->tls_key;
    if (s->stealth_backend != NULL)
        options.stealth_backend = s->stealth_backend;
    if (s->stealth_server != NULL)
        options.stealth_server = s->stealth_server;
    if (s->proxy != NULL)
        options.proxy = s->proxy;
    return options;
}

const char *settings_default_address(const struct settings *s)
{
    return s->listen_options.transport == ALK_TRANSPORT_TLS ? "0.0.0.0:443" : "0.0.0.0:22";
}

/* What is fixed for the life of the program. */
static void complete(struct settings *s)
{
    const struct alk_config_server *file = alk_config_server(s->config);

    if (s->key == NULL && !s->mnemonic.wanted) {
        s->key = file->host_key;
        s->generate_key |= file->generate_key;
    }
    if (s->user == NULL)
        s->user = file->user;
    if (s->status_socket == NULL)
        s->status_socket = file->status_socket;
    s->no_confine |= file->no_confine;
    if (!s->log_level_given && file->log_level != NULL)
        alk_log_level_parse(file->log_level, &s->log.level);
    if (!s->log_format_given && file->log_format != NULL)
        alk_log_format_parse(file->log_format, &s->log.format);
}

static void complain(const struct settings *s)
{
    for (size_t i = 0; i < alk_config_fault_count(s->config); i++)
        program_fail(EXIT_RUN, "%s", alk_config_fault(s->config, i));
}

/* What neither the command line nor the file names. */
static int check_complete(const struct settings *s)
{
    struct alk_server_options options = settings_options(s, s->config);

    if (s->listen_options.transport == ALK_TRANSPORT_TLS &&
        (options.tls_cert == NULL || options.tls_key == NULL))
        return program_usage("a TLS listener needs --tls-cert and --tls-key, or cert and key in "
                             "[tls] of %s",
                             s->config_file);
    if (s->key == NULL && !s->mnemonic.wanted)
        return program_fail(EXIT_RUN, "%s names no host_key in [server], and there is no --key",
                            s->config_file);
    if (options.authorized_keys == NULL)
        return program_fail(EXIT_RUN,
                            "%s names no authorized_keys in [auth], and there is no "
                            "--authorized-keys",
                            s->config_file);
    return -1;
}

int settings_load(struct settings *s)
{
    struct alk_error error;

    if (s->config_file == NULL)
        return -1;
    if (alk_config_load(&s->config, ALK_CONFIG_SERVER, s->config_file, NULL, &error) != ALK_OK)
        return program_fail(EXIT_RUN, "%s", error.text);
    if (s->check && alk_config_check_files(s->config) != ALK_OK)
        return program_fail(EXIT_RUN, "out of memory");
    complete(s);
    complain(s);
    int code = check_complete(s);
    return code >= 0 ? code : alk_config_fault_count(s->config) > 0 ? EXIT_RUN : -1;
}
