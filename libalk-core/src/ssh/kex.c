/*
 * Key exchange: curve25519-sha256 (RFC 8731), the first time and again with data
 * flowing, and OpenSSH's strict variant (PROTOCOL section 1.10).
 *
 *   KEX_IDLE --KEXINIT--> KEX_WAIT_DH --ECDH_*--> [KEX_WAIT_CALLER] --> KEX_WAIT_NEWKEYS
 *
 * KEX_WAIT_INIT is KEX_IDLE before the first exchange, when nothing else is legal yet.
 * KEX_WAIT_CALLER is the client's wait for a verdict on the host key.
 */
#include "ssh/engine.h"
#include "ssh/negotiate.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { INIT_MAX = 1024, KEY_DERIVED_MAX = ALK_CIPHER_KEY_MAX };

#define KEX_NAMES      "curve25519-sha256,curve25519-sha256@libssh.org"
#define CIPHERS_AES    "aes256-gcm@openssh.com,chacha20-poly1305@openssh.com,aes256-ctr"
#define CIPHERS_NO_AES "chacha20-poly1305@openssh.com,aes256-gcm@openssh.com,aes256-ctr"
#define MACS           "hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com,hmac-sha2-256"

struct kex {
    bool sent_init, skip_guess, keys_ready, early_message;
    uint8_t mine[INIT_MAX]; /* our KEXINIT payload */
    size_t mine_len;
    uint8_t *theirs; /* the peer's */
    size_t theirs_len;
    const struct alk_cipher_type *c2s, *s2c;
    uint8_t secret[crypto_scalarmult_SCALARBYTES]; /* our ephemeral key */
    uint8_t public[crypto_scalarmult_BYTES];
    uint8_t shared[crypto_scalarmult_BYTES];
    uint8_t hash[HASH_SIZE];
    uint64_t asked; /* when we sent what the peer's NEWKEYS answers */
};

void ssh_kex_free(struct alk_ssh *ssh)
{
    if (ssh->kex == NULL)
        return;
    free(ssh->kex->theirs);
    sodium_memzero(ssh->kex, sizeof(*ssh->kex));
    free(ssh->kex);
    ssh->kex = NULL;
}

static struct kex *kex_get(struct alk_ssh *ssh)
{
    if (ssh->kex == NULL) {
        ssh->kex = calloc(1, sizeof(*ssh->kex));
        if (ssh->kex == NULL)
            ssh_fail(ssh, 0, ALK_E_NOMEM, "out of memory");
        ssh->kex_begun = ssh->now;
        ssh->kex_begun_bytes = ssh->rx.bytes;
    }
    return ssh->kex;
}

bool ssh_kex_due(const struct alk_ssh *ssh)
{
    const struct alk_ssh_options *o = &ssh->options;

    if (ssh->phase != PHASE_OPEN || ssh->kex != NULL)
        return false;
    uint64_t limit = o->rekey_bytes != 0 && o->rekey_bytes < ssh->tx.cipher.type->rekey_bytes
                         ? o->rekey_bytes
                         : ssh->tx.cipher.type->rekey_bytes;
    return ssh->tx.bytes >= limit || ssh->rx.bytes >= limit ||
           ssh->tx.packets >= o->rekey_packets || ssh->rx.packets >= o->rekey_packets ||
           ssh_elapsed(ssh, ssh->kex_done, o->rekey_ms);
}

int ssh_kex_check(struct alk_ssh *ssh)
{
    if (ssh->phase != PHASE_OPEN || ssh->kex == NULL)
        return ALK_OK;
    if (ssh->rx.bytes - ssh->kex_begun_bytes > REKEY_BYTES_MAX)
        return ssh_fail(ssh, ALK_SSH_BY_PROTOCOL_ERROR, ALK_E_LIMIT,
                        "the peer sends on and on without finishing the key exchange");
    if (ssh_elapsed(ssh, ssh->kex_begun, REKEY_MS_MAX))
        return ssh_fail(ssh, ALK_SSH_BY_KEX_FAILED, ALK_E_TIMEOUT,
                        "the peer has not finished the key exchange within %u s",
                        REKEY_MS_MAX / 1000);
    return ALK_OK;
}

/* ---- KEXINIT ---- */

static const char *cipher_list(const struct alk_ssh *ssh)
{
    if (ssh->options.ciphers != NULL)
        return ssh->options.ciphers;
    return alk_cipher_prefers_aes() ? CIPHERS_AES : CIPHERS_NO_AES;
}

