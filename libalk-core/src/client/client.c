#include "client/internal.h"

#include "transport/tls_files.h"

#include <stdlib.h>
#include <string.h>

static void use_defaults(struct alk_client_options *o)
{
    if (o->port == 0)
        o->port = o->transport == ALK_TRANSPORT_TLS ? 443 : 22;
    if (o->connect_timeout_s == 0)
        o->connect_timeout_s = 15;
    if (o->keepalive_s == 0)
        o->keepalive_s = 30;
}

/* A copy of an optional text; *ok turns false when memory is short. */
static char *copy(const char *text, bool *ok)
{
    char *new = text == NULL ? NULL : strdup(text);

    if (text != NULL && new == NULL)
        *ok = false;
    return new;
}

static bool copy_options(struct alk_client *client, const struct alk_client_options *options)
{
    bool ok = true;

    client->options = *options;
    use_defaults(&client->options);
    client->host = copy(options->host, &ok);
    client->user = copy(options->user != NULL ? options->user : "alknet", &ok);
    client->agent = copy(options->agent, &ok);
    if (options->agent_key != NULL) {
        client->agent_key = malloc(options->agent_key_len);
        ok &= client->agent_key != NULL;
        if (client->agent_key != NULL)
            memcpy(client->agent_key, options->agent_key, options->agent_key_len);
    }
    client->known_hosts = copy(options->known_hosts, &ok);
    client->fingerprint = copy(options->fingerprint, &ok);
    client->tls_server_name =
        copy(options->tls_server_name != NULL ? options->tls_server_name : options->host, &ok);
    client->options.proxy = NULL; /* holds a password, and has been read */
    client->keys = calloc(options->key_count + 1, sizeof(struct alk_key *));
    for (size_t i = 0; i < options->key_count && client->keys != NULL; i++)
        client->keys[i] = options->keys[i];
    client->options.keys = client->keys;
    client->certificates = calloc(options->certificate_count + 1, sizeof(*client->certificates));
    for (size_t i = 0; i < options->certificate_count && client->certificates != NULL; i++)
        client->certificates[i] = options->certificates[i];
    client->options.certificates = client->certificates;
    client->options.jumps = NULL;
    return ok && client->keys != NULL && client->certificates != NULL;
}

static int set_up_tls(struct alk_client *client, const struct alk_client_options *options,
                      struct alk_error *error)
{
    if (options->transport != ALK_TRANSPORT_TLS)
        return ALK_OK;
    return alk_tls_client_load(&client->tls, options->tls_ca, options->tls_pin,
                               options->tls_insecure, error);
}

/* What is needed to get at the first host: not by who comes after a jump. */
static int set_up_way(struct alk_client *client, const struct alk_client_options *options,
                      struct alk_error *error)
{
    if (options->jump_count > 0) {
        client->options.family = 0;
        return jump_new(client, options, error);
    }
    if (options->bind_address != NULL &&
        !alk_address_numeric(options->bind_address, 0, &client->local))
        return alk_error_set(error, ALK_E_PARSE, "'%s' is no address to connect from",
                             options->bind_address);
    if (client->local.len > 0 && options->family != 0 &&
        client->local.sa.any.sa_family != options->family)
        return alk_error_set(error, ALK_E_PARSE,
                             "'%s' is not an IPv%d address, and no others are to be used",
                             options->bind_address, options->family == AF_INET ? 4 : 6);
    return alk_proxy_parse(options->proxy, &client->proxy, error);
}

/* A jump host does its work where the client beyond it does. */
static int set_up_loop(struct alk_client *client)
{
    const struct alk_client *beyond = client->jump.beyond;

    if (beyond != NULL) {
        client->loop = beyond->loop;
        client->resolver = beyond->resolver;
        return ALK_OK;
    }
    int status = alk_loop_new(&client->loop);
    return status == ALK_OK ? alk_resolver_new(&client->resolver, NULL) : status;
}

