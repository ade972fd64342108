#include "transport/fd_stream.h"
#include "transport/address.h"
#include "transport/socket.h"

#include <alk/loop.h>
#include <alk/status.h>
#include <alk/stream.h>

#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <limits.h>
#include <linux/tcp.h> /* its tcp_info knows more than that of netinet/tcp.h */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One allocation per stream: libevent's event is part of it. */
struct fd_stream {
    struct alk_stream base;
    int fd;
    unsigned interest;
    struct event event; /* valid, and in the loop, while interest != 0 */
};

static ssize_t stream_read(struct alk_stream *base, void *data, size_t len)
{
    struct fd_stream *stream = (struct fd_stream *)base;
    ssize_t n;

    if (len == 0)
        return ALK_E_INVAL; /* 0 would read as end of stream */
    do {
        n = recv(stream->fd, data, len, 0);
    } while (n < 0 && errno == EINTR);
    return n >= 0 ? n : alk_status_from_errno(errno);
}

static ssize_t stream_readv(struct alk_stream *base, const struct iovec *parts, int count)
{
    struct fd_stream *stream = (struct fd_stream *)base;
    ssize_t n;

    do {
        n = readv(stream->fd, parts, count);
    } while (n < 0 && errno == EINTR);
    return n >= 0 ? n : alk_status_from_errno(errno);
}

static ssize_t stream_writev(struct alk_stream *base, const struct iovec *parts, int count)
{
    struct fd_stream *stream = (struct fd_stream *)base;
    union { /* sendmsg does not write through msg_iov; its type cannot say so */
        const struct iovec *in;
        struct iovec *out;
    } iov = {.in = parts};
    struct msghdr message = {.msg_iov = iov.out};
    ssize_t n;

    if (count <= 0)
        return 0;
    message.msg_iovlen = count < IOV_MAX ? (size_t)count : IOV_MAX;
    do {
        n = sendmsg(stream->fd, &message, MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    return n >= 0 ? n : alk_status_from_errno(errno);
}

static int stream_finish(struct alk_stream *base)
{
    struct fd_stream *stream = (struct fd_stream *)base;

    return shutdown(stream->fd, SHUT_WR) == 0 ? ALK_OK : alk_status_from_errno(errno);
}

static void on_event(evutil_socket_t fd, short what, void *user)
{
    struct fd_stream *stream = user;
    unsigned ready =
        ((what & EV_READ) != 0 ? ALK_READABLE : 0U) | ((what & EV_WRITE) != 0 ? ALK_WRITABLE : 0U);

    (void)fd;
    alk_loop_note_traffic(stream->base.loop);
    if (stream->base.on_ready != NULL)
        stream->base.on_ready(&stream->base, ready, stream->base.user);
}

static void stream_watch(struct alk_stream *base, unsigned interest)
{
    struct fd_stream *stream = (struct fd_stream *)base;
    short what = EV_PERSIST;

    if (interest == stream->interest)
        return;
    if (stream->interest != 0)
        event_del(&stream->event);
    stream->interest = interest;
    if (interest == 0)
        return;
    if ((interest & ALK_READABLE) != 0)
        what |= EV_READ;
    if ((interest & ALK_WRITABLE) != 0)
        what |= EV_WRITE;
    event_assign(&stream->event, alk_loop_base(base->loop), stream->fd, what, on_event, stream);
    /* Only running out of memory fails here, and then with nobody to tell: the
     * owner's time-outs end the connection. */
    if (event_add(&stream->event, NULL) != 0)
        stream->interest = 0;
}

static void stream_close(struct alk_stream *base)
{
    struct fd_stream *stream = (struct fd_stream *)base;

    if (stream->interest != 0)
        event_del(&stream->event);
    close(stream->fd);
    free(stream);
}

static void tcp_abort(struct alk_stream *base)
{
    struct fd_stream *stream = (struct fd_stream *)base;
    struct linger reset = {.l_onoff = 1, .l_linger = 0};

    setsockopt(stream->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    stream_close(base);
}

static void tcp_limit_unsent(struct alk_stream *base, size_t bytes)
{
    struct fd_stream *stream = (struct fd_stream *)base;
    unsigned limit = bytes < INT_MAX ? (unsigned)bytes : INT_MAX;

    /* a kernel without it queues more, which is slower but not wrong */
    (void)setsockopt(stream->fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &limit, sizeof(limit));
}

/* A fixed receive buffer: unlike TCP_WINDOW_CLAMP the kernel does not raise it again. */
static void tcp_limit_unread(struct alk_stream *base, size_t bytes, unsigned path_us)
{
    struct fd_stream *stream = (struct fd_stream *)base;
    int limit = bytes < INT_MAX ? (int)bytes : INT_MAX;
    struct tcp_info info = {0};
    socklen_t len = sizeof(info);

    if (getsockopt(stream->fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 &&
        len >= offsetof(struct tcp_info, tcpi_min_rtt) + sizeof(info.tcpi_min_rtt) &&
        info.tcpi_min_rtt <= path_us)
        (void)setsockopt(stream->fd, SOL_SOCKET, SO_RCVBUF, &limit, sizeof(limit));
}

static const struct alk_stream_ops tcp_ops = {
    .transport = "tcp",
    .read = stream_read,
    .readv = stream_readv,
    .writev = stream_writev,
    .finish = stream_finish,
    .watch = stream_watch,
    .close = stream_close,
    .abort = tcp_abort,
    .limit_unsent = tcp_limit_unsent,
    .limit_unread = tcp_limit_unread,
};

static const struct alk_stream_ops unix_ops = {
    .transport = "unix",
    .read = stream_read,
    .readv = stream_readv,
    .writev = stream_writev,
    .finish = stream_finish,
    .watch = stream_watch,
    .close = stream_close,
    .abort = NULL,
};

static struct fd_stream *new_stream(struct alk_loop *loop, int fd, const struct alk_stream_ops *ops)
{
    struct fd_stream *stream = calloc(1, sizeof(*stream));

    if (stream == NULL)
        return NULL;
    stream->base.ops = ops;
    stream->base.loop = loop;
    stream->fd = fd;
    return stream;
}

static void set_peer(struct alk_stream *stream, const struct alk_address *peer)
{
    alk_address_host(peer, stream->peer, sizeof(stream->peer));
    stream->peer_port = alk_address_port(peer);
}

int alk_fd_stream_new(struct alk_stream **out, struct alk_loop *loop, int fd, const char *transport)
{
    bool tcp = strcmp(transport, tcp_ops.transport) == 0;
    struct alk_address peer = {.len = sizeof(peer.sa)};

    if (!tcp && strcmp(transport, unix_ops.transport) != 0)
        return ALK_E_INVAL;
    struct fd_stream *stream = new_stream(loop, fd, tcp ? &tcp_ops : &unix_ops);
    if (stream == NULL)
        return ALK_E_NOMEM;
    if (tcp) {
        if (getpeername(fd, &peer.sa.any, &peer.len) == 0)
            set_peer(&stream->base, &peer);
        alk_socket_tune_tcp(fd, &peer);
    }
    *out = &stream->base;
    return ALK_OK;
}

int alk_fd_stream_adopt(struct alk_stream **out, struct alk_loop *loop, int fd,
                        const struct alk_address *peer)
{
    bool local = peer->sa.any.sa_family == AF_UNIX;
    struct fd_stream *stream = new_stream(loop, fd, local ? &unix_ops : &tcp_ops);

    if (stream == NULL)
        return ALK_E_NOMEM;
    set_peer(&stream->base, peer);
    *out = &stream->base;
    return ALK_OK;
}