static const char *kex_list(const struct alk_ssh *ssh)
{
    /* the markers count in the first exchange only */
    if (ssh->first_kex_done)
        return KEX_NAMES;
    return ssh_is_server(ssh) ? KEX_NAMES ",kex-strict-s-v00@openssh.com"
                              : KEX_NAMES ",ext-info-c,kex-strict-c-v00@openssh.com";
}

static void write_kexinit(const struct alk_ssh *ssh, struct alk_writer *w)
{
    const char *ciphers = cipher_list(ssh);
    const char *macs = ssh->options.macs != NULL ? ssh->options.macs : MACS;
    uint8_t cookie[16];

    randombytes_buf(cookie, sizeof(cookie));
    alk_put_u8(w, SSH_MSG_KEXINIT);
    alk_put_bytes(w, cookie, sizeof(cookie));
    alk_put_text(w, kex_list(ssh));
    alk_put_text(w, "ssh-ed25519");
    alk_put_text(w, ciphers);
    alk_put_text(w, ciphers);
    alk_put_text(w, macs);
    alk_put_text(w, macs);
    alk_put_text(w, "none");
    alk_put_text(w, "none");
    alk_put_text(w, "");
    alk_put_text(w, "");
    alk_put_u8(w, 0);
    alk_put_u32(w, 0);
}

int ssh_kex_start(struct alk_ssh *ssh)
{
    struct kex *kex = kex_get(ssh);

    if (kex == NULL)
        return ssh->error.code;
    if (kex->sent_init)
        return ALK_OK;
    struct alk_writer w = alk_writer(kex->mine, sizeof(kex->mine));
    write_kexinit(ssh, &w);
    kex->mine_len = alk_writer_len(&w);
    kex->sent_init = true;
    ssh_send_writer(ssh, &w);
    ssh->kex_sending = true;
    return ssh->phase == PHASE_OVER ? ssh->error.code : ALK_OK;
}

static const struct alk_cipher_type *choose_cipher(const struct kexinit *client,
                                                   const struct kexinit *server, int cipher_list_at,
                                                   int mac_list_at)
{
    char cipher[ALK_NAME_MAX + 1], mac[ALK_NAME_MAX + 1], none[ALK_NAME_MAX + 1];

    if (!alk_negotiate(client->list[cipher_list_at], server->list[cipher_list_at], cipher) ||
        !alk_negotiate(client->list[cipher_list_at + LIST_COMPRESS_C2S - LIST_CIPHER_C2S],
                       server->list[cipher_list_at + LIST_COMPRESS_C2S - LIST_CIPHER_C2S], none))
        return NULL;
    bool has_mac = alk_negotiate(client->list[mac_list_at], server->list[mac_list_at], mac);
    return alk_cipher_find(cipher, has_mac ? mac : NULL);
}

static int negotiate(struct alk_ssh *ssh, struct kex *kex, const struct kexinit *client,
                     const struct kexinit *server)
{
    char name[ALK_NAME_MAX + 1];
    const char *missing = NULL;

    /* the markers for extensions are names in the list, but no methods (RFC 8308 section 2.2) */
    const struct alk_bytes methods = {.data = (const uint8_t *)KEX_NAMES, .len = strlen(KEX_NAMES)};
    if (!alk_negotiate(client->list[LIST_KEX], server->list[LIST_KEX], name) ||
        !alk_list_has(methods, name))
        missing = "key exchange method (alknet speaks curve25519-sha256)";
    else if (!alk_negotiate(client->list[LIST_HOST_KEY], server->list[LIST_HOST_KEY], name))
        missing = "host key type (alknet speaks ssh-ed25519)";
    kex->c2s = choose_cipher(client, server, LIST_CIPHER_C2S, LIST_MAC_C2S);
    kex->s2c = choose_cipher(client, server, LIST_CIPHER_S2C, LIST_MAC_S2C);
    if (missing == NULL && (kex->c2s == NULL || kex->s2c == NULL))
        missing = "cipher or MAC (alknet speaks aes256-gcm, chacha20-poly1305 and aes256-ctr)";
    if (missing != NULL)
        return ssh_fail(ssh, ALK_SSH_BY_KEX_FAILED, ALK_E_UNSUPPORTED, "the peers share no %s",
                        missing);
    kex->skip_guess = false;
    return ALK_OK;
}

