/*
 * Channels once they are open: data both ways, flow control, half close, close
 * (RFC 4254 section 5).
 */
#include "ssh/engine.h"

#include <stdlib.h>
#include <string.h>

enum {
    DATA_HEADER = 1 + 4 + 4, /* number, channel, length of the string */
};

struct alk_ssh_channel *ssh_channel_by_id(struct alk_ssh *ssh, uint32_t id)
{
    return id < ssh->slots ? ssh->channels[id] : NULL;
}

/* The channel that a message from the peer is about. It must be open, and the peer must
 * not have closed it; everything else is a protocol error. */
static struct alk_ssh_channel *addressed(struct alk_ssh *ssh, struct alk_reader *r)
{
    uint32_t id = alk_get_u32(r);
    struct alk_ssh_channel *channel = ssh_channel_by_id(ssh, id);

    if (!alk_reader_ok(r) || channel == NULL || channel->state != CHANNEL_OPEN) {
        ssh_fail(ssh, ALK_SSH_BY_PROTOCOL_ERROR, ALK_E_PROTO,
                 "a message for channel %u, which is not open", id);
        return NULL;
    }
    return channel;
}

static void send_about(struct alk_ssh *ssh, const struct alk_ssh_channel *channel,
                       enum ssh_message type)
{
    uint8_t payload[5];
    struct alk_writer w = alk_writer(payload, sizeof(payload));

    alk_put_u8(&w, (uint8_t)type);
    alk_put_u32(&w, channel->peer_id);
    ssh_send_writer(ssh, &w);
}

/* ---- receiving ---- */

/* Takes len bytes of the window; what is beyond it, or late, is the peer's error. */
static int take_window(struct alk_ssh *ssh, struct alk_ssh_channel *channel, size_t len)
{
    if (channel->eof_received)
        return ssh_fail(ssh, ALK_SSH_BY_PROTOCOL_ERROR, ALK_E_PROTO,
                        "data for a channel after its end");
    if (len > channel->window || len > ALK_SSH_DATA_MAX)
        return ssh_fail(ssh, ALK_SSH_BY_PROTOCOL_ERROR, ALK_E_PROTO,
                        "more data for a channel than was allowed");
    channel->window -= (uint32_t)len;
    return ALK_OK;
}

int ssh_on_channel_data(struct alk_ssh *ssh, struct alk_reader *r)
{
    struct alk_ssh_channel *channel = addressed(ssh, r);
    if (channel == NULL)
        return ssh->error.code;
    struct alk_bytes data = alk_get_string(r);
    int status = take_window(ssh, channel, data.len);

    if (status != ALK_OK || data.len == 0 || !alk_reader_ok(r))
        return status;
    if (channel->close_sent) /* it was on its way when we closed */
        return ALK_OK;
    struct alk_ssh_event *event = ssh_emit(ssh, ALK_SSH_CHANNEL_DATA);
    event->channel = channel;
    event->data = data.data;
    event->len = data.len;
    return ALK_OK;
}

int ssh_on_channel_extended(struct alk_ssh *ssh, struct alk_reader *r)
{
    struct alk_ssh_channel *channel = addressed(ssh, r);
    if (channel == NULL)
        return ssh->error.code;
    alk_get_u32(r); /* what kind: nobody here reads any */
    struct alk_bytes data = alk_get_string(r);
    int status = take_window(ssh, channel, data.len);

    if (status == ALK_OK && alk_reader_ok(r))
        alk_ssh_channel_consumed(ssh, channel, data.len);
    return status;
}

int ssh_on_channel_eof(struct alk_ssh *ssh, struct alk_reader *r)
{
    struct alk_ssh_channel *channel = addressed(ssh, r);
    if (channel == NULL)
        return ssh->error.code;
    if (channel->eof_received)
        return ssh_fail(ssh, ALK_SSH_BY_PROTOCOL_ERROR, ALK_E_PROTO,
                        "a second end of data on a channel");
    channel->eof_received = true;
    if (!channel->close_sent)
        ssh_emit(ssh, ALK_SSH_CHANNEL_EOF)->channel = channel;
    return ALK_OK;
}

/* ---- sending ---- */

/* Whether there is no such channel any more; a message that grants something means nothing then. */
static bool is_gone(struct alk_ssh *ssh, struct alk_reader r)
{
    return ssh_channel_by_id(ssh, alk_get_u32(&r)) == NULL && alk_reader_ok(&r);
}

