/* A port that looks like a web server: nothing is said before the client has begun as an SSH
 * client does; whoever does not meets the decoy, or the web server behind. Time-outs are nginx's. */
#include "server/internal.h"

#include "interface/decoy_session.h"
#include "transport/dial.h"
#include "transport/peek.h"
#include "transport/peeked_stream.h"
#include "transport/splice.h"

#include <stdlib.h>
#include <string.h>

enum { HEADER_MS = 60000 };

struct stealth {
    struct connection *connection;
    struct alk_stream *stream; /* while it is ours to read */
    struct alk_timer *timer;
    bool secure; /* TLS has been established */
    uint8_t peeked[ALK_PEEK_MAX];
    size_t len;
    struct alk_decoy_session *decoy;
    struct alk_dial *dial;
    struct alk_splice *splice;
};

void stealth_free(struct stealth *s)
{
    if (s == NULL)
        return;
    alk_stream_close(s->stream);
    alk_timer_free(s->timer);
    alk_decoy_session_free(s->decoy);
    alk_dial_cancel(s->dial);
    alk_splice_free(s->splice);
    free(s);
}

static void on_web_end(void *user)
{
    struct stealth *s = user;

    connection_abandon(s->connection, "no SSH client");
}

/* ---- the web server behind, and the decoy ---- */

static void on_dialled(void *user, int status, struct alk_stream *backend, const char *cause)
{
    struct stealth *s = user;

    (void)cause;
    s->dial = NULL;
    if (status == ALK_OK)
        status = alk_splice_new(&s->splice, s->stream, backend, on_web_end, s);
    if (status == ALK_OK) {
        s->stream = NULL;
        return;
    }
    alk_stream_close(backend);
    alk_log(s->connection->worker->server->options.log, ALK_LOG_WARN,
            "the stealth backend cannot be reached", "reason", alk_status_text(status), NULL);
    connection_abandon(s->connection, "no SSH client");
}

static int start_web(struct stealth *s)
{
    struct alk_server *server = s->connection->worker->server;
    struct alk_dial_options target = {
        .host = server->stealth_backend.host,
        .port = server->stealth_backend.port,
        .timeout_ms = server->options.connect_timeout_s * 1000ULL,
        .resolver = server->resolver,
    };
    int status;

    /* the backend speaks plain HTTP, so what came without TLS is not for it */
    if (s->secure && target.host[0] != '\0')
        return alk_dial_start(&s->dial, s->stream->loop, &target, on_dialled, s);
    status = alk_decoy_session_new(&s->decoy, s->stream, server->stealth_server, s->secure,
                                   s->connection->opened, on_web_end, s);
    if (status == ALK_OK)
        s->stream = NULL;
    return status;
}

/* ---- what comes first ---- */

static void start_tls(struct stealth *s)
{
    struct connection *c = s->connection;
    uint64_t gone = alk_loop_now(s->stream->loop) - c->opened;
    struct alk_stream *stream = s->stream;

    s->stream = NULL;
    s->len = 0;
    arrival_start_tls(c, stream, gone < HEADER_MS ? HEADER_MS - gone : 1);
}

static void start_ssh(struct stealth *s)
{
    struct connection *c = s->connection;
    struct alk_stream *stream = s->stream;

    s->stream = NULL;
    c->stealth = NULL;
    stealth_free(s);
    connection_serve_ssh(c, stream);
}

/* It is known, or will not get known any more: all that was read goes to who is to have it. */
static void decide(struct stealth *s, enum alk_peeked what)
{
    struct alk_stream *whole;

    alk_timer_clear(s->timer);
    alk_stream_watch(s->stream, 0);
    int status = alk_peeked_stream_new(&whole, s->stream, s->peeked, s->len);
    if (status == ALK_OK) {
        s->stream = whole;
        if (what == ALK_PEEKED_TLS) {
            start_tls(s);
            return;
        }
        if (what == ALK_PEEKED_SSH) {
            start_ssh(s);
            return;
        }
        status = start_web(s);
    }
    if (status != ALK_OK)
        connection_abandon(s->connection, alk_status_text(status));
}

static void on_ready(struct alk_stream *stream, unsigned ready, void *user)
{
    struct stealth *s = user;
    ssize_t n = alk_stream_read(stream, s->peeked + s->len, sizeof(s->peeked) - s->len);

    (void)ready;
    if (n == ALK_E_AGAIN)
        return;
    if (n <= 0) {
        connection_abandon(s->connection, "closed");
        return;
    }
    s->len += (size_t)n;
    enum alk_peeked what =
        s->secure ? alk_peek_ssh(s->peeked, s->len) : alk_peek_tls(s->peeked, s->len);
    if (what != ALK_PEEKED_MORE)
        decide(s, what);
}

/* A web server closes when nothing came, and would have complained of half an identification. */
static void on_timer(void *user)
{
    struct stealth *s = user;

    if (s->len > 0)
        decide(s, ALK_PEEKED_OTHER);
    else
        connection_abandon(s->connection, "nothing came");
}

static void peek(struct stealth *s, struct alk_stream *stream)
{
    uint64_t gone = alk_loop_now(stream->loop) - s->connection->opened;

    s->stream = stream;
    alk_stream_set_handler(stream, on_ready, s);
    alk_stream_watch(stream, ALK_READABLE);
    alk_timer_set(s->timer, gone < HEADER_MS ? HEADER_MS - gone : 0);
}

void stealth_start(struct connection *c, struct alk_stream *stream)
{
    struct stealth *s = calloc(1, sizeof(*s));

    if (s == NULL || alk_timer_new(&s->timer, stream->loop, on_timer, s) != ALK_OK) {
        free(s);
        alk_stream_close(stream);
        connection_abandon(c, "out of memory");
        return;
    }
    s->connection = c;
    c->stealth = s;
    peek(s, stream);
}

void stealth_go_on(struct connection *c, struct alk_stream *stream)
{
    c->stealth->secure = true;
    peek(c->stealth, stream);
}