/* The first exchange settles for good whether it is strict and what the peer announces. */
static int settle_first(struct alk_ssh *ssh, struct kex *kex, const struct kexinit *theirs)
{
    bool server = ssh_is_server(ssh);

    ssh->strict = alk_list_has(theirs->list[LIST_KEX], server ? "kex-strict-c-v00@openssh.com"
                                                              : "kex-strict-s-v00@openssh.com");
    ssh->peer_ext_info = server && alk_list_has(theirs->list[LIST_KEX], "ext-info-c");
    if (ssh->strict && kex->early_message)
        return ssh_fail(ssh, ALK_SSH_BY_PROTOCOL_ERROR, ALK_E_PROTO,
                        "a message came before the key exchange");
    return ALK_OK;
}

static int keep_payload(struct alk_ssh *ssh, struct kex *kex)
{
    kex->theirs = malloc(ssh->payload_len);
    if (kex->theirs == NULL)
        return ssh_fail(ssh, 0, ALK_E_NOMEM, "out of memory");
    memcpy(kex->theirs, ssh->payload, ssh->payload_len);
    kex->theirs_len = ssh->payload_len;
    return ALK_OK;
}

static int send_ecdh_init(struct alk_ssh *ssh, struct kex *kex)
{
    uint8_t payload[64];
    struct alk_writer w = alk_writer(payload, sizeof(payload));

    alk_put_u8(&w, SSH_MSG_KEX_ECDH_INIT);
    alk_put_string(&w, kex->public, sizeof(kex->public));
    ssh_send_writer(ssh, &w);
    return ALK_OK;
}

int ssh_on_kexinit(struct alk_ssh *ssh, struct alk_reader *r)
{
    struct kexinit theirs, mine;
    struct kex *kex = kex_get(ssh);
    int status;

    if (kex == NULL)
        return ssh->error.code;
    alk_kexinit_parse(r, &theirs);
    if (!alk_reader_done(r))
        return ssh_fail(ssh, ALK_SSH_BY_PROTOCOL_ERROR, ALK_E_PROTO, "a malformed KEXINIT");
    if (!ssh->first_kex_done && (status = settle_first(ssh, kex, &theirs)) != ALK_OK)
        return status;
    if ((status = keep_payload(ssh, kex)) != ALK_OK || (status = ssh_kex_start(ssh)) != ALK_OK)
        return status;

    struct alk_reader own = alk_reader(kex->mine + 1, kex->mine_len - 1);
    alk_kexinit_parse(&own, &mine);
    status = ssh_is_server(ssh) ? negotiate(ssh, kex, &theirs, &mine)
                                : negotiate(ssh, kex, &mine, &theirs);
    if (status != ALK_OK)
        return status;
    kex->skip_guess = theirs.guess_follows &&
                      !(alk_list_same_first(theirs.list[LIST_KEX], mine.list[LIST_KEX]) &&
                        alk_list_same_first(theirs.list[LIST_HOST_KEY], mine.list[LIST_HOST_KEY]));
    randombytes_buf(kex->secret, sizeof(kex->secret));
    crypto_scalarmult_base(kex->public, kex->secret);
    ssh->kex_wait = KEX_WAIT_DH;
    kex->asked = ssh->now;
    return ssh_is_server(ssh) ? ALK_OK : send_ecdh_init(ssh, kex);
}

/* ---- what is legal while an exchange runs ---- */

static bool is_awaited(enum kex_wait wait, uint8_t type)
{
    switch (wait) {
    case KEX_IDLE:
        /* answers without a question */
        return type != SSH_MSG_NEWKEYS && type != SSH_MSG_KEX_ECDH_INIT &&
               type != SSH_MSG_KEX_ECDH_REPLY;
    case KEX_WAIT_INIT:
        return type == SSH_MSG_KEXINIT;
    case KEX_WAIT_DH:
        return type == SSH_MSG_KEX_ECDH_INIT || type == SSH_MSG_KEX_ECDH_REPLY;
    case KEX_WAIT_NEWKEYS:
        return type == SSH_MSG_NEWKEYS;
    case KEX_WAIT_CALLER:
        break;
    }
    return false;
}

/* RFC 4253 section 7.1 forbids the sender to put these behind its KEXINIT, but paramiko's replies
 * and asyncssh's data come there when keys are exchanged anew. The old keys protect them. */
