/* A set of API keys: found by the hash of what is presented. */
#include <alk/api_key.h>

#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* How often a key was used; outlives the sets, so that a reload loses no count. */
struct usage {
    atomic_uint references;
    atomic_uint_least64_t count, last;
};

struct entry {
    uint8_t hash[crypto_hash_sha256_BYTES];
    char *name;
    struct alk_identity *pattern; /* for identities, which take their id from the presented key */
    struct usage *usage;
    uint64_t expires; /* 0 = never */
    bool disabled;
};

struct alk_api_keys {
    struct entry *entries;
    size_t count;
    uint32_t *slots; /* open addressing; index + 1, 0 = free; at most half are taken */
    size_t slot_mask;
    /* The slot comes from a keyed hash: the time to find it tells nothing of the stored hashes. */
    uint8_t slot_key[crypto_shorthash_KEYBYTES];
};

/* ---- finding ---- */

/* The entry with this hash, or NULL; *slot is where it is or belongs. A free slot is compared,
 * too, with a hash that nothing has. */
static struct entry *find(const struct alk_api_keys *set, const uint8_t *hash, uint32_t **slot)
{
    static const uint8_t nothing[crypto_hash_sha256_BYTES];
    uint64_t start;

    crypto_shorthash((uint8_t *)&start, hash, crypto_hash_sha256_BYTES, set->slot_key);
    for (size_t at = (size_t)start & set->slot_mask;; at = (at + 1) & set->slot_mask) {
        uint32_t number = set->slots[at];
        struct entry *entry = number != 0 ? &set->entries[number - 1] : NULL;
        bool same = sodium_memcmp(entry != NULL ? entry->hash : nothing, hash,
                                  crypto_hash_sha256_BYTES) == 0;
        if (entry == NULL || same) {
            *slot = &set->slots[at];
            return entry;
        }
    }
}

static const struct entry *find_name(const struct alk_api_keys *set, const char *name)
{
    for (size_t i = 0; i < set->count; i++) {
        if (strcmp(set->entries[i].name, name) == 0)
            return &set->entries[i];
    }
    return NULL;
}

/* ---- making ---- */

static bool decode_hash(const char *text, uint8_t hash[crypto_hash_sha256_BYTES])
{
    static const char prefix[] = "sha256:";
    size_t len;

    if (text == NULL || strlen(text) != ALK_API_KEY_HASH_SIZE - 1 ||
        strncmp(text, prefix, sizeof(prefix) - 1) != 0 ||
        strspn(text + sizeof(prefix) - 1, "0123456789abcdef") != 64)
        return false;
    return sodium_hex2bin(hash, crypto_hash_sha256_BYTES, text + sizeof(prefix) - 1, 64, NULL, &len,
                          NULL) == 0;
}

static int read_expiry(struct entry *entry, const struct alk_api_key *key, struct alk_error *error)
{
    entry->expires = key->expires;
    if (key->ttl_s == 0)
        return ALK_OK;
    if (key->expires != 0)
        return alk_error_set(error, ALK_E_INVAL, "API key %s: give expires or ttl, not both",
                             key->name);
    if (key->created == 0 || key->ttl_s > UINT64_MAX - key->created)
        return alk_error_set(error, ALK_E_INVAL,
                             "API key %s: ttl counts from created, which must be given with it",
                             key->name);
    entry->expires = key->created + key->ttl_s;
    return ALK_OK;
}

static struct usage *usage_of(const struct alk_api_keys *previous, const uint8_t *hash)
{
    uint32_t *slot;
    const struct entry *old = previous != NULL ? find(previous, hash, &slot) : NULL;
    struct usage *usage = old != NULL ? old->usage : calloc(1, sizeof(*usage));

    if (usage != NULL)
        atomic_fetch_add(&usage->references, 1);
    return usage;
}

static int fill(struct entry *entry, const struct alk_api_key *key,
                const struct alk_api_keys *previous, struct alk_error *error)
{
    struct alk_error why;

    if (!decode_hash(key->hash, entry->hash))
        return alk_error_set(error, ALK_E_PARSE,
                             "API key %s: its hash is not sha256: and 64 lower-case hexadecimal "
                             "digits; alknet-ctl api-key new prints one",
                             key->name);
    int status = alk_identity_parse(&entry->pattern, "api-key", key->scopes, key->resources, &why);
    if (status != ALK_OK)
        return alk_error_set(error, status, "API key %s: %s", key->name, why.text);
    status = read_expiry(entry, key, error);
    if (status != ALK_OK)
        return status;
    entry->disabled = key->disabled;
    entry->name = strdup(key->name);
    entry->usage = usage_of(previous, entry->hash);
    if (entry->name == NULL || entry->usage == NULL)
        return alk_error_set(error, ALK_E_NOMEM, "out of memory");
    return ALK_OK;
}

