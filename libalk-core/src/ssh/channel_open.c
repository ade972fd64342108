/* How channels begin (RFC 4254 section 5.1, OpenSSH's PROTOCOL for streamlocal). */
#include "ssh/engine.h"

#include <stdlib.h>
#include <string.h>

static const char *const kind_names[] = {
    [ALK_SSH_DIRECT_TCPIP] = "direct-tcpip",
    [ALK_SSH_DIRECT_UNIX] = "direct-streamlocal@openssh.com",
    [ALK_SSH_FORWARDED_TCPIP] = "forwarded-tcpip",
    [ALK_SSH_FORWARDED_UNIX] = "forwarded-streamlocal@openssh.com",
};

/* ---- the table of channels ---- */

static int grow_table(struct alk_ssh *ssh)
{
    uint32_t slots = ssh->slots == 0 ? 4 : ssh->slots * 2;

    if (slots > ssh->options.max_channels)
        slots = ssh->options.max_channels;
    if (slots <= ssh->slots)
        return ALK_E_LIMIT;
    struct alk_ssh_channel **channels = realloc(ssh->channels, slots * sizeof(*channels));
    if (channels == NULL)
        return ALK_E_NOMEM;
    ssh->channels = channels;
    uint32_t *free_ids = realloc(ssh->free_ids, slots * sizeof(*free_ids));
    if (free_ids == NULL)
        return ALK_E_NOMEM;
    ssh->free_ids = free_ids;
    for (uint32_t id = slots; id-- > ssh->slots;) {
        channels[id] = NULL;
        free_ids[ssh->free_count++] = id;
    }
    ssh->slots = slots;
    return ALK_OK;
}

int ssh_channel_new(struct alk_ssh *ssh, struct alk_ssh_channel **out)
{
    if (ssh->free_count == 0) {
        int status = grow_table(ssh);
        if (status != ALK_OK)
            return status;
    }
    struct alk_ssh_channel *channel = calloc(1, sizeof(*channel));
    if (channel == NULL)
        return ALK_E_NOMEM;
    channel->id = ssh->free_ids[--ssh->free_count];
    channel->window = channel->window_target = ALK_SSH_WINDOW;
    ssh->channels[channel->id] = channel;
    ssh->channel_count++;
    *out = channel;
    return ALK_OK;
}

/* Takes the channel out of the table; its memory lasts until the next call of next, so
 * that the event that is on its way may name it. */
void ssh_channel_free(struct alk_ssh *ssh, struct alk_ssh_channel *channel)
{
    ssh->window_growth -= channel->window_target - ALK_SSH_WINDOW;
    ssh->channels[channel->id] = NULL;
    ssh->free_ids[ssh->free_count++] = channel->id;
    ssh->channel_count--;
    channel->next_doomed = ssh->doomed;
    ssh->doomed = channel;
}

void ssh_channel_free_doomed(struct alk_ssh *ssh)
{
    while (ssh->doomed != NULL) {
        struct alk_ssh_channel *channel = ssh->doomed;
        ssh->doomed = channel->next_doomed;
        free(channel);
    }
}

/* ---- our own opens ---- */

static void put_target(struct alk_writer *w, enum alk_ssh_channel_kind kind, const char *host,
                       uint32_t port, const char *origin, uint32_t origin_port)
{
    alk_put_text(w, host);
    switch (kind) {
    case ALK_SSH_DIRECT_TCPIP:
    case ALK_SSH_FORWARDED_TCPIP:
        alk_put_u32(w, port);
        alk_put_text(w, origin == NULL ? "127.0.0.1" : origin);
        alk_put_u32(w, origin_port);
        break;
    case ALK_SSH_DIRECT_UNIX:
        alk_put_text(w, ""); /* reserved */
        alk_put_u32(w, 0);
        break;
    case ALK_SSH_FORWARDED_UNIX:
        alk_put_text(w, ""); /* reserved */
        break;
    }
}

int alk_ssh_channel_open(struct alk_ssh *ssh, enum alk_ssh_channel_kind kind, const char *host,
                         uint32_t port, const char *origin, uint32_t origin_port,
                         struct alk_ssh_channel **out)
{
    uint8_t payload[CONTROL_MAX];
    struct alk_writer w = alk_writer(payload, sizeof(payload));
    struct alk_ssh_channel *channel;

