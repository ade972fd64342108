/*
 * Regular expressions in the sense of ECMA 262 with the "u" flag, run by PCRE2
 * unless they are plain. Backtracking is bounded, so a hostile text cannot keep the thread busy.
 */
#ifndef ALK_SCHEMA_REGEX_H
#define ALK_SCHEMA_REGEX_H

#include "regex_plain.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

/*
 * Write the PCRE2 equivalent of an ECMA 262 pattern; free() it. On failure NULL,
 * and `problem` says why (it stays empty when memory is out).
 */
char *regex_translate(const char *pattern, size_t length, const char **problem);

struct regex {
    bool is_plain; /* then there is nothing of PCRE2 */
    struct plain plain;
    pcre2_code *code;
    pcre2_match_context *context;
    pcre2_match_context *brief;    /* with a limit that few matches need to exceed */
    pcre2_general_context *memory; /* of matches */
    bool jit;
};

/* 0, ALK_SCHEMA_E_SCHEMA with a text in `problem`, or ALK_SCHEMA_E_NOMEM. */
int regex_compile(struct regex *regex, const char *pattern, size_t length, uint32_t match_limit,
                  char problem[160]);
void regex_free(struct regex *regex);

/*
 * Whether the pattern occurs in the text: 1 or 0, or ALK_SCHEMA_E_LIMIT or
 * _E_NOMEM. `*scratch` is NULL at first, kept between matches by the caller, and
 * ends with pcre2_match_data_free().
 */
int regex_match(const struct regex *regex, const char *text, size_t length,
                pcre2_match_data **scratch);

/* The same, but it is ALK_SCHEMA_E_LIMIT already when the match is not an easy one. */
int regex_match_easily(const struct regex *regex, const char *text, size_t length,
                       pcre2_match_data **scratch);

#endif
