/* The exchange hash, and the keys that it gives (RFC 4253 sections 7.2 and 8). */
#include "ssh/kex.h"

#include <string.h>

enum { KEY_DERIVED_MAX = ALK_CIPHER_KEY_MAX };

static void hash_string(crypto_hash_sha256_state *state, const void *data, size_t len)
{
    uint8_t head[4];
    struct alk_writer w = alk_writer(head, sizeof(head));

    alk_put_u32(&w, (uint32_t)len);
    crypto_hash_sha256_update(state, head, sizeof(head));
    crypto_hash_sha256_update(state, data, len);
}

static void hash_shared(crypto_hash_sha256_state *state, const struct kex *kex)
{
    uint8_t mpint[4 + 1 + sizeof(kex->shared)];
    struct alk_writer w = alk_writer(mpint, sizeof(mpint));

    alk_put_mpint(&w, kex->shared, sizeof(kex->shared));
    crypto_hash_sha256_update(state, mpint, alk_writer_len(&w));
    sodium_memzero(mpint, sizeof(mpint));
}

void ssh_kex_hash(struct alk_ssh *ssh, const uint8_t *host_blob, const uint8_t *client_key,
                  const uint8_t *server_key)
{
    struct kex *kex = ssh->kex;
    bool server = ssh_is_server(ssh);
    const char *client_version = server ? ssh->peer_version : ssh->my_version;
    const char *server_version = server ? ssh->my_version : ssh->peer_version;
    crypto_hash_sha256_state state;

    crypto_hash_sha256_init(&state);
    hash_string(&state, client_version, strlen(client_version));
    hash_string(&state, server_version, strlen(server_version));
    if (server) {
        hash_string(&state, kex->theirs, kex->theirs_len);
        hash_string(&state, kex->mine, kex->mine_len);
    } else {
        hash_string(&state, kex->mine, kex->mine_len);
        hash_string(&state, kex->theirs, kex->theirs_len);
    }
    hash_string(&state, host_blob, ALK_KEY_BLOB_SIZE);
    hash_string(&state, client_key, sizeof(kex->public));
    hash_string(&state, server_key, sizeof(kex->public));
    hash_shared(&state, kex);
    crypto_hash_sha256_final(&state, kex->hash);
    sodium_memzero(&state, sizeof(state));
    if (!ssh->first_kex_done)
        memcpy(ssh->session_id, kex->hash, HASH_SIZE);
}

/* RFC 4253 section 7.2: key material number `letter`, as long as needed. */
static void derive(const struct alk_ssh *ssh, char letter, uint8_t *out, size_t len)
{
    uint8_t material[2 * HASH_SIZE];
    crypto_hash_sha256_state state;

    crypto_hash_sha256_init(&state);
    hash_shared(&state, ssh->kex);
    crypto_hash_sha256_update(&state, ssh->kex->hash, HASH_SIZE);
    crypto_hash_sha256_update(&state, (const uint8_t *)&letter, 1);
    crypto_hash_sha256_update(&state, ssh->session_id, HASH_SIZE);
    crypto_hash_sha256_final(&state, material);
    crypto_hash_sha256_init(&state);
    hash_shared(&state, ssh->kex);
    crypto_hash_sha256_update(&state, ssh->kex->hash, HASH_SIZE);
    crypto_hash_sha256_update(&state, material, HASH_SIZE);
    crypto_hash_sha256_final(&state, material + HASH_SIZE);
    memcpy(out, material, len);
    sodium_memzero(material, sizeof(material));
    sodium_memzero(&state, sizeof(state));
}

int ssh_kex_use_keys(struct alk_ssh *ssh, bool sending)
{
    struct alk_packets *p = sending ? &ssh->tx : &ssh->rx;
    bool c2s = sending != ssh_is_server(ssh);
    const struct alk_cipher_type *type = c2s ? ssh->kex->c2s : ssh->kex->s2c;
    uint8_t iv[KEY_DERIVED_MAX], key[KEY_DERIVED_MAX], mac[KEY_DERIVED_MAX];

    derive(ssh, c2s ? 'A' : 'B', iv, type->iv);
    derive(ssh, c2s ? 'C' : 'D', key, type->key);
    derive(ssh, c2s ? 'E' : 'F', mac, type->mac_key);
    alk_cipher_clear(&p->cipher);
    int status = alk_cipher_init(&p->cipher, type, key, iv, mac, sending);
    sodium_memzero(iv, sizeof(iv));
    sodium_memzero(key, sizeof(key));
    sodium_memzero(mac, sizeof(mac));
    p->bytes = p->packets = 0;
    randombytes_buf(p->padding, sizeof(p->padding));
    if (ssh->strict)
        p->sequence = 0;
    if (status != ALK_OK)
        return ssh_fail(ssh, 0, status, "the new keys could not be set up");
    return ALK_OK;
}
