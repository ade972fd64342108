/* What one unlocked tenant holds: the seed, and the keys derived from it lately.
 *
 * All of it is one sodium_malloc() block, so wiping is one call and nothing is forgotten. The
 * seed does not change while the vault lives; the cache has a lock of its own.
 */
#ifndef ALK_VAULT_H
#define ALK_VAULT_H

#include <alk/secret_mnemonic.h>
#include <alk/secret_path.h>

#include <pthread.h>

enum alk_node_kind {
    ALK_NODE_ED25519,   /* SLIP-0010 */
    ALK_NODE_SECP256K1, /* BIP32 */
};

struct alk_node {
    uint8_t secret[32];
    uint8_t public_key[33]; /* 32 bytes of it for Ed25519 */
};

struct alk_cached_node {
    uint64_t since; /* milliseconds of the service's clock */
    enum alk_node_kind kind;
    struct alk_secret_path path;
    struct alk_node node;
};

struct alk_vault {
    uint8_t seed[ALK_SEED_SIZE];
    pthread_mutex_t cache_lock;
    uint64_t ttl_ms, hits, misses;
    unsigned capacity, used;
    struct alk_cached_node cache[];
};

/* A vault with a zero seed for the caller to fill, or NULL when memory cannot be locked. */
struct alk_vault *alk_vault_new(unsigned capacity, uint64_t ttl_ms);

/* Wipes and frees; NULL is allowed. */
void alk_vault_free(struct alk_vault *vault);

/* The key at a path, from the cache or derived now. Errors of alk_slip10_derive() and
 * alk_bip32_derive(). Any number of threads. */
int alk_vault_derive(struct alk_vault *vault, enum alk_node_kind kind,
                     const struct alk_secret_path *path, uint64_t now_ms, struct alk_node *node);

/* Wipes what has expired; returns how many keys. */
unsigned alk_vault_sweep(struct alk_vault *vault, uint64_t now_ms);

#endif
