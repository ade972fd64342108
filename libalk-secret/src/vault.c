/* The seed of a tenant and its cache of derived keys. */
#include "vault.h"

#include <alk/secret_keys.h>

#include <sodium.h>
#include <string.h>

struct alk_vault *alk_vault_new(unsigned capacity, uint64_t ttl_ms)
{
    size_t size = sizeof(struct alk_vault) + capacity * sizeof(struct alk_cached_node);
    struct alk_vault *vault = sodium_malloc(size);

    if (vault == NULL)
        return NULL;
    memset(vault, 0, size);
    /* sodium_malloc() locks its pages too, but does not tell when it could not */
    if (sodium_mlock(vault, size) != 0 || pthread_mutex_init(&vault->cache_lock, NULL) != 0) {
        sodium_free(vault);
        return NULL;
    }
    vault->capacity = capacity;
    vault->ttl_ms = ttl_ms;
    return vault;
}

void alk_vault_free(struct alk_vault *vault)
{
    if (vault == NULL)
        return;
    pthread_mutex_destroy(&vault->cache_lock);
    sodium_free(vault);
}

/* Removes entry i by moving the last one into its place. */
static void drop(struct alk_vault *vault, unsigned i)
{
    struct alk_cached_node *last = &vault->cache[--vault->used];

    vault->cache[i] = *last;
    sodium_memzero(last, sizeof *last);
}

/* An entry from the future (a clock that went back) is expired as well: its age wraps around to
 * a very high one. */
static unsigned drop_expired(struct alk_vault *vault, uint64_t now_ms)
{
    unsigned dropped = 0;

    for (unsigned i = 0; i < vault->used;) {
        if (now_ms - vault->cache[i].since >= vault->ttl_ms) {
            drop(vault, i);
            dropped++;
        } else {
            i++;
        }
    }
    return dropped;
}

static struct alk_cached_node *find(struct alk_vault *vault, enum alk_node_kind kind,
                                    const struct alk_secret_path *path)
{
    for (unsigned i = 0; i < vault->used; i++) {
        struct alk_cached_node *entry = &vault->cache[i];
        if (entry->kind == kind && entry->path.depth == path->depth &&
            memcmp(entry->path.index, path->index, path->depth * sizeof path->index[0]) == 0)
            return entry;
    }
    return NULL;
}

static bool look_up(struct alk_vault *vault, enum alk_node_kind kind,
                    const struct alk_secret_path *path, uint64_t now_ms, struct alk_node *node)
{
    const struct alk_cached_node *entry;

    pthread_mutex_lock(&vault->cache_lock);
    drop_expired(vault, now_ms);
    entry = find(vault, kind, path);
    if (entry != NULL) {
        *node = entry->node;
        vault->hits++;
    } else {
        vault->misses++;
    }
    pthread_mutex_unlock(&vault->cache_lock);
    return entry != NULL;
}

/* Adds a key; in a full cache it replaces the oldest one. */
static void insert(struct alk_vault *vault, enum alk_node_kind kind,
                   const struct alk_secret_path *path, uint64_t now_ms, const struct alk_node *node)
{
    pthread_mutex_lock(&vault->cache_lock);
    if (find(vault, kind, path) == NULL) {
        unsigned at = 0;
        if (vault->used < vault->capacity) {
            at = vault->used++;
        } else {
            for (unsigned i = 1; i < vault->used; i++)
                at = vault->cache[i].since < vault->cache[at].since ? i : at;
        }
        vault->cache[at].since = now_ms;
        vault->cache[at].kind = kind;
        vault->cache[at].path = *path;
        vault->cache[at].node = *node;
    }
    pthread_mutex_unlock(&vault->cache_lock);
}

static int derive_ed25519(const uint8_t *seed, const struct alk_secret_path *path,
                          struct alk_node *node)
{
    struct alk_slip10_key key;
    int r = alk_slip10_derive(seed, ALK_SEED_SIZE, path, &key);

    if (r == 0)
        r = alk_slip10_public(&key, node->public_key);
    memcpy(node->secret, key.secret, sizeof node->secret);
    sodium_memzero(&key, sizeof key);
    return r;
}

static int derive_secp256k1(const uint8_t *seed, const struct alk_secret_path *path,
                            struct alk_node *node)
{
    struct alk_bip32_key key;
    int r = alk_bip32_derive(seed, ALK_SEED_SIZE, path, &key);

    memcpy(node->secret, key.secret, sizeof node->secret);
    memcpy(node->public_key, key.public_key, sizeof node->public_key);
    sodium_memzero(&key, sizeof key);
    return r;
}

int alk_vault_derive(struct alk_vault *vault, enum alk_node_kind kind,
                     const struct alk_secret_path *path, uint64_t now_ms, struct alk_node *node)
{
    int r;

    memset(node, 0, sizeof *node);
    if (look_up(vault, kind, path, now_ms, node))
        return 0;
    if (kind == ALK_NODE_ED25519)
        r = derive_ed25519(vault->seed, path, node);
    else
        r = derive_secp256k1(vault->seed, path, node);
    if (r == 0 && vault->ttl_ms > 0)
        insert(vault, kind, path, now_ms, node);
    return r;
}

unsigned alk_vault_sweep(struct alk_vault *vault, uint64_t now_ms)
{
    unsigned dropped;

    pthread_mutex_lock(&vault->cache_lock);
    dropped = drop_expired(vault, now_ms);
    pthread_mutex_unlock(&vault->cache_lock);
    return dropped;
}
