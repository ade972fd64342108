#include "server/internal.h"

#include "transport/dial.h"
#include "tunnel/outlet.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Closed channels of one session whose last bytes their targets have not taken: with more of
 * them, no further channel is opened. */
enum { REMNANTS_MAX = 64 };

static const struct alk_log *log_of(const struct connection *c)
{
    return c->worker->server->options.log;
}

/* ---- channels ---- */

static bool is_internal(const char *host)
{
    return strncasecmp(host, "alknet-", 7) == 0;
}

static void on_channel_request(struct connection *c, const struct alk_ssh_event *event)
{
    struct alk_server *server = c->worker->server;
    bool path = event->kind == ALK_SSH_DIRECT_UNIX;
    struct alk_dial_options target = {
        .host = path ? NULL : event->host,
        .port = (uint16_t)event->port,
        .path = path ? event->host : NULL,
        .timeout_ms = server->options.connect_timeout_s * 1000ULL,
        .resolver = server->resolver,
    };

    if (is_internal(event->host) || !alk_grant_may_open(&c->grant, event->host, event->port))
        alk_ssh_channel_reject(alk_session_ssh(c->session), event->channel, ALK_SSH_OPEN_PROHIBITED,
                               "administratively prohibited");
    else if (alk_session_remnants(c->session) >= REMNANTS_MAX)
        alk_ssh_channel_reject(alk_session_ssh(c->session), event->channel, ALK_SSH_OPEN_SHORTAGE,
                               "too many closed channels still have data for their targets");
    else
        alk_outlet_start(&c->users, c->session, event->channel, &target);
}

static void on_event(void *user, const struct alk_ssh_event *event)
{
    struct connection *c = user;

    switch (event->type) {
    case ALK_SSH_AUTH_REQUEST:
        login_request(c, event);
        break;
    case ALK_SSH_CHANNEL_REQUEST:
        on_channel_request(c, event);
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
    remote_close_all(c);
    alk_channel_users_end(&c->users);
    alk_session_free(c->session);
    login_forget(c);
    alk_admission_leave(worker->server->admission, c->address, c->authenticated);
    free(c);
    worker_connection_gone(worker);
}

static void on_end(void *user, int status, const char *why)
{
    struct connection *c = user;
    char seconds[32];

    snprintf(seconds, sizeof(seconds), "%" PRIu64,
             (alk_loop_now(c->worker->loop) - c->opened) / 1000);
    /* a peer's own farewell is its own text: it stays out of the log */
    const char *login = c->authenticated ? "accepted" : c->failed ? "refused" : "none";
    alk_log(log_of(c), ALK_LOG_INFO, "connection closed", "remote_addr", c->address, "login", login,
            "duration_s", seconds, "reason", status == ALK_E_CLOSED ? "closed" : why, NULL);
    connection_free(c);
}

static const struct alk_session_handler handler = {
    .on_event = on_event,
    .on_end = on_end,
};

static struct alk_ssh_options ssh_options(const struct alk_server_options *o)
{
    struct alk_ssh_options options = ALK_SSH_OPTIONS_INIT;

    options.host_key = o->host_key;
    options.max_channels = o->limits.max_channels;
    options.max_auth_attempts = o->limits.max_auth_attempts;
    options.grace_ms = o->login_grace_s * 1000ULL;
    options.keepalive_ms = o->keepalive_s * 1000ULL;
    return options;
}

void connection_start(struct worker *worker, struct alk_stream *stream)
{
    struct alk_server *server = worker->server;
    const char *why = alk_admission_enter(server->admission, stream->peer);
    struct connection *c = why == NULL ? calloc(1, sizeof(*c)) : NULL;

    if (why == NULL && c == NULL) {
        alk_admission_leave(server->admission, stream->peer, false);
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
    c->opened = alk_loop_now(worker->loop);
    memcpy(c->address, stream->peer, sizeof(c->address));
    LIST_INIT(&c->users);
    LIST_INIT(&c->remotes);
    LIST_INIT(&c->inlets);
    alk_log(server->options.log, ALK_LOG_INFO, "connection opened", "remote_addr", c->address,
            "transport", stream->ops->transport, NULL);
    struct alk_ssh_options options = ssh_options(&server->options);
    LIST_INSERT_HEAD(&worker->connections, c, entry);
    if (alk_session_new(&c->session, worker->loop, stream, &options, &handler, c) != ALK_OK)
        connection_free(c);
}

void connection_end(struct connection *connection, const char *text)
{
    alk_session_end(connection->session, ALK_SSH_BY_APPLICATION, text);
}
