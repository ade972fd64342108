#include "settings.h"

#include "program.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* In two, since a compiler need not take longer strings. */
static const char help_options[] =
    "Usage: alknet-client [OPTION]... [user@]host[:port]\n"
    "Reach the network behind an SSH server through a local SOCKS proxy and forwards.\n"
    "\n"
    "  -D, --socks5 ADDR:PORT      SOCKS5 and SOCKS4a proxy (default 127.0.0.1:1080;\n"
    "                              none: no proxy)\n"
    "      --socks5-user NAME:FILE ask SOCKS5 users for NAME and the password in FILE\n"
    "      --http-proxy ADDR:PORT  HTTP proxy for CONNECT\n"
    "  -L, --forward SPEC          [bind:]port:host:port: listen here, connect there;\n"
    "                              a path on either side is a Unix socket; repeatable\n"
    "  -R, --remote-forward SPEC   the same the other way round; port 0: any; repeatable\n"
    "  -W, --stdio HOST:PORT       connect standard input and output to HOST:PORT, then\n"
    "                              exit; no proxy unless one is asked for\n"
    "  -J, --jump [user@]host[:port]\n"
    "                              log in there first and go on from there; repeatable, or\n"
    "                              several with commas between; none: as if the file had none\n"
    "  -i, --identity FILE         private key (Ed25519, OpenSSH format), or public key of one\n"
    "                              in the ssh-agent; no other is offered. Otherwise the\n"
    "                              ssh-agent's, then ~/.ssh/id_ed25519\n"
    "      --certificate FILE      OpenSSH certificate of the key; otherwise FILE-cert.pub\n"
    "                              beside the private key, if it is there\n"
    "      --identity-from-secret  derive the key from a BIP39 mnemonic (m/74'/0'/0'/0'),\n"
    "                              instead of -i\n"
    "      --mnemonic-fd N         read the mnemonic from this descriptor; otherwise from\n"
    "                              the systemd credential alknet-mnemonic, then the\n"
    "                              terminal\n"
    "      --mnemonic-passphrase-fd N\n"
    "                              its BIP39 passphrase; otherwise from the credential\n"
    "                              alknet-mnemonic-passphrase, then none\n"
    "      --server ADDR           the server, instead of the last argument\n"
    "      --config FILE           settings, see alknet.conf(5); options here go before them\n"
    "                              (default ~/.config/alknet/config, if it is there)\n"
    "      --profile NAME          the [profile NAME] to use; otherwise the one that the last\n"
    "                              argument names, or [profile default] without a server\n"
    "      --proxy URL             reach the server through socks5://[user:password@]host:port\n"
    "                              or http://...; better from the file or the environment\n"
    "                              when it holds a password\n"
    "      --known-hosts FILE      host keys (default ~/.config/alknet/known_hosts)\n"
    "      --accept-new            store the key of a host that is not known yet\n"
    "      --host-key-fingerprint SHA256:...\n"
    "                              accept this host key and no other\n"
    "      --transport tcp|tls     what carries SSH (default tcp); tls goes to port 443\n"
    "                              unless a port is named\n"
    "      --tls-ca FILE           certificates (PEM) of who vouches for the server;\n"
    "                              otherwise the system's\n"
    "      --tls-server-name NAME  whom the server's certificate must name, instead of the\n"
    "                              host\n"
    "      --tls-pin sha256//BASE64\n"
    "                              accept a server with this key (the form is curl's);\n"
    "                              nobody else needs to vouch for it unless --tls-ca is given\n"
    "      --insecure              accept any TLS certificate; SSH host keys are checked as\n"
    "                              ever\n";

