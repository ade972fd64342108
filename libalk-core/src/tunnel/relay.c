#include "tunnel/relay.h"

#include "base/buffer.h"

#include <stdlib.h>
#include <string.h>

enum {
    TURN_MOST = 32 * 1024,           /* read from one stream before the others have their turn */
    PENDING_MAX = 128 * 1024 * 1024, /* never reached: the channel's window is smaller */
    PENDING_KEEP = 16 * 1024,        /* an empty queue larger than this is given back */
    REMNANT_MS = 60000, /* a stream that takes nothing for so long after the channel's end */
};

/* One direction of a session whose bytes per second are bounded. */
struct paced {
    struct alk_rate *rate; /* NULL: never bounded */
    struct alk_timer *timer;
    size_t credit;   /* may pass now */
    size_t reserved; /* may pass when the timer fires; meanwhile nothing does */
};

struct alk_relay {
    struct alk_channel_user base;
    struct alk_waiter waiter;
    struct alk_gatherer gatherer;
    struct alk_session *session;
    struct alk_ssh_channel *channel; /* NULL once it is closed */
    struct alk_stream *stream;
    struct alk_buffer pending; /* to the stream */
    struct alk_buffer early;   /* to the channel, before anything is read */
    struct alk_timer *remnant; /* once the channel is closed and bytes are left */
    size_t remnant_len;        /* how many were, when the timer was set */
    struct paced up, down;     /* to the stream, to the channel */
    size_t held;               /* the memory that the session was told of */
    bool stream_ended;         /* nothing more to read from it */
    bool channel_ended;        /* nothing more will come from the channel */
    bool finished;             /* the stream was told so */
    bool starved;              /* waits for the channel's window */
    bool sparse;               /* read little the last time: need not queue for the output */
};

void alk_channel_dispatch(const struct alk_ssh_event *event)
{
    struct alk_channel_user *user = alk_ssh_channel_user(event->channel);

    if (user != NULL)
        user->ops->on_event(user, event);
}

void alk_channel_users_end(struct alk_channel_users *users)
{
    while (!LIST_EMPTY(users)) {
        struct alk_channel_user *user = LIST_FIRST(users);
        LIST_REMOVE(user, entry);
        user->ops->on_session_end(user);
    }
}

/* ---- bounded rates ---- */

/* How many of `want` bytes may pass now. 0: the timer goes on. */
static size_t allowance(struct alk_relay *relay, struct paced *paced, size_t want,
                        alk_task_fn go_on)
{
    struct alk_loop *loop = alk_session_loop(relay->session);
    uint64_t wait;

    if (paced->rate == NULL || !alk_rate_is_bound(paced->rate))
        return paced->reserved == 0 ? want : 0;
    if (paced->credit == 0 && paced->reserved == 0 && want > 0) {
        paced->reserved = alk_rate_reserve(paced->rate, want, alk_loop_now(loop), &wait);
        if (wait == 0 ||
            (paced->timer == NULL && alk_timer_new(&paced->timer, loop, go_on, relay) != ALK_OK)) {
            paced->credit = paced->reserved;
            paced->reserved = 0;
        } else {
            alk_timer_set(paced->timer, wait);
        }
    }
    return want < paced->credit ? want : paced->credit;
}

static void spend(struct paced *paced, size_t bytes)
{
    paced->credit -= bytes < paced->credit ? bytes : paced->credit;
}

static void its_time_has_come(struct paced *paced)
{
    paced->credit += paced->reserved;
    paced->reserved = 0;
}

static void stop_pacing(struct alk_relay *relay, struct paced *paced)
{
    if (paced->rate != NULL)
        alk_rate_give_back(paced->rate, paced->credit + paced->reserved,
                           alk_loop_now(alk_session_loop(relay->session)));
    alk_timer_free(paced->timer);
}

/* ---- memory ---- */

static void tell_memory(struct alk_relay *relay)
{
    size_t now = sizeof(*relay) + relay->pending.capacity + relay->early.capacity;

    if (now == relay->held)
        return;
    alk_session_hold(relay->session, relay->held, now);
    relay->held = now;
}

/* ---- the end ---- */

static void release(struct alk_relay *relay)
{
    alk_session_hold(relay->session, relay->held, 0);
    stop_pacing(relay, &relay->up);
    stop_pacing(relay, &relay->down);
    alk_session_unwait(&relay->waiter);
    alk_session_ungather(&relay->gatherer);
    if (relay->remnant != NULL)
        alk_session_drop_remnant(relay->session);
    alk_timer_free(relay->remnant);
    alk_buffer_free(&relay->pending);
    alk_buffer_free(&relay->early);
    free(relay);
}

