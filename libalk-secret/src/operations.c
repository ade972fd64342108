/* What an unlocked tenant of the service does: derive, encrypt, decrypt, rotate. */
#include "service.h"

#include "error.h"
#include "password.h"
#include "record.h"

#include <sodium.h>
#include <string.h>

/* The key at a path given as text; the tenant is entered. */
static int derive(struct alk_secret_service *service, struct alk_vault *vault,
                  enum alk_node_kind kind, const char *text, struct alk_node *node,
                  struct alk_secret_error *error)
{
    struct alk_secret_path path;
    int r = alk_secret_path_parse(text, &path, error);

    if (r != 0)
        return r;
    r = alk_vault_derive(vault, kind, &path, alk_secret_service_now(service), node);
    return r != 0 ? alk_secret_fail(error, r, NULL) : 0;
}

int alk_secret_service_derive_ed25519(struct alk_secret_service *service, const char *tenant,
                                      const char *path, struct alk_secret_ed25519 *key,
                                      struct alk_secret_error *error)
{
    struct alk_node node = {0};
    struct alk_vault *vault;
    int r = alk_secret_service_enter(service, tenant, &vault);

    if (r != 0)
        return alk_secret_fail(error, r, NULL);
    r = derive(service, vault, ALK_NODE_ED25519, path, &node, error);
    if (r == 0) {
        memcpy(key->secret, node.secret, sizeof key->secret);
        memcpy(key->public_key, node.public_key, sizeof key->public_key);
    }
    sodium_memzero(&node, sizeof node);
    alk_secret_service_leave(service);
    return r;
}

int alk_secret_service_derive_encryption_key(struct alk_secret_service *service, const char *tenant,
                                             const char *path, uint8_t key[32],
                                             struct alk_secret_error *error)
{
    struct alk_node node = {0};
    struct alk_vault *vault;
    int r = alk_secret_service_enter(service, tenant, &vault);

    if (r != 0)
        return alk_secret_fail(error, r, NULL);
    r = derive(service, vault, ALK_NODE_ED25519, path, &node, error);
    if (r == 0)
        memcpy(key, node.secret, sizeof node.secret);
    sodium_memzero(&node, sizeof node);
    alk_secret_service_leave(service);
    return r;
}

int alk_secret_service_derive_ethereum_key(struct alk_secret_service *service, const char *tenant,
                                           const char *path, struct alk_secret_secp256k1 *key,
                                           struct alk_secret_error *error)
{
    struct alk_node node = {0};
    struct alk_vault *vault;
    int r = alk_secret_service_enter(service, tenant, &vault);

    if (r != 0)
        return alk_secret_fail(error, r, NULL);
    r = derive(service, vault, ALK_NODE_SECP256K1, path, &node, error);
    if (r == 0) {
        memcpy(key->secret, node.secret, sizeof key->secret);
        memcpy(key->public_key, node.public_key, sizeof key->public_key);
    }
    sodium_memzero(&node, sizeof node);
    alk_secret_service_leave(service);
    return r;
}

int alk_secret_service_derive_password(struct alk_secret_service *service, const char *tenant,
                                       const char *path, size_t length, char *out, size_t size,
                                       struct alk_secret_error *error)
{
    struct alk_node node = {0};
    struct alk_vault *vault;
    int r = alk_secret_service_enter(service, tenant, &vault);

    if (r != 0)
        return alk_secret_fail(error, r, NULL);
    if (length < ALK_SECRET_PASSWORD_MIN || length > ALK_SECRET_PASSWORD_MAX)
        r = alk_secret_fail(error, ALK_SECRET_E_ARGUMENT, "a password has %d to %d characters",
                            ALK_SECRET_PASSWORD_MIN, ALK_SECRET_PASSWORD_MAX);
    else if (size <= length)
        r = alk_secret_fail(error, ALK_SECRET_E_SPACE, NULL);
    else
        r = derive(service, vault, ALK_NODE_ED25519, path, &node, error);
    if (r == 0 && (r = alk_secret_password_make(node.secret, length, out)) != 0)
        alk_secret_fail(error, r, NULL);
    sodium_memzero(&node, sizeof node);
    alk_secret_service_leave(service);
    return r;
}

