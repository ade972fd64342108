#include "ssh/engine.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    INPUT_MAX = ALK_PACKET_MAX + ALK_PACKET_OVERHEAD,
    READ_FIRST = 4 * 1024,
    READ_MOST = 256 * 1024,
    IDLE_TRIM_MS = 2000, /* buffers of a session that is quiet this long are given back */
};

static void use_defaults(struct alk_ssh_options *o)
{
    if (o->max_channels == 0)
        o->max_channels = 1024;
    if (o->max_auth_attempts == 0)
        o->max_auth_attempts = 10;
    if (o->grace_ms == 0)
        o->grace_ms = 30000;
    if (o->keepalive_ms == 0)
        o->keepalive_ms = 30000;
    if (o->keepalive_misses == 0)
        o->keepalive_misses = 3;
    if (o->rekey_packets == 0 || o->rekey_packets > 1ULL << 31)
        o->rekey_packets = 1ULL << 31;
    if (o->rekey_ms == 0)
        o->rekey_ms = 3600 * 1000;
    if (o->window_max == 0)
        o->window_max = 64U * 1024 * 1024;
    if (o->window_max < ALK_SSH_WINDOW)
        o->window_max = ALK_SSH_WINDOW;
}

int alk_ssh_new(struct alk_ssh **out, const struct alk_ssh_options *options, uint64_t now)
{
    struct alk_ssh *ssh;

    if (options->role == ALK_SSH_SERVER && options->host_key == NULL)
        return ALK_E_INVAL;
    ssh = calloc(1, sizeof(*ssh));
    if (ssh == NULL)
        return ALK_E_NOMEM;
    ssh->options = *options;
    use_defaults(&ssh->options);
    ssh->now = ssh->started = ssh->heard = ssh->active = now;
    ssh->in = alk_buffer(INPUT_MAX);
    ssh->out = alk_buffer(OUTPUT_MAX);
    ssh->held = alk_buffer(HELD_MAX);
    ssh->roomy = OUTPUT_ROOMY;
    ssh->read_size = READ_FIRST;
    ssh->phase = PHASE_IDENT;
    ssh->requests_end = &ssh->requests;
    alk_cipher_clear(&ssh->rx.cipher);
    alk_cipher_clear(&ssh->tx.cipher);
    randombytes_buf(ssh->tx.padding, sizeof(ssh->tx.padding));
    int status = ssh_ident_start(ssh);
    if (status != ALK_OK) {
        alk_ssh_free(ssh);
        return status;
    }
    *out = ssh;
    return ALK_OK;
}

void alk_ssh_free(struct alk_ssh *ssh)
{
    if (ssh == NULL)
        return;
    ssh_kex_free(ssh);
    ssh_auth_clear(ssh);
    ssh_requests_free(ssh);
    for (uint32_t i = 0; i < ssh->slots; i++)
        free(ssh->channels[i]);
    ssh_channel_free_doomed(ssh);
    free(ssh->channels);
    free(ssh->free_ids);
    alk_buffer_free(&ssh->in);
    alk_buffer_free(&ssh->out);
    alk_buffer_free(&ssh->held);
    alk_cipher_clear(&ssh->rx.cipher);
    alk_cipher_clear(&ssh->tx.cipher);
    free(ssh->my_version);
    free(ssh->peer_version);
    sodium_memzero(ssh, sizeof(*ssh));
    free(ssh);
}

/* ---- sending ---- */

static void send_now(struct alk_ssh *ssh, const uint8_t *payload, size_t len)
{
    uint8_t *at = alk_packet_reserve(&ssh->out, len);

    if (at == NULL) {
        ssh_fail(ssh, 0, ALK_E_LIMIT, "the peer does not read what it asks for");
        return;
    }
    memcpy(at, payload, len);
    int status = alk_packet_seal(&ssh->tx, &ssh->out, len);
    if (status != ALK_OK)
        ssh_fail(ssh, 0, status, "a packet could not be encrypted");
}

/* RFC 4253 section 7.1: what may be sent between our KEXINIT and our NEWKEYS. */
static bool allowed_in_kex(uint8_t type)
{
    return type <= SSH_MSG_DEBUG || (type >= SSH_MSG_KEXINIT && type < SSH_MSG_USERAUTH_REQUEST);
}

