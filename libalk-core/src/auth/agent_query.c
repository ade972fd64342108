#include "auth/agent.h"

#include <alk/agent.h>

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_S = 5 }; /* for each step, of which the answer as a whole is one */

static int connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct timeval patience = {.tv_sec = PATIENCE_S};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    if (strlen(path) < sizeof(address.sun_path)) {
        strcpy(address.sun_path, path);
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
        if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
            return fd;
    }
    close(fd);
    return -1;
}

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Reads one whole message; its length, or a negative status. */
static ssize_t read_message(int fd, uint8_t *message, size_t size)
{
    uint64_t now, end = now_ms() + PATIENCE_S * 1000;
    size_t len = 0;
    ssize_t whole;

    while ((whole = alk_agent_message_length(message, len)) == 0 && len < size) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        if ((now = now_ms()) >= end)
            return ALK_E_TIMEOUT;
        if (poll(&ready, 1, (int)(end - now)) <= 0)
            continue;
        ssize_t n = recv(fd, message + len, size - len, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return ALK_E_PROTO;
        len += (size_t)n;
    }
    return whole == 0 ? ALK_E_LIMIT : whole;
}

static bool is_same(const void *user, const uint8_t *blob, size_t len)
{
    return len == ALK_KEY_BLOB_SIZE && memcmp(user, blob, ALK_KEY_BLOB_SIZE) == 0;
}

static int find(const uint8_t *message, size_t len, const uint8_t blob[ALK_KEY_BLOB_SIZE])
{
    struct alk_agent_identity found;
    int count = alk_agent_parse_identities(message, len, is_same, blob, &found, 1);

    return count < 0 ? count : count == 1 ? ALK_OK : ALK_E_NOTFOUND;
}

int alk_agent_holds(const char *socket_path, const uint8_t blob[ALK_KEY_BLOB_SIZE])
{
    uint8_t request[5], *message = malloc(ALK_AGENT_MESSAGE_MAX);
    size_t len = alk_agent_request_identities(request);
    int fd = connect_to(socket_path);
    ssize_t status = ALK_E_NOMEM;

    if (fd < 0 || message == NULL) {
        status = fd < 0 ? ALK_E_IO : ALK_E_NOMEM;
    } else if (send(fd, request, len, MSG_NOSIGNAL) != (ssize_t)len) {
        status = ALK_E_IO;
    } else {
        status = read_message(fd, message, ALK_AGENT_MESSAGE_MAX);
        if (status > 0)
            status = find(message, (size_t)status, blob);
    }
    if (fd >= 0)
        close(fd);
    free(message);
    return (int)status;
}
