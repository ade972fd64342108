#ifndef ALK_SCHEMA_ERROR_H
#define ALK_SCHEMA_ERROR_H

#include "alk/schema.h"

/* Fill `error` (which may be NULL) and return `status`. */
int error_set(struct alk_schema_error *error, int status, const char *schema, const char *format,
              ...) __attribute__((format(printf, 4, 5)));

/* Copy what fits, cut at a UTF-8 boundary. */
void error_copy(char *to, size_t size, const char *from);

#endif
