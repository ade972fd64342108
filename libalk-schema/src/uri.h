/* URI references: splitting and resolving (RFC 3986 section 5). */
#ifndef ALK_SCHEMA_URI_H
#define ALK_SCHEMA_URI_H

#include <stdbool.h>
#include <stddef.h>

struct uri_part {
    const char *at; /* NULL when the part is absent */
    size_t length;
};

struct uri {
    struct uri_part scheme, authority, path, query, fragment;
};

/* Split without checking characters; `text` has `length` bytes. */
void uri_split(const char *text, size_t length, struct uri *out);

/*
 * Resolve `reference` against `base` (which may be empty or relative); the
 * fragment of the base is dropped. NULL when memory is out; free() it.
 */
char *uri_resolve(const char *base, const char *reference);

/* Cut at '#': returns the fragment (without '#'), or NULL when there is none. */
char *uri_cut_fragment(char *uri);

/* Undo percent-encoding in place; false for a broken escape or an encoded NUL. */
bool uri_percent_decode(char *text);

#endif
