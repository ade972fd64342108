#include "server/internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const struct alk_log *log_of(const struct connection *c)
{
    return c->worker->server->options.log;
}

/* ---- login ---- */

static const char *judge(struct connection *c, const struct alk_ssh_event *event,
                         const struct snapshot *snapshot)
{
    c->key = alk_authorized_keys_admit(snapshot->keys, event->data, event->len, c->address,
                                       (uint64_t)time(NULL));
    if (c->key != NULL)
        return NULL;
    return alk_authorized_keys_find(snapshot->keys, event->data, event->len) == NULL
               ? "unknown-key"
               : "not-admitted";
}

static void log_attempt(const struct connection *c, const struct alk_ssh_event *event,
                        const char *why)
{
    char fingerprint[ALK_FINGERPRINT_SIZE];
    const char *result = why != NULL ? "reject" : event->proven ? "accept" : "probe";

    alk_key_fingerprint(event->data, event->len, fingerprint);
    alk_log(log_of(c), why == NULL && !event->proven ? ALK_LOG_DEBUG : ALK_LOG_INFO, "auth attempt",
            "remote_addr", c->address, "user", event->user, "key_fingerprint", fingerprint,
            "method", "publickey", "result", result, "reason", why, NULL);
}

/* alk_session_end may be asked twice: what ends already is only told once more. */
void connection_rejudge(struct connection *c, struct snapshot *snapshot)
{
    char fingerprint[ALK_FINGERPRINT_SIZE];

    if (!c->authenticated || c->admitted_by == snapshot)
        return;
    const struct alk_authorized_key *key = alk_authorized_keys_admit(
        snapshot->keys, c->key->blob, ALK_KEY_BLOB_SIZE, c->address, (uint64_t)time(NULL));
    if (key == NULL && snapshot->options.keep_revoked)
        return;
    if (key == NULL) {
        alk_key_fingerprint(c->key->blob, ALK_KEY_BLOB_SIZE, fingerprint);
        alk_log(log_of(c), ALK_LOG_INFO, "session revoked", "remote_addr", c->address,
                "key_fingerprint", fingerprint, NULL);
        connection_end(c, "this key may no longer log in");
        return;
    }
    snapshot_release(c->admitted_by);
    c->admitted_by = snapshot_hold(snapshot);
    c->key = key; /* its restrictions judge the next channel */
}

/* It has logged in, and now counts for its identity. */
static void begin_session(struct connection *c)
{
    const char *why = accounts_enter(c);

    if (why == NULL)
        return;
    alk_log(log_of(c), ALK_LOG_WARN, "session refused", "remote_addr", c->address, "reason", why,
            NULL);
    alk_session_end(c->session, ALK_SSH_BY_TOO_MANY, why);
}

static void on_auth_request(struct connection *c, const struct alk_ssh_event *event)
{
    struct alk_ssh *ssh = alk_session_ssh(c->session);
    struct snapshot *snapshot = server_snapshot(c->worker->server);
    const char *why = judge(c, event, snapshot);

    log_attempt(c, event, why);
    c->failed = c->failed || why != NULL;
    alk_ssh_auth_reply(ssh, why == NULL);
    c->authenticated = why == NULL && event->proven && alk_ssh_authenticated(ssh);
    if (c->authenticated) {
        c->admitted_by = snapshot; /* its entry stays valid as long as the session */
        begin_session(c);
    } else {
        c->key = NULL;
        snapshot_release(snapshot);
    }
}

static void on_event(void *user, const struct alk_ssh_event *event)
{
    struct connection *c = user;

    switch (event->type) {
    case ALK_SSH_AUTH_REQUEST:
        on_auth_request(c, event);
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
    remote_close_all(c);
    alk_channel_users_end(&c->users);
    accounts_leave(c);
    alk_session_free(c->session);
    snapshot_release(c->admitted_by);
    alk_admission_leave(worker->server->admission, c->address, c->authenticated,
                        c->failed && !c->authenticated, alk_loop_now(worker->loop));
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
    alk_log(log_of(c), ALK_LOG_INFO, "connection closed", "remote_addr", c->address, "duration_s",
            seconds, "reason", status == ALK_E_CLOSED ? "closed" : why, NULL);
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
    return options;
}

void connection_start(struct worker *worker, struct alk_stream *stream)
{
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
    c->transport = stream->ops->transport;
    memcpy(c->address, stream->peer, sizeof(c->address));
    LIST_INIT(&c->users);
    LIST_INIT(&c->remotes);
    LIST_INIT(&c->inlets);
    alk_log(server->options.log, ALK_LOG_INFO, "connection opened", "remote_addr", c->address,
            "transport", stream->ops->transport, NULL);
    struct alk_ssh_options options =
        ssh_options(&server->options, &worker_snapshot(worker)->options.limits);
    LIST_INSERT_HEAD(&worker->connections, c, entry);
    if (alk_session_new(&c->session, worker->loop, stream, &options, &handler, c) != ALK_OK)
        connection_free(c);
}

void connection_end(struct connection *connection, const char *text)
{
    alk_session_end(connection->session, ALK_SSH_BY_APPLICATION, text);
}