static void hold(struct alk_ssh *ssh, const uint8_t *payload, size_t len)
{
    uint8_t *at = alk_buffer_reserve(&ssh->held, 4 + len);

    if (at == NULL) {
        ssh_fail(ssh, 0, ALK_E_LIMIT, "too much waits for the end of a key exchange");
        return;
    }
    struct alk_writer w = alk_writer(at, 4 + len);
    alk_put_string(&w, payload, len);
    alk_buffer_commit(&ssh->held, 4 + len);
}

void ssh_send(struct alk_ssh *ssh, const uint8_t *payload, size_t len)
{
    if (ssh->phase == PHASE_OVER)
        return;
    if (ssh->kex_sending && !allowed_in_kex(payload[0]))
        hold(ssh, payload, len);
    else
        send_now(ssh, payload, len);
}

void ssh_send_writer(struct alk_ssh *ssh, const struct alk_writer *w)
{
    if (w->broken)
        ssh_fail(ssh, 0, ALK_E_LIMIT, "a message was too long to send");
    else
        ssh_send(ssh, w->start, alk_writer_len(w));
}

void ssh_release_held(struct alk_ssh *ssh)
{
    while (alk_buffer_len(&ssh->held) > 0 && ssh->phase != PHASE_OVER) {
        struct alk_reader r = alk_reader(alk_buffer_head(&ssh->held), alk_buffer_len(&ssh->held));
        struct alk_bytes payload = alk_get_string(&r);
        send_now(ssh, payload.data, payload.len);
        alk_buffer_consume(&ssh->held, 4 + payload.len);
    }
    alk_buffer_trim(&ssh->held);
}

static void send_disconnect(struct alk_ssh *ssh, uint32_t reason, const char *text)
{
    uint8_t payload[1 + 4 + 4 + sizeof(ssh->error.text) + 4];
    struct alk_writer w = alk_writer(payload, sizeof(payload));

    alk_put_u8(&w, SSH_MSG_DISCONNECT);
    alk_put_u32(&w, reason);
    alk_put_text(&w, text);
    alk_put_text(&w, "");
    uint8_t *at = alk_packet_reserve(&ssh->out, alk_writer_len(&w));
    if (at == NULL || w.broken)
        return;
    memcpy(at, payload, alk_writer_len(&w));
    (void)alk_packet_seal(&ssh->tx, &ssh->out, alk_writer_len(&w));
}

int ssh_fail(struct alk_ssh *ssh, enum alk_ssh_disconnect reason, int status, const char *format,
             ...)
{
    va_list args;

    if (ssh->phase == PHASE_OVER)
        return ssh->error.code;
    ssh->error.code = status;
    va_start(args, format);
    vsnprintf(ssh->error.text, sizeof(ssh->error.text), format, args);
    va_end(args);
    if (reason != 0 && ssh->phase != PHASE_IDENT)
        send_disconnect(ssh, reason, ssh->error.text);
    ssh->phase = PHASE_OVER;
    return status;
}

void alk_ssh_disconnect(struct alk_ssh *ssh, enum alk_ssh_disconnect reason, const char *text)
{
    ssh_fail(ssh, reason, ALK_E_CLOSED, "%s", text);
}

/* ---- messages ---- */

static int on_nothing(struct alk_ssh *ssh, struct alk_reader *r)
{
    (void)ssh;
    (void)r;
    return ALK_OK;
}

/* The peer's words go to a terminal or a log: only plain text does. */
static void plain_text(struct alk_bytes from, char *out, size_t size)
{
    size_t len = from.len < size - 1 ? from.len : size - 1;

    for (size_t i = 0; i < len; i++)
        out[i] = from.data[i] >= ' ' && from.data[i] < 0x7f ? (char)from.data[i] : '?';
    out[len] = '\0';
}

static int on_disconnect(struct alk_ssh *ssh, struct alk_reader *r)
{
    char text[200];
    uint32_t reason = alk_get_u32(r);

    plain_text(alk_get_string(r), text, sizeof(text));
    return ssh_fail(ssh, 0, ALK_E_CLOSED, "the peer disconnected (reason %u): %s", reason, text);
}

