#include "base/log_record.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { ENDING = 2 }; /* room that is always left: "}" and a line end */

static void put(struct alk_log_text *t, char c)
{
    if (t->len < sizeof(t->text) - ENDING)
        t->text[t->len++] = c;
    else
        t->full = true;
}

static void put_text(struct alk_log_text *t, const char *text)
{
    while (*text != '\0')
        put(t, *text++);
}

/* ---- logfmt ---- */

static bool needs_quotes(const char *value)
{
    if (*value == '\0')
        return true;
    for (; *value != '\0'; value++) {
        unsigned char c = (unsigned char)*value;
        if (c <= ' ' || c == '"' || c == '=' || c == '\\' || c >= 0x7f)
            return true;
    }
    return false;
}

static void put_value(struct alk_log_text *t, const char *value)
{
    static const char hex[] = "0123456789abcdef";

    if (!needs_quotes(value)) {
        put_text(t, value);
        return;
    }
    put(t, '"');
    for (; *value != '\0'; value++) {
        unsigned char c = (unsigned char)*value;
        if (c == '"' || c == '\\') {
            put(t, '\\');
            put(t, (char)c);
        } else if (c < ' ' || c >= 0x7f) { /* bytes above too: C1 controls, marks that turn text */
            put_text(t, "\\x");
            put(t, hex[c >> 4]);
            put(t, hex[c & 15]);
        } else {
            put(t, (char)c);
        }
    }
    put(t, '"');
}

void alk_log_put_logfmt(struct alk_log_text *t, const char *key, const char *value)
{
    if (t->len > 0)
        put(t, ' ');
    put_text(t, key);
    put(t, '=');
    put_value(t, value);
}

/* ---- JSON (RFC 8259), in ASCII ---- */

/* The code point of the UTF-8 sequence at *text, which moves behind it; U+FFFD for a byte that
 * begins none. */
static uint32_t take_code_point(const unsigned char **text)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *at = *text;
    unsigned len = *at < 0x80 ? 1 : *at >> 5 == 6 ? 2 : *at >> 4 == 14 ? 3 : *at >> 3 == 30 ? 4 : 0;
    uint32_t code = len == 1 ? *at : len > 1 ? *at & (0x7fU >> len) : 0;

    (*text)++;
    for (unsigned i = 1; i < len; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0xfffd;
        code = code << 6 | (at[i] & 0x3f);
    }
    if (len == 0 || code < least[len] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
        return 0xfffd;
    *text = at + len;
    return code;
}

/* One code point as it stands in a string; at most 12 characters. */
static void escape(uint32_t code, char out[16])
{
    if (code == '"' || code == '\\')
        snprintf(out, 16, "\\%c", (char)code);
    else if (code >= ' ' && code < 0x7f)
        snprintf(out, 16, "%c", (char)code);
    else if (code < 0x10000)
        snprintf(out, 16, "\\u%04x", (unsigned)code);
    else
        snprintf(out, 16, "\\u%04x\\u%04x", (unsigned)(0xd800 + ((code - 0x10000) >> 10)),
                 (unsigned)(0xdc00 + ((code - 0x10000) & 0x3ff)));
}

void alk_log_put_json(struct alk_log_text *t, const char *key, const char *value)
{
    const unsigned char *at = (const unsigned char *)value;
    char piece[16];

    /* a key, what belongs to it, and its closing quote must fit as a whole */
    if (t->full || t->len + strlen(key) + 8 + ENDING > sizeof(t->text)) {
        t->full = true;
        return;
    }
    put_text(t, t->len == 0 ? "{\"" : ",\"");
    put_text(t, key);
    put_text(t, "\":\"");
    while (*at != '\0' && !t->full) {
        escape(take_code_point(&at), piece);
        if (t->len + strlen(piece) + 1 + ENDING > sizeof(t->text))
            t->full = true;
        else
            put_text(t, piece);
    }
    put(t, '"');
}

void alk_log_end_json(struct alk_log_text *t)
{
    t->text[t->len++] = '}';
}

/* ---- the journal ---- */

/* Capitals, digits and underscores are all that a field's name may have. */
static char field_char(char c)
{
    if (c >= 'a' && c <= 'z')
        return (char)(c - 'a' + 'A');
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ? c : '_';
}

void alk_log_put_journal(struct alk_log_text *t, const char *prefix, const char *key,
                         const char *value)
{
    size_t len = strlen(value), whole = strlen(prefix) + strlen(key) + len + 2;
    bool lines = strchr(value, '\n') != NULL;

    if (t->len + whole + (lines ? 8 : 0) + ENDING > sizeof(t->text))
        return;
    put_text(t, prefix);
    for (; *key != '\0'; key++)
        put(t, field_char(*key));
    put(t, lines ? '\n' : '=');
    for (unsigned shift = 0; lines && shift < 64; shift += 8) /* little endian */
        put(t, (char)((uint64_t)len >> shift & 0xff));
    put_text(t, value);
    put(t, '\n');
}
