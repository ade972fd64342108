/* alknet-server: wiring; everything else is libalk-core. */
#include "check.h"
#include "privilege.h"
#include "program.h"
#include "service.h"
#include "settings.h"
#include "status.h"

#include <alk/secret_path.h>
#include <alk/server.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct program {
    struct settings settings;
    struct alk_key *key;
    struct alk_server *server;
};

/* ---- the host key ---- */

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
    if (s->generate_key && s->key[0] != '\0' && access(s->key, F_OK) != 0)
        return make_key(key, s->key, error);
    return alk_key_load(key, s->key, NULL, NULL, error);
}

/* ---- where to listen ---- */

/* What is said of the socket's namesake in the file, else on the command line. */
static const struct alk_listen_options *options_of_socket(const struct program *p, const char *name)
{
    const struct alk_config_server *file =
        p->settings.config != NULL ? alk_config_server(p->settings.config) : NULL;

    for (size_t i = 0; file != NULL && i < file->listener_count; i++) {
        if (strcmp(file->listeners[i].name, name) == 0)
            return &file->listeners[i].options;
    }
    return &p->settings.listen_options;
}

/* Sockets that the service manager has opened; they go before the addresses of a [listener] that
 * has their name. */
static int adopt_sockets(struct program *p, struct alk_error *error)
{
    int status = ALK_OK;

    for (unsigned i = 0; i < service_socket_count() && status == ALK_OK; i++)
        status = alk_server_listen_fd(p->server, service_socket(i),
                                      options_of_socket(p, service_socket_name(i)), error);
    return status;
}

static bool is_handed_over(const char *name)
{
    for (unsigned i = 0; i < service_socket_count(); i++) {
        if (strcmp(service_socket_name(i), name) == 0)
            return true;
    }
    return false;
}

static int listen_as_configured(struct program *p, struct alk_error *error)
{
    const struct alk_config_server *file = alk_config_server(p->settings.config);
    int status = ALK_OK;

    for (size_t i = 0; i < file->listener_count; i++) {
        const struct alk_config_listener *listener = &file->listeners[i];
        for (size_t j = 0; j < listener->listen_count && status == ALK_OK; j++) {
            if (!is_handed_over(listener->name))
                status =
                    alk_server_listen_as(p->server, listener->listen[j], &listener->options, error);
        }
    }
    return status;
}

static int listen_everywhere(struct program *p, struct alk_error *error)
{
    const struct settings *s = &p->settings;
    bool in_file = s->config != NULL && alk_config_server(s->config)->listener_count > 0;
    int status = adopt_sockets(p, error);

    for (unsigned i = 0; i < s->listen_count && status == ALK_OK; i++)
        status = alk_server_listen_as(p->server, s->listen[i], &s->listen_options, error);
    if (status == ALK_OK && s->listen_count == 0 && in_file)
        return listen_as_configured(p, error);
    if (status == ALK_OK && s->listen_count == 0 && service_socket_count() == 0)
        return alk_server_listen_as(p->server, settings_default_address(s), &s->listen_options,
                                    error);
    return status;
}

static void print_ready(const struct program *p)
{
    char fingerprint[ALK_FINGERPRINT_SIZE];
    const char *address;

    alk_key_fingerprint(alk_key_blob(p->key), ALK_KEY_BLOB_SIZE, fingerprint);
    for (unsigned i = 0; (address = alk_server_address(p->server, i)) != NULL; i++)
        fprintf(stderr, "alknet-server: listening on %s, host key %s\n", address, fingerprint);
}

/* ---- reload ---- */

static void tell_restart(void *user, const char *setting)
{
    const struct program *p = user;

    alk_log(&p->settings.log, ALK_LOG_WARN, "a changed setting needs a restart", "setting", setting,
            NULL);
}

static void tell_failure(const struct program *p, const char *reason)
{
    alk_log(&p->settings.log, ALK_LOG_ERROR, "reload failed, the old settings stay in force",
            "reason", reason, NULL);
}