int ssh_on_channel_window(struct alk_ssh *ssh, struct alk_reader *r)
{
    /* ssh2 of npm goes on granting what it had queued when the channel was closed */
    if (is_gone(ssh, *r)) {
        alk_get_bytes(r, 8);
        return ALK_OK;
    }
    struct alk_ssh_channel *channel = addressed(ssh, r);
    if (channel == NULL)
        return ssh->error.code;
    uint32_t more = alk_get_u32(r);

    if (more > UINT32_MAX - channel->peer_window)
        return ssh_fail(ssh, ALK_SSH_BY_PROTOCOL_ERROR, ALK_E_PROTO,
                        "a channel window beyond its limit");
    channel->peer_window += more;
    if (channel->starved && more > 0 && !channel->close_sent) {
        channel->starved = false;
        ssh_emit(ssh, ALK_SSH_CHANNEL_ROOM)->channel = channel;
    }
    return ALK_OK;
}

/* The data of a full packet of this channel. */
static size_t packet_data(const struct alk_ssh_channel *channel)
{
    return channel->peer_packet < ALK_SSH_DATA_MAX ? channel->peer_packet : ALK_SSH_DATA_MAX;
}

static bool may_send(const struct alk_ssh *ssh, struct alk_ssh_channel *channel)
{
    if (ssh->phase != PHASE_OPEN || channel->state != CHANNEL_OPEN || channel->eof_sent ||
        channel->close_sent)
        return false;
    channel->starved = channel->peer_window == 0;
    return !channel->starved;
}

/* Lays packets for up to `len` bytes behind one another in the output, each as long as it will
 * be when it is sealed, so that what is filled needs no moving. */
static int lay_out(struct alk_ssh *ssh, const struct alk_ssh_channel *channel, struct iovec *parts,
                   int most, size_t len)
{
    size_t each = packet_data(channel), size = alk_packet_size(&ssh->tx, DATA_HEADER + each);

    if (most > ALK_SSH_PARTS_MAX)
        most = ALK_SSH_PARTS_MAX;
    if (len < (size_t)most * each)
        most = (int)((len + each - 1) / each);
    /* the last one may be short, and its padding long */
    uint8_t *payload =
        alk_packet_reserve(&ssh->out, (size_t)(most - 1) * size + DATA_HEADER + each);
    if (payload == NULL) {
        /* waiting would be for nothing: has_room goes on saying that there is room */
        ssh_fail(ssh, 0, ALK_E_NOMEM, "out of memory");
        return 0;
    }
    for (int i = 0; i < most; i++) {
        size_t part = len < each ? len : each;
        parts[i] = (struct iovec){payload + (size_t)i * size + DATA_HEADER, part};
        len -= part;
    }
    return most;
}

int alk_ssh_channel_reserve(struct alk_ssh *ssh, struct alk_ssh_channel *channel,
                            struct iovec *parts, int most)
{
    if (!may_send(ssh, channel) || !alk_ssh_has_room(ssh))
        return 0;
    return lay_out(ssh, channel, parts, most, channel->peer_window);
}

int alk_ssh_channel_reserve_urgent(struct alk_ssh *ssh, struct alk_ssh_channel *channel,
                                   struct iovec *part)
{
    size_t len =
        channel->peer_window < ALK_SSH_URGENT_MAX ? channel->peer_window : ALK_SSH_URGENT_MAX;

    if (!may_send(ssh, channel) || ssh->kex_sending || alk_buffer_len(&ssh->out) >= OUTPUT_URGENT)
        return 0;
    return lay_out(ssh, channel, part, 1, len);
}

static int seal_data(struct alk_ssh *ssh, const struct alk_ssh_channel *channel, size_t len)
{
    uint8_t *payload = ssh->out.data + ssh->out.tail + ALK_PACKET_PAYLOAD_AT;
    struct alk_writer w = alk_writer(payload, DATA_HEADER);

    alk_put_u8(&w, SSH_MSG_CHANNEL_DATA);
    alk_put_u32(&w, channel->peer_id);
    alk_put_u32(&w, (uint32_t)len);
    if (alk_packet_seal(&ssh->tx, &ssh->out, DATA_HEADER + len) != ALK_OK)
        return ssh_fail(ssh, 0, ALK_E_CRYPTO, "a packet could not be encrypted");
    return ALK_OK;
}

