#include "tunnel/outlet.h"

#include <stdlib.h>

struct outlet {
    struct alk_channel_user base;
    struct alk_channel_users *users;
    struct alk_session *session;
    struct alk_ssh_channel *channel;
    struct alk_dial *dial;
    void *judge; /* of the addresses; freed with the outlet */
};

static void outlet_free(struct outlet *outlet)
{
    free(outlet->judge);
    free(outlet);
}

static void refuse(struct alk_session *session, struct alk_ssh_channel *channel, int status,
                   const char *cause)
{
    bool prohibited = status == ALK_E_DENIED;

    /* without detail: whether the name or its address was refused is nobody's business */
    alk_session_engine(session)->channel_reject(alk_session_ssh(session), channel,
                                                prohibited ? ALK_SSH_OPEN_PROHIBITED
                                                           : ALK_SSH_OPEN_CONNECT_FAILED,
                                                prohibited ? "administratively prohibited" : cause);
    alk_session_touch(session);
}

static void on_dialled(void *user, int status, struct alk_stream *stream, const char *cause)
{
    struct outlet o = *(struct outlet *)user;

    LIST_REMOVE(&((struct outlet *)user)->base, entry);
    outlet_free(user);
    alk_ssh_channel_set_user(o.channel, NULL);
    if (status != ALK_OK) {
        refuse(o.session, o.channel, status, cause);
        return;
    }
    alk_session_engine(o.session)->channel_accept(alk_session_ssh(o.session), o.channel);
    if (alk_relay_start(o.users, o.session, o.channel, stream, NULL, 0) != ALK_OK)
        alk_session_engine(o.session)->channel_close(alk_session_ssh(o.session), o.channel);
    alk_session_touch(o.session);
}

static void on_event(struct alk_channel_user *self, const struct alk_ssh_event *event)
{
    (void)self; /* before we answer, the peer cannot say anything about the channel */
    (void)event;
}

static void on_session_end(struct alk_channel_user *self)
{
    struct outlet *outlet = (struct outlet *)self;

    alk_dial_cancel(outlet->dial);
    outlet_free(outlet);
}

static const struct alk_channel_user_ops outlet_ops = {
    .on_event = on_event,
    .on_session_end = on_session_end,
};

void alk_outlet_start(struct alk_channel_users *users, struct alk_session *session,
                      struct alk_ssh_channel *channel, const struct alk_dial_options *target,
                      void *judge)
{
    struct outlet *outlet = calloc(1, sizeof(*outlet));

    if (outlet == NULL) {
        free(judge);
        refuse(session, channel, ALK_E_NOMEM, "out of memory");
        return;
    }
    outlet->base.ops = &outlet_ops;
    outlet->users = users;
    outlet->session = session;
    outlet->channel = channel;
    outlet->judge = judge;
    LIST_INSERT_HEAD(users, &outlet->base, entry);
    alk_ssh_channel_set_user(channel, outlet);
    int status =
        alk_dial_start(&outlet->dial, alk_session_loop(session), target, on_dialled, outlet);
    if (status != ALK_OK) {
        LIST_REMOVE(&outlet->base, entry);
        alk_ssh_channel_set_user(channel, NULL);
        outlet_free(outlet);
        refuse(session, channel, status, alk_status_text(status));
    }
}
