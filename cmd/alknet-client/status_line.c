#include "status_line.h"

#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { REFRESH_MS = 1000 };

/* To the line's begin, and it is empty. */
#define CLEAR "\r\033[K"

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static bool is_on_terminal(const struct status_line *line)
{
    return line->client != NULL && line->terminal >= 0 && !line->over;
}

/* A terminal that takes nothing any more has nobody before it. */
static void put(const struct status_line *line, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(line->terminal, data, len);
        if (n < 0 && errno != EINTR)
            return;
        data += n > 0 ? n : 0;
        len -= n > 0 ? (size_t)n : 0;
    }
}

/* ---- the line ---- */

static const char *state_text(int state)
{
    switch (state) {
    case ALK_CLIENT_ONLINE:
        return "online";
    case ALK_CLIENT_OFFLINE:
        return "offline, trying again";
    case ALK_CLIENT_FAILED:
        return "failed";
    default:
        return "connecting";
    }
}

static void compose(struct status_line *line, uint64_t now)
{
    struct alk_client_figures figures;
    char up[PROGRAM_SIZE_TEXT], down[PROGRAM_SIZE_TEXT];
    uint64_t passed = line->drawn_ms != 0 && now > line->drawn_ms ? now - line->drawn_ms : 1;

    alk_client_figures(line->client, &figures);
    program_size(up, (figures.bytes_up - line->before.bytes_up) * 1000 / passed);
    program_size(down, (figures.bytes_down - line->before.bytes_down) * 1000 / passed);
    snprintf(line->text, sizeof(line->text), "%s | %u channel%s | up %s/s | down %s/s",
             state_text(atomic_load(&line->state)), figures.channels,
             figures.channels == 1 ? "" : "s", up, down);
    line->before = figures;
    line->drawn_ms = now;
}

/* No wider than the terminal: a line that is broken in two could not be taken away again. */
static void draw(const struct status_line *line)
{
    struct winsize size = {.ws_col = 80};
    size_t len = strlen(line->text);

    if (line->open_line)
        return;
    if (ioctl(line->terminal, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        size.ws_col = 80;
    put(line, CLEAR, strlen(CLEAR));
    put(line, line->text, len < size.ws_col ? len : size.ws_col - 1U);
}

/* ---- what others write ---- */

/* False when there was nothing. */
static bool pass_on(struct status_line *line)
{
    char data[4096];
    ssize_t n = read(line->from, data, sizeof(data));

    if (n <= 0)
        return false;
    if (!line->open_line)
        put(line, CLEAR, strlen(CLEAR));
    put(line, data, (size_t)n);
    line->open_line = data[n - 1] != '\n';
    return true;
}

/* ---- life ---- */

static bool open_pipe(struct status_line *line)
{
    int ends[2];

    line->terminal = isatty(STDERR_FILENO) ? fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3) : -1;
    if (line->terminal < 0 || pipe2(ends, O_CLOEXEC) != 0)
        return false;
    line->from = ends[0];
    line->to = ends[1];
    return fcntl(line->from, F_SETFL, O_NONBLOCK) == 0 && dup2(line->to, STDERR_FILENO) >= 0;
}

void status_line_begin(struct status_line *line, const struct alk_client *client)
{
    *line = (struct status_line){.client = client, .terminal = -1, .from = -1, .to = -1};
    atomic_store(&line->state, -1);
    if (!open_pipe(line) && line->terminal >= 0) {
        close(line->terminal);
        line->terminal = -1;
    }
}

void status_line_end(struct status_line *line)
{
    if (!is_on_terminal(line))
        return;
    dup2(line->terminal, STDERR_FILENO);
    close(line->to);
    while (pass_on(line))
        ;
    if (!line->open_line)
        put(line, CLEAR, strlen(CLEAR));
    close(line->from);
    close(line->terminal);
    line->over = true; /* the rest is read by the client's thread, too */
}

int status_line_fd(const struct status_line *line)
{
    return is_on_terminal(line) ? line->from : -1;
}

int status_line_timeout(const struct status_line *line)
{
    uint64_t now = now_ms(), due = line->drawn_ms + REFRESH_MS;

    if (!is_on_terminal(line))
        return -1;
    return due > now ? (int)(due - now) : 0;
}

void status_line_turn(struct status_line *line)
{
    if (!is_on_terminal(line))
        return;
    bool passed_on = pass_on(line);
    uint64_t now = now_ms();
    bool due = now >= line->drawn_ms + REFRESH_MS;
    if (due)
        compose(line, now);
    if (due || passed_on)
        draw(line);
}

void status_line_state(struct status_line *line, enum alk_client_state state, const char *sentence)
{
    if (line->client == NULL)
        return;
    atomic_store(&line->state, (int)state);
    if (line->terminal >= 0)
        return;
    if (state == ALK_CLIENT_OFFLINE)
        fprintf(stderr, "alknet-client: status: offline: %s\n", sentence);
    else if (state == ALK_CLIENT_ONLINE)
        fprintf(stderr, "alknet-client: status: online\n");
}
