/* The packet formats, one file each; found by name through cipher.h. */
#ifndef ALK_SSH_CIPHER_TYPES_H
#define ALK_SSH_CIPHER_TYPES_H

#include "ssh/cipher.h"

extern const struct alk_cipher_type alk_cipher_aes_gcm;
extern const struct alk_cipher_type alk_cipher_chacha;
extern const struct alk_cipher_type alk_cipher_ctr_sha256_etm;
extern const struct alk_cipher_type alk_cipher_ctr_sha512_etm;
extern const struct alk_cipher_type alk_cipher_ctr_sha256;

/* The length method of every format that sends the length in clear. */
uint32_t alk_cipher_clear_length(struct alk_cipher *c, uint32_t sequence, uint8_t *packet);

#endif
