#include "support/script.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <sodium.h>

static const char my_version[] = "SSH-2.0-script";

void script_start(struct script *s, enum alk_ssh_role role, const struct alk_ssh_options *options)
{
    struct alk_ssh_options o = ALK_SSH_OPTIONS_INIT;
    static const char *const lists[SCRIPT_LISTS] = {NULL,
                                                    "ssh-ed25519",
                                                    "chacha20-poly1305@openssh.com",
                                                    "chacha20-poly1305@openssh.com",
                                                    "hmac-sha2-256",
                                                    "hmac-sha2-256",
                                                    "none",
                                                    "none",
                                                    "",
                                                    ""};

    memset(s, 0, sizeof(*s));
    assert_int_equal(alk_crypto_init(), 0);
    assert_int_equal(alk_key_generate(&s->host_key), 0);
    assert_int_equal(alk_key_generate(&s->user_key), 0);
    if (options != NULL)
        o = *options;
    o.role = role;
    o.host_key = s->host_key;
    if (o.ciphers == NULL)
        o.ciphers = "chacha20-poly1305@openssh.com";
    s->role = role;
    s->now = 1000;
    s->strict = true;
    memcpy(s->lists, lists, sizeof(lists));
    s->wire_size = 4096;
    s->wire = malloc(s->wire_size);
    assert_non_null(s->wire);
    assert_int_equal(alk_ssh_new(&s->ssh, &o, s->now), 0);
}

void script_free(struct script *s)
{
    alk_ssh_free(s->ssh);
    alk_key_free(s->host_key);
    alk_key_free(s->user_key);
    alk_cipher_clear(&s->out.other);
    alk_cipher_clear(&s->in.other);
    free(s->wire);
}

/* ---- the engine's caller ---- */

static void log_in(struct script *s)
{
    uint8_t signature[ALK_SIGNATURE_BLOB_SIZE];
    const uint8_t *data;
    size_t len;

    assert_int_equal(alk_ssh_auth_to_sign(s->ssh, "user", alk_key_blob(s->user_key),
                                          ALK_KEY_BLOB_SIZE, &data, &len),
                     0);
    alk_key_sign(s->user_key, data, len, signature);
    assert_int_equal(alk_ssh_auth_signed(s->ssh, signature, sizeof(signature)), 0);
}

static void answer(struct script *s, const struct alk_ssh_event *event)
{
    switch (event->type) {
    case ALK_SSH_HOST_KEY:
        alk_ssh_host_key_accept(s->ssh);
        break;
    case ALK_SSH_AUTH_READY:
        log_in(s);
        break;
    case ALK_SSH_AUTH_REQUEST:
        if (!s->ask)
            alk_ssh_auth_reply(
                s->ssh, memcmp(event->data, alk_key_blob(s->user_key), ALK_KEY_BLOB_SIZE) == 0);
        break;
    case ALK_SSH_CHANNEL_REQUEST:
        if (!s->ask)
            alk_ssh_channel_accept(s->ssh, event->channel);
        break;
    case ALK_SSH_CHANNEL_DATA:
        if (!s->hold)
            alk_ssh_channel_consumed(s->ssh, event->channel, event->len);
        break;
    case ALK_SSH_FORWARD_REQUEST:
        if (!s->ask)
            alk_ssh_forward_reply(s->ssh, true, 4242);
        break;
    default:
        break;
    }
}

static void take_event(struct script *s, const struct alk_ssh_event *event)
{
    s->events[event->type]++;
    s->last = *event;
    if (event->channel != NULL)
        s->channel = event->channel;
    if (event->user != NULL)
        strcpy(s->user, event->user);
    if (event->host != NULL)
        strcpy(s->host, event->host);
    if (event->type == ALK_SSH_CHANNEL_DATA)
        s->received += event->len;
    if (s->on_event == NULL || !s->on_event(s, event))
        answer(s, event);
}

