#include "tunnel/inlet.h"
#include "tunnel/open_failure.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum {
    READ_MOST = 4096,
    OPENING_MS = 60000,
    DIALOGUE_MS = 30000, /* an application that does not finish its request by then is dropped */
};

enum inlet_state { INLET_DIALOGUE, INLET_WAITING, INLET_OPENING };

struct alk_inlet {
    struct alk_channel_user base; /* listed with the session's users while opening */
    LIST_ENTRY(alk_inlet) entry;  /* listed with the owner's inlets otherwise */
    struct alk_inlets *inlets;
    struct alk_loop *loop;
    struct alk_stream *stream;
    struct alk_inlet_route route; /* a copy: the listener may go before the inlet */
    char *host;                   /* its fixed target, ours for the same reason */
    enum inlet_state state;
    struct alk_session *session; /* while opening */
    struct alk_ssh_channel *channel;
    struct alk_timer *opening; /* while opening: its limit */
    uint64_t since;            /* when the state began */
    uint8_t *early;            /* what the application sent behind its request */
    size_t early_len;
    void *dialogue;
};

static void inlet_free(struct alk_inlet *inlet)
{
    if (inlet->dialogue != NULL) /* it may hold a password */
        sodium_memzero(inlet->dialogue, inlet->route.dialogue->size);
    alk_timer_free(inlet->opening);
    free(inlet->dialogue);
    free(inlet->host);
    free(inlet->early);
    free(inlet);
}

static void enlist(struct alk_inlet *inlet, enum inlet_state state)
{
    inlet->state = state;
    inlet->since = alk_loop_now(inlet->loop);
    LIST_INSERT_HEAD(inlet->inlets, inlet, entry);
}

/* The last words to the application, then the end. The inlet is in no list any more. */
static void answer_and_close(struct alk_inlet *inlet, const uint8_t *reply, size_t len)
{
    uint8_t sink[READ_MOST];

    if (len > 0)
        (void)alk_stream_write(inlet->stream, reply, len);
    alk_stream_finish(inlet->stream);
    /* unread input would turn the close into a reset, and the reply could be lost */
    for (int i = 0; i < 16 && alk_stream_read(inlet->stream, sink, sizeof(sink)) > 0; i++)
        ;
    alk_stream_close(inlet->stream);
    inlet_free(inlet);
}

static void tell(const struct alk_inlet *inlet, int status)
{
    if (inlet->route.answered != NULL)
        inlet->route.answered(inlet->route.answered_user, status);
}

static void fail(struct alk_inlet *inlet, int status)
{
    uint8_t reply[ALK_DIALOGUE_REPLY_MAX];

    tell(inlet, status);
    if (inlet->route.dialogue != NULL) {
        size_t len = inlet->route.dialogue->answer(inlet->dialogue, status, reply);
        answer_and_close(inlet, reply, len);
        return;
    }
    /* a reset is the only word there is: an end would look like an empty answer of the target */
    alk_stream_abort(inlet->stream);
    inlet_free(inlet);
}

/* ---- the channel ---- */

static void become_relay(struct alk_inlet *inlet)
{
    uint8_t reply[ALK_DIALOGUE_REPLY_MAX];

    if (inlet->route.dialogue != NULL) {
        size_t len = inlet->route.dialogue->answer(inlet->dialogue, ALK_OK, reply);
        if (alk_stream_write(inlet->stream, reply, len) != (ssize_t)len) {
            alk_ssh_channel_set_user(inlet->channel, NULL);
            alk_session_engine(inlet->session)
                ->channel_close(alk_session_ssh(inlet->session), inlet->channel);
            alk_stream_close(inlet->stream);
            inlet_free(inlet);
            return;
        }
    }
    tell(inlet, ALK_OK);
    struct alk_channel_users *users = inlet->route.users(inlet->route.owner);
    if (alk_relay_start(users, inlet->session, inlet->channel, inlet->stream, inlet->early,
                        inlet->early_len) != ALK_OK) {
        alk_ssh_channel_set_user(inlet->channel, NULL);
        alk_session_engine(inlet->session)
            ->channel_close(alk_session_ssh(inlet->session), inlet->channel);
    }
    inlet_free(inlet);
}

