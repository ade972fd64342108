/* Equality and a total order of JSON values, with numbers compared by value. */
#ifndef ALK_SCHEMA_VALUE_H
#define ALK_SCHEMA_VALUE_H

#include <jansson.h>
#include <stdbool.h>

/* The member of that name, or NULL. */
static inline const json_t *value_member(const json_t *object, const char *name, size_t length)
{
#if JANSSON_VERSION_HEX >= 0x020e00
    return json_object_getn(object, name, length);
#else
    (void)length;
    return json_object_get(object, name);
#endif
}

/* Recursion ends with the shallower of the two. */
bool value_equal(const json_t *a, const json_t *b);

/*
 * Whether no two items of an array are equal: 1 or 0, or a negative status when
 * an item is nested deeper than `max_depth` or memory is out.
 */
int value_items_unique(const json_t *array, unsigned max_depth);

#endif
