/* URIs, IRIs and URI templates. */
#include "format.h"
#include "uri.h"

#include <string.h>

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

static bool is_alnum(char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

#define UNRESERVED_MARKS "-._~"
#define SUB_DELIMITERS   "!$&'()*+,;="

/* Letters, digits, `marks`, percent escapes, and beyond ASCII when `international`. */
static bool all_allowed(struct uri_part part, const char *marks, bool international)
{
    for (size_t i = 0; i < part.length; i++) {
        char c = part.at[i];
        if (c == '%') {
            if (i + 2 >= part.length || !is_hex(part.at[i + 1]) || !is_hex(part.at[i + 2]))
                return false;
            i += 2;
        } else if (!is_alnum(c) && !(c && strchr(marks, c)) &&
                   !(international && (unsigned char)c >= 0x80)) {
            return false;
        }
    }
    return true;
}

static bool ip_literal(const char *text, size_t length)
{
    if (length > 1 && (text[0] | 0x20) == 'v') {
        size_t n = 1;
        while (n < length && is_hex(text[n]))
            n++;
        struct uri_part rest = {text + n + 1, n + 1 < length ? length - n - 1 : 0};
        return n > 1 && rest.length && text[n] == '.' && !memchr(rest.at, '%', rest.length) &&
               all_allowed(rest, UNRESERVED_MARKS SUB_DELIMITERS ":", false);
    }
    return format_ipv6(text, length);
}

/* [userinfo "@"] host [":" port] */
static bool authority_ok(struct uri_part part, bool international)
{
    const char *at = memrchr(part.at, '@', part.length);
    if (at) {
        struct uri_part user = {part.at, (size_t)(at - part.at)};
        if (!all_allowed(user, UNRESERVED_MARKS SUB_DELIMITERS ":", international))
            return false;
        part.length -= user.length + 1;
        part.at = at + 1;
    }
    size_t port = part.length;
    while (port && part.at[port - 1] >= '0' && part.at[port - 1] <= '9')
        port--;
    if (port && part.at[port - 1] == ':')
        part.length = port - 1;
    if (part.length && part.at[0] == '[')
        return part.at[part.length - 1] == ']' && ip_literal(part.at + 1, part.length - 2);
    return all_allowed(part, UNRESERVED_MARKS SUB_DELIMITERS, international);
}

static bool reference_ok(const char *text, size_t length, bool absolute, bool international)
{
    static const char path_marks[] = UNRESERVED_MARKS SUB_DELIMITERS ":@/";
    static const char query_marks[] = UNRESERVED_MARKS SUB_DELIMITERS ":@/?";
    struct uri uri;
    uri_split(text, length, &uri);
    if (absolute && !uri.scheme.at)
        return false;
    if (uri.authority.at && !authority_ok(uri.authority, international))
        return false;
    if (!uri.scheme.at && !uri.authority.at) {
        /* a first segment with a colon would be a scheme */
        const char *colon = memchr(uri.path.at, ':', uri.path.length);
        if (colon && !memchr(uri.path.at, '/', (size_t)(colon - uri.path.at)))
            return false;
    }
    return all_allowed(uri.path, path_marks, international) &&
           all_allowed(uri.query, query_marks, international) &&
           all_allowed(uri.fragment, query_marks, international);
}

bool format_uri(const char *text, size_t length)
{
    return reference_ok(text, length, true, false);
}

bool format_uri_reference(const char *text, size_t length)
{
    return reference_ok(text, length, false, false);
}

bool format_iri(const char *text, size_t length)
{
    return reference_ok(text, length, true, true);
}

bool format_iri_reference(const char *text, size_t length)
{
    return reference_ok(text, length, false, true);
}

/* ---- RFC 6570 ---------------------------------------------------------------------------------- */

/* varspec: name [":" max-length | "*"] */
static bool variable_ok(const char *text, size_t length)
{
    size_t n = 0;
    while (n < length && text[n] != ':' && text[n] != '*')
        n++;
    struct uri_part name = {text, n};
    if (n == 0 || !all_allowed(name, "_.", false) || text[0] == '.' || text[n - 1] == '.')
        return false;
    if (n == length || (text[n] == '*' && n + 1 == length))
        return true;
    size_t digits = length - n - 1;
    if (text[n] != ':' || digits == 0 || digits > 4 || text[n + 1] == '0')
        return false;
    for (n++; n < length; n++)
        if (text[n] < '0' || text[n] > '9')
            return false;
    return true;
}

static bool expression_ok(const char *text, size_t length)
{
    if (length && text[0] && strchr("+#./;?&=,!@|", text[0]))
        text++, length--;
    for (;;) {
        const char *comma = memchr(text, ',', length);
        size_t n = comma ? (size_t)(comma - text) : length;
        if (!variable_ok(text, n))
            return false;
        if (!comma)
            return true;
        text += n + 1, length -= n + 1;
    }
}

bool format_uri_template(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        if (c == '{') {
            const char *close = memchr(text + i, '}', length - i);
            size_t n = close ? (size_t)(close - text) - i : 0;
            if (!close || !expression_ok(text + i + 1, n - 1))
                return false;
            i += n;
        } else if (c == '%') {
            if (i + 2 >= length || !is_hex(text[i + 1]) || !is_hex(text[i + 2]))
                return false;
        } else if ((unsigned char)c <= ' ' || c == 0x7f || strchr("\"'<>\\^`{|}", c)) {
            return false;
        }
    }
    return true;
}
