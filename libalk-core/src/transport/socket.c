#include "transport/socket.h"
#include "transport/address.h"

#include <alk/status.h>

#include <errno.h>
#include <netinet/tcp.h>
#include <stddef.h>

static const struct cause {
    int number, status;
    const char *text;
} causes[] = {
    {EAGAIN, ALK_E_AGAIN, "not ready"},
    {ECONNRESET, ALK_E_CLOSED, "connection reset"},
    {EPIPE, ALK_E_CLOSED, "connection closed"},
    {ENOTCONN, ALK_E_CLOSED, "connection closed"},
    {ECONNABORTED, ALK_E_CLOSED, "connection aborted"},
    {ECONNREFUSED, ALK_E_REFUSED, "connection refused"},
    {ENETUNREACH, ALK_E_UNREACHABLE, "network unreachable"},
    {EHOSTUNREACH, ALK_E_UNREACHABLE, "no route to the host"},
    {ENETDOWN, ALK_E_UNREACHABLE, "network down"},
    {EHOSTDOWN, ALK_E_UNREACHABLE, "host down"},
    {EADDRNOTAVAIL, ALK_E_UNREACHABLE, "address not available on this machine"},
    {EAFNOSUPPORT, ALK_E_UNREACHABLE, "address family not supported on this machine"},
    {ETIMEDOUT, ALK_E_TIMEOUT, "timed out"},
    {EACCES, ALK_E_DENIED, "permission denied"},
    {EPERM, ALK_E_DENIED, "permission denied"},
    {ENOENT, ALK_E_NOTFOUND, "no such file or directory"},
    {ENOTDIR, ALK_E_NOTFOUND, "no such directory"},
    {EADDRINUSE, ALK_E_EXISTS, "address already in use"},
    {EMFILE, ALK_E_LIMIT, "too many open files"},
    {ENFILE, ALK_E_LIMIT, "too many open files"},
    {ENOBUFS, ALK_E_LIMIT, "out of socket memory"},
    {ENOMEM, ALK_E_NOMEM, "out of memory"},
    {EINVAL, ALK_E_INVAL, "invalid address"},
    {EPROTOTYPE, ALK_E_INVAL, "not a stream socket"},
    {ENOTSOCK, ALK_E_INVAL, "not a socket"},
};

static const struct cause *find(int number)
{
    static const struct cause other = {0, ALK_E_IO, "input/output error"};

    for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++) {
        if (causes[i].number == number)
            return &causes[i];
    }
    return &other;
}

int alk_status_from_errno(int number)
{
    return find(number)->status;
}

const char *alk_socket_cause(int number)
{
    return find(number)->text;
}

int alk_socket_open(const struct alk_address *address)
{
    return socket(address->sa.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

/* A path within this machine has no congestion to control, and a control that paces what it
 * sends with timers, as BBR does, costs a fifth of the throughput there. Where it is not
 * allowed, all works as before. */
static void tune_loopback(int fd)
{
    static const char plain[] = "reno";

    setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, plain, sizeof(plain) - 1);
}

void alk_socket_tune_tcp(int fd, const struct alk_address *end)
{
    int on = 1;

    /* Each may fail on a socket that died already; the next read will tell. */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    if (alk_address_is_loopback(end))
        tune_loopback(fd);
}

void alk_socket_tune_accepted(int fd, const struct alk_address *peer)
{
    if (alk_address_is_loopback(peer))
        tune_loopback(fd);
}
