#include "interface/decoy_session.h"

#include <alk/loop.h>
#include <alk/status.h>
#include <alk/stream.h>

#include <stdlib.h>

enum {
    CHUNK = 4096,
    SEND_MS = 60000,     /* for the client to read the last answer */
    OUT_MAX = 16 * 1024, /* of answers that the client does not read; then nothing more is read */
    LINGER_MS = 5000,    /* after the end: what the client still sends is read, lest the system
                            answers it with a reset and the last answer is lost */
};

struct alk_decoy_session {
    struct alk_decoy *decoy;
    struct alk_stream *stream; /* NULL: over */
    struct alk_timer *timer;
    struct alk_buffer out;
    bool lingering;
    alk_decoy_session_fn fn;
    void *user;
    size_t have, taken; /* of data */
    unsigned char data[CHUNK];
};

static void close_stream(struct alk_decoy_session *s)
{
    alk_stream_close(s->stream);
    s->stream = NULL;
    alk_timer_clear(s->timer);
}

/* Nothing may follow: fn frees the session. */
static void finish(struct alk_decoy_session *s)
{
    close_stream(s);
    s->fn(s->user);
}

static bool has_room(const struct alk_decoy_session *s)
{
    return alk_buffer_len(&s->out) + ALK_DECOY_RESPONSE_MAX <= OUT_MAX;
}

/* False when the stream is broken. */
static bool write_out(struct alk_decoy_session *s)
{
    while (alk_buffer_len(&s->out) > 0) {
        ssize_t n = alk_stream_write(s->stream, alk_buffer_head(&s->out), alk_buffer_len(&s->out));
        if (n == ALK_E_AGAIN)
            return true;
        if (n < 0)
            return false;
        alk_buffer_consume(&s->out, (size_t)n);
    }
    return true;
}

static void think(struct alk_decoy_session *s)
{
    uint64_t now = alk_loop_now(s->stream->loop);
    time_t wall = time(NULL);

    while (s->taken < s->have && has_room(s) && alk_decoy_end(s->decoy) == ALK_DECOY_OPEN)
        s->taken +=
            alk_decoy_feed(s->decoy, s->data + s->taken, s->have - s->taken, now, wall, &s->out);
}

/* Waits for what may happen next. */
static void watch(struct alk_decoy_session *s)
{
    uint64_t now = alk_loop_now(s->stream->loop), deadline = alk_decoy_deadline(s->decoy);
    bool writing = alk_buffer_len(&s->out) > 0;

    alk_stream_watch(s->stream,
                     (writing ? ALK_WRITABLE : 0U) | (s->taken == s->have ? ALK_READABLE : 0U));
    if (alk_decoy_end(s->decoy) != ALK_DECOY_OPEN)
        alk_timer_set(s->timer, SEND_MS);
    else
        alk_timer_set(s->timer, deadline > now ? deadline - now : 0);
}

static void begin_to_linger(struct alk_decoy_session *s)
{
    s->lingering = true;
    s->taken = s->have = 0;
    if (alk_stream_finish(s->stream) != ALK_OK) {
        finish(s);
        return;
    }
    alk_stream_watch(s->stream, ALK_READABLE);
    alk_timer_set(s->timer, LINGER_MS);
}

static void go_on(struct alk_decoy_session *s)
{
    do {
        think(s);
        if (!write_out(s)) {
            finish(s);
            return;
        }
    } while (s->taken < s->have && has_room(s) && alk_decoy_end(s->decoy) == ALK_DECOY_OPEN);
    if (alk_decoy_end(s->decoy) == ALK_DECOY_OPEN || alk_buffer_len(&s->out) > 0)
        watch(s);
    else if (alk_decoy_end(s->decoy) == ALK_DECOY_CLOSE)
        begin_to_linger(s);
    else
        finish(s);
}

static void on_ready(struct alk_stream *stream, unsigned ready, void *user)
{
    struct alk_decoy_session *s = user;

    (void)ready;
    if (s->taken == s->have) {
        ssize_t n = alk_stream_read(stream, s->data, sizeof(s->data));
        if (n <= 0 && n != ALK_E_AGAIN) {
            finish(s);
            return;
        }
        s->taken = 0;
        s->have = n > 0 && !s->lingering ? (size_t)n : 0;
    }
    if (!s->lingering)
        go_on(s);
}

static void on_timer(void *user)
{
    struct alk_decoy_session *s = user;

    if (s->lingering || alk_decoy_end(s->decoy) != ALK_DECOY_OPEN) {
        finish(s);
        return;
    }
    alk_decoy_tick(s->decoy, alk_loop_now(s->stream->loop));
    go_on(s);
}

void alk_decoy_session_free(struct alk_decoy_session *s)
{
    if (s == NULL)
        return;
    if (s->stream != NULL)
        close_stream(s);
    alk_timer_free(s->timer);
    alk_buffer_free(&s->out);
    alk_decoy_free(s->decoy);
    free(s);
}

int alk_decoy_session_new(struct alk_decoy_session **out, struct alk_stream *stream,
                          const char *server, bool secure, uint64_t since, alk_decoy_session_fn fn,
                          void *user)
{
    struct alk_decoy_session *s = calloc(1, sizeof(*s));

    if (s == NULL)
        return ALK_E_NOMEM;
    s->out = alk_buffer(OUT_MAX);
    if (alk_decoy_new(&s->decoy, server, secure, since) != ALK_OK ||
        alk_timer_new(&s->timer, stream->loop, on_timer, s) != ALK_OK) {
        alk_decoy_session_free(s);
        return ALK_E_NOMEM;
    }
    s->fn = fn;
    s->user = user;
    s->stream = stream;
    alk_stream_set_handler(stream, on_ready, s);
    watch(s);
    *out = s;
    return ALK_OK;
}
