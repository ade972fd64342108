/* The tenants of a service: unlocking, locking, looking up.
 *
 * One reader-writer lock guards the table. Work on a tenant holds it for reading, so many
 * threads derive at once; unlock and lock take it for writing for a few instructions. The slow
 * part of unlock, stretching the phrase, runs before it.
 */
#include "service.h"

#include "crypto.h"
#include "error.h"
#include "wipe.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct tenant {
    char id[ALK_SECRET_TENANT_MAX + 1];
    struct alk_vault *vault;
};

struct alk_secret_service {
    struct alk_secret_options options;
    pthread_rwlock_t lock;
    unsigned count;
    struct tenant tenants[];
};

static uint64_t boot_time_ms(void *user)
{
    struct timespec now;

    (void)user;
    clock_gettime(CLOCK_BOOTTIME, &now); /* counts the time asleep, so keys expire then too */
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void alk_secret_options_init(struct alk_secret_options *options)
{
    *options = (struct alk_secret_options){
        .size = sizeof *options,
        .cache_ttl_ms = 60 * 60 * 1000,
        .cache_keys = 64,
        .tenants = 64,
        .now_ms = boot_time_ms,
    };
}

/* A waiting lock goes before new derivations, or a busy service could never be locked. */
static int init_lock(pthread_rwlock_t *lock)
{
    pthread_rwlockattr_t attr;
    int r;

    if (pthread_rwlockattr_init(&attr) != 0)
        return ALK_SECRET_E_MEMORY;
    pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    r = pthread_rwlock_init(lock, &attr) == 0 ? 0 : ALK_SECRET_E_MEMORY;
    pthread_rwlockattr_destroy(&attr);
    return r;
}

int alk_secret_service_new(const struct alk_secret_options *options,
                           struct alk_secret_service **out)
{
    struct alk_secret_options defaults;
    struct alk_secret_service *service;
    int r = alk_secret_crypto_init();

    if (r != 0)
        return r;
    if (options == NULL) {
        alk_secret_options_init(&defaults);
        options = &defaults;
    }
    if (options->size != sizeof *options || options->now_ms == NULL || options->cache_keys < 1 ||
        options->cache_keys > 4096 || options->tenants < 1 || options->tenants > 65536)
        return ALK_SECRET_E_ARGUMENT;
    service = calloc(1, sizeof *service + options->tenants * sizeof service->tenants[0]);
    if (service == NULL)
        return ALK_SECRET_E_MEMORY;
    service->options = *options;
    if ((r = init_lock(&service->lock)) != 0) {
        free(service);
        return r;
    }
    *out = service;
    return 0;
}

void alk_secret_service_free(struct alk_secret_service *service)
{
    if (service == NULL)
        return;
    alk_secret_service_lock(service, NULL);
    pthread_rwlock_destroy(&service->lock);
    free(service);
}

uint64_t alk_secret_service_now(const struct alk_secret_service *service)
{
    return service->options.now_ms(service->options.user);
}

static bool valid_id(const char *id)
{
    size_t len = id == NULL ? 0 : strnlen(id, ALK_SECRET_TENANT_MAX + 1);

    for (size_t i = 0; i < len; i++) {
        if (id[i] < 0x21 || id[i] > 0x7e)
            return false;
    }
    return len >= 1 && len <= ALK_SECRET_TENANT_MAX;
}

static struct tenant *find(struct alk_secret_service *service, const char *id)
{
    for (unsigned i = 0; id != NULL && i < service->count; i++) {
        if (strcmp(service->tenants[i].id, id) == 0)
            return &service->tenants[i];
    }
    return NULL;
}

int alk_secret_service_enter(struct alk_secret_service *service, const char *tenant,
                             struct alk_vault **vault)
{
    const struct tenant *found;

    pthread_rwlock_rdlock(&service->lock);
    found = find(service, tenant);
    if (found == NULL) {
        pthread_rwlock_unlock(&service->lock);
        return ALK_SECRET_E_LOCKED;
    }
    *vault = found->vault;
    return 0;
}

void alk_secret_service_leave(struct alk_secret_service *service)
{
    pthread_rwlock_unlock(&service->lock);
    alk_secret_wipe_traces();
}

/* Puts a vault into the table, which then owns it. */
static int admit(struct alk_secret_service *service, const char *id, struct alk_vault **vault)
{
    const struct tenant *found;
    int r = 0;

    pthread_rwlock_wrlock(&service->lock);
    found = find(service, id);
    if (found != NULL) {
        if (sodium_memcmp(found->vault->seed, (*vault)->seed, ALK_SEED_SIZE) != 0)
            r = ALK_SECRET_E_UNLOCKED;
    } else if (service->count == service->options.tenants) {
        r = ALK_SECRET_E_TENANT;
    } else {
        struct tenant *added = &service->tenants[service->count++];
        memcpy(added->id, id, strlen(id) + 1);
        added->vault = *vault;
        *vault = NULL;
    }
    pthread_rwlock_unlock(&service->lock);
    return r;
}

int alk_secret_service_unlock(struct alk_secret_service *service, const char *tenant,
                              const char *mnemonic, const char *passphrase,
                              struct alk_secret_error *error)
{
    struct alk_vault *vault;
    int r;

    if (!valid_id(tenant))
        return alk_secret_fail(error, ALK_SECRET_E_TENANT,
                               "a tenant id is 1 to %d printable characters without blanks",
                               ALK_SECRET_TENANT_MAX);
    vault = alk_vault_new(service->options.cache_keys, service->options.cache_ttl_ms);
    if (vault == NULL)
        return alk_secret_fail(error, ALK_SECRET_E_MEMORY, NULL);
    r = alk_mnemonic_to_seed(mnemonic, passphrase, vault->seed, error);
    if (r == 0 && (r = admit(service, tenant, &vault)) != 0)
        alk_secret_fail(error, r, NULL);
    alk_vault_free(vault);
    alk_secret_wipe_traces();
    return r;
}

int alk_secret_service_lock(struct alk_secret_service *service, const char *tenant)
{
    unsigned locked = 0;

    pthread_rwlock_wrlock(&service->lock);
    for (unsigned i = 0; i < service->count;) {
        struct tenant *t = &service->tenants[i];
        if (tenant != NULL && strcmp(t->id, tenant) != 0) {
            i++;
            continue;
        }
        alk_vault_free(t->vault);
        *t = service->tenants[--service->count];
        locked++;
    }
    pthread_rwlock_unlock(&service->lock);
    return locked > 0 ? 0 : ALK_SECRET_E_LOCKED;
}

bool alk_secret_service_is_unlocked(struct alk_secret_service *service, const char *tenant)
{
    bool unlocked;

    pthread_rwlock_rdlock(&service->lock);
    unlocked = find(service, tenant) != NULL;
    pthread_rwlock_unlock(&service->lock);
    return unlocked;
}

size_t alk_secret_service_sweep(struct alk_secret_service *service)
{
    uint64_t now = alk_secret_service_now(service);
    size_t dropped = 0;

    pthread_rwlock_rdlock(&service->lock);
    for (unsigned i = 0; i < service->count; i++)
        dropped += alk_vault_sweep(service->tenants[i].vault, now);
    pthread_rwlock_unlock(&service->lock);
    return dropped;
}
