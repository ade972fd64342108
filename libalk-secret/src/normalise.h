/* Unicode normalisation form NFKD, in memory of the caller's. */
#ifndef ALK_NORMALISE_H
#define ALK_NORMALISE_H

#include <alk/secret_mnemonic.h>

#include <stddef.h>
#include <stdint.h>

/* Code points that len bytes may become, and a NUL: U+FDFA, three bytes, becomes 18. */
#define ALK_NFKD_ROOM(len) (6 * (len) + 1)

/* Normalises len bytes of UTF-8. The buffer has ALK_NFKD_ROOM(len) elements or more; it then
 * holds *out_len bytes of UTF-8 and a NUL, and behind them leftovers: wipe all of it.
 * ALK_SECRET_E_UTF8, and ALK_SECRET_E_TOO_LONG over ALK_MNEMONIC_INPUT_MAX. */
int alk_nfkd(const char *in, size_t len, int32_t *buffer, size_t *out_len);

#endif
