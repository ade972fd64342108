/* NFKD through utf8proc.
 *
 * utf8proc_map() would leave copies of the phrase in freed memory, so the two steps that it
 * is made of run here on a buffer of the caller's.
 */
#include "normalise.h"

#include <utf8proc.h>

static const utf8proc_option_t NFKD = UTF8PROC_STABLE | UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT;

int alk_nfkd(const char *in, size_t len, int32_t *buffer, size_t *out_len)
{
    const utf8proc_ssize_t room = (utf8proc_ssize_t)ALK_NFKD_ROOM(len);
    utf8proc_ssize_t points, bytes;

    if (len > ALK_MNEMONIC_INPUT_MAX)
        return ALK_SECRET_E_TOO_LONG;
    points = utf8proc_decompose((const utf8proc_uint8_t *)in, (utf8proc_ssize_t)len, buffer,
                                room - 1, NFKD);
    if (points < 0)
        return ALK_SECRET_E_UTF8;
    if (points >= room) /* by a Unicode that is not made yet */
        return ALK_SECRET_E_TOO_LONG;
    bytes = utf8proc_reencode(buffer, points, NFKD);
    if (bytes < 0)
        return ALK_SECRET_E_UTF8;
    *out_len = (size_t)bytes;
    return 0;
}
