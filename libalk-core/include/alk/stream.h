/*
 * A duplex byte stream, whatever carries it (TCP, a Unix socket, TLS, later
 * QUIC). Transports make streams; the SSH interface and the relay consume them
 * and never see a file descriptor.
 *
 * A stream belongs to one loop and is used on that loop's thread only. Nothing
 * here blocks. An implementation fills a const struct alk_stream_ops and embeds
 * struct alk_stream as its first member.
 */
#ifndef ALK_STREAM_H
#define ALK_STREAM_H

#include <stddef.h>
#include <sys/types.h>
#include <sys/uio.h>

struct alk_loop;
struct alk_stream;

/* What carries the connections between client and server. */
enum alk_transport {
    ALK_TRANSPORT_TCP, /* nothing but the socket, TCP or Unix */
    ALK_TRANSPORT_TLS, /* TLS 1.3 or 1.2 on it */
};

enum alk_readiness { ALK_READABLE = 1, ALK_WRITABLE = 2 };

/* Called while the stream is ready for something that was asked for with
 * alk_stream_watch; called again (level-triggered) until it is taken or no longer
 * watched. `ready` is a set of enum alk_readiness. An error or a hang-up is
 * reported as readable and/or writable: the next read or write tells.
 * The stream may be closed from within the callback. */
typedef void (*alk_stream_fn)(struct alk_stream *stream, unsigned ready, void *user);

struct alk_stream_ops {
    const char *transport; /* "tcp", "unix", ... for logs and policy */
    ssize_t (*read)(struct alk_stream *stream, void *data, size_t len);
    /* may be NULL: then only the first part is filled, by read */
    ssize_t (*readv)(struct alk_stream *stream, const struct iovec *parts, int count);
    ssize_t (*writev)(struct alk_stream *stream, const struct iovec *parts, int count);
    int (*finish)(struct alk_stream *stream);
    void (*watch)(struct alk_stream *stream, unsigned interest);
    void (*close)(struct alk_stream *stream);
    /* may be NULL: then alk_stream_abort is a plain close */
    void (*abort)(struct alk_stream *stream);
    /* may be NULL: nothing below the stream queues much */
    void (*limit_unsent)(struct alk_stream *stream, size_t bytes);
    void (*limit_unread)(struct alk_stream *stream, size_t bytes, unsigned path_us);
};

struct alk_stream {
    const struct alk_stream_ops *ops;
    struct alk_loop *loop;
    alk_stream_fn on_ready;
    void *user;
    char peer[64];      /* numeric peer address without port, "" when unknown */
    unsigned peer_port; /* 0 when unknown */
};

/* Who is called when the stream is ready. Starts with nothing watched. */
void alk_stream_set_handler(struct alk_stream *stream, alk_stream_fn fn, void *user);

/* Replaces the set of readiness to report (0 = none). Cheap when unchanged. */
void alk_stream_watch(struct alk_stream *stream, unsigned interest);

/* Reads up to len bytes: > 0 bytes read, 0 end of stream, ALK_E_AGAIN, or an error. */
ssize_t alk_stream_read(struct alk_stream *stream, void *data, size_t len);

/* The same into several places, in order; the last ones may stay untouched. */
ssize_t alk_stream_readv(struct alk_stream *stream, const struct iovec *parts, int count);

/* Writes some of the parts: >= 0 bytes taken, ALK_E_AGAIN, or an error. */
ssize_t alk_stream_writev(struct alk_stream *stream, const struct iovec *parts, int count);
ssize_t alk_stream_write(struct alk_stream *stream, const void *data, size_t len);

/* Counts as writable only while less than `bytes` wait unsent below the stream, so that what
 * is written now is not stuck behind what was written long ago. */
void alk_stream_limit_unsent(struct alk_stream *stream, size_t bytes);

/* The same for the other end: at most about `bytes` that we have not read may be on the way,
 * if a round trip takes no longer than path_us microseconds; on a longer path it would cost
 * throughput, and nothing is done. */
void alk_stream_limit_unread(struct alk_stream *stream, size_t bytes, unsigned path_us);

/* Half close: the peer reads end of stream after what was written. */
int alk_stream_finish(struct alk_stream *stream);

/* Closes and frees the stream; the handler is not called again. */
void alk_stream_close(struct alk_stream *stream);

/* As close, but tells the peer that the data ended abruptly (TCP: reset). */
void alk_stream_abort(struct alk_stream *stream);

#endif