static int on_ping(struct alk_ssh *ssh, struct alk_reader *r)
{
    uint8_t payload[CONTROL_MAX];
    struct alk_bytes data = alk_get_string(r);
    struct alk_writer w = alk_writer(payload, sizeof(payload));

    alk_put_u8(&w, SSH_MSG_PONG);
    alk_put_string(&w, data.data, data.len);
    if (w.broken)
        return ssh_fail(ssh, ALK_SSH_BY_PROTOCOL_ERROR, ALK_E_PROTO, "oversized ping");
    ssh_send_writer(ssh, &w);
    return ALK_OK;
}

enum { SERVER = 1 << ALK_SSH_SERVER, CLIENT = 1 << ALK_SSH_CLIENT, BOTH = SERVER | CLIENT };
enum {
    KEYED = PHASE_SERVICE | PHASE_AUTH | PHASE_OPEN,
    ALWAYS = PHASE_KEX | KEYED,
};

/* Which message is legal from whom and when; what is not listed here ends the session.
 * The order within a key exchange is ssh_kex_filter's. */
static const struct rule {
    uint8_t type;
    uint8_t roles; /* the role that receives it */
    uint8_t phases;
    int (*handle)(struct alk_ssh *ssh, struct alk_reader *r);
    bool whole; /* nothing may follow what handle reads */
} rules[] = {
    {SSH_MSG_CHANNEL_DATA, BOTH, PHASE_OPEN, ssh_on_channel_data, true},
    {SSH_MSG_CHANNEL_WINDOW_ADJUST, BOTH, PHASE_OPEN, ssh_on_channel_window, true},
    {SSH_MSG_CHANNEL_OPEN, BOTH, PHASE_OPEN, ssh_on_channel_open, false},
    {SSH_MSG_CHANNEL_OPEN_CONFIRMATION, BOTH, PHASE_OPEN, ssh_on_channel_confirmation, false},
    {SSH_MSG_CHANNEL_OPEN_FAILURE, BOTH, PHASE_OPEN, ssh_on_channel_open_failure, false},
    {SSH_MSG_CHANNEL_EXTENDED_DATA, BOTH, PHASE_OPEN, ssh_on_channel_extended, true},
    {SSH_MSG_CHANNEL_EOF, BOTH, PHASE_OPEN, ssh_on_channel_eof, true},
    {SSH_MSG_CHANNEL_CLOSE, BOTH, PHASE_OPEN, ssh_on_channel_close, true},
    {SSH_MSG_CHANNEL_REQUEST, BOTH, PHASE_OPEN, ssh_on_channel_request, false},
    {SSH_MSG_CHANNEL_SUCCESS, BOTH, PHASE_OPEN, ssh_on_channel_reply, false},
    {SSH_MSG_CHANNEL_FAILURE, BOTH, PHASE_OPEN, ssh_on_channel_reply, false},
    {SSH_MSG_GLOBAL_REQUEST, BOTH, PHASE_OPEN, ssh_on_global_request, false},
    {SSH_MSG_REQUEST_SUCCESS, BOTH, PHASE_OPEN, ssh_on_request_success, false},
    {SSH_MSG_REQUEST_FAILURE, BOTH, PHASE_OPEN, ssh_on_request_failure, false},
    {SSH_MSG_DISCONNECT, BOTH, ALWAYS, on_disconnect, false},
    {SSH_MSG_IGNORE, BOTH, ALWAYS, on_nothing, false},
    {SSH_MSG_UNIMPLEMENTED, BOTH, ALWAYS, on_nothing, false},
    {SSH_MSG_DEBUG, BOTH, ALWAYS, on_nothing, false},
    {SSH_MSG_KEXINIT, BOTH, ALWAYS, ssh_on_kexinit, false},
    {SSH_MSG_KEX_ECDH_INIT, SERVER, ALWAYS, ssh_on_ecdh_init, false},
    {SSH_MSG_KEX_ECDH_REPLY, CLIENT, ALWAYS, ssh_on_ecdh_reply, false},
    {SSH_MSG_NEWKEYS, BOTH, ALWAYS, ssh_on_newkeys, false},
    {SSH_MSG_EXT_INFO, BOTH, PHASE_SERVICE | PHASE_AUTH, ssh_on_ext_info, false},
    {SSH_MSG_SERVICE_REQUEST, SERVER, PHASE_SERVICE, ssh_on_service_request, false},
    {SSH_MSG_SERVICE_ACCEPT, CLIENT, PHASE_SERVICE, ssh_on_service_accept, false},
    {SSH_MSG_USERAUTH_REQUEST, SERVER, PHASE_AUTH | PHASE_OPEN, ssh_on_userauth_request, false},
    {SSH_MSG_USERAUTH_FAILURE, CLIENT, PHASE_AUTH, ssh_on_userauth_failure, false},
    {SSH_MSG_USERAUTH_SUCCESS, CLIENT, PHASE_AUTH, ssh_on_userauth_success, false},
    {SSH_MSG_USERAUTH_BANNER, CLIENT, PHASE_AUTH, ssh_on_userauth_banner, false},
    {SSH_MSG_USERAUTH_PK_OK, CLIENT, PHASE_AUTH, ssh_on_userauth_pk_ok, false},
    {SSH_MSG_PING, BOTH, KEYED, on_ping, false},
    {SSH_MSG_PONG, BOTH, KEYED, on_nothing, false},
};

