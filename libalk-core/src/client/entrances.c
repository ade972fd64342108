/* Where local programs come in: SOCKS, HTTP CONNECT and forward listeners, adopted sockets. */
#include "client/internal.h"

#include "transport/fd_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct alk_session *session_of(void *owner)
{
    struct alk_client *client = owner;

    return client->online ? client->session : NULL;
}

static struct alk_channel_users *users_of(void *owner)
{
    return &((struct alk_client *)owner)->users;
}

static struct alk_inlet_route route_to(struct alk_client *client, const struct alk_endpoint *target)
{
    return (struct alk_inlet_route){
        .kind = target->is_path ? ALK_SSH_DIRECT_UNIX : ALK_SSH_DIRECT_TCPIP,
        .host = target->is_path ? target->path : target->host,
        .port = target->port,
        .session = session_of,
        .users = users_of,
        .owner = client,
        .opening_ms = client->options.open_timeout_s * 1000ULL,
    };
}

static void on_accept(void *user, struct alk_stream *stream)
{
    struct entrance *entrance = user;

    alk_inlet_start(&entrance->client->inlets, entrance->client->loop, stream, &entrance->route);
    if (!LIST_EMPTY(&entrance->client->inlets))
        link_need_tick(entrance->client);
}

/* ---- making them ---- */

static void entrance_free(struct entrance *entrance)
{
    alk_listener_close(entrance->listener);
    if (entrance->password != NULL)
        sodium_memzero(entrance->password, strlen(entrance->password));
    free(entrance->password);
    free(entrance->user);
    free(entrance->address);
    free(entrance->spec);
    free(entrance);
}

static struct entrance *entrance_new(struct alk_client *client, struct alk_error *error)
{
    struct entrance *entrance = calloc(1, sizeof(*entrance));

    if (entrance == NULL) {
        alk_error_set(error, ALK_E_NOMEM, "out of memory");
        return NULL;
    }
    entrance->client = client;
    entrance->route = (struct alk_inlet_route){
        .kind = ALK_SSH_DIRECT_TCPIP,
        .session = session_of,
        .users = users_of,
        .owner = client,
        .opening_ms = client->options.open_timeout_s * 1000ULL,
    };
    return entrance;
}

/* Binds and adds to the client's list; frees the entrance when that fails. */
static int add(struct alk_client *client, struct entrance *entrance,
               const struct alk_address *address, struct alk_error *error)
{
    char text[ALK_ADDRESS_TEXT];
    struct entrance **list =
        realloc(client->entrances, (client->entrance_count + 1) * sizeof(struct entrance *));
    int status = ALK_E_NOMEM;

    if (list == NULL) {
        entrance_free(entrance);
        return alk_error_set(error, status, "out of memory");
    }
    client->entrances = list;
    if (client->options.dry_run) {
        entrance_free(entrance);
        return ALK_OK;
    }
    status = alk_listener_new(&entrance->listener, address, client->options.log, error);
    if (status != ALK_OK) {
        entrance_free(entrance);
        return status;
    }
    alk_address_text(alk_listener_address(entrance->listener), text);
    entrance->address = strdup(text);
    list[client->entrance_count++] = entrance;
    return entrance->address != NULL ? ALK_OK : alk_error_set(error, ALK_E_NOMEM, "out of memory");
}

int alk_client_add_socks(struct alk_client *client, const char *address, const char *user,
                         const char *password, struct alk_error *error)
{
    struct alk_address parsed;
    int status = alk_address_parse_listen(address, &parsed, error);
    if (status != ALK_OK)
        return status;
    struct entrance *entrance = entrance_new(client, error);
    if (entrance == NULL)
        return ALK_E_NOMEM;
    entrance->route.dialogue = &alk_dialogue_socks;
    if (user != NULL && password != NULL) {
        entrance->user = strdup(user);
        entrance->password = strdup(password);
        if (entrance->user == NULL || entrance->password == NULL) {
            entrance_free(entrance);
            return alk_error_set(error, ALK_E_NOMEM, "out of memory");
        }
        entrance->auth =
            (struct alk_socks_auth){.user = entrance->user, .password = entrance->password};
        entrance->route.dialogue_config = &entrance->auth;
    }
    return add(client, entrance, &parsed, error);
}

int alk_client_add_http(struct alk_client *client, const char *address, struct alk_error *error)
{
    struct alk_address parsed;
    int status = alk_address_parse_listen(address, &parsed, error);
    if (status != ALK_OK)
        return status;
    struct entrance *entrance = entrance_new(client, error);
    if (entrance == NULL)
        return ALK_E_NOMEM;
    entrance->route.dialogue = &alk_dialogue_http;
    return add(client, entrance, &parsed, error);
}

