#include "utf8.h"

#include <stdint.h>
#include <string.h>

size_t utf8_character(const char *text)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *at = (const unsigned char *)text;
    if (*at < 0x80)
        return 1;
    size_t length = *at >= 0xf0 ? 4 : *at >= 0xe0 ? 3 : 2;
    uint32_t code = *at & (0x7fu >> length);
    if (*at < 0xc0 || *at > 0xf7)
        return 0;
    for (size_t i = 1; i < length; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (at[i] & 0x3f);
    }
    bool surrogate = code >= 0xd800 && code < 0xe000;
    return code < least[length] || code > 0x10ffff || surrogate ? 0 : length;
}

bool utf8_valid(const char *text)
{
    while (*text) {
        size_t length = utf8_character(text);
        if (!length)
            return false;
        text += length;
    }
    return true;
}

void utf8_mend(char *text)
{
    char *to = text;
    while (*text) {
        size_t length = utf8_character(text);
        memmove(to, text, length);
        to += length;
        text += length ? length : 1;
    }
    *to = '\0';
}
