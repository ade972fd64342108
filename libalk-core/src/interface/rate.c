#include "interface/rate.h"

enum {
    TURN_MS = 50,     /* what one reservation takes at most, so that others have their turn */
    TURN_LEAST = 512, /* but not less than this, or little else than timers would run */
    TURN_MOST = 65536,
    SECOND_US = 1000000,
};

static const uint64_t RATE_MOST = UINT64_MAX / SECOND_US / 2; /* so that products fit */

void alk_rate_set(struct alk_rate *rate, uint64_t bytes_per_s)
{
    atomic_store(&rate->bytes_per_s, bytes_per_s < RATE_MOST ? bytes_per_s : RATE_MOST);
    if (bytes_per_s == 0)
        atomic_store(&rate->next_us, 0); /* a later bound does not remember */
}

bool alk_rate_is_bound(struct alk_rate *rate)
{
    return atomic_load_explicit(&rate->bytes_per_s, memory_order_relaxed) != 0;
}

static size_t turn(uint64_t bytes_per_s, size_t want)
{
    uint64_t most = bytes_per_s * TURN_MS / 1000;

    if (most < TURN_LEAST)
        most = TURN_LEAST;
    if (most > TURN_MOST)
        most = TURN_MOST;
    return want < most ? want : (size_t)most;
}

size_t alk_rate_reserve(struct alk_rate *rate, size_t want, uint64_t now_ms, uint64_t *wait_ms)
{
    uint64_t bytes_per_s = atomic_load(&rate->bytes_per_s);
    uint64_t earliest = now_ms * 1000 - ALK_RATE_BURST_MS * 1000, begin;
    uint64_t next = atomic_load(&rate->next_us);

    *wait_ms = 0;
    if (bytes_per_s == 0)
        return want;
    if (now_ms < ALK_RATE_BURST_MS)
        earliest = 0;
    size_t bytes = turn(bytes_per_s, want);
    uint64_t takes = ((uint64_t)bytes * SECOND_US + bytes_per_s - 1) / bytes_per_s;
    do {
        begin = next > earliest ? next : earliest;
    } while (!atomic_compare_exchange_weak(&rate->next_us, &next, begin + takes));
    if (begin > now_ms * 1000)
        *wait_ms = (begin - now_ms * 1000 + 999) / 1000;
    return bytes;
}

void alk_rate_give_back(struct alk_rate *rate, size_t bytes, uint64_t now_ms)
{
    uint64_t bytes_per_s = atomic_load(&rate->bytes_per_s);
    uint64_t next = atomic_load(&rate->next_us), before;

    if (bytes_per_s == 0 || bytes == 0)
        return;
    uint64_t took = (uint64_t)bytes * SECOND_US / bytes_per_s;
    do { /* what lies in the past is spent, used or not */
        if (next <= now_ms * 1000)
            return;
        uint64_t left = next - now_ms * 1000;
        before = next - (took < left ? took : left);
    } while (!atomic_compare_exchange_weak(&rate->next_us, &next, before));
}