static void collect(struct script *s)
{
    const uint8_t *bytes;
    size_t len = alk_ssh_output(s->ssh, &bytes);

    while (s->wire_size - s->wire_len < len)
        s->wire_size *= 2;
    s->wire = realloc(s->wire, s->wire_size);
    assert_non_null(s->wire);
    if (len > 0)
        memcpy(s->wire + s->wire_len, bytes, len);
    s->wire_len += len;
    alk_ssh_output_done(s->ssh, len);
}

void script_run(struct script *s)
{
    struct alk_ssh_event event;

    while ((s->status = alk_ssh_next(s->ssh, &event)) > 0)
        take_event(s, &event);
    collect(s);
}

/* ---- packets ---- */

static void put_number(uint8_t out[4], uint32_t value)
{
    out[0] = (uint8_t)(value >> 24);
    out[1] = (uint8_t)(value >> 16);
    out[2] = (uint8_t)(value >> 8);
    out[3] = (uint8_t)value;
}

static uint32_t get_number(const uint8_t in[4])
{
    return (uint32_t)in[0] << 24 | (uint32_t)in[1] << 16 | (uint32_t)in[2] << 8 | in[3];
}

static void tag_of(const struct script_direction *d, const uint8_t nonce[8], const uint8_t *packet,
                   size_t len, uint8_t tag[16])
{
    uint8_t key[32];

    crypto_stream_chacha20(key, sizeof(key), nonce, d->key);
    crypto_onetimeauth(tag, packet, len, key);
}

/* How long the padding must be at least, to fill blocks. */
static size_t least_padding(const struct script_direction *d, size_t len)
{
    size_t block = d->other.type != NULL ? d->other.type->block : 8;
    bool apart = d->other.type != NULL ? d->other.type->length_apart : d->keyed;
    size_t part = (apart ? 1 : 5) + len;

    return 4 + (block - (part + 4) % block) % block;
}

size_t script_seal(struct script *s, const void *payload, size_t len, size_t padding, uint8_t *out)
{
    if (padding == 0)
        padding = least_padding(&s->out, len);
    out[4] = (uint8_t)padding;
    memcpy(out + 5, payload, len);
    memset(out + 5 + len, 0, padding);
    return script_seal_body(s, out, 1 + len + padding);
}

size_t script_seal_body(struct script *s, uint8_t *out, size_t len)
{
    uint8_t nonce[8] = {0};
    size_t whole = 4 + len;

    put_number(out, (uint32_t)len);
    put_number(nonce + 4, s->out.sequence++);
    if (!s->out.keyed)
        return whole;
    if (s->out.other.type != NULL) {
        assert_int_equal(
            s->out.other.type->seal(&s->out.other, s->out.sequence - 1, out, whole - 4), 0);
        return whole + s->out.other.type->tag;
    }
    crypto_stream_chacha20_xor(out, out, 4, nonce, s->out.key + 32);
    crypto_stream_chacha20_xor_ic(out + 4, out + 4, whole - 4, nonce, 1, s->out.key);
    tag_of(&s->out, nonce, out, whole, out + whole);
    return whole + 16;
}

/* The same with a cipher of the engine's. Its packets come whole, so the length is asked for once. */
static size_t open_other(struct script *s)
{
    const struct alk_cipher_type *type = s->in.other.type;

    if (s->wire_len < 16)
        return 0;
    uint32_t length = type->length(&s->in.other, s->in.sequence, s->wire);
    size_t whole = 4 + (size_t)length + type->tag;
    assert_true(whole <= s->wire_len);
    assert_int_equal(type->open(&s->in.other, s->in.sequence, s->wire, length), 0);
    s->len = length;
    return whole;
}

/* Opens the next packet of the engine in place: its size, and len is its length field. */
static size_t open_next(struct script *s)
{
    uint8_t nonce[8] = {0}, head[4], tag[16];

    if (s->in.other.type != NULL)
        return open_other(s);
    if (s->wire_len < 8)
        return 0;
    put_number(nonce + 4, s->in.sequence);
    memcpy(head, s->wire, 4);
    if (s->in.keyed)
        crypto_stream_chacha20_xor(head, s->wire, 4, nonce, s->in.key + 32);
    size_t whole = 4 + (size_t)get_number(head) + (s->in.keyed ? 16 : 0);
    if (s->wire_len < whole)
        return 0;
    if (s->in.keyed) {
        tag_of(&s->in, nonce, s->wire, whole - 16, tag);
        assert_memory_equal(tag, s->wire + whole - 16, 16);
        crypto_stream_chacha20_xor_ic(s->wire + 4, s->wire + 4, whole - 20, nonce, 1, s->in.key);
    }
    s->len = get_number(head);
    return whole;
}

