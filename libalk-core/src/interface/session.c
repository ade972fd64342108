#include "interface/session.h"

#include <stdlib.h>

enum {
    LIVELY_MS = 100,
    ROUNDS_PER_TURN = 4,
    DRAIN_MOST = 1024 * 1024,
    UNSENT_MOST = 256 * 1024, /* in the kernel: what an interactive channel may queue behind */
    UNREAD_MOST = 512 * 1024, /* on a short path; longer ones need all they can get */
    SHORT_PATH_US = 1000,
    LINGER_MS = 2000, /* for the last words to a slow peer */
};

TAILQ_HEAD(waiter_list, alk_waiter);

/* What has come on one channel and is not delivered yet. */
struct gathering {
    struct alk_gatherer *gatherer; /* NULL: nothing */
    struct iovec parts[ALK_GATHER_MOST];
    int count;
};

struct alk_session {
    struct alk_loop *loop;
    struct alk_stream *stream;
    const struct alk_engine *engine;
    struct alk_ssh *ssh;
    struct alk_timer *timer;
    struct alk_deferred *pump;
    const struct alk_session_handler *handler;
    void *user;
    struct waiter_list waiters;
    struct gathering *gathering; /* while events are taken */
    const void *sender;          /* who sent last, to be compared only */
    int burst;                   /* and how many packets it might fill */
    uint64_t lively_until;       /* somebody has just sent little; 0: nobody has */
    unsigned remnants;
    struct alk_session_traffic traffic;
    struct alk_rate *up, *down; /* NULL: no bound */
    size_t held;                /* by relays */
    uint64_t timer_at;          /* when the timer fires; UINT64_MAX = not set */
    unsigned interest;
    int status;      /* ALK_OK while it works */
    bool path_known; /* there were round trips to judge it by */
    bool broken;     /* the stream takes no more output */
    bool lingering;  /* over, but the last words are not all sent */
};

/* ---- waiters ---- */

void alk_session_wait(struct alk_session *session, struct alk_waiter *waiter)
{
    if (waiter->session != NULL)
        return;
    waiter->session = session;
    TAILQ_INSERT_TAIL(&session->waiters, waiter, entry);
}

void alk_session_unwait(struct alk_waiter *waiter)
{
    if (waiter->session == NULL)
        return;
    TAILQ_REMOVE(&waiter->session->waiters, waiter, entry);
    waiter->session = NULL;
}

bool alk_session_has_waiters(const struct alk_session *session)
{
    return !TAILQ_EMPTY(&session->waiters);
}

/* Who comes back queues behind the others, so that each has its turn. */
static void resume_waiters(struct alk_session *session)
{
    while (!TAILQ_EMPTY(&session->waiters) && session->engine->has_room(session->ssh)) {
        struct alk_waiter *waiter = TAILQ_FIRST(&session->waiters);
        alk_session_unwait(waiter);
        waiter->resume(waiter);
    }
}

/* Somebody sent little: for a moment nobody takes long turns. */
static void note_lively(struct alk_session *session)
{
    session->lively_until = alk_loop_now(session->loop) + LIVELY_MS;
    session->sender = NULL;
    session->engine->only_bulk(session->ssh, false);
}

int alk_session_burst(struct alk_session *session, const void *sender)
{
    bool same = sender == session->sender;

    if (sender == NULL) {
        note_lively(session);
        return 1;
    }
    session->sender = sender;
    if (session->lively_until != 0 && alk_loop_now(session->loop) >= session->lively_until) {
        session->lively_until = 0;
        session->engine->only_bulk(session->ssh, true);
    }
    if (session->lively_until == 0)
        session->burst = ALK_SSH_PARTS_MAX;
    else if (!same)
        session->burst = 1;
    else if (session->burst < ALK_SSH_PARTS_MAX)
        session->burst *= 2;
    return session->burst;
}

/* ---- gathering ---- */

static void deliver(struct gathering *gathering)
{
    struct alk_gatherer *gatherer = gathering->gatherer;

    if (gatherer == NULL)
        return;
    gathering->gatherer = NULL;
    gatherer->session = NULL;
    gatherer->deliver(gatherer, gathering->parts, gathering->count);
}

void alk_session_gather(struct alk_session *session, struct alk_gatherer *gatherer,
                        const uint8_t *data, size_t len)
{
    struct gathering *gathering = session->gathering;
    union { /* nobody writes through it; its type cannot say so */
        const uint8_t *in;
        void *out;
    } base = {.in = data};

    if (gathering->gatherer != gatherer || gathering->count == ALK_GATHER_MOST) {
        deliver(gathering);
        gathering->count = 0;
    }
    gathering->gatherer = gatherer;
    gatherer->session = session;
    gathering->parts[gathering->count++] = (struct iovec){base.out, len};
}

