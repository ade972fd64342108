#include "server/internal.h"

#include <stdlib.h>

int worker_init(struct worker *worker, struct alk_server *server)
{
    worker->server = server;
    LIST_INIT(&worker->connections);
    LIST_INIT(&worker->takeovers);
    return alk_loop_new(&worker->loop);
}

int worker_add_listener(struct worker *worker, struct alk_listener *listener,
                        const struct alk_listen_options *options)
{
    size_t size = (worker->port_count + 1) * sizeof(struct port *);
    struct port **ports = realloc(worker->ports, size);
    struct port *port = malloc(sizeof(*port));

    if (ports != NULL)
        worker->ports = ports;
    if (ports == NULL || port == NULL) {
        free(port);
        return ALK_E_NOMEM;
    }
    *port = (struct port){.worker = worker, .listener = listener, .options = *options};
    ports[worker->port_count++] = port;
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
    for (unsigned i = 0; i < worker->port_count; i++) {
        struct port *port = worker->ports[i];
        int status = alk_listener_start(port->listener, worker->loop, on_accept, port);
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
    for (unsigned i = 0; i < worker->port_count; i++) {
        alk_listener_close(worker->ports[i]->listener);
        worker->ports[i]->listener = NULL;
    }
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
    struct connection *connection = LIST_FIRST(&worker->connections), *next;

    worker->stopping = true;
    close_listeners(worker);
    if (worker == worker->server->workers)
        status_port_close(worker->server->status_port);
    for (; connection != NULL; connection = next) {
        next = LIST_NEXT(connection, entry); /* it may be gone after this */
        connection_end(connection, "the server is shutting down");
    }
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
    for (unsigned i = 0; i < worker->port_count; i++)
        free(worker->ports[i]);
    free(worker->ports);
    alk_loop_free(worker->loop);
}
