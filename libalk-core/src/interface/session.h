/*
 * A live SSH session: an engine, the stream that carries it, and time, on one loop.
 *
 * The session moves bytes between the two and hands events to its handler. Relays that
 * want to send while the output is full wait in a queue and are resumed in turn, so no
 * channel starves another.
 */
#ifndef ALK_INTERFACE_SESSION_H
#define ALK_INTERFACE_SESSION_H

#include "interface/engine.h"
#include "interface/rate.h"

#include <alk/loop.h>
#include <alk/ssh.h>
#include <alk/stream.h>
#include <stdbool.h>
#include <sys/queue.h>

struct alk_session;

struct alk_session_handler {
    /* One event of the engine. The session may be ended from here. */
    void (*on_event)(void *user, const struct alk_ssh_event *event);
    /* The session is over, told exactly once and never from within a call of the user;
     * its channels are gone. The user frees the session now or later. */
    void (*on_end)(void *user, int status, const char *why);
    /* May be NULL: events have been handled or bytes moved; for those who keep accounts. */
    void (*on_turn)(void *user);
};

/* Somebody who waits for room in the session's output. Embed it; zero it first. */
struct alk_waiter {
    TAILQ_ENTRY(alk_waiter) entry;
    struct alk_session *session; /* NULL while not queued */
    void (*resume)(struct alk_waiter *waiter);
};

enum { ALK_GATHER_MOST = 16 }; /* pieces */

/* Somebody who takes what came on a channel together rather than packet by packet. Embed it;
 * zero it first. */
struct alk_gatherer {
    struct alk_session *session; /* NULL while nothing is gathered for it */
    /* The pieces, in order. They lie in the engine's input: use them before you return. */
    void (*deliver)(struct alk_gatherer *gatherer, const struct iovec *parts, int count);
};

/* Takes the stream, whatever it returns. handler is borrowed. */
int alk_session_new(struct alk_session **out, struct alk_loop *loop, struct alk_stream *stream,
                    const struct alk_engine *engine, const struct alk_ssh_options *options,
                    const struct alk_session_handler *handler, void *user);

/* Frees at once, without on_end. Relays must have been freed before. */
void alk_session_free(struct alk_session *session);

/* Ends it with a disconnect message; on_end follows from the loop. */
void alk_session_end(struct alk_session *session, enum alk_ssh_disconnect reason, const char *text);

/* The engine's functions, and the handle that they take. */
const struct alk_engine *alk_session_engine(const struct alk_session *session);
struct alk_ssh *alk_session_ssh(struct alk_session *session);
struct alk_loop *alk_session_loop(struct alk_session *session);
const struct alk_stream *alk_session_stream(const struct alk_session *session);

/* The engine has new output or new answers: see to it at the end of this turn. */
void alk_session_touch(struct alk_session *session);

/* Queue for room in the output; a waiter that is queued stays where it is. */
void alk_session_wait(struct alk_session *session, struct alk_waiter *waiter);
void alk_session_unwait(struct alk_waiter *waiter);
/* Does anybody? Who has much to send queues behind them. */
bool alk_session_has_waiters(const struct alk_session *session);

/* From within on_event, for the data of an ALK_SSH_CHANNEL_DATA event: keeps it back, to be
 * delivered with what follows at once on the same channel, before any other event. */
void alk_session_gather(struct alk_session *session, struct alk_gatherer *gatherer,
                        const uint8_t *data, size_t len);
/* What was gathered for it is dropped. */
void alk_session_ungather(struct alk_gatherer *gatherer);

/* How many packets a channel may fill at once now: many while only bulk data moves. When somebody
 * sent little in the last moment, as a person who types does: twice as many as the last time if
 * nobody else has sent between, else one. `sender` only says who asks; NULL: who sends little. */
int alk_session_burst(struct alk_session *session, const void *sender);

/* Bounds on what its channels carry: up from the channels, down to them. Borrowed until the session
 * and its relays are gone; for relays that start later. */
void alk_session_set_rates(struct alk_session *session, struct alk_rate *up, struct alk_rate *down);
struct alk_rate *alk_session_rate_up(const struct alk_session *session);   /* or NULL */
struct alk_rate *alk_session_rate_down(const struct alk_session *session); /* or NULL */

/* Memory that the session holds at present, about: its engine's and that of its relays, which
 * tell what they hold besides. */
size_t alk_session_memory(const struct alk_session *session);
void alk_session_hold(struct alk_session *session, size_t before, size_t now);

/* What its channels have carried so far: bytes that streams have taken, and that were read from
 * them. Relays tell. */
struct alk_session_traffic {
    uint64_t to_streams, from_streams;
};
struct alk_session_traffic alk_session_traffic(const struct alk_session *session);
void alk_session_carried(struct alk_session *session, size_t to_streams, size_t from_streams);

/* How many closed channels have left bytes behind that their streams have not taken yet. They
 * hold memory though the engine counts them no more; relays keep the number. */
unsigned alk_session_remnants(const struct alk_session *session);
void alk_session_add_remnant(struct alk_session *session);
void alk_session_drop_remnant(struct alk_session *session);

#endif