void alk_session_ungather(struct alk_gatherer *gatherer)
{
    if (gatherer->session == NULL)
        return;
    gatherer->session->gathering->gatherer = NULL;
    gatherer->session = NULL;
}

/* ---- bytes ---- */

static void fail(struct alk_session *session, int status)
{
    if (session->status == ALK_OK)
        session->status = status;
}

static void take_events(struct alk_session *session)
{
    struct gathering gathering = {.gatherer = NULL};
    struct alk_ssh_event event;
    int status;

    session->gathering = &gathering;
    while ((status = session->engine->next(session->ssh, &event)) > 0) {
        if (event.type != ALK_SSH_CHANNEL_DATA)
            deliver(&gathering);
        session->handler->on_event(session->user, &event);
    }
    deliver(&gathering);
    session->gathering = NULL;
    if (status < 0)
        fail(session, status);
}

static void read_stream(struct alk_session *session)
{
    uint8_t *at;
    size_t space = session->engine->wants_input(session->ssh)
                       ? session->engine->input_space(session->ssh, &at)
                       : 0;

    if (space == 0)
        return;
    ssize_t n = alk_stream_read(session->stream, at, space);
    if (n == ALK_E_AGAIN)
        return;
    if (n <= 0) {
        fail(session, n == 0 ? ALK_E_CLOSED : (int)n);
        return;
    }
    session->engine->input_commit(session->ssh, (size_t)n, alk_loop_now(session->loop));
    take_events(session);
}

/* False when the stream is broken. */
static bool write_stream(struct alk_session *session)
{
    const uint8_t *bytes;
    size_t len;

    while ((len = session->engine->output(session->ssh, &bytes)) > 0) {
        ssize_t n = alk_stream_write(session->stream, bytes, len);
        if (n == ALK_E_AGAIN)
            return true;
        if (n < 0) {
            fail(session, (int)n);
            return false;
        }
        session->engine->output_done(session->ssh, (size_t)n);
    }
    return true;
}

static void set_timer(struct alk_session *session)
{
    uint64_t at = session->engine->deadline(session->ssh);

    /* a timer that fires too early only sets itself again */
    if (at >= session->timer_at)
        return;
    uint64_t now = alk_loop_now(session->loop);
    session->timer_at = at;
    alk_timer_set(session->timer, at > now ? at - now : 0);
}

/* On a short path, deep queues in the kernel only make interactive channels wait. */
static void look_at_path(struct alk_session *session)
{
    if (session->path_known || !session->engine->authenticated(session->ssh))
        return;
    session->path_known = true;
    alk_stream_limit_unread(session->stream, UNREAD_MOST, SHORT_PATH_US);
}

static bool waiters_can_go(const struct alk_session *session)
{
    return !TAILQ_EMPTY(&session->waiters) && session->engine->has_room(session->ssh);
}

static void set_interest(struct alk_session *session)
{
    const uint8_t *bytes;
    unsigned interest = 0;

    if (session->engine->wants_input(session->ssh))
        interest |= ALK_READABLE;
    if (session->engine->output(session->ssh, &bytes) > 0 || waiters_can_go(session))
        interest |= ALK_WRITABLE;
    if (interest != session->interest) {
        session->interest = interest;
        alk_stream_watch(session->stream, interest);
    }
}

/* ---- the end ---- */

/* Closing with unread input would reset the connection and could destroy the disconnect
 * message on its way, so what has come already is read away first. */
static void drain(struct alk_session *session)
{
    uint8_t sink[16 * 1024];
    ssize_t n, total = 0;

    alk_stream_finish(session->stream);
    while (total < DRAIN_MOST && (n = alk_stream_read(session->stream, sink, sizeof(sink))) > 0)
        total += n;
}

static void close_now(struct alk_session *session)
{
    const struct alk_error *error = session->engine->error(session->ssh);
    const char *why = error->code != 0 ? error->text : alk_status_text(session->status);

    drain(session);
    alk_stream_close(session->stream);
    session->stream = NULL;
    alk_timer_clear(session->timer);
    session->handler->on_end(session->user, session->status, why);
}

/* The session is over: its last output, which may hold a disconnect message, is still sent
 * as long as the peer takes it within the time. */
static void finish(struct alk_session *session)
{
    const uint8_t *bytes;

    session->broken |= !write_stream(session);
    if (session->broken || session->engine->output(session->ssh, &bytes) == 0) {
        close_now(session);
    } else if (!session->lingering) {
        session->lingering = true;
        alk_timer_set(session->timer, LINGER_MS);
        alk_stream_watch(session->stream, ALK_WRITABLE);
    }
}