/* For the status, which quotes nothing: where the first fault is, and how many there are. */
static void note_faults(const struct program *p, const struct alk_config *fresh, size_t faults)
{
    char reason[ALK_RELOAD_REASON_MAX];

    if (alk_config_fault_count(fresh) == 0)
        snprintf(reason, sizeof(reason), "%s does not say all that is needed; the log tells what",
                 p->settings.config_file);
    else
        snprintf(reason, sizeof(reason),
                 "%s:%u: the first of %zu fault%s; the log tells what to mend",
                 p->settings.config_file, alk_config_fault_line(fresh, 0), faults,
                 faults == 1 ? "" : "s");
    alk_server_reload_failed(p->server, reason);
}

/* The file as it is now; NULL after telling what is wrong with it. */
static struct alk_config *read_again(const struct program *p)
{
    struct alk_config *fresh = NULL;
    char reason[ALK_RELOAD_REASON_MAX];
    int status;
    struct alk_error error;

    status = alk_config_load(&fresh, ALK_CONFIG_SERVER, p->settings.config_file, NULL, &error);
    if (status != ALK_OK) {
        tell_failure(p, error.text);
        snprintf(reason, sizeof(reason), "%s cannot be read: %s", p->settings.config_file,
                 alk_status_text(status));
        alk_server_reload_failed(p->server, reason);
        return NULL;
    }
    size_t faults = alk_config_fault_count(fresh);
    for (size_t i = 0; i < faults; i++)
        tell_failure(p, alk_config_fault(fresh, i));
    if (faults == 0 && settings_options(&p->settings, fresh).authorized_keys == NULL) {
        tell_failure(p, "the file names no authorized_keys in [auth]");
        faults++;
    }
    if (faults == 0)
        return fresh;
    note_faults(p, fresh, faults);
    alk_config_free(fresh);
    return NULL;
}

static int reload_options(struct program *p, const struct alk_config *fresh,
                          struct alk_error *error)
{
    struct alk_server_options options;

    if (fresh == NULL)
        return alk_server_reload(p->server, NULL, error);
    options = settings_options(&p->settings, fresh);
    options.host_key = p->key;
    options.log = &p->settings.log;
    return alk_server_reload(p->server, &options, error);
}

static void reload(struct program *p)
{
    const struct alk_config *running = p->settings.config;
    struct alk_config *fresh = running != NULL ? read_again(p) : NULL;
    struct alk_error error;

    if (running != NULL && fresh == NULL)
        return;
    if (reload_options(p, fresh, &error) != ALK_OK) {
        tell_failure(p, error.text);
    } else {
        if (fresh != NULL)
            alk_config_static_differences(running, fresh, tell_restart, p);
        alk_log(&p->settings.log, ALK_LOG_INFO, "reloaded", NULL);
    }
    alk_config_free(fresh);
}

/* ---- running ---- */

/* Serves until a signal ends it. */
static void serve(struct program *p, const sigset_t *signals)
{
    int number;

    service_tell("READY=1\nMAINPID=%ld\nSTATUS=serving", (long)getpid());
    while (sigwait(signals, &number) == 0 && number == SIGHUP) {
        service_tell_reloading();
        reload(p);
        service_tell("READY=1\nSTATUS=serving");
    }
    service_tell("STOPPING=1\nSTATUS=ending the sessions");
    alk_log(&p->settings.log, ALK_LOG_INFO, "shutting down", NULL);
    /* from here on a further signal kills */
    pthread_sigmask(SIG_UNBLOCK, signals, NULL);
    alk_server_stop(p->server);
}

/* The files that a reload reads, NULL ones among them; their number goes to *count. NULL without
 * memory. */
static const char **files_of_a_reload(const struct settings *s, size_t *count)
{
    const struct alk_server_options o = settings_options(s, s->config);
    const char *const named[] = {s->config_file, o.authorized_keys, o.cert_authority,
                                 o.revoked_keys, o.token_keys,      o.tls_cert,
                                 o.tls_key};
    enum { NAMED = sizeof(named) / sizeof(named[0]) };
    size_t most = NAMED + o.credential_count * ALK_CREDENTIAL_FIELDS_MAX;
    const char **files = calloc(most, sizeof(*files));

    if (files == NULL)
        return NULL;
    memcpy(files, named, sizeof(named));
    *count = NAMED;
    for (size_t i = 0; i < o.credential_count; i++) {
        for (size_t k = 0; k < o.credentials[i].place_count; k++)
            files[(*count)++] = o.credentials[i].places[k].path;
    }
    return files;
}

