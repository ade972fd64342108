#include "pump.h"

#include "tool.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    CHUNK = 256 * 1024,             /* bytes per read or write */
    PATTERN = 1024 * 1024 - 3,      /* odd, so that a shifted or repeated packet shows */
    PATTERN_ROOM = PATTERN + CHUNK, /* any position has a whole chunk behind it */
    EVENTS = 64,
    CONNECTIONS_MAX = 1 << 16,
};

struct connection {
    int fd;
    size_t slot;
    _Atomic uint64_t bytes;
};

struct pump {
    enum pump_role role;
    bool verify;
    int epoll, listener;
    uint8_t *pattern, *buffer;
    _Atomic uint64_t faults;
    pthread_mutex_t lock; /* the slots */
    struct connection *slots[CONNECTIONS_MAX];
    size_t used;
};

/* The same in every process: xorshift from a fixed start. */
static uint8_t *pattern_make(void)
{
    uint8_t *pattern = tool_alloc(1, PATTERN_ROOM);
    uint64_t x = 0x9e3779b97f4a7c15u;

    for (size_t i = 0; i < PATTERN; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        pattern[i] = (uint8_t)(x >> 32);
    }
    memcpy(pattern + PATTERN, pattern, CHUNK);
    return pattern;
}

void pump_add(struct pump *pump, int fd)
{
    struct connection *c = tool_alloc(1, sizeof(*c));
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};

    if (pump->role == PUMP_SOURCE)
        event.events = EPOLLOUT;
    c->fd = fd;
    tool_nonblocking(fd);
    pthread_mutex_lock(&pump->lock);
    if (pump->used == CONNECTIONS_MAX)
        tool_die("more than %d connections at once", CONNECTIONS_MAX);
    c->slot = pump->used++;
    pump->slots[c->slot] = c;
    pthread_mutex_unlock(&pump->lock);
    if (epoll_ctl(pump->epoll, EPOLL_CTL_ADD, fd, &event) != 0)
        tool_die("epoll: %s", strerror(errno));
}

static void drop(struct pump *pump, struct connection *c)
{
    pthread_mutex_lock(&pump->lock);
    pump->slots[c->slot] = pump->slots[--pump->used];
    pump->slots[c->slot]->slot = c->slot;
    pthread_mutex_unlock(&pump->lock);
    close(c->fd);
    free(c);
}

static void accept_one(struct pump *pump)
{
    int one = 1;
    int fd = accept4(pump->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd < 0) {
        if (errno == EMFILE || errno == ENFILE)
            tool_die("accept: %s", strerror(errno));
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    pump_add(pump, fd);
}

static bool would_block(void)
{
    return errno == EAGAIN || errno == EINTR;
}

/* Each of these moves one chunk; false: the connection is over. */
static bool send_pattern(struct pump *pump, struct connection *c)
{
    ssize_t n = write(c->fd, pump->pattern + c->bytes % PATTERN, CHUNK);

    if (n > 0)
        c->bytes += (uint64_t)n;
    return n > 0 || would_block();
}

static void check(struct pump *pump, uint64_t at, size_t len)
{
    if (memcmp(pump->buffer, pump->pattern + at % PATTERN, len) != 0)
        pump->faults++;
}

static bool swallow(struct pump *pump, struct connection *c)
{
    ssize_t n = read(c->fd, pump->buffer, CHUNK);

    if (n > 0) {
        if (pump->verify)
            check(pump, c->bytes, (size_t)n);
        c->bytes += (uint64_t)n;
    }
    return n > 0 || (n < 0 && would_block());
}

static bool echo(struct pump *pump, struct connection *c)
{
    ssize_t n = read(c->fd, pump->buffer, CHUNK);

    if (n > 0) {
        c->bytes += (uint64_t)n;
        /* callers have little under way, so a full socket buffer is a fault of theirs */
        return write(c->fd, pump->buffer, (size_t)n) == n;
    }
    return n < 0 && would_block();
}

static bool serve(struct pump *pump, struct connection *c)
{
    switch (pump->role) {
    case PUMP_SOURCE:
        return send_pattern(pump, c);
    case PUMP_SINK:
        return swallow(pump, c);
    default:
        return echo(pump, c);
    }
}

static void *run(void *user)
{
    struct pump *pump = user;
    struct epoll_event events[EVENTS];

    for (;;) {
        int count = epoll_wait(pump->epoll, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            struct connection *c = events[i].data.ptr;
            if (c == NULL)
                accept_one(pump);
            else if (!serve(pump, c))
                drop(pump, c);
        }
    }
    return NULL;
}

struct pump *pump_new(enum pump_role role, bool verify)
{
    struct pump *pump = tool_alloc(1, sizeof(*pump));
    pthread_t thread;

    pump->role = role;
    pump->verify = verify;
    pump->epoll = epoll_create1(EPOLL_CLOEXEC);
    pump->pattern = pattern_make();
    pump->buffer = tool_alloc(1, CHUNK);
    pthread_mutex_init(&pump->lock, NULL);
    if (pump->epoll < 0 || pthread_create(&thread, NULL, run, pump) != 0)
        tool_die("cannot start a pump: %s", strerror(errno));
    pthread_detach(thread);
    return pump;
}

uint16_t pump_listen(struct pump *pump)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    uint16_t port = 0;

    pump->listener = tool_listen(&port);
    tool_nonblocking(pump->listener);
    if (epoll_ctl(pump->epoll, EPOLL_CTL_ADD, pump->listener, &event) != 0)
        tool_die("epoll: %s", strerror(errno));
    return port;
}

size_t pump_snapshot(struct pump *pump, uint64_t *bytes, size_t max)
{
    pthread_mutex_lock(&pump->lock);
    size_t count = pump->used < max ? pump->used : max;
    for (size_t i = 0; i < count; i++)
        bytes[i] = pump->slots[i]->bytes;
    pthread_mutex_unlock(&pump->lock);
    return count;
}

uint64_t pump_faults(struct pump *pump)
{
    return pump->faults;
}
