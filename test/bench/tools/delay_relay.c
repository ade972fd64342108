/*
 * A TCP relay that hands every byte on after a fixed delay in each direction, at any rate: a
 * long path without loss. It reads at once whatever comes, so the queue holds what would be
 * on the way.
 *
 *     delay_relay --target PORT --delay-ms 50      prints the port to use
 */
#include "tool.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { READ_SIZE = 256 * 1024, QUEUE_MAX = 512 * 1024 * 1024 };

struct piece {
    struct piece *next;
    uint64_t due;
    size_t len; /* 0: the end of the data */
    uint8_t data[];
};

/* One direction: a thread that reads and one that writes, and what is between them. */
struct lane {
    int from, to;
    uint64_t delay;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct piece *head, **tail;
    size_t queued;
};

static void append(struct lane *lane, const void *data, size_t len)
{
    struct piece *piece = tool_alloc(1, sizeof(*piece) + len);

    piece->due = tool_now() + lane->delay;
    piece->len = len;
    memcpy(piece->data, data, len);
    pthread_mutex_lock(&lane->lock);
    while (lane->queued > QUEUE_MAX)
        pthread_cond_wait(&lane->changed, &lane->lock);
    *lane->tail = piece;
    lane->tail = &piece->next;
    lane->queued += len;
    pthread_cond_broadcast(&lane->changed);
    pthread_mutex_unlock(&lane->lock);
}

static struct piece *take(struct lane *lane)
{
    pthread_mutex_lock(&lane->lock);
    while (lane->head == NULL)
        pthread_cond_wait(&lane->changed, &lane->lock);
    struct piece *piece = lane->head;
    lane->head = piece->next;
    if (lane->head == NULL)
        lane->tail = &lane->head;
    lane->queued -= piece->len;
    pthread_cond_broadcast(&lane->changed);
    pthread_mutex_unlock(&lane->lock);
    return piece;
}

static void *run_reader(void *user)
{
    struct lane *lane = user;
    uint8_t *buffer = tool_alloc(1, READ_SIZE);
    ssize_t n;

    do {
        n = read(lane->from, buffer, READ_SIZE);
        append(lane, buffer, n > 0 ? (size_t)n : 0);
    } while (n > 0);
    free(buffer);
    return NULL;
}

/* Sockets and lanes live until the process ends: a bench opens a handful. */
static void *run_writer(void *user)
{
    struct lane *lane = user;
    bool open = true;

    while (open) {
        struct piece *piece = take(lane);
        tool_sleep_until(piece->due);
        open = piece->len > 0;
        for (size_t done = 0; open && done < piece->len;) {
            ssize_t n = write(lane->to, piece->data + done, piece->len - done);
            open = n > 0;
            done += n > 0 ? (size_t)n : 0;
        }
        free(piece);
    }
    shutdown(lane->to, SHUT_WR);
    shutdown(lane->from, SHUT_RD);
    return NULL;
}

static void start(int from, int to, double delay_ms)
{
    struct lane *lane = tool_alloc(1, sizeof(*lane));
    pthread_t reader, writer;

    *lane = (struct lane){.from = from, .to = to, .delay = (uint64_t)(delay_ms * 1e6)};
    lane->tail = &lane->head;
    pthread_mutex_init(&lane->lock, NULL);
    pthread_cond_init(&lane->changed, NULL);
    if (pthread_create(&reader, NULL, run_reader, lane) != 0 ||
        pthread_create(&writer, NULL, run_writer, lane) != 0)
        tool_die("cannot start a thread");
    pthread_detach(reader);
    pthread_detach(writer);
}

int main(int argc, char **argv)
{
    unsigned target = 0;
    double delay_ms = 50;
    const struct tool_option options[] = {{"--target", TOOL_NUMBER, &target},
                                          {"--delay-ms", TOOL_REAL, &delay_ms},
                                          {NULL, TOOL_FLAG, NULL}};
    uint16_t port = 0;
    int one = 1;

    tool_start();
    tool_options(argc, argv, options);
    int listener = tool_listen(&port);
    printf("listening on 127.0.0.1:%u\n", port);
    fflush(stdout);
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        if (fd < 0)
            tool_die("accept: %s", strerror(errno));
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        int on = tool_connect((uint16_t)target);
        start(fd, on, delay_ms);
        start(on, fd, delay_ms);
    }
}
