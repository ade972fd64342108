/* What the headers of a request mean to the decoy. */
#include "interface/decoy_internal.h"

#include <string.h>
#include <strings.h>

/* As nginx judges names: those of hosts, with or without port, and of addresses in brackets. */
bool decoy_host_is_valid(const char *host, size_t len)
{
    enum { USUAL, LITERAL, REST } state = USUAL;
    size_t end = len, dot = len;

    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)host[i];
        if (c == '.' && dot + 1 == i)
            return false;
        if (c == '.') {
            dot = i;
        } else if (c == ':' && state == USUAL) {
            end = i;
            state = REST;
        } else if (c == '[' && i == 0) {
            state = LITERAL;
        } else if (c == ']' && state == LITERAL) {
            end = i + 1;
            state = REST;
        } else if (c <= 0x20 || c == 0x7f || c == '/') {
            return false;
        }
    }
    return end > 1 || (end == 1 && dot != 0);
}

static bool contains(const char *text, size_t len, const char *part)
{
    size_t n = strlen(part);

    for (size_t i = 0; i + n <= len; i++) {
        if (memcmp(text + i, part, n) == 0)
            return true;
    }
    return false;
}

static const char *find_word(const char *text, size_t len, const char *word)
{
    size_t n = strlen(word);

    for (size_t i = 0; i + n <= len; i++) {
        if (strncasecmp(text + i, word, n) == 0)
            return text + i;
    }
    return NULL;
}

static void take_connection(struct decoy_request *r, const char *value, size_t len)
{
    if (find_word(value, len, "close") != NULL)
        r->connection = DECOY_CONNECTION_CLOSE;
    else if (find_word(value, len, "keep-alive") != NULL)
        r->connection = DECOY_CONNECTION_KEEP;
}

/* Browsers that replace short error pages by their own get longer ones. */
static void take_agent(struct decoy_request *r, const char *value, size_t len)
{
    const char *msie = memmem(value, len, "MSIE ", 5);
    const char *end = value + len;

    if (r->has_agent)
        return;
    r->has_agent = true;
    if (msie != NULL && msie + 7 < end) {
        r->pads = true;
        if (msie[6] == '.')
            r->is_old_msie =
                msie[5] == '4' || msie[5] == '5' ||
                (msie[5] == '6' && !contains(msie + 7, (size_t)(end - msie) - 7, "SV1"));
    }
    if (contains(value, len, "Opera"))
        r->pads = r->is_old_msie = false;
    else if (!r->pads)
        r->pads = !contains(value, len, "Gecko/") && contains(value, len, "Chrome/");
}

static void take_length(struct decoy_request *r, const char *value, size_t len)
{
    r->has_length = true;
    r->bad_length = len == 0;
    for (size_t i = 0; i < len; i++) {
        unsigned digit = (unsigned char)value[i] - 48U;
        if (digit > 9 || r->length > ((uint64_t)INT64_MAX - digit) / 10)
            r->bad_length = true;
        else
            r->length = r->length * 10 + digit;
    }
}

/* The weight behind ";q=", in hundredths or finer; 0: not acceptable. */
static unsigned quantity(const char *p, const char *end)
{
    unsigned q = (unsigned)(*p - '0') * 100, digits = 0;

    if (*p != '0' && *p != '1')
        return 0;
    if (++p == end || *p == ',' || *p == ' ')
        return q;
    if (*p++ != '.')
        return 0;
    for (; p < end && *p != ',' && *p != ' '; p++, digits++) {
        if (*p < '0' || *p > '9')
            return 0;
        q += (unsigned)(*p - '0');
    }
    return q > 100 || digits > 3 ? 0 : q;
}

static bool takes_gzip(const char *value, size_t len)
{
    const char *end = value + len, *p = value;

    while ((p = find_word(p, (size_t)(end - p), "gzip")) != NULL) {
        if (p == value || p[-1] == ',' || p[-1] == ' ')
            break;
        p += 4;
    }
    if (p == NULL)
        return false;
    for (p += 4; p < end && *p == ' '; p++)
        ;
    if (p == end || *p == ',')
        return true;
    if (*p++ != ';')
        return false;
    for (; p < end && *p == ' '; p++)
        ;
    if (p == end)
        return true;
    if ((*p | 0x20) != 'q' || end - p < 3 || p[1] != '=')
        return false;
    return quantity(p + 2, end) != 0;
}

static bool is(const char *name, size_t len, const char *header)
{
    return strlen(header) == len && strncasecmp(name, header, len) == 0;
}

/* A second one of these is an error. */
static bool is_repeated(struct decoy_request *r, const char *name, size_t len)
{
    static const char *const unique[DECOY_UNIQUE_MAX] = {
        "host",
        "content-length",
        "transfer-encoding",
        "if-modified-since",
        "if-match",
        "if-none-match",
        "if-unmodified-since",
        "if-range",
        "authorization",
        "content-range",
        "expect",
    };

    for (unsigned i = 0; i < DECOY_UNIQUE_MAX && unique[i] != NULL; i++) {
        if (!is(name, len, unique[i]))
            continue;
        bool before = (r->unique & 1U << i) != 0;
        r->unique |= 1U << i;
        return before;
    }
    return false;
}

void decoy_header(struct decoy_request *r, const char *name, size_t name_len, const char *value,
                  size_t len)
{
    if (is_repeated(r, name, name_len)) {
        r->error = 400;
    } else if (is(name, name_len, "host")) {
        r->has_host = true;
        if (!decoy_host_is_valid(value, len))
            r->error = 400;
    } else if (is(name, name_len, "connection")) {
        take_connection(r, value, len);
    } else if (is(name, name_len, "user-agent")) {
        take_agent(r, value, len);
    } else if (is(name, name_len, "content-length")) {
        take_length(r, value, len);
    } else if (is(name, name_len, "transfer-encoding")) {
        r->has_coding = true;
        r->chunked_coding = len == 7 && strncasecmp(value, "chunked", len) == 0;
    } else if (is(name, name_len, "via")) {
        r->has_via = true;
    } else if (is(name, name_len, "accept-encoding") && !r->has_encoding) {
        r->has_encoding = true;
        r->takes_gzip = takes_gzip(value, len);
    }
}