static void relay_free(struct alk_relay *relay)
{
    LIST_REMOVE(&relay->base, entry);
    if (relay->channel != NULL) {
        alk_ssh_channel_set_user(relay->channel, NULL);
        alk_session_engine(relay->session)
            ->channel_close(alk_session_ssh(relay->session), relay->channel);
        alk_session_touch(relay->session);
    }
    release(relay);
}

/* Closes both. If the stream broke, the other side learns by the close of the channel. */
static void give_up(struct alk_relay *relay)
{
    alk_stream_close(relay->stream);
    relay_free(relay);
}

/* Ends the relay when both directions are done; true when it is gone. */
static bool done(struct alk_relay *relay)
{
    bool delivered = relay->channel_ended && alk_buffer_len(&relay->pending) == 0;

    if (!delivered)
        return false;
    if (relay->stream_ended || relay->channel == NULL) {
        give_up(relay);
        return true;
    }
    if (!relay->finished) {
        relay->finished = true;
        alk_stream_finish(relay->stream);
    }
    return false;
}

static void on_remnant_timer(void *user)
{
    struct alk_relay *relay = user;
    size_t len = alk_buffer_len(&relay->pending);

    if (len < relay->remnant_len) {
        relay->remnant_len = len;
        alk_timer_set(relay->remnant, REMNANT_MS);
        return;
    }
    alk_stream_abort(relay->stream); /* the data was cut */
    relay_free(relay);
}

/* The channel is closed and its slot free for another, but bytes are left for the stream. They
 * still go out, unless the stream takes none: or a peer could fill the memory by closing
 * channels to a target that does not read. */
static void leave_remnant(struct alk_relay *relay)
{
    relay->remnant_len = alk_buffer_len(&relay->pending);
    if (relay->remnant_len == 0 || alk_timer_new(&relay->remnant, alk_session_loop(relay->session),
                                                 on_remnant_timer, relay) != ALK_OK)
        return;
    alk_session_add_remnant(relay->session);
    alk_timer_set(relay->remnant, REMNANT_MS);
}

/* ---- from the stream to the channel ---- */

static void set_interest(struct alk_relay *relay)
{
    unsigned interest = 0;

    if (!relay->stream_ended && !relay->starved && relay->waiter.session == NULL &&
        relay->channel != NULL && relay->down.reserved == 0)
        interest |= ALK_READABLE;
    if (alk_buffer_len(&relay->pending) > 0 && relay->up.reserved == 0)
        interest |= ALK_WRITABLE;
    alk_stream_watch(relay->stream, interest);
    tell_memory(relay);
}

/* No room: wait for the channel's window, or in the session's queue for its output. */
static void wait_for_room(struct alk_relay *relay)
{
    if (alk_session_engine(relay->session)->channel_blocked(relay->channel))
        relay->starved = true;
    else
        alk_session_wait(relay->session, &relay->waiter);
}

static bool send_early(struct alk_relay *relay)
{
    struct alk_ssh *ssh = alk_session_ssh(relay->session);
    size_t len = alk_buffer_len(&relay->early);

    if (len == 0)
        return true;
    size_t sent = alk_session_engine(relay->session)
                      ->channel_write(ssh, relay->channel, alk_buffer_head(&relay->early), len);
    alk_buffer_consume(&relay->early, sent);
    alk_session_touch(relay->session);
    if (sent < len)
        return false;
    alk_buffer_free(&relay->early);
    return true;
}

static void end_of_stream(struct alk_relay *relay)
{
    relay->stream_ended = true;
    alk_session_engine(relay->session)
        ->channel_eof(alk_session_ssh(relay->session), relay->channel);
    alk_session_touch(relay->session);
}

static void on_down_timer(void *user);

/* A channel that has the output for itself fills many packets with one read; one of several
 * fills one, so that none waits long for its turn. */
static int reserve(struct alk_relay *relay, struct iovec *parts)
{
    struct alk_ssh *ssh = alk_session_ssh(relay->session);
    int most = alk_session_burst(relay->session, relay->sparse ? NULL : relay);
    int count =
        alk_session_engine(relay->session)->channel_reserve(ssh, relay->channel, parts, most);

    if (count == 0 && relay->sparse)
        count =
            alk_session_engine(relay->session)->channel_reserve_urgent(ssh, relay->channel, parts);
    return count;
}

