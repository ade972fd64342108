/* A Unix socket that answers each connection with one text, and closes it. It is served by the loop
 * of the first worker, so its readers are few and have little time. */
#include "server/internal.h"
#include "transport/bind.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    READERS_MAX = 8,
    READER_MS = 5000, /* to take all of it */
};

struct reader {
    LIST_ENTRY(reader) entry;
    struct status_port *port;
    struct alk_stream *stream;
    struct alk_timer *timer;
    char *text;
    size_t len, sent;
};

struct status_port {
    struct alk_listener *listener;
    struct alk_loop *loop;
    alk_status_text_fn text;
    void *user;
    LIST_HEAD(, reader) readers;
    unsigned count;
};

/* ---- readers ---- */

static void reader_free(struct reader *reader)
{
    LIST_REMOVE(reader, entry);
    reader->port->count--;
    alk_timer_free(reader->timer);
    alk_stream_close(reader->stream);
    free(reader->text);
    free(reader);
}

/* It was too slow. What it has got so far is no whole text, and it can tell. */
static void on_timer(void *user)
{
    reader_free(user);
}

static void on_ready(struct alk_stream *stream, unsigned ready, void *user)
{
    struct reader *reader = user;
    ssize_t n = 1;

    (void)ready;
    while (reader->sent < reader->len && n > 0) {
        n = alk_stream_write(stream, reader->text + reader->sent, reader->len - reader->sent);
        reader->sent += n > 0 ? (size_t)n : 0;
    }
    if (reader->sent == reader->len || (n < 0 && n != ALK_E_AGAIN))
        reader_free(reader);
}

static void on_accept(void *user, struct alk_stream *stream)
{
    struct status_port *port = user;
    struct reader *reader = port->count < READERS_MAX ? calloc(1, sizeof(*reader)) : NULL;

    if (reader == NULL) {
        alk_stream_close(stream);
        return;
    }
    reader->port = port;
    reader->stream = stream;
    LIST_INSERT_HEAD(&port->readers, reader, entry);
    port->count++;
    reader->text = port->text(port->user, &reader->len);
    if (reader->text == NULL ||
        alk_timer_new(&reader->timer, port->loop, on_timer, reader) != ALK_OK ||
        alk_timer_set(reader->timer, READER_MS) != ALK_OK) {
        reader_free(reader);
        return;
    }
    alk_stream_set_handler(stream, on_ready, reader);
    alk_stream_watch(stream, ALK_WRITABLE);
}

/* ---- the port ---- */

int alk_server_serve_status(struct alk_server *server, const char *path, alk_status_text_fn text,
                            void *user, struct alk_error *error)
{
    char place[ALK_ADDRESS_TEXT];
    struct alk_address address;

    if (server->started || server->status_port != NULL)
        return alk_error_set(error, ALK_E_INVAL, "there is a status socket already");
    if (snprintf(place, sizeof(place), "unix:%s", path) >= (int)sizeof(place))
        return alk_error_set(error, ALK_E_PARSE,
                             "the path of the status socket is longer than %d bytes",
                             (int)ALK_PATH_MAX);
    int status = alk_address_parse_listen(place, &address, error);
    if (status == ALK_OK)
        status = alk_bind_check_path(path, error);
    if (status != ALK_OK || server->options.dry_run)
        return status;
    struct status_port *port = calloc(1, sizeof(*port));
    if (port == NULL)
        return alk_error_set(error, ALK_E_NOMEM, "out of memory");
    *port = (struct status_port){.text = text, .user = user};
    LIST_INIT(&port->readers);
    status = alk_listener_new(&port->listener, &address, server->options.log, error);
    if (status == ALK_OK)
        server->status_port = port;
    else
        free(port);
    return status;
}

int status_port_start(struct status_port *port, struct worker *worker)
{
    if (port == NULL)
        return ALK_OK;
    port->loop = worker->loop;
    return alk_listener_start(port->listener, port->loop, on_accept, port);
}

void status_port_close(struct status_port *port)
{
    if (port == NULL)
        return;
    alk_listener_close(port->listener);
    port->listener = NULL;
    while (!LIST_EMPTY(&port->readers))
        reader_free(LIST_FIRST(&port->readers));
}

void status_port_free(struct status_port *port)
{
    status_port_close(port);
    free(port);
}
