#include "server/internal.h"

#include "transport/address.h"
#include "transport/bind.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    WORKERS_MAX = 256,
    RESOLVER_THREADS = 32, /* slow names of one client leave some for the others */
};

static const struct alk_listen_options plain = {.transport = ALK_TRANSPORT_TCP};

static void use_defaults(struct alk_server_options *o)
{
    if (o->workers == 0) {
        long cores = sysconf(_SC_NPROCESSORS_ONLN);
        o->workers = cores > 0 ? (unsigned)cores : 1;
    }
    if (o->workers > WORKERS_MAX)
        o->workers = WORKERS_MAX;
    if (o->login_grace_s == 0)
        o->login_grace_s = 30;
    if (o->keepalive_s == 0)
        o->keepalive_s = 30;
    if (o->connect_timeout_s == 0)
        o->connect_timeout_s = 10;
}

/* What the ports that look like web servers show. */
static int read_stealth(struct alk_server *server, const struct alk_server_options *options,
                        struct alk_error *error)
{
    const char *name = options->stealth_server != NULL ? options->stealth_server : ALK_DECOY_SERVER;

    server->options.stealth_backend = server->options.stealth_server = NULL;
    if (options->stealth_backend != NULL &&
        (!alk_endpoint_parse_host(options->stealth_backend, &server->stealth_backend) ||
         server->stealth_backend.host[0] == '\0' || server->stealth_backend.port == 0))
        return alk_error_set(error, ALK_E_PARSE, "the stealth backend is not host:port");
    if (!alk_decoy_server_is_valid(name))
        return alk_error_set(error, ALK_E_PARSE, "the stealth server's name is not one like %s",
                             ALK_DECOY_SERVER);
    memcpy(server->stealth_server, name, strlen(name) + 1);
    return ALK_OK;
}

static int init_workers(struct alk_server *server)
{
    server->workers = calloc(server->options.workers, sizeof(*server->workers));
    if (server->workers == NULL)
        return ALK_E_NOMEM;
    while (server->worker_count < server->options.workers) {
        int status = worker_init(&server->workers[server->worker_count], server);
        if (status != ALK_OK)
            return status;
        server->worker_count++;
    }
    return ALK_OK;
}

static int put_limits_in_force(struct alk_server *server, const struct snapshot *snapshot,
                               struct alk_error *error)
{
    if (alk_admission_limit(server->admission, &snapshot->options.limits) != ALK_OK)
        return alk_error_set(error, ALK_E_NOMEM, "out of memory");
    alk_identities_limit(server->identities, &snapshot->options.limits);
    return ALK_OK;
}

static int check_tls(const struct alk_server *server, const struct snapshot *snapshot,
                     struct alk_error *error)
{
    return !server->has_tls || snapshot->tls != NULL
               ? ALK_OK
               : alk_error_set(error, ALK_E_INVAL,
                               "a TLS listener needs a certificate and its key: --tls-cert and "
                               "--tls-key, or cert and key in [tls]");
}

int alk_server_new(struct alk_server **out, const struct alk_server_options *options,
                   struct alk_error *error)
{
    if (options->host_key == NULL || options->authorized_keys == NULL)
        return alk_error_set(error, ALK_E_INVAL, "a server needs a host key and authorized keys");
    struct alk_server *server = calloc(1, sizeof(*server));
    if (server == NULL)
        return alk_error_set(error, ALK_E_NOMEM, "out of memory");
    server->options = *options;
    use_defaults(&server->options);
    pthread_mutex_init(&server->lock, NULL);
    pthread_mutex_init(&server->reloads.lock, NULL);
    server->started_at = server_now_ms();
    LIST_INIT(&server->held_ports);
    atomic_init(&server->last_connection_id, 0);
    config_provider_init(server);
    credential_provider_init(server);
    server->identity_provider =
        options->identity_provider != NULL ? options->identity_provider : &server->config_provider;
    struct alk_resolver_options resolver = {.threads = RESOLVER_THREADS};
    int status = alk_proxy_parse(options->proxy, &server->proxy, error);

    server->options.proxy = NULL; /* holds a password, and has been read */
    if (status == ALK_OK)
        status = read_stealth(server, options, error);
    if (status != ALK_OK) {
        alk_server_free(server);
        return status;
    }
    if ((status = alk_admission_new(&server->admission)) != ALK_OK ||
        (status = alk_identities_new(&server->identities)) != ALK_OK ||
        (status = alk_resolver_new(&server->resolver, &resolver)) != ALK_OK ||
        (status = alk_replay_guard_new(&server->replay_guard, 0)) != ALK_OK ||
        (status = init_workers(server)) != ALK_OK)
        alk_error_set(error, status, "the server could not be set up: %s", alk_status_text(status));
    else
        status = snapshot_build(&server->snapshot, options, NULL, error);
    if (status == ALK_OK)
        status = alk_credential_store_load(&server->credentials, options->credentials,
                                           options->credential_count, error);
    if (status == ALK_OK)
        status = put_limits_in_force(server, server->snapshot, error);
    if (status != ALK_OK) {
        alk_server_free(server);
        return status;
    }
    *out = server;
    return ALK_OK;
}

