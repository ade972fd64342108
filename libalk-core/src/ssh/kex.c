/*
 * Key exchange: curve25519-sha256 (RFC 8731), the first time and again with data
 * flowing, and OpenSSH's strict variant (PROTOCOL section 1.10).
 *
 *   KEX_IDLE --KEXINIT--> KEX_WAIT_DH --ECDH_*--> [KEX_WAIT_CALLER] --> KEX_WAIT_NEWKEYS
 *
 * KEX_WAIT_INIT is KEX_IDLE before the first exchange, when nothing else is legal yet.
 * KEX_WAIT_CALLER is the client's wait for a verdict on the host key.
 */
#include "ssh/kex.h"

#include <stdlib.h>
#include <string.h>

void ssh_kex_free(struct alk_ssh *ssh)
{
    if (ssh->kex == NULL)
        return;
    free(ssh->kex->theirs);
    sodium_memzero(ssh->kex, sizeof(*ssh->kex));
    free(ssh->kex);
    ssh->kex = NULL;
}

struct kex *ssh_kex_get(struct alk_ssh *ssh)
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
    int status = ssh_kex_use_keys(ssh, true);
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
    ssh_kex_hash(ssh, blob, client_key.data, kex->public);
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
    ssh_kex_hash(ssh, blob.data, ssh->kex->public, server_key.data);
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
    if ((status = ssh_kex_use_keys(ssh, false)) != ALK_OK)
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