static const char help_rest[] =
    "      --connect-timeout S     seconds to reach the server and log in (default 15)\n"
    "      --bind-address ADDR     connect to the server from this address\n"
    "      --ipv4                  connect over IPv4 only\n"
    "      --ipv6                  connect over IPv6 only\n"
    "      --ssh-engine ENGINE     native (default), or libssh2 for RSA and ECDSA keys\n"
    "      --open-timeout S        seconds for the server to answer a connection's request\n"
    "                              (default 60)\n"
    "      --keepalive S           probe after so many silent seconds (default 30)\n"
    "      --log-level LEVEL       error, warn, info or debug (default info)\n"
    "      --log-format FORMAT     logfmt, json or journal (default logfmt)\n"
    "      --status                show state, channels and rates: on a terminal in one line\n"
    "                              that is kept up to date, else a line for each change\n"
    "      --check                 validate everything, connect to nothing, exit\n"
    "      --version               print the version\n"
    "      --help                  print this text\n"
    "\n"
    "Environment: ALKNET_SERVER, ALKNET_PROXY, ALKNET_IDENTITY, ALKNET_IDENTITY_PASSPHRASE.\n"
    "Exit status: 0 ended by a signal, 1 failed, 2 wrong usage. Once connected, a lost\n"
    "connection is made again for ever.\n"
    "\n"
    "Examples:\n"
    "  alknet-client work                       # with a [profile work]\n"
    "  alknet-client --accept-new me@tunnel.example.org\n"
    "  curl --proxy socks5h://127.0.0.1:1080 https://intranet.example/\n"
    "  alknet-client -D none -L 5432:db.internal:5432 tunnel.example.org:2222\n"
    "  alknet-client -D none -R 8080:localhost:80 tunnel.example.org\n"
    "  ssh -o ProxyCommand='alknet-client -W %h:%p tunnel.example.org' inner-host\n";

enum option_code {
    OPT_SERVER = 256,
    OPT_CERTIFICATE,
    OPT_IDENTITY_FROM_SECRET,
    OPT_MNEMONIC_FD,
    OPT_MNEMONIC_PASSPHRASE_FD,
    OPT_SOCKS_USER,
    OPT_HTTP,
    OPT_PROXY,
    OPT_KNOWN_HOSTS,
    OPT_ACCEPT_NEW,
    OPT_FINGERPRINT,
    OPT_TRANSPORT,
    OPT_TLS_CA,
    OPT_TLS_NAME,
    OPT_TLS_PIN,
    OPT_INSECURE,
    OPT_BIND_ADDRESS,
    OPT_ENGINE,
    OPT_CONNECT_TIMEOUT,
    OPT_OPEN_TIMEOUT,
    OPT_KEEPALIVE,
    OPT_CONFIG,
    OPT_PROFILE,
    OPT_LOG_LEVEL,
    OPT_LOG_FORMAT,
    OPT_STATUS,
    OPT_CHECK,
    OPT_VERSION,
    OPT_HELP,
};

static const struct option long_options[] = {
    {"server", required_argument, NULL, OPT_SERVER},
    {"identity", required_argument, NULL, 'i'},
    {"certificate", required_argument, NULL, OPT_CERTIFICATE},
    {"identity-from-secret", no_argument, NULL, OPT_IDENTITY_FROM_SECRET},
    {"mnemonic-fd", required_argument, NULL, OPT_MNEMONIC_FD},
    {"mnemonic-passphrase-fd", required_argument, NULL, OPT_MNEMONIC_PASSPHRASE_FD},
    {"socks5", required_argument, NULL, 'D'},
    {"socks5-user", required_argument, NULL, OPT_SOCKS_USER},
    {"http-proxy", required_argument, NULL, OPT_HTTP},
    {"proxy", required_argument, NULL, OPT_PROXY},
    {"forward", required_argument, NULL, 'L'},
    {"remote-forward", required_argument, NULL, 'R'},
    {"stdio", required_argument, NULL, 'W'},
    {"jump", required_argument, NULL, 'J'},
    {"known-hosts", required_argument, NULL, OPT_KNOWN_HOSTS},
    {"accept-new", no_argument, NULL, OPT_ACCEPT_NEW},
    {"host-key-fingerprint", required_argument, NULL, OPT_FINGERPRINT},
    {"transport", required_argument, NULL, OPT_TRANSPORT},
    {"tls-ca", required_argument, NULL, OPT_TLS_CA},
    {"tls-server-name", required_argument, NULL, OPT_TLS_NAME},
    {"tls-pin", required_argument, NULL, OPT_TLS_PIN},
    {"insecure", no_argument, NULL, OPT_INSECURE},
    {"bind-address", required_argument, NULL, OPT_BIND_ADDRESS},
    {"ipv4", no_argument, NULL, '4'},
    {"ipv6", no_argument, NULL, '6'},
    {"ssh-engine", required_argument, NULL, OPT_ENGINE},
    {"connect-timeout", required_argument, NULL, OPT_CONNECT_TIMEOUT},
    {"open-timeout", required_argument, NULL, OPT_OPEN_TIMEOUT},
    {"keepalive", required_argument, NULL, OPT_KEEPALIVE},
    {"config", required_argument, NULL, OPT_CONFIG},
    {"profile", required_argument, NULL, OPT_PROFILE},
    {"log-level", required_argument, NULL, OPT_LOG_LEVEL},
    {"log-format", required_argument, NULL, OPT_LOG_FORMAT},
    {"status", no_argument, NULL, OPT_STATUS},
    {"check", no_argument, NULL, OPT_CHECK},
    {"version", no_argument, NULL, OPT_VERSION},
    {"help", no_argument, NULL, OPT_HELP},
    {NULL, 0, NULL, 0},
};

