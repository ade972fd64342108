/* Exact arithmetic on JSON numbers: 64-bit integers and the decimals that reals stand for. */
#ifndef ALK_SCHEMA_NUMBER_H
#define ALK_SCHEMA_NUMBER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* -1, 0 or 1; an integer is compared with a real without rounding either. */
int number_compare(const json_t *a, const json_t *b);

/* 1, and also 1.0 */
bool number_is_integer(const json_t *number);

/* |value| = digits * 10^exponent, without trailing zeros; zero is {0, 0}. */
struct decimal {
    uint64_t digits;
    int exponent;
};

struct decimal decimal_of(const json_t *number);

/* Whether `value` is an integral multiple of `divisor`, which is not zero. */
bool decimal_is_multiple(struct decimal value, struct decimal divisor);

#endif
