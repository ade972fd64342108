/*
 * Taking over a remote listener: a client whose connection was cut comes back before the
 * server has noticed, and the port it wants is still held by its own dead session.
 *
 * The holder must have logged in with the same key, and must stay silent when it is asked
 * for a sign of life. Holder and newcomer may live on different loops, so the question
 * travels as a message: newcomer -> holder's loop -> (a pause) -> newcomer's loop.
 */
#include "server/internal.h"

#include <stdlib.h>
#include <string.h>

enum {
    SIGN_OF_LIFE_MS = 2000,
    LOOK_MS = 10, /* the newcomer's session stands still meanwhile: a live holder shows at once */
};

struct takeover {
    LIST_ENTRY(takeover) entry; /* in the holder's worker, while the timer runs */
    struct worker *newcomer_worker, *holder_worker;
    uint64_t newcomer_id, holder_id;
    uint64_t asked; /* when the holder was asked, in its loop's time */
    struct alk_timer *timer;
    bool free; /* the answer: the listener is free now */
};

/* ---- who holds what: one list for all loops of a server ---- */

struct held_port {
    LIST_ENTRY(held_port) entry;
    struct worker *worker;
    uint64_t connection_id;
    enum alk_ssh_channel_kind kind;
    uint32_t port;
    char *path;                       /* of a Unix listener, else NULL */
    char id[ALK_IDENTITY_ID_MAX + 1]; /* of the grant */
};

struct held_port *takeover_register(struct connection *connection, enum alk_ssh_channel_kind kind,
                                    const char *host, uint32_t port)
{
    struct alk_server *server = connection->worker->server;
    struct held_port *held = calloc(1, sizeof(*held));

    if (held == NULL)
        return NULL;
    held->worker = connection->worker;
    held->connection_id = connection->id;
    held->kind = kind;
    held->port = port;
    held->path = kind == ALK_SSH_FORWARDED_UNIX ? strdup(host) : NULL;
    memcpy(held->id, connection->grant.id, sizeof(held->id));
    pthread_mutex_lock(&server->lock);
    LIST_INSERT_HEAD(&server->held_ports, held, entry);
    pthread_mutex_unlock(&server->lock);
    return held;
}

void takeover_unregister(struct alk_server *server, struct held_port *held)
{
    if (held == NULL)
        return;
    pthread_mutex_lock(&server->lock);
    LIST_REMOVE(held, entry);
    pthread_mutex_unlock(&server->lock);
    free(held->path);
    free(held);
}

static bool is_wanted(const struct held_port *held, const struct connection *newcomer,
                      const struct alk_ssh_event *event)
{
    if (held->kind != event->kind || held->connection_id == newcomer->id ||
        strcmp(held->id, newcomer->grant.id) != 0)
        return false;
    if (held->kind == ALK_SSH_FORWARDED_UNIX)
        return held->path != NULL && strcmp(held->path, event->host) == 0;
    return event->port != 0 && held->port == event->port;
}

static bool find_holder(struct takeover *t, const struct connection *newcomer,
                        const struct alk_ssh_event *event)
{
    struct alk_server *server = newcomer->worker->server;
    struct held_port *held;
    bool found = false;

    pthread_mutex_lock(&server->lock);
    LIST_FOREACH(held, &server->held_ports, entry)
    {
        if (!found && is_wanted(held, newcomer, event)) {
            t->holder_worker = held->worker;
            t->holder_id = held->connection_id;
            found = true;
        }
    }
    pthread_mutex_unlock(&server->lock);
    return found;
}

/* ---- on the newcomer's loop ---- */

static void answered(void *user)
{
    struct takeover *t = user;
    struct connection *newcomer = worker_find(t->newcomer_worker, t->newcomer_id);

    if (newcomer != NULL)
        remote_retry(newcomer, t->free);
    free(t);
}

/* ---- on the holder's loop ---- */

static void answer(struct takeover *t, bool is_free)
{
    if (t->timer != NULL)
        LIST_REMOVE(t, entry);
    alk_timer_free(t->timer);
    t->timer = NULL;
    t->free = is_free;
    if (t->holder_worker->server->ending ||
        alk_loop_post(t->newcomer_worker->loop, answered, t) != ALK_OK)
        free(t);
}

static void look(void *user)
{
    struct takeover *t = user;
    struct connection *holder = worker_find(t->holder_worker, t->holder_id);

    if (holder != NULL && alk_ssh_heard(alk_session_ssh(holder->session)) >= t->asked) {
        answer(t, false);
        return;
    }
    if (holder != NULL && alk_loop_now(t->holder_worker->loop) < t->asked + SIGN_OF_LIFE_MS) {
        alk_timer_set(t->timer, LOOK_MS);
        return;
    }
    if (holder != NULL) {
        remote_close_all(holder);
        connection_end(holder, "another session with the same key took over");
    }
    answer(t, true);
}

static void ask_holder(void *user)
{
    struct takeover *t = user;
    struct connection *holder = worker_find(t->holder_worker, t->holder_id);

    if (holder == NULL || alk_timer_new(&t->timer, t->holder_worker->loop, look, t) != ALK_OK) {
        answer(t, holder == NULL);
        return;
    }
    LIST_INSERT_HEAD(&t->holder_worker->takeovers, t, entry);
    t->asked = alk_loop_now(t->holder_worker->loop);
    alk_ssh_probe(alk_session_ssh(holder->session));
    alk_session_touch(holder->session);
    alk_timer_set(t->timer, LOOK_MS);
}

void takeover_end_all(struct worker *worker)
{
    while (!LIST_EMPTY(&worker->takeovers))
        answer(LIST_FIRST(&worker->takeovers), false);
}

bool takeover_start(struct connection *newcomer, const struct alk_ssh_event *event)
{
    struct takeover *t = calloc(1, sizeof(*t));

    if (t == NULL)
        return false;
    t->newcomer_worker = newcomer->worker;
    t->newcomer_id = newcomer->id;
    if (find_holder(t, newcomer, event) &&
        alk_loop_post(t->holder_worker->loop, ask_holder, t) == ALK_OK)
        return true;
    free(t);
    return false;
}
