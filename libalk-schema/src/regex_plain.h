/*
 * Plain patterns: "^", a row of ASCII characters and classes, each perhaps repeated, and perhaps
 * "$", where it is always clear how far a repetition reaches. Most patterns in schemas are such
 * ("^[a-z][a-z0-9_]*$", "^x-", "^[0-9a-f]{8}$"), and need no backtracking: one look at each
 * character decides. Without the "^" they are plain when "$" and a fixed length tell where to begin
 * ("_at$", "\\.[a-z]{3}$").
 */
#ifndef ALK_SCHEMA_REGEX_PLAIN_H
#define ALK_SCHEMA_REGEX_PLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PLAIN_ITEMS 16

struct plain_item {
    uint32_t min, max; /* repetitions; UINT32_MAX for any number */
};

struct plain {
    uint16_t items_of[256]; /* by byte: the items whose class has it, as bits */
    struct plain_item items[PLAIN_ITEMS];
    unsigned count;
    bool to_end;     /* ends with "$" */
    bool from_start; /* begins with "^" */
    size_t length;   /* of any match, unless it begins with "^" */
};

/* Read a pattern that is known to be well-formed. False when it is not plain. */
bool plain_read(struct plain *plain, const char *pattern, size_t length);

/* Whether it matches: what ECMA 262 says, for any valid UTF-8. */
bool plain_match(const struct plain *plain, const char *text, size_t length);

#endif
