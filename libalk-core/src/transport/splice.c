#include "transport/splice.h"

#include <alk/status.h>
#include <alk/stream.h>

#include <stdbool.h>
#include <stdlib.h>

enum { ROOM = 32 * 1024 };

/* One direction. */
struct half {
    struct alk_stream *from, *to;
    bool ended, told; /* from has ended; to has been told */
    size_t have, sent;
    char data[ROOM];
};

struct alk_splice {
    struct alk_stream *streams[2];
    struct half halves[2];
    alk_splice_fn fn;
    void *user;
};

static void close_both(struct alk_splice *s)
{
    for (int i = 0; i < 2; i++) {
        alk_stream_close(s->streams[i]);
        s->streams[i] = NULL;
    }
}

/* Moves what can be moved; false when a stream is broken. */
static bool move(struct half *h)
{
    if (h->sent == h->have && !h->ended) {
        ssize_t n = alk_stream_read(h->from, h->data, sizeof(h->data));
        if (n < 0 && n != ALK_E_AGAIN)
            return false;
        h->ended = n == 0;
        h->sent = 0;
        h->have = n > 0 ? (size_t)n : 0;
    }
    if (h->sent < h->have) {
        ssize_t n = alk_stream_write(h->to, h->data + h->sent, h->have - h->sent);
        if (n < 0 && n != ALK_E_AGAIN)
            return false;
        h->sent += n > 0 ? (size_t)n : 0;
    }
    if (h->ended && !h->told && h->sent == h->have) {
        h->told = true;
        return alk_stream_finish(h->to) == ALK_OK;
    }
    return true;
}

/* What the streams are to tell of, seen from one of them. */
static unsigned interest(const struct half *from_here, const struct half *to_here)
{
    return (from_here->sent == from_here->have && !from_here->ended ? ALK_READABLE : 0U) |
           (to_here->sent < to_here->have ? ALK_WRITABLE : 0U);
}

static void on_ready(struct alk_stream *stream, unsigned ready, void *user)
{
    struct alk_splice *s = user;

    (void)stream;
    (void)ready;
    if (!move(&s->halves[0]) || !move(&s->halves[1]) || (s->halves[0].told && s->halves[1].told)) {
        close_both(s);
        s->fn(s->user);
        return;
    }
    alk_stream_watch(s->streams[0], interest(&s->halves[0], &s->halves[1]));
    alk_stream_watch(s->streams[1], interest(&s->halves[1], &s->halves[0]));
}

int alk_splice_new(struct alk_splice **out, struct alk_stream *one, struct alk_stream *other,
                   alk_splice_fn fn, void *user)
{
    struct alk_splice *s = calloc(1, sizeof(*s));

    if (s == NULL)
        return ALK_E_NOMEM;
    s->streams[0] = s->halves[0].from = s->halves[1].to = one;
    s->streams[1] = s->halves[1].from = s->halves[0].to = other;
    s->fn = fn;
    s->user = user;
    for (int i = 0; i < 2; i++) {
        alk_stream_set_handler(s->streams[i], on_ready, s);
        alk_stream_watch(s->streams[i], ALK_READABLE);
    }
    *out = s;
    return ALK_OK;
}

void alk_splice_free(struct alk_splice *s)
{
    if (s == NULL)
        return;
    close_both(s);
    free(s);
}
