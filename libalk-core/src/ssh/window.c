/*
 * Receive windows: how much a peer may send on a channel, and how that follows the path.
 *
 * A window starts at ALK_SSH_WINDOW. When a channel takes in half of it, a round trip is
 * measured: what arrived meanwhile, scaled to the shortest round trip ever seen, is the
 * bandwidth-delay product. The window is kept at several times that, so that it never is
 * what limits a channel whose consumer keeps up. Scaling to the shortest trip matters: data
 * that queues on the way lengthens the trip, and a window that followed that would only
 * lengthen the queue.
 *
 * What a window allows is what a peer can make us hold, and the peer has a say in both trip and
 * rate. So the growth is shared: all channels of a session together grow by no more than one
 * alone may, which is no loss, since they share the path as well.
 */
#include "ssh/engine.h"

enum {
    GRANT_MOST = 1024 * 1024, /* give back at least this often */
    PRODUCTS = 4,             /* how many bandwidth-delay products a window holds */
};

void ssh_round_trip(struct alk_ssh *ssh, uint64_t ms)
{
    if (ms == 0)
        ms = 1; /* the clock is no finer */
    if (ssh->round_trip == 0 || ms < ssh->round_trip)
        ssh->round_trip = ms;
}

static void grant(struct alk_ssh *ssh, struct alk_ssh_channel *channel)
{
    uint8_t payload[9];
    struct alk_writer w = alk_writer(payload, sizeof(payload));

    alk_put_u8(&w, SSH_MSG_CHANNEL_WINDOW_ADJUST);
    alk_put_u32(&w, channel->peer_id);
    alk_put_u32(&w, channel->owed);
    ssh_send_writer(ssh, &w);
    channel->window += channel->owed;
    channel->owed = 0;
}

/* Starts to measure a round trip when the channel has taken in half a window. */
static void consider_growth(struct alk_ssh *ssh, struct alk_ssh_channel *channel)
{
    if (ssh->probing || ssh->window_growth >= ssh->options.window_max - ALK_SSH_WINDOW ||
        channel->received - channel->measured < channel->window_target / 2 || ssh->kex != NULL)
        return;
    if (ssh_send_keepalive(ssh, true) != ALK_OK)
        return;
    ssh->probing = true;
    ssh->probe_channel = channel->id;
    ssh->probe_sent = ssh->now;
    channel->measured = channel->received;
}

void ssh_window_probe_answered(struct alk_ssh *ssh)
{
    struct alk_ssh_channel *channel = ssh_channel_by_id(ssh, ssh->probe_channel);
    uint64_t trip = ssh->now > ssh->probe_sent ? ssh->now - ssh->probe_sent : 1;

    ssh->probing = false;
    ssh_round_trip(ssh, trip);
    if (channel == NULL || channel->state != CHANNEL_OPEN)
        return;
    uint64_t product = (channel->received - channel->measured) * ssh->round_trip / trip;
    channel->measured = channel->received;
    uint64_t wanted = product * PRODUCTS;
    uint32_t room = ssh->options.window_max - ALK_SSH_WINDOW - ssh->window_growth;
    if (wanted > channel->window_target + (uint64_t)room)
        wanted = channel->window_target + (uint64_t)room;
    if (wanted > channel->window_target) {
        ssh->window_growth += (uint32_t)wanted - channel->window_target;
        channel->owed += (uint32_t)wanted - channel->window_target;
        channel->window_target = (uint32_t)wanted;
    }
}

void alk_ssh_channel_consumed(struct alk_ssh *ssh, struct alk_ssh_channel *channel, size_t len)
{
    uint32_t step = channel->window_target / 4;

    if (channel->close_sent || channel->close_received || channel->eof_received)
        return; /* nobody needs the window any more */
    channel->owed += (uint32_t)len;
    channel->received += len;
    consider_growth(ssh, channel);
    if (channel->owed >= (step < GRANT_MOST ? step : GRANT_MOST))
        grant(ssh, channel);
}
