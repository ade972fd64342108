#include "stdio_socket.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

static int pair[2] = {-1, -1};
static int done = -1;

static bool write_all(int fd, const char *data, ssize_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, data, (size_t)len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        data += n;
        len -= n;
    }
    return true;
}

static void copy(int from, int to)
{
    char data[65536];
    ssize_t n;

    while ((n = read(from, data, sizeof(data))) > 0 || (n < 0 && errno == EINTR)) {
        if (n > 0 && !write_all(to, data, n))
            break;
    }
}

static void *copy_in(void *user)
{
    (void)user;
    copy(STDIN_FILENO, pair[0]);
    shutdown(pair[0], SHUT_WR);
    return NULL;
}

static void *copy_out(void *user)
{
    uint64_t one = 1;

    (void)user;
    copy(pair[0], STDOUT_FILENO);
    shutdown(pair[0], SHUT_RD);
    ssize_t ignored = write(done, &one, sizeof(one));
    (void)ignored;
    return NULL;
}

int stdio_socket(int *done_fd)
{
    pthread_t in, out;

    done = eventfd(0, EFD_CLOEXEC);
    if (done < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return -1;
    if (pthread_create(&in, NULL, copy_in, NULL) != 0 ||
        pthread_create(&out, NULL, copy_out, NULL) != 0)
        return -1;
    pthread_detach(in);
    pthread_detach(out);
    *done_fd = done;
    return pair[1];
}
