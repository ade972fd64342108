/* alknet-client: options and wiring; everything else is libalk-core. */
#include "agent_identity.h"
#include "banner.h"
#include "mnemonic_key.h"
#include "passphrase.h"
#include "password.h"
#include "program.h"
#include "settings.h"
#include "status_line.h"
#include "stdio_socket.h"

#include <alk/client.h>
#include <alk/secret_path.h>
#include <alk/user_key.h>

#include <errno.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

struct program {
    struct settings settings;
    struct alk_client *client;
    struct alk_key *key;
    struct alk_foreign_key *foreign_key;  /* an identity that only libssh2 can use */
    uint8_t agent_key[ALK_KEY_BLOB_SIZE]; /* the identity, when it is one of the agent's */
    uint8_t *certificate;                 /* from malloc; NULL = none */
    size_t certificate_len;
    struct status_line status;
    int failed_fd; /* an eventfd: the first connection failed, or -W was refused */
    bool ready;
    bool lost; /* the connection, once it had been there */
};

/* ---- what the client tells, on its own thread ---- */

static void raise_event(int fd)
{
    uint64_t one = 1;
    ssize_t ignored = write(fd, &one, sizeof(one));

    (void)ignored;
}

static void print_ready(const struct program *p)
{
    const char *address;

    for (unsigned i = 0; (address = alk_client_address(p->client, i)) != NULL; i++)
        fprintf(stderr, "alknet-client: listening on %s\n", address);
    fprintf(stderr, "alknet-client: connected to %s\n", p->settings.server);
}

static void on_state(void *user, enum alk_client_state state, int status, const char *sentence)
{
    struct program *p = user;

    (void)status;
    status_line_state(&p->status, state, sentence);
    if (state == ALK_CLIENT_ONLINE && !p->ready) {
        p->ready = true;
        if (p->settings.stdio == NULL)
            print_ready(p);
    } else if (state == ALK_CLIENT_OFFLINE) {
        p->lost = true;
    } else if (state == ALK_CLIENT_FAILED) {
        fprintf(stderr, "alknet-client: %s\n", sentence);
        raise_event(p->failed_fd);
    }
}

/* Once, and not for a part of another command. */
static void on_banner(void *user, const char *jump, const char *text, size_t len)
{
    const struct program *p = user;

    if (!p->ready && !p->lost && p->settings.log.level >= ALK_LOG_INFO)
        banner_print(stderr, jump, text, len);
}

static void on_remote(void *user, const char *spec, bool ok, uint16_t port)
{
    char where[32] = "a Unix socket";

    (void)user;
    if (spec[0] != '/')
        snprintf(where, sizeof(where), "port %u", port);
    if (ok)
        fprintf(stderr, "alknet-client: the server listens on %s for a remote forward\n", where);
    else
        fprintf(stderr,
                "alknet-client: the server refused to listen on %s: it may be in use, or not "
                "permitted to this key; trying again\n",
                where);
}

static void on_stdio_answer(void *user, int status)
{
    struct program *p = user;

    if (status == ALK_OK || !p->ready) /* never online: the reason has been told */
        return;
    fprintf(stderr, "alknet-client: the server could not connect: %s\n", alk_status_text(status));
    raise_event(p->failed_fd);
}

/* ---- setting up ---- */

static char *home_path(const char *rest)
{
    const char *home = getenv("HOME");
    char *path = NULL;

    if (home == NULL || asprintf(&path, "%s/%s", home, rest) < 0)
        return NULL;
    return path;
}

static bool is_for(const struct program *p, const uint8_t blob[ALK_KEY_BLOB_SIZE])
{
    uint8_t plain[ALK_PLAIN_KEY_MAX];
    struct alk_user_key certified;

    return alk_user_key_parse(p->certificate, p->certificate_len, &certified) &&
           alk_user_key_plain(&certified, plain) == ALK_KEY_BLOB_SIZE &&
           memcmp(plain, blob, ALK_KEY_BLOB_SIZE) == 0;
}

static void drop_certificate(struct program *p)
{
    free(p->certificate);
    p->certificate = NULL;
}

