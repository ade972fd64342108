/*
 * The server's side of an HTTP proxy dialogue: CONNECT (RFC 9110 section 9.3.6, in
 * HTTP/1.x as RFC 9112 frames it). Other methods get a 405 that says so.
 *
 * A machine without sockets, like the SOCKS one: it takes the bytes of the request and
 * not one more, however they are split. Headers are checked for form and otherwise
 * ignored. Nothing is allocated.
 */
#ifndef ALK_TUNNEL_HTTP_CONNECT_H
#define ALK_TUNNEL_HTTP_CONNECT_H

#include <stddef.h>
#include <stdint.h>

#include "transport/address.h"
#include "tunnel/dialogue.h"

enum {
    ALK_HTTP_REPLY_MAX = 256,         /* room for any reply */
    ALK_HTTP_REQUEST_MAX = 16 * 1024, /* bytes of a request, all headers included */
    /* one byte more than the longest CONNECT line, so that a line cut here is not one */
    ALK_HTTP_LINE_KEPT = 8 + ALK_HOST_MAX + 2 + 6 + 9 + 1,
};

struct alk_http_connect {
    enum alk_dialogue_state state;
    char host[ALK_HOST_MAX + 1]; /* of the request: a name or a numeric address */
    uint16_t port;
    /* private */
    int place;
    int status; /* of the reply that refuses the request; 0 so far */
    size_t taken, line_len;
    char line[ALK_HTTP_LINE_KEPT + 1]; /* the request line, or its beginning */
};

void alk_http_connect_init(struct alk_http_connect *http);

/* As alk_socks_feed. */
enum alk_dialogue_state alk_http_connect_feed(struct alk_http_connect *http, const uint8_t *data,
                                              size_t len, size_t *consumed,
                                              uint8_t reply[ALK_HTTP_REPLY_MAX], size_t *reply_len);

/* The reply to the request: 200, 403, 502, 503 or 504; returns its length. outcome:
 * see tunnel/dialogue.h. After another than 200 the connection is to be closed. */
size_t alk_http_connect_reply(int outcome, uint8_t reply[ALK_HTTP_REPLY_MAX]);

#endif
