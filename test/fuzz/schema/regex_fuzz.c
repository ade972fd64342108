/*
 * A pattern, a zero byte, a text: translation never makes PCRE2 read beyond ECMA 262, and a plain
 * pattern matches what PCRE2 says that it matches.
 */
#include "regex.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_utf8(const char *text, size_t length)
{
    json_t *string = json_stringn(text, length);
    json_decref(string);
    return string != NULL;
}

/* The same pattern by PCRE2: an empty group means nothing, but is not plain. */
static void compare(const char *pattern, size_t length, const char *text, size_t size, int found)
{
    char *longer = NULL, problem[160];
    struct regex regex;
    pcre2_match_data *scratch = NULL;
    if (asprintf(&longer, "%.*s(?:)", (int)length, pattern) < 0 ||
        regex_compile(&regex, longer, strlen(longer), 1000000, problem) || regex.is_plain ||
        regex_match(&regex, text, size, &scratch) != found)
        abort();
    pcre2_match_data_free(scratch);
    regex_free(&regex);
    free(longer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct regex regex;
    char problem[160];
    const char *pattern = (const char *)data, *text = memchr(pattern, '\0', size);
    size_t length = text ? (size_t)(text - pattern) : size;
    if (length == 0 || regex_compile(&regex, pattern, length, 1000, problem))
        return 0;
    pcre2_match_data *scratch = NULL;
    if (text) {
        size_t rest = size - length - 1;
        int found = regex_match(&regex, text + 1, rest, &scratch);
        if (regex.is_plain && length < 60000 && is_utf8(text + 1, rest))
            compare(pattern, length, text + 1, rest, found);
    }
    pcre2_match_data_free(scratch);
    regex_free(&regex);
    return 0;
}
