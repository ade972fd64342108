/*
 * A bound on bytes per second, shared by whoever holds it: any number of relays, on any threads.
 *
 * Nobody takes what is not his turn: a reservation is a place in time, given out in order, so
 * many who want to send at once go on in turns. (Virtual scheduling, as in the generic cell rate
 * algorithm of ITU-T I.371.) Nothing blocks, and there is no lock.
 */
#ifndef ALK_INTERFACE_RATE_H
#define ALK_INTERFACE_RATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ALK_RATE_BURST_MS = 100 }; /* of idle time may be made up for at once */

/* A zeroed one has no bound. */
struct alk_rate {
    atomic_uint_least64_t bytes_per_s; /* 0: no bound */
    atomic_uint_least64_t next_us;     /* when the next reservation begins */
};

/* From now on; 0 takes the bound away. What was reserved stays so. */
void alk_rate_set(struct alk_rate *rate, uint64_t bytes_per_s);

bool alk_rate_is_bound(struct alk_rate *rate);

/* Reserves some of `want` bytes, 1 at least: returns how many, and in *wait_ms after what time
 * they may pass. now_ms: of one monotonic clock, in all calls. */
size_t alk_rate_reserve(struct alk_rate *rate, size_t want, uint64_t now_ms, uint64_t *wait_ms);

/* Reserved bytes that will not pass. */
void alk_rate_give_back(struct alk_rate *rate, size_t bytes, uint64_t now_ms);

#endif
