#include "server/internal.h"

#include <stdlib.h>

int worker_init(struct worker *worker, struct alk_server *server)
{
    worker->server = server;
    LIST_INIT(&worker->connections);
    LIST_INIT(&worker->takeovers);
    return alk_loop_new(&worker->loop);
}

int worker_add_listener(struct worker *worker, struct alk_listener *listener)
{
    size_t size = (worker->listener_count + 1) * sizeof(listener);
    struct alk_listener **listeners = realloc(worker->listeners, size);

    if (listeners == NULL)
        return ALK_E_NOMEM;
    listeners[worker->listener_count++] = listener;
    worker->listeners = listeners;
    return ALK_OK;
}

static void on_accept(void *user, struct alk_stream *stream)
{
    connection_start(user, stream);
}

static void *run(void *user)
{
    struct worker *worker = user;

    alk_loop_run(worker->loop);
    return NULL;
}

int worker_start(struct worker *worker)
{
    for (unsigned i = 0; i < worker->listener_count; i++) {
        int status = alk_listener_start(worker->listeners[i], worker->loop, on_accept, worker);
        if (status != ALK_OK)
            return status;
    }
    if (pthread_create(&worker->thread, NULL, run, worker) != 0)
        return ALK_E_LIMIT;
    worker->running = true;
    return ALK_OK;
}

static void close_listeners(struct worker *worker)
{
    for (unsigned i = 0; i < worker->listener_count; i++)
        alk_listener_close(worker->listeners[i]);
    worker->listener_count = 0;
}

void worker_connection_gone(struct worker *worker)
{
    if (worker->stopping && LIST_EMPTY(&worker->connections))
        alk_loop_stop(worker->loop);
}

struct connection *worker_find(struct worker *worker, uint64_t connection_id)
{
    struct connection *connection;

    LIST_FOREACH(connection, &worker->connections, entry)
    {
        if (connection->id == connection_id)
            return connection;
    }
    return NULL;
}

const struct snapshot *worker_snapshot(struct worker *worker)
{
    unsigned generation = atomic_load(&worker->server->generation);

    if (worker->present == NULL || worker->generation != generation) {
        snapshot_release(worker->present);
        worker->present = server_snapshot(worker->server);
        worker->generation = generation;
    }
    return worker->present;
}

static void rejudge(void *user)
{
    struct worker *worker = user;
    struct connection *connection;

    LIST_FOREACH(connection, &worker->connections, entry)
    login_rejudge(connection);
}

int worker_rejudge(struct worker *worker)
{
    return worker->running ? alk_loop_post(worker->loop, rejudge, worker) : ALK_OK;
}

static void stop(void *user)
{
    struct worker *worker = user;
    struct connection *connection;

    worker->stopping = true;
    close_listeners(worker);
    LIST_FOREACH(connection, &worker->connections, entry)
    connection_end(connection, "the server is shutting down");
    worker_connection_gone(worker);
}

void worker_stop(struct worker *worker)
{
    if (worker->running && alk_loop_post(worker->loop, stop, worker) != ALK_OK)
        alk_loop_stop(worker->loop);
}

void worker_join(struct worker *worker)
{
    if (!worker->running)
        return;
    pthread_join(worker->thread, NULL);
    worker->running = false;
}

void worker_free(struct worker *worker)
{
    close_listeners(worker);
    takeover_end_all(worker);
    snapshot_release(worker->present);
    free(worker->listeners);
    alk_loop_free(worker->loop);
}
