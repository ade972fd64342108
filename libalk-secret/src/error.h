/* Filling in an error sentence. */
#ifndef ALK_ERROR_PRIVATE_H
#define ALK_ERROR_PRIVATE_H

#include <alk/secret_error.h>

/* Writes the sentence (never an input that could be a secret) and returns code. error may be
 * NULL; a NULL format means the general sentence of the code. */
int alk_secret_fail(struct alk_secret_error *error, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