    if (ssh->phase != PHASE_OPEN)
        return ALK_E_CLOSED;
    if (strlen(host) > ALK_SSH_HOST_MAX)
        return ALK_E_INVAL;
    int status = ssh_channel_new(ssh, &channel);
    if (status != ALK_OK)
        return status;
    channel->state = CHANNEL_OPENING;
    alk_put_u8(&w, SSH_MSG_CHANNEL_OPEN);
    alk_put_text(&w, kind_names[kind]);
    alk_put_u32(&w, channel->id);
    alk_put_u32(&w, channel->window);
    alk_put_u32(&w, ALK_SSH_DATA_MAX);
    put_target(&w, kind, host, port, origin, origin_port);
    ssh_send_writer(ssh, &w);
    *out = channel;
    return ALK_OK;
}

static struct alk_ssh_channel *answered(struct alk_ssh *ssh, struct alk_reader *r)
{
    uint32_t id = alk_get_u32(r);
    struct alk_ssh_channel *channel = ssh_channel_by_id(ssh, id);

    if (!alk_reader_ok(r) || channel == NULL || channel->state != CHANNEL_OPENING) {
        ssh_fail(ssh, ALK_SSH_BY_PROTOCOL_ERROR, ALK_E_PROTO,
                 "an answer for channel %u, which was not asked for", id);
        return NULL;
    }
    return channel;
}

/* A peer that takes no packet, however small, would leave us with data that neither can go
 * nor waits for a window. */
static int no_packets(struct alk_ssh *ssh)
{
    return ssh_fail(ssh, ALK_SSH_BY_PROTOCOL_ERROR, ALK_E_PROTO,
                    "a channel whose largest packet is empty");
}

int ssh_on_channel_confirmation(struct alk_ssh *ssh, struct alk_reader *r)
{
    struct alk_ssh_channel *channel = answered(ssh, r);
    if (channel == NULL)
        return ssh->error.code;
    channel->peer_id = alk_get_u32(r);
    channel->peer_window = alk_get_u32(r);
    channel->peer_packet = alk_get_u32(r);
    channel->state = CHANNEL_OPEN;
    if (!alk_reader_ok(r))
        return ALK_OK; /* dispatch names the fault */
    if (channel->peer_packet == 0)
        return no_packets(ssh);
    if (channel->abandoned)
        ssh_channel_send_close(ssh, channel);
    else
        ssh_emit(ssh, ALK_SSH_CHANNEL_OPENED)->channel = channel;
    return ALK_OK;
}

int ssh_on_channel_open_failure(struct alk_ssh *ssh, struct alk_reader *r)
{
    struct alk_ssh_channel *channel = answered(ssh, r);
    if (channel == NULL)
        return ssh->error.code;
    uint32_t reason = alk_get_u32(r);
    struct alk_bytes text = alk_get_string(r);
    size_t len = text.len < sizeof(ssh->host) - 1 ? text.len : sizeof(ssh->host) - 1;

    memcpy(ssh->host, text.data, len);
    ssh->host[len] = '\0';
    if (channel->abandoned) {
        ssh_emit(ssh, ALK_SSH_CHANNEL_CLOSED)->channel = channel;
    } else {
        struct alk_ssh_event *event = ssh_emit(ssh, ALK_SSH_CHANNEL_FAILED);
        event->channel = channel;
        event->reason = reason;
        event->text = ssh->host;
    }
    ssh_channel_free(ssh, channel);
    return ALK_OK;
}

/* ---- the peer's opens ---- */

static int refuse(struct alk_ssh *ssh, uint32_t peer_id, enum alk_ssh_open_failure reason,
                  const char *text)
{
    uint8_t payload[512];
    struct alk_writer w = alk_writer(payload, sizeof(payload));

    alk_put_u8(&w, SSH_MSG_CHANNEL_OPEN_FAILURE);
    alk_put_u32(&w, peer_id);
    alk_put_u32(&w, reason);
    alk_put_text(&w, text);
    alk_put_text(&w, "");
    ssh_send_writer(ssh, &w);
    return ALK_OK;
}

