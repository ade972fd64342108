/* EncryptedData: one text under one key, as JSON.
 *
 *   {"key_version":1,"salt":"…16 bytes…","iv":"…12 bytes…","data":"…ciphertext and tag…"}
 *
 * docs/secret.md specifies the record. Parsing is separate from opening because the version
 * names the key.
 */
#ifndef ALK_RECORD_H
#define ALK_RECORD_H

#include "crypto.h"

#define ALK_RECORD_SALT 16

struct alk_record {
    uint32_t version;
    uint8_t salt[ALK_RECORD_SALT];
    uint8_t iv[ALK_GCM_IV_SIZE];
    uint8_t *data; /* ciphertext and tag */
    size_t len;    /* of data, at least the tag */
};

/* Reads the JSON of a record; ALK_SECRET_E_RECORD for anything else, ALK_SECRET_E_MEMORY.
 * Proves shape and sizes, not the contents. Free the result with alk_secret_record_clear(). */
int alk_secret_record_parse(const char *json, size_t len, struct alk_record *record);
void alk_secret_record_clear(struct alk_record *record);

/* Encrypts with the given salt and iv; *json is to be freed with free(). Salt and iv must be
 * fresh randomness: they are parameters for the sake of the test vectors. */
int alk_secret_record_seal(const uint8_t key[32], uint32_t version,
                           const uint8_t salt[ALK_RECORD_SALT], const uint8_t iv[ALK_GCM_IV_SIZE],
                           const void *text, size_t len, char **json);

/* Decrypts len - ALK_GCM_TAG_SIZE bytes to out, or ALK_SECRET_E_RECORD with out zero. */
int alk_secret_record_open(const uint8_t key[32], const struct alk_record *record, uint8_t *out);

#endif
