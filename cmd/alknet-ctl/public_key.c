#include "public_key.h"

#include <sodium.h>
#include <string.h>

struct bytes {
    const uint8_t *at;
    size_t len;
};

static const struct type {
    const char *name, *label;
    unsigned bits; /* 0: those of the RSA modulus */
} types[] = {
    {"ssh-ed25519", "ED25519", 256},
    {"ssh-rsa", "RSA", 0},
    {"ecdsa-sha2-nistp256", "ECDSA", 256},
    {"ecdsa-sha2-nistp384", "ECDSA", 384},
    {"ecdsa-sha2-nistp521", "ECDSA", 521},
    {"sk-ssh-ed25519@openssh.com", "ED25519-SK", 256},
    {"sk-ecdsa-sha2-nistp256@openssh.com", "ECDSA-SK", 256},
};

static const struct type *find_type(const void *name, size_t len)
{
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (strlen(types[i].name) == len && memcmp(types[i].name, name, len) == 0)
            return &types[i];
    }
    return NULL;
}

/* An SSH string (RFC 4251 section 5) from the front of *from. */
static bool take_string(struct bytes *from, struct bytes *out)
{
    if (from->len < 4)
        return false;
    uint32_t len = (uint32_t)from->at[0] << 24 | (uint32_t)from->at[1] << 16 |
                   (uint32_t)from->at[2] << 8 | from->at[3];
    if (len > from->len - 4)
        return false;
    *out = (struct bytes){from->at + 4, len};
    from->at += 4 + len;
    from->len -= 4 + len;
    return true;
}

/* Bits of a positive multiple-precision integer. */
static unsigned count_bits(struct bytes number)
{
    while (number.len > 0 && number.at[0] == 0) {
        number.at++;
        number.len--;
    }
    unsigned bits = (unsigned)number.len * 8;
    for (unsigned top = number.len > 0 ? number.at[0] : 0x80; (top & 0x80) == 0; top <<= 1)
        bits--;
    return bits;
}

/* Fills type and bits from the blob. */
static bool describe(struct public_key *key)
{
    struct bytes rest = {key->blob, key->blob_len}, name, field;

    if (!take_string(&rest, &name))
        return false;
    const struct type *type = find_type(name.at, name.len);
    if (type == NULL || !take_string(&rest, &field)) /* RSA: the exponent */
        return false;
    key->type = type->label;
    key->bits = type->bits;
    if (type->bits == 0) {
        if (!take_string(&rest, &field))
            return false;
        key->bits = count_bits(field);
    }
    return true;
}

/* Reads "TYPE BASE64" at text; *end is what follows. */
static bool read_key(struct public_key *key, char *text, char **end)
{
    size_t name_len = strcspn(text, " \t");
    char *base64 = text + name_len + strspn(text + name_len, " \t");
    size_t len = strcspn(base64, " \t");

    if (find_type(text, name_len) == NULL ||
        sodium_base642bin(key->blob, sizeof(key->blob), base64, len, NULL, &key->blob_len, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0 ||
        !describe(key))
        return false;
    *end = base64 + len;
    return true;
}

/* The end of a field; blanks within double quotes belong to it. */
static char *skip_field(char *at)
{
    bool quoted = false;

    for (; *at != '\0' && (quoted || (*at != ' ' && *at != '\t')); at++) {
        if (at[0] == '\\' && at[1] == '"')
            at++;
        else if (*at == '"')
            quoted = !quoted;
    }
    return at;
}

bool public_key_from_line(struct public_key *key, char *line)
{
    char *at = line + strspn(line, " \t");
    char *before = at + strlen(at); /* "" */
    char *end;

    at[strcspn(at, "\r\n")] = '\0';
    /* at most two fields stand before the key: @marker and host names */
    for (int field = 0; *at != '\0' && *at != '#' && field < 3; field++) {
        if (read_key(key, at, &end)) {
            end += strspn(end, " \t");
            key->comment = *end != '\0' && *end != '#' ? end : before;
            return true;
        }
        before = at;
        at = skip_field(at);
        if (*at != '\0')
            *at++ = '\0';
        at += strspn(at, " \t");
    }
    return false;
}

bool public_key_from_private(struct public_key *key, const char *body, size_t len)
{
    static const char magic[] = "openssh-key-v1"; /* with its NUL */
    size_t size = len / 4 * 3 + 3, decoded_len;
    uint8_t *decoded = sodium_malloc(size);
    struct bytes skipped, blob;
    bool found = false;

    if (decoded == NULL)
        return false;
    if (sodium_base642bin(decoded, size, body, len, "\r\n", &decoded_len, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0 ||
        decoded_len < sizeof(magic) || memcmp(decoded, magic, sizeof(magic)) != 0)
        goto out;
    struct bytes rest = {decoded + sizeof(magic), decoded_len - sizeof(magic)};
    for (int i = 0; i < 3; i++) { /* cipher, KDF, its options */
        if (!take_string(&rest, &skipped))
            goto out;
    }
    if (rest.len < 4)
        goto out;
    rest.at += 4; /* the number of keys */
    rest.len -= 4;
    if (!take_string(&rest, &blob) || blob.len > sizeof(key->blob))
        goto out;
    memcpy(key->blob, blob.at, blob.len);
    key->blob_len = blob.len;
    key->comment = "";
    found = describe(key);
out:
    sodium_free(decoded);
    return found;
}