static int push(struct spec_list *list, const char *option, const char *spec)
{
    if (list->count == SPECS_MAX)
        return program_usage("%s may be given %d times at most", option, SPECS_MAX);
    list->item[list->count++] = spec;
    return -1;
}

static int take_tls(int code, struct settings *s)
{
    switch (code) {
    case OPT_TRANSPORT:
        s->transport_given = true;
        return program_transport(optarg, &s->transport) ? -1 : EXIT_USAGE;
    case OPT_TLS_CA:
        s->tls_ca = optarg;
        return -1;
    case OPT_TLS_NAME:
        s->tls_server_name = optarg;
        return -1;
    case OPT_TLS_PIN:
        s->tls_pin = optarg;
        return -1;
    default:
        s->insecure = true;
        return -1;
    }
}

static int take_engine(struct settings *s)
{
    bool libssh2 = strcmp(optarg, "libssh2") == 0;

    if (!libssh2 && strcmp(optarg, "native") != 0)
        return program_usage("--ssh-engine wants native or libssh2, not '%s'", optarg);
    s->engine = libssh2 ? ALK_CLIENT_LIBSSH2 : ALK_CLIENT_NATIVE;
    s->engine_given = true;
    return -1;
}

static int take_text(int code, struct settings *s)
{
    switch (code) {
    case OPT_SERVER:
        s->server = optarg;
        break;
    case OPT_CERTIFICATE:
        s->certificate = optarg;
        break;
    case OPT_SOCKS_USER:
        s->socks_login = optarg;
        break;
    case OPT_HTTP:
        s->http = optarg;
        break;
    case OPT_PROXY:
        if (!program_take_url(optarg, s->proxy_argument, sizeof(s->proxy_argument)))
            return program_usage("the URL of --proxy is too long");
        s->proxy = s->proxy_argument;
        break;
    case OPT_BIND_ADDRESS:
        s->bind_address = optarg;
        break;
    case OPT_KNOWN_HOSTS:
        s->known_hosts = optarg;
        break;
    case OPT_FINGERPRINT:
        if (strncmp(optarg, "SHA256:", 7) != 0 || strlen(optarg) != 7 + 43)
            return program_usage("--host-key-fingerprint wants SHA256: and 43 characters, as "
                                 "'alknet-ctl fingerprint' and 'ssh-keygen -l' print it");
        s->fingerprint = optarg;
        break;
    case OPT_LOG_LEVEL:
        if (alk_log_level_parse(optarg, &s->log.level) != ALK_OK)
            return program_usage("--log-level wants error, warn, info or debug, not '%s'", optarg);
        s->log_level_given = true;
        break;
    case OPT_LOG_FORMAT:
        if (alk_log_format_parse(optarg, &s->log.format) != ALK_OK)
            return program_usage("--log-format wants logfmt, json or journal, not '%s'", optarg);
        s->log_format_given = true;
        break;
    case OPT_CONFIG:
        s->config_file = optarg;
        break;
    case OPT_PROFILE:
        s->profile_name = optarg;
        break;
    }
    return -1;
}

static int take_family(int family, struct settings *s)
{
    if (s->family != 0 && s->family != family)
        return program_usage("name one of --ipv4 and --ipv6; without them both are tried");
    s->family = family;
    return -1;
}

