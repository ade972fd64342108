/*
 * A crowd: many SSH sessions to one server from one small process, for the load tests.
 *
 *     crowd HOST PORT KEY-FILE SESSIONS TARGET-HOST TARGET-PORT
 *
 * Sessions log in a few at a time (servers bound how many strangers may be half way in). Each
 * opens one channel to the target, an echo, and keeps it open. When all are in, "ready" is
 * printed, and every line on standard input is one round: each session sends a message of its
 * own and must get it back; then "round" is printed. End of input ends it. Exit status 1 and
 * one sentence when any session fails.
 */
#include <alk/key.h>
#include <alk/ssh.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { AT_ONCE = 8, MESSAGE = 64, ROUND_MS = 60000 };

struct member {
    int fd;
    unsigned number;
    struct alk_ssh *ssh;
    struct alk_ssh_channel *channel;
    bool in;
    char sent[MESSAGE], got[MESSAGE];
    size_t got_len;
};

static struct {
    struct member *members;
    unsigned count, started, in, echoed, round;
    struct alk_key *key;
    struct sockaddr_in server;
    const char *target;
    unsigned target_port;
    int epoll;
} crowd;

static uint64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void die(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
static void die(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    exit(1);
}

static void flush(struct member *m)
{
    const uint8_t *bytes;
    size_t len;

    while ((len = alk_ssh_output(m->ssh, &bytes)) > 0) {
        ssize_t n = send(m->fd, bytes, len, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN)
            break;
        if (n < 0)
            die("session %u: %s", m->number, strerror(errno));
        alk_ssh_output_done(m->ssh, (size_t)n);
    }
    struct epoll_event e = {.events = EPOLLIN | (len > 0 ? EPOLLOUT : 0U), .data.ptr = m};
    epoll_ctl(crowd.epoll, EPOLL_CTL_MOD, m->fd, &e);
}

static void log_in(struct member *m)
{
    uint8_t signature[ALK_SIGNATURE_BLOB_SIZE];
    const uint8_t *data;
    size_t len;

    if (alk_ssh_auth_to_sign(m->ssh, "crowd", alk_key_blob(crowd.key), ALK_KEY_BLOB_SIZE, &data,
                             &len) != ALK_OK)
        die("session %u cannot log in", m->number);
    alk_key_sign(crowd.key, data, len, signature);
    alk_ssh_auth_signed(m->ssh, signature, sizeof(signature));
}

static void take_echo(struct member *m, const struct alk_ssh_event *event)
{
    if (event->len > MESSAGE - m->got_len)
        die("session %u got more than it sent", m->number);
    memcpy(m->got + m->got_len, event->data, event->len);
    m->got_len += event->len;
    alk_ssh_channel_consumed(m->ssh, m->channel, event->len);
    if (m->got_len < MESSAGE)
        return;
    if (memcmp(m->got, m->sent, MESSAGE) != 0)
        die("session %u got another echo than it sent", m->number);
    crowd.echoed++;
}

static void on_event(struct member *m, const struct alk_ssh_event *event)
{
    switch (event->type) {
    case ALK_SSH_HOST_KEY:
        alk_ssh_host_key_accept(m->ssh); /* loopback, and nothing secret is sent */
        break;
    case ALK_SSH_AUTH_READY:
        log_in(m);
        break;
    case ALK_SSH_AUTHENTICATED:
        if (alk_ssh_channel_open(m->ssh, ALK_SSH_DIRECT_TCPIP, crowd.target, crowd.target_port,
                                 NULL, 0, &m->channel) != ALK_OK)
            die("session %u cannot open a channel", m->number);
        break;
    case ALK_SSH_CHANNEL_OPENED:
        m->in = true;
        crowd.in++;
        break;
    case ALK_SSH_CHANNEL_DATA:
        take_echo(m, event);
        break;
    case ALK_SSH_AUTH_FAILED:
    case ALK_SSH_CHANNEL_FAILED:
    case ALK_SSH_CHANNEL_EOF:
    case ALK_SSH_CHANNEL_CLOSED:
        die("session %u was refused (event %d)", m->number, (int)event->type);
    default:
        break;
    }
}

static void read_in(struct member *m)
{
    struct alk_ssh_event event;
    uint8_t *at;
    size_t space;
    int status;

    while ((space = alk_ssh_input_space(m->ssh, &at)) > 0) {
        ssize_t n = recv(m->fd, at, space, 0);
        if (n < 0 && errno == EAGAIN)
            break;
        if (n <= 0)
            die("session %u: the server closed it", m->number);
        alk_ssh_input_commit(m->ssh, (size_t)n, now_ms());
        while ((status = alk_ssh_next(m->ssh, &event)) > 0)
            on_event(m, &event);
        if (status < 0)
            die("session %u: %s", m->number, alk_ssh_error(m->ssh)->text);
    }
}

static void start_one(void)
{
    struct member *m = &crowd.members[crowd.started];
    struct alk_ssh_options options = ALK_SSH_OPTIONS_INIT;

    m->number = ++crowd.started;
    options.role = ALK_SSH_CLIENT;
    options.keepalive_ms = UINT64_MAX;
    m->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (m->fd < 0 || connect(m->fd, (struct sockaddr *)&crowd.server, sizeof(crowd.server)) != 0 ||
        fcntl(m->fd, F_SETFL, O_NONBLOCK) != 0 ||
        alk_ssh_new(&m->ssh, &options, now_ms()) != ALK_OK)
        die("session %u: %s", m->number, strerror(errno));
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = m};
    epoll_ctl(crowd.epoll, EPOLL_CTL_ADD, m->fd, &e);
    flush(m);
}

