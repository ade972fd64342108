#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void text_append(struct text *text, const char *bytes, size_t length)
{
    if (text->failed)
        return;
    if (text->size - text->length <= length) {
        size_t size = (text->length + length + 1) * 2;
        char *grown = realloc(text->bytes, size);
        if (!grown) {
            text->failed = true;
            return;
        }
        text->bytes = grown;
        text->size = size;
    }
    memcpy(text->bytes + text->length, bytes, length);
    text->length += length;
    text->bytes[text->length] = '\0';
}

void text_put(struct text *text, const char *string)
{
    text_append(text, string, strlen(string));
}

void text_printf(struct text *text, const char *format, ...)
{
    char *string = NULL;
    va_list args;
    va_start(args, format);
    int length = vasprintf(&string, format, args);
    va_end(args);
    if (length < 0) {
        text->failed = true;
        return;
    }
    text_append(text, string, (size_t)length);
    free(string);
}

void text_pointer_token(struct text *text, const char *token)
{
    text_put(text, "/");
    for (;;) {
        size_t n = strcspn(token, "~/");
        text_append(text, token, n);
        if (!token[n])
            return;
        text_put(text, token[n] == '~' ? "~0" : "~1");
        token += n + 1;
    }
}

char *text_take(struct text *text)
{
    text_append(text, "", 0);
    char *bytes = text->bytes;
    if (text->failed) {
        free(bytes);
        bytes = NULL;
    }
    *text = (struct text){0};
    return bytes;
}