/* Everything that follows from new input, new output or the passing of time. */
static void pump(void *user)
{
    struct alk_session *session = user;
    bool again = session->stream != NULL;

    if (!again)
        return;
    /* what is left after these rounds goes on when the stream is writable again */
    for (int i = 0; i < ROUNDS_PER_TURN && again && session->status == ALK_OK; i++) {
        take_events(session);
        bool was_full = !session->engine->wants_input(session->ssh);
        resume_waiters(session);
        session->broken |= !write_stream(session);
        again = was_full && session->engine->wants_input(session->ssh);
    }
    if (session->status != ALK_OK) {
        finish(session);
        return;
    }
    look_at_path(session);
    set_interest(session);
    set_timer(session);
    if (session->handler->on_turn != NULL)
        session->handler->on_turn(session->user);
}

static void on_ready(struct alk_stream *stream, unsigned ready, void *user)
{
    struct alk_session *session = user;

    (void)stream;
    if ((ready & ALK_READABLE) && session->status == ALK_OK)
        read_stream(session);
    pump(session);
}

static void on_timer(void *user)
{
    struct alk_session *session = user;

    session->timer_at = UINT64_MAX;
    session->broken |= session->lingering; /* it has had its time */
    session->engine->tick(session->ssh, alk_loop_now(session->loop));
    pump(session);
}

/* ---- life ---- */

int alk_session_new(struct alk_session **out, struct alk_loop *loop, struct alk_stream *stream,
                    const struct alk_engine *engine, const struct alk_ssh_options *options,
                    const struct alk_session_handler *handler, void *user)
{
    struct alk_session *session = calloc(1, sizeof(*session));
    int status = ALK_E_NOMEM;

    if (session == NULL) {
        alk_stream_close(stream);
        return status;
    }
    session->loop = loop;
    session->engine = engine;
    session->stream = stream;
    session->handler = handler;
    session->user = user;
    session->timer_at = UINT64_MAX;
    TAILQ_INIT(&session->waiters);
    if ((status = engine->create(&session->ssh, options, alk_loop_now(loop))) != ALK_OK ||
        (status = alk_timer_new(&session->timer, loop, on_timer, session)) != ALK_OK ||
        (status = alk_deferred_new(&session->pump, loop, pump, session)) != ALK_OK) {
        alk_session_free(session);
        return status;
    }
    alk_stream_set_handler(stream, on_ready, session);
    alk_stream_limit_unsent(stream, UNSENT_MOST);
    alk_session_touch(session);
    *out = session;
    return ALK_OK;
}

void alk_session_free(struct alk_session *session)
{
    if (session == NULL)
        return;
    alk_deferred_free(session->pump);
    alk_timer_free(session->timer);
    alk_stream_close(session->stream);
    if (session->ssh != NULL)
        session->engine->destroy(session->ssh);
    free(session);
}

void alk_session_end(struct alk_session *session, enum alk_ssh_disconnect reason, const char *text)
{
    session->engine->disconnect(session->ssh, reason, text);
    alk_session_touch(session);
}

void alk_session_touch(struct alk_session *session)
{
    alk_deferred_schedule(session->pump);
}

const struct alk_engine *alk_session_engine(const struct alk_session *session)
{
    return session->engine;
}

struct alk_ssh *alk_session_ssh(struct alk_session *session)
{
    return session->ssh;
}

struct alk_loop *alk_session_loop(struct alk_session *session)
{
    return session->loop;
}

const struct alk_stream *alk_session_stream(const struct alk_session *session)
{
    return session->stream;
}

struct alk_session_traffic alk_session_traffic(const struct alk_session *session)
{
    return session->traffic;
}

void alk_session_carried(struct alk_session *session, size_t to_streams, size_t from_streams)
{
    session->traffic.to_streams += to_streams;
    session->traffic.from_streams += from_streams;
}

unsigned alk_session_remnants(const struct alk_session *session)
{
    return session->remnants;
}

void alk_session_add_remnant(struct alk_session *session)
{
    session->remnants++;
}

void alk_session_drop_remnant(struct alk_session *session)
{
    session->remnants--;
}

void alk_session_set_rates(struct alk_session *session, struct alk_rate *up, struct alk_rate *down)
{
    session->up = up;
    session->down = down;
}

struct alk_rate *alk_session_rate_up(const struct alk_session *session)
{
    return session->up;
}

struct alk_rate *alk_session_rate_down(const struct alk_session *session)
{
    return session->down;
}

size_t alk_session_memory(const struct alk_session *session)
{
    return sizeof(*session) + session->engine->memory(session->ssh) + session->held;
}

void alk_session_hold(struct alk_session *session, size_t before, size_t now)
{
    session->held += now - before;
}