static const struct rule *rule_for(uint8_t type)
{
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        if (rules[i].type == type)
            return &rules[i];
    }
    return NULL;
}

static int unknown_message(struct alk_ssh *ssh)
{
    uint8_t payload[5];
    struct alk_writer w = alk_writer(payload, sizeof(payload));

    alk_put_u8(&w, SSH_MSG_UNIMPLEMENTED);
    alk_put_u32(&w, ssh->rx.sequence - 1);
    ssh_send_writer(ssh, &w);
    return ALK_OK;
}

/* RFC 4252 section 6: what runs after the login has these numbers, known here or not. */
static bool is_too_early(const struct alk_ssh *ssh, uint8_t type)
{
    return ssh->phase != PHASE_OPEN && type >= SSH_MSG_GLOBAL_REQUEST && type < 128;
}

static int dispatch(struct alk_ssh *ssh, uint8_t *payload, size_t len)
{
    struct alk_reader r = alk_reader(payload, len);
    uint8_t type = alk_get_u8(&r);
    const struct rule *rule = rule_for(type);
    bool skip = false;

    int status = ssh_kex_filter(ssh, type, &skip);
    if (status != ALK_OK || skip)
        return status;
    if (rule == NULL && !is_too_early(ssh, type))
        return unknown_message(ssh);
    if (rule == NULL || (rule->roles & 1 << ssh->options.role) == 0 ||
        (rule->phases & ssh->phase) == 0)
        return ssh_fail(ssh, ALK_SSH_BY_PROTOCOL_ERROR, ALK_E_PROTO, "message %u came out of turn",
                        type);
    ssh->payload = payload;
    ssh->payload_len = len;
    status = rule->handle(ssh, &r);
    if (status == ALK_OK && !(rule->whole ? alk_reader_done(&r) : alk_reader_ok(&r)))
        status =
            ssh_fail(ssh, ALK_SSH_BY_PROTOCOL_ERROR, ALK_E_PROTO, "message %u is malformed", type);
    return status;
}

struct alk_ssh_event *ssh_emit(struct alk_ssh *ssh, enum alk_ssh_event_type type)
{
    ssh->event = (struct alk_ssh_event){.type = type};
    return &ssh->event;
}

static int read_packet(struct alk_ssh *ssh, uint8_t **payload, size_t *len)
{
    size_t max = ssh->phase == PHASE_OPEN ? ALK_PACKET_MAX : ALK_PACKET_MAX_BEFORE_AUTH;
    int got = alk_packet_open(&ssh->rx, &ssh->in, max, payload, len);

    if (got == ALK_E_CRYPTO)
        return ssh_fail(ssh, ALK_SSH_BY_MAC_ERROR, got, "a packet was corrupted on the way");
    if (got == ALK_E_LIMIT)
        return ssh_fail(ssh, ALK_SSH_BY_PROTOCOL_ERROR, got, "the peer does not renew its keys");
    if (got < 0)
        return ssh_fail(ssh, ALK_SSH_BY_PROTOCOL_ERROR, got, "a packet has an illegal length");
    return got;
}

/* Handles one step of input: 1 when something was done, 0 when nothing is there. */
static int step(struct alk_ssh *ssh)
{
    uint8_t *payload;
    size_t len;

    if (ssh->phase == PHASE_IDENT)
        return ssh_ident_read(ssh);
    int got = read_packet(ssh, &payload, &len);
    if (got <= 0)
        return got;
    ssh->heard = ssh->now;
    ssh->keepalive_missed = 0;
    int status = dispatch(ssh, payload, len);
    if (status == ALK_OK && ssh_kex_due(ssh))
        status = ssh_kex_start(ssh);
    if (status == ALK_OK)
        status = ssh_kex_check(ssh);
    return status == ALK_OK ? 1 : status;
}

