/* chacha20-poly1305@openssh.com: two ChaCha20 keys (the first 32 bytes for the packet,
 * the second for its length), the packet number as nonce; see PROTOCOL.chacha20poly1305. */
#include "ssh/cipher_types.h"

#include <alk/status.h>

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { KEYS = 64, TAG = 16 };

static int chacha_init(struct alk_cipher *c, const uint8_t *key, const uint8_t *iv,
                       const uint8_t *mac_key, bool seal)
{
    (void)iv;
    (void)mac_key;
    (void)seal;
    c->key = malloc(KEYS);
    if (c->key == NULL)
        return ALK_E_NOMEM;
    memcpy(c->key, key, KEYS);
    return ALK_OK;
}

static void nonce_of(uint32_t sequence, uint8_t nonce[8])
{
    memset(nonce, 0, 4);
    nonce[4] = (uint8_t)(sequence >> 24);
    nonce[5] = (uint8_t)(sequence >> 16);
    nonce[6] = (uint8_t)(sequence >> 8);
    nonce[7] = (uint8_t)sequence;
}

static uint32_t chacha_length(struct alk_cipher *c, uint32_t sequence, uint8_t *packet)
{
    uint8_t nonce[8], clear[4];

    nonce_of(sequence, nonce);
    crypto_stream_chacha20_xor(clear, packet, 4, nonce, c->key + 32);
    return alk_cipher_clear_length(c, sequence, clear);
}

/* The Poly1305 key is the start of block 0 of the packet key's stream. */
static void tag_of(struct alk_cipher *c, const uint8_t nonce[8], const uint8_t *packet, size_t len,
                   uint8_t tag[TAG])
{
    uint8_t key[crypto_onetimeauth_KEYBYTES];

    crypto_stream_chacha20(key, sizeof(key), nonce, c->key);
    crypto_onetimeauth(tag, packet, 4 + len, key);
    sodium_memzero(key, sizeof(key));
}

static int chacha_open(struct alk_cipher *c, uint32_t sequence, uint8_t *packet, size_t len)
{
    uint8_t nonce[8], tag[TAG];

    nonce_of(sequence, nonce);
    tag_of(c, nonce, packet, len, tag);
    if (crypto_verify_16(tag, packet + 4 + len) != 0)
        return ALK_E_CRYPTO;
    crypto_stream_chacha20_xor_ic(packet + 4, packet + 4, len, nonce, 1, c->key);
    return ALK_OK;
}

static int chacha_seal(struct alk_cipher *c, uint32_t sequence, uint8_t *packet, size_t len)
{
    uint8_t nonce[8];

    nonce_of(sequence, nonce);
    crypto_stream_chacha20_xor(packet, packet, 4, nonce, c->key + 32);
    crypto_stream_chacha20_xor_ic(packet + 4, packet + 4, len, nonce, 1, c->key);
    tag_of(c, nonce, packet, len, packet + 4 + len);
    return ALK_OK;
}

static void chacha_clear(struct alk_cipher *c)
{
    if (c->key != NULL)
        sodium_memzero(c->key, KEYS);
    free(c->key);
}

const struct alk_cipher_type alk_cipher_chacha = {
    .name = "chacha20-poly1305@openssh.com",
    .key = KEYS,
    .tag = TAG,
    .block = 8,
    .length_apart = true,
    .rekey_bytes = 1ULL << 30,
    .init = chacha_init,
    .length = chacha_length,
    .open = chacha_open,
    .seal = chacha_seal,
    .clear = chacha_clear,
};
