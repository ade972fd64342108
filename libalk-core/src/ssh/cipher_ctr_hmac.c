/* aes256-ctr with HMAC-SHA-2, encrypt-then-MAC (-etm@openssh.com) or the older
 * encrypt-and-MAC of RFC 4253, for clients that have no authenticating cipher. */
#include "ssh/cipher_types.h"

#include <alk/status.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <sodium.h>

enum { BLOCK = 16 };

static int hmac_new(struct alk_cipher *c, const uint8_t *key)
{
    char digest[] = "SHA256", digest_long[] = "SHA512";
    OSSL_PARAM params[2] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST,
                                         c->type->tag == 64 ? digest_long : digest, 0),
        OSSL_PARAM_construct_end(),
    };
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *ctx = mac == NULL ? NULL : EVP_MAC_CTX_new(mac);

    EVP_MAC_free(mac);
    if (ctx == NULL)
        return ALK_E_NOMEM;
    c->hmac = ctx;
    return EVP_MAC_init(ctx, key, c->type->mac_key, params) == 1 ? ALK_OK : ALK_E_CRYPTO;
}

static int ctr_init(struct alk_cipher *c, const uint8_t *key, const uint8_t *iv,
                    const uint8_t *mac_key, bool seal)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();

    if (ctx == NULL)
        return ALK_E_NOMEM;
    c->aes = ctx;
    if (EVP_CipherInit_ex(ctx, EVP_aes_256_ctr(), NULL, key, iv, seal) != 1)
        return ALK_E_CRYPTO;
    return hmac_new(c, mac_key);
}

static int ctr_crypt(struct alk_cipher *c, uint8_t *data, size_t len)
{
    int n;

    if (len == 0)
        return ALK_OK;
    return EVP_CipherUpdate(c->aes, data, &n, data, (int)len) == 1 ? ALK_OK : ALK_E_CRYPTO;
}

static int mac_of(struct alk_cipher *c, uint32_t sequence, const uint8_t *data, size_t len,
                  uint8_t tag[ALK_CIPHER_TAG_MAX])
{
    uint8_t number[4] = {(uint8_t)(sequence >> 24), (uint8_t)(sequence >> 16),
                         (uint8_t)(sequence >> 8), (uint8_t)sequence};
    size_t n;

    /* without a key, init starts over with the key it has */
    if (EVP_MAC_init(c->hmac, NULL, 0, NULL) != 1 ||
        EVP_MAC_update(c->hmac, number, sizeof(number)) != 1 ||
        EVP_MAC_update(c->hmac, data, len) != 1 ||
        EVP_MAC_final(c->hmac, tag, &n, ALK_CIPHER_TAG_MAX) != 1)
        return ALK_E_CRYPTO;
    return ALK_OK;
}

static int check_mac(struct alk_cipher *c, uint32_t sequence, const uint8_t *packet, size_t len)
{
    uint8_t tag[ALK_CIPHER_TAG_MAX];

    if (mac_of(c, sequence, packet, 4 + len, tag) != ALK_OK ||
        sodium_memcmp(tag, packet + 4 + len, c->type->tag) != 0)
        return ALK_E_CRYPTO;
    return ALK_OK;
}

static int write_mac(struct alk_cipher *c, uint32_t sequence, uint8_t *packet, size_t len,
                     uint8_t *tag)
{
    uint8_t full[ALK_CIPHER_TAG_MAX];

    if (mac_of(c, sequence, packet, 4 + len, full) != ALK_OK)
        return ALK_E_CRYPTO;
    for (int i = 0; i < c->type->tag; i++)
        tag[i] = full[i];
    return ALK_OK;
}

static int etm_open(struct alk_cipher *c, uint32_t sequence, uint8_t *packet, size_t len)
{
    int status = check_mac(c, sequence, packet, len);
    return status != ALK_OK ? status : ctr_crypt(c, packet + 4, len);
}

static int etm_seal(struct alk_cipher *c, uint32_t sequence, uint8_t *packet, size_t len)
{
    int status = ctr_crypt(c, packet + 4, len);
    return status != ALK_OK ? status : write_mac(c, sequence, packet, len, packet + 4 + len);
}

/* Encrypt-and-MAC hides the length too, so its block is decrypted to learn it. */
static uint32_t eam_length(struct alk_cipher *c, uint32_t sequence, uint8_t *packet)
{
    if (ctr_crypt(c, packet, BLOCK) != ALK_OK)
        return 0;
    return alk_cipher_clear_length(c, sequence, packet);
}

static int eam_open(struct alk_cipher *c, uint32_t sequence, uint8_t *packet, size_t len)
{
    int status = ctr_crypt(c, packet + BLOCK, 4 + len - BLOCK);
    return status != ALK_OK ? status : check_mac(c, sequence, packet, len);
}

static int eam_seal(struct alk_cipher *c, uint32_t sequence, uint8_t *packet, size_t len)
{
    int status = write_mac(c, sequence, packet, len, packet + 4 + len);
    return status != ALK_OK ? status : ctr_crypt(c, packet, 4 + len);
}

static void ctr_clear(struct alk_cipher *c)
{
    EVP_CIPHER_CTX_free(c->aes);
    EVP_MAC_CTX_free(c->hmac);
}

const struct alk_cipher_type alk_cipher_ctr_sha256_etm = {
    .name = "aes256-ctr",
    .mac = "hmac-sha2-256-etm@openssh.com",
    .key = 32,
    .iv = 16,
    .mac_key = 32,
    .tag = 32,
    .block = BLOCK,
    .length_apart = true,
    .rekey_bytes = 1ULL << 36,
    .init = ctr_init,
    .length = alk_cipher_clear_length,
    .open = etm_open,
    .seal = etm_seal,
    .clear = ctr_clear,
};

const struct alk_cipher_type alk_cipher_ctr_sha512_etm = {
    .name = "aes256-ctr",
    .mac = "hmac-sha2-512-etm@openssh.com",
    .key = 32,
    .iv = 16,
    .mac_key = 64,
    .tag = 64,
    .block = BLOCK,
    .length_apart = true,
    .rekey_bytes = 1ULL << 36,
    .init = ctr_init,
    .length = alk_cipher_clear_length,
    .open = etm_open,
    .seal = etm_seal,
    .clear = ctr_clear,
};

const struct alk_cipher_type alk_cipher_ctr_sha256 = {
    .name = "aes256-ctr",
    .mac = "hmac-sha2-256",
    .key = 32,
    .iv = 16,
    .mac_key = 32,
    .tag = 32,
    .block = BLOCK,
    .length_apart = false,
    .rekey_bytes = 1ULL << 36,
    .init = ctr_init,
    .length = eam_length,
    .open = eam_open,
    .seal = eam_seal,
    .clear = ctr_clear,
};
