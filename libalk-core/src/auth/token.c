/* AuthToken: making and reading. The format is told in alk/token.h. */
#include "auth/token.h"

#include "auth/key_internal.h"
#include "ssh/wire.h"

#include <sodium.h>
#include <string.h>

static const char magic[] = {'a', 'l', 'k', '2'};

void alk_token_audience(const uint8_t *blob, size_t blob_len,
                        uint8_t audience[ALK_TOKEN_AUDIENCE_SIZE])
{
    crypto_hash_sha256(audience, blob, blob_len);
}

bool alk_token_key_id(const uint8_t *blob, size_t blob_len, uint8_t id[ALK_TOKEN_ID_SIZE])
{
    const uint8_t *raw = alk_key_blob_raw(blob, blob_len);

    if (raw == NULL)
        return false;
    crypto_hash_sha256(id, raw, crypto_sign_PUBLICKEYBYTES);
    return true;
}

size_t alk_token_signed_len(const struct alk_token *token)
{
    return token->len - crypto_sign_BYTES;
}

void alk_token_make_with(const struct alk_key *key, const uint8_t *audience,
                         const uint8_t nonce[ALK_TOKEN_NONCE_SIZE], uint64_t now_unix,
                         char out[ALK_TOKEN_TEXT_SIZE])
{
    uint8_t bytes[ALK_TOKEN_BOUND_SIZE], id[ALK_TOKEN_ID_SIZE];
    struct alk_writer w = alk_writer(bytes, sizeof(bytes));

    alk_token_key_id(alk_key_blob(key), ALK_KEY_BLOB_SIZE, id);
    if (audience != NULL)
        alk_put_bytes(&w, magic, sizeof(magic));
    alk_put_bytes(&w, id, sizeof(id));
    alk_put_u64(&w, now_unix);
    if (audience != NULL) {
        alk_put_bytes(&w, audience, ALK_TOKEN_AUDIENCE_SIZE);
        alk_put_bytes(&w, nonce, ALK_TOKEN_NONCE_SIZE);
    }
    crypto_sign_detached(w.at, NULL, bytes, alk_writer_len(&w), key->secret);
    sodium_bin2base64(out, ALK_TOKEN_TEXT_SIZE, bytes, alk_writer_len(&w) + crypto_sign_BYTES,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    sodium_memzero(bytes, sizeof(bytes));
}

void alk_token_make(const struct alk_key *key, const uint8_t *audience, uint64_t now_unix,
                    char out[ALK_TOKEN_TEXT_SIZE])
{
    uint8_t nonce[ALK_TOKEN_NONCE_SIZE];

    randombytes_buf(nonce, sizeof(nonce));
    alk_token_make_with(key, audience, nonce, now_unix, out);
}

static void read_fields(struct alk_token *token)
{
    struct alk_reader r = alk_reader(token->bytes, token->len);

    if (token->bound)
        alk_get_bytes(&r, sizeof(magic));
    memcpy(token->key_id, alk_get_bytes(&r, ALK_TOKEN_ID_SIZE).data, ALK_TOKEN_ID_SIZE);
    token->timestamp = alk_get_u64(&r);
    if (token->bound)
        memcpy(token->audience, alk_get_bytes(&r, ALK_TOKEN_AUDIENCE_SIZE).data,
               ALK_TOKEN_AUDIENCE_SIZE);
}

int alk_token_decode(struct alk_token *out, const char *text, size_t len)
{
    char again[ALK_TOKEN_TEXT_SIZE];

    memset(out, 0, sizeof(*out));
    if (len >= ALK_TOKEN_TEXT_SIZE)
        return ALK_E_PARSE;
    if (sodium_base642bin(out->bytes, sizeof(out->bytes), text, len, NULL, &out->len, NULL,
                          sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0)
        return ALK_E_PARSE;
    /* libsodium 1.0.18 takes bytes above 127 for some letter: only the one way to write it counts */
    sodium_bin2base64(again, sizeof(again), out->bytes, out->len,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    if (strlen(again) != len || memcmp(again, text, len) != 0)
        return ALK_E_PARSE;
    out->bound = out->len == ALK_TOKEN_BOUND_SIZE;
    if (out->bound ? memcmp(out->bytes, magic, sizeof(magic)) != 0
                   : out->len != ALK_TOKEN_PLAIN_SIZE)
        return ALK_E_PARSE;
    read_fields(out);
    return ALK_OK;
}
