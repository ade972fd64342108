/*
 * The replay guard: a table of the tokens that were accepted and could be accepted again.
 *
 * An entry lives until its token has left the window. What has been dropped is not forgotten
 * altogether: the guard remembers up to which timestamp it has dropped, and refuses older tokens
 * should the clock go back or the window grow.
 */
#include "auth/token.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { CHAINS = 4096 };

struct seen {
    struct seen *next;
    uint64_t timestamp;
    uint8_t digest[crypto_generichash_BYTES]; /* of all that the signature covers */
};

struct alk_replay_guard {
    pthread_mutex_t lock;
    size_t count, capacity;
    uint64_t forgotten; /* tokens of before this second may have been dropped */
    uint64_t swept;     /* the second of the last sweep through all chains */
    uint8_t hash_key[crypto_generichash_KEYBYTES]; /* random: nobody can aim at one chain */
    struct seen *chains[CHAINS];
};

int alk_replay_guard_new(struct alk_replay_guard **out, size_t capacity)
{
    struct alk_replay_guard *guard = calloc(1, sizeof(*guard));

    *out = NULL;
    if (guard == NULL)
        return ALK_E_NOMEM;
    if (pthread_mutex_init(&guard->lock, NULL) != 0) {
        free(guard);
        return ALK_E_NOMEM;
    }
    guard->capacity = capacity != 0 ? capacity : ALK_TOKEN_REPLAY_CAPACITY;
    randombytes_buf(guard->hash_key, sizeof(guard->hash_key));
    *out = guard;
    return ALK_OK;
}

void alk_replay_guard_free(struct alk_replay_guard *guard)
{
    if (guard == NULL)
        return;
    for (size_t i = 0; i < CHAINS; i++) {
        while (guard->chains[i] != NULL) {
            struct seen *seen = guard->chains[i];
            guard->chains[i] = seen->next;
            free(seen);
        }
    }
    pthread_mutex_destroy(&guard->lock);
    free(guard);
}

/* Drops what no token of the window can repeat. */
static void prune(struct alk_replay_guard *guard, struct seen **chain, uint64_t oldest)
{
    while (*chain != NULL) {
        struct seen *seen = *chain;
        if (seen->timestamp >= oldest) {
            chain = &seen->next;
            continue;
        }
        *chain = seen->next;
        free(seen);
        guard->count--;
    }
}

/* Looking through all chains is for a full table only, and not more than once a second. */
static void sweep(struct alk_replay_guard *guard, uint64_t oldest, uint64_t now)
{
    if (guard->count < guard->capacity || guard->swept == now)
        return;
    guard->swept = now;
    for (size_t i = 0; i < CHAINS; i++)
        prune(guard, &guard->chains[i], oldest);
}

static int insert(struct alk_replay_guard *guard, struct seen **chain, uint64_t timestamp,
                  const uint8_t *digest)
{
    if (guard->count >= guard->capacity)
        return ALK_E_LIMIT;
    struct seen *seen = malloc(sizeof(*seen));
    if (seen == NULL)
        return ALK_E_NOMEM;
    seen->next = *chain;
    seen->timestamp = timestamp;
    memcpy(seen->digest, digest, sizeof(seen->digest));
    *chain = seen;
    guard->count++;
    return ALK_OK;
}

static int enter(struct alk_replay_guard *guard, const struct alk_token *token,
                 const uint8_t *digest, uint64_t window, uint64_t now)
{
    uint64_t oldest = now > window ? now - window : 0;
    size_t index = (size_t)(digest[0] << 8 | digest[1]) % CHAINS;
    const struct seen *seen;

    if (oldest > guard->forgotten)
        guard->forgotten = oldest;
    if (token->timestamp < guard->forgotten)
        return ALK_E_EXISTS;
    prune(guard, &guard->chains[index], guard->forgotten);
    for (seen = guard->chains[index]; seen != NULL; seen = seen->next) {
        if (sodium_memcmp(seen->digest, digest, sizeof(seen->digest)) == 0)
            return ALK_E_EXISTS;
    }
    sweep(guard, guard->forgotten, now);
    return insert(guard, &guard->chains[index], token->timestamp, digest);
}

int alk_replay_guard_enter(struct alk_replay_guard *guard, const struct alk_token *token,
                           unsigned max_age_s, uint64_t now_unix)
{
    uint8_t digest[crypto_generichash_BYTES];
    uint64_t window = max_age_s != 0 ? max_age_s : ALK_TOKEN_MAX_AGE_S;

    crypto_generichash(digest, sizeof(digest), token->bytes, alk_token_signed_len(token),
                       guard->hash_key, sizeof(guard->hash_key));
    pthread_mutex_lock(&guard->lock);
    int status = enter(guard, token, digest, window, now_unix);
    pthread_mutex_unlock(&guard->lock);
    return status;
}

size_t alk_replay_guard_count(struct alk_replay_guard *guard)
{
    pthread_mutex_lock(&guard->lock);
    size_t count = guard->count;
    pthread_mutex_unlock(&guard->lock);
    return count;
}