/* One option; returns -1 to go on, else the exit code. */
static int take(int code, struct settings *s)
{
    switch (code) {
    case 'i':
        s->identity = optarg;
        return -1;
    case OPT_IDENTITY_FROM_SECRET:
        s->mnemonic.wanted = true;
        return -1;
    case OPT_MNEMONIC_FD:
        return mnemonic_fd("--mnemonic-fd", optarg, &s->mnemonic.mnemonic_fd) ? -1 : EXIT_USAGE;
    case OPT_MNEMONIC_PASSPHRASE_FD:
        return mnemonic_fd("--mnemonic-passphrase-fd", optarg, &s->mnemonic.passphrase_fd)
                   ? -1
                   : EXIT_USAGE;
    case 'D':
        s->socks = optarg;
        return -1;
    case 'W':
        s->stdio = optarg;
        return -1;
    case 'L':
        return push(&s->forwards, "--forward", optarg);
    case 'R':
        return push(&s->remotes, "--remote-forward", optarg);
    case 'J':
        return push(&s->jump_lists, "--jump", optarg);
    case OPT_ACCEPT_NEW:
        s->accept_new = true;
        return -1;
    case OPT_TRANSPORT:
    case OPT_TLS_CA:
    case OPT_TLS_NAME:
    case OPT_TLS_PIN:
    case OPT_INSECURE:
        return take_tls(code, s);
    case OPT_STATUS:
        s->status = true;
        return -1;
    case OPT_CHECK:
        s->check = true;
        return -1;
    case '4':
    case '6':
        return take_family(code == '4' ? AF_INET : AF_INET6, s);
    case OPT_ENGINE:
        return take_engine(s);
    case OPT_CONNECT_TIMEOUT:
        return program_number("--connect-timeout", optarg, 1, 3600, &s->connect_timeout)
                   ? -1
                   : EXIT_USAGE;
    case OPT_OPEN_TIMEOUT:
        return program_number("--open-timeout", optarg, 1, 3600, &s->open_timeout) ? -1
                                                                                   : EXIT_USAGE;
    case OPT_KEEPALIVE:
        return program_number("--keepalive", optarg, 1, 3600, &s->keepalive) ? -1 : EXIT_USAGE;
    case OPT_VERSION:
        puts("alknet-client " ALK_VERSION);
        return EXIT_SUCCESS;
    case OPT_HELP:
        fputs(help_options, stdout);
        fputs(help_rest, stdout);
        return EXIT_SUCCESS;
    case '?':
        fprintf(stderr, "Try 'alknet-client --help'.\n"); /* getopt has named the fault */
        return EXIT_USAGE;
    default:
        return take_text(code, s);
    }
}

/* HOST:PORT, the host in brackets when it is an IPv6 address, or a path. */
static int split_stdio(struct settings *s)
{
    static const char wants[] = "--stdio wants HOST:PORT or the path of a Unix socket, not '%s'";
    const char *host = s->stdio, *colon = strrchr(host, ':');
    size_t len = strlen(host), most = sizeof(((struct sockaddr_un *)0)->sun_path) - 1;

    if (host[0] != '/') {
        if (colon == NULL)
            return program_usage(wants, s->stdio);
        if (!program_number("the port of --stdio", colon + 1, 1, 65535, &s->stdio_port))
            return EXIT_USAGE;
        len = (size_t)(colon - host);
        if (len >= 2 && host[0] == '[' && colon[-1] == ']') {
            host++;
            len -= 2;
        }
        most = sizeof(s->stdio_host) - 1;
        if (!server_name_is_word(host, len))
            return program_usage(wants, s->stdio);
    }
    if (len == 0 || len > most)
        return program_usage(wants, s->stdio);
    memcpy(s->stdio_host, host, len);
    return -1;
}

/* The options that together say where the identity comes from; they go before the environment. */
static int complete_identity(struct settings *s)
{
    const struct mnemonic_source *m = &s->mnemonic;

    if (m->wanted && s->identity != NULL)
        return program_usage("name one of --identity and --identity-from-secret");
    if (s->stdio != NULL && (m->mnemonic_fd == STDIN_FILENO || m->passphrase_fd == STDIN_FILENO))
        return program_usage("with --stdio, standard input cannot give a secret as well");
    const char *from_environment = getenv("ALKNET_IDENTITY");
    if (!m->wanted && s->identity == NULL && from_environment != NULL && *from_environment != '\0')
        s->identity = from_environment;
    if (!m->wanted && s->identity == NULL && s->profile != NULL)
        s->identity = s->profile->identity;
    return mnemonic_source_check(m, "--identity-from-secret");
}

/* ---- the file ---- */

/* The file that is named, or the usual one if it is there. */
static int load_file(struct settings *s)
{
    const char *home = getenv("HOME");
    const char *file = s->config_file;
    char usual[4096];
    struct alk_error error;

    if (file == NULL) {
        if (home == NULL ||
            snprintf(usual, sizeof(usual), "%s/.config/alknet/config", home) >=
                (int)sizeof(usual) ||
            access(usual, F_OK) != 0)
            return -1;
        file = usual;
    }
    if (alk_config_load(&s->config, ALK_CONFIG_CLIENT, file, home, &error) != ALK_OK)
        return program_fail(EXIT_RUN, "%s", error.text);
    if (s->check && alk_config_check_files(s->config) != ALK_OK)
        return program_fail(EXIT_RUN, "out of memory");
    for (size_t i = 0; i < alk_config_fault_count(s->config); i++)
        program_fail(EXIT_RUN, "%s", alk_config_fault(s->config, i));
    return alk_config_fault_count(s->config) > 0 ? EXIT_RUN : -1;
}