const struct alk_identity_provider *alk_server_identity_provider(struct alk_server *server)
{
    return &server->config_provider;
}

int alk_server_set_identity_provider(struct alk_server *server,
                                     const struct alk_identity_provider *provider)
{
    if (server->started)
        return ALK_E_INVAL;
    server->identity_provider = provider != NULL ? provider : &server->config_provider;
    return ALK_OK;
}

bool alk_server_api_key_used(struct alk_server *server, const char *name, uint64_t *count,
                             uint64_t *last)
{
    struct snapshot *snapshot = server_snapshot(server);
    bool found = alk_api_keys_used(snapshot->api_keys, name, count, last);

    snapshot_release(snapshot);
    return found;
}

static int remember_place(struct alk_server *server, const struct alk_listener *listener,
                          const struct alk_listen_options *options)
{
    char text[ALK_ADDRESS_TEXT];
    size_t size = (server->place_count + 1) * sizeof(*server->places);
    struct place *places = realloc(server->places, size);

    if (places == NULL)
        return ALK_E_NOMEM;
    server->places = places;
    alk_address_text(alk_listener_address(listener), text);
    places[server->place_count] = (struct place){strdup(text), *options};
    if (places[server->place_count].address == NULL)
        return ALK_E_NOMEM;
    server->place_count++;
    return ALK_OK;
}

/* What a port needs besides an address. */
static int prepare_port(struct alk_server *server, const struct alk_listen_options *options,
                        struct alk_error *error)
{
    if (server->started)
        return alk_error_set(error, ALK_E_INVAL, "the server has started already");
    if (options->stealth && options->transport != ALK_TRANSPORT_TLS)
        return alk_error_set(error, ALK_E_INVAL,
                             "stealth needs the transport tls: without it SSH is plain to see");
    if (options->transport != ALK_TRANSPORT_TLS)
        return ALK_OK;
    server->has_tls = true;
    return check_tls(server, server->snapshot, error);
}

int alk_server_listen(struct alk_server *server, const char *address, struct alk_error *error)
{
    return alk_server_listen_as(server, address, NULL, error);
}

static int check_place(const struct alk_address *address, struct alk_error *error)
{
    return address->sa.any.sa_family == AF_UNIX
               ? alk_bind_check_path(address->sa.un.sun_path, error)
               : ALK_OK;
}

int alk_server_listen_as(struct alk_server *server, const char *address,
                         const struct alk_listen_options *options, struct alk_error *error)
{
    struct alk_listener *listeners[WORKERS_MAX];
    struct alk_address parsed;
    size_t count = server->worker_count;
    int status = alk_address_parse_listen(address, &parsed, error);

    options = options != NULL ? options : &plain;
    if (status == ALK_OK)
        status = prepare_port(server, options, error);
    if (status != ALK_OK)
        return status;
    if (server->options.dry_run)
        return check_place(&parsed, error);
    status = alk_listener_new_group(listeners, &count, &parsed, server->options.log, error);
    if (status != ALK_OK)
        return status;
    status = remember_place(server, listeners[0], options);
    for (size_t i = 0; i < count; i++) {
        if (status == ALK_OK)
            status = worker_add_listener(&server->workers[i], listeners[i], options);
        if (status != ALK_OK)
            alk_listener_close(listeners[i]);
    }
    return status == ALK_OK ? ALK_OK : alk_error_set(error, status, "out of memory");
}

/* Each worker accepts from the one queue, with a descriptor of its own. */
int alk_server_listen_fd(struct alk_server *server, int fd,
                         const struct alk_listen_options *options, struct alk_error *error)
{
    options = options != NULL ? options : &plain;
    int status = prepare_port(server, options, error);

    for (unsigned i = 0; i < server->worker_count && status == ALK_OK; i++) {
        struct alk_listener *listener = NULL;
        int own = i == 0 ? fd : fcntl(fd, F_DUPFD_CLOEXEC, 0);
        status = own >= 0 ? alk_listener_adopt(&listener, own, server->options.log, error)
                          : alk_error_set(error, ALK_E_LIMIT, "no descriptor is left");
        if (status == ALK_OK && i == 0)
            status = remember_place(server, listener, options);
        if (status == ALK_OK)
            status = worker_add_listener(&server->workers[i], listener, options);
        if (status != ALK_OK)
            alk_listener_close(listener);
        if (status == ALK_E_NOMEM)
            alk_error_set(error, status, "out of memory");
    }
    return status;
}

