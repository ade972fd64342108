/*
 * A proxy as a person names it: socks5://[user:password@]host:port or http://... .
 *
 * User and password may hold any byte, percent-encoded as URLs have it. Nothing here
 * blocks; any thread may call it. No message repeats any part of the text.
 */
#ifndef ALK_TRANSPORT_PROXY_H
#define ALK_TRANSPORT_PROXY_H

#include "transport/address.h"

#include <stdbool.h>
#include <stdint.h>

struct alk_error;

enum { ALK_PROXY_LOGIN_MAX = 255 }; /* bytes of user and of password (RFC 1929) */

enum alk_proxy_kind {
    ALK_PROXY_NONE, /* connect directly */
    ALK_PROXY_SOCKS5,
    ALK_PROXY_HTTP,
};

struct alk_proxy {
    enum alk_proxy_kind kind;
    char host[ALK_HOST_MAX + 1];
    uint16_t port;
    bool login; /* there are user and password */
    char user[ALK_PROXY_LOGIN_MAX + 1], password[ALK_PROXY_LOGIN_MAX + 1];
};

/* Reads a URL; NULL or "" is no proxy. ALK_E_PARSE; then *out is no proxy. */
int alk_proxy_parse(const char *url, struct alk_proxy *out, struct alk_error *error);

void alk_proxy_wipe(struct alk_proxy *proxy);

#endif