int alk_ssh_next(struct alk_ssh *ssh, struct alk_ssh_event *event)
{
    /* the event that told of a channel's end may have been lost to the session's own end: then
     * the caller still holds the channel */
    if (ssh->phase != PHASE_OVER)
        ssh_channel_free_doomed(ssh);
    ssh->event.type = 0;
    while (ssh->phase != PHASE_OVER) {
        if (!alk_ssh_wants_input(ssh))
            return 0;
        int done = step(ssh);
        if (ssh->phase == PHASE_OVER)
            break;
        if (ssh->event.type != 0) {
            *event = ssh->event;
            return 1;
        }
        if (done == 0)
            return 0;
    }
    return ssh->error.code;
}

/* ---- bytes ---- */

size_t alk_ssh_input_space(struct alk_ssh *ssh, uint8_t **at)
{
    size_t used = alk_buffer_len(&ssh->in);
    size_t want = ssh->read_size;

    if (ssh->phase == PHASE_OVER || used >= INPUT_MAX)
        return 0;
    /* a packet that is larger than what is offered must fit as a whole */
    if (ssh->rx.length_known && want < ssh->rx.length + ALK_PACKET_OVERHEAD)
        want = ssh->rx.length + ALK_PACKET_OVERHEAD;
    if (want <= used)
        want = used + READ_FIRST;
    if (want > INPUT_MAX)
        want = INPUT_MAX;
    *at = alk_buffer_reserve(&ssh->in, want - used);
    return *at == NULL ? 0 : want - used;
}

void alk_ssh_input_commit(struct alk_ssh *ssh, size_t len, uint64_t now)
{
    alk_buffer_commit(&ssh->in, len);
    ssh->now = ssh->active = now;
    if (alk_buffer_len(&ssh->in) >= ssh->read_size && ssh->read_size < READ_MOST)
        ssh->read_size *= 2;
}

size_t alk_ssh_input(struct alk_ssh *ssh, const void *data, size_t len, uint64_t now)
{
    uint8_t *at;
    size_t space = alk_ssh_input_space(ssh, &at);

    if (space > len)
        space = len;
    if (space > 0) {
        memcpy(at, data, space);
        alk_ssh_input_commit(ssh, space, now);
    }
    return space;
}

size_t alk_ssh_output(struct alk_ssh *ssh, const uint8_t **bytes)
{
    *bytes = alk_buffer_head(&ssh->out);
    return alk_buffer_len(&ssh->out);
}

void alk_ssh_output_done(struct alk_ssh *ssh, size_t len)
{
    alk_buffer_consume(&ssh->out, len);
    ssh->active = ssh->now;
}

bool alk_ssh_wants_input(const struct alk_ssh *ssh)
{
    return ssh->phase != PHASE_OVER && ssh->awaiting == ANSWER_NONE &&
           alk_buffer_len(&ssh->out) <= OUTPUT_STALL;
}

bool alk_ssh_has_room(const struct alk_ssh *ssh)
{
    return ssh->phase == PHASE_OPEN && !ssh->kex_sending && alk_buffer_len(&ssh->out) < ssh->roomy;
}

void alk_ssh_only_bulk(struct alk_ssh *ssh, bool only_bulk)
{
    ssh->roomy = only_bulk ? OUTPUT_BULKY : OUTPUT_ROOMY;
}

/* ---- time ---- */

static bool holds_idle_memory(const struct alk_ssh *ssh)
{
    return (ssh->in.data != NULL && alk_buffer_len(&ssh->in) == 0) ||
           (ssh->out.data != NULL && alk_buffer_len(&ssh->out) == 0);
}

static uint64_t earlier(uint64_t deadline, uint64_t start, uint64_t after)
{
    if (after > UINT64_MAX - start)
        return deadline;
    return start + after < deadline ? start + after : deadline;
}

/* What the next keepalive is counted from: every one has the whole time to be answered, even
 * when this process stood still meanwhile. */
static uint64_t keepalive_base(const struct alk_ssh *ssh)
{
    return ssh->keepalive_missed == 0 ? ssh->heard : ssh->keepalive_sent;
}

