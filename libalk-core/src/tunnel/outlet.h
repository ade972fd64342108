/*
 * The far end of a requested channel: dials the target, then accepts the channel and
 * relays, or refuses it with the cause. Used by the server for direct channels and by the
 * client for those of its remote forwards.
 */
#ifndef ALK_TUNNEL_OUTLET_H
#define ALK_TUNNEL_OUTLET_H

#include "transport/dial.h"
#include "tunnel/relay.h"

/* Begins; whatever happens, the channel is answered sooner or later. target is copied
 * as alk_dial_start says. judge (NULL, or from malloc) is freed when the dial is over: what
 * target->permit_user points to. */
void alk_outlet_start(struct alk_channel_users *users, struct alk_session *session,
                      struct alk_ssh_channel *channel, const struct alk_dial_options *target,
                      void *judge);

#endif
