#include "error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void error_copy(char *to, size_t size, const char *from)
{
    size_t length = strlen(from);
    if (length >= size) {
        length = size - 1;
        while (length && ((unsigned char)from[length] & 0xc0) == 0x80)
            length--;
    }
    memcpy(to, from, length);
    to[length] = '\0';
}

int error_set(struct alk_schema_error *error, int status, const char *schema, const char *format,
              ...)
{
    if (!error)
        return status;
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    error->instance[0] = '\0';
    error_copy(error->schema, sizeof error->schema, schema);
    error_copy(error->text, sizeof error->text, text);
    return status;
}
