#include "value.h"

#include "alk/schema.h"
#include "number.h"

#include <stdlib.h>
#include <string.h>

static bool objects_equal(const json_t *a, const json_t *b, uint64_t *steps)
{
    if (json_object_size(a) != json_object_size(b))
        return false;
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)a, key, value)
    {
        const json_t *other = json_object_get(b, key);
        if (!other || !value_equal(value, other, steps))
            return false;
    }
    return true;
}

static bool arrays_equal(const json_t *a, const json_t *b, uint64_t *steps)
{
    size_t n = json_array_size(a);
    if (n != json_array_size(b))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!value_equal(json_array_get(a, i), json_array_get(b, i), steps))
            return false;
    return true;
}

static bool strings_equal(const json_t *a, const json_t *b)
{
    size_t n = json_string_length(a);
    return n == json_string_length(b) && memcmp(json_string_value(a), json_string_value(b), n) == 0;
}

/* Bytes that are compared in one step. */
enum { BYTES = 64 };

bool value_equal(const json_t *a, const json_t *b, uint64_t *steps)
{
    size_t cost = 1 + json_string_length(a) / BYTES;
    if (cost > *steps)
        cost = *steps;
    *steps -= cost;
    if (*steps == 0)
        return false;
    if (json_is_string(a))
        return json_is_string(b) && strings_equal(a, b);
    if (json_is_number(a) && json_is_number(b))
        return number_compare(a, b) == 0;
    if (json_typeof(a) != json_typeof(b))
        return false;
    switch (json_typeof(a)) {
    case JSON_ARRAY:
        return arrays_equal(a, b, steps);
    case JSON_OBJECT:
        return objects_equal(a, b, steps);
    default:
        return true;
    }
}

/* ---- many items: sort, then look at neighbours -------------------------------- */

struct ordering {
    unsigned depth, max_depth;
    int status;
};

static int order(const json_t *a, const json_t *b, struct ordering *state);

static int order_text(const char *a, size_t a_length, const char *b, size_t b_length)
{
    if (a_length != b_length)
        return a_length < b_length ? -1 : 1;
    return memcmp(a, b, a_length);
}

static int order_keys(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static const char **sorted_keys(const json_t *object)
{
    const char **keys = calloc(json_object_size(object) + 1, sizeof *keys);
    if (!keys)
        return NULL;
    size_t n = 0;
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)object, key, value) keys[n++] = key;
    qsort(keys, n, sizeof *keys, order_keys);
    return keys;
}

static int order_objects(const json_t *a, const json_t *b, struct ordering *state)
{
    size_t n = json_object_size(a);
    if (n != json_object_size(b))
        return n < json_object_size(b) ? -1 : 1;
    const char **left = sorted_keys(a), **right = sorted_keys(b);
    int result = 0;
    if (!left || !right)
        state->status = ALK_SCHEMA_E_NOMEM;
    for (size_t i = 0; i < n && result == 0 && !state->status; i++) {
        result = strcmp(left[i], right[i]);
        if (result == 0)
            result = order(json_object_get(a, left[i]), json_object_get(b, right[i]), state);
    }
    free(left);
    free(right);
    return result;
}

static int order_arrays(const json_t *a, const json_t *b, struct ordering *state)
{
    size_t n = json_array_size(a);
    if (n != json_array_size(b))
        return n < json_array_size(b) ? -1 : 1;
    int result = 0;
    for (size_t i = 0; i < n && result == 0 && !state->status; i++)
        result = order(json_array_get(a, i), json_array_get(b, i), state);
    return result;
}

static int order(const json_t *a, const json_t *b, struct ordering *state)
{
    if (json_is_number(a) && json_is_number(b))
        return number_compare(a, b);
    if (json_typeof(a) != json_typeof(b))
        return json_typeof(a) < json_typeof(b) ? -1 : 1;
    if (state->depth == state->max_depth) {
        state->status = ALK_SCHEMA_E_LIMIT;
        return 0;
    }
    int result = 0;
    state->depth++;
    if (json_is_string(a))
        result = order_text(json_string_value(a), json_string_length(a), json_string_value(b),
                            json_string_length(b));
    else if (json_is_array(a))
        result = order_arrays(a, b, state);
    else if (json_is_object(a))
        result = order_objects(a, b, state);
    state->depth--;
    return result;
}

static int order_items(const void *a, const void *b, void *state)
{
    return order(*(json_t *const *)a, *(json_t *const *)b, state);
}

static int unique_sorted(const json_t *array, struct ordering *state)
{
    size_t n = json_array_size(array);
    json_t **items = calloc(n, sizeof *items);
    if (!items)
        return ALK_SCHEMA_E_NOMEM;
    for (size_t i = 0; i < n; i++)
        items[i] = json_array_get(array, i);
    qsort_r(items, n, sizeof *items, order_items, state);
    bool unique = true;
    for (size_t i = 1; i < n && unique; i++)
        unique = order(items[i - 1], items[i], state) != 0;
    free(items);
    return state->status ? state->status : unique;
}

int value_items_unique(const json_t *array, unsigned max_depth)
{
    struct ordering state = {0, max_depth, 0};
    size_t n = json_array_size(array);
    if (n > 8)
        return unique_sorted(array, &state);
    for (size_t i = 1; i < n; i++) {
        const json_t *item = json_array_get(array, i);
        for (size_t j = 0; j < i; j++) {
            const json_t *other = json_array_get(array, j);
            if (json_is_string(item) ? json_is_string(other) && strings_equal(item, other)
                                     : order(item, other, &state) == 0)
                return state.status;
        }
    }
    return state.status ? state.status : 1;
}