static bool is_tolerated(const struct alk_ssh *ssh, uint8_t type)
{
    bool is_connection = (type >= SSH_MSG_GLOBAL_REQUEST && type <= SSH_MSG_REQUEST_FAILURE) ||
                         (type >= SSH_MSG_CHANNEL_OPEN && type <= SSH_MSG_CHANNEL_FAILURE);

    return ssh->first_kex_done && ssh->phase == PHASE_OPEN && is_connection;
}

int ssh_kex_filter(struct alk_ssh *ssh, uint8_t type, bool *skip)
{
    struct kex *kex = ssh->kex;

    /* a guess that both sides could see to be wrong is dropped, whatever it is */
    if (ssh->kex_wait == KEX_WAIT_DH && kex->skip_guess && type >= SSH_MSG_KEX_ECDH_INIT &&
        type < SSH_MSG_USERAUTH_REQUEST) {
        kex->skip_guess = false;
        *skip = true;
        return ALK_OK;
    }
    if (is_awaited(ssh->kex_wait, type) || type == SSH_MSG_DISCONNECT || is_tolerated(ssh, type))
        return ALK_OK;
    bool harmless = type >= SSH_MSG_IGNORE && type <= SSH_MSG_DEBUG;
    if (harmless && ssh->kex_wait == KEX_WAIT_INIT)
        kex->early_message = true;
    /* whether the first exchange is strict is known from KEXINIT on */
    if (harmless && (ssh->first_kex_done || !ssh->strict))
        return ALK_OK;
    return ssh_fail(ssh, ALK_SSH_BY_PROTOCOL_ERROR, ALK_E_PROTO,
                    "message %u is not allowed at this point of the key exchange", type);
}

/* ---- hash and keys ---- */

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