/* Cuts the parts to `most` bytes in all; returns how many bytes they hold now. */
static size_t cut(struct iovec *parts, int *count, size_t most)
{
    size_t total = 0;

    for (int i = 0; i < *count; i++) {
        if (parts[i].iov_len >= most - total) {
            parts[i].iov_len = most - total;
            *count = i + 1;
        }
        total += parts[i].iov_len;
    }
    return total;
}

/* Reads for one turn. False when the relay is gone. */
static bool read_stream(struct alk_relay *relay)
{
    struct alk_ssh *ssh = alk_session_ssh(relay->session);
    size_t total = 0;

    if (!send_early(relay)) {
        wait_for_room(relay);
        return true;
    }
    while (total < TURN_MOST) {
        struct iovec parts[ALK_SSH_PARTS_MAX];
        int count = reserve(relay, parts);
        if (count == 0) {
            wait_for_room(relay);
            break;
        }
        size_t room = cut(parts, &count, SIZE_MAX);
        room = cut(parts, &count, allowance(relay, &relay->down, room, on_down_timer));
        if (room == 0)
            break;
        ssize_t n = alk_stream_readv(relay->stream, parts, count);
        if (n == ALK_E_AGAIN)
            break;
        if (n < 0) {
            give_up(relay);
            return false;
        }
        if (n == 0) {
            end_of_stream(relay);
            break;
        }
        alk_session_engine(relay->session)->channel_commit(ssh, relay->channel, (size_t)n);
        spend(&relay->down, (size_t)n);
        alk_session_carried(relay->session, 0, (size_t)n);
        total += (size_t)n;
        relay->sparse = total < ALK_SSH_URGENT_MAX;
        if ((size_t)n < room)
            break;
    }
    if (total > 0)
        alk_session_touch(relay->session);
    return true;
}

/* The stream has something: reads it, unless it is the turn of others. */
static bool on_readable(struct alk_relay *relay)
{
    if (relay->stream_ended || relay->channel == NULL)
        return true;
    if (relay->sparse || !alk_session_has_waiters(relay->session))
        return read_stream(relay);
    alk_session_wait(relay->session, &relay->waiter);
    return true;
}

static void go_on_reading(struct alk_relay *relay)
{
    if (relay->stream_ended || relay->channel == NULL)
        return;
    if (read_stream(relay) && !done(relay))
        set_interest(relay);
}

static void on_down_timer(void *user)
{
    struct alk_relay *relay = user;

    its_time_has_come(&relay->down);
    go_on_reading(relay);
}

static void resume(struct alk_waiter *waiter)
{
    struct alk_relay *relay =
        (struct alk_relay *)((char *)waiter - offsetof(struct alk_relay, waiter));

    go_on_reading(relay);
}

/* ---- from the channel to the stream ---- */

static void consumed(struct alk_relay *relay, size_t len)
{
    if (relay->channel == NULL || len == 0)
        return;
    alk_session_engine(relay->session)
        ->channel_consumed(alk_session_ssh(relay->session), relay->channel, len);
    alk_session_touch(relay->session);
}

static void on_up_timer(void *user);

/* Returns the bytes taken, or negative when the stream is broken. */
static ssize_t write_some(struct alk_relay *relay, struct iovec *parts, int count)
{
    size_t allowed = cut(parts, &count, SIZE_MAX);

    allowed = cut(parts, &count, allowance(relay, &relay->up, allowed, on_up_timer));
    if (allowed == 0)
        return 0;
    ssize_t n = alk_stream_writev(relay->stream, parts, count);
    if (n == ALK_E_AGAIN)
        return 0;
    if (n > 0) {
        spend(&relay->up, (size_t)n);
        alk_session_carried(relay->session, (size_t)n, 0);
        consumed(relay, (size_t)n);
    }
    return n;
}

/* Keeps what stands behind the first `taken` bytes. */
static int keep(struct alk_relay *relay, const struct iovec *parts, int count, size_t taken)
{
    int status = ALK_OK;

    for (int i = 0; i < count && status == ALK_OK; i++) {
        size_t skip = taken < parts[i].iov_len ? taken : parts[i].iov_len;
        taken -= skip;
        status = alk_buffer_append(&relay->pending, (const uint8_t *)parts[i].iov_base + skip,
                                   parts[i].iov_len - skip);
    }
    return status;
}

