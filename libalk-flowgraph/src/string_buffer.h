/* A growing string. After a failed allocation string_take() says NULL. */
#ifndef ALK_FLOWGRAPH_STRING_BUFFER_H
#define ALK_FLOWGRAPH_STRING_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

struct string_buffer {
    char *bytes;
    size_t length, size;
    bool failed;
};

void string_append(struct string_buffer *out, const char *bytes, size_t length);
void string_put(struct string_buffer *out, const char *text);
void string_printf(struct string_buffer *out, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Text for the inside of a quoted Mermaid label: what it would read as markup is coded. */
void string_put_mermaid(struct string_buffer *out, const char *text);

char *string_take(struct string_buffer *out);

#endif
