#include "transport/tls_stream.h"
#include "base/buffer.h"
#include "base/guest.h"
#include "transport/tls.h"

#include <alk/loop.h>
#include <alk/status.h>
#include <alk/stream.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BATCH = 3 * (ALK_TLS_RECORD + ALK_TLS_OVERHEAD), /* go down in one write */
    /* What a batch may leave, and what the protocol itself has to say to a peer that does not
     * read. */
    SEALED_MOST = BATCH + 64 * 1024,
    FAREWELL_MS = 5000, /* for the last bytes of a closed stream */
};

/* Sealed bytes of the stream that is being called, until the call ends: one block for a thread
 * stays in the cache, and idle streams need none. A stream below that is TLS too finds it taken,
 * and does without. */
struct batch {
    const struct tls_stream *owner; /* NULL: free */
    size_t len;
    uint8_t bytes[BATCH];
};
static _Thread_local struct batch batch;

enum phase { SHAKING, OPEN, LEAVING };

struct tls_stream {
    struct alk_stream base;
    struct alk_stream *lower;
    struct alk_tls *tls;
    struct alk_buffer sealed; /* what the stream below has not taken */
    struct alk_timer *timer;  /* bounds the handshake, and the farewell; in between: again */
    struct alk_deferred *again;
    struct alk_loop_guest guest; /* while leaving */
    enum phase phase;
    unsigned interest, lower_interest;
    int broken;     /* the stream below takes no more, and why */
    bool more;      /* a read would find something without the stream below */
    bool look_only; /* at what is here: the stream below is not to be read now */
    bool finished;  /* our farewell is said */
    bool shut;      /* and the stream below told that no more follows */
    alk_tls_fn fn;  /* of the handshake */
    void *user;
};

static void set_lower_interest(struct tls_stream *s);
static void on_again(void *user);

/* ---- bytes, between the library and the stream below ---- */

static ssize_t receive(void *user, void *data, size_t len)
{
    struct tls_stream *s = user;

    return s->look_only ? ALK_E_AGAIN : alk_stream_read(s->lower, data, len);
}

/* Writes until all is taken, or no more is; returns what was. */
static size_t write_lower(struct tls_stream *s, const uint8_t *data, size_t len)
{
    size_t done = 0;

    while (s->broken == ALK_OK && done < len) {
        ssize_t n = alk_stream_write(s->lower, data + done, len - done);
        if (n == ALK_E_AGAIN)
            break;
        if (n < 0)
            s->broken = (int)n;
        else
            done += (size_t)n;
    }
    return done;
}

/* What was sealed before goes first. */
static void send_batch(struct tls_stream *s)
{
    size_t done = 0, len = batch.len;

    if (alk_buffer_len(&s->sealed) == 0)
        done = write_lower(s, batch.bytes, len);
    if (s->broken == ALK_OK && done < len &&
        alk_buffer_append(&s->sealed, batch.bytes + done, len - done) != ALK_OK)
        s->broken = ALK_E_LIMIT;
    batch.len = 0;
    batch.owner = NULL;
}

static ssize_t keep_sealed(struct tls_stream *s, const void *data, size_t len)
{
    int status = alk_buffer_append(&s->sealed, data, len);

    return status == ALK_OK ? (ssize_t)len : status == ALK_E_LIMIT ? ALK_E_AGAIN : status;
}

static ssize_t send_sealed(void *user, const void *data, size_t len)
{
    struct tls_stream *s = user;

    if (len > sizeof(batch.bytes))
        return ALK_E_INVAL; /* no record is as long */
    if (batch.owner != NULL && batch.owner != s)
        return s->broken != ALK_OK ? s->broken : keep_sealed(s, data, len);
    if (len > sizeof(batch.bytes) - batch.len)
        send_batch(s);
    if (s->broken != ALK_OK)
        return s->broken;
    /* a batch always fits behind what waits */
    if (alk_buffer_len(&s->sealed) + batch.len + len > SEALED_MOST)
        return ALK_E_AGAIN;
    batch.owner = s;
    memcpy(batch.bytes + batch.len, data, len);
    batch.len += len;
    return (ssize_t)len;
}