/* The certificate that is named; with an agent it may be for any of its keys. */
static int load_named_certificate(struct program *p, const char *path)
{
    struct alk_error error;

    if (alk_user_certificate_load(&p->certificate, &p->certificate_len, path, &error) != ALK_OK)
        return program_fail(EXIT_RUN, "%s", error.text);
    if (p->key != NULL && !is_for(p, alk_key_blob(p->key)))
        return program_fail(EXIT_RUN,
                            "the certificate in %s is for another key than the one to "
                            "log in with",
                            path);
    return -1;
}

/* The one beside the private key, as ssh does: one that does not fit is passed over. */
static void find_certificate(struct program *p, const char *identity,
                             const uint8_t blob[ALK_KEY_BLOB_SIZE])
{
    struct alk_error error;
    char *path = NULL;

    if (asprintf(&path, "%s-cert.pub", identity) < 0)
        return;
    if (access(path, F_OK) == 0 && p->settings.engine == ALK_CLIENT_NATIVE) {
        if (alk_user_certificate_load(&p->certificate, &p->certificate_len, path, &error) != ALK_OK)
            fprintf(stderr, "alknet-client: passed over: %s\n", error.text);
        else if (!is_for(p, blob)) {
            fprintf(stderr, "alknet-client: passed over: %s is for another key\n", path);
            drop_certificate(p);
        }
    }
    free(path);
}

/* A key that is no Ed25519 one, for libssh2. */
static bool is_for_libssh2(const struct program *p, int status)
{
    return status == ALK_E_UNSUPPORTED && p->settings.engine == ALK_CLIENT_LIBSSH2;
}

/* The key that --identity names, and no other: from the file, or the agent's. */
static int load_named_key(struct program *p, const char *agent, struct alk_client_options *options,
                          struct alk_error *error)
{
    const char *path = p->settings.identity;
    bool in_agent;
    int status = agent_identity_find(&in_agent, p->agent_key, path, agent, error);

    if (status == ALK_OK && in_agent) {
        options->agent = agent;
        options->agent_key = p->agent_key;
        options->agent_key_len = ALK_KEY_BLOB_SIZE;
    } else if (status == ALK_OK) {
        status = alk_key_load(&p->key, path, passphrase_ask, NULL, error);
    }
    if (is_for_libssh2(p, status))
        return alk_foreign_key_load(&p->foreign_key, path, passphrase_ask, NULL, error);
    if (status == ALK_OK && p->settings.certificate == NULL)
        find_certificate(p, path, in_agent ? p->agent_key : alk_key_blob(p->key));
    return status;
}

/* The identity: derived, or as named, or what the agent holds, or OpenSSH's default file. */
static int load_identity(struct program *p, struct alk_client_options *options)
{
    const char *agent = getenv("SSH_AUTH_SOCK");
    struct alk_error error;
    int status = ALK_OK;

    if (agent != NULL && agent[0] == '\0')
        agent = NULL;

    if (p->settings.mnemonic.wanted) {
        status = mnemonic_key(&p->key, &p->settings.mnemonic, ALK_SECRET_PATH_IDENTITY, &error);
    } else if (p->settings.identity != NULL) {
        status = load_named_key(p, agent, options, &error);
    } else {
        char *path = home_path(".ssh/id_ed25519");
        options->agent = agent;
        if (options->agent == NULL && path != NULL && access(path, F_OK) == 0)
            status = alk_key_load(&p->key, path, passphrase_ask, NULL, &error);
        if (status == ALK_OK && p->key != NULL && p->settings.certificate == NULL)
            find_certificate(p, path, alk_key_blob(p->key));
        free(path);
    }
    if (status != ALK_OK)
        return program_fail(EXIT_RUN, "%s", error.text);
    if (p->key == NULL && p->foreign_key == NULL && options->agent == NULL)
        return program_fail(EXIT_RUN, "there is no key to log in with: make one with "
                                      "'alknet-ctl keygen' and name it with --identity");
    return p->settings.certificate != NULL ? load_named_certificate(p, p->settings.certificate)
                                           : -1;
}

