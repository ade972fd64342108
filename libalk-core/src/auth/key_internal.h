/*
 * What the key modules share: the object behind struct alk_key and the checks on
 * public keys that authorized_keys and known_hosts make as well.
 */
#ifndef ALK_KEY_INTERNAL_H
#define ALK_KEY_INTERNAL_H

#include <alk/key.h>
#include <sodium.h>
#include <stdbool.h>

#define ALK_KEY_TYPE "ssh-ed25519"

/* The whole object lies in guarded memory; only bytes inside, so any alignment suits. */
struct alk_key {
    uint8_t secret[crypto_sign_SECRETKEYBYTES]; /* seed, then public key */
    uint8_t blob[ALK_KEY_BLOB_SIZE];
};

/* Writes the blob of a raw public key. */
void alk_key_make_blob(const uint8_t public_key[crypto_sign_PUBLICKEYBYTES],
                       uint8_t blob[ALK_KEY_BLOB_SIZE]);

/* The raw 32 bytes inside a well-formed ssh-ed25519 blob, or NULL. Borrowed. */
const uint8_t *alk_key_blob_raw(const uint8_t *blob, size_t len);

/* Is the raw key a point that a signer can have: canonical, on the curve, of full order?
 * Takes some 50 us. */
bool alk_key_point_valid(const uint8_t raw[crypto_sign_PUBLICKEYBYTES]);

/* Does the bare signature over data hold? */
bool alk_key_raw_verify(const uint8_t raw[crypto_sign_PUBLICKEYBYTES], const void *data, size_t len,
                        const uint8_t signature[crypto_sign_BYTES]);

/* Is text the name of a public key type that OpenSSH knows (ours included)? */
bool alk_key_type_known(const char *text, size_t len);

/* Decodes the base64 of an ssh-ed25519 blob. Returns NULL, or what is wrong with it as
 * the end of a sentence ("the key is not valid base64"); static storage. The point
 * itself is not checked here. */
const char *alk_key_decode_blob(const char *base64, size_t len, uint8_t blob[ALK_KEY_BLOB_SIZE]);

/* Reads the text of a private key file. what begins the error sentence: a path, or "the
 * private key". ALK_E_AUTH when a passphrase is needed (passphrase NULL) or wrong. */
int alk_key_decode_file(struct alk_key **out, const char *what, const char *text, size_t len,
                        const char *passphrase, struct alk_error *error);

/* The public half in the text of a private key file, and whether the private one is encrypted. */
int alk_key_decode_public_half(uint8_t blob[ALK_KEY_BLOB_SIZE], bool *encrypted, const char *what,
                               const char *text, size_t len, struct alk_error *error);

/* Makes *out of the text of a private key file; otherwise as alk_key_decode_file. */
typedef int (*alk_key_decode_fn)(void *out, const char *path, const char *text, size_t len,
                                 const char *passphrase, struct alk_error *error);

/* Reads a private key file as alk_key_load does, whatever decodes it. */
int alk_key_read_file(alk_key_decode_fn decode, void *out, const char *path, alk_passphrase_fn ask,
                      void *user, struct alk_error *error);

/* Writes the text of a private key file. *text is NUL-terminated, comes from
 * sodium_malloc and goes to sodium_free. ALK_E_NOMEM, or ALK_E_CRYPTO when encrypting
 * failed. */
int alk_key_encode_file(const struct alk_key *key, const char *comment, const char *passphrase,
                        char **text);

#endif