static bool kind_of(const struct alk_ssh *ssh, struct alk_bytes name,
                    enum alk_ssh_channel_kind *kind)
{
    enum alk_ssh_channel_kind first =
        ssh_is_server(ssh) ? ALK_SSH_DIRECT_TCPIP : ALK_SSH_FORWARDED_TCPIP;

    for (unsigned k = first; k <= first + 1U; k++) {
        if (alk_bytes_equal(name, kind_names[k])) {
            *kind = (enum alk_ssh_channel_kind)k;
            return true;
        }
    }
    return false;
}

/* Reads where to, and from where, into the event. */
static void read_target(struct alk_ssh *ssh, struct alk_reader *r, struct alk_ssh_event *event)
{
    alk_get_text(r, ssh->host, sizeof(ssh->host));
    event->host = ssh->host;
    event->origin = "";
    if (event->kind == ALK_SSH_DIRECT_TCPIP || event->kind == ALK_SSH_FORWARDED_TCPIP) {
        event->port = alk_get_u32(r);
        alk_get_text(r, ssh->origin, sizeof(ssh->origin));
        event->origin = ssh->origin;
        event->origin_port = alk_get_u32(r);
    }
}

int ssh_on_channel_open(struct alk_ssh *ssh, struct alk_reader *r)
{
    struct alk_bytes name = alk_get_string(r);
    uint32_t peer_id = alk_get_u32(r);
    uint32_t window = alk_get_u32(r);
    uint32_t packet = alk_get_u32(r);
    enum alk_ssh_channel_kind kind;
    struct alk_ssh_channel *channel;

    if (!alk_reader_ok(r))
        return ALK_OK; /* dispatch names the fault */
    if (alk_bytes_equal(name, "session"))
        return refuse(ssh, peer_id, ALK_SSH_OPEN_PROHIBITED,
                      "alknet forwards connections and runs no commands; use -N with -D, -L or -R");
    if (!kind_of(ssh, name, &kind))
        return refuse(ssh, peer_id, ALK_SSH_OPEN_UNKNOWN_TYPE, "unknown channel type");
    struct alk_ssh_event event = {.type = ALK_SSH_CHANNEL_REQUEST, .kind = kind};
    read_target(ssh, r, &event);
    if (!alk_reader_ok(r))
        return ALK_OK;
    if (packet == 0)
        return no_packets(ssh);
    if (event.port > 65535)
        return refuse(ssh, peer_id, ALK_SSH_OPEN_CONNECT_FAILED, "no such port");
    if (ssh_channel_new(ssh, &channel) != ALK_OK)
        return refuse(ssh, peer_id, ALK_SSH_OPEN_SHORTAGE, "too many channels");
    channel->state = CHANNEL_ASKED;
    channel->peer_id = peer_id;
    channel->peer_window = window;
    channel->peer_packet = packet;
    event.channel = channel;
    ssh->event = event;
    return ALK_OK;
}

void alk_ssh_channel_accept(struct alk_ssh *ssh, struct alk_ssh_channel *channel)
{
    uint8_t payload[17];
    struct alk_writer w = alk_writer(payload, sizeof(payload));

    if (channel->state != CHANNEL_ASKED)
        return;
    channel->state = CHANNEL_OPEN;
    alk_put_u8(&w, SSH_MSG_CHANNEL_OPEN_CONFIRMATION);
    alk_put_u32(&w, channel->peer_id);
    alk_put_u32(&w, channel->id);
    alk_put_u32(&w, channel->window);
    alk_put_u32(&w, ALK_SSH_DATA_MAX);
    ssh_send_writer(ssh, &w);
}

void alk_ssh_channel_reject(struct alk_ssh *ssh, struct alk_ssh_channel *channel,
                            enum alk_ssh_open_failure reason, const char *text)
{
    if (channel->state != CHANNEL_ASKED)
        return;
    refuse(ssh, channel->peer_id, reason, text);
    ssh_channel_free(ssh, channel);
}
