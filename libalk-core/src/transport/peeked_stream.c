#include "transport/peeked_stream.h"

#include <alk/loop.h>
#include <alk/status.h>
#include <alk/stream.h>

#include <sodium.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct peeked_stream {
    struct alk_stream base;
    struct alk_stream_ops ops; /* those of this stream: the transport is that of below */
    struct alk_stream *below;
    struct alk_deferred *tell; /* that there are peeked bytes to read */
    unsigned interest;
    size_t len, taken;
    unsigned char data[]; /* what was peeked */
};

static bool has_peeked(const struct peeked_stream *s)
{
    return s->taken < s->len;
}

/* The stream below is not to tell of what cannot be read yet. */
static void watch_below(struct peeked_stream *s)
{
    alk_stream_watch(s->below, has_peeked(s) ? s->interest & ~(unsigned)ALK_READABLE : s->interest);
}

static ssize_t stream_readv(struct alk_stream *base, const struct iovec *parts, int count)
{
    struct peeked_stream *s = (struct peeked_stream *)base;
    size_t before = s->taken;

    if (!has_peeked(s))
        return alk_stream_readv(s->below, parts, count);
    for (int i = 0; i < count && has_peeked(s); i++) {
        size_t n = s->len - s->taken < parts[i].iov_len ? s->len - s->taken : parts[i].iov_len;
        memcpy(parts[i].iov_base, s->data + s->taken, n);
        s->taken += n;
    }
    if (!has_peeked(s))
        watch_below(s);
    return s->taken > before ? (ssize_t)(s->taken - before) : ALK_E_INVAL;
}

static ssize_t stream_read(struct alk_stream *base, void *data, size_t len)
{
    struct iovec part = {.iov_base = data, .iov_len = len};

    return stream_readv(base, &part, 1);
}

static ssize_t stream_writev(struct alk_stream *base, const struct iovec *parts, int count)
{
    return alk_stream_writev(((struct peeked_stream *)base)->below, parts, count);
}

static int stream_finish(struct alk_stream *base)
{
    return alk_stream_finish(((struct peeked_stream *)base)->below);
}

static bool wants_peeked(const struct peeked_stream *s)
{
    return has_peeked(s) && (s->interest & ALK_READABLE) != 0;
}

static void stream_watch(struct alk_stream *base, unsigned interest)
{
    struct peeked_stream *s = (struct peeked_stream *)base;

    s->interest = interest;
    watch_below(s);
    if (wants_peeked(s))
        alk_deferred_schedule(s->tell);
}

static void tell(void *user)
{
    struct peeked_stream *s = user;

    if (!wants_peeked(s) || s->base.on_ready == NULL)
        return;
    alk_deferred_schedule(s->tell); /* until they are taken; a closed stream has no task */
    s->base.on_ready(&s->base, ALK_READABLE, s->base.user);
}

static void on_below(struct alk_stream *below, unsigned ready, void *user)
{
    struct peeked_stream *s = user;

    (void)below;
    if (s->base.on_ready != NULL)
        s->base.on_ready(&s->base, ready, s->base.user);
}

static struct alk_stream *take_apart(struct alk_stream *base)
{
    struct peeked_stream *s = (struct peeked_stream *)base;
    struct alk_stream *below = s->below;

    alk_deferred_free(s->tell);
    sodium_memzero(s->data, s->len);
    free(s);
    return below;
}

static void stream_close(struct alk_stream *base)
{
    alk_stream_close(take_apart(base));
}

static void stream_abort(struct alk_stream *base)
{
    alk_stream_abort(take_apart(base));
}

static void stream_limit_unsent(struct alk_stream *base, size_t bytes)
{
    alk_stream_limit_unsent(((struct peeked_stream *)base)->below, bytes);
}

static void stream_limit_unread(struct alk_stream *base, size_t bytes, unsigned path_us)
{
    alk_stream_limit_unread(((struct peeked_stream *)base)->below, bytes, path_us);
}

static const struct alk_stream_ops ops = {
    .read = stream_read,
    .readv = stream_readv,
    .writev = stream_writev,
    .finish = stream_finish,
    .watch = stream_watch,
    .close = stream_close,
    .abort = stream_abort,
    .limit_unsent = stream_limit_unsent,
    .limit_unread = stream_limit_unread,
};

int alk_peeked_stream_new(struct alk_stream **out, struct alk_stream *below, const void *data,
                          size_t len)
{
    if (len == 0) {
        *out = below;
        return ALK_OK;
    }
    struct peeked_stream *s = malloc(sizeof(*s) + len);
    if (s == NULL)
        return ALK_E_NOMEM;
    *s = (struct peeked_stream){.base = *below, .ops = ops, .below = below, .len = len};
    memcpy(s->data, data, len);
    s->ops.transport = below->ops->transport;
    s->base.ops = &s->ops;
    s->base.on_ready = NULL;
    if (alk_deferred_new(&s->tell, below->loop, tell, s) != ALK_OK) {
        free(s);
        return ALK_E_NOMEM;
    }
    alk_stream_watch(below, 0);
    alk_stream_set_handler(below, on_below, s);
    *out = &s->base;
    return ALK_OK;
}
