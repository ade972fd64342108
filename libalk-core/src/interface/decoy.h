/*
 * The decoy: an HTTP/1.x server that answers as a freshly installed nginx whose root does not exist,
 * so that a port on which strangers find no SSH looks like the most common web server there is.
 *
 * A machine without sockets and clocks. Bytes and time go in; bytes, and the wish to close, come
 * out. What it does, down to header order, buffer sizes and time-outs, is that of nginx 1.22 as
 * observed from outside, and is compared with a real one in the tests.
 *
 * decoy.c           a connection's life: requests one after the other, time-outs
 * decoy_request.c   the request line and headers, character by character
 * decoy_headers.c   what the headers mean
 * decoy_body.c      bodies, which are read to be thrown away
 * decoy_response.c  what is answered
 */
#ifndef ALK_INTERFACE_DECOY_H
#define ALK_INTERFACE_DECOY_H

#include "base/buffer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* The version that Debian 12 has. */
#define ALK_DECOY_SERVER "nginx/1.22.1"

enum {
    ALK_DECOY_SERVER_MAX = 64,     /* bytes of the Server header */
    ALK_DECOY_RESPONSE_MAX = 2048, /* bytes that one call may yield */
    ALK_DECOY_LINE_MAX = 8192,
};

enum alk_decoy_end {
    ALK_DECOY_OPEN,  /* go on */
    ALK_DECOY_CLOSE, /* send what there is, and close as one does */
    ALK_DECOY_DROP,  /* close without a farewell (TLS: no close_notify) */
};

struct alk_decoy;

/* A name that may stand in the Server header and in a page: not empty, not too long. */
bool alk_decoy_server_is_valid(const char *server);

/* server: the product that it claims to be; copied. secure: over TLS, as a port for HTTPS should
 * be; otherwise well-formed requests are told that they came without. now in milliseconds.
 * ALK_E_NOMEM. */
int alk_decoy_new(struct alk_decoy **out, const char *server, bool secure, uint64_t now);
void alk_decoy_free(struct alk_decoy *decoy); /* NULL is fine */

/* Takes bytes up to the end of one answer at most, and returns how many; call it again with the
 * rest. Answers are appended to out, which has room for ALK_DECOY_RESPONSE_MAX. wall dates them. */
size_t alk_decoy_feed(struct alk_decoy *decoy, const void *data, size_t len, uint64_t now,
                      time_t wall, struct alk_buffer *out);

/* The client has closed its direction. */
void alk_decoy_finish(struct alk_decoy *decoy);

/* To be called when this time has come. */
uint64_t alk_decoy_deadline(const struct alk_decoy *decoy);
void alk_decoy_tick(struct alk_decoy *decoy, uint64_t now);

enum alk_decoy_end alk_decoy_end(const struct alk_decoy *decoy);

#endif
