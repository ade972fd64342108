/* A pattern, a zero byte, a text: translation never makes PCRE2 read beyond ECMA 262. */
#include "regex.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct regex regex;
    char problem[160];
    const char *pattern = (const char *)data, *text = memchr(pattern, '\0', size);
    size_t length = text ? (size_t)(text - pattern) : size;
    if (length == 0 || regex_compile(&regex, pattern, length, 1000, problem))
        return 0;
    pcre2_match_data *scratch = NULL;
    if (text)
        regex_match(&regex, text + 1, size - length - 1, &scratch);
    pcre2_match_data_free(scratch);
    regex_free(&regex);
    return 0;
}
