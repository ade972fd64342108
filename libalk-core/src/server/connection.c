#include "server/internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct alk_log *log_of(const struct connection *c)
{
    return c->worker->server->options.log;
}

static void on_event(void *user, const struct alk_ssh_event *event)
{
    struct connection *c = user;

    switch (event->type) {
    case ALK_SSH_AUTH_REQUEST:
        login_request(c, event);
        break;
    case ALK_SSH_AUTH_REFUSED:
        login_refused(c, event);
        break;
    case ALK_SSH_CHANNEL_REQUEST:
        channel_request(c, event);
        break;
    case ALK_SSH_FORWARD_REQUEST:
        remote_request(c, event);
        break;
    case ALK_SSH_CHANNEL_OPENED:
    case ALK_SSH_CHANNEL_FAILED:
    case ALK_SSH_CHANNEL_DATA:
    case ALK_SSH_CHANNEL_EOF:
    case ALK_SSH_CHANNEL_CLOSED:
    case ALK_SSH_CHANNEL_ROOM:
        alk_channel_dispatch(event);
        break;
    default:
        break;
    }
}

/* ---- life ---- */

static void connection_free(struct connection *c)
{
    struct worker *worker = c->worker;

    LIST_REMOVE(c, entry);
    atomic_fetch_sub_explicit(&worker->connection_count, 1, memory_order_relaxed);
    remote_close_all(c);
    alk_channel_users_end(&c->users);
    accounts_leave(c);
    arrival_cancel(c);
    alk_session_free(c->session);
    login_forget(c);
    alk_admission_leave(worker->server->admission, c->address, c->authenticated,
                        c->failed && !c->authenticated, alk_loop_now(worker->loop));
    free(c);
    worker_connection_gone(worker);
}

static void log_end(const struct connection *c, const char *reason)
{
    char seconds[32];

    snprintf(seconds, sizeof(seconds), "%" PRIu64,
             (alk_loop_now(c->worker->loop) - c->opened) / 1000);
    /* a peer's own farewell is its own text: it stays out of the log */
    const char *login = c->authenticated ? "accepted" : c->failed ? "refused" : "none";
    alk_log(log_of(c), ALK_LOG_INFO, "connection closed", "remote_addr", c->address, "login", login,
            "duration_s", seconds, "reason", reason, NULL);
}

static void on_end(void *user, int status, const char *why)
{
    log_end(user, status == ALK_E_CLOSED ? "closed" : why);
    connection_free(user);
}

void connection_abandon(struct connection *c, const char *why)
{
    log_end(c, why);
    connection_free(c);
}

static void on_turn(void *user)
{
    accounts_update(user);
}

static const struct alk_session_handler handler = {
    .on_event = on_event,
    .on_end = on_end,
    .on_turn = on_turn,
};

static struct alk_ssh_options ssh_options(const struct alk_server_options *o,
                                          const struct alk_limits *limits)
{
    struct alk_ssh_options options = ALK_SSH_OPTIONS_INIT;

    options.host_key = o->host_key;
    options.max_channels = limits->max_channels;
    options.max_auth_attempts = limits->max_auth_attempts;
    options.grace_ms = o->login_grace_s * 1000ULL;
    options.keepalive_ms = o->keepalive_s * 1000ULL;
    options.rekey_ms = o->rekey_s * 1000ULL;
    return options;
}

void connection_serve_ssh(struct connection *c, struct alk_stream *stream)
{
    struct worker *worker = c->worker;
    struct alk_ssh_options options =
        ssh_options(&worker->server->options, &worker_snapshot(worker)->options.limits);

    if (alk_session_new(&c->session, worker->loop, stream, &alk_engine_native, &options, &handler,
                        c) != ALK_OK)
        connection_free(c);
}

/* It counts as a connection that has not logged in from here on, whatever it does first. */
void connection_start(const struct port *port, struct alk_stream *stream)
{
    struct worker *worker = port->worker;
    struct alk_server *server = worker->server;
    uint64_t now = alk_loop_now(worker->loop);
    const char *why = accounts_have_room_for_session(server)
                          ? alk_admission_enter(server->admission, stream->peer, now)
                          : "memory";
    struct connection *c = why == NULL ? calloc(1, sizeof(*c)) : NULL;

    if (why == NULL && c == NULL) {
        alk_admission_leave(server->admission, stream->peer, false, false, now);
        why = "out-of-memory";
    }
    if (why != NULL) {
        alk_log(server->options.log, ALK_LOG_WARN, "connection rejected", "remote_addr",
                stream->peer, "reason", why, NULL);
        alk_stream_close(stream);
        return;
    }
    c->worker = worker;
    c->id = atomic_fetch_add(&server->last_connection_id, 1) + 1;
    c->opened = now;
    c->transport = port->options.transport == ALK_TRANSPORT_TLS ? "tls" : stream->ops->transport;
    memcpy(c->address, stream->peer, sizeof(c->address));
    LIST_INIT(&c->users);
    LIST_INIT(&c->remotes);
    LIST_INIT(&c->inlets);
    alk_log(server->options.log, ALK_LOG_INFO, "connection opened", "remote_addr", c->address,
            "transport", c->transport, NULL);
    LIST_INSERT_HEAD(&worker->connections, c, entry);
    atomic_fetch_add_explicit(&worker->connection_count, 1, memory_order_relaxed);
    arrival_start(c, port, stream);
}

void connection_end(struct connection *connection, const char *text)
{
    if (connection->session != NULL)
        alk_session_end(connection->session, ALK_SSH_BY_APPLICATION, text);
    else
        connection_abandon(connection, text);
}
