/* The command line, option by option; settings.c judges what they amount to. */
#include "options.h"

#include "program.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

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

int spec_list_add(struct spec_list *list, const char *option, const char *spec)
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
        return spec_list_add(&s->forwards, "--forward", optarg);
    case 'R':
        return spec_list_add(&s->remotes, "--remote-forward", optarg);
    case 'J':
        return spec_list_add(&s->jump_lists, "--jump", optarg);
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

int options_read(struct settings *s, int argc, char **argv)
{
    int code, result = -1;

    while (result < 0 && (code = getopt_long(argc, argv, "i:D:L:R:W:J:", long_options, NULL)) != -1)
        result = program_is_empty(code, optarg, long_options) ? EXIT_USAGE : take(code, s);
    return result;
}
