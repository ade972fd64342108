/*
 * New connections per second through a SOCKS5 proxy (or straight): each one is greeted, asks
 * for an echo target, exchanges one byte with it, and is closed; --parallel of them are under
 * way at any time. Ends after --seconds, or after --count connections if that is given.
 * Prints one JSON object.
 */
#include "pump.h"
#include "tool.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { PARALLEL_MAX = 1024, EVENTS = 64 };

enum step { METHOD, REPLY, ECHO }; /* what is waited for */

struct visit {
    int fd;
    enum step step;
    uint8_t answer[TOOL_SOCKS_REPLY];
    size_t have; /* bytes of the answer that have come */
};

struct rate {
    unsigned socks, parallel, count;
    double seconds;
    uint16_t target;
    int epoll;
    uint64_t done;
};

static const size_t expected[] = {[METHOD] = 2, [REPLY] = TOOL_SOCKS_REPLY, [ECHO] = 1};

static void begin(struct rate *r, struct visit *v)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = v};

    v->have = 0;
    v->fd = tool_connect(r->socks != 0 ? (uint16_t)r->socks : r->target);
    if (r->socks != 0) {
        v->step = METHOD;
        tool_write_all(v->fd, tool_socks_greeting, TOOL_SOCKS_GREETING, "SOCKS greeting");
    } else {
        v->step = ECHO;
        tool_write_all(v->fd, "x", 1, "echo");
    }
    tool_nonblocking(v->fd);
    if (epoll_ctl(r->epoll, EPOLL_CTL_ADD, v->fd, &event) != 0)
        tool_die("epoll: %s", strerror(errno));
}

/* The answer to one step is complete: take the next. */
static void advance(struct rate *r, struct visit *v)
{
    uint8_t request[TOOL_SOCKS_REQUEST];

    v->have = 0;
    switch (v->step) {
    case METHOD:
        tool_socks_request(request, r->target);
        tool_write_all(v->fd, request, sizeof(request), "SOCKS request");
        v->step = REPLY;
        break;
    case REPLY:
        if (v->answer[1] != 0)
            tool_die("the proxy refused: code %u", v->answer[1]);
        tool_write_all(v->fd, "x", 1, "echo");
        v->step = ECHO;
        break;
    case ECHO:
        close(v->fd);
        r->done++;
        begin(r, v);
    }
}

static void readable(struct rate *r, struct visit *v)
{
    ssize_t n = read(v->fd, v->answer + v->have, expected[v->step] - v->have);

    if (n <= 0) {
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        tool_die("connection %llu: %s", (unsigned long long)r->done,
                 n == 0 ? "ended early" : strerror(errno));
    }
    v->have += (size_t)n;
    if (v->have == expected[v->step])
        advance(r, v);
}

static double run(struct rate *r)
{
    static struct visit visits[PARALLEL_MAX];
    struct epoll_event events[EVENTS];
    uint64_t start = tool_now(), end = start + (uint64_t)(r->seconds * 1e9);

    for (unsigned i = 0; i < r->parallel; i++)
        begin(r, &visits[i]);
    while (r->count > 0 ? r->done < r->count : tool_now() < end) {
        int count = epoll_wait(r->epoll, events, EVENTS, 100);
        for (int i = 0; i < count; i++)
            readable(r, events[i].data.ptr);
    }
    return (double)(tool_now() - start) / 1e9;
}

int main(int argc, char **argv)
{
    struct rate r = {.parallel = 16, .seconds = 2};
    const struct tool_option options[] = {
        {"--socks", TOOL_NUMBER, &r.socks},
        {"--parallel", TOOL_NUMBER, &r.parallel},
        {"--seconds", TOOL_REAL, &r.seconds},
        {"--count", TOOL_NUMBER, &r.count},
        {NULL, TOOL_FLAG, NULL},
    };

    tool_start();
    tool_options(argc, argv, options);
    if (r.parallel == 0 || r.parallel > PARALLEL_MAX)
        tool_die("--parallel wants 1 to %d", PARALLEL_MAX);
    r.epoll = epoll_create1(EPOLL_CLOEXEC);
    r.target = pump_listen(pump_new(PUMP_ECHO, false));
    double seconds = run(&r);
    printf("{\"per_second\": %.1f, \"connections\": %llu}\n", (double)r.done / seconds,
           (unsigned long long)r.done);
    return 0;
}
