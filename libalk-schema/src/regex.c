#include "regex.h"

#include "alk/schema.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_PATTERN 65536

/* kilobytes of heap for a match that the JIT's small stack could not hold */
#define HEAP_LIMIT 20000

/* backtracking of a match that is easy */
#define EASY_LIMIT 10000

/*
 * What one match needs at a time lies ready for each thread, since to allocate it takes as long as
 * a short match. What is larger, and a second one, comes from the heap.
 */
static _Thread_local struct {
    _Alignas(max_align_t) char bytes[256];
    bool taken;
} ready;

static void *take(PCRE2_SIZE size, void *unused)
{
    (void)unused;
    if (ready.taken || size > sizeof ready.bytes)
        return malloc(size);
    ready.taken = true;
    return ready.bytes;
}

static void give_back(void *memory, void *unused)
{
    (void)unused;
    if (memory == ready.bytes)
        ready.taken = false;
    else
        free(memory);
}

/* The context is itself allocated by what it is made of, and is to outlive this thread. */
static pcre2_general_context *memory_create(void)
{
    bool taken = ready.taken;
    ready.taken = true;
    pcre2_general_context *memory = pcre2_general_context_create(take, give_back, NULL);
    ready.taken = taken;
    return memory;
}

static int compile_translated(struct regex *regex, const char *pattern, char problem[160])
{
    int code;
    PCRE2_SIZE offset;
    regex->code = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
                                PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_MATCH_UNSET_BACKREF |
                                    PCRE2_NEVER_BACKSLASH_C,
                                &code, &offset, NULL);
    if (regex->code)
        return 0;
    if (code == PCRE2_ERROR_HEAP_FAILED)
        return ALK_SCHEMA_E_NOMEM;
    pcre2_get_error_message(code, (PCRE2_UCHAR *)problem, 160);
    return ALK_SCHEMA_E_SCHEMA;
}

int regex_compile(struct regex *regex, const char *pattern, size_t length, uint32_t match_limit,
                  char problem[160])
{
    memset(regex, 0, sizeof *regex);
    const char *why = "";
    char *translated = length > MAX_PATTERN ? NULL : regex_translate(pattern, length, &why);
    if (!translated) {
        if (length > MAX_PATTERN)
            why = "the pattern is too long";
        snprintf(problem, 160, "%s", why);
        return *why ? ALK_SCHEMA_E_SCHEMA : ALK_SCHEMA_E_NOMEM;
    }
    int status = compile_translated(regex, translated, problem);
    free(translated);
    if (status)
        return status;
    regex->is_plain = plain_read(&regex->plain, pattern, length);
    if (regex->is_plain) {
        pcre2_code_free(regex->code); /* it has told that the pattern is well-formed */
        regex->code = NULL;
        return 0;
    }

    regex->memory = memory_create();
    regex->context = pcre2_match_context_create(NULL);
    regex->brief = pcre2_match_context_create(NULL);
    if (!regex->context || !regex->brief || !regex->memory) {
        regex_free(regex);
        return ALK_SCHEMA_E_NOMEM;
    }
    pcre2_set_match_limit(regex->context, match_limit);
    pcre2_set_heap_limit(regex->context, HEAP_LIMIT);
    pcre2_set_match_limit(regex->brief, match_limit < EASY_LIMIT ? match_limit : EASY_LIMIT);
    pcre2_set_heap_limit(regex->brief, HEAP_LIMIT);
    /* where memory may not be made executable, matching is interpreted */
    regex->jit = pcre2_jit_compile(regex->code, PCRE2_JIT_COMPLETE) == 0;
    return 0;
}

void regex_free(struct regex *regex)
{
    pcre2_match_context_free(regex->context);
    pcre2_match_context_free(regex->brief);
    pcre2_general_context_free(regex->memory);
    pcre2_code_free(regex->code);
    memset(regex, 0, sizeof *regex);
}

static bool is_ascii(const char *text, size_t length)
{
    uint64_t all = 0, word;
    size_t at = 0;
    for (; at + sizeof word <= length; at += sizeof word) {
        memcpy(&word, text + at, sizeof word);
        all |= word;
    }
    for (; at < length; at++)
        all |= (unsigned char)text[at];
    return (all & 0x8080808080808080u) == 0;
}

static int match_within(const struct regex *regex, pcre2_match_context *context, const char *text,
                        size_t length, pcre2_match_data **scratch)
{
    if (regex->is_plain)
        return plain_match(&regex->plain, text, length);
    if (!*scratch)
        *scratch = pcre2_match_data_create(1, regex->memory);
    if (!*scratch)
        return ALK_SCHEMA_E_NOMEM;
    /* the fast path looks at nothing first, so it is not for what may be broken UTF-8 */
    int found =
        regex->jit && is_ascii(text, length)
            ? pcre2_jit_match(regex->code, (PCRE2_SPTR)text, length, 0, 0, *scratch, context)
            : pcre2_match(regex->code, (PCRE2_SPTR)text, length, 0, 0, *scratch, context);
    if (found == PCRE2_ERROR_JIT_STACKLIMIT)
        found =
            pcre2_match(regex->code, (PCRE2_SPTR)text, length, 0, PCRE2_NO_JIT, *scratch, context);
    if (found >= 0)
        return 1;
    if (found == PCRE2_ERROR_MATCHLIMIT || found == PCRE2_ERROR_HEAPLIMIT ||
        found == PCRE2_ERROR_DEPTHLIMIT)
        return ALK_SCHEMA_E_LIMIT;
    return found == PCRE2_ERROR_NOMEMORY ? ALK_SCHEMA_E_NOMEM : 0;
}

int regex_match(const struct regex *regex, const char *text, size_t length,
                pcre2_match_data **scratch)
{
    return match_within(regex, regex->context, text, length, scratch);
}

int regex_match_easily(const struct regex *regex, const char *text, size_t length,
                       pcre2_match_data **scratch)
{
    return match_within(regex, regex->brief, text, length, scratch);
}