static bool all_is_sent(const struct tls_stream *s)
{
    return s->broken != ALK_OK || alk_buffer_len(&s->sealed) == 0;
}

/* At the end of each call that may have sealed something, and when the stream below is ready. */
static void flush(struct tls_stream *s)
{
    size_t len = alk_buffer_len(&s->sealed);

    if (len > 0) {
        alk_buffer_consume(&s->sealed, write_lower(s, alk_buffer_head(&s->sealed), len));
        alk_buffer_trim(&s->sealed);
    }
    if (batch.owner == s)
        send_batch(s);
    if (!all_is_sent(s))
        return;
    if (s->finished && !s->shut && s->broken == ALK_OK) {
        s->shut = true;
        (void)alk_stream_finish(s->lower);
    }
}

/* ---- life ---- */

static void destroy(struct tls_stream *s)
{
    if (batch.owner == s) {
        batch.len = 0;
        batch.owner = NULL;
    }
    alk_timer_free(s->timer);
    alk_deferred_free(s->again);
    alk_tls_free(s->tls);
    alk_buffer_free(&s->sealed);
    alk_stream_close(s->lower);
    free(s);
}

/* ---- the stream ---- */

static ssize_t stream_read(struct alk_stream *base, void *data, size_t len)
{
    struct tls_stream *s = (struct tls_stream *)base;
    ssize_t n = alk_tls_read(s->tls, data, len);

    s->more = n > 0 && (size_t)n == len && alk_tls_has_input(s->tls);
    flush(s); /* the protocol's own answers */
    set_lower_interest(s);
    return n;
}

/* Small parts share a record. Returns what of the parts from *index, *offset on was sealed. */
static ssize_t seal_some(struct tls_stream *s, const struct iovec *parts, int count, int *index,
                         size_t *offset)
{
    uint8_t together[ALK_TLS_RECORD];
    size_t len = 0;

    while (*index < count && *offset == parts[*index].iov_len) {
        ++*index;
        *offset = 0;
    }
    if (*index == count)
        return 0;
    const uint8_t *first = (const uint8_t *)parts[*index].iov_base + *offset;
    size_t left = parts[*index].iov_len - *offset;
    if (left >= sizeof(together) || *index + 1 == count) {
        ssize_t n = alk_tls_write(s->tls, first, left);
        *offset += n > 0 ? (size_t)n : 0;
        return n;
    }
    while (*index < count && len < sizeof(together)) {
        size_t piece = parts[*index].iov_len - *offset;
        if (piece > sizeof(together) - len)
            piece = sizeof(together) - len;
        memcpy(together + len, (const uint8_t *)parts[*index].iov_base + *offset, piece);
        len += piece;
        *offset += piece;
        if (*offset == parts[*index].iov_len) {
            ++*index;
            *offset = 0;
        }
    }
    return alk_tls_write(s->tls, together, len); /* all: it is no more than a record */
}

static ssize_t stream_writev(struct alk_stream *base, const struct iovec *parts, int count)
{
    struct tls_stream *s = (struct tls_stream *)base;
    size_t done = 0, offset = 0;
    int index = 0;
    ssize_t n = 1; /* 0 when all is taken */

    if (s->broken != ALK_OK)
        return s->broken;
    if (s->finished)
        return ALK_E_INVAL;
    flush(s);
    /* while nothing waits there is room for a whole record, so none has to be given twice */
    while (all_is_sent(s) && (n = seal_some(s, parts, count, &index, &offset)) > 0)
        done += (size_t)n;
    flush(s);
    set_lower_interest(s);
    if (done > 0 || n == 0)
        return (ssize_t)done;
    return s->broken != ALK_OK ? s->broken : n > 0 ? ALK_E_AGAIN : n;
}

