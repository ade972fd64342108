#include "transport/listener.h"
#include "transport/address.h"
#include "transport/bind.h"
#include "transport/fd_stream.h"
#include "transport/socket.h"

#include <alk/log.h>
#include <alk/loop.h>
#include <alk/status.h>
#include <alk/stream.h>

#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    ACCEPT_BATCH = 32, /* connections per turn of the loop, to be fair to the others */
    PAUSE_MS = 100,
};

struct alk_listener {
    int fd;
    int spare_fd; /* given up for a moment to drop a connection when none is left */
    struct alk_address address;
    struct alk_socket_file file; /* of a Unix socket */
    const struct alk_log *log;
    struct alk_loop *loop; /* NULL before start */
    struct event event;
    struct alk_timer *pause;
    alk_accept_fn fn;
    void *user;
    bool accepting; /* on_event is on the stack */
    bool closed;    /* during that: on_event frees */
    bool paused;    /* no connection since the last pause, which was logged */
};

static int open_spare(void)
{
    return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static int new_listener(struct alk_listener **out, const struct alk_address *address,
                        enum alk_bind_share share, const struct alk_log *log,
                        struct alk_error *error)
{
    struct alk_listener *listener = calloc(1, sizeof(*listener));

    if (listener == NULL)
        return alk_error_set(error, ALK_E_NOMEM, "out of memory");
    listener->address = *address;
    listener->log = log;
    listener->spare_fd = open_spare();
    int r = alk_bind(&listener->fd, &listener->address, share, &listener->file, error);
    if (r != ALK_OK) {
        alk_listener_close(listener);
        return r;
    }
    *out = listener;
    return ALK_OK;
}

int alk_listener_new(struct alk_listener **out, const struct alk_address *address,
                     const struct alk_log *log, struct alk_error *error)
{
    return new_listener(out, address, ALK_BIND_ALONE, log, error);
}

int alk_listener_new_group(struct alk_listener **out, size_t *count,
                           const struct alk_address *address, const struct alk_log *log,
                           struct alk_error *error)
{
    if (address->sa.any.sa_family == AF_UNIX && *count > 1)
        *count = 1;
    enum alk_bind_share share = *count > 1 ? ALK_BIND_FIRST : ALK_BIND_ALONE;
    for (size_t i = 0; i < *count; i++) {
        const struct alk_address *where = i == 0 ? address : &out[0]->address;
        int r = new_listener(&out[i], where, i == 0 ? share : ALK_BIND_FURTHER, log, error);
        if (r != ALK_OK) {
            while (i > 0)
                alk_listener_close(out[--i]);
            return r;
        }
    }
    return ALK_OK;
}

static bool is_listening_socket(int fd)
{
    int type = 0, listening = 0;
    socklen_t type_len = sizeof(type), listening_len = sizeof(listening);

    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_len) == 0 && type == SOCK_STREAM &&
           getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &listening_len) == 0 &&
           listening != 0;
}

int alk_listener_adopt(struct alk_listener **out, int fd, const struct alk_log *log,
                       struct alk_error *error)
{
    struct alk_address address = {.len = sizeof(address.sa)};

    if (!is_listening_socket(fd) || getsockname(fd, &address.sa.any, &address.len) != 0 ||
        fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) != 0 ||
        fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
        return alk_error_set(error, ALK_E_INVAL,
                             "descriptor %d is no socket that listens for streams", fd);
    struct alk_listener *listener = calloc(1, sizeof(*listener));
    if (listener == NULL)
        return alk_error_set(error, ALK_E_NOMEM, "out of memory");
    listener->fd = fd;
    listener->address = address;
    listener->log = log;
    listener->spare_fd = open_spare();
    *out = listener;
    return ALK_OK;
}

/* Closes one waiting connection with the descriptor kept for that. False when
 * none was waiting. */
static bool drop_one(struct alk_listener *listener)
{
    if (listener->spare_fd >= 0)
        close(listener->spare_fd);
    int fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd >= 0)
        close(fd);
    listener->spare_fd = open_spare();
    return fd >= 0;
}

