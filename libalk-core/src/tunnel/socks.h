/*
 * The server's side of a SOCKS dialogue: SOCKS5 (RFC 1928, user and password by
 * RFC 1929), SOCKS4 and 4a. CONNECT only; BIND and UDP ASSOCIATE are refused as
 * "command not supported". Names stay names.
 *
 * A machine without sockets: bytes in, replies and a request out. It takes the
 * bytes of the handshake and not one more, however they are split; application
 * data behind the request is left to the caller. Nothing is allocated.
 */
#ifndef ALK_TUNNEL_SOCKS_H
#define ALK_TUNNEL_SOCKS_H

#include <stddef.h>
#include <stdint.h>

#include "transport/address.h"
#include "tunnel/dialogue.h"

enum {
    ALK_SOCKS_REPLY_MAX = 16,              /* room for what one call asks to be sent */
    ALK_SOCKS_MESSAGE_MAX = 8 + 256 + 256, /* the longest message: SOCKS4a, user id and name */
};

/* Who may use the proxy. Borrowed, and outlives the machine. */
struct alk_socks_auth {
    const char *user;
    const char *password;
};

struct alk_socks {
    enum alk_dialogue_state state;
    char host[ALK_HOST_MAX + 1]; /* of the request: a name or a numeric address */
    uint16_t port;
    /* private */
    const struct alk_socks_auth *auth;
    int expect;
    uint8_t version;
    size_t have;
    uint8_t message[ALK_SOCKS_MESSAGE_MAX];
};

/* auth NULL: everybody may. With auth, SOCKS4 is refused: it has no password. */
void alk_socks_init(struct alk_socks *socks, const struct alk_socks_auth *auth);

/* Forgets everything, half a password included; for a dialogue that ended early. */
void alk_socks_wipe(struct alk_socks *socks);

/* Takes what it needs of data and says in *consumed how much that was. *reply_len
 * bytes of reply are to be sent first, whatever the state. Once the state is another
 * than ALK_DIALOGUE_MORE nothing more is consumed. */
enum alk_dialogue_state alk_socks_feed(struct alk_socks *socks, const uint8_t *data, size_t len,
                                       size_t *consumed, uint8_t reply[ALK_SOCKS_REPLY_MAX],
                                       size_t *reply_len);

/* The reply to the request, in the client's version; returns its length. outcome: see
 * tunnel/dialogue.h. */
size_t alk_socks_reply(const struct alk_socks *socks, int outcome,
                       uint8_t reply[ALK_SOCKS_REPLY_MAX]);

#endif