static void on_gathered(struct alk_gatherer *gatherer, const struct iovec *parts, int count)
{
    struct alk_relay *relay =
        (struct alk_relay *)((char *)gatherer - offsetof(struct alk_relay, gatherer));
    ssize_t n = 0;

    if (alk_buffer_len(&relay->pending) == 0) {
        struct iovec now[ALK_GATHER_MOST];
        memcpy(now, parts, (size_t)count * sizeof(*now));
        n = write_some(relay, now, count);
    }
    if (n < 0 || keep(relay, parts, count, (size_t)n) != ALK_OK)
        give_up(relay);
    else
        set_interest(relay);
}

static bool flush_pending(struct alk_relay *relay)
{
    while (alk_buffer_len(&relay->pending) > 0) {
        struct iovec all = {alk_buffer_head(&relay->pending), alk_buffer_len(&relay->pending)};
        ssize_t n = write_some(relay, &all, 1);
        if (n < 0) {
            give_up(relay);
            return false;
        }
        if (n == 0)
            return true;
        alk_buffer_consume(&relay->pending, (size_t)n);
    }
    if (relay->pending.capacity > PENDING_KEEP)
        alk_buffer_free(&relay->pending);
    return true;
}

/* ---- events ---- */

static void on_up_timer(void *user)
{
    struct alk_relay *relay = user;

    its_time_has_come(&relay->up);
    if (flush_pending(relay) && !done(relay))
        set_interest(relay);
}

static void on_ready(struct alk_stream *stream, unsigned ready, void *user)
{
    struct alk_relay *relay = user;

    (void)stream;
    if ((ready & ALK_WRITABLE) && !flush_pending(relay))
        return;
    if ((ready & ALK_READABLE) && !on_readable(relay))
        return;
    if (!done(relay))
        set_interest(relay);
}

static void on_channel_event(struct alk_channel_user *self, const struct alk_ssh_event *event)
{
    struct alk_relay *relay = (struct alk_relay *)self;

    switch (event->type) {
    case ALK_SSH_CHANNEL_DATA:
        alk_session_gather(relay->session, &relay->gatherer, event->data, event->len);
        return;
    case ALK_SSH_CHANNEL_ROOM:
        relay->starved = false;
        go_on_reading(relay);
        return;
    case ALK_SSH_CHANNEL_EOF:
        relay->channel_ended = true;
        break;
    case ALK_SSH_CHANNEL_CLOSED:
        /* what came before still goes out to the stream */
        relay->channel_ended = true;
        relay->channel = NULL;
        alk_session_unwait(&relay->waiter);
        leave_remnant(relay);
        break;
    default:
        return;
    }
    if (!done(relay))
        set_interest(relay);
}

static void on_session_end(struct alk_channel_user *self)
{
    struct alk_relay *relay = (struct alk_relay *)self;

    /* a reset, so that the far program does not take a cut for an end */
    alk_stream_abort(relay->stream);
    release(relay);
}

static const struct alk_channel_user_ops relay_ops = {
    .on_event = on_channel_event,
    .on_session_end = on_session_end,
};

int alk_relay_start(struct alk_channel_users *users, struct alk_session *session,
                    struct alk_ssh_channel *channel, struct alk_stream *stream, const void *early,
                    size_t early_len)
{
    struct alk_relay *relay = calloc(1, sizeof(*relay));

    if (relay == NULL) {
        alk_stream_close(stream);
        return ALK_E_NOMEM;
    }
    relay->base.ops = &relay_ops;
    relay->waiter.resume = resume;
    relay->gatherer.deliver = on_gathered;
    relay->session = session;
    relay->channel = channel;
    relay->stream = stream;
    relay->up.rate = alk_session_rate_up(session);
    relay->down.rate = alk_session_rate_down(session);
    relay->sparse = true;
    relay->pending = alk_buffer(PENDING_MAX);
    relay->early = alk_buffer(early_len);
    LIST_INSERT_HEAD(users, &relay->base, entry);
    alk_ssh_channel_set_user(channel, relay);
    alk_stream_set_handler(stream, on_ready, relay);
    if (alk_buffer_append(&relay->early, early, early_len) != ALK_OK) {
        give_up(relay);
        return ALK_E_NOMEM;
    }
    /* what the other program says first comes soon, but hardly ever is there already */
    if (early_len > 0)
        go_on_reading(relay);
    else
        set_interest(relay);
    return ALK_OK;
}
