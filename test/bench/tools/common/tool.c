#include "tool.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BACKLOG = 4096 };

void tool_die(const char *format, ...)
{
    va_list args;

    fprintf(stderr, "%s: ", program_invocation_short_name);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    exit(1);
}

void *tool_alloc(size_t count, size_t size)
{
    void *memory = calloc(count, size);

    if (memory == NULL)
        tool_die("out of memory");
    return memory;
}

uint64_t tool_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void tool_sleep_until(uint64_t when)
{
    struct timespec t = {(time_t)(when / 1000000000u), (long)(when % 1000000000u)};

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
        ;
}

void tool_sleep(double seconds)
{
    tool_sleep_until(tool_now() + (uint64_t)(seconds * 1e9));
}

void tool_start(void)
{
    struct rlimit files;

    signal(SIGPIPE, SIG_IGN);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
}

/* ---- options ---- */

static const struct tool_option *option_find(const struct tool_option *table, const char *name)
{
    for (; table->name != NULL; table++)
        if (strcmp(table->name, name) == 0)
            return table;
    tool_die("unknown option %s", name);
}

int tool_options(int argc, char **argv, const struct tool_option *table)
{
    int i = 1;

    while (i < argc && strncmp(argv[i], "--", 2) == 0) {
        if (strcmp(argv[i], "--") == 0)
            return i + 1;
        const struct tool_option *option = option_find(table, argv[i++]);
        if (option->kind == TOOL_FLAG) {
            *(bool *)option->value = true;
            continue;
        }
        if (i == argc)
            tool_die("%s wants a value", option->name);
        const char *text = argv[i++];
        if (option->kind == TOOL_NUMBER)
            *(unsigned *)option->value = (unsigned)strtoul(text, NULL, 10);
        else if (option->kind == TOOL_REAL)
            *(double *)option->value = strtod(text, NULL);
        else
            *(const char **)option->value = text;
    }
    return i;
}

/* ---- sockets ---- */

static struct sockaddr_in loopback(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

int tool_listen(uint16_t *port)
{
    struct sockaddr_in address = loopback(*port);
    socklen_t len = sizeof(address);
    int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) != 0 || listen(fd, BACKLOG) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &len) != 0)
        tool_die("cannot listen on 127.0.0.1: %s", strerror(errno));
    *port = ntohs(address.sin_port);
    return fd;
}

int tool_connect(uint16_t port)
{
    struct sockaddr_in address = loopback(port);
    int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        tool_die("cannot connect to 127.0.0.1:%u: %s", port, strerror(errno));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    return fd;
}

void tool_nonblocking(int fd)
{
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

void tool_read_all(int fd, void *data, size_t len, const char *what)
{
    for (size_t done = 0; done < len;) {
        ssize_t n = read(fd, (char *)data + done, len - done);
        if (n <= 0 && !(n < 0 && errno == EINTR))
            tool_die("%s: %s", what, n == 0 ? "the connection ended" : strerror(errno));
        done += n > 0 ? (size_t)n : 0;
    }
}

void tool_write_all(int fd, const void *data, size_t len, const char *what)
{
    for (size_t done = 0; done < len;) {
        ssize_t n = write(fd, (const char *)data + done, len - done);
        if (n < 0 && errno != EINTR)
            tool_die("%s: %s", what, strerror(errno));
        done += n > 0 ? (size_t)n : 0;
    }
}

/* ---- SOCKS5, RFC 1928: no authentication, CONNECT to an IPv4 address ---- */

const uint8_t tool_socks_greeting[TOOL_SOCKS_GREETING] = {5, 1, 0};

void tool_socks_request(uint8_t request[TOOL_SOCKS_REQUEST], uint16_t target)
{
    const uint8_t fixed[8] = {5, 1, 0, 1, 127, 0, 0, 1};

    memcpy(request, fixed, sizeof(fixed));
    request[8] = (uint8_t)(target >> 8);
    request[9] = (uint8_t)target;
}

int tool_reach(uint16_t socks, uint16_t target)
{
    uint8_t request[TOOL_SOCKS_REQUEST], reply[TOOL_SOCKS_REPLY];

    if (socks == 0)
        return tool_connect(target);
    int fd = tool_connect(socks);
    tool_write_all(fd, tool_socks_greeting, TOOL_SOCKS_GREETING, "SOCKS greeting");
    tool_read_all(fd, reply, 2, "SOCKS method");
    tool_socks_request(request, target);
    tool_write_all(fd, request, sizeof(request), "SOCKS request");
    tool_read_all(fd, reply, sizeof(reply), "SOCKS reply");
    if (reply[1] != 0)
        tool_die("the proxy refused: code %u", reply[1]);
    return fd;
}

/* ---- samples ---- */

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

void tool_sort(double *samples, size_t count)
{
    qsort(samples, count, sizeof(*samples), compare);
}

double tool_quantile(const double *sorted, size_t count, double q)
{
    return count == 0 ? 0 : sorted[(size_t)(q * (double)(count - 1) + 0.5)];
}
