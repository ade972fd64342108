/*
 * A listening socket, TCP or Unix, that hands out streams.
 *
 * It is made in two steps, so that privileged ports can be bound first and
 * loops be chosen later: alk_listener_new binds and listens (any thread, no loop),
 * alk_listener_start begins to accept on one loop. From then on the listener
 * belongs to that loop's thread.
 *
 * Accepting never dies: out of file descriptors it drops what waits, so that
 * clients see a close instead of silence, and pauses for 100 ms.
 */
#ifndef ALK_TRANSPORT_LISTENER_H
#define ALK_TRANSPORT_LISTENER_H

#include <stddef.h>

struct alk_address;
struct alk_error;
struct alk_listener;
struct alk_log;
struct alk_loop;
struct alk_stream;

/* A new connection; the callee owns the stream. May close the listener. */
typedef void (*alk_accept_fn)(void *user, struct alk_stream *stream);

/* Binds and listens. An IPv6 address serves IPv6 only. A Unix socket gets mode
 * 0600; a socket file that nobody serves any more is replaced. log may be NULL,
 * else it outlives the listener.
 * ALK_E_EXISTS address in use, ALK_E_DENIED, ALK_E_UNREACHABLE address not of this
 * machine, ALK_E_NOTFOUND no such directory, ALK_E_IO ...; error says it all. */
int alk_listener_new(struct alk_listener **out, const struct alk_address *address,
                     const struct alk_log *log, struct alk_error *error);

/* Up to *count listeners on one TCP address, for as many loops: the kernel spreads
 * connections over them (SO_REUSEPORT). All get the port that the first one got.
 * A port that another program serves is refused as ever, also when that program
 * shares it. A Unix socket cannot be spread: *count becomes 1. On failure none
 * is left open. */
int alk_listener_new_group(struct alk_listener **out, size_t *count,
                           const struct alk_address *address, const struct alk_log *log,
                           struct alk_error *error);

/* Takes a socket that somebody else has bound and that listens (systemd's socket activation).
 * fd belongs to the listener when this succeeds. ALK_E_INVAL when it is no such socket. The file
 * of a Unix socket is not ours and stays. */
int alk_listener_adopt(struct alk_listener **out, int fd, const struct alk_log *log,
                       struct alk_error *error);

/* Accepts from now on; on loop's thread, or while the loop does not run. */
int alk_listener_start(struct alk_listener *listener, struct alk_loop *loop, alk_accept_fn fn,
                       void *user);

/* Stops, closes and frees; NULL is allowed. Removes the Unix socket's file if it
 * is still the one this listener made. Allowed from within the callback. */
void alk_listener_close(struct alk_listener *listener);

/* Where it listens, with the port that the kernel chose. Borrowed. */
const struct alk_address *alk_listener_address(const struct alk_listener *listener);

#endif