static int stream_finish(struct alk_stream *base)
{
    struct tls_stream *s = (struct tls_stream *)base;
    int status = s->finished ? ALK_OK : alk_tls_finish(s->tls);

    s->finished = true;
    s->look_only = false; /* who ends it may want to read all that has come */
    flush(s);
    set_lower_interest(s);
    return status;
}

static void report(struct tls_stream *s, unsigned ready)
{
    ready &= s->interest;
    if (ready != 0 && s->base.on_ready != NULL)
        s->base.on_ready(&s->base, ready, s->base.user);
}

static void stream_watch(struct alk_stream *base, unsigned interest)
{
    struct tls_stream *s = (struct tls_stream *)base;

    s->interest = interest;
    set_lower_interest(s);
}

static void set_lower_interest(struct tls_stream *s)
{
    unsigned interest = 0;

    if (alk_buffer_len(&s->sealed) > 0 && s->broken == ALK_OK)
        interest |= ALK_WRITABLE;
    if (s->phase == SHAKING)
        interest |= ALK_READABLE;
    if (s->phase == OPEN) {
        interest |= s->interest & ALK_WRITABLE;
        if ((s->interest & ALK_READABLE) != 0 && s->more)
            alk_deferred_schedule(s->again);
        else
            interest |= s->interest & ALK_READABLE;
    }
    if (interest != s->lower_interest) {
        s->lower_interest = interest;
        alk_stream_watch(s->lower, interest);
    }
}

static void stream_abort(struct alk_stream *base)
{
    struct tls_stream *s = (struct tls_stream *)base;

    alk_stream_abort(s->lower);
    s->lower = NULL;
    destroy(s);
}

static void leave(struct tls_stream *s)
{
    alk_loop_see_off(&s->guest);
    destroy(s);
}

static void on_loop_end(struct alk_loop_guest *guest)
{
    leave((struct tls_stream *)((char *)guest - offsetof(struct tls_stream, guest)));
}

/* What was written still goes out, as with a socket: the stream sees to it alone. */
static void stream_close(struct alk_stream *base)
{
    struct tls_stream *s = (struct tls_stream *)base;

    if (s->phase == OPEN && !s->finished)
        (void)stream_finish(base);
    if (all_is_sent(s)) {
        destroy(s);
        return;
    }
    s->phase = LEAVING;
    s->guest.end = on_loop_end;
    alk_loop_take_in(base->loop, &s->guest);
    if (alk_timer_set(s->timer, FAREWELL_MS) != ALK_OK) {
        leave(s);
        return;
    }
    set_lower_interest(s);
}

static void stream_limit_unsent(struct alk_stream *base, size_t bytes)
{
    alk_stream_limit_unsent(((struct tls_stream *)base)->lower, bytes);
}

static void stream_limit_unread(struct alk_stream *base, size_t bytes, unsigned path_us)
{
    alk_stream_limit_unread(((struct tls_stream *)base)->lower, bytes, path_us);
}

static const struct alk_stream_ops tls_ops = {
    .transport = "tls",
    .read = stream_read,
    .writev = stream_writev,
    .finish = stream_finish,
    .watch = stream_watch,
    .close = stream_close,
    .abort = stream_abort,
    .limit_unsent = stream_limit_unsent,
    .limit_unread = stream_limit_unread,
};

/* ---- the handshake ---- */

static void give_up(struct tls_stream *s, int status, const char *why)
{
    alk_tls_fn fn = s->fn;
    void *user = s->user;
    char text[sizeof(((struct alk_error *)0)->text)];

    snprintf(text, sizeof(text), "%s", why);
    stream_close(&s->base); /* an alert may still be on its way */
    fn(user, status, NULL, text);
}

