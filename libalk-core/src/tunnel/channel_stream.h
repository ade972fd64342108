/*
 * A stream that is an open channel of a session: what the other side of the session connected it
 * to. So whatever runs over a stream runs through an SSH server too, another session for one.
 *
 * Back-pressure goes through: the channel's window reopens as the stream is read, and what the
 * session has no room for is not taken. When the session ends under it, reading gives
 * ALK_E_CLOSED once what came before has been read. Its transport is "channel".
 */
#ifndef ALK_TUNNEL_CHANNEL_STREAM_H
#define ALK_TUNNEL_CHANNEL_STREAM_H

#include "transport/dial.h"
#include "tunnel/relay.h"

struct alk_channel_opening;

/* Asks the other side to connect to host and port. The outcome comes as that of a dial does,
 * never from within this call; users is the list of the session's. A return other than ALK_OK
 * means that nothing began and fn is not called: ALK_E_LIMIT, ALK_E_CLOSED, ALK_E_NOMEM. *out is
 * invalid once fn has been called. */
int alk_channel_stream_open(struct alk_channel_opening **out, struct alk_channel_users *users,
                            struct alk_session *session, const char *host, uint16_t port,
                            uint64_t timeout_ms, alk_dial_fn fn, void *user);

/* Gives up: fn will not be called. NULL is allowed. */
void alk_channel_opening_cancel(struct alk_channel_opening *opening);

#endif