/* The key of a version. */
static int version_key(struct alk_secret_service *service, struct alk_vault *vault,
                       uint32_t version, struct alk_node *node)
{
    struct alk_secret_path path;
    int r = alk_secret_path_encryption(version, &path);

    if (r != 0)
        return r;
    return alk_vault_derive(vault, ALK_NODE_ED25519, &path, alk_secret_service_now(service), node);
}

static int seal(struct alk_secret_service *service, struct alk_vault *vault, uint32_t version,
                const void *text, size_t len, char **json)
{
    uint8_t salt[ALK_RECORD_SALT], iv[ALK_GCM_IV_SIZE];
    struct alk_node node = {0};
    int r = version_key(service, vault, version, &node);

    if (r == 0) {
        randombytes_buf(salt, sizeof salt);
        randombytes_buf(iv, sizeof iv);
        r = alk_secret_record_seal(node.secret, version, salt, iv, text, len, json);
    }
    sodium_memzero(&node, sizeof node);
    return r;
}

static int open_parsed(struct alk_secret_service *service, struct alk_vault *vault,
                       const struct alk_record *record, uint8_t *out)
{
    struct alk_node node = {0};
    int r = version_key(service, vault, record->version, &node);

    if (r == 0)
        r = alk_secret_record_open(node.secret, record, out);
    sodium_memzero(&node, sizeof node);
    return r;
}

int alk_secret_service_encrypt(struct alk_secret_service *service, const char *tenant,
                               const void *text, size_t len, uint32_t key_version, char **record)
{
    struct alk_vault *vault;
    int r = alk_secret_service_enter(service, tenant, &vault);

    if (r != 0)
        return r;
    r = seal(service, vault, key_version, text, len, record);
    alk_secret_service_leave(service);
    return r;
}

int alk_secret_service_decrypt(struct alk_secret_service *service, const char *tenant,
                               const char *record, size_t record_len, void *out, size_t out_size,
                               size_t *text_len)
{
    struct alk_record parsed = {0};
    struct alk_vault *vault;
    int r = alk_secret_service_enter(service, tenant, &vault);

    if (r != 0)
        return r;
    r = alk_secret_record_parse(record, record_len, &parsed);
    if (r == 0 && parsed.len - ALK_GCM_TAG_SIZE > out_size)
        r = ALK_SECRET_E_SPACE;
    if (r == 0)
        r = open_parsed(service, vault, &parsed, out);
    if (r == 0)
        *text_len = parsed.len - ALK_GCM_TAG_SIZE;
    else
        memset(out, 0, out_size);
    alk_secret_record_clear(&parsed);
    alk_secret_service_leave(service);
    return r;
}

int alk_secret_service_rotate(struct alk_secret_service *service, const char *tenant,
                              const char *record, size_t record_len, uint32_t new_version,
                              char **new_record)
{
    struct alk_record parsed = {0};
    struct alk_vault *vault;
    uint8_t *text = NULL;
    int r = alk_secret_service_enter(service, tenant, &vault);

    if (r != 0)
        return r;
    if ((r = alk_secret_record_parse(record, record_len, &parsed)) != 0)
        goto out;
    if ((text = sodium_malloc(parsed.len)) == NULL) {
        r = ALK_SECRET_E_MEMORY;
        goto out;
    }
    r = open_parsed(service, vault, &parsed, text);
    if (r == 0)
        r = seal(service, vault, new_version, text, parsed.len - ALK_GCM_TAG_SIZE, new_record);
out:
    sodium_free(text);
    alk_secret_record_clear(&parsed);
    alk_secret_service_leave(service);
    return r;
}

int alk_secret_service_stats(struct alk_secret_service *service, const char *tenant,
                             struct alk_secret_stats *stats)
{
    struct alk_vault *vault;
    int r = alk_secret_service_enter(service, tenant, &vault);

    if (r != 0)
        return r;
    pthread_mutex_lock(&vault->cache_lock);
    stats->hits = vault->hits;
    stats->misses = vault->misses;
    stats->keys = vault->used;
    pthread_mutex_unlock(&vault->cache_lock);
    alk_secret_service_leave(service);
    return 0;
}
