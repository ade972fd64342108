/* Remote forwards: the listeners that a client asks the server to hold. */
#include "server/internal.h"

#include "transport/address.h"
#include "tunnel/inlet.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REMOTES_MAX = 256 }; /* of one connection */

struct remote_listener {
    LIST_ENTRY(remote_listener) entry;
    struct connection *connection;
    enum alk_ssh_channel_kind kind;
    char *host;                        /* as the client asked; it names the channels */
    uint32_t port;                     /* the bound one */
    struct alk_listener *listeners[2]; /* IPv4 and IPv6 loopback, or one of them, or a path */
    struct held_port *held;
};

static struct alk_session *session_of(void *owner)
{
    return ((struct connection *)owner)->session;
}

static struct alk_channel_users *users_of(void *owner)
{
    return &((struct connection *)owner)->users;
}

static void on_accept(void *user, struct alk_stream *stream)
{
    struct remote_listener *remote = user;
    struct alk_inlet_route route = {
        .kind = remote->kind,
        .host = remote->host,
        .port = remote->port,
        .session = session_of,
        .users = users_of,
        .owner = remote->connection,
    };

    alk_inlet_start(&remote->connection->inlets, remote->connection->worker->loop, stream, &route);
}

static void remote_free(struct remote_listener *remote)
{
    LIST_REMOVE(remote, entry);
    for (int i = 0; i < 2; i++)
        alk_listener_close(remote->listeners[i]);
    takeover_unregister(remote->connection->worker->server, remote->held);
    free(remote->host);
    free(remote);
}

void remote_close_all(struct connection *connection)
{
    while (!LIST_EMPTY(&connection->remotes)) /* NOLINTNEXTLINE: the analyzer misses LIST_REMOVE */
        remote_free(LIST_FIRST(&connection->remotes));
    connection->wanted = NULL;
}

/* ---- where to listen ---- */

static bool is_any(const char *host)
{
    return host[0] == '\0' || strcmp(host, "*") == 0 || strcmp(host, "0.0.0.0") == 0 ||
           strcmp(host, "::") == 0 || strcasecmp(host, "localhost") == 0;
}

/* Remote listeners bind to loopback whatever wider address was asked for, as sshd does without
 * GatewayPorts. A specific address that is not loopback is refused. */
static int loopback_addresses(const char *host, uint16_t port, struct alk_address out[2])
{
    if (is_any(host)) {
        alk_address_numeric("127.0.0.1", port, &out[0]);
        alk_address_numeric("::1", port, &out[1]);
        return 2;
    }
    if (!alk_address_numeric(host, port, &out[0]))
        return 0;
    const struct sockaddr_in6 *v6 = &out[0].sa.v6;
    if (out[0].sa.any.sa_family == AF_INET6)
        return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr) ? 1 : 0;
    return ntohl(out[0].sa.v4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET ? 1 : 0;
}

static int listen_tcp(struct remote_listener *remote, const struct alk_log *log)
{
    struct alk_address addresses[2];
    int count = loopback_addresses(remote->host, (uint16_t)remote->port, addresses);

    if (count == 0)
        return ALK_E_DENIED;
    int status = alk_listener_new(&remote->listeners[0], &addresses[0], log, NULL);
    if (status != ALK_OK)
        return status;
    remote->port = alk_address_port(alk_listener_address(remote->listeners[0]));
    if (count == 2) { /* a machine without IPv6, or a port that is taken there, does no harm */
        alk_address_set_port(&addresses[1], (uint16_t)remote->port);
        (void)alk_listener_new(&remote->listeners[1], &addresses[1], log, NULL);
    }
    return ALK_OK;
}

static int listen_unix(struct remote_listener *remote, const struct alk_log *log)
{
    struct alk_address address;
    int status = alk_address_unix(remote->host, &address);

    if (status != ALK_OK)
        return status;
    return alk_listener_new(&remote->listeners[0], &address, log, NULL);
}

static int listen_on_loop(struct remote_listener *remote)
{
    struct alk_loop *loop = remote->connection->worker->loop;
    int status = ALK_OK;

    for (int i = 0; i < 2 && status == ALK_OK; i++) {
        if (remote->listeners[i] != NULL)
            status = alk_listener_start(remote->listeners[i], loop, on_accept, remote);
    }
    return status;
}

static struct remote_listener *remote_new(struct connection *connection,
                                          const struct alk_ssh_event *event)
{
    struct remote_listener *remote = calloc(1, sizeof(*remote));

    if (remote == NULL)
        return NULL;
    remote->host = strdup(event->host);
    if (remote->host == NULL) {
        free(remote);
        return NULL;
    }
    remote->connection = connection;
    remote->kind = event->kind;
    remote->port = event->port;
    LIST_INSERT_HEAD(&connection->remotes, remote, entry);
    return remote;
}

static int open_listeners(struct remote_listener *remote)
{
    struct connection *connection = remote->connection;
    const struct alk_log *log = connection->worker->server->options.log;
    int status =
        remote->kind == ALK_SSH_FORWARDED_UNIX ? listen_unix(remote, log) : listen_tcp(remote, log);

    if (status == ALK_OK)
        status = listen_on_loop(remote);
    if (status == ALK_OK)
        remote->held = takeover_register(connection, remote->kind, remote->host, remote->port);
    return status;
}

/* ---- the requests ---- */

static struct remote_listener *find(struct connection *connection,
                                    const struct alk_ssh_event *event)
{
    struct remote_listener *remote;

    LIST_FOREACH(remote, &connection->remotes, entry)
    {
        if (remote->kind == event->kind && strcmp(remote->host, event->host) == 0 &&
            (remote->port == event->port || event->kind == ALK_SSH_FORWARDED_UNIX))
            return remote;
    }
    return NULL;
}

static bool cancel(struct connection *connection, const struct alk_ssh_event *event)
{
    struct remote_listener *remote = find(connection, event);

    if (remote == NULL)
        return false;
    remote_free(remote);
    return true;
}

static unsigned count(const struct connection *connection)
{
    const struct remote_listener *remote;
    unsigned n = 0;

    LIST_FOREACH(remote, &connection->remotes, entry)
    n++;
    return n;
}

static void reply(struct connection *connection, struct remote_listener *remote, bool ok)
{
    alk_ssh_forward_reply(alk_session_ssh(connection->session), ok, ok ? remote->port : 0);
    if (!ok && remote != NULL)
        remote_free(remote);
    alk_session_touch(connection->session);
}

void remote_retry(struct connection *connection, bool is_free)
{
    struct remote_listener *remote = connection->wanted;

    connection->wanted = NULL;
    if (remote != NULL)
        reply(connection, remote, is_free && open_listeners(remote) == ALK_OK);
}

void remote_request(struct connection *connection, const struct alk_ssh_event *event)
{
    struct remote_listener *remote = NULL;

    if (event->cancel) {
        alk_ssh_forward_reply(alk_session_ssh(connection->session), cancel(connection, event), 0);
        return;
    }
    if (count(connection) < REMOTES_MAX && find(connection, event) == NULL &&
        alk_grant_may_listen(&connection->grant, event->host, event->port))
        remote = remote_new(connection, event);
    int status = remote == NULL ? ALK_E_DENIED : open_listeners(remote);
    /* while a takeover is under way the engine handles no further message of this client */
    if (status == ALK_E_EXISTS && takeover_start(connection, event))
        connection->wanted = remote;
    else
        reply(connection, remote, status == ALK_OK);
}