static void turn(void)
{
    struct epoll_event events[64];
    int n = epoll_wait(crowd.epoll, events, 64, 100);

    for (int i = 0; i < n; i++) {
        struct member *m = events[i].data.ptr;
        if ((events[i].events & ~(unsigned)EPOLLOUT) != 0)
            read_in(m);
        flush(m);
    }
}

static void enter(void)
{
    while (crowd.in < crowd.count) {
        while (crowd.started < crowd.count && crowd.started - crowd.in < AT_ONCE)
            start_one();
        turn();
    }
    puts("ready");
}

static void echo_round(void)
{
    uint64_t deadline = now_ms() + ROUND_MS;

    crowd.round++;
    crowd.echoed = 0;
    for (unsigned i = 0; i < crowd.count; i++) {
        struct member *m = &crowd.members[i];
        m->got_len = 0;
        memset(m->sent, 0, MESSAGE);
        snprintf(m->sent, MESSAGE, "round %u of session %u", crowd.round, m->number);
        if (alk_ssh_channel_write(m->ssh, m->channel, m->sent, MESSAGE) != MESSAGE)
            die("session %u cannot send", m->number);
        flush(m);
    }
    while (crowd.echoed < crowd.count) {
        turn();
        if (now_ms() > deadline)
            die("only %u of %u sessions got their echo in time", crowd.echoed, crowd.count);
    }
    puts("round");
}

int main(int argc, char **argv)
{
    struct alk_error error;
    char line[16];

    if (argc != 7)
        die("usage: crowd HOST PORT KEY-FILE SESSIONS TARGET-HOST TARGET-PORT");
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (alk_crypto_init() != ALK_OK || alk_key_load(&crowd.key, argv[3], NULL, NULL, &error) != 0)
        die("no key: %s", error.text);
    crowd.server.sin_family = AF_INET;
    crowd.server.sin_port = htons((uint16_t)atoi(argv[2]));
    inet_pton(AF_INET, argv[1], &crowd.server.sin_addr);
    crowd.count = (unsigned)atoi(argv[4]);
    crowd.target = argv[5];
    crowd.target_port = (unsigned)atoi(argv[6]);
    crowd.members = calloc(crowd.count, sizeof(*crowd.members));
    crowd.epoll = epoll_create1(EPOLL_CLOEXEC);
    if (crowd.members == NULL || crowd.epoll < 0)
        die("out of memory");
    enter();
    while (fgets(line, sizeof(line), stdin) != NULL)
        echo_round();
    for (unsigned i = 0; i < crowd.count; i++) {
        alk_ssh_free(crowd.members[i].ssh);
        close(crowd.members[i].fd);
    }
    free(crowd.members);
    alk_key_free(crowd.key);
    return 0;
}
