#include "server/admission.h"

#include <alk/status.h>

#include <arpa/inet.h>
#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* Addresses hash into chains; the hash is keyed so that nobody can choose to collide. */
enum { CHAINS = 4096 };

struct origin {
    struct origin *next;
    uint8_t prefix[16]; /* IPv4 as mapped IPv6; IPv6: the /64, rest zero */
    unsigned live, unauthenticated;
};

struct alk_admission {
    pthread_mutex_t lock;
    struct alk_admission_limits limits;
    unsigned unauthenticated;
    uint8_t hash_key[crypto_shorthash_KEYBYTES];
    struct origin *chains[CHAINS];
};

int alk_admission_new(struct alk_admission **out, const struct alk_admission_limits *limits)
{
    struct alk_admission *a = calloc(1, sizeof(*a));

    if (a == NULL)
        return ALK_E_NOMEM;
    pthread_mutex_init(&a->lock, NULL);
    a->limits = *limits;
    randombytes_buf(a->hash_key, sizeof(a->hash_key));
    *out = a;
    return ALK_OK;
}

void alk_admission_free(struct alk_admission *admission)
{
    if (admission == NULL)
        return;
    for (int i = 0; i < CHAINS; i++) {
        while (admission->chains[i] != NULL) {
            struct origin *origin = admission->chains[i];
            admission->chains[i] = origin->next;
            free(origin);
        }
    }
    pthread_mutex_destroy(&admission->lock);
    free(admission);
}

static bool prefix_of(const char *address, uint8_t prefix[16])
{
    memset(prefix, 0, 16);
    if (inet_pton(AF_INET, address, prefix + 12) == 1) {
        prefix[10] = prefix[11] = 0xff;
        return true;
    }
    if (inet_pton(AF_INET6, address, prefix) != 1)
        return false;
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (memcmp(prefix, mapped, sizeof(mapped)) != 0)
        memset(prefix + 8, 0, 8); /* one customer usually has a whole /64 */
    return true;
}

/* Where the origin is, or would be, linked in. */
static struct origin **find(struct alk_admission *a, const uint8_t prefix[16])
{
    uint64_t hash;

    crypto_shorthash((uint8_t *)&hash, prefix, 16, a->hash_key);
    struct origin **at = &a->chains[hash % CHAINS];
    while (*at != NULL && memcmp((*at)->prefix, prefix, 16) != 0)
        at = &(*at)->next;
    return at;
}

static bool reached(unsigned count, unsigned limit)
{
    return limit != 0 && count >= limit;
}

static const char *enter_origin(struct alk_admission *a, const uint8_t prefix[16])
{
    struct origin **at = find(a, prefix);

    if (*at == NULL) {
        *at = calloc(1, sizeof(**at));
        if (*at == NULL)
            return "out-of-memory";
        memcpy((*at)->prefix, prefix, 16);
    }
    if (reached((*at)->live, a->limits.per_ip))
        return "max-connections-per-ip";
    if (reached((*at)->unauthenticated, a->limits.unauthenticated_per_ip))
        return "max-unauthenticated-per-ip";
    (*at)->live++;
    (*at)->unauthenticated++;
    return NULL;
}

const char *alk_admission_enter(struct alk_admission *admission, const char *address)
{
    uint8_t prefix[16];
    const char *why = NULL;

    pthread_mutex_lock(&admission->lock);
    if (reached(admission->unauthenticated, admission->limits.unauthenticated))
        why = "max-unauthenticated";
    else if (prefix_of(address, prefix))
        why = enter_origin(admission, prefix);
    if (why == NULL)
        admission->unauthenticated++;
    pthread_mutex_unlock(&admission->lock);
    return why;
}

static void update(struct alk_admission *admission, const char *address, bool gone,
                   bool was_unauthenticated)
{
    uint8_t prefix[16];

    pthread_mutex_lock(&admission->lock);
    if (was_unauthenticated)
        admission->unauthenticated--;
    if (prefix_of(address, prefix)) {
        struct origin **at = find(admission, prefix);
        struct origin *origin = *at; /* there since alk_admission_enter */
        if (origin == NULL)
            goto out;
        if (was_unauthenticated)
            origin->unauthenticated--;
        if (gone && --origin->live == 0) {
            *at = origin->next;
            free(origin);
        }
    }
out:
    pthread_mutex_unlock(&admission->lock);
}

void alk_admission_authenticated(struct alk_admission *admission, const char *address)
{
    update(admission, address, false, true);
}

void alk_admission_leave(struct alk_admission *admission, const char *address, bool authenticated)
{
    update(admission, address, true, !authenticated);
}
