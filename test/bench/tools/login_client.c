/*
 * Logs in to an SSH server again and again with one Ed25519 key, through alknet's own engine:
 * the same client for every server.
 *
 *     login_client --port PORT --identity FILE --user NAME
 *         --parallel N     so many at a time (servers limit those that have not logged in)
 *         --seconds S      for so long, or
 *         --count N        until so many are done
 *         --hold           keep every session open (with --count) until standard input ends
 *
 * Prints one JSON object; a login's time runs from connecting to the server's success message.
 */
#include "tool.h"

#include <alk/key.h>
#include <alk/ssh.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { SAMPLES_MAX = 1 << 20, EVENTS = 64 };

struct run {
    unsigned port, parallel, count;
    double seconds;
    const char *identity, *user;
    bool hold;
    struct alk_key *key;
    int epoll;
    unsigned started, logged_in, under_way;
    uint64_t end; /* when no more are started, 0: by count */
    double *samples;
};

struct session {
    struct alk_ssh *ssh;
    int fd;
    uint64_t start;
    bool done; /* logged in */
};

static uint64_t milliseconds(void)
{
    return tool_now() / 1000000;
}

static void begin(struct run *run)
{
    struct alk_ssh_options options = ALK_SSH_OPTIONS_INIT;
    struct session *s = tool_alloc(1, sizeof(*s));
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = s};

    options.role = ALK_SSH_CLIENT;
    s->start = tool_now();
    s->fd = tool_connect((uint16_t)run->port);
    tool_nonblocking(s->fd);
    if (alk_ssh_new(&s->ssh, &options, milliseconds()) != ALK_OK ||
        epoll_ctl(run->epoll, EPOLL_CTL_ADD, s->fd, &event) != 0)
        tool_die("cannot start a session");
    run->started++;
    run->under_way++;
}

static void end(struct session *s)
{
    alk_ssh_free(s->ssh);
    close(s->fd);
    free(s);
}

static void sign_in(struct run *run, struct session *s)
{
    uint8_t signature[ALK_SIGNATURE_BLOB_SIZE];
    const uint8_t *data;
    size_t len;

    if (alk_ssh_auth_to_sign(s->ssh, run->user, alk_key_blob(run->key), ALK_KEY_BLOB_SIZE, &data,
                             &len) != ALK_OK)
        tool_die("cannot sign in");
    alk_key_sign(run->key, data, len, signature);
    if (alk_ssh_auth_signed(s->ssh, signature, sizeof(signature)) != ALK_OK)
        tool_die("cannot sign in");
}

static void logged_in(struct run *run, struct session *s)
{
    if (run->logged_in < SAMPLES_MAX)
        run->samples[run->logged_in] = (double)(tool_now() - s->start) / 1e6;
    run->logged_in++;
    run->under_way--;
    s->done = true;
    if (!run->hold)
        alk_ssh_disconnect(s->ssh, ALK_SSH_BY_APPLICATION, "done");
}

static void on_event(struct run *run, struct session *s, const struct alk_ssh_event *event)
{
    switch (event->type) {
    case ALK_SSH_HOST_KEY:
        alk_ssh_host_key_accept(s->ssh);
        break;
    case ALK_SSH_AUTH_READY:
        sign_in(run, s);
        break;
    case ALK_SSH_AUTHENTICATED:
        logged_in(run, s);
        break;
    case ALK_SSH_AUTH_FAILED:
        tool_die("the server refused the key");
    default:
        break;
    }
}

static void flush(struct session *s)
{
    const uint8_t *bytes;
    size_t len;

    while ((len = alk_ssh_output(s->ssh, &bytes)) > 0) {
        ssize_t n = write(s->fd, bytes, len);
        if (n <= 0) /* a login is far smaller than a socket's buffer */
            tool_die("cannot send: %s", strerror(errno));
        alk_ssh_output_done(s->ssh, (size_t)n);
    }
}