/* RFC 4253 section 6: whole blocks, at least four bytes of padding. */
static void check_frame(const struct script *s)
{
    const struct alk_cipher_type *type = s->in.other.type;
    size_t block = type != NULL ? type->block : 8;
    bool apart = type != NULL ? type->length_apart : s->in.keyed;

    assert_int_equal((s->len + (apart ? 0 : 4)) % block, 0);
    assert_in_range(s->wire[4], 4, 255);
    assert_true(s->len >= (apart ? 8 : 12)); /* OpenSSH's formats count without the length */
}

bool script_next(struct script *s)
{
    size_t whole = open_next(s);

    if (whole == 0)
        return false;
    check_frame(s);
    s->in.sequence++;
    s->len -= 1 + (size_t)s->wire[4];
    assert_in_range(s->len, 1, sizeof(s->payload));
    memcpy(s->payload, s->wire + 5, s->len);
    memmove(s->wire, s->wire + whole, s->wire_len - whole);
    s->wire_len -= whole;
    return true;
}

void script_bytes(struct script *s, const void *data, size_t len)
{
    const uint8_t *from = data;

    do {
        size_t n = alk_ssh_input(s->ssh, from, len, s->now);
        from += n;
        len -= n;
        script_run(s);
        if (n == 0)
            break;
    } while (len > 0);
}

void script_send(struct script *s, const void *payload, size_t len)
{
    uint8_t *packet = malloc(len + 128); /* with the longest padding and tag */

    assert_non_null(packet);
    script_bytes(s, packet, script_seal(s, payload, len, 0, packet));
    free(packet);
}

void script_send_writer(struct script *s, const struct alk_writer *w)
{
    assert_false(w->broken);
    script_send(s, w->start, alk_writer_len(w));
}

void script_send_type(struct script *s, uint8_t type)
{
    script_send(s, &type, 1);
}

struct alk_reader script_take(struct script *s, uint8_t type)
{
    while (script_next(s)) {
        if (s->payload[0] == type)
            return alk_reader(s->payload + 1, s->len - 1);
    }
    fail_msg("message %u did not come; the engine says: %s", type, alk_ssh_error(s->ssh)->text);
    return (struct alk_reader){0};
}

bool script_saw(struct script *s, uint8_t type)
{
    bool saw = false;

    while (script_next(s))
        saw |= s->payload[0] == type;
    return saw;
}

uint32_t script_reason(struct script *s)
{
    uint32_t reason = 0;

    while (script_next(s)) {
        if (s->payload[0] == SSH_MSG_DISCONNECT && s->len >= 5)
            reason = get_number(s->payload + 1);
    }
    return reason;
}

void script_ended(struct script *s, int status, uint32_t reason)
{
    if (s->status != status)
        fail_msg("status %d expected, %d came: %s", status, s->status, alk_ssh_error(s->ssh)->text);
    assert_int_equal(script_reason(s), reason);
}

void script_alive(struct script *s)
{
    if (s->status != 0)
        fail_msg("the session ended with %d: %s", s->status, alk_ssh_error(s->ssh)->text);
}

/* ---- key exchange ---- */

static bool engine_is_server(const struct script *s)
{
    return s->role == ALK_SSH_SERVER;
}

void script_ident(struct script *s)
{
    script_run(s);
    uint8_t *end = memchr(s->wire, '\n', s->wire_len);
    assert_non_null(end);
    s->wire_len -= (size_t)(end + 1 - s->wire);
    memmove(s->wire, end + 1, s->wire_len);
    script_bytes(s, my_version, sizeof(my_version) - 1);
    script_bytes(s, "\r\n", 2);
}