static void shake(struct tls_stream *s)
{
    int status = alk_tls_handshake(s->tls);

    flush(s);
    if (status == ALK_OK) {
        s->phase = OPEN;
        s->more = alk_tls_has_input(s->tls);
        alk_timer_clear(s->timer);
        set_lower_interest(s);
        s->fn(s->user, ALK_OK, &s->base, "");
    } else if (status != ALK_E_AGAIN) {
        give_up(s, status, alk_tls_error(s->tls));
    } else if (s->broken != ALK_OK) {
        give_up(s, s->broken, alk_status_text(s->broken));
    } else {
        set_lower_interest(s);
    }
}

static void on_timer(void *user)
{
    struct tls_stream *s = user;

    if (s->phase == LEAVING)
        leave(s);
    else if (s->phase == OPEN)
        on_again(s);
    else
        give_up(s, ALK_E_TIMEOUT, "the peer did not finish the TLS handshake in time");
}

/* ---- events ---- */

/* Only for what is here already, so that a peer who sends on and on cannot keep the loop here. Who
 * does not read now is told again in the loop's next round. */
static void on_again(void *user)
{
    struct tls_stream *s = user;

    if (s->phase == SHAKING) {
        shake(s);
    } else if (s->phase == OPEN && s->more && (s->interest & ALK_READABLE) != 0) {
        s->look_only = true;
        (void)alk_timer_set(s->timer, 0);
        report(s, ALK_READABLE);
    }
}

static void on_lower(struct alk_stream *lower, unsigned ready, void *user)
{
    struct tls_stream *s = user;

    (void)lower;
    s->look_only = false;
    if ((ready & ALK_WRITABLE) != 0)
        flush(s);
    if (s->phase == SHAKING) {
        shake(s);
    } else if (s->phase == LEAVING) {
        if (all_is_sent(s))
            leave(s);
    } else {
        if (!all_is_sent(s)) /* no room for more */
            ready &= ~(unsigned)ALK_WRITABLE;
        set_lower_interest(s);
        report(s, ready);
    }
}

static int set_up(struct tls_stream *s, struct alk_tls_context *context, const char *server_name,
                  uint64_t timeout_ms)
{
    const struct alk_tls_io io = {.receive = receive, .send = send_sealed, .user = s};
    struct alk_loop *loop = s->base.loop;
    int status = alk_timer_new(&s->timer, loop, on_timer, s);

    if (status == ALK_OK)
        status = alk_deferred_new(&s->again, loop, on_again, s);
    if (status == ALK_OK)
        status = alk_tls_new(&s->tls, context, server_name, &io);
    return status == ALK_OK ? alk_timer_set(s->timer, timeout_ms) : status;
}

int alk_tls_handshake_start(struct alk_tls_handshake **out, struct alk_stream *lower,
                            struct alk_tls_context *context, const char *server_name,
                            uint64_t timeout_ms, alk_tls_fn fn, void *user)
{
    struct tls_stream *s = calloc(1, sizeof(*s));

    if (s == NULL)
        return ALK_E_NOMEM;
    s->base = (struct alk_stream){.ops = &tls_ops, .loop = lower->loop};
    memcpy(s->base.peer, lower->peer, sizeof(s->base.peer));
    s->base.peer_port = lower->peer_port;
    s->sealed = alk_buffer(SEALED_MOST);
    s->fn = fn;
    s->user = user;
    int status = set_up(s, context, server_name, timeout_ms);
    if (status != ALK_OK) {
        destroy(s); /* without lower */
        return status;
    }
    s->lower = lower;
    alk_stream_set_handler(lower, on_lower, s);
    alk_deferred_schedule(s->again);
    *out = (struct alk_tls_handshake *)s;
    return ALK_OK;
}

void alk_tls_handshake_cancel(struct alk_tls_handshake *handshake)
{
    if (handshake != NULL)
        destroy((struct tls_stream *)handshake);
}

void alk_tls_stream_describe(const struct alk_stream *stream, char *out, unsigned size)
{
    const struct tls_stream *s = (const struct tls_stream *)stream;

    snprintf(out, size, "%s %s", alk_tls_version(s->tls), alk_tls_cipher(s->tls));
}
