/* BIP32 private derivation on secp256k1, and its text form. */
#include <alk/secret_keys.h>

#include "base58.h"
#include "crypto.h"
#include "wipe.h"

#include <pthread.h>
#include <secp256k1.h>
#include <sodium.h>
#include <string.h>

#define VERSION_PUBLIC 0x0488b21eU
#define VERSION_SECRET 0x0488ade4U

/* One context for the process, blinded against side channels when it is made; afterwards it
 * is only read, which libsecp256k1 allows from any thread. */
static secp256k1_context *curve;
static pthread_once_t curve_once = PTHREAD_ONCE_INIT;

static void make_curve(void)
{
    uint8_t blind[32];

    randombytes_buf(blind, sizeof blind);
    curve = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
    if (curve != NULL && secp256k1_context_randomize(curve, blind) != 1) {
        secp256k1_context_destroy(curve);
        curve = NULL;
    }
    sodium_memzero(blind, sizeof blind);
}

static int init(void)
{
    int r = alk_secret_crypto_init();

    if (r != 0)
        return r;
    pthread_once(&curve_once, make_curve);
    return curve != NULL ? 0 : ALK_SECRET_E_CRYPTO;
}

static void store_be32(uint8_t *out, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        out[i] = (uint8_t)(value >> (24 - 8 * i));
}

static uint32_t load_be32(const uint8_t *in)
{
    return (uint32_t)in[0] << 24 | (uint32_t)in[1] << 16 | (uint32_t)in[2] << 8 | in[3];
}

static int set_public(struct alk_bip32_key *key)
{
    secp256k1_pubkey point;
    size_t len = sizeof key->public_key;

    if (secp256k1_ec_pubkey_create(curve, &point, key->secret) != 1)
        return ALK_SECRET_E_KEY;
    secp256k1_ec_pubkey_serialize(curve, key->public_key, &len, &point, SECP256K1_EC_COMPRESSED);
    return 0;
}

/* public_key is made only where a step needs it, and for the last node */
static int master(const uint8_t *seed, size_t len, struct alk_bip32_key *key)
{
    static const char name[] = "Bitcoin seed";
    uint8_t digest[64];
    int r = alk_secret_hmac_sha512(name, sizeof name - 1, seed, len, digest);

    if (r == 0 && secp256k1_ec_seckey_verify(curve, digest) != 1)
        r = ALK_SECRET_E_KEY;
    memcpy(key->secret, digest, 32);
    memcpy(key->chain_code, digest + 32, 32);
    key->has_secret = true;
    sodium_memzero(digest, sizeof digest);
    return r;
}

static int child(struct alk_bip32_key *key, uint32_t index, bool last)
{
    uint8_t data[37] = {0}, digest[64], fingerprint[20] = {0};
    bool hardened = (index & ALK_SECRET_HARDENED) != 0;
    int r = 0;

    if (!hardened || last)
        r = set_public(key);
    if (r == 0 && last)
        r = alk_secret_hash160(key->public_key, sizeof key->public_key, fingerprint);
    if (r != 0)
        goto out;
    if (hardened)
        memcpy(data + 1, key->secret, 32);
    else
        memcpy(data, key->public_key, 33);
    store_be32(data + 33, index);
    r = alk_secret_hmac_sha512(key->chain_code, 32, data, sizeof data, digest);
    if (r == 0 && secp256k1_ec_seckey_tweak_add(curve, key->secret, digest) != 1)
        r = ALK_SECRET_E_KEY;
    memcpy(key->chain_code, digest + 32, 32);
    memcpy(key->parent, fingerprint, sizeof key->parent);
    key->index = index;
    key->depth++;
out:
    sodium_memzero(data, sizeof data);
    sodium_memzero(digest, sizeof digest);
    return r;
}

int alk_bip32_derive(const uint8_t *seed, size_t len, const struct alk_secret_path *path,
                     struct alk_bip32_key *key)
{
    int r = init();

    memset(key, 0, sizeof *key);
    if (r != 0)
        return r;
    if (len < ALK_HD_SEED_MIN || len > ALK_HD_SEED_MAX || path->depth > ALK_SECRET_PATH_DEPTH)
        return ALK_SECRET_E_ARGUMENT;
    r = master(seed, len, key);
    for (unsigned i = 0; r == 0 && i < path->depth; i++)
        r = child(key, path->index[i], i + 1 == path->depth);
    if (r == 0)
        r = set_public(key);
    if (r != 0)
        sodium_memzero(key, sizeof *key);
    alk_secret_wipe_traces();
    return r;
}

int alk_bip32_format(const struct alk_bip32_key *key, bool secret, char out[ALK_BIP32_TEXT_SIZE])
{
    uint8_t payload[ALK_BASE58_PAYLOAD] = {0};
    int r;

    if (secret && !key->has_secret)
        return ALK_SECRET_E_KEY;
    store_be32(payload, secret ? VERSION_SECRET : VERSION_PUBLIC);
    payload[4] = key->depth;
    memcpy(payload + 5, key->parent, 4);
    store_be32(payload + 9, key->index);
    memcpy(payload + 13, key->chain_code, 32);
    if (secret)
        memcpy(payload + 46, key->secret, 32);
    else
        memcpy(payload + 45, key->public_key, 33);
    r = alk_base58check_encode(payload, out);
    sodium_memzero(payload, sizeof payload);
    alk_secret_wipe_traces();
    return r;
}

static int read_key(const uint8_t data[33], bool secret, struct alk_bip32_key *key)
{
    secp256k1_pubkey point;

    if (!secret) {
        memcpy(key->public_key, data, 33);
        return secp256k1_ec_pubkey_parse(curve, &point, data, 33) == 1 ? 0 : ALK_SECRET_E_KEY;
    }
    if (data[0] != 0 || secp256k1_ec_seckey_verify(curve, data + 1) != 1)
        return ALK_SECRET_E_KEY;
    memcpy(key->secret, data + 1, 32);
    key->has_secret = true;
    return set_public(key);
}

int alk_bip32_parse(const char *text, struct alk_bip32_key *key)
{
    static const uint8_t none[4] = {0};
    uint8_t payload[ALK_BASE58_PAYLOAD] = {0};
    uint32_t version;
    int r = init();

    memset(key, 0, sizeof *key);
    if (r != 0 || (r = alk_base58check_decode(text, payload)) != 0)
        goto out;
    version = load_be32(payload);
    key->depth = payload[4];
    memcpy(key->parent, payload + 5, 4);
    key->index = load_be32(payload + 9);
    memcpy(key->chain_code, payload + 13, 32);
    if (version != VERSION_SECRET && version != VERSION_PUBLIC)
        r = ALK_SECRET_E_KEY;
    else if (key->depth == 0 && (key->index != 0 || memcmp(key->parent, none, 4) != 0))
        r = ALK_SECRET_E_KEY;
    else
        r = read_key(payload + 45, version == VERSION_SECRET, key);
out:
    if (r != 0)
        sodium_memzero(key, sizeof *key);
    sodium_memzero(payload, sizeof payload);
    alk_secret_wipe_traces();
    return r;
}