/* NAME:FILE, the password being the first line of the file. */
static int add_socks(struct program *p, struct alk_error *error)
{
    const char *login = p->settings.socks_login;
    char name[256], password[PASSWORD_SIZE];

    if (login == NULL)
        return alk_client_add_socks(p->client, p->settings.socks, NULL, NULL, error);
    const char *colon = strchr(login, ':');
    if (colon == NULL || colon == login || colon[1] == '\0' ||
        (size_t)(colon - login) >= sizeof(name))
        return alk_error_set(error, ALK_E_PARSE, "--socks5-user wants NAME:PASSWORD-FILE");
    snprintf(name, sizeof(name), "%.*s", (int)(colon - login), login);
    const char *why = password_read(colon + 1, password);
    if (why != NULL)
        return alk_error_set(error, ALK_E_IO, "cannot read a password from %s: %s", colon + 1, why);
    int status = alk_client_add_socks(p->client, p->settings.socks, name, password, error);
    explicit_bzero(password, sizeof(password));
    return status;
}

static int add_entrances(struct program *p, struct alk_error *error)
{
    const struct settings *s = &p->settings;
    int status = ALK_OK;

    if (s->socks != NULL)
        status = add_socks(p, error);
    if (status == ALK_OK && s->http != NULL)
        status = alk_client_add_http(p->client, s->http, error);
    for (unsigned i = 0; i < s->forwards.count && status == ALK_OK; i++)
        status = alk_client_add_forward(p->client, s->forwards.item[i], error);
    for (unsigned i = 0; i < s->remotes.count && status == ALK_OK; i++)
        status = alk_client_add_remote_forward(p->client, s->remotes.item[i], error);
    return status;
}

static int make_client(struct program *p)
{
    struct settings *s = &p->settings;
    struct alk_client_options options = ALK_CLIENT_OPTIONS_INIT;
    char *known_hosts = s->known_hosts == NULL ? home_path(".config/alknet/known_hosts") : NULL;
    struct alk_error error;

    if (s->insecure)
        fprintf(stderr, "alknet-client: --insecure: nobody vouches for the TLS server, so somebody "
                        "between may see that this is SSH; its host key is checked all the same\n");
    int code = load_identity(p, &options);
    if (code >= 0) {
        free(known_hosts);
        return code;
    }
    const struct alk_key *key = p->key;
    options.host = s->place.host;
    options.port = (uint16_t)s->place.port;
    options.user = s->place.user;
    struct alk_client_jump jumps[ALK_CLIENT_JUMPS_MAX];
    for (unsigned i = 0; i < s->jump_count; i++)
        jumps[i] = (struct alk_client_jump){
            .host = s->jumps[i].host, .port = (uint16_t)s->jumps[i].port, .user = s->jumps[i].user};
    options.jumps = jumps;
    options.jump_count = s->jump_count;
    options.keys = &key;
    options.key_count = key != NULL;
    const struct alk_client_certificate certificate = {.blob = p->certificate,
                                                       .len = p->certificate_len};
    options.certificates = &certificate;
    options.certificate_count = p->certificate != NULL;
    options.known_hosts = s->known_hosts != NULL ? s->known_hosts : known_hosts;
    options.accept_new = s->accept_new;
    options.fingerprint = s->fingerprint;
    options.bind_address = s->bind_address;
    options.family = s->family;
    options.transport = s->transport;
    options.engine = s->engine;
    options.foreign_key = p->foreign_key;
    options.tls_ca = s->tls_ca;
    options.tls_pin = s->tls_pin;
    options.tls_server_name = s->tls_server_name;
    options.tls_insecure = s->insecure;
    options.proxy = s->proxy;
    options.log = &s->log;
    options.dry_run = s->check;
    options.connect_timeout_s = s->connect_timeout;
    options.open_timeout_s = s->open_timeout;
    options.keepalive_s = s->keepalive;
    options.rekey_s = s->rekey;
    options.on_state = on_state;
    options.on_remote = on_remote;
    options.on_banner = on_banner;
    options.user_data = p;
    int status = alk_client_new(&p->client, &options, &error);
    explicit_bzero(s->proxy_argument, sizeof(s->proxy_argument));
    if (status == ALK_OK)
        status = add_entrances(p, &error);
    free(known_hosts);
    if (status == ALK_E_PARSE)
        return program_usage("%s", error.text);
    return status == ALK_OK ? -1 : program_fail(EXIT_RUN, "%s", error.text);
}

