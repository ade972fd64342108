/* KEXINIT: what we offer, and what the two sides agree on (RFC 4253 section 7.1). */
#include "ssh/kex.h"
#include "ssh/negotiate.h"

#include <stdlib.h>
#include <string.h>

#define KEX_NAMES      "curve25519-sha256,curve25519-sha256@libssh.org"
#define CIPHERS_AES    "aes256-gcm@openssh.com,chacha20-poly1305@openssh.com,aes256-ctr"
#define CIPHERS_NO_AES "chacha20-poly1305@openssh.com,aes256-gcm@openssh.com,aes256-ctr"
#define MACS           "hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com,hmac-sha2-256"

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
    struct kex *kex = ssh_kex_get(ssh);

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
    struct kex *kex = ssh_kex_get(ssh);
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
