/* HMAC, HKDF and AES-GCM of libcrypto and PBKDF2 of nettle behind plain functions. */
#include "crypto.h"

#include <limits.h>
#include <nettle/pbkdf2.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <pthread.h>
#include <sodium.h>
#include <string.h>

/* Looked up once: a look-up by name costs more than the operations themselves. */
static struct {
    EVP_CIPHER *aes_gcm;
    EVP_KDF *hkdf;
} fetched;
static pthread_once_t fetch_once = PTHREAD_ONCE_INIT;

static void fetch(void)
{
    if (sodium_init() < 0)
        return;
    fetched.aes_gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    fetched.hkdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
}

int alk_secret_crypto_init(void)
{
    pthread_once(&fetch_once, fetch);
    return fetched.aes_gcm != NULL && fetched.hkdf != NULL ? 0 : ALK_SECRET_E_CRYPTO;
}

int alk_secret_hmac_sha512(const void *key, size_t key_len, const void *data, size_t len,
                           uint8_t out[64])
{
    unsigned size = 64;

    if (key_len > INT_MAX || HMAC(EVP_sha512(), key, (int)key_len, data, len, out, &size) == NULL ||
        size != 64) {
        sodium_memzero(out, 64);
        return ALK_SECRET_E_CRYPTO;
    }
    return 0;
}

/* OSSL_PARAM wants pointers to non-const, and only reads through them. */
static OSSL_PARAM octets(const char *name, const void *data, size_t len)
{
    union {
        const void *in;
        void *out;
    } pointer = {.in = data};
    return OSSL_PARAM_construct_octet_string(name, pointer.out, len);
}

/* Derives with a fetched function and its parameters; out is zero on failure. */
static int derive(EVP_KDF *kdf, const OSSL_PARAM *params, uint8_t *out, size_t len)
{
    EVP_KDF_CTX *ctx = kdf != NULL ? EVP_KDF_CTX_new(kdf) : NULL;
    int r = ALK_SECRET_E_CRYPTO;

    if (ctx != NULL && EVP_KDF_derive(ctx, out, len, params) == 1)
        r = 0;
    else
        sodium_memzero(out, len);
    EVP_KDF_CTX_free(ctx);
    return r;
}

int alk_secret_pbkdf2_sha512(const char *password, size_t len, const uint8_t *salt, size_t salt_len,
                             unsigned rounds, uint8_t out[64])
{
    nettle_pbkdf2_hmac_sha512(len, (const uint8_t *)password, rounds, salt_len, salt, 64, out);
    return 0;
}

int alk_secret_hkdf_sha256(const uint8_t *key, size_t key_len, const uint8_t *salt, size_t salt_len,
                           const void *info, size_t info_len, uint8_t *out, size_t out_len)
{
    char digest[] = "SHA256";
    OSSL_PARAM params[5];
    size_t count = 0;

    if (alk_secret_crypto_init() != 0)
        return ALK_SECRET_E_CRYPTO;
    params[count++] = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0);
    params[count++] = octets(OSSL_KDF_PARAM_KEY, key, key_len);
    if (salt_len > 0)
        params[count++] = octets(OSSL_KDF_PARAM_SALT, salt, salt_len);
    if (info_len > 0)
        params[count++] = octets(OSSL_KDF_PARAM_INFO, info, info_len);
    params[count] = OSSL_PARAM_construct_end();
    return derive(fetched.hkdf, params, out, out_len);
}

int alk_secret_hash160(const uint8_t *data, size_t len, uint8_t out[20])
{
    uint8_t sha[32];

    crypto_hash_sha256(sha, data, len);
    if (EVP_Q_digest(NULL, "RIPEMD160", NULL, sha, sizeof sha, out, NULL) != 1) {
        sodium_memzero(out, 20);
        return ALK_SECRET_E_CRYPTO;
    }
    return 0;
}

int alk_secret_gcm_seal(const uint8_t key[32], const uint8_t iv[ALK_GCM_IV_SIZE], const void *aad,
                        size_t aad_len, const uint8_t *text, size_t len, uint8_t *out)
{
    EVP_CIPHER_CTX *ctx = NULL;
    int n = 0, r = ALK_SECRET_E_CRYPTO;

    if (len > INT_MAX || aad_len > INT_MAX || alk_secret_crypto_init() != 0 ||
        (ctx = EVP_CIPHER_CTX_new()) == NULL)
        goto out;
    if (EVP_EncryptInit_ex2(ctx, fetched.aes_gcm, key, iv, NULL) == 1 &&
        (aad_len == 0 || EVP_EncryptUpdate(ctx, NULL, &n, aad, (int)aad_len) == 1) &&
        (len == 0 || EVP_EncryptUpdate(ctx, out, &n, text, (int)len) == 1) &&
        EVP_EncryptFinal_ex(ctx, out + len, &n) == 1 &&
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, ALK_GCM_TAG_SIZE, out + len) == 1)
        r = 0;
out:
    if (r != 0)
        sodium_memzero(out, len + ALK_GCM_TAG_SIZE);
    EVP_CIPHER_CTX_free(ctx);
    return r;
}

int alk_secret_gcm_open(const uint8_t key[32], const uint8_t iv[ALK_GCM_IV_SIZE], const void *aad,
                        size_t aad_len, const uint8_t *data, size_t len, uint8_t *out)
{
    EVP_CIPHER_CTX *ctx = NULL;
    uint8_t tag[ALK_GCM_TAG_SIZE], spare[16];
    size_t text_len;
    int n = 0, r = ALK_SECRET_E_CRYPTO;

    if (len < ALK_GCM_TAG_SIZE)
        return ALK_SECRET_E_RECORD;
    text_len = len - ALK_GCM_TAG_SIZE;
    memcpy(tag, data + text_len, sizeof tag);
    if (len > INT_MAX || aad_len > INT_MAX || alk_secret_crypto_init() != 0 ||
        (ctx = EVP_CIPHER_CTX_new()) == NULL)
        goto out;
    if (EVP_DecryptInit_ex2(ctx, fetched.aes_gcm, key, iv, NULL) == 1 &&
        (aad_len == 0 || EVP_DecryptUpdate(ctx, NULL, &n, aad, (int)aad_len) == 1) &&
        (text_len == 0 || EVP_DecryptUpdate(ctx, out, &n, data, (int)text_len) == 1) &&
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, sizeof tag, tag) == 1)
        r = EVP_DecryptFinal_ex(ctx, spare, &n) == 1 ? 0 : ALK_SECRET_E_RECORD;
out:
    if (r != 0 && text_len > 0)
        sodium_memzero(out, text_len);
    EVP_CIPHER_CTX_free(ctx);
    return r;
}
