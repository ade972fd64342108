#include "tunnel/channel_stream.h"

#include "base/buffer.h"
#include "tunnel/open_failure.h"

#include <alk/loop.h>
#include <alk/status.h>
#include <alk/stream.h>

#include <stdlib.h>
#include <string.h>

enum {
    RECEIVED_MAX = 128 * 1024 * 1024, /* never reached: the channel's window is smaller */
    RECEIVED_KEEP = 256 * 1024,       /* an empty queue larger than this is given back */
};

struct channel_stream {
    struct alk_stream base;
    struct alk_channel_user user;
    struct alk_waiter waiter;
    struct alk_session *session;     /* good while there is a channel */
    struct alk_ssh_channel *channel; /* NULL once it is gone */
    struct alk_timer *timer;         /* bounds the opening; then: report again */
    struct alk_deferred *report;
    struct alk_buffer received;
    unsigned interest;
    int broken;     /* why nothing can be written, and read only what is here */
    bool ended;     /* as the other side said: nothing more will come */
    bool starved;   /* waits for the channel's window */
    alk_dial_fn fn; /* while it is being opened */
    void *fn_user;
};

static const struct alk_engine *engine_of(const struct channel_stream *s)
{
    return alk_session_engine(s->session);
}

static struct alk_ssh *ssh_of(const struct channel_stream *s)
{
    return alk_session_ssh(s->session);
}

/* ---- the end ---- */

/* The channel is gone, or not ours any more; the session may go too. */
static void forget_channel(struct channel_stream *s)
{
    alk_session_unwait(&s->waiter);
    s->channel = NULL;
}

static void destroy(struct channel_stream *s)
{
    if (s->channel != NULL) {
        LIST_REMOVE(&s->user, entry);
        alk_ssh_channel_set_user(s->channel, NULL);
        engine_of(s)->channel_close(ssh_of(s), s->channel);
        alk_session_touch(s->session);
        forget_channel(s);
    }
    alk_timer_free(s->timer);
    alk_deferred_free(s->report);
    alk_buffer_free(&s->received);
    free(s);
}

/* ---- readiness ---- */

static unsigned ready_for(const struct channel_stream *s)
{
    unsigned ready = 0;

    if (alk_buffer_len(&s->received) > 0 || s->ended || s->broken != ALK_OK)
        ready |= ALK_READABLE;
    if (s->broken != ALK_OK || (!s->starved && s->waiter.session == NULL))
        ready |= ALK_WRITABLE;
    return ready & s->interest;
}

/* From the loop only, never from within what the session or the owner is doing. What is not taken
 * now is told again in the loop's next round. */
static void on_report(void *user)
{
    struct channel_stream *s = user;
    unsigned ready = ready_for(s);

    if (ready == 0 || s->base.on_ready == NULL)
        return;
    alk_loop_note_traffic(s->base.loop);
    (void)alk_timer_set(s->timer, 0);
    s->base.on_ready(&s->base, ready, s->base.user); /* may close the stream */
}

static void changed(struct channel_stream *s)
{
    if (ready_for(s) != 0)
        alk_deferred_schedule(s->report);
}

static void resume(struct alk_waiter *waiter)
{
    changed((struct channel_stream *)((char *)waiter - offsetof(struct channel_stream, waiter)));
}

/* ---- the stream ---- */

static ssize_t stream_read(struct alk_stream *base, void *data, size_t len)
{
    struct channel_stream *s = (struct channel_stream *)base;
    size_t here = alk_buffer_len(&s->received);

    if (len == 0)
        return ALK_E_INVAL; /* 0 would read as end of stream */
    if (here == 0)
        return s->ended ? 0 : s->broken != ALK_OK ? s->broken : ALK_E_AGAIN;
    if (len > here)
        len = here;
    memcpy(data, alk_buffer_head(&s->received), len);
    alk_buffer_consume(&s->received, len);
    if (s->received.capacity > RECEIVED_KEEP)
        alk_buffer_trim(&s->received);
    if (s->channel != NULL) {
        engine_of(s)->channel_consumed(ssh_of(s), s->channel, len);
        alk_session_touch(s->session);
    }
    return (ssize_t)len;
}

/* Why not everything was taken: the channel's window, or the session's output. */
static void wait_for_room(struct channel_stream *s)
{
    if (engine_of(s)->channel_blocked(s->channel))
        s->starved = true;
    else
        alk_session_wait(s->session, &s->waiter);
}

static ssize_t stream_writev(struct alk_stream *base, const struct iovec *parts, int count)
{
    struct channel_stream *s = (struct channel_stream *)base;
    size_t done = 0, part = 0, whole = 0;

    if (s->broken != ALK_OK)
        return s->broken;
    for (int i = 0; i < count && part == whole; i++) {
        whole = parts[i].iov_len;
        part = engine_of(s)->channel_write(ssh_of(s), s->channel, parts[i].iov_base, whole);
        done += part;
    }
    if (done > 0)
        alk_session_touch(s->session);
    if (part < whole)
        wait_for_room(s);
    return done > 0 || part == whole ? (ssize_t)done : ALK_E_AGAIN;
}

