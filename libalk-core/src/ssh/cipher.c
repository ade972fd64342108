#include "ssh/cipher.h"
#include "ssh/cipher_types.h"

#include <alk/status.h>

#include <sodium.h>
#include <string.h>

static int none_init(struct alk_cipher *c, const uint8_t *key, const uint8_t *iv,
                     const uint8_t *mac_key, bool seal)
{
    (void)c;
    (void)key;
    (void)iv;
    (void)mac_key;
    (void)seal;
    return ALK_OK;
}

static int none_packet(struct alk_cipher *c, uint32_t sequence, uint8_t *packet, size_t len)
{
    (void)c;
    (void)sequence;
    (void)packet;
    (void)len;
    return ALK_OK;
}

static void none_clear(struct alk_cipher *c)
{
    (void)c;
}

uint32_t alk_cipher_clear_length(struct alk_cipher *c, uint32_t sequence, uint8_t *packet)
{
    (void)c;
    (void)sequence;
    return (uint32_t)packet[0] << 24 | (uint32_t)packet[1] << 16 | (uint32_t)packet[2] << 8 |
           packet[3];
}

static const struct alk_cipher_type none = {
    .name = "none",
    .block = 8,
    .rekey_bytes = UINT64_MAX,
    .init = none_init,
    .length = alk_cipher_clear_length,
    .open = none_packet,
    .seal = none_packet,
    .clear = none_clear,
};

static const struct alk_cipher_type *const types[] = {
    &none,
    &alk_cipher_aes_gcm,
    &alk_cipher_chacha,
    &alk_cipher_ctr_sha256_etm,
    &alk_cipher_ctr_sha512_etm,
    &alk_cipher_ctr_sha256,
};

const struct alk_cipher_type *alk_cipher_find(const char *cipher, const char *mac)
{
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (strcmp(types[i]->name, cipher) != 0)
            continue;
        if (types[i]->mac == NULL || (mac != NULL && strcmp(types[i]->mac, mac) == 0))
            return types[i];
    }
    return NULL;
}

int alk_cipher_init(struct alk_cipher *c, const struct alk_cipher_type *type, const uint8_t *key,
                    const uint8_t *iv, const uint8_t *mac_key, bool seal)
{
    *c = (struct alk_cipher){.type = type};
    int status = type->init(c, key, iv, mac_key, seal);
    if (status != ALK_OK)
        alk_cipher_clear(c);
    return status;
}

void alk_cipher_clear(struct alk_cipher *c)
{
    if (c->type != NULL)
        c->type->clear(c);
    sodium_memzero(c, sizeof(*c));
    c->type = &none;
}

bool alk_cipher_prefers_aes(void)
{
    return sodium_runtime_has_aesni() != 0;
}