/* As with ssh the argument may be a name that the file explains. */
static int choose_profile(struct settings *s, const char *argument)
{
    const char *name = s->profile_name != NULL ? s->profile_name
                       : s->server == NULL     ? argument
                                               : NULL;

    if (name == NULL && s->server == NULL)
        name = "default";
    if (s->config != NULL && name != NULL)
        s->profile = alk_config_profile(s->config, name);
    if (s->profile_name != NULL && s->profile == NULL)
        return program_usage("there is no [profile %s] in %s", s->profile_name,
                             s->config_file != NULL ? s->config_file : "~/.config/alknet/config");
    return -1;
}

static int append_all(struct spec_list *list, const char *option, const char *const *specs,
                      size_t count)
{
    int code = -1;

    for (size_t i = 0; i < count && code < 0; i++)
        code = push(list, option, specs[i]);
    return code;
}

/* "none", or servers parted by commas; what an option adds comes behind what others have said. */
static int add_jumps(struct settings *s, const char *list)
{
    for (const char *at = list;; at++) {
        size_t len = strcspn(at, ",");
        if (s->jump_count == ALK_CLIENT_JUMPS_MAX)
            return program_usage("--jump may name %d servers at most", ALK_CLIENT_JUMPS_MAX);
        int code = server_name_parse(at, len, 22, &s->jumps[s->jump_count++]);
        at += len;
        if (code >= 0 || *at == '\0')
            return code;
    }
}

static int choose_jumps(struct settings *s)
{
    const struct alk_config_profile *p = s->profile;
    int code = -1;

    if (s->jump_lists.count == 0 && p != NULL)
        code = append_all(&s->jump_lists, "jump", p->jumps, p->jump_count);
    for (unsigned i = 0; i < s->jump_lists.count && code < 0; i++) {
        const char *list = s->jump_lists.item[i];
        if (strcmp(list, "none") != 0)
            code = add_jumps(s, list);
        else if (s->jump_lists.count > 1)
            code = program_usage("--jump none stands alone");
    }
    return code;
}

/* Entrances are for the session that stays: a command with --stdio runs beside it. */
static int take_entrances(struct settings *s, const struct alk_config_profile *p)
{
    if (s->stdio != NULL)
        return -1;
    if (s->socks == NULL)
        s->socks = p->socks5;
    if (s->socks_login == NULL)
        s->socks_login = p->socks5_user;
    if (s->http == NULL && p->http_proxy != NULL && strcmp(p->http_proxy, "none") != 0)
        s->http = p->http_proxy;
    int code = append_all(&s->forwards, "forward", p->forwards, p->forward_count);
    return code >= 0 ? code
                     : append_all(&s->remotes, "remote_forward", p->remote_forwards,
                                  p->remote_forward_count);
}

static void take_profile_tls(struct settings *s, const struct alk_client_options *o)
{
    if (!s->transport_given)
        s->transport = o->transport;
    if (s->tls_ca == NULL)
        s->tls_ca = o->tls_ca;
    if (s->tls_server_name == NULL)
        s->tls_server_name = o->tls_server_name;
    if (s->tls_pin == NULL)
        s->tls_pin = o->tls_pin;
    s->insecure |= o->tls_insecure;
}

/* What neither the command line nor the environment says; server and identity are completed
 * later, the environment going before the file. */
static int take_profile(struct settings *s)
{
    const struct alk_config_profile *p = s->profile;

    if (p == NULL)
        return -1;
    if (s->known_hosts == NULL)
        s->known_hosts = p->options.known_hosts;
    if (s->fingerprint == NULL)
        s->fingerprint = p->options.fingerprint;
    s->accept_new |= p->options.accept_new;
    take_profile_tls(s, &p->options);
    if (s->connect_timeout == 0)
        s->connect_timeout = p->options.connect_timeout_s;
    if (s->certificate == NULL)
        s->certificate = p->certificate;
    if (!s->engine_given)
        s->engine = p->options.engine;
    if (s->open_timeout == 0)
        s->open_timeout = p->options.open_timeout_s;
    if (s->keepalive == 0)
        s->keepalive = p->options.keepalive_s;
    s->rekey = p->options.rekey_s;
    s->status |= p->status && s->stdio == NULL;
    if (!s->log_level_given && p->log_level != NULL) {
        alk_log_level_parse(p->log_level, &s->log.level);
        s->log_level_given = true;
    }
    if (!s->log_format_given && p->log_format != NULL)
        alk_log_format_parse(p->log_format, &s->log.format);
    return take_entrances(s, p);
}

