/*
 * Ed25519 keys as SSH sees them: private key files, public keys, signatures,
 * fingerprints. RFC 8709 (ssh-ed25519), OpenSSH's PROTOCOL.key (private files).
 *
 * A struct alk_key is immutable once made, so any thread may use it. The secret
 * lives in guarded memory (sodium_malloc) and is wiped when freed. Call
 * alk_crypto_init once before anything here.
 */
#ifndef ALK_KEY_H
#define ALK_KEY_H

#include <alk/status.h>
#include <stddef.h>
#include <stdint.h>

struct alk_key;

enum {
    ALK_KEY_SEED_SIZE = 32,
    ALK_KEY_BLOB_SIZE = 51,       /* string "ssh-ed25519", string of 32 bytes */
    ALK_SIGNATURE_BLOB_SIZE = 83, /* string "ssh-ed25519", string of 64 bytes */
    ALK_FINGERPRINT_SIZE = 64,    /* "SHA256:" + unpadded base64 + NUL, with room */
    ALK_KEY_FILE_MAX = 64 * 1024, /* bytes of a private key file */
    ALK_KEY_COMMENT_MAX = 256,
};

/* Prepares the crypto libraries; any thread, any number of times. */
int alk_crypto_init(void);

int alk_key_generate(struct alk_key **out);
int alk_key_from_seed(struct alk_key **out, const uint8_t seed[ALK_KEY_SEED_SIZE]);
void alk_key_free(struct alk_key *key); /* NULL is fine */

/* Asks for the passphrase of an encrypted file. Returns 0 with a NUL-terminated
 * passphrase in buffer, or negative to give up. attempt counts from 1; called at most
 * three times. The buffer is guarded memory and wiped afterwards. */
typedef int (*alk_passphrase_fn)(char *buffer, size_t size, const char *path, unsigned attempt,
                                 void *user);

/* Reads an OpenSSH private key file. The file must be a regular file that nobody
 * but its owner can read (ALK_E_DENIED names the chmod that mends it). Encrypted
 * files need ask (may be NULL). ALK_E_NOTFOUND, ALK_E_PARSE, ALK_E_UNSUPPORTED (an
 * RSA, ECDSA or sk key, or PEM format: the sentence says what to do), ALK_E_AUTH
 * (wrong passphrase), ALK_E_INVAL (a folder, a device), ALK_E_LIMIT (longer than
 * ALK_KEY_FILE_MAX, or more than 4096 bcrypt rounds, half a minute of work). */
int alk_key_load(struct alk_key **out, const char *path, alk_passphrase_fn ask, void *user,
                 struct alk_error *error);

/* The same from memory; passphrase may be NULL. ALK_E_AUTH when one is needed or wrong. */
int alk_key_parse(struct alk_key **out, const void *text, size_t len, const char *passphrase,
                  struct alk_error *error);

enum alk_key_file_kind {
    ALK_KEY_FILE_PUBLIC,    /* a line "ssh-ed25519 AAAA..." */
    ALK_KEY_FILE_PRIVATE,   /* OpenSSH's format */
    ALK_KEY_FILE_ENCRYPTED, /* the same, with a passphrase */
};

/* The public key of a key file, which lies in the open in each of them. Nobody is asked and the
 * file's mode is not looked at. Errors as of alk_key_load. */
int alk_key_load_public(uint8_t blob[ALK_KEY_BLOB_SIZE], enum alk_key_file_kind *kind,
                        const char *path, struct alk_error *error);

/* Writes an OpenSSH private key file (mode 0600) and FILE.pub beside it; never
 * overwrites (ALK_E_EXISTS). passphrase may be NULL or empty: unencrypted. The comment
 * (may be NULL) is one line; an encrypted file itself carries none, only FILE.pub does. */
int alk_key_save(const struct alk_key *key, const char *path, const char *comment,
                 const char *passphrase, struct alk_error *error);

/* The public key blob (RFC 8709), ALK_KEY_BLOB_SIZE bytes, borrowed from the key. */
const uint8_t *alk_key_blob(const struct alk_key *key);

/* Signs data; writes the signature blob (string algorithm, string signature). */
void alk_key_sign(const struct alk_key *key, const void *data, size_t len,
                  uint8_t signature[ALK_SIGNATURE_BLOB_SIZE]);

/* ALK_OK when signature (a blob) over data was made by the owner of the public
 * key blob; ALK_E_CRYPTO otherwise, whatever is wrong with either blob. */
int alk_key_verify(const uint8_t *blob, size_t blob_len, const void *data, size_t len,
                   const uint8_t *signature, size_t signature_len);

/* "SHA256:..." of any public key blob. */
void alk_key_fingerprint(const uint8_t *blob, size_t blob_len, char out[ALK_FINGERPRINT_SIZE]);

/* Reads "ssh-ed25519 AAAA... comment" (one line, no options). blob gets the decoded
 * key; comment (may be NULL, else ALK_KEY_COMMENT_MAX bytes) what follows.
 * ALK_E_UNSUPPORTED names a key type that alknet does not accept. */
int alk_key_parse_public(const char *line, uint8_t blob[ALK_KEY_BLOB_SIZE], char *comment,
                         struct alk_error *error);

/* Formats a public key line without newline: type, base64, comment (may be NULL). */
int alk_key_format_public(const uint8_t *blob, size_t blob_len, const char *comment, char *out,
                          size_t size);

#endif
