/* aes256-gcm@openssh.com through libcrypto, the fastest AES at hand (docs/adr). */
#include "ssh/cipher_types.h"

#include <alk/status.h>

#include <openssl/evp.h>
#include <string.h>

enum { TAG = 16, IV = 12 };

static int gcm_init(struct alk_cipher *c, const uint8_t *key, const uint8_t *iv,
                    const uint8_t *mac_key, bool seal)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();

    (void)mac_key;
    if (ctx == NULL)
        return ALK_E_NOMEM;
    c->aes = ctx;
    memcpy(c->iv, iv, IV);
    if (EVP_CipherInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, NULL, seal) != 1)
        return ALK_E_CRYPTO;
    return ALK_OK;
}

/* RFC 5647: four fixed bytes, then a counter of 64 bits, one step per packet. */
static void next_iv(uint8_t iv[IV])
{
    for (int i = IV - 1; i >= 4 && ++iv[i] == 0; i--)
        ;
}

static int gcm_open(struct alk_cipher *c, uint32_t sequence, uint8_t *packet, size_t len)
{
    EVP_CIPHER_CTX *ctx = c->aes;
    int n;

    (void)sequence;
    if (EVP_DecryptInit_ex(ctx, NULL, NULL, NULL, c->iv) != 1 ||
        EVP_DecryptUpdate(ctx, NULL, &n, packet, 4) != 1 ||
        EVP_DecryptUpdate(ctx, packet + 4, &n, packet + 4, (int)len) != 1 ||
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG, packet + 4 + len) != 1 ||
        EVP_DecryptFinal_ex(ctx, packet + 4 + len, &n) != 1)
        return ALK_E_CRYPTO;
    next_iv(c->iv);
    return ALK_OK;
}

static int gcm_seal(struct alk_cipher *c, uint32_t sequence, uint8_t *packet, size_t len)
{
    EVP_CIPHER_CTX *ctx = c->aes;
    int n;

    (void)sequence;
    if (EVP_EncryptInit_ex(ctx, NULL, NULL, NULL, c->iv) != 1 ||
        EVP_EncryptUpdate(ctx, NULL, &n, packet, 4) != 1 ||
        EVP_EncryptUpdate(ctx, packet + 4, &n, packet + 4, (int)len) != 1 ||
        EVP_EncryptFinal_ex(ctx, packet + 4 + len, &n) != 1 ||
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG, packet + 4 + len) != 1)
        return ALK_E_CRYPTO;
    next_iv(c->iv);
    return ALK_OK;
}

static void gcm_clear(struct alk_cipher *c)
{
    EVP_CIPHER_CTX_free(c->aes); /* wipes the key schedule */
}

const struct alk_cipher_type alk_cipher_aes_gcm = {
    .name = "aes256-gcm@openssh.com",
    .key = 32,
    .iv = IV,
    .tag = TAG,
    .block = 16,
    .length_apart = true,
    .rekey_bytes = 1ULL << 36, /* 2^32 blocks of 16 bytes */
    .init = gcm_init,
    .length = alk_cipher_clear_length,
    .open = gcm_open,
    .seal = gcm_seal,
    .clear = gcm_clear,
};
