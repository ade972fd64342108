/*
 * Dialling: a connected stream to a host and port or to a Unix socket.
 *
 * A name with several addresses is dialled as RFC 8305 (happy eyeballs) says:
 * families take turns, a further attempt starts 250 ms after the last one or as
 * soon as it fails, the first to connect wins, the others are closed.
 */
#ifndef ALK_TRANSPORT_DIAL_H
#define ALK_TRANSPORT_DIAL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct alk_address;
struct alk_dial;
struct alk_loop;
struct alk_proxy;
struct alk_resolver;
struct alk_stream;

enum { ALK_DIAL_ADDRESSES = 8 }; /* at most so many of a name are tried */

struct alk_dial_options {
    const char *host; /* a name or a numeric address; NULL: dial path */
    uint16_t port;    /* with host */
    const char *path; /* of a Unix socket, when host is NULL */
    /* Borrowed until the outcome; NULL or ALK_PROXY_NONE: directly. Else the connection goes through
     * it: only the proxy's own name is looked up, the host's is sent to it, and permit is not asked,
     * since the host's addresses are never seen. Unix sockets are dialled directly. */
    const struct alk_proxy *proxy;
    /* Told, before fn is, that the proxy itself could not be reached, or with ALK_E_AUTH that it
     * does not take our login: why, in words that are good during the call and name nothing. NULL:
     * nobody is told. */
    void (*proxy_failed)(void *proxy_user, int status, const char *cause);
    void *proxy_user;
    uint64_t timeout_ms;           /* for everything, the look-up included; 0: 30 s */
    struct alk_resolver *resolver; /* borrowed; NULL: only numeric hosts can be dialled */
    const void *owner; /* for whom, in the resolver's eyes: see alk_lookup_start; may be NULL */
    const struct alk_address *local; /* bind to this address first, or NULL; applies to
                                        targets of its family, others are not tried */
    /* Asked about each address of a host before it is dialled; false leaves it out.
     * NULL permits all. permit_user is its argument. Asked within the call for a
     * numeric host, later from the loop for a name. */
    bool (*permit)(void *permit_user, const struct alk_address *address);
    void *permit_user;
    /* connect(2) or, in tests, its stand-in: same result and errno. NULL: connect. */
    int (*connect)(int fd, const struct sockaddr *address, socklen_t len);
};

/* The outcome, exactly once. ALK_OK: stream belongs to the callee. Otherwise stream is
 * NULL and cause tells why in a few words that never name the destination, good during the call.
 *   ALK_E_RESOLVE      no address for the name
 *   ALK_E_REFUSED      nobody listens there
 *   ALK_E_UNREACHABLE  no route, or no address of a family that works
 *   ALK_E_TIMEOUT      no answer in time
 *   ALK_E_DENIED       permission denied by the system, or permit allowed no address
 *   ALK_E_NOTFOUND     no such Unix socket
 *   ALK_E_CLOSED       accepted and reset at once
 *   ALK_E_LIMIT, ALK_E_NOMEM, ALK_E_IO   this machine's troubles
 * With a proxy these are what the proxy says of the host; its own troubles are ALK_E_PROXY, or
 * ALK_E_TIMEOUT when it does not answer. */
typedef void (*alk_dial_fn)(void *user, int status, struct alk_stream *stream, const char *cause);

/* Begins to dial, on loop's thread. Whatever happens to the connection is told by fn,
 * called later from the loop and never from within this call, not even when the
 * connection stands or fails at once. A return other than ALK_OK means that nothing
 * began and fn is not called: ALK_E_INVAL (no host, a bad path, a name without
 * a resolver), ALK_E_LIMIT (too many look-ups wait), ALK_E_NOMEM. *out is invalid once
 * fn has been called. What options point to may go after the call, resolver, proxy,
 * proxy_user, permit_user and *local excepted. */
int alk_dial_start(struct alk_dial **out, struct alk_loop *loop,
                   const struct alk_dial_options *options, alk_dial_fn fn, void *user);

/* Gives up: fn will not be called. Before fn was called only. NULL is allowed. */
void alk_dial_cancel(struct alk_dial *dial);

#endif
