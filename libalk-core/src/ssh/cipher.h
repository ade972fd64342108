/*
 * Bulk ciphers with their MACs: how one direction of a session seals and opens
 * whole packets. One const struct of functions per packet format:
 *
 *   none                                   before the first key exchange
 *   aes256-gcm@openssh.com                 RFC 5647 as OpenSSH frames it
 *   chacha20-poly1305@openssh.com          PROTOCOL.chacha20poly1305
 *   aes256-ctr + hmac-sha2-{256,512}[-etm] RFC 4344, RFC 6668, OpenSSH's etm
 *
 * A packet in memory is: uint32 length, `length` bytes (padding length, payload,
 * padding), tag. The length excludes itself and the tag (RFC 4253 section 6).
 */
#ifndef ALK_SSH_CIPHER_H
#define ALK_SSH_CIPHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    ALK_CIPHER_KEY_MAX = 64,
    ALK_CIPHER_IV_MAX = 16,
    ALK_CIPHER_TAG_MAX = 64,
};

struct alk_cipher; /* the keyed state of one direction */

struct alk_cipher_type {
    const char *name; /* as negotiated */
    const char *mac;  /* the MAC's name, or NULL when the cipher authenticates */
    uint8_t key, iv, mac_key, tag;
    uint8_t block;        /* the padded part is a multiple of this */
    bool length_apart;    /* the padded part begins after the length field */
    uint64_t rekey_bytes; /* new keys are due after this much */
    int (*init)(struct alk_cipher *c, const uint8_t *key, const uint8_t *iv, const uint8_t *mac_key,
                bool seal);
    /* Tells the length field from the first bytes (at least `block`, at least 4).
     * Called once for each packet, before open. */
    uint32_t (*length)(struct alk_cipher *c, uint32_t sequence, uint8_t *packet);
    /* Verifies and decrypts in place: 4 + len + tag bytes. ALK_E_CRYPTO when forged. */
    int (*open)(struct alk_cipher *c, uint32_t sequence, uint8_t *packet, size_t len);
    /* Encrypts in place 4 + len bytes and writes the tag behind them. */
    int (*seal)(struct alk_cipher *c, uint32_t sequence, uint8_t *packet, size_t len);
    void (*clear)(struct alk_cipher *c);
};

struct alk_cipher {
    const struct alk_cipher_type *type;
    void *aes;    /* EVP_CIPHER_CTX of libcrypto, or NULL */
    void *hmac;   /* EVP_MAC_CTX of libcrypto, keyed, or NULL */
    uint8_t *key; /* chacha20: both keys, wiped when cleared */
    uint8_t iv[12];
};

/* The type for a negotiated pair; mac is ignored when the cipher authenticates.
 * NULL when alknet does not speak it. alk_cipher_find("none", NULL) always works. */
const struct alk_cipher_type *alk_cipher_find(const char *cipher, const char *mac);

/* Makes a keyed cipher; on failure (memory) the state is "none" cleared. */
int alk_cipher_init(struct alk_cipher *c, const struct alk_cipher_type *type, const uint8_t *key,
                    const uint8_t *iv, const uint8_t *mac_key, bool seal);

/* Wipes keys; the state becomes "none". */
void alk_cipher_clear(struct alk_cipher *c);

/* True where the CPU has AES instructions, so that AES is offered first. */
bool alk_cipher_prefers_aes(void);

#endif
