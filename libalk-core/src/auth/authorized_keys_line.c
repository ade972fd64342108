#include "auth/authorized_keys_line.h"
#include "auth/key_internal.h"

#include <alk/user_key.h>

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
    used = snprintf(sentence, sizeof(sentence), "%s line %u: ", line->file, line->number);
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

/* Says that keys of this type do not count here, and which do. */
static enum alk_line_kind refuse_type(const struct alk_authorized_line *line, const char *type,
                                      size_t len, bool authority)
{
    alk_authorized_line_note(line, true, "unsupported key type %.*s%s; alknet accepts %s", (int)len,
                             type, authority ? " of a certificate authority" : "",
                             authority ? ALK_KEY_TYPE
                                       : ALK_KEY_TYPE " and sk-ssh-ed25519@openssh.com");
    return ALK_LINE_REFUSED;
}

/* A security key's blob: its length varies with the application. */
static const char *decode_security_key(const char *base64, size_t len,
                                       uint8_t blob[ALK_PLAIN_KEY_MAX], size_t *blob_len)
{
    struct alk_user_key key;

    if (sodium_base642bin(blob, ALK_PLAIN_KEY_MAX, base64, len, NULL, blob_len, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0)
        return "the key is not valid base64, or too long";
    if (!alk_user_key_parse(blob, *blob_len, &key) || key.certified || key.application == NULL)
        return "the key is cut short, or of another type than sk-ssh-ed25519@openssh.com";
    return NULL;
}

static const char *decode_key(bool security_key, const char *base64, size_t len,
                              uint8_t blob[ALK_PLAIN_KEY_MAX], size_t *blob_len)
{
    if (security_key)
        return decode_security_key(base64, len, blob, blob_len);
    *blob_len = ALK_KEY_BLOB_SIZE;
    return alk_key_decode_blob(base64, len, blob);
}

static bool point_valid(const struct alk_authorized_line *line, const uint8_t *blob, size_t len)
{
    struct alk_user_key key;

    return alk_user_key_parse(blob, len, &key) &&
           !sodium_is_zero(key.raw, crypto_sign_PUBLICKEYBYTES) &&
           (!line->check_point || alk_key_point_valid(key.raw));
}

static bool is_type(const char *text, size_t len, const char *type)
{
    return len == strlen(type) && memcmp(text, type, len) == 0;
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
    bool security_key = is_type(type, type_len, "sk-ssh-ed25519@openssh.com");
    uint8_t blob[ALK_PLAIN_KEY_MAX];
    const char *problem;
    uint8_t *kept;

    if (!is_type(type, type_len, ALK_KEY_TYPE) && (!security_key || key->cert_authority))
        return refuse_type(line, type, type_len, key->cert_authority);
    problem = decode_key(security_key, base64, (size_t)(base64_end - base64), blob, &key->blob_len);
    if (problem != NULL)
        return refuse(line, problem);
    if (!point_valid(line, blob, key->blob_len))
        return refuse(line, "the key is not a valid Ed25519 point");
    if (key->principals != NULL && !key->cert_authority)
        return refuse(line, "principals= is for certificate authorities: it needs cert-authority");
    if (key->verify_required && !security_key && !key->cert_authority)
        return refuse(line, "verify-required is for security keys, and ssh-ed25519 is none");
    while (end > comment && is_blank(end[-1]))
        end--;
    kept = alk_arena_bytes(line->arena, key->blob_len);
    key->comment =
        comment == end ? "" : alk_arena_text(line->arena, comment, (size_t)(end - comment));
    if (kept == NULL || key->comment == NULL)
        return ALK_LINE_NOMEM;
    memcpy(kept, blob, key->blob_len);
    key->blob = kept;
    return ALK_LINE_KEY;
}

static struct alk_authorized_key no_options(const struct alk_authorized_line *line)
{
    static const char *const scopes[] = {ALK_SCOPE_CONNECT};

    return (struct alk_authorized_key){
        .line = line->number,
        .cert_authority = line->authorities,
        .port_forwarding = true,
        .touch_required = !line->authorities, /* there the certificate alone decides */
        .scopes = scopes,
        .scope_count = 1,
    };
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
    *key = no_options(line);
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
