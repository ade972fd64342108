/*
 * An event loop: a libevent base, a mailbox for other threads, and timers.
 *
 * Everything that belongs to a loop is touched by the thread that runs it only.
 * The functions marked "any thread" are the exceptions. All times are
 * milliseconds of a monotonic clock that starts at an arbitrary point.
 */
#ifndef ALK_LOOP_H
#define ALK_LOOP_H

#include <stdint.h>

struct alk_loop;
struct alk_timer;
struct event_base;

typedef void (*alk_task_fn)(void *user);

/* Creates a loop. ALK_E_NOMEM or ALK_E_IO on failure. */
int alk_loop_new(struct alk_loop **out);

/* Frees the loop after alk_loop_run has returned (or was never called). Tasks
 * still in the mailbox are run first, so that they can free what they carry. */
void alk_loop_free(struct alk_loop *loop);

/* Runs until alk_loop_stop. */
int alk_loop_run(struct alk_loop *loop);

/* A stream of this loop is ready: what tells the loop whether falling asleep is worth it.
 * For implementations of streams. */
void alk_loop_note_traffic(struct alk_loop *loop);

/* Any thread: makes alk_loop_run return soon. */
void alk_loop_stop(struct alk_loop *loop);

/* Any thread: runs fn(user) on the loop's thread, in the order of posting.
 * ALK_E_NOMEM when it could not be queued: then fn never runs. */
int alk_loop_post(struct alk_loop *loop, alk_task_fn fn, void *user);

/* The loop's time now: exact, not cached. */
uint64_t alk_loop_now(const struct alk_loop *loop);

/* For code that needs libevent itself. Borrowed. */
struct event_base *alk_loop_base(struct alk_loop *loop);

/* A timer fires once, then stays idle until it is set again. Setting it again
 * moves it. It may be freed from its own callback. */
int alk_timer_new(struct alk_timer **out, struct alk_loop *loop, alk_task_fn fn, void *user);
void alk_timer_free(struct alk_timer *timer);
int alk_timer_set(struct alk_timer *timer, uint64_t after_ms);
void alk_timer_clear(struct alk_timer *timer);

/* Work to be done once at the end of what the loop does now: scheduling it again
 * before it ran changes nothing. May be freed from its own callback. */
struct alk_deferred;
int alk_deferred_new(struct alk_deferred **out, struct alk_loop *loop, alk_task_fn fn, void *user);
void alk_deferred_free(struct alk_deferred *deferred);
void alk_deferred_schedule(struct alk_deferred *deferred);

#endif