/* A reload reads these as the user that the program is now. */
static void tell_unreadable(const struct program *p, const char *const *files, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (files[i] != NULL && access(files[i], R_OK) != 0)
            alk_log(&p->settings.log, ALK_LOG_WARN,
                    "a reload will fail: this user may not read a file", "file", files[i], NULL);
    }
}

/* After binding, before any thread: from here on the program can do less. */
static int give_up_rights(struct program *p, struct alk_error *error)
{
    const struct settings *s = &p->settings;
    int status = s->user != NULL ? privilege_drop(s->user, error) : ALK_OK;
    size_t count = 0;

    if (status != ALK_OK)
        return status;
    const char **files = files_of_a_reload(s, &count);
    if (files == NULL)
        return alk_error_set(error, ALK_E_NOMEM, "out of memory");
    tell_unreadable(p, files, count);
    if (!s->no_confine)
        privilege_confine(files, count, &s->log);
    free(files);
    return ALK_OK;
}

static int serve_status(struct program *p, struct alk_error *error)
{
    return p->settings.status_socket == NULL
               ? ALK_OK
               : alk_server_serve_status(p->server, p->settings.status_socket, status_text,
                                         p->server, error);
}

static int open_log(struct settings *s, struct alk_error *error)
{
    if (s->log.format != ALK_LOG_JOURNAL)
        return ALK_OK;
    s->log.fd = alk_log_open_journal(NULL);
    if (s->log.fd < 0)
        return alk_error_set(error, s->log.fd,
                             "the journal cannot be reached; use --log-format logfmt");
    return ALK_OK;
}

static int start(struct program *p, struct alk_error *error)
{
    struct alk_server_options options = settings_options(&p->settings, p->settings.config);
    int status = open_log(&p->settings, error);

    options.host_key = p->key;
    options.log = &p->settings.log;
    if (status == ALK_OK)
        status = alk_server_new(&p->server, &options, error);
    if (status == ALK_OK)
        status = listen_everywhere(p, error);
    if (status == ALK_OK)
        status = serve_status(p, error);
    if (status == ALK_OK)
        status = give_up_rights(p, error);
    if (status == ALK_OK)
        status = alk_server_start(p->server, error);
    return status;
}

static int run(struct program *p, const sigset_t *signals)
{
    struct alk_error error;
    int status = start(p, &error);

    if (status == ALK_OK) {
        print_ready(p);
        serve(p, signals);
    }
    alk_server_free(p->server);
    return status == ALK_OK
               ? EXIT_SUCCESS
               : program_fail(status == ALK_E_PARSE ? EXIT_USAGE : EXIT_RUN, "%s", error.text);
}

static int load_and_run(struct program *p)
{
    struct alk_error error;
    sigset_t signals;

    /* before signals are blocked, so that waiting for a mnemonic can be interrupted */
    if (load_key(&p->key, &p->settings, &error) != ALK_OK)
        return program_fail(EXIT_RUN, "%s", error.text);
    /* threads inherit the mask, so that only serve() takes signals */
    sigemptyset(&signals);
    sigaddset(&signals, SIGHUP);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    return run(p, &signals);
}

int main(int argc, char **argv)
{
    struct program program = {.server = NULL};

    program_begin();
    int code = settings_parse(&program.settings, argc, argv);
    if (code >= 0)
        return program_finish(code);
    if (alk_crypto_init() != ALK_OK)
        return program_fail(EXIT_RUN, "the crypto library could not be set up");
    code = settings_load(&program.settings);
    if (program.settings.check)
        code = check_settings(&program.settings, code);
    else if (code < 0) {
        service_begin();
        code = load_and_run(&program);
    }
    alk_key_free(program.key);
    alk_config_free(program.settings.config);
    return program_finish(code);
}