void alk_ssh_channel_commit(struct alk_ssh *ssh, struct alk_ssh_channel *channel, size_t len)
{
    size_t each = packet_data(channel);

    channel->peer_window -= (uint32_t)len;
    while (len > 0) {
        size_t part = len < each ? len : each;
        if (seal_data(ssh, channel, part) != ALK_OK)
            return;
        len -= part;
    }
    if (ssh_kex_due(ssh))
        ssh_kex_start(ssh);
}

bool alk_ssh_channel_blocked(const struct alk_ssh_channel *channel)
{
    return channel->state == CHANNEL_OPEN && channel->peer_window == 0;
}

size_t alk_ssh_channel_write(struct alk_ssh *ssh, struct alk_ssh_channel *channel, const void *data,
                             size_t len)
{
    const uint8_t *from = data;
    size_t done = 0;

    while (done < len) {
        struct iovec at;
        if (alk_ssh_channel_reserve(ssh, channel, &at, 1) == 0)
            break;
        size_t room = at.iov_len < len - done ? at.iov_len : len - done;
        memcpy(at.iov_base, from + done, room);
        alk_ssh_channel_commit(ssh, channel, room);
        done += room;
    }
    return done;
}

void alk_ssh_channel_eof(struct alk_ssh *ssh, struct alk_ssh_channel *channel)
{
    if (channel->state != CHANNEL_OPEN || channel->eof_sent || channel->close_sent)
        return;
    channel->eof_sent = true;
    send_about(ssh, channel, SSH_MSG_CHANNEL_EOF);
}

/* ---- closing ---- */

/* Both sides have closed: the caller hears of it once, then the channel goes. */
static void finish(struct alk_ssh *ssh, struct alk_ssh_channel *channel)
{
    ssh_emit(ssh, ALK_SSH_CHANNEL_CLOSED)->channel = channel;
    ssh_channel_free(ssh, channel);
}

void ssh_channel_send_close(struct alk_ssh *ssh, struct alk_ssh_channel *channel)
{
    if (channel->close_sent)
        return;
    channel->close_sent = true;
    send_about(ssh, channel, SSH_MSG_CHANNEL_CLOSE);
}

void alk_ssh_channel_close(struct alk_ssh *ssh, struct alk_ssh_channel *channel)
{
    if (channel->state == CHANNEL_OPEN)
        ssh_channel_send_close(ssh, channel);
    else if (channel->state == CHANNEL_ASKED)
        alk_ssh_channel_reject(ssh, channel, ALK_SSH_OPEN_PROHIBITED, "closed");
    else
        channel->abandoned = true; /* closed as soon as the peer has answered */
}

int ssh_on_channel_close(struct alk_ssh *ssh, struct alk_reader *r)
{
    struct alk_ssh_channel *channel = addressed(ssh, r);
    if (channel == NULL)
        return ssh->error.code;
    channel->close_received = true;
    ssh_channel_send_close(ssh, channel);
    finish(ssh, channel);
    return ALK_OK;
}

/* ---- requests on a channel: none has a meaning here ---- */

int ssh_on_channel_request(struct alk_ssh *ssh, struct alk_reader *r)
{
    struct alk_ssh_channel *channel = addressed(ssh, r);
    if (channel == NULL)
        return ssh->error.code;
    alk_get_string(r); /* its name */
    if (alk_get_bool(r) && alk_reader_ok(r) && !channel->close_sent)
        send_about(ssh, channel, SSH_MSG_CHANNEL_FAILURE);
    return ALK_OK;
}

int ssh_on_channel_reply(struct alk_ssh *ssh, struct alk_reader *r)
{
    if (addressed(ssh, r) == NULL)
        return ssh->error.code;
    return ssh_fail(ssh, ALK_SSH_BY_PROTOCOL_ERROR, ALK_E_PROTO,
                    "a reply to a channel request that was never made");
}

void alk_ssh_channel_set_user(struct alk_ssh_channel *channel, void *user)
{
    channel->user = user;
}

void *alk_ssh_channel_user(const struct alk_ssh_channel *channel)
{
    return channel->user;
}

unsigned alk_ssh_channel_count(const struct alk_ssh *ssh)
{
    return ssh->channel_count;
}
