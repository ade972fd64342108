/*
 * A relay joins an open SSH channel to a stream and carries bytes both ways until both
 * directions have ended.
 *
 * There is no queue between the two but what flow control allows: from the stream, bytes are
 * read straight into the session's output and only while it has room; to the stream, they
 * are written from where they were decrypted, and what the stream does not take waits
 * here, bounded by the channel's window, which reopens only as the stream takes it.
 *
 * The relay is the user pointer of its channel, through struct alk_channel_user.
 */
#ifndef ALK_TUNNEL_RELAY_H
#define ALK_TUNNEL_RELAY_H

#include "interface/session.h"

#include <alk/ssh.h>
#include <alk/stream.h>

struct alk_relay;

/* Whatever stands behind a channel of a session: an inlet that waits for the answer, an
 * outlet that dials, a relay, a stream handed to the embedder. First member of each. */
struct alk_channel_user {
    const struct alk_channel_user_ops *ops;
    LIST_ENTRY(alk_channel_user) entry; /* in the session's list */
};

LIST_HEAD(alk_channel_users, alk_channel_user);

struct alk_channel_user_ops {
    /* An event of this channel. After CHANNEL_FAILED and CHANNEL_CLOSED the channel is gone. */
    void (*on_event)(struct alk_channel_user *self, const struct alk_ssh_event *event);
    /* The session is over and the channel gone with it: free yourself. */
    void (*on_session_end)(struct alk_channel_user *self);
};

/* Hands a CHANNEL_ event to the user of its channel. */
void alk_channel_dispatch(const struct alk_ssh_event *event);

/* Tells every user of the list that the session has ended. */
void alk_channel_users_end(struct alk_channel_users *users);

/* Takes over the stream and the channel, which must be open; both sides start to flow.
 * early (may be NULL) is what came from the stream before: it goes to the channel first.
 * The relay frees itself when all is done. On failure (memory) the stream is closed. */
int alk_relay_start(struct alk_channel_users *users, struct alk_session *session,
                    struct alk_ssh_channel *channel, struct alk_stream *stream, const void *early,
                    size_t early_len);

#endif
