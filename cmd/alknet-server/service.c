#include "service.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { FIRST_FD = 3, SOCKETS_MAX = 64 };

static int notify_fd = -1;
static unsigned socket_count;
static char socket_names[4096]; /* each ends with a NUL */

/* ---- sockets ---- */

static unsigned long number_of(const char *variable)
{
    const char *text = getenv(variable);

    return text != NULL && text[0] >= '0' && text[0] <= '9' ? strtoul(text, NULL, 10) : 0;
}

static void take_sockets(void)
{
    const char *names = getenv("LISTEN_FDNAMES");
    unsigned long count = number_of("LISTEN_FDS");

    if (number_of("LISTEN_PID") == (unsigned long)getpid() && count <= SOCKETS_MAX) {
        socket_count = (unsigned)count;
        snprintf(socket_names, sizeof(socket_names) - SOCKETS_MAX, "%s",
                 names != NULL ? names : "");
        for (char *c = socket_names; *c != '\0'; c++) {
            if (*c == ':')
                *c = '\0';
        }
    }
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
}

unsigned service_socket_count(void)
{
    return socket_count;
}

int service_socket(unsigned index)
{
    return FIRST_FD + (int)index;
}

const char *service_socket_name(unsigned index)
{
    const char *name = socket_names;

    while (index-- > 0 && name < socket_names + sizeof(socket_names) - SOCKETS_MAX)
        name += strlen(name) + 1;
    return name;
}

/* ---- readiness ---- */

static void open_notify(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t len = strlen(path);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);

    if ((path[0] != '/' && path[0] != '@') || len >= sizeof(address.sun_path))
        return;
    memcpy(address.sun_path, path, len);
    if (path[0] == '@') /* an abstract name */
        address.sun_path[0] = '\0';
    notify_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (notify_fd >= 0 && connect(notify_fd, (struct sockaddr *)&address, size) != 0) {
        close(notify_fd);
        notify_fd = -1;
    }
}

void service_begin(void)
{
    const char *path = getenv("NOTIFY_SOCKET");

    take_sockets();
    if (path != NULL)
        open_notify(path);
    unsetenv("NOTIFY_SOCKET");
}

void service_tell(const char *format, ...)
{
    char text[512];
    va_list args;

    if (notify_fd < 0)
        return;
    va_start(args, format);
    int len = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (len > 0 && len < (int)sizeof(text))
        (void)send(notify_fd, text, (size_t)len, MSG_NOSIGNAL);
}

void service_tell_reloading(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    service_tell("RELOADING=1\nMONOTONIC_USEC=%" PRIu64 "\nSTATUS=reading the settings again",
                 (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
}
