/*
 * The client's side of the dialogue with a proxy: SOCKS5 (RFC 1928, user and password by
 * RFC 1929) and HTTP CONNECT (RFC 9110 section 9.3.6, Basic by RFC 7617). Names are sent
 * as names: the proxy resolves them.
 *
 * A machine without sockets. It takes the bytes of the proxy's answers and not one more,
 * however they are split; what follows is the target's. Nothing is allocated.
 */
#ifndef ALK_TRANSPORT_PROXY_DIALOGUE_H
#define ALK_TRANSPORT_PROXY_DIALOGUE_H

#include "transport/proxy.h"

#include <stddef.h>

enum {
    ALK_PROXY_SEND_MAX = 2048,           /* room for what one call asks to be sent */
    ALK_PROXY_ANSWER_MAX = 16 * 1024,    /* bytes that a proxy may answer in all */
    ALK_PROXY_CAUSE_MAX = 96,            /* room for a cause, NUL included */
    ALK_PROXY_MESSAGE_MAX = 4 + 256 + 2, /* the longest message of SOCKS5 */
};

enum alk_proxy_state {
    ALK_PROXY_MORE,   /* send what there is, feed more */
    ALK_PROXY_OPEN,   /* the target is connected: all that follows is its */
    ALK_PROXY_FAILED, /* status and cause tell why */
};

struct alk_proxy_send {
    uint8_t data[ALK_PROXY_SEND_MAX]; /* may hold a password: wipe it */
    size_t len;
};

struct alk_proxy_dialogue;

struct alk_proxy_protocol {
    void (*begin)(struct alk_proxy_dialogue *dialogue, struct alk_proxy_send *send);
    size_t (*feed)(struct alk_proxy_dialogue *dialogue, const uint8_t *data, size_t len,
                   struct alk_proxy_send *send);
};

struct alk_proxy_dialogue {
    enum alk_proxy_state state;
    int status; /* of a failure: what the proxy says of the target (ALK_E_REFUSED,
                   ALK_E_UNREACHABLE, ALK_E_TIMEOUT, ALK_E_RESOLVE); ALK_E_AUTH when it does not
                   let us in, or not without a login; else ALK_E_PROXY */
    char cause[ALK_PROXY_CAUSE_MAX]; /* a few words about the proxy; never the target */
    /* private */
    const struct alk_proxy_protocol *protocol;
    const struct alk_proxy *proxy;
    char host[ALK_HOST_MAX + 1];
    uint16_t port;
    int expect;
    unsigned code;      /* of an HTTP answer */
    size_t taken, have; /* bytes in all, bytes in message */
    uint8_t message[ALK_PROXY_MESSAGE_MAX];
};

extern const struct alk_proxy_protocol alk_proxy_socks5;
extern const struct alk_proxy_protocol alk_proxy_http;

/* Begins. proxy is borrowed and is not ALK_PROXY_NONE; send->len bytes are to be sent.
 * ALK_E_INVAL for a host that no proxy could be told: none, too long, with a blank or a
 * control character, or an IPv6 address with a zone. */
int alk_proxy_begin(struct alk_proxy_dialogue *dialogue, const struct alk_proxy *proxy,
                    const char *host, uint16_t port, struct alk_proxy_send *send);

/* Takes what it needs of data and returns how much that was; send is filled anew. Once the
 * state is another than ALK_PROXY_MORE nothing more is taken. */
size_t alk_proxy_feed(struct alk_proxy_dialogue *dialogue, const uint8_t *data, size_t len,
                      struct alk_proxy_send *send);

/* For the protocols: ends the dialogue. */
void alk_proxy_fail(struct alk_proxy_dialogue *dialogue, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* For the protocols: appends to what is to be sent; there is room by ALK_PROXY_SEND_MAX. */
void alk_proxy_put(struct alk_proxy_send *send, const void *data, size_t len);

#endif
