/*
 * The near end of a channel: a connection that a local listener accepted. An inlet reads
 * the proxy dialogue if there is one (SOCKS, HTTP CONNECT), opens the channel, answers
 * the application with what came of it, and becomes a relay.
 *
 * Inlets outlive sessions on the client: while it is offline they wait in its list.
 */
#ifndef ALK_TUNNEL_INLET_H
#define ALK_TUNNEL_INLET_H

#include "tunnel/dialogue.h"
#include "tunnel/relay.h"

#include <stdint.h>

/* A proxy dialogue, without I/O; one const struct per protocol. */
enum { ALK_DIALOGUE_REPLY_MAX = 256 };

struct alk_dialogue_ops {
    size_t size; /* of its state */
    void (*init)(void *state, const void *config);
    /* Consumes bytes of the application; may produce a reply to send at once. After REQUEST
     * the target is known; after FAILED the reply goes out and the connection ends. */
    enum alk_dialogue_state (*feed)(void *state, const uint8_t *data, size_t len, size_t *consumed,
                                    uint8_t *reply, size_t *reply_len);
    void (*target)(const void *state, const char **host, uint16_t *port);
    /* The last reply: what came of the request (enum alk_status). Returns its size. */
    size_t (*answer)(const void *state, int status, uint8_t *reply);
};

extern const struct alk_dialogue_ops alk_dialogue_socks; /* config: struct alk_socks_auth, NULL */
extern const struct alk_dialogue_ops alk_dialogue_http;  /* config: NULL */

/* What an inlet leads to. It is copied, the fixed target too. */
struct alk_inlet_route {
    const struct alk_dialogue_ops *dialogue; /* NULL: the target is fixed */
    const void *dialogue_config;
    enum alk_ssh_channel_kind kind; /* of the channel to open */
    const char *host;               /* fixed target; or the path of a Unix kind */
    uint32_t port;
    /* Asks for the session to open the channel on. NULL: offline; the owner calls
     * alk_inlets_retry when there is one, and alk_inlets_expire from time to time. */
    struct alk_session *(*session)(void *owner);
    struct alk_channel_users *(*users)(void *owner);
    void *owner;
    uint64_t opening_ms; /* for the other side to answer the open; 0: 60 s */
    /* May be NULL: how the request ended, told once for an inlet that was not dropped before. */
    void (*answered)(void *user, int status);
    void *answered_user;
};

struct alk_inlet;
LIST_HEAD(alk_inlets, alk_inlet);

/* Takes the stream. inlets is the owner's list of those that have no channel yet. */
void alk_inlet_start(struct alk_inlets *inlets, struct alk_loop *loop, struct alk_stream *stream,
                     const struct alk_inlet_route *route);

/* A session is there: those that waited for one open their channels. */
void alk_inlets_retry(struct alk_inlets *inlets);

/* Ends those that have waited for a session this long, with a proper reply, and those whose
 * dialogue has stalled. */
void alk_inlets_expire(struct alk_inlets *inlets, uint64_t waited_ms);

/* Ends all of the list, waiting or still in their dialogue. */
void alk_inlets_close(struct alk_inlets *inlets);

#endif
