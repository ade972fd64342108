/* SLIP-0010 for Ed25519: every step is one HMAC-SHA512. */
#include <alk/secret_keys.h>

#include "crypto.h"
#include "wipe.h"

#include <sodium.h>
#include <string.h>

static int step(const void *hmac_key, size_t hmac_key_len, const void *data, size_t len,
                struct alk_slip10_key *key)
{
    uint8_t digest[64];
    int r = alk_secret_hmac_sha512(hmac_key, hmac_key_len, data, len, digest);

    memcpy(key->secret, digest, 32);
    memcpy(key->chain_code, digest + 32, 32);
    sodium_memzero(digest, sizeof digest);
    return r;
}

static int child(struct alk_slip10_key *key, uint32_t index)
{
    uint8_t data[37] = {0};
    int r;

    memcpy(data + 1, key->secret, 32);
    for (int i = 0; i < 4; i++)
        data[33 + i] = (uint8_t)(index >> (24 - 8 * i));
    r = step(key->chain_code, sizeof key->chain_code, data, sizeof data, key);
    sodium_memzero(data, sizeof data);
    return r;
}

int alk_slip10_derive(const uint8_t *seed, size_t len, const struct alk_secret_path *path,
                      struct alk_slip10_key *key)
{
    static const char curve[] = "ed25519 seed";
    int r = alk_secret_crypto_init();

    memset(key, 0, sizeof *key);
    if (r != 0)
        return r;
    if (len < ALK_HD_SEED_MIN || len > ALK_HD_SEED_MAX || path->depth > ALK_SECRET_PATH_DEPTH)
        return ALK_SECRET_E_ARGUMENT;
    for (unsigned i = 0; i < path->depth; i++) {
        if (!(path->index[i] & ALK_SECRET_HARDENED))
            return ALK_SECRET_E_HARDENED;
    }
    r = step(curve, sizeof curve - 1, seed, len, key);
    for (unsigned i = 0; r == 0 && i < path->depth; i++)
        r = child(key, path->index[i]);
    if (r != 0)
        sodium_memzero(key, sizeof *key);
    alk_secret_wipe_traces();
    return r;
}

int alk_slip10_public(const struct alk_slip10_key *key, uint8_t public_key[32])
{
    uint8_t secret[crypto_sign_SECRETKEYBYTES];
    int r = alk_secret_crypto_init();

    if (r == 0 && crypto_sign_seed_keypair(public_key, secret, key->secret) != 0)
        r = ALK_SECRET_E_CRYPTO;
    sodium_memzero(secret, sizeof secret);
    alk_secret_wipe_traces();
    return r;
}
