#include "server/identities.h"

#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHAINS = 1024 };

struct alk_identities {
    pthread_mutex_t lock;
    unsigned max_sessions;
    uint64_t rate_up, rate_down;
    uint8_t hash_key[crypto_shorthash_KEYBYTES];
    struct alk_identity_account *chains[CHAINS];
};

int alk_identities_new(struct alk_identities **out)
{
    struct alk_identities *identities = calloc(1, sizeof(*identities));

    if (identities == NULL)
        return ALK_E_NOMEM;
    pthread_mutex_init(&identities->lock, NULL);
    identities->max_sessions = ALK_LIMIT_NONE;
    randombytes_buf(identities->hash_key, sizeof(identities->hash_key));
    *out = identities;
    return ALK_OK;
}

void alk_identities_free(struct alk_identities *identities)
{
    if (identities == NULL)
        return;
    pthread_mutex_destroy(&identities->lock);
    free(identities); /* accounts have gone with their sessions */
}

void alk_identities_limit(struct alk_identities *identities, const struct alk_limits *limits)
{
    pthread_mutex_lock(&identities->lock);
    identities->max_sessions = limits->max_sessions_per_identity;
    identities->rate_up = limits->rate_up;
    identities->rate_down = limits->rate_down;
    for (int i = 0; i < CHAINS; i++) {
        for (struct alk_identity_account *a = identities->chains[i]; a != NULL; a = a->next) {
            alk_rate_set(&a->up, limits->rate_up);
            alk_rate_set(&a->down, limits->rate_down);
        }
    }
    pthread_mutex_unlock(&identities->lock);
}

/* Where the account is, or would be, linked in. */
static struct alk_identity_account **find(struct alk_identities *identities, const char *id)
{
    uint64_t hash;

    crypto_shorthash((uint8_t *)&hash, (const uint8_t *)id, strlen(id), identities->hash_key);
    struct alk_identity_account **at = &identities->chains[hash % CHAINS];
    while (*at != NULL && strcmp((*at)->id, id) != 0)
        at = &(*at)->next;
    return at;
}

static struct alk_identity_account *new_account(const struct alk_identities *identities,
                                                const char *id)
{
    struct alk_identity_account *account = calloc(1, sizeof(*account) + strlen(id) + 1);

    if (account == NULL)
        return NULL;
    memcpy(account->id, id, strlen(id) + 1);
    alk_rate_set(&account->up, identities->rate_up);
    alk_rate_set(&account->down, identities->rate_down);
    return account;
}

int alk_identities_enter(struct alk_identities *identities, const char *id,
                         struct alk_identity_account **out)
{
    int status = ALK_OK;

    pthread_mutex_lock(&identities->lock);
    struct alk_identity_account **at = find(identities, id);
    unsigned most = identities->max_sessions;
    if (most != ALK_LIMIT_NONE && (*at != NULL ? (*at)->sessions : 0) >= most)
        status = ALK_E_LIMIT;
    else if (*at == NULL && (*at = new_account(identities, id)) == NULL)
        status = ALK_E_NOMEM;
    if (status == ALK_OK) {
        (*at)->sessions++;
        *out = *at;
    }
    pthread_mutex_unlock(&identities->lock);
    return status;
}

void alk_identities_leave(struct alk_identities *identities, struct alk_identity_account *account)
{
    if (account == NULL)
        return;
    pthread_mutex_lock(&identities->lock);
    if (--account->sessions == 0) {
        *find(identities, account->id) = account->next;
        free(account);
    }
    pthread_mutex_unlock(&identities->lock);
}

size_t alk_identities_list(struct alk_identities *identities, struct alk_identity_use *out,
                           size_t room)
{
    size_t count = 0;

    pthread_mutex_lock(&identities->lock);
    for (int i = 0; i < CHAINS; i++) {
        for (struct alk_identity_account *a = identities->chains[i]; a != NULL; a = a->next) {
            if (count < room) {
                struct alk_identity_use *use = &out[count];
                snprintf(use->id, sizeof(use->id), "%s", a->id);
                use->sessions = a->sessions;
                use->channels = atomic_load_explicit(&a->channels, memory_order_relaxed);
                use->bytes_up = atomic_load_explicit(&a->bytes_up, memory_order_relaxed);
                use->bytes_down = atomic_load_explicit(&a->bytes_down, memory_order_relaxed);
            }
            count++;
        }
    }
    pthread_mutex_unlock(&identities->lock);
    return count;
}
