/* Unicode normalisation form NFKD, in memory that is locked and wiped. */
#ifndef ALK_NORMALISE_H
#define ALK_NORMALISE_H

#include <stddef.h>

/* Normalises len bytes of UTF-8. *out is NUL-terminated, to be freed with sodium_free().
 * ALK_SECRET_E_UTF8, ALK_SECRET_E_TOO_LONG over ALK_MNEMONIC_INPUT_MAX, ALK_SECRET_E_MEMORY. */
int alk_nfkd(const char *in, size_t len, char **out, size_t *out_len);

#endif
