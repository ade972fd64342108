#include "ssh/engine.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum {
    INPUT_MAX = ALK_PACKET_MAX + ALK_PACKET_OVERHEAD,
    READ_MOST = 256 * 1024,
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
    int status = ssh_dispatch(ssh, payload, len);
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
