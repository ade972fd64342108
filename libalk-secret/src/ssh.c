/* OpenSSH's text forms of an Ed25519 key (OpenSSH's PROTOCOL.key, RFC 8709). */
#include <alk/secret_ssh.h>

#include "crypto.h"
#include "wipe.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define TYPE      "ssh-ed25519"
#define BLOB_SIZE (4 + 11 + 4 + 32)
#define WRAP      70 /* base64 characters on a line, as ssh-keygen writes */
#define BODY_MAX                                                                                   \
    (15 + 4 * 3 + 4 + 4 + 8 + 4 + BLOB_SIZE + 4 + 8 + BLOB_SIZE + 4 + 64 + 4 +                     \
     ALK_SECRET_SSH_COMMENT_MAX + 8)

/* A writer of SSH's binary forms. Its users know the room: BODY_MAX counts all of it. */
struct writer {
    uint8_t *at;
};

static void put_bytes(struct writer *w, const void *bytes, size_t len)
{
    memcpy(w->at, bytes, len);
    w->at += len;
}

static void put_u32(struct writer *w, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        *w->at++ = (uint8_t)(value >> (24 - 8 * i));
}

static void put_string(struct writer *w, const void *bytes, size_t len)
{
    put_u32(w, (uint32_t)len);
    put_bytes(w, bytes, len);
}

static void put_blob(struct writer *w, const uint8_t public_key[32])
{
    put_string(w, TYPE, strlen(TYPE));
    put_string(w, public_key, 32);
}

static int check_comment(const char *comment)
{
    size_t len = strnlen(comment, ALK_SECRET_SSH_COMMENT_MAX + 1);

    if (len > ALK_SECRET_SSH_COMMENT_MAX)
        return ALK_SECRET_E_TOO_LONG;
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)comment[i] < 0x20 || comment[i] == 0x7f)
            return ALK_SECRET_E_ARGUMENT;
    }
    return 0;
}

/* The part that OpenSSH would encrypt: padded to 8 bytes with 1, 2, 3… */
static void put_secret_part(struct writer *w, const uint8_t secret[64],
                            const uint8_t public_key[32], const char *comment)
{
    uint8_t *length = w->at, *start = length + 4, check[4];

    /* The two equal numbers only tell a wrong passphrase, and here is none: taking them from
     * the public key makes the file a function of key and comment. */
    memcpy(check, public_key, sizeof check);
    w->at = start;
    put_bytes(w, check, sizeof check);
    put_bytes(w, check, sizeof check);
    put_blob(w, public_key);
    put_string(w, secret, 64);
    put_string(w, comment, strlen(comment));
    for (uint8_t pad = 1; (w->at - start) % 8 != 0; pad++)
        *w->at++ = pad;
    put_u32(&(struct writer){length}, (uint32_t)(w->at - start));
}

static size_t put_body(uint8_t *body, const uint8_t secret[64], const uint8_t public_key[32],
                       const char *comment)
{
    static const char magic[15] = "openssh-key-v1"; /* with its NUL */
    struct writer w = {body};

    put_bytes(&w, magic, sizeof magic);
    put_string(&w, "none", 4); /* cipher */
    put_string(&w, "none", 4); /* key derivation */
    put_u32(&w, 0);            /* its options */
    put_u32(&w, 1);            /* keys */
    put_u32(&w, BLOB_SIZE);
    put_blob(&w, public_key);
    put_secret_part(&w, secret, public_key, comment);
    return (size_t)(w.at - body);
}

static int wrap_pem(const char *base64, char *out, size_t size)
{
    static const char begin[] = "-----BEGIN OPENSSH PRIVATE KEY-----\n";
    static const char end[] = "-----END OPENSSH PRIVATE KEY-----\n";
    size_t len = strlen(base64), lines = (len + WRAP - 1) / WRAP;

    if (size < sizeof begin - 1 + len + lines + sizeof end)
        return ALK_SECRET_E_SPACE;
    out = (char *)memcpy(out, begin, sizeof begin - 1) + sizeof begin - 1;
    while (len > 0) {
        size_t n = len < WRAP ? len : WRAP;
        memcpy(out, base64, n);
        out[n] = '\n';
        out += n + 1;
        base64 += n;
        len -= n;
    }
    memcpy(out, end, sizeof end);
    return 0;
}

/* The binary form and its base64, both secret. */
struct scratch {
    uint8_t secret[crypto_sign_SECRETKEYBYTES], public_key[32];
    uint8_t body[BODY_MAX];
    char base64[sodium_base64_ENCODED_LEN(BODY_MAX, sodium_base64_VARIANT_ORIGINAL)];
};

int alk_secret_ssh_private(const uint8_t seed[32], const char *comment, char *out, size_t size)
{
    struct scratch *s = NULL;
    size_t len;
    int r = check_comment(comment);

    if (r != 0 || (r = alk_secret_crypto_init()) != 0)
        return r;
    if ((s = sodium_malloc(sizeof *s)) == NULL)
        return ALK_SECRET_E_MEMORY;
    crypto_sign_seed_keypair(s->public_key, s->secret, seed);
    len = put_body(s->body, s->secret, s->public_key, comment);
    sodium_bin2base64(s->base64, sizeof s->base64, s->body, len, sodium_base64_VARIANT_ORIGINAL);
    r = wrap_pem(s->base64, out, size);
    sodium_free(s);
    alk_secret_wipe_traces();
    return r;
}

int alk_secret_ssh_public(const uint8_t public_key[32], const char *comment, char *out, size_t size)
{
    uint8_t blob[BLOB_SIZE];
    char base64[sodium_base64_ENCODED_LEN(BLOB_SIZE, sodium_base64_VARIANT_ORIGINAL)];
    int n, r = check_comment(comment);

    if (r != 0)
        return r;
    put_blob(&(struct writer){blob}, public_key);
    sodium_bin2base64(base64, sizeof base64, blob, sizeof blob, sodium_base64_VARIANT_ORIGINAL);
    n = snprintf(out, size, "%s %s%s%s", TYPE, base64, comment[0] != '\0' ? " " : "", comment);
    return n >= 0 && (size_t)n < size ? 0 : ALK_SECRET_E_SPACE;
}

void alk_secret_ssh_fingerprint(const uint8_t public_key[32],
                                char out[ALK_SECRET_SSH_FINGERPRINT_SIZE])
{
    static const char prefix[] = "SHA256:";
    uint8_t blob[BLOB_SIZE], hash[32];

    put_blob(&(struct writer){blob}, public_key);
    crypto_hash_sha256(hash, blob, sizeof blob);
    memcpy(out, prefix, sizeof prefix);
    sodium_bin2base64(out + sizeof prefix - 1, ALK_SECRET_SSH_FINGERPRINT_SIZE - sizeof prefix + 1,
                      hash, sizeof hash, sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
}