static void on_channel_event(struct alk_channel_user *self, const struct alk_ssh_event *event)
{
    struct alk_inlet *inlet = (struct alk_inlet *)self;

    LIST_REMOVE(&inlet->base, entry);
    if (event->type == ALK_SSH_CHANNEL_OPENED)
        become_relay(inlet);
    else if (event->type == ALK_SSH_CHANNEL_FAILED)
        fail(inlet, alk_open_failure_status(event->reason, event->text));
    else
        fail(inlet, ALK_E_CLOSED);
}

static void on_session_end(struct alk_channel_user *self)
{
    fail((struct alk_inlet *)self, ALK_E_CLOSED);
}

static const struct alk_channel_user_ops inlet_ops = {
    .on_event = on_channel_event,
    .on_session_end = on_session_end,
};

static int open_channel(struct alk_inlet *inlet)
{
    const struct alk_inlet_route *route = &inlet->route;
    const char *host = inlet->host;
    uint32_t port = route->port;

    uint16_t asked;

    if (route->dialogue != NULL) {
        route->dialogue->target(inlet->dialogue, &host, &asked);
        port = asked;
    }
    return alk_session_engine(inlet->session)
        ->channel_open(alk_session_ssh(inlet->session), route->kind, host, port,
                       inlet->stream->peer[0] != '\0' ? inlet->stream->peer : NULL,
                       inlet->stream->peer_port, &inlet->channel);
}

/* The other side never answered. What it may still say is then the engine's to handle. */
static void on_opening_timer(void *user)
{
    struct alk_inlet *inlet = user;

    LIST_REMOVE(&inlet->base, entry);
    alk_ssh_channel_set_user(inlet->channel, NULL);
    alk_session_engine(inlet->session)
        ->channel_close(alk_session_ssh(inlet->session), inlet->channel);
    alk_session_touch(inlet->session);
    fail(inlet, ALK_E_TIMEOUT);
}

/* The target is known; the inlet is in no list. */
static void proceed(struct alk_inlet *inlet)
{
    const struct alk_inlet_route *route = &inlet->route;

    inlet->session = route->session(route->owner);
    if (inlet->session == NULL) {
        enlist(inlet, INLET_WAITING);
        return;
    }
    int status = alk_timer_new(&inlet->opening, inlet->loop, on_opening_timer, inlet);
    if (status == ALK_OK)
        status = open_channel(inlet);
    if (status != ALK_OK) {
        fail(inlet, status);
        return;
    }
    inlet->state = INLET_OPENING;
    alk_timer_set(inlet->opening, route->opening_ms != 0 ? route->opening_ms : OPENING_MS);
    LIST_INSERT_HEAD(route->users(route->owner), &inlet->base, entry);
    alk_ssh_channel_set_user(inlet->channel, inlet);
    alk_session_touch(inlet->session);
}

/* ---- the dialogue ---- */

static int keep_early(struct alk_inlet *inlet, const uint8_t *data, size_t len)
{
    if (len == 0)
        return ALK_OK;
    inlet->early = malloc(len);
    if (inlet->early == NULL)
        return ALK_E_NOMEM;
    memcpy(inlet->early, data, len);
    inlet->early_len = len;
    return ALK_OK;
}

static void drop(struct alk_inlet *inlet)
{
    alk_stream_close(inlet->stream);
    inlet_free(inlet);
}

