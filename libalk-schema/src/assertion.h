/*
 * Whether a value is as one keyword wants it, for the keywords that look at nothing but the value.
 * Both ways to evaluate a schema, judge.c and evaluate.c, ask here.
 */
#ifndef ALK_SCHEMA_ASSERTION_H
#define ALK_SCHEMA_ASSERTION_H

#include "number.h"
#include "run.h"
#include "value.h"

/* ---- texts ------------------------------------------------------------------------------- */

/* Code points of valid UTF-8; 0 when no step is left. */
size_t text_code_points(struct run *run, const char *text, size_t length);

/* A text of n bytes has n/4 to n code points, so most need no counting. */
static inline bool text_has_at_least(struct run *run, size_t min, const char *text, size_t length)
{
    return length / 4 >= min || (length >= min && text_code_points(run, text, length) >= min);
}

static inline bool text_has_at_most(struct run *run, size_t max, const char *text, size_t length)
{
    return length <= max || (length / 4 <= max && text_code_points(run, text, length) <= max);
}

/* Whether a pattern occurs in a text. False, too, when a bound is reached. */
bool text_matches_hard(struct run *run, const struct regex *regex, const char *text, size_t length);

static inline bool text_matches(struct run *run, const struct regex *regex, const char *text,
                                size_t length)
{
    if (!charge(run, 1 + length / CHARGED_BYTES))
        return false;
    return regex->is_plain ? plain_match(&regex->plain, text, length)
                           : text_matches_hard(run, regex, text, length);
}

static inline bool text_is(struct run *run, const struct rule *constant, const char *text,
                           size_t length)
{
    return constant->u.constant.text && constant->u.constant.length == length &&
           charge(run, length / CHARGED_BYTES) &&
           memcmp(constant->u.constant.text, text, length) == 0;
}

static inline bool text_is_listed(const struct rule *enumeration, const char *text, size_t length)
{
    return keytable_find(&enumeration->u.enumeration.table, text, length) != KEYTABLE_NONE;
}

/* ---- any value ---------------------------------------------------------------------------- */

bool value_is(struct run *run, const struct rule *constant, const json_t *value);
bool value_is_listed(struct run *run, const struct rule *enumeration, const json_t *value);

/* ---- numbers and arrays ------------------------------------------------------------------- */

/* minimum and maximum, exclusive or not */
static inline bool number_within(const struct rule *limit, const json_t *number)
{
    int order = number_compare(number, limit->u.limit.value);
    if (limit->u.limit.upper)
        order = -order;
    return limit->u.limit.exclusive ? order > 0 : order >= 0;
}

static inline bool number_is_multiple(const struct rule *multiple, const json_t *number)
{
    return decimal_is_multiple(decimal_of(number), multiple->u.decimal);
}

bool items_are_unique(struct run *run, const json_t *array);

#endif
