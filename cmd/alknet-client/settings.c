#include "settings.h"

#include "options.h"
#include "program.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

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
        code = spec_list_add(list, option, specs[i]);
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
    code = options_read(settings, argc, argv);
    return code >= 0 ? code : complete(settings, argc, argv);
}