static void feed(struct alk_inlet *inlet, const uint8_t *data, size_t len)
{
    const struct alk_dialogue_ops *dialogue = inlet->route.dialogue;
    uint8_t reply[ALK_DIALOGUE_REPLY_MAX];
    size_t consumed, reply_len;

    for (size_t at = 0;; at += consumed) {
        enum alk_dialogue_state state =
            dialogue->feed(inlet->dialogue, data + at, len - at, &consumed, reply, &reply_len);
        if (state == ALK_DIALOGUE_FAILED) {
            LIST_REMOVE(inlet, entry);
            answer_and_close(inlet, reply, reply_len);
            return;
        }
        if (reply_len > 0 && alk_stream_write(inlet->stream, reply, reply_len) < 0) {
            LIST_REMOVE(inlet, entry);
            drop(inlet);
            return;
        }
        if (state == ALK_DIALOGUE_REQUEST) {
            LIST_REMOVE(inlet, entry);
            alk_stream_watch(inlet->stream, 0);
            if (keep_early(inlet, data + at + consumed, len - at - consumed) != ALK_OK)
                fail(inlet, ALK_E_NOMEM);
            else
                proceed(inlet);
            return;
        }
        if (consumed == 0 || at + consumed == len)
            return;
    }
}

static void on_ready(struct alk_stream *stream, unsigned ready, void *user)
{
    struct alk_inlet *inlet = user;
    uint8_t data[READ_MOST];

    (void)ready;
    ssize_t n = alk_stream_read(stream, data, sizeof(data));
    if (n == ALK_E_AGAIN)
        return;
    if (n <= 0) {
        LIST_REMOVE(inlet, entry);
        drop(inlet);
        return;
    }
    feed(inlet, data, (size_t)n);
}

static struct alk_inlet *inlet_new(const struct alk_inlet_route *route)
{
    struct alk_inlet *inlet = calloc(1, sizeof(*inlet));

    if (inlet == NULL)
        return NULL;
    if (route->dialogue != NULL)
        inlet->dialogue = calloc(1, route->dialogue->size);
    else
        inlet->host = strdup(route->host);
    if (inlet->dialogue != NULL || inlet->host != NULL)
        return inlet;
    free(inlet);
    return NULL;
}

void alk_inlet_start(struct alk_inlets *inlets, struct alk_loop *loop, struct alk_stream *stream,
                     const struct alk_inlet_route *route)
{
    struct alk_inlet *inlet = inlet_new(route);

    if (inlet == NULL) {
        alk_stream_close(stream);
        return;
    }
    inlet->base.ops = &inlet_ops;
    inlet->inlets = inlets;
    inlet->loop = loop;
    inlet->stream = stream;
    inlet->route = *route;
    alk_stream_set_handler(stream, on_ready, inlet);
    if (route->dialogue == NULL) {
        proceed(inlet);
        return;
    }
    route->dialogue->init(inlet->dialogue, route->dialogue_config);
    enlist(inlet, INLET_DIALOGUE);
    alk_stream_watch(stream, ALK_READABLE);
}

/* ---- the owner's list ---- */

void alk_inlets_retry(struct alk_inlets *inlets)
{
    struct alk_inlet *next;

    for (struct alk_inlet *inlet = LIST_FIRST(inlets); inlet != NULL; inlet = next) {
        next = LIST_NEXT(inlet, entry);
        if (inlet->state != INLET_WAITING)
            continue;
        LIST_REMOVE(inlet, entry);
        proceed(inlet);
    }
}

void alk_inlets_expire(struct alk_inlets *inlets, uint64_t waited_ms)
{
    struct alk_inlet *next;

    for (struct alk_inlet *inlet = LIST_FIRST(inlets); inlet != NULL; inlet = next) {
        next = LIST_NEXT(inlet, entry);
        uint64_t limit = inlet->state == INLET_WAITING ? waited_ms : DIALOGUE_MS;
        if (alk_loop_now(inlet->loop) < inlet->since + limit)
            continue;
        LIST_REMOVE(inlet, entry);
        if (inlet->state == INLET_WAITING)
            fail(inlet, ALK_E_TIMEOUT);
        else
            drop(inlet);
    }
}

void alk_inlets_close(struct alk_inlets *inlets)
{
    while (!LIST_EMPTY(inlets)) {
        struct alk_inlet *inlet = LIST_FIRST(inlets);
        LIST_REMOVE(inlet, entry);
        if (inlet->state == INLET_WAITING)
            fail(inlet, ALK_E_CLOSED);
        else
            drop(inlet);
    }
}
