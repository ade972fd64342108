/* Equality and a total order of JSON values, with numbers compared by value. */
#ifndef ALK_SCHEMA_VALUE_H
#define ALK_SCHEMA_VALUE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * Recursion ends with the shallower of the two. What is looked at is counted off `*steps`; when
 * that ends at 0, the answer is void.
 */
bool value_equal(const json_t *a, const json_t *b, uint64_t *steps);

/*
 * Whether no two items of an array are equal: 1 or 0, or a negative status when
 * an item is nested deeper than `max_depth` or memory is out.
 */
int value_items_unique(const json_t *array, unsigned max_depth);

#endif
