/* Mail addresses, host names, IP addresses and UUIDs. */
#include "format.h"

#include <arpa/inet.h>
#include <string.h>

static bool is_alnum(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool format_hostname(const char *text, size_t length)
{
    size_t label = 0;
    if (length == 0 || length > 253)
        return false;
    for (size_t i = 0; i <= length; i++) {
        bool end = i == length || text[i] == '.';
        if (!end && !is_alnum(text[i]) && text[i] != '-')
            return false;
        if (!end) {
            label++;
            continue;
        }
        if (label == 0 || label > 63 || text[i - label] == '-' || text[i - 1] == '-')
            return false;
        label = 0;
    }
    return true;
}

static bool parse_address(int family, const char *text, size_t length)
{
    char copy[INET6_ADDRSTRLEN + 1];
    unsigned char address[16];
    if (length >= sizeof copy || memchr(text, '\0', length))
        return false;
    memcpy(copy, text, length);
    copy[length] = '\0';
    return inet_pton(family, copy, address) == 1;
}

bool format_ipv4(const char *text, size_t length)
{
    return parse_address(AF_INET, text, length);
}

bool format_ipv6(const char *text, size_t length)
{
    return parse_address(AF_INET6, text, length);
}

bool format_uuid(const char *text, size_t length)
{
    if (length != 36)
        return false;
    for (size_t i = 0; i < 36; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        char lower = (char)(text[i] | 0x20);
        bool hex = (text[i] >= '0' && text[i] <= '9') || (lower >= 'a' && lower <= 'f');
        if (dash ? text[i] != '-' : !hex)
            return false;
    }
    return true;
}

/* ---- RFC 5321 Mailbox, and RFC 6531 when `international` ------------------------------------ */

static bool is_atom(char c, bool international)
{
    return is_alnum(c) || (c && strchr("!#$%&'*+-/=?^_`{|}~", c)) ||
           (international && (unsigned char)c >= 0x80);
}

static bool quoted_local(const char *text, size_t length, bool international)
{
    for (size_t i = 1; i + 1 < length; i++) {
        if (text[i] == '\\' && i + 2 < length)
            i++;
        else if (text[i] == '"' || text[i] == '\\')
            return false;
        bool printable = text[i] >= ' ' && text[i] <= '~';
        if (!printable && !(international && (unsigned char)text[i] >= 0x80))
            return false;
    }
    return length >= 2 && text[length - 1] == '"';
}

static bool dotted_local(const char *text, size_t length, bool international)
{
    bool dot = true; /* where one may not come next */
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '.' ? dot : !is_atom(text[i], international))
            return false;
        dot = text[i] == '.';
    }
    return !dot;
}

static bool mail_domain(const char *text, size_t length, bool international)
{
    if (length > 2 && text[0] == '[' && text[length - 1] == ']') {
        if (length > 7 && strncasecmp(text + 1, "IPv6:", 5) == 0)
            return format_ipv6(text + 6, length - 7);
        return format_ipv4(text + 1, length - 2);
    }
    if (!international)
        return format_hostname(text, length);
    for (size_t i = 0; i < length; i++)
        if (!is_alnum(text[i]) && !strchr("-.", text[i]) && (unsigned char)text[i] < 0x80)
            return false;
    return length > 0;
}

static bool mailbox(const char *text, size_t length, bool international)
{
    const char *at = memrchr(text, '@', length);
    if (!at || at == text || memchr(text, '\0', length))
        return false;
    size_t local = (size_t)(at - text);
    bool ok = text[0] == '"' ? quoted_local(text, local, international)
                             : dotted_local(text, local, international);
    return ok && mail_domain(at + 1, length - local - 1, international);
}

bool format_email(const char *text, size_t length)
{
    return mailbox(text, length, false);
}

bool format_idn_email(const char *text, size_t length)
{
    return mailbox(text, length, true);
}
