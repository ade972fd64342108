#include "tunnel.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FORWARDS_MAX = 8, PAIRS_MAX = 256, PIECE = 32 * 1024, SOON_MS = 2, LATER_MS = 1000 };

struct forward {
    int fd; /* the listener; -1 where the server listens */
    int port;
    char host[64];
    int target;
};

struct half {
    char data[PIECE];
    size_t len;
    bool ended, told;
};

struct pair {
    void *channel; /* NULL: a free place */
    int fd;
    struct half up, down; /* to the channel, to the socket */
};

static const struct backend *lib;
static struct forward forwards[FORWARDS_MAX];
static int forward_count;
static struct pair pairs[PAIRS_MAX];

void die(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s\n", what, why);
    exit(2);
}

static struct sockaddr_in address_of(const char *host, int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};

    if (inet_pton(AF_INET, host, &address.sin_addr) != 1)
        die("not an address", host);
    return address;
}

static int connect_to(const char *host, int port)
{
    struct sockaddr_in address = address_of(host, port);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        die("connect", strerror(errno));
    return fd;
}

static int listen_on(const char *host, int port)
{
    struct sockaddr_in address = address_of(host, port);
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
        listen(fd, 128) != 0)
        die("listen", strerror(errno));
    return fd;
}

static void add_pair(void *channel, int fd)
{
    if (channel == NULL) {
        close(fd);
        return;
    }
    for (int i = 0; i < PAIRS_MAX; i++) {
        if (pairs[i].channel == NULL) {
            pairs[i] = (struct pair){.channel = channel, .fd = fd};
            fcntl(fd, F_SETFL, O_NONBLOCK);
            return;
        }
    }
    die("pairs", "too many");
}

/* Each step returns true when something moved. */

static bool step_up(struct pair *p)
{
    bool moved = false;

    if (p->up.len == 0 && !p->up.ended) {
        ssize_t n = read(p->fd, p->up.data, PIECE);
        moved = n >= 0 || errno != EAGAIN;
        p->up.ended = moved && n <= 0;
        p->up.len = n > 0 ? (size_t)n : 0;
    }
    if (p->up.len > 0) {
        ssize_t n = lib->write(p->channel, p->up.data, p->up.len);
        if (n > 0) {
            memmove(p->up.data, p->up.data + n, p->up.len - (size_t)n);
            p->up.len -= (size_t)n;
            moved = true;
        }
    }
    if (p->up.ended && p->up.len == 0 && !p->up.told) {
        lib->finish(p->channel);
        p->up.told = moved = true;
    }
    return moved;
}

static bool step_down(struct pair *p)
{
    bool moved = false;

    if (p->down.len == 0 && !p->down.ended) {
        ssize_t n = lib->read(p->channel, p->down.data, PIECE);
        moved = n != NOTHING_NOW;
        p->down.ended = n == 0;
        p->down.len = n > 0 ? (size_t)n : 0;
    }
    if (p->down.len > 0) {
        ssize_t n = send(p->fd, p->down.data, p->down.len, MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN) { /* nobody is there any more */
            p->down.len = 0;
            p->down.ended = p->up.ended = moved = true;
        } else if (n > 0) {
            memmove(p->down.data, p->down.data + n, p->down.len - (size_t)n);
            p->down.len -= (size_t)n;
            moved = true;
        }
    }
    if (p->down.ended && p->down.len == 0 && !p->down.told) {
        shutdown(p->fd, SHUT_WR);
        p->down.told = moved = true;
    }
    return moved;
}

static bool step_pairs(void)
{
    bool moved = false;

    for (int i = 0; i < PAIRS_MAX; i++) {
        struct pair *p = &pairs[i];
        if (p->channel == NULL)
            continue;
        moved |= step_up(p);
        moved |= step_down(p);
        if (p->up.told && p->down.told) {
            lib->close(p->channel);
            close(p->fd);
            p->channel = NULL;
        }
    }
    return moved;
}

static bool step_forwards(void)
{
    bool moved = false;
    void *channel;
    int port;

    for (int i = 0; i < forward_count; i++) {
        int fd = forwards[i].fd < 0 ? -1 : accept(forwards[i].fd, NULL, NULL);
        if (fd >= 0) {
            add_pair(lib->open(forwards[i].host, forwards[i].target), fd);
            moved = true;
        }
    }
    while ((channel = lib->accept(&port)) != NULL) {
        for (int i = 0; i < forward_count; i++) {
            if (forwards[i].fd < 0 && forwards[i].port == port)
                add_pair(channel, connect_to(forwards[i].host, forwards[i].target));
        }
        moved = true;
    }
    return moved;
}

static void wait_for_something(int session_fd)
{
    struct pollfd fds[2 + FORWARDS_MAX + PAIRS_MAX] = {{.fd = session_fd, .events = POLLIN},
                                                       {.fd = STDIN_FILENO, .events = POLLIN}};
    nfds_t count = 2;
    int wait = LATER_MS;

    for (int i = 0; i < forward_count; i++)
        fds[count++] = (struct pollfd){.fd = forwards[i].fd, .events = POLLIN};
    for (int i = 0; i < PAIRS_MAX; i++) {
        struct pair *p = &pairs[i];
        if (p->channel == NULL)
            continue;
        if (p->up.len > 0) /* the library does not say for what it waits */
            wait = SOON_MS;
        fds[count++] = (struct pollfd){
            .fd = p->fd,
            .events = (short)((p->up.ended || p->up.len > 0 ? 0 : POLLIN) |
                              (p->down.len > 0 ? POLLOUT : 0)),
        };
    }
    poll(fds, count, wait);
    if (fds[1].revents != 0) {
        lib->leave();
        exit(0);
    }
}

static struct forward *new_forward(const char *spec)
{
    if (forward_count == FORWARDS_MAX)
        die("too many forwards", spec);
    return &forwards[forward_count++];
}

static void add_local(const char *spec)
{
    struct forward *f = new_forward(spec);
    char from[64];

    if (sscanf(spec, "%63[0-9.]:%d:%63[0-9.]:%d", from, &f->port, f->host, &f->target) != 4)
        die("not a forward", spec);
    f->fd = listen_on(from, f->port);
    fcntl(f->fd, F_SETFL, O_NONBLOCK);
}

static void add_remote(const char *spec)
{
    struct forward *f = new_forward(spec);

    if (sscanf(spec, "%d:%63[0-9.]:%d", &f->port, f->host, &f->target) != 3)
        die("not a forward", spec);
    f->fd = -1;
    lib->listen(f->port);
}

int tunnel_main(int argc, char **argv, const struct backend *backend)
{
    lib = backend;
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        puts(lib->version());
        return 0;
    }
    if (argc < 6)
        die("usage", "see README");
    struct options options = {.host = argv[1],
                              .port = atoi(argv[2]),
                              .user = argv[3],
                              .key = argv[4],
                              .host_key = argv[5]};
    for (int i = 6; i < argc; i++)
        options.rekey |= strcmp(argv[i], "--rekey") == 0;
    int fd = connect_to(options.host, options.port);
    if (lib->login(&options, fd) != 0) {
        fprintf(stderr, "refused\n");
        return 1;
    }
    for (int i = 6; i + 1 < argc; i++) {
        if (strcmp(argv[i], "-L") == 0)
            add_local(argv[i + 1]);
        else if (strcmp(argv[i], "-R") == 0)
            add_remote(argv[i + 1]);
    }
    for (;;) {
        while (step_forwards() | step_pairs())
            ;
        wait_for_something(fd);
    }
}