/* ---- running ---- */

enum end { END_SIGNAL, END_FAILED, END_STDIO };

static int start_stdio(struct program *p, int *done_fd)
{
    const struct settings *s = &p->settings;
    int fd = stdio_socket(done_fd);

    if (fd < 0 || alk_client_adopt(p->client, fd, s->stdio_host, (uint16_t)s->stdio_port,
                                   on_stdio_answer, p) != 0)
        return program_fail(EXIT_RUN, "standard input and output could not be connected");
    return -1;
}

static enum end wait_for_end(struct program *p, const sigset_t *signals, int stdio_done)
{
    enum { ENDS = 3 };
    struct pollfd fds[ENDS + 1] = {
        {.fd = signalfd(-1, signals, SFD_CLOEXEC), .events = POLLIN},
        {.fd = p->failed_fd, .events = POLLIN},
        {.fd = stdio_done, .events = POLLIN},
        {.fd = status_line_fd(&p->status), .events = POLLIN},
    };
    struct signalfd_siginfo taken;

    do {
        if (poll(fds, ENDS + 1, status_line_timeout(&p->status)) < 0)
            fds[0].revents = fds[1].revents = fds[2].revents = 0;
        status_line_turn(&p->status);
    } while (fds[0].revents == 0 && fds[1].revents == 0 && fds[2].revents == 0);
    if (fds[0].revents != 0) { /* taken off the queue, or it would kill us below */
        ssize_t ignored = read(fds[0].fd, &taken, sizeof(taken));
        (void)ignored;
    }
    close(fds[0].fd);
    /* from here on a further signal kills */
    pthread_sigmask(SIG_UNBLOCK, signals, NULL);
    return fds[1].revents != 0 ? END_FAILED : fds[0].revents != 0 ? END_SIGNAL : END_STDIO;
}

static int run(struct program *p, const sigset_t *signals)
{
    struct alk_error error;
    int stdio_done = -1;
    enum end end = END_SIGNAL;

    p->failed_fd = eventfd(0, EFD_CLOEXEC);
    int code = make_client(p);
    if (code < 0 && p->settings.check) {
        puts("alknet-client: everything is in order");
        code = EXIT_SUCCESS;
    }
    /* threads inherit the mask, so that only wait_for_end takes signals; a prompt for a
     * passphrase, before this, can still be interrupted */
    if (code < 0)
        pthread_sigmask(SIG_BLOCK, signals, NULL);
    if (code < 0 && p->settings.stdio != NULL)
        code = start_stdio(p, &stdio_done);
    if (code < 0 && p->settings.status)
        status_line_begin(&p->status, p->client);
    if (code < 0 && alk_client_start(p->client, &error) != ALK_OK)
        code = program_fail(EXIT_RUN, "%s", error.text);
    if (code < 0) {
        end = wait_for_end(p, signals, stdio_done);
        code = end == END_FAILED ? EXIT_RUN : EXIT_SUCCESS;
    }
    status_line_end(&p->status);
    alk_client_free(p->client);
    /* its thread is over: everything has been told */
    if (end == END_STDIO && p->lost)
        code = program_fail(EXIT_RUN, "the connection to the server was lost");
    alk_key_free(p->key);
    alk_foreign_key_free(p->foreign_key);
    drop_certificate(p);
    close(p->failed_fd);
    return code;
}

int main(int argc, char **argv)
{
    struct program program = {.failed_fd = -1};
    struct sigaction hangup;
    sigset_t signals;

    program_begin();
    setlocale(LC_CTYPE, ""); /* which characters a terminal can show */
    if (alk_crypto_init() != ALK_OK)
        return program_fail(EXIT_RUN, "the crypto library could not be set up");
    int code = settings_parse(&program.settings, argc, argv);
    if (code >= 0) {
        alk_config_free(program.settings.config);
        return program_finish(code);
    }
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    signal(SIGPIPE, SIG_IGN);
    if (sigaction(SIGHUP, NULL, &hangup) == 0 && hangup.sa_handler != SIG_IGN)
        sigaddset(&signals, SIGHUP); /* unless started by nohup */
    code = run(&program, &signals);
    alk_config_free(program.settings.config);
    return program_finish(code);
}
