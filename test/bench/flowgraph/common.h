/* What both programs share: the random graph, the clock, the form of a figure. */
#ifndef BENCH_COMMON_H
#define BENCH_COMMON_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define NODES 1000000u
#define EDGES 3000000u

static inline double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static inline uint32_t random_below(uint64_t *state, uint32_t n)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((*state >> 33) % n);
}

/*
 * The i-th of EDGES edges between distinct nodes. In a DAG they lead from lower to
 * higher places of a random order of the nodes, which `place` holds.
 */
static inline void next_edge(uint64_t *state, const uint32_t *place, uint32_t nodes, uint32_t *from,
                             uint32_t *to)
{
    do {
        *from = random_below(state, nodes);
        *to = random_below(state, nodes);
    } while (*from == *to);
    if (place && place[*from] > place[*to]) {
        uint32_t kept = *from;
        *from = *to;
        *to = kept;
    }
}

static inline uint32_t *random_places(uint32_t nodes)
{
    uint64_t state = 5;
    uint32_t *place = malloc(nodes * sizeof *place);
    for (uint32_t i = 0; i < nodes; i++)
        place[i] = i;
    for (uint32_t i = nodes; i > 1; i--) {
        uint32_t j = random_below(&state, i), kept = place[i - 1];
        place[i - 1] = place[j];
        place[j] = kept;
    }
    return place;
}

static inline void figure(const char *name, double value)
{
    printf("{\"figure\": \"%s\", \"value\": %.6g}\n", name, value);
    fflush(stdout);
}

#endif
