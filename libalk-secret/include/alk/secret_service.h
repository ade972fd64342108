/* The service that holds seeds: locked at start, unlocked per tenant by a mnemonic.
 *
 * The seed and the cached keys of a tenant live in one sodium_malloc() block: between guard
 * pages, locked against swapping, left out of core dumps, wiped by lock and free. Every
 * function but unlock answers ALK_SECRET_E_LOCKED for a tenant that is not unlocked. A tenant
 * is named by an id of 1 to ALK_SECRET_TENANT_MAX printable ASCII characters.
 *
 * All functions may be called by any thread at any time; lock waits for derivations under
 * way. alk_secret_service_free() is the exception: nobody else may use the service any more.
 *
 * A child of fork(2) has a copy of every unlocked seed, without the lock against swapping: fork
 * before unlocking, or let the child call execve(2) or alk_secret_service_free() at once.
 *
 * Outputs that are secrets go to the caller's memory: sodium_malloc() it, and wipe it.
 */
#ifndef ALK_SECRET_SERVICE_H
#define ALK_SECRET_SERVICE_H

#include <alk/secret_error.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ALK_SECRET_TENANT_MAX   64
#define ALK_SECRET_TEXT_MAX     (1024 * 1024)                       /* bytes of a text to encrypt */
#define ALK_SECRET_RECORD_MAX   (ALK_SECRET_TEXT_MAX / 3 * 4 + 512) /* bytes of its JSON record */
#define ALK_SECRET_PASSWORD_MIN 8
#define ALK_SECRET_PASSWORD_MAX 128

struct alk_secret_service;

struct alk_secret_options {
    size_t size;                    /* of this struct, set by the initialiser */
    uint64_t cache_ttl_ms;          /* how long a derived key is kept; default one hour, 0 never */
    unsigned cache_keys;            /* derived keys kept per tenant, 1 to 4096; default 64 */
    unsigned tenants;               /* unlocked at once, 1 to 65536; default 64 */
    uint64_t (*now_ms)(void *user); /* a clock that never goes back; default CLOCK_BOOTTIME */
    void *user;
};

struct alk_secret_ed25519 {
    uint8_t secret[32]; /* RFC 8032 seed */
    uint8_t public_key[32];
};

struct alk_secret_secp256k1 {
    uint8_t secret[32];
    uint8_t public_key[33]; /* compressed */
};

struct alk_secret_stats {
    uint64_t hits, misses; /* look-ups in the cache of derived keys */
    unsigned keys;         /* cached now */
};

void alk_secret_options_init(struct alk_secret_options *options);

/* A locked service; options may be NULL. E_ARGUMENT, E_MEMORY, E_CRYPTO. */
int alk_secret_service_new(const struct alk_secret_options *options,
                           struct alk_secret_service **out);

/* Locks all tenants and frees. NULL is allowed. */
void alk_secret_service_free(struct alk_secret_service *service);

/* Unlocks a tenant. passphrase may be NULL. On any error nothing has changed. Unlocking an
 * unlocked tenant again with the same phrase succeeds and changes nothing; with another one it
 * is E_UNLOCKED: lock first. Errors of alk_mnemonic_to_seed(), E_TENANT, E_MEMORY. */
int alk_secret_service_unlock(struct alk_secret_service *service, const char *tenant,
                              const char *mnemonic, const char *passphrase,
                              struct alk_secret_error *error);

/* Wipes and forgets a tenant, or all of them when tenant is NULL. E_LOCKED if none was. */
int alk_secret_service_lock(struct alk_secret_service *service, const char *tenant);

bool alk_secret_service_is_unlocked(struct alk_secret_service *service, const char *tenant);

/* The SLIP-0010 Ed25519 key at a path. E_PATH, E_DEPTH, E_INDEX, E_HARDENED. */
int alk_secret_service_derive_ed25519(struct alk_secret_service *service, const char *tenant,
                                      const char *path, struct alk_secret_ed25519 *key,
                                      struct alk_secret_error *error);

/* The 32-byte key at a path, by SLIP-0010. Errors as above. */
int alk_secret_service_derive_encryption_key(struct alk_secret_service *service, const char *tenant,
                                             const char *path, uint8_t key[32],
                                             struct alk_secret_error *error);

/* The BIP32 secp256k1 key at a path. E_PATH, E_DEPTH, E_INDEX, E_KEY. */
int alk_secret_service_derive_ethereum_key(struct alk_secret_service *service, const char *tenant,
                                           const char *path, struct alk_secret_secp256k1 *key,
                                           struct alk_secret_error *error);

/* The site password of a path; docs/secret.md specifies it. length is 8 to 128 characters, and
 * size more than that. E_ARGUMENT, E_SPACE, and errors as derive_ed25519. */
int alk_secret_service_derive_password(struct alk_secret_service *service, const char *tenant,
                                       const char *path, size_t length, char *out, size_t size,
                                       struct alk_secret_error *error);

/* Encrypts len bytes under the key of a version. *record receives the EncryptedData JSON in one
 * line without a line end, to be freed with free(). E_VERSION, E_TOO_LONG, E_MEMORY. */
int alk_secret_service_encrypt(struct alk_secret_service *service, const char *tenant,
                               const void *text, size_t len, uint32_t key_version, char **record);

/* Opens a record; *text_len receives the length of the text. out_size of record_len always
 * suffices. E_RECORD for whatever is wrong with the record, E_SPACE, E_MEMORY, E_CRYPTO; then out
 * is zero. */
int alk_secret_service_decrypt(struct alk_secret_service *service, const char *tenant,
                               const char *record, size_t record_len, void *out, size_t out_size,
                               size_t *text_len);

/* Opens a record and encrypts its text under another version, as encrypt does. */
int alk_secret_service_rotate(struct alk_secret_service *service, const char *tenant,
                              const char *record, size_t record_len, uint32_t new_version,
                              char **new_record);

/* Wipes the cached keys whose time is over; returns how many. Expired keys are never used,
 * and any derivation of their tenant wipes them; call this from a timer for idle tenants. */
size_t alk_secret_service_sweep(struct alk_secret_service *service);

/* E_LOCKED. */
int alk_secret_service_stats(struct alk_secret_service *service, const char *tenant,
                             struct alk_secret_stats *stats);

#endif