static void pause_accepting(struct alk_listener *listener, int cause)
{
    if (!listener->paused)
        alk_log(listener->log, ALK_LOG_WARN, "cannot accept connections for now", "cause",
                alk_socket_cause(cause), (char *)NULL);
    listener->paused = true;
    for (int i = 0; i < ACCEPT_BATCH && (cause == EMFILE || cause == ENFILE); i++) {
        if (!drop_one(listener))
            break;
    }
    event_del(&listener->event);
    if (alk_timer_set(listener->pause, PAUSE_MS) != ALK_OK)
        event_add(&listener->event, NULL); /* rather busy than deaf */
}

static void on_pause_over(void *user)
{
    struct alk_listener *listener = user;

    if (event_add(&listener->event, NULL) != 0)
        alk_timer_set(listener->pause, PAUSE_MS);
}

/* Errors of the one connection that was to be accepted (accept(2) hands on pending
 * errors of the new socket); what is not among them is ours. */
static bool is_peers_error(int number)
{
    static const int numbers[] = {EINTR,        ECONNABORTED, EPROTO,      EPERM,
                                  ENETDOWN,     ENOPROTOOPT,  EHOSTDOWN,   ENONET,
                                  EHOSTUNREACH, EOPNOTSUPP,   ENETUNREACH, ETIMEDOUT};

    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        if (numbers[i] == number)
            return true;
    }
    return false;
}

/* One connection. 0, or the errno that ends this turn. */
static int accept_one(struct alk_listener *listener)
{
    struct alk_address peer = {.len = sizeof(peer.sa)};
    struct alk_stream *stream;
    int fd = accept4(listener->fd, &peer.sa.any, &peer.len, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd < 0)
        return is_peers_error(errno) ? 0 : errno;
    if (!alk_address_is_loopback(&listener->address))
        alk_socket_tune_accepted(fd, &peer);
    if (alk_fd_stream_adopt(&stream, listener->loop, fd, &peer) != ALK_OK) {
        close(fd);
        return ENOMEM;
    }
    listener->paused = false;
    listener->fn(listener->user, stream);
    return 0;
}

static void on_event(evutil_socket_t fd, short what, void *user)
{
    struct alk_listener *listener = user;
    int stop = 0;

    (void)fd;
    (void)what;
    listener->accepting = true;
    for (int i = 0; i < ACCEPT_BATCH && stop == 0 && !listener->closed; i++)
        stop = accept_one(listener);
    listener->accepting = false;
    if (listener->closed)
        alk_listener_close(listener);
    else if (stop != 0 && stop != EAGAIN)
        pause_accepting(listener, stop);
}

int alk_listener_start(struct alk_listener *listener, struct alk_loop *loop, alk_accept_fn fn,
                       void *user)
{
    int r = alk_timer_new(&listener->pause, loop, on_pause_over, listener);

    if (r != ALK_OK)
        return r;
    event_assign(&listener->event, alk_loop_base(loop), listener->fd, EV_READ | EV_PERSIST,
                 on_event, listener);
    if (event_add(&listener->event, NULL) != 0) {
        alk_timer_free(listener->pause);
        listener->pause = NULL;
        return ALK_E_NOMEM;
    }
    listener->loop = loop;
    listener->fn = fn;
    listener->user = user;
    return ALK_OK;
}

void alk_listener_close(struct alk_listener *listener)
{
    if (listener == NULL)
        return;
    if (listener->accepting) {
        listener->closed = true;
        return;
    }
    if (listener->loop != NULL)
        event_del(&listener->event);
    alk_timer_free(listener->pause);
    alk_socket_file_remove(&listener->file);
    if (listener->fd >= 0)
        close(listener->fd);
    if (listener->spare_fd >= 0)
        close(listener->spare_fd);
    free(listener);
}

const struct alk_address *alk_listener_address(const struct alk_listener *listener)
{
    return &listener->address;
}