int alk_server_check_address(const char *address, struct alk_error *error)
{
    struct alk_address parsed;
    int status = alk_address_parse_listen(address, &parsed, error);

    return status == ALK_OK ? check_place(&parsed, error) : status;
}

const char *alk_server_address(const struct alk_server *server, unsigned index)
{
    return index < server->place_count ? server->places[index].address : NULL;
}

const struct alk_listen_options *alk_server_listen_options(const struct alk_server *server,
                                                           unsigned index)
{
    return index < server->place_count ? &server->places[index].options : NULL;
}

int alk_server_start(struct alk_server *server, struct alk_error *error)
{
    server->started = true;
    int status = status_port_start(server->status_port, server->workers);
    if (status != ALK_OK)
        return alk_error_set(error, status, "out of memory");
    for (unsigned i = 0; i < server->worker_count; i++) {
        status = worker_start(&server->workers[i]);
        if (status != ALK_OK) {
            alk_server_stop(server);
            return alk_error_set(error, status, "a server thread could not start: %s",
                                 alk_status_text(status));
        }
    }
    return ALK_OK;
}

static void put_in_force(struct alk_server *server, struct snapshot *fresh,
                         struct alk_credential_store *credentials)
{
    pthread_mutex_lock(&server->lock);
    struct snapshot *old = server->snapshot;
    struct alk_credential_store *old_credentials = server->credentials;
    server->snapshot = fresh;
    server->credentials = credentials;
    atomic_fetch_add(&server->generation, 1);
    pthread_mutex_unlock(&server->lock);
    snapshot_release(old);
    alk_credential_store_free(old_credentials);
}

static int reload(struct alk_server *server, const struct alk_server_options *options,
                  struct alk_error *error)
{
    struct snapshot *old = server_snapshot(server);
    struct snapshot *fresh = NULL;
    struct alk_credential_store *credentials = NULL;
    int status = snapshot_build(&fresh, options != NULL ? options : &old->options, old, error);

    snapshot_release(old);
    if (status == ALK_OK)
        status = alk_credential_store_load(&credentials, fresh->options.credentials,
                                           fresh->options.credential_count, error);
    if (status == ALK_OK)
        status = check_tls(server, fresh, error);
    if (status == ALK_OK)
        status = put_limits_in_force(server, fresh, error);
    if (status != ALK_OK) {
        alk_credential_store_free(credentials);
        snapshot_release(fresh);
        return status;
    }
    put_in_force(server, fresh, credentials);
    for (unsigned i = 0; i < server->worker_count; i++) {
        if (worker_rejudge(&server->workers[i]) != ALK_OK)
            status = ALK_E_NOMEM;
    }
    return status == ALK_OK
               ? ALK_OK
               : alk_error_set(error, status,
                               "the new settings are in force, but there was no memory to look "
                               "for sessions that they would not let in; reload again");
}

int alk_server_reload(struct alk_server *server, const struct alk_server_options *options,
                      struct alk_error *error)
{
    char reason[ALK_RELOAD_REASON_MAX];
    int status = reload(server, options, error);

    /* without the sentence in *error, which may quote a rule */
    snprintf(reason, sizeof(reason),
             "a setting, or a file that is named there, cannot be put in force: %s; the log tells "
             "which",
             alk_status_text(status));
    return figures_note_reload(server, status, reason);
}

struct snapshot *server_snapshot(struct alk_server *server)
{
    pthread_mutex_lock(&server->lock);
    struct snapshot *snapshot = snapshot_hold(server->snapshot);
    pthread_mutex_unlock(&server->lock);
    return snapshot;
}

void alk_server_stop(struct alk_server *server)
{
    for (unsigned i = 0; i < server->worker_count; i++)
        worker_stop(&server->workers[i]);
    for (unsigned i = 0; i < server->worker_count; i++)
        worker_join(&server->workers[i]);
}

void alk_server_free(struct alk_server *server)
{
    if (server == NULL)
        return;
    alk_server_stop(server);
    server->ending = true;
    status_port_free(server->status_port); /* while its loop is there */
    for (unsigned i = 0; i < server->worker_count; i++)
        worker_free(&server->workers[i]);
    free(server->workers);
    alk_resolver_free(server->resolver);
    alk_replay_guard_free(server->replay_guard);
    alk_admission_free(server->admission);
    alk_identities_free(server->identities);
    snapshot_release(server->snapshot);
    alk_credential_store_free(server->credentials);
    for (unsigned i = 0; i < server->place_count; i++)
        free(server->places[i].address);
    free(server->places);
    pthread_mutex_destroy(&server->lock);
    pthread_mutex_destroy(&server->reloads.lock);
    alk_proxy_wipe(&server->proxy);
    free(server);
}
