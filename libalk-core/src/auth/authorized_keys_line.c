#include "auth/authorized_keys_line.h"
#include "auth/key_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { LINE_MAX_BYTES = 64 * 1024 };

void alk_authorized_line_note(const struct alk_authorized_line *line, bool skipped,
                              const char *format, ...)
{
    char sentence[256];
    va_list args;
    int used;

    if (line->note == NULL)
        return;
    used = snprintf(sentence, sizeof(sentence), "authorized_keys line %u: ", line->number);
    va_start(args, format);
    vsnprintf(sentence + used, sizeof(sentence) - (size_t)used, format, args);
    va_end(args);
    line->note(line->number, skipped, sentence, line->user);
}

static enum alk_line_kind refuse(const struct alk_authorized_line *line, const char *why)
{
    alk_authorized_line_note(line, true, "%s", why);
    return ALK_LINE_REFUSED;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static const char *skip_blanks(const char *at, const char *end)
{
    while (at < end && is_blank(*at))
        at++;
    return at;
}

static const char *skip_word(const char *at, const char *end)
{
    while (at < end && !is_blank(*at))
        at++;
    return at;
}

/* The end of the options: the first blank outside quotes, or NULL when a quote stays open. */
static const char *skip_options(const char *at, const char *end)
{
    bool quoted = false;

    for (; at < end && (quoted || !is_blank(*at)); at++) {
        if (*at == '\\' && at + 1 < end && at[1] == '"')
            at++;
        else if (*at == '"')
            quoted = !quoted;
    }
    return quoted ? NULL : at;
}

/* "TYPE BASE64 COMMENT" into *key; the type is known to be a key type. */
static enum alk_line_kind parse_key(const struct alk_authorized_line *line, const char *type,
                                    const char *end, struct alk_authorized_key *key)
{
    const char *type_end = skip_word(type, end);
    const char *base64 = skip_blanks(type_end, end);
    const char *base64_end = skip_word(base64, end);
    const char *comment = skip_blanks(base64_end, end);
    size_t type_len = (size_t)(type_end - type);
    uint8_t blob[ALK_KEY_BLOB_SIZE];
    const char *problem;
    uint8_t *kept;

    if (type_len != strlen(ALK_KEY_TYPE) || memcmp(type, ALK_KEY_TYPE, type_len) != 0) {
        alk_authorized_line_note(line, true,
                                 "unsupported key type %.*s; alknet accepts ssh-ed25519",
                                 (int)type_len, type);
        return ALK_LINE_REFUSED;
    }
    problem = alk_key_decode_blob(base64, (size_t)(base64_end - base64), blob);
    if (problem != NULL)
        return refuse(line, problem);
    if (sodium_is_zero(alk_key_blob_raw(blob, sizeof(blob)), crypto_sign_PUBLICKEYBYTES) ||
        (line->check_point && !alk_key_point_valid(alk_key_blob_raw(blob, sizeof(blob)))))
        return refuse(line, "the key is not a valid Ed25519 point");
    while (end > comment && is_blank(end[-1]))
        end--;
    kept = alk_arena_bytes(line->arena, sizeof(blob));
    key->comment =
        comment == end ? "" : alk_arena_text(line->arena, comment, (size_t)(end - comment));
    if (kept == NULL || key->comment == NULL)
        return ALK_LINE_NOMEM;
    memcpy(kept, blob, sizeof(blob));
    key->blob = kept;
    return ALK_LINE_KEY;
}

enum alk_line_kind alk_authorized_line_parse(const struct alk_authorized_line *line,
                                             const char *text, size_t len,
                                             struct alk_authorized_key *key)
{
    const char *end = text + len;
    const char *at, *options_end, *type;

    if (len > 0 && end[-1] == '\r')
        end--;
    at = skip_blanks(text, end);
    if (at == end || *at == '#')
        return ALK_LINE_EMPTY;
    if (len > LINE_MAX_BYTES)
        return refuse(line, "the line is longer than 65536 bytes");
    if (memchr(at, '\0', (size_t)(end - at)) != NULL)
        return refuse(line, "the line holds a NUL byte");
    *key = (struct alk_authorized_key){.line = line->number, .port_forwarding = true};
    if (alk_key_type_known(at, (size_t)(skip_word(at, end) - at)))
        return parse_key(line, at, end, key);
    options_end = skip_options(at, end);
    if (options_end == NULL)
        return refuse(line, "a quote in the options is not closed");
    type = skip_blanks(options_end, end);
    if (!alk_key_type_known(type, (size_t)(skip_word(type, end) - type)))
        return refuse(line, "no key found; a line is: [options] ssh-ed25519 AAAA... [comment]");
    switch (alk_authorized_options_parse(line, at, (size_t)(options_end - at), key)) {
    case ALK_OK:
        return parse_key(line, type, end, key);
    case ALK_E_NOMEM:
        return ALK_LINE_NOMEM;
    default:
        return ALK_LINE_REFUSED;
    }
}