static int open_log(struct settings *s)
{
    if (s->log.format != ALK_LOG_JOURNAL)
        return -1;
    s->log.fd = alk_log_open_journal(NULL);
    return s->log.fd >= 0 ? -1
                          : program_fail(EXIT_RUN, "the journal cannot be reached; use "
                                                   "--log-format logfmt");
}

/* The flag, the environment, the file; "none" stands for no proxy. */
static void choose_proxy(struct settings *s)
{
    if (s->proxy == NULL)
        s->proxy = getenv("ALKNET_PROXY");
    if (s->proxy == NULL && s->profile != NULL)
        s->proxy = s->profile->options.proxy;
    if (s->proxy != NULL && strcmp(s->proxy, "none") == 0)
        s->proxy = NULL;
}

/* The server of the strongest source that names one. */
static void choose_server(struct settings *s, const char *argument)
{
    bool is_profile = s->profile != NULL && argument != NULL &&
                      strcmp(s->profile->name, argument) == 0 && s->profile_name == NULL;

    if (s->server == NULL && !(is_profile && s->profile->server != NULL))
        s->server = argument;
    const char *from_environment = getenv("ALKNET_SERVER");
    if (s->server == NULL && !is_profile && from_environment != NULL && *from_environment != '\0')
        s->server = from_environment;
    if (s->server == NULL && s->profile != NULL)
        s->server = s->profile->server;
}

static int complete(struct settings *s, int argc, char **argv)
{
    const char *argument = NULL;
    int code;

    if (optind < argc && s->server == NULL)
        argument = argv[optind++];
    if (optind < argc)
        return program_usage("unexpected argument '%s'", program_shown(argv[optind]));
    if ((code = load_file(s)) >= 0 || (code = choose_profile(s, argument)) >= 0 ||
        (code = take_profile(s)) >= 0)
        return code;
    choose_server(s, argument);
    choose_proxy(s);
    if (s->server == NULL || s->server[0] == '\0')
        return program_usage("no server is named: give [user@]host[:port]");
    if (s->transport != ALK_TRANSPORT_TLS &&
        (s->tls_ca != NULL || s->tls_pin != NULL || s->tls_server_name != NULL || s->insecure))
        return program_usage("--tls-ca, --tls-server-name, --tls-pin and --insecure need "
                             "--transport tls");
    if (s->status && s->stdio != NULL)
        return program_usage("--status is for a client that stays; it does not go with --stdio");
    if (s->socks == NULL && s->stdio == NULL)
        s->socks = "127.0.0.1:1080";
    if (s->socks != NULL && strcmp(s->socks, "none") == 0)
        s->socks = NULL;
    if (s->socks_login != NULL && s->socks == NULL)
        return program_usage("--socks5-user needs a SOCKS proxy, but --socks5 is none");
    if (s->stdio != NULL && !s->log_level_given)
        s->log.level = ALK_LOG_WARN; /* as quiet as the command that it is part of */
    code = complete_identity(s);
    if (code < 0 && s->stdio != NULL)
        code = split_stdio(s);
    if (code < 0)
        code = server_name_parse(s->server, strlen(s->server),
                                 s->transport == ALK_TRANSPORT_TLS ? 443 : 22, &s->place);
    if (code < 0)
        code = choose_jumps(s);
    return code >= 0 ? code : open_log(s);
}

int settings_parse(struct settings *settings, int argc, char **argv)
{
    int code;

    settings->mnemonic = (struct mnemonic_source)MNEMONIC_SOURCE_INIT;
    settings->log.level = ALK_LOG_INFO;
    settings->log.fd = STDERR_FILENO;
    while ((code = getopt_long(argc, argv, "i:D:L:R:W:J:", long_options, NULL)) != -1) {
        int result =
            program_is_empty(code, optarg, long_options) ? EXIT_USAGE : take(code, settings);
        if (result >= 0)
            return result;
    }
    return complete(settings, argc, argv);
}
