/* A small seeded generator, so that a failing case can be run again. */
#ifndef TEST_RANDOM_H
#define TEST_RANDOM_H

#include <stdint.h>

struct random {
    uint64_t state;
};

/* 0 ... n-1 */
static inline uint32_t random_below(struct random *random, uint32_t n)
{
    random->state = random->state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((random->state >> 33) % n);
}

#endif
