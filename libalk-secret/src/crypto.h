/* The few operations that this library takes from libcrypto and nettle. All return 0 or ALK_SECRET_E_CRYPTO. */
#ifndef ALK_CRYPTO_PRIVATE_H
#define ALK_CRYPTO_PRIVATE_H

#include <alk/secret_error.h>

#include <stddef.h>
#include <stdint.h>

#define ALK_GCM_IV_SIZE  12
#define ALK_GCM_TAG_SIZE 16

/* Starts libsodium; to be called before anything else of this library needs it. Cheap. */
int alk_secret_crypto_init(void);

int alk_secret_hmac_sha512(const void *key, size_t key_len, const void *data, size_t len,
                           uint8_t out[64]);

/* PBKDF2-HMAC-SHA512 with 64 bytes of output. */
int alk_secret_pbkdf2_sha512(const char *password, size_t len, const uint8_t *salt, size_t salt_len,
                             unsigned rounds, uint8_t out[64]);

/* HKDF (RFC 5869), extract and expand. */
int alk_secret_hkdf_sha256(const uint8_t *key, size_t key_len, const uint8_t *salt, size_t salt_len,
                           const void *info, size_t info_len, uint8_t *out, size_t out_len);

/* RIPEMD-160 of SHA-256, the fingerprint of BIP32. */
int alk_secret_hash160(const uint8_t *data, size_t len, uint8_t out[20]);

/* AES-256-GCM. out has room for len + ALK_GCM_TAG_SIZE bytes; the tag is appended. */
int alk_secret_gcm_seal(const uint8_t key[32], const uint8_t iv[ALK_GCM_IV_SIZE], const void *aad,
                        size_t aad_len, const uint8_t *text, size_t len, uint8_t *out);

/* The opposite: len counts ciphertext and tag. On failure out (len - tag bytes) is zero.
 * ALK_SECRET_E_RECORD when the tag does not match. */
int alk_secret_gcm_open(const uint8_t key[32], const uint8_t iv[ALK_GCM_IV_SIZE], const void *aad,
                        size_t aad_len, const uint8_t *data, size_t len, uint8_t *out);

#endif