static void read_init(struct script *s)
{
    if (s->init_read)
        return;
    script_take(s, SSH_MSG_KEXINIT);
    assert_true(s->len <= sizeof(s->their_init));
    memcpy(s->their_init, s->payload, s->len);
    s->their_init_len = s->len;
    s->init_read = true;
}

static const char *kex_names(const struct script *s)
{
    if (s->lists[0] != NULL)
        return s->lists[0];
    if (!s->strict || s->has_session_id)
        return "curve25519-sha256";
    return engine_is_server(s) ? "curve25519-sha256,kex-strict-c-v00@openssh.com"
                               : "curve25519-sha256,kex-strict-s-v00@openssh.com";
}

void script_kexinit(struct script *s)
{
    struct alk_writer w = alk_writer(s->my_init, sizeof(s->my_init));
    uint8_t cookie[16];

    randombytes_buf(cookie, sizeof(cookie));
    alk_put_u8(&w, SSH_MSG_KEXINIT);
    alk_put_bytes(&w, cookie, sizeof(cookie));
    alk_put_text(&w, kex_names(s));
    for (int i = 1; i < SCRIPT_LISTS; i++)
        alk_put_text(&w, s->lists[i]);
    alk_put_u8(&w, s->guess);
    alk_put_u32(&w, 0);
    s->my_init_len = alk_writer_len(&w);
    script_send_writer(s, &w);
}

static void hash_string(crypto_hash_sha256_state *state, const void *data, size_t len)
{
    uint8_t head[4];

    put_number(head, (uint32_t)len);
    crypto_hash_sha256_update(state, head, sizeof(head));
    crypto_hash_sha256_update(state, data, len);
}

static void hash_shared(crypto_hash_sha256_state *state, const struct script *s)
{
    uint8_t mpint[33] = {0};
    size_t skip = 0;

    memcpy(mpint + 1, s->shared, 32);
    while (skip < 32 && mpint[skip] == 0 && (mpint[skip + 1] & 0x80) == 0)
        skip++;
    hash_string(state, mpint + skip, 33 - skip);
}

static void exchange_hash(struct script *s, const uint8_t *client_key, const uint8_t *server_key)
{
    const char *engine_version = "SSH-2.0-alknet_" ALK_VERSION;
    bool server = engine_is_server(s);
    crypto_hash_sha256_state state;
    const char *c = server ? my_version : engine_version, *v = server ? engine_version : my_version;

    crypto_hash_sha256_init(&state);
    hash_string(&state, c, strlen(c));
    hash_string(&state, v, strlen(v));
    if (server)
        hash_string(&state, s->my_init, s->my_init_len);
    hash_string(&state, s->their_init, s->their_init_len);
    if (!server)
        hash_string(&state, s->my_init, s->my_init_len);
    hash_string(&state, alk_key_blob(s->host_key), ALK_KEY_BLOB_SIZE);
    hash_string(&state, client_key, 32);
    hash_string(&state, server_key, 32);
    hash_shared(&state, s);
    crypto_hash_sha256_final(&state, s->hash);
    if (!s->has_session_id)
        memcpy(s->session_id, s->hash, SCRIPT_HASH);
    s->has_session_id = true;
}

static void derive(const struct script *s, char letter, uint8_t key[64])
{
    crypto_hash_sha256_state state;

    for (int half = 0; half < 2; half++) {
        crypto_hash_sha256_init(&state);
        hash_shared(&state, s);
        crypto_hash_sha256_update(&state, s->hash, SCRIPT_HASH);
        if (half == 0) {
            crypto_hash_sha256_update(&state, (const uint8_t *)&letter, 1);
            crypto_hash_sha256_update(&state, s->session_id, SCRIPT_HASH);
        } else {
            crypto_hash_sha256_update(&state, key, 32);
        }
        crypto_hash_sha256_final(&state, key + half * 32);
    }
}