uint64_t alk_ssh_deadline(const struct alk_ssh *ssh)
{
    uint64_t deadline = UINT64_MAX;

    if (ssh->phase == PHASE_OVER)
        return deadline;
    if (ssh->phase != PHASE_OPEN)
        return earlier(deadline, ssh->started, ssh->options.grace_ms);
    deadline = earlier(deadline, keepalive_base(ssh), ssh->options.keepalive_ms);
    if (ssh->kex == NULL)
        deadline = earlier(deadline, ssh->kex_done, ssh->options.rekey_ms);
    else
        deadline = earlier(deadline, ssh->kex_begun, REKEY_MS_MAX);
    if (holds_idle_memory(ssh))
        deadline = earlier(deadline, ssh->active, IDLE_TRIM_MS);
    return deadline;
}

static void check_keepalive(struct alk_ssh *ssh)
{
    if (!ssh_elapsed(ssh, keepalive_base(ssh), ssh->options.keepalive_ms))
        return;
    if (ssh->keepalive_missed >= ssh->options.keepalive_misses) {
        ssh_fail(ssh, ALK_SSH_BY_CONNECTION_LOST, ALK_E_TIMEOUT,
                 "the peer has not answered for %u s", (unsigned)((ssh->now - ssh->heard) / 1000));
        return;
    }
    if (ssh_send_keepalive(ssh, false) != ALK_OK)
        return;
    ssh->keepalive_missed++;
    ssh->keepalive_sent = ssh->now;
}

void alk_ssh_tick(struct alk_ssh *ssh, uint64_t now)
{
    if (ssh->phase == PHASE_OVER)
        return;
    ssh->now = now;
    if (ssh->phase != PHASE_OPEN) {
        if (ssh_elapsed(ssh, ssh->started, ssh->options.grace_ms))
            ssh_fail(ssh, ALK_SSH_BY_APPLICATION, ALK_E_TIMEOUT,
                     "the login was not finished in time");
        return;
    }
    check_keepalive(ssh);
    if (ssh_kex_check(ssh) != ALK_OK)
        return;
    if (ssh_kex_due(ssh))
        ssh_kex_start(ssh);
    if (ssh_elapsed(ssh, ssh->active, IDLE_TRIM_MS)) {
        alk_buffer_trim(&ssh->in);
        alk_buffer_trim(&ssh->out);
        ssh->read_size = READ_FIRST;
    }
}

/* ---- what is known ---- */

const struct alk_error *alk_ssh_error(const struct alk_ssh *ssh)
{
    return &ssh->error;
}

const char *alk_ssh_peer_version(const struct alk_ssh *ssh)
{
    return ssh->peer_version == NULL ? "" : ssh->peer_version;
}

const char *alk_ssh_cipher_name(const struct alk_ssh *ssh)
{
    return ssh->tx.cipher.type->name;
}

bool alk_ssh_authenticated(const struct alk_ssh *ssh)
{
    return ssh->phase == PHASE_OPEN;
}

uint64_t alk_ssh_heard(const struct alk_ssh *ssh)
{
    return ssh->heard;
}

void alk_ssh_probe(struct alk_ssh *ssh)
{
    if (ssh->phase == PHASE_OPEN)
        ssh_send_keepalive(ssh, false);
}

void alk_ssh_rekey(struct alk_ssh *ssh)
{
    if (ssh->phase == PHASE_OPEN && ssh->kex == NULL)
        ssh_kex_start(ssh);
}

#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
void ssh_fuzz_open(struct alk_ssh *ssh)
{
    ssh->peer_version = strdup("SSH-2.0-fuzz");
    alk_buffer_consume(&ssh->out, alk_buffer_len(&ssh->out)); /* the identification */
    if (ssh->options.host_key != NULL)
        memcpy(ssh->host_blob, alk_key_blob(ssh->options.host_key), ALK_KEY_BLOB_SIZE);
    ssh->first_kex_done = true;
    ssh->phase = PHASE_OPEN;
}
#endif

size_t alk_ssh_memory(const struct alk_ssh *ssh)
{
    return sizeof(*ssh) + ssh->in.capacity + ssh->out.capacity + ssh->held.capacity +
           ssh->slots * (sizeof(*ssh->channels) + sizeof(*ssh->free_ids)) +
           ssh->channel_count * sizeof(struct alk_ssh_channel);
}
