#include "auth/key_internal.h"
#include "ssh/wire.h"

#include <string.h>

int alk_crypto_init(void)
{
    /* libssh initialises itself when it is loaded; its key functions need no more */
    return sodium_init() < 0 ? ALK_E_CRYPTO : ALK_OK;
}

void alk_key_make_blob(const uint8_t public_key[crypto_sign_PUBLICKEYBYTES],
                       uint8_t blob[ALK_KEY_BLOB_SIZE])
{
    struct alk_writer w = alk_writer(blob, ALK_KEY_BLOB_SIZE);

    alk_put_text(&w, ALK_KEY_TYPE);
    alk_put_string(&w, public_key, crypto_sign_PUBLICKEYBYTES);
}

const uint8_t *alk_key_blob_raw(const uint8_t *blob, size_t len)
{
    struct alk_reader r = alk_reader(blob, len);
    struct alk_bytes type = alk_get_string(&r);
    struct alk_bytes raw = alk_get_string(&r);

    if (!alk_reader_done(&r) || !alk_bytes_equal(type, ALK_KEY_TYPE) ||
        raw.len != crypto_sign_PUBLICKEYBYTES)
        return NULL;
    return raw.data;
}

bool alk_key_point_valid(const uint8_t raw[crypto_sign_PUBLICKEYBYTES])
{
    return crypto_core_ed25519_is_valid_point(raw) == 1;
}

int alk_key_from_seed(struct alk_key **out, const uint8_t seed[ALK_KEY_SEED_SIZE])
{
    uint8_t raw[crypto_sign_PUBLICKEYBYTES];
    struct alk_key *key;

    *out = NULL;
    key = sodium_malloc(sizeof(*key));
    if (key == NULL)
        return ALK_E_NOMEM;
    crypto_sign_seed_keypair(raw, key->secret, seed);
    alk_key_make_blob(raw, key->blob);
    sodium_mprotect_readonly(key);
    *out = key;
    return ALK_OK;
}

int alk_key_generate(struct alk_key **out)
{
    uint8_t seed[ALK_KEY_SEED_SIZE];
    int rc;

    randombytes_buf(seed, sizeof(seed));
    rc = alk_key_from_seed(out, seed);
    sodium_memzero(seed, sizeof(seed));
    return rc;
}

void alk_key_free(struct alk_key *key)
{
    sodium_free(key); /* wipes; NULL is fine */
}

const uint8_t *alk_key_blob(const struct alk_key *key)
{
    return key->blob;
}

void alk_key_sign(const struct alk_key *key, const void *data, size_t len,
                  uint8_t signature[ALK_SIGNATURE_BLOB_SIZE])
{
    struct alk_writer w = alk_writer(signature, ALK_SIGNATURE_BLOB_SIZE);
    uint8_t raw[crypto_sign_BYTES];

    crypto_sign_detached(raw, NULL, data, len, key->secret);
    alk_put_text(&w, ALK_KEY_TYPE);
    alk_put_string(&w, raw, sizeof(raw));
}

bool alk_key_raw_verify(const uint8_t raw[crypto_sign_PUBLICKEYBYTES], const void *data, size_t len,
                        const uint8_t signature[crypto_sign_BYTES])
{
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
    /* no fuzzer finds a signature, and what lies behind it is to be tried too */
    (void)raw;
    (void)data;
    (void)len;
    (void)signature;
    return true;
#else
    return crypto_sign_verify_detached(signature, data, len, raw) == 0;
#endif
}

int alk_key_verify(const uint8_t *blob, size_t blob_len, const void *data, size_t len,
                   const uint8_t *signature, size_t signature_len)
{
    const uint8_t *public_key = alk_key_blob_raw(blob, blob_len);
    struct alk_reader r = alk_reader(signature, signature_len);
    struct alk_bytes type = alk_get_string(&r);
    struct alk_bytes raw = alk_get_string(&r);

    if (public_key == NULL || !alk_reader_done(&r) || !alk_bytes_equal(type, ALK_KEY_TYPE) ||
        raw.len != crypto_sign_BYTES)
        return ALK_E_CRYPTO;
    return alk_key_raw_verify(public_key, data, len, raw.data) ? ALK_OK : ALK_E_CRYPTO;
}

void alk_key_fingerprint(const uint8_t *blob, size_t blob_len, char out[ALK_FINGERPRINT_SIZE])
{
    static const char prefix[] = "SHA256:";
    uint8_t hash[crypto_hash_sha256_BYTES];

    crypto_hash_sha256(hash, blob, blob_len);
    memcpy(out, prefix, sizeof(prefix));
    sodium_bin2base64(out + sizeof(prefix) - 1, ALK_FINGERPRINT_SIZE - (sizeof(prefix) - 1), hash,
                      sizeof(hash), sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
}