/* Keys for a cipher of the engine's. letter: C or D, that of the key. */
static void new_other(struct script *s, struct script_direction *d, char letter)
{
    uint8_t iv[64], mac[64];

    const struct alk_cipher_type *type =
        alk_cipher_find(s->lists[letter - 'A'], s->lists[letter - 'A' + 2]);
    assert_non_null(type);
    derive(s, (char)(letter - 2), iv);
    derive(s, (char)(letter + 2), mac);
    assert_int_equal(alk_cipher_init(&d->other, type, d->key, iv, mac, d == &s->out), 0);
}

static void new_keys(struct script *s, struct script_direction *d, char letter)
{
    derive(s, letter, d->key);
    d->keyed = true;
    alk_cipher_clear(&d->other);
    d->other.type = NULL;
    if (strcmp(s->lists[letter - 'A'], "chacha20-poly1305@openssh.com") != 0)
        new_other(s, d, letter);
    if (s->strict)
        d->sequence = 0;
}

static void ecdh_as_client(struct script *s)
{
    uint8_t payload[64];
    struct alk_writer w = alk_writer(payload, sizeof(payload));

    alk_put_u8(&w, SSH_MSG_KEX_ECDH_INIT);
    alk_put_string(&w, s->public, 32);
    script_send_writer(s, &w);
    struct alk_reader r = script_take(s, SSH_MSG_KEX_ECDH_REPLY);
    struct alk_bytes blob = alk_get_string(&r);
    struct alk_bytes key = alk_get_string(&r);
    struct alk_bytes signature = alk_get_string(&r);
    assert_true(alk_reader_done(&r));
    assert_int_equal(blob.len, ALK_KEY_BLOB_SIZE);
    assert_memory_equal(blob.data, alk_key_blob(s->host_key), blob.len);
    assert_int_equal(crypto_scalarmult(s->shared, s->secret, key.data), 0);
    exchange_hash(s, s->public, key.data);
    assert_int_equal(signature.len, ALK_SIGNATURE_BLOB_SIZE);
    assert_int_equal(
        crypto_sign_verify_detached(signature.data + 19, s->hash, SCRIPT_HASH, blob.data + 19), 0);
}

static void ecdh_as_server(struct script *s)
{
    uint8_t payload[512], signature[ALK_SIGNATURE_BLOB_SIZE];
    struct alk_writer w = alk_writer(payload, sizeof(payload));

    struct alk_reader r = script_take(s, SSH_MSG_KEX_ECDH_INIT);
    struct alk_bytes key = alk_get_string(&r);
    assert_int_equal(key.len, 32);
    assert_int_equal(crypto_scalarmult(s->shared, s->secret, key.data), 0);
    exchange_hash(s, key.data, s->public);
    alk_key_sign(s->host_key, s->hash, SCRIPT_HASH, signature);
    signature[40] ^= s->spoil_signature;
    alk_put_u8(&w, SSH_MSG_KEX_ECDH_REPLY);
    alk_put_string(&w, alk_key_blob(s->host_key), ALK_KEY_BLOB_SIZE);
    alk_put_string(&w, s->public, 32);
    alk_put_string(&w, signature, sizeof(signature));
    script_send_writer(s, &w);
}

void script_reply(struct script *s)
{
    read_init(s);
    s->init_read = false;
    randombytes_buf(s->secret, 32);
    crypto_scalarmult_base(s->public, s->secret);
    if (engine_is_server(s))
        ecdh_as_client(s);
    else
        ecdh_as_server(s);
}

void script_ecdh(struct script *s)
{
    script_reply(s);
    if (s->spoil_signature)
        return;
    script_take(s, SSH_MSG_NEWKEYS);
    new_keys(s, &s->in, engine_is_server(s) ? 'D' : 'C');
}

void script_newkeys(struct script *s)
{
    uint8_t message = SSH_MSG_NEWKEYS, packet[128];
    size_t len = script_seal(s, &message, 1, 0, packet);

    new_keys(s, &s->out, engine_is_server(s) ? 'C' : 'D');
    script_bytes(s, packet, len);
}

/* ---- the way to a state ---- */