static int stream_finish(struct alk_stream *base)
{
    struct channel_stream *s = (struct channel_stream *)base;

    if (s->channel == NULL)
        return ALK_E_CLOSED;
    engine_of(s)->channel_eof(ssh_of(s), s->channel);
    alk_session_touch(s->session);
    return ALK_OK;
}

static void stream_watch(struct alk_stream *base, unsigned interest)
{
    struct channel_stream *s = (struct channel_stream *)base;

    s->interest = interest;
    changed(s);
}

static void stream_close(struct alk_stream *base)
{
    destroy((struct channel_stream *)base);
}

static const struct alk_stream_ops channel_ops = {
    .transport = "channel",
    .read = stream_read,
    .writev = stream_writev,
    .finish = stream_finish,
    .watch = stream_watch,
    .close = stream_close,
};

/* ---- opening ---- */

static void opened(struct channel_stream *s)
{
    alk_dial_fn fn = s->fn;

    s->fn = NULL;
    alk_timer_clear(s->timer);
    fn(s->fn_user, ALK_OK, &s->base, "");
}

static void open_failed(struct channel_stream *s, int status)
{
    alk_dial_fn fn = s->fn;
    void *user = s->fn_user;

    destroy(s);
    fn(user, status, NULL, alk_status_text(status));
}

static void on_timer(void *user)
{
    struct channel_stream *s = user;

    if (s->fn != NULL)
        open_failed(s, ALK_E_TIMEOUT);
    else
        on_report(s);
}

/* ---- events of the session ---- */

static struct channel_stream *of(struct alk_channel_user *self)
{
    return (struct channel_stream *)((char *)self - offsetof(struct channel_stream, user));
}

static void on_event(struct alk_channel_user *self, const struct alk_ssh_event *event)
{
    struct channel_stream *s = of(self);

    switch (event->type) {
    case ALK_SSH_CHANNEL_OPENED:
        opened(s);
        return;
    case ALK_SSH_CHANNEL_FAILED:
        LIST_REMOVE(&s->user, entry);
        forget_channel(s);
        open_failed(s, alk_open_failure_status(event->reason, event->text));
        return;
    case ALK_SSH_CHANNEL_DATA:
        if (alk_buffer_append(&s->received, event->data, event->len) != ALK_OK)
            s->broken = ALK_E_NOMEM;
        break;
    case ALK_SSH_CHANNEL_ROOM:
        s->starved = false;
        break;
    case ALK_SSH_CHANNEL_EOF:
        s->ended = true;
        break;
    case ALK_SSH_CHANNEL_CLOSED:
        LIST_REMOVE(&s->user, entry);
        forget_channel(s);
        s->broken = ALK_E_CLOSED;
        break;
    default:
        return;
    }
    changed(s);
}

static void on_session_end(struct alk_channel_user *self)
{
    struct channel_stream *s = of(self);

    forget_channel(s);
    s->broken = ALK_E_CLOSED;
    if (s->fn != NULL)
        open_failed(s, ALK_E_CLOSED);
    else
        changed(s);
}

static const struct alk_channel_user_ops user_ops = {
    .on_event = on_event,
    .on_session_end = on_session_end,
};

int alk_channel_stream_open(struct alk_channel_opening **out, struct alk_channel_users *users,
                            struct alk_session *session, const char *host, uint16_t port,
                            uint64_t timeout_ms, alk_dial_fn fn, void *user)
{
    struct channel_stream *s = calloc(1, sizeof(*s));
    struct alk_loop *loop = alk_session_loop(session);

    if (s == NULL)
        return ALK_E_NOMEM;
    s->base = (struct alk_stream){.ops = &channel_ops, .loop = loop};
    s->user.ops = &user_ops;
    s->waiter.resume = resume;
    s->session = session;
    s->received = alk_buffer(RECEIVED_MAX);
    s->fn = fn;
    s->fn_user = user;
    int status = alk_timer_new(&s->timer, loop, on_timer, s);
    if (status == ALK_OK)
        status = alk_deferred_new(&s->report, loop, on_report, s);
    if (status == ALK_OK)
        status = alk_timer_set(s->timer, timeout_ms);
    if (status == ALK_OK)
        status = alk_session_engine(session)->channel_open(
            alk_session_ssh(session), ALK_SSH_DIRECT_TCPIP, host, port, NULL, 0, &s->channel);
    if (status != ALK_OK) {
        s->channel = NULL;
        destroy(s);
        return status;
    }
    LIST_INSERT_HEAD(users, &s->user, entry);
    alk_ssh_channel_set_user(s->channel, &s->user);
    alk_session_touch(session);
    *out = (struct alk_channel_opening *)s;
    return ALK_OK;
}

void alk_channel_opening_cancel(struct alk_channel_opening *opening)
{
    if (opening != NULL)
        destroy((struct channel_stream *)opening);
}
