/* A growing string. After a failed allocation it stays empty and text_take() says NULL. */
#ifndef ALK_SCHEMA_TEXT_H
#define ALK_SCHEMA_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct text {
    char *bytes;
    size_t length, size;
    bool failed;
};

void text_append(struct text *text, const char *bytes, size_t length);
void text_put(struct text *text, const char *string);
void text_printf(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* One JSON pointer token with its slash, escaped (RFC 6901). */
void text_pointer_token(struct text *text, const char *token);

/* The string, NUL-terminated, for the caller to free(); NULL when memory was out. */
char *text_take(struct text *text);

#endif
