#include "banner.h"

#include <stdbool.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

enum { LINES_MAX = 64, BYTES_MAX = 8192 };

/* Characters without a look of their own that change how others look. */
static bool turns_text(wchar_t c)
{
    return (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
           (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || c == 0x061c;
}

static void print_line(FILE *out, const char *jump, const char *text, size_t len)
{
    mbstate_t state = {0};

    if (jump != NULL)
        fprintf(out, "alknet-client: jump host %s says: ", jump);
    else
        fputs("alknet-client: the server says: ", out);
    while (len > 0) {
        wchar_t wide = 0;
        size_t n = mbrtowc(&wide, text, len, &state);
        if (n == 0 || n > len || !iswprint((wint_t)wide) || turns_text(wide)) {
            fprintf(out, "\\%03o", (unsigned char)*text);
            n = 1;
            state = (mbstate_t){0};
        } else {
            fwrite(text, 1, n, out);
        }
        text += n;
        len -= n;
    }
    fputc('\n', out);
}

void banner_print(FILE *out, const char *jump, const char *text, size_t len)
{
    if (len > BYTES_MAX)
        len = BYTES_MAX;
    for (unsigned lines = 0; len > 0 && lines < LINES_MAX; lines++) {
        const char *newline = memchr(text, '\n', len);
        size_t line = newline != NULL ? (size_t)(newline - text) : len;
        size_t shown = line > 0 && text[line - 1] == '\r' ? line - 1 : line;
        print_line(out, jump, text, shown);
        line += newline != NULL;
        text += line;
        len -= line;
    }
}
