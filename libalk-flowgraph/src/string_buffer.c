#include "string_buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void string_append(struct string_buffer *out, const char *bytes, size_t length)
{
    if (out->failed)
        return;
    if (out->size - out->length <= length) {
        size_t size = (out->length + length + 1) * 2;
        char *grown = realloc(out->bytes, size);
        if (!grown) {
            out->failed = true;
            return;
        }
        out->bytes = grown;
        out->size = size;
    }
    memcpy(out->bytes + out->length, bytes, length);
    out->length += length;
    out->bytes[out->length] = '\0';
}

void string_put(struct string_buffer *out, const char *text)
{
    string_append(out, text, strlen(text));
}

void string_printf(struct string_buffer *out, const char *format, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, format);
    int length = vasprintf(&text, format, args);
    va_end(args);
    if (length < 0) {
        out->failed = true;
        return;
    }
    string_append(out, text, (size_t)length);
    free(text);
}

void string_put_mermaid(struct string_buffer *out, const char *text)
{
    static const char direction[] = "direction"; /* a statement, wherever it is in a line */
    if (!*text)
        string_put(out, " "); /* an empty label is no label */
    for (; *text; text++) {
        bool last = *text == 'n' && out->length >= sizeof direction - 2 && !out->failed &&
                    memcmp(out->bytes + out->length - (sizeof direction - 2), direction,
                           sizeof direction - 2) == 0;
        if (last || strchr("\"#<>&`\\[]{}|;:$", *text) || (unsigned char)*text < ' ')
            string_printf(out, "#%d;", (unsigned char)*text);
        else
            string_append(out, text, 1);
    }
}

char *string_take(struct string_buffer *out)
{
    string_append(out, "", 0);
    char *bytes = out->bytes;
    if (out->failed) {
        free(bytes);
        bytes = NULL;
    }
    *out = (struct string_buffer){0};
    return bytes;
}