int client_new(struct alk_client **out, const struct alk_client_options *options,
               struct alk_client *beyond, struct alk_error *error)
{
    if (options->host == NULL || options->host[0] == '\0')
        return alk_error_set(error, ALK_E_INVAL, "a client needs a server to connect to");
    if (options->user != NULL && strlen(options->user) > ALK_SSH_USER_MAX)
        return alk_error_set(error, ALK_E_INVAL, "the user name is too long");
    if (options->jump_count > ALK_CLIENT_JUMPS_MAX)
        return alk_error_set(error, ALK_E_LIMIT, "there can be %d jump hosts at most",
                             ALK_CLIENT_JUMPS_MAX);
    bool libssh2 = options->engine == ALK_CLIENT_LIBSSH2;
    if (libssh2 && options->certificate_count > 0)
        return alk_error_set(error, ALK_E_UNSUPPORTED,
                             "libssh2 cannot log in with certificates; use the native engine");
    if (!libssh2 && options->foreign_key != NULL)
        return alk_error_set(error, ALK_E_UNSUPPORTED,
                             "the native engine has Ed25519 keys only; use libssh2");
    struct alk_client *client = calloc(1, sizeof(*client));
    if (client == NULL)
        return alk_error_set(error, ALK_E_NOMEM, "out of memory");
    client->jump.beyond = beyond;
    LIST_INIT(&client->users);
    LIST_INIT(&client->inlets);
    if (!copy_options(client, options) || set_up_loop(client) != ALK_OK ||
        link_init(client) != ALK_OK) {
        alk_client_free(client);
        return alk_error_set(error, ALK_E_NOMEM, "the client could not be set up");
    }
    int status = set_up_way(client, options, error);
    if (status == ALK_OK)
        status = set_up_tls(client, options, error);
    if (status != ALK_OK) {
        alk_client_free(client);
        return status;
    }
    *out = client;
    return ALK_OK;
}

int alk_client_new(struct alk_client **out, const struct alk_client_options *options,
                   struct alk_error *error)
{
    return client_new(out, options, NULL, error);
}

void alk_client_figures(const struct alk_client *client, struct alk_client_figures *out)
{
    out->channels = atomic_load_explicit(&client->channel_count, memory_order_relaxed);
    out->bytes_up = atomic_load_explicit(&client->bytes_up, memory_order_relaxed);
    out->bytes_down = atomic_load_explicit(&client->bytes_down, memory_order_relaxed);
}

static void begin(void *user)
{
    link_start(user);
}

static void *run(void *user)
{
    struct alk_client *client = user;

    alk_loop_run(client->loop);
    return NULL;
}

int alk_client_start(struct alk_client *client, struct alk_error *error)
{
    int status = entrances_start(client);

    if (status == ALK_OK)
        status = alk_loop_post(client->loop, begin, client);
    if (status == ALK_OK && pthread_create(&client->thread, NULL, run, client) != 0)
        status = ALK_E_LIMIT;
    if (status != ALK_OK)
        return alk_error_set(error, status, "the client could not start: %s",
                             alk_status_text(status));
    client->running = true;
    return ALK_OK;
}

static void stop(void *user)
{
    struct alk_client *client = user;

    client->stopping = true;
    entrances_close(client);
    link_stop(client);
}

void alk_client_stop(struct alk_client *client)
{
    if (!client->running)
        return;
    if (alk_loop_post(client->loop, stop, client) != ALK_OK)
        alk_loop_stop(client->loop);
    pthread_join(client->thread, NULL);
    client->running = false;
}

void alk_client_free(struct alk_client *client)
{
    if (client == NULL)
        return;
    alk_client_stop(client);
    client->stopping = true; /* for what is still in the mailbox */
    entrances_free(client);
    remotes_free(client);
    alk_timer_free(client->retry);
    alk_timer_free(client->tick);
    alk_client_free(client->jump.host);
    if (client->jump.beyond == NULL)
        alk_loop_free(client->loop);
    alk_tls_context_release(client->tls);
    if (client->jump.beyond == NULL)
        alk_resolver_free(client->resolver);
    free(client->host);
    free(client->user);
    free(client->agent);
    free(client->agent_key);
    free(client->known_hosts);
    free(client->fingerprint);
    free(client->tls_server_name);
    free(client->keys);
    free(client->certificates);
    alk_proxy_wipe(&client->proxy);
    free(client);
}
