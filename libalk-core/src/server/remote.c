/* Remote forwards: the listeners that a client asks the server to hold. */
#include "server/internal.h"

#include "transport/address.h"
#include "tunnel/inlet.h"

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

static bool is_wide(const char *host)
{
    return host[0] == '\0' || strcmp(host, "*") == 0 || strcmp(host, "0.0.0.0") == 0 ||
           strcmp(host, "::") == 0;
}

static struct alk_policy_verdict judge(const struct connection *c,
                                       const struct alk_policy_target *target)
{
    struct alk_policy_subject subject = channel_subject(c);

    return alk_policy_judge(worker_snapshot(c->worker)->policy, &subject, target, NULL);
}

static bool may_bind(const struct connection *c, const char *host, uint16_t port,
                     struct alk_address *out)
{
    struct alk_policy_target target;

    return alk_policy_target_listen(&target, host, port) == ALK_OK &&
           alk_address_numeric(target.host, port, out) &&
           judge(c, &target).outcome == ALK_POLICY_ALLOWED;
}

/* A rule that denies an address, as opposed to no rule that allows it. */
static bool is_denied_by_rule(const struct connection *c, const char *host, uint16_t port)
{
    struct alk_policy_target target;

    if (alk_policy_target_listen(&target, host, port) != ALK_OK)
        return true;
    struct alk_policy_verdict verdict = judge(c, &target);
    return verdict.outcome == ALK_POLICY_DENIED && verdict.reason == ALK_POLICY_BY_RULE;
}

static int add_if_allowed(const struct connection *c, const char *host, uint16_t port,
                          struct alk_address out[2], int count)
{
    return count + may_bind(c, host, port, &out[count]);
}

/* What is asked for if the policy has a rule that allows it. Else a wide address becomes loopback,
 * as in sshd without GatewayPorts, and a specific one is refused. "" and "*" are both families
 * (RFC 4254 section 7.1). */
static int allowed_addresses(const struct connection *c, const char *host, uint16_t port,
                             struct alk_address out[2])
{
    bool both = host[0] == '\0' || strcmp(host, "*") == 0;
    int count = 0;

    if (is_wide(host)) {
        if (is_denied_by_rule(c, both ? "0.0.0.0" : host, port))
            return 0;
        count = add_if_allowed(c, both ? "0.0.0.0" : host, port, out, 0);
        if (both)
            count = add_if_allowed(c, "::", port, out, count);
        if (count > 0)
            return count;
        host = "localhost";
    }
    if (strcasecmp(host, "localhost") == 0) {
        count = add_if_allowed(c, "127.0.0.1", port, out, 0);
        return add_if_allowed(c, "::1", port, out, count);
    }
    return add_if_allowed(c, host, port, out, 0);
}

static int listen_tcp(struct remote_listener *remote, const struct alk_log *log)
{
    struct alk_address addresses[2];
    int count = remote->port > UINT16_MAX ? 0
                                          : allowed_addresses(remote->connection, remote->host,
                                                              (uint16_t)remote->port, addresses);

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
    struct alk_policy_target target;

    if (alk_policy_target_listen_path(&target, remote->host) != ALK_OK ||
        judge(remote->connection, &target).outcome != ALK_POLICY_ALLOWED)
        return ALK_E_DENIED;
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
    if (connection->account != NULL && count(connection) < REMOTES_MAX &&
        find(connection, event) == NULL &&
        alk_grant_may_listen(&connection->grant, event->host, event->port))
        remote = remote_new(connection, event);
    int status = remote == NULL ? ALK_E_DENIED : open_listeners(remote);
    /* while a takeover is under way the engine handles no further message of this client */
    if (status == ALK_E_EXISTS && takeover_start(connection, event))
        connection->wanted = remote;
    else
        reply(connection, remote, status == ALK_OK);
}