static void service(struct script *s)
{
    uint8_t payload[32];
    struct alk_writer w = alk_writer(payload, sizeof(payload));

    alk_put_u8(&w, engine_is_server(s) ? SSH_MSG_SERVICE_REQUEST : SSH_MSG_SERVICE_ACCEPT);
    alk_put_text(&w, "ssh-userauth");
    if (!engine_is_server(s))
        script_take(s, SSH_MSG_SERVICE_REQUEST);
    script_send_writer(s, &w);
    if (engine_is_server(s))
        script_take(s, SSH_MSG_SERVICE_ACCEPT);
}

void script_put_login(struct script *s, struct alk_writer *w, const char *user,
                      const struct alk_key *key)
{
    uint8_t text[1024], signature[ALK_SIGNATURE_BLOB_SIZE];
    struct alk_writer t = alk_writer(text, sizeof(text));

    alk_put_string(&t, s->session_id, SCRIPT_HASH);
    alk_put_u8(&t, SSH_MSG_USERAUTH_REQUEST);
    alk_put_text(&t, user);
    alk_put_text(&t, "ssh-connection");
    alk_put_text(&t, "publickey");
    alk_put_u8(&t, 1);
    alk_put_text(&t, "ssh-ed25519");
    alk_put_string(&t, alk_key_blob(key), ALK_KEY_BLOB_SIZE);
    alk_key_sign(key, text, alk_writer_len(&t), signature);
    alk_put_bytes(w, text + 4 + SCRIPT_HASH, alk_writer_len(&t) - 4 - SCRIPT_HASH);
    alk_put_string(w, signature, sizeof(signature));
}

static void login(struct script *s)
{
    uint8_t payload[1024];
    struct alk_writer w = alk_writer(payload, sizeof(payload));

    if (!engine_is_server(s)) {
        script_take(s, SSH_MSG_USERAUTH_REQUEST);
        script_send_type(s, SSH_MSG_USERAUTH_SUCCESS);
        return;
    }
    script_put_login(s, &w, "user", s->user_key);
    script_send_writer(s, &w);
    script_take(s, SSH_MSG_USERAUTH_SUCCESS);
}

static void rekey(struct script *s)
{
    alk_ssh_rekey(s->ssh);
    script_run(s);
    read_init(s);
}

void script_to(struct script *s, enum script_at at)
{
    static void (*const steps[])(struct script *) = {
        [AT_INIT] = script_ident,
        [AT_DH] = script_kexinit,
        [AT_NEWKEYS] = script_ecdh,
        [AT_SERVICE] = script_newkeys,
        [AT_AUTH] = service,
        [AT_OPEN] = login,
        [AT_REKEY_INIT] = rekey,
        [AT_REKEY_DH] = script_kexinit,
        [AT_REKEY_NEWKEYS] = script_ecdh,
    };

    while (s->at < at) {
        s->at++;
        steps[s->at](s);
        script_alive(s);
    }
}

void script_begin(struct script *s, enum alk_ssh_role role, enum script_at at)
{
    script_start(s, role, NULL);
    script_to(s, at);
}

uint32_t script_open_channel(struct script *s, uint32_t my_id, uint32_t window, uint32_t packet)
{
    uint8_t payload[256];
    struct alk_writer w = alk_writer(payload, sizeof(payload));

    alk_put_u8(&w, SSH_MSG_CHANNEL_OPEN);
    alk_put_text(&w, engine_is_server(s) ? "direct-tcpip" : "forwarded-tcpip");
    alk_put_u32(&w, my_id);
    alk_put_u32(&w, window);
    alk_put_u32(&w, packet);
    alk_put_text(&w, "host.test");
    alk_put_u32(&w, 80);
    alk_put_text(&w, "10.0.0.1");
    alk_put_u32(&w, 1234);
    script_send_writer(s, &w);
    struct alk_reader r = script_take(s, SSH_MSG_CHANNEL_OPEN_CONFIRMATION);
    assert_int_equal(alk_get_u32(&r), my_id);
    return alk_get_u32(&r);
}