static int add(struct alk_api_keys *set, const struct alk_api_key *key,
               const struct alk_api_keys *previous, struct alk_error *error)
{
    struct entry *entry = &set->entries[set->count];
    uint32_t *slot;
    const struct entry *other;

    set->count++; /* from now on it is freed with the others */
    int status = fill(entry, key, previous, error);
    if (status != ALK_OK)
        return status;
    other = find(set, entry->hash, &slot);
    if (other != NULL)
        return alk_error_set(error, ALK_E_EXISTS, "the API keys %s and %s have the same hash",
                             other->name, key->name);
    *slot = (uint32_t)set->count;
    return ALK_OK;
}

static int prepare(struct alk_api_keys *set, size_t count)
{
    size_t slots = 2;

    while (slots < 2 * count)
        slots *= 2;
    set->slot_mask = slots - 1;
    set->slots = calloc(slots, sizeof(*set->slots));
    set->entries = calloc(count + 1, sizeof(*set->entries));
    randombytes_buf(set->slot_key, sizeof(set->slot_key));
    return set->slots != NULL && set->entries != NULL ? ALK_OK : ALK_E_NOMEM;
}

int alk_api_keys_new(struct alk_api_keys **out, const struct alk_api_key *keys, size_t count,
                     const struct alk_api_keys *previous, struct alk_error *error)
{
    *out = NULL;
    if (count > ALK_API_KEYS_MAX)
        return alk_error_set(error, ALK_E_LIMIT, "more than %d API keys", ALK_API_KEYS_MAX);
    struct alk_api_keys *set = calloc(1, sizeof(*set));
    if (set == NULL || prepare(set, count) != ALK_OK) {
        alk_api_keys_free(set);
        return alk_error_set(error, ALK_E_NOMEM, "out of memory");
    }
    for (size_t i = 0; i < count; i++) {
        int status = add(set, &keys[i], previous, error);
        if (status != ALK_OK) {
            alk_api_keys_free(set);
            return status;
        }
    }
    *out = set;
    return ALK_OK;
}

void alk_api_keys_free(struct alk_api_keys *set)
{
    if (set == NULL)
        return;
    for (size_t i = 0; i < set->count; i++) {
        struct entry *entry = &set->entries[i];
        alk_identity_unref(entry->pattern);
        free(entry->name);
        if (entry->usage != NULL && atomic_fetch_sub(&entry->usage->references, 1) == 1)
            free(entry->usage);
    }
    free(set->entries);
    free(set->slots);
    free(set);
}

/* ---- judging ---- */

const char *alk_api_key_verdict_text(enum alk_api_key_verdict verdict)
{
    static const char *const texts[] = {
        [ALK_API_KEY_GOOD] = "good",
        [ALK_API_KEY_UNKNOWN] = "unknown-key",
        [ALK_API_KEY_DISABLED] = "disabled",
        [ALK_API_KEY_EXPIRED] = "expired",
        [ALK_API_KEY_NO_MEMORY] = "out-of-memory",
    };

    return texts[verdict];
}

static enum alk_api_key_verdict admit(const struct entry *entry, const char *text, uint64_t now,
                                      struct alk_identity **identity)
{
    struct alk_identity data = *entry->pattern;
    char id[ALK_API_KEY_ID_LEN + 1];
    uint64_t last = atomic_load(&entry->usage->last);

    memcpy(id, text + 4, ALK_API_KEY_ID_LEN);
    id[ALK_API_KEY_ID_LEN] = '\0';
    data.id = id;
    if (alk_identity_new(identity, &data) != ALK_OK)
        return ALK_API_KEY_NO_MEMORY;
    atomic_fetch_add(&entry->usage->count, 1);
    while (last < now && !atomic_compare_exchange_weak(&entry->usage->last, &last, now))
        ;
    return ALK_API_KEY_GOOD;
}

enum alk_api_key_verdict alk_api_keys_judge(const struct alk_api_keys *set, const char *text,
                                            size_t len, uint64_t now_unix,
                                            struct alk_identity **identity)
{
    uint8_t hash[crypto_hash_sha256_BYTES];
    uint32_t *slot;

    *identity = NULL;
    crypto_hash_sha256(hash, (const uint8_t *)text, len);
    const struct entry *entry = find(set, hash, &slot);
    sodium_memzero(hash, sizeof(hash));
    if (entry == NULL || !alk_api_key_is(text, len))
        return ALK_API_KEY_UNKNOWN;
    if (entry->disabled)
        return ALK_API_KEY_DISABLED;
    if (entry->expires != 0 && now_unix >= entry->expires)
        return ALK_API_KEY_EXPIRED;
    return admit(entry, text, now_unix, identity);
}

bool alk_api_keys_used(const struct alk_api_keys *set, const char *name, uint64_t *count,
                       uint64_t *last)
{
    const struct entry *entry = find_name(set, name);

    if (entry == NULL)
        return false;
    *count = atomic_load(&entry->usage->count);
    *last = atomic_load(&entry->usage->last);
    return true;
}
