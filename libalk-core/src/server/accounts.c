/* What a connection counts for: its identity's sessions and channels, the server's memory. */
#include "server/internal.h"

enum {
    SESSION_NEEDS = 64 * 1024,   /* to log in, with its buffers */
    CHANNEL_NEEDS = 32 * 1024,   /* to carry something */
    SESSION_BASE = 16 * 1024,    /* ciphers, sockets and what else no buffer shows */
    TLS_BASE = 16 * 1024,        /* what TLS adds to that */
    HANDSHAKE_NEEDS = 48 * 1024, /* of TLS, before there is a session */
};

static bool has_room(struct alk_server *server, uint64_t limit, size_t needed)
{
    size_t held = atomic_load_explicit(&server->memory, memory_order_relaxed);

    return held <= limit && needed <= limit - held;
}

bool accounts_have_room_for_session(struct alk_server *server)
{
    struct snapshot *snapshot = server_snapshot(server);
    bool room = has_room(server, snapshot->options.limits.memory, SESSION_NEEDS);

    snapshot_release(snapshot);
    return room;
}

bool accounts_have_room_for_channel(struct connection *connection)
{
    struct worker *worker = connection->worker;

    return has_room(worker->server, worker_snapshot(worker)->options.limits.memory, CHANNEL_NEEDS);
}

const char *accounts_enter(struct connection *connection)
{
    struct alk_server *server = connection->worker->server;

    if (alk_admission_authenticated(server->admission, connection->address) != NULL)
        return "the server has as many sessions as it may";
    int status =
        alk_identities_enter(server->identities, connection->grant.id, &connection->account);
    if (status == ALK_E_LIMIT)
        return "this key has as many sessions as it may";
    if (status != ALK_OK)
        return "out of memory";
    alk_session_set_rates(connection->session, &connection->account->up,
                          &connection->account->down);
    return NULL;
}

static void count_channels(struct connection *connection, unsigned now)
{
    if (connection->account == NULL || now == connection->channels)
        return;
    atomic_fetch_add(&connection->account->channels, now - connection->channels);
    connection->channels = now;
}

/* Of a session that belongs to somebody already: before that it has carried nothing. */
static void count_bytes(struct connection *connection)
{
    struct alk_identity_account *account = connection->account;
    struct alk_session_traffic now = alk_session_traffic(connection->session);
    struct alk_session_traffic *before = &connection->traffic;

    if (account == NULL)
        return;
    if (now.to_streams != before->to_streams)
        atomic_fetch_add_explicit(&account->bytes_up, now.to_streams - before->to_streams,
                                  memory_order_relaxed);
    if (now.from_streams != before->from_streams)
        atomic_fetch_add_explicit(&account->bytes_down, now.from_streams - before->from_streams,
                                  memory_order_relaxed);
    *before = now;
}

static void count_memory(struct connection *connection, size_t now)
{
    if (now == connection->memory)
        return;
    atomic_fetch_add_explicit(&connection->worker->server->memory, now - connection->memory,
                              memory_order_relaxed);
    connection->memory = now;
}

void accounts_update(struct connection *connection)
{
    size_t base = sizeof(*connection) + (connection->over_tls ? TLS_BASE : 0);

    if (connection->session == NULL) {
        count_memory(connection, base + HANDSHAKE_NEEDS);
        return;
    }
    count_channels(connection, alk_ssh_channel_count(alk_session_ssh(connection->session)));
    count_bytes(connection);
    count_memory(connection, base + SESSION_BASE + alk_session_memory(connection->session));
}

bool accounts_admit_channel(struct connection *connection)
{
    const struct alk_limits *limits = &worker_snapshot(connection->worker)->options.limits;
    unsigned own = alk_ssh_channel_count(alk_session_ssh(connection->session));

    count_channels(connection, own); /* the one that is asked for among them */
    return connection->account != NULL && own <= limits->max_channels &&
           atomic_load(&connection->account->channels) <= limits->max_channels_per_identity;
}

void accounts_leave(struct connection *connection)
{
    if (connection->session != NULL)
        count_bytes(connection);
    count_channels(connection, 0);
    count_memory(connection, 0);
    alk_identities_leave(connection->worker->server->identities, connection->account);
    connection->account = NULL;
}
