/* Hierarchical keys: SLIP-0010 for Ed25519 and BIP32 for secp256k1.
 *
 * Plain functions on the caller's memory: keep key structs in sodium_malloc() memory, or wipe
 * them with sodium_memzero(). Any thread. On error the output is zero.
 */
#ifndef ALK_SECRET_KEYS_H
#define ALK_SECRET_KEYS_H

#include <alk/secret_path.h>

#include <stdbool.h>

#define ALK_HD_SEED_MIN 16 /* bytes of a master seed, as BIP32 bounds them */
#define ALK_HD_SEED_MAX 64

/* A SLIP-0010 Ed25519 node. The secret is an RFC 8032 seed. */
struct alk_slip10_key {
    uint8_t secret[32];
    uint8_t chain_code[32];
};

/* E_ARGUMENT for a seed length out of bounds, E_HARDENED when the path has an unhardened
 * index (Ed25519 knows only hardened derivation), E_CRYPTO. */
int alk_slip10_derive(const uint8_t *seed, size_t len, const struct alk_secret_path *path,
                      struct alk_slip10_key *key);

/* The Ed25519 public key of a node. */
int alk_slip10_public(const struct alk_slip10_key *key, uint8_t public_key[32]);

/* A BIP32 node with what its serialised form says. */
struct alk_bip32_key {
    uint8_t depth;
    uint8_t parent[4]; /* fingerprint; zero for a master key */
    uint32_t index;
    uint8_t chain_code[32];
    bool has_secret; /* false for a node read from an xpub */
    uint8_t secret[32];
    uint8_t public_key[33]; /* compressed */
};

/* E_ARGUMENT, E_CRYPTO; E_KEY when an index derives no key (about 1 in 2^127). */
int alk_bip32_derive(const uint8_t *seed, size_t len, const struct alk_secret_path *path,
                     struct alk_bip32_key *key);

#define ALK_BIP32_TEXT_SIZE 113 /* an xprv or xpub with its NUL */

/* Writes the xprv (secret true) or xpub of a node. E_KEY for the xprv of a public node. */
int alk_bip32_format(const struct alk_bip32_key *key, bool secret, char out[ALK_BIP32_TEXT_SIZE]);

/* Reads an xprv or xpub and proves checksum, version, prefix, range and depth. E_KEY. */
int alk_bip32_parse(const char *text, struct alk_bip32_key *key);

#endif