/* The exchange hash H (RFC 5656 section 4 as RFC 8731 uses it). */
static void exchange_hash(struct alk_ssh *ssh, const uint8_t *host_blob, const uint8_t *client_key,
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

static int use_new_keys(struct alk_ssh *ssh, bool sending)
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

/* ---- the exchange itself ---- */

static int send_ext_info(struct alk_ssh *ssh)
{
    uint8_t payload[256];
    struct alk_writer w = alk_writer(payload, sizeof(payload));

    alk_put_u8(&w, SSH_MSG_EXT_INFO);
    alk_put_u32(&w, 2);
    alk_put_text(&w, "server-sig-algs");
    alk_put_text(&w, ALK_USER_KEY_ALGORITHMS);
    alk_put_text(&w, "ping@openssh.com");
    alk_put_text(&w, "0");
    ssh_send_writer(ssh, &w);
    return ALK_OK;
}

/* Nothing that a peer may tell so matters here; but it has to be well-formed (RFC 8308 section 2.3). */
int ssh_on_ext_info(struct alk_ssh *ssh, struct alk_reader *r)
{
    (void)ssh;
    for (uint32_t count = alk_get_u32(r); count > 0 && alk_reader_ok(r); count--) {
        alk_get_string(r); /* name */
        alk_get_string(r); /* value */
    }
    return ALK_OK;
}

static int send_newkeys(struct alk_ssh *ssh)
{
    uint8_t message = SSH_MSG_NEWKEYS;

    if (ssh_is_server(ssh)) /* a client's NEWKEYS answers ours; a server's came with ECDH_REPLY */
        ssh->kex->asked = ssh->now;
    ssh_send(ssh, &message, 1);
    int status = use_new_keys(ssh, true);
    if (status != ALK_OK)
        return status;
    ssh->kex->keys_ready = true;
    ssh->kex_wait = KEX_WAIT_NEWKEYS;
    ssh->kex_sending = false;
    if (!ssh->first_kex_done && ssh->peer_ext_info)
        send_ext_info(ssh);
    ssh_release_held(ssh);
    return ssh->phase == PHASE_OVER ? ssh->error.code : ALK_OK;
}

static int agree(struct alk_ssh *ssh, struct alk_bytes peer_key)
{
    struct kex *kex = ssh->kex;

    /* crypto_scalarmult refuses the points that would make the secret all zero */
    if (peer_key.len != sizeof(kex->public) ||
        crypto_scalarmult(kex->shared, kex->secret, peer_key.data) != 0)
        return ssh_fail(ssh, ALK_SSH_BY_KEX_FAILED, ALK_E_PROTO, "an illegal key exchange value");
    return ALK_OK;
}

int ssh_on_ecdh_init(struct alk_ssh *ssh, struct alk_reader *r)
{
    struct kex *kex = ssh->kex;
    const uint8_t *blob = alk_key_blob(ssh->options.host_key);
    struct alk_bytes client_key = alk_get_string(r);
    uint8_t signature[ALK_SIGNATURE_BLOB_SIZE], payload[512];

    if (!alk_reader_done(r))
        return ssh_fail(ssh, ALK_SSH_BY_PROTOCOL_ERROR, ALK_E_PROTO, "a malformed ECDH_INIT");
    int status = agree(ssh, client_key);
    if (status != ALK_OK)
        return status;
    exchange_hash(ssh, blob, client_key.data, kex->public);
    alk_key_sign(ssh->options.host_key, kex->hash, HASH_SIZE, signature);

    struct alk_writer w = alk_writer(payload, sizeof(payload));
    alk_put_u8(&w, SSH_MSG_KEX_ECDH_REPLY);
    alk_put_string(&w, blob, ALK_KEY_BLOB_SIZE);
    alk_put_string(&w, kex->public, sizeof(kex->public));
    alk_put_string(&w, signature, sizeof(signature));
    ssh_send_writer(ssh, &w);
    return send_newkeys(ssh);
}

int ssh_on_ecdh_reply(struct alk_ssh *ssh, struct alk_reader *r)
{
    struct alk_bytes blob = alk_get_string(r);
    struct alk_bytes server_key = alk_get_string(r);
    struct alk_bytes signature = alk_get_string(r);

    if (!alk_reader_done(r) || blob.len != ALK_KEY_BLOB_SIZE)
        return ssh_fail(ssh, ALK_SSH_BY_PROTOCOL_ERROR, ALK_E_PROTO, "a malformed ECDH_REPLY");
    int status = agree(ssh, server_key);
    if (status != ALK_OK)
        return status;
    exchange_hash(ssh, blob.data, ssh->kex->public, server_key.data);
    if (alk_key_verify(blob.data, blob.len, ssh->kex->hash, HASH_SIZE, signature.data,
                       signature.len) != ALK_OK)
        return ssh_fail(ssh, ALK_SSH_BY_KEX_FAILED, ALK_E_CRYPTO,
                        "the server's host key signature is wrong");
    if (ssh->first_kex_done) {
        if (memcmp(blob.data, ssh->host_blob, ALK_KEY_BLOB_SIZE) != 0)
            return ssh_fail(ssh, ALK_SSH_BY_HOST_KEY, ALK_E_HOSTKEY,
                            "the server changed its host key within the session");
        return send_newkeys(ssh);
    }
    memcpy(ssh->host_blob, blob.data, ALK_KEY_BLOB_SIZE);
    struct alk_ssh_event *event = ssh_emit(ssh, ALK_SSH_HOST_KEY);
    event->data = ssh->host_blob;
    event->len = ALK_KEY_BLOB_SIZE;
    ssh->kex_wait = KEX_WAIT_CALLER;
    ssh->awaiting = ANSWER_HOST_KEY;
    return ALK_OK;
}

void alk_ssh_host_key_accept(struct alk_ssh *ssh)
{
    if (ssh->awaiting != ANSWER_HOST_KEY || ssh->phase == PHASE_OVER)
        return;
    ssh->awaiting = ANSWER_NONE;
    send_newkeys(ssh);
}

int ssh_on_newkeys(struct alk_ssh *ssh, struct alk_reader *r)
{
    int status;

    if (!alk_reader_done(r))
        return ssh_fail(ssh, ALK_SSH_BY_PROTOCOL_ERROR, ALK_E_PROTO, "a malformed NEWKEYS");
    if ((status = use_new_keys(ssh, false)) != ALK_OK)
        return status;
    ssh_round_trip(ssh, ssh->now - ssh->kex->asked);
    ssh_kex_free(ssh);
    ssh->kex_wait = KEX_IDLE;
    ssh->kex_done = ssh->now;
    if (ssh->first_kex_done)
        return ALK_OK;
    ssh->first_kex_done = true;
    ssh->phase = PHASE_SERVICE;
    if (!ssh_is_server(ssh))
        ssh_auth_client_start(ssh);
    return ALK_OK;
}