/* Where a forward listens: a path, or a host of which "" means loopback. */
static int listen_address(const struct alk_endpoint *listen, struct alk_address *out,
                          struct alk_error *error)
{
    char text[ALK_HOST_MAX + 16];

    if (listen->is_path) {
        int status = alk_address_unix(listen->path, out);
        return status == ALK_OK ? ALK_OK
                                : alk_error_set(error, status, "the socket path is too long");
    }
    const char *host = listen->host[0] == '\0' ? "127.0.0.1" : listen->host;
    if (alk_address_numeric(host, listen->port, out))
        return ALK_OK;
    snprintf(text, sizeof(text), "%s:%u", host, listen->port);
    return alk_address_parse_listen(text, out, error);
}

int alk_client_add_forward(struct alk_client *client, const char *spec, struct alk_error *error)
{
    struct alk_address address;
    struct entrance *entrance = entrance_new(client, error);
    int status = ALK_E_NOMEM;

    if (entrance == NULL)
        return status;
    entrance->spec = calloc(1, sizeof(*entrance->spec));
    if (entrance->spec != NULL)
        status = alk_forward_spec_parse(spec, ALK_FORWARD_LOCAL, entrance->spec, error);
    if (status == ALK_OK)
        status = listen_address(&entrance->spec->listen, &address, error);
    if (status != ALK_OK) {
        entrance_free(entrance);
        return status;
    }
    entrance->route = route_to(client, &entrance->spec->target);
    return add(client, entrance, &address, error);
}

const char *alk_client_address(const struct alk_client *client, unsigned index)
{
    return index < client->entrance_count ? client->entrances[index]->address : NULL;
}

int entrances_start(struct alk_client *client)
{
    for (unsigned i = 0; i < client->entrance_count; i++) {
        struct entrance *entrance = client->entrances[i];
        int status = alk_listener_start(entrance->listener, client->loop, on_accept, entrance);
        if (status != ALK_OK)
            return status;
    }
    return ALK_OK;
}

void entrances_close(struct alk_client *client)
{
    for (unsigned i = 0; i < client->entrance_count; i++) {
        alk_listener_close(client->entrances[i]->listener);
        client->entrances[i]->listener = NULL;
    }
}

void entrances_free(struct alk_client *client)
{
    for (unsigned i = 0; i < client->entrance_count; i++)
        entrance_free(client->entrances[i]);
    free(client->entrances);
}

/* ---- sockets of the embedding program ---- */

struct adoption {
    struct alk_client *client;
    int fd;
    struct alk_endpoint target;
    alk_client_answer_fn answered;
    void *user;
};

static void adopt(void *user)
{
    struct adoption *a = user;
    struct alk_client *client = a->client;
    struct alk_stream *stream = NULL;

    if (client->stopping || alk_fd_stream_new(&stream, client->loop, a->fd, "unix") != ALK_OK) {
        if (a->answered != NULL)
            a->answered(a->user, ALK_E_CLOSED);
        close(a->fd);
        free(a);
        return;
    }
    struct alk_inlet_route route = route_to(client, &a->target);
    route.answered = a->answered;
    route.answered_user = a->user;
    alk_inlet_start(&client->inlets, client->loop, stream, &route);
    if (!LIST_EMPTY(&client->inlets))
        link_need_tick(client);
    free(a);
}

static int fill_target(struct alk_endpoint *target, const char *host, uint16_t port)
{
    target->is_path = port == 0;
    target->port = port;
    char *to = port == 0 ? target->path : target->host;
    size_t size = port == 0 ? sizeof(target->path) : sizeof(target->host);
    size_t len = strlen(host);
    if (len == 0 || len >= size)
        return ALK_E_INVAL;
    memcpy(to, host, len + 1);
    return ALK_OK;
}

int alk_client_adopt(struct alk_client *client, int fd, const char *host, uint16_t port,
                     alk_client_answer_fn answered, void *user)
{
    struct adoption *a = calloc(1, sizeof(*a));
    int status = a == NULL ? ALK_E_NOMEM : fill_target(&a->target, host, port);
    int flags = fcntl(fd, F_GETFL);

    if (status == ALK_OK && (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0))
        status = ALK_E_INVAL;
    if (status == ALK_OK) {
        a->client = client;
        a->fd = fd;
        a->answered = answered;
        a->user = user;
        status = alk_loop_post(client->loop, adopt, a);
    }
    if (status != ALK_OK)
        free(a);
    return status;
}

int alk_client_connect(struct alk_client *client, const char *host, uint16_t port,
                       alk_client_answer_fn answered, void *user)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return errno == EMFILE || errno == ENFILE ? ALK_E_LIMIT : ALK_E_IO;
    int status = alk_client_adopt(client, ends[1], host, port, answered, user);
    if (status != ALK_OK) {
        close(ends[0]);
        close(ends[1]);
        return status;
    }
    return ends[0];
}
