/* NFKD through utf8proc.
 *
 * utf8proc_map() would leave copies of the phrase in freed memory, so the two steps that it
 * is made of run here on a buffer of our own.
 */
#include "normalise.h"

#include <alk/secret_mnemonic.h>

#include <sodium.h>
#include <utf8proc.h>

static const utf8proc_option_t NFKD = UTF8PROC_STABLE | UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT;

int alk_nfkd(const char *in, size_t len, char **out, size_t *out_len)
{
    const utf8proc_uint8_t *text = (const utf8proc_uint8_t *)in;
    utf8proc_int32_t *points;
    utf8proc_ssize_t need, got;

    if (len > ALK_MNEMONIC_INPUT_MAX)
        return ALK_SECRET_E_TOO_LONG;
    need = utf8proc_decompose(text, (utf8proc_ssize_t)len, NULL, 0, NFKD);
    if (need < 0)
        return ALK_SECRET_E_UTF8;
    /* utf8proc wants one element more than the text has code points, for the NUL */
    points = sodium_allocarray((size_t)need + 1, sizeof *points);
    if (points == NULL)
        return ALK_SECRET_E_MEMORY;
    got = utf8proc_decompose(text, (utf8proc_ssize_t)len, points, need, NFKD);
    if (got == need)
        got = utf8proc_reencode(points, need, NFKD);
    if (got < 0) {
        sodium_free(points);
        return ALK_SECRET_E_UTF8;
    }
    *out = (char *)points;
    *out_len = (size_t)got;
    return 0;
}
