/*
 * A stream over a connected socket, TCP or Unix.
 */
#ifndef ALK_TRANSPORT_FD_STREAM_H
#define ALK_TRANSPORT_FD_STREAM_H

struct alk_address;
struct alk_loop;
struct alk_stream;

/* Makes a stream of a connected, non-blocking socket. transport is "tcp" or
 * "unix" (static strings of the stream's ops); on TCP the socket gets TCP_NODELAY
 * and SO_KEEPALIVE. The peer is asked of the kernel. On success the stream owns
 * fd; on failure (ALK_E_NOMEM, ALK_E_INVAL) the caller still does. */
int alk_fd_stream_new(struct alk_stream **out, struct alk_loop *loop, int fd,
                      const char *transport);

/* The same without a system call, for who knows the peer and has seen to the
 * socket's options: accept and dial. The transport follows from the family. */
int alk_fd_stream_adopt(struct alk_stream **out, struct alk_loop *loop, int fd,
                        const struct alk_address *peer);

#endif