static void readable(struct run *run, struct session *s)
{
    struct alk_ssh_event event;
    uint8_t *at;
    int status;

    size_t space = alk_ssh_input_space(s->ssh, &at);
    ssize_t n = read(s->fd, at, space);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0)
        tool_die("the server closed %s",
                 s->done ? "a session that was logged in" : "during a login");
    alk_ssh_input_commit(s->ssh, (size_t)n, milliseconds());
    while ((status = alk_ssh_next(s->ssh, &event)) > 0 && !(s->done && !run->hold))
        on_event(run, s, &event);
    if (status < 0 && !s->done)
        tool_die("login failed: %s", alk_ssh_error(s->ssh)->text);
    flush(s);
    if (s->done && !run->hold)
        end(s);
}

static bool more_wanted(const struct run *run)
{
    return run->end != 0 ? tool_now() < run->end : run->started < run->count;
}

static void poll_once(struct run *run, int timeout_ms)
{
    struct epoll_event events[EVENTS];
    int count = epoll_wait(run->epoll, events, EVENTS, timeout_ms);

    for (int i = 0; i < count; i++)
        readable(run, events[i].data.ptr);
}

static void log_in(struct run *run)
{
    uint64_t start = tool_now();

    run->end = run->count == 0 ? start + (uint64_t)(run->seconds * 1e9) : 0;
    while (more_wanted(run) || run->under_way > 0) {
        while (run->under_way < run->parallel && more_wanted(run))
            begin(run);
        poll_once(run, 1000);
    }
    double seconds = (double)(tool_now() - start) / 1e9;
    size_t samples = run->logged_in < SAMPLES_MAX ? run->logged_in : SAMPLES_MAX;
    tool_sort(run->samples, samples);
    printf("{\"logins\": %u, \"per_second\": %.2f, \"median_ms\": %.4f}\n", run->logged_in,
           run->logged_in / seconds, tool_quantile(run->samples, samples, 0.5));
    fflush(stdout);
}

/* Answers what servers ask of idle sessions (keepalives, new keys) until standard input ends. */
static void keep(struct run *run)
{
    struct epoll_event event = {.events = EPOLLIN}, events[EVENTS];

    if (epoll_ctl(run->epoll, EPOLL_CTL_ADD, STDIN_FILENO, &event) != 0)
        return; /* not a pipe */
    for (;;) {
        int count = epoll_wait(run->epoll, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            if (events[i].data.ptr == NULL)
                return;
            readable(run, events[i].data.ptr);
        }
    }
}

int main(int argc, char **argv)
{
    struct run run = {.parallel = 1, .seconds = 2};
    const struct tool_option options[] = {
        {"--port", TOOL_NUMBER, &run.port},       {"--parallel", TOOL_NUMBER, &run.parallel},
        {"--count", TOOL_NUMBER, &run.count},     {"--seconds", TOOL_REAL, &run.seconds},
        {"--identity", TOOL_TEXT, &run.identity}, {"--user", TOOL_TEXT, &run.user},
        {"--hold", TOOL_FLAG, &run.hold},         {NULL, TOOL_FLAG, NULL},
    };
    struct alk_error error;

    tool_start();
    tool_options(argc, argv, options);
    if (run.identity == NULL || run.user == NULL || run.port == 0 || run.parallel == 0)
        tool_die("wants --port, --identity and --user");
    if (alk_crypto_init() != ALK_OK)
        tool_die("the crypto library could not be set up");
    if (alk_key_load(&run.key, run.identity, NULL, NULL, &error) != ALK_OK)
        tool_die("%s", error.text);
    run.epoll = epoll_create1(EPOLL_CLOEXEC);
    run.samples = tool_alloc(SAMPLES_MAX, sizeof(*run.samples));
    log_in(&run);
    if (run.hold)
        keep(&run);
    alk_key_free(run.key);
    free(run.samples);
    return 0;
}
