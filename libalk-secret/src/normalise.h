/* Unicode normalisation form NFKD, in memory of the caller's. */
#ifndef ALK_NORMALISE_H
#define ALK_NORMALISE_H

#include <stddef.h>
#include <stdint.h>

/* How many elements alk_nfkd() needs for len bytes of UTF-8. ALK_SECRET_E_UTF8, and
 * ALK_SECRET_E_TOO_LONG over ALK_MNEMONIC_INPUT_MAX. */
int alk_nfkd_room(const char *in, size_t len, size_t *room);

/* Normalises in place of `buffer`, which then holds *out_len bytes of UTF-8 and a NUL, and
 * behind them leftovers: wipe all of it. ALK_SECRET_E_UTF8. */
int alk_nfkd(const char *in, size_t len, int32_t *buffer, size_t room, size_t *out_len);

#endif
