/* Site passwords: a function of a key and a length alone. docs/secret.md has the algorithm. */
#ifndef ALK_PASSWORD_H
#define ALK_PASSWORD_H

#include <stddef.h>
#include <stdint.h>

/* Writes length characters and a NUL. ALK_SECRET_E_ARGUMENT for a length out of bounds. */
int alk_secret_password_make(const uint8_t key[32], size_t length, char *out);

#endif
