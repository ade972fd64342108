#include "transport/bind.h"
#include "transport/socket.h"

#include <alk/status.h>

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    BACKLOG = 1024,
    PRIVILEGED_PORTS = 1024,
};

static int turn_on(int fd, int level, int option)
{
    int on = 1;

    return setsockopt(fd, level, option, &on, sizeof(on));
}

static int bind_tcp(int fd, const struct alk_address *address, enum alk_bind_share share)
{
    if (address->sa.any.sa_family == AF_INET6 && turn_on(fd, IPPROTO_IPV6, IPV6_V6ONLY) != 0)
        return -1;
    if (turn_on(fd, SOL_SOCKET, SO_REUSEADDR) != 0)
        return -1;
    if (share == ALK_BIND_FURTHER && turn_on(fd, SOL_SOCKET, SO_REUSEPORT) != 0)
        return -1;
    if (bind(fd, &address->sa.any, address->len) != 0)
        return -1;
    /* The first is bound without SO_REUSEPORT, so that a second server on the port
     * fails; only then may further sockets join. */
    if (share == ALK_BIND_FIRST && turn_on(fd, SOL_SOCKET, SO_REUSEPORT) != 0)
        return -1;
    alk_socket_tune_tcp(fd, address);
    return 0;
}

/* Whether the path is a socket that no process serves any more. */
static bool is_stale(const struct alk_address *address)
{
    struct stat st;

    if (lstat(address->sa.un.sun_path, &st) != 0 || !S_ISSOCK(st.st_mode))
        return false;
    int fd = alk_socket_open(address);
    if (fd < 0)
        return false;
    bool refused = connect(fd, &address->sa.any, address->len) != 0 && errno == ECONNREFUSED;
    close(fd);
    return refused;
}

static int bind_unix(int fd, const struct alk_address *address, struct alk_socket_file *file)
{
    const char *path = address->sa.un.sun_path;
    struct stat st;

    /* Linux makes the file with the mode of the socket: no moment in which others
     * could connect, and no umask, which belongs to the whole process. */
    if (fchmod(fd, 0600) != 0)
        return -1;
    if (bind(fd, &address->sa.any, address->len) != 0) {
        if (errno != EADDRINUSE)
            return -1;
        if (!is_stale(address)) {
            errno = EADDRINUSE;
            return -1;
        }
        if (unlink(path) != 0 || bind(fd, &address->sa.any, address->len) != 0)
            return -1;
    }
    if (lstat(path, &st) != 0)
        return -1;
    memcpy(file->path, path, strlen(path) + 1);
    file->device = st.st_dev;
    file->inode = st.st_ino;
    return 0;
}

static const char *mend(const struct alk_address *address, int number)
{
    bool local = address->sa.any.sa_family == AF_UNIX;
    uint16_t port = alk_address_port(address);

    if (number == EACCES && !local && port != 0 && port < PRIVILEGED_PORTS)
        return "; ports below 1024 need root or the capability CAP_NET_BIND_SERVICE";
    if (number == EADDRINUSE && local)
        return "; another program serves this path, or it is not a socket";
    return "";
}

int alk_bind(int *out, struct alk_address *address, enum alk_bind_share share,
             struct alk_socket_file *file, struct alk_error *error)
{
    bool local = address->sa.any.sa_family == AF_UNIX;
    struct alk_address bound = {.len = sizeof(bound.sa)};
    char text[ALK_ADDRESS_TEXT];

    *out = -1;
    file->path[0] = '\0';
    int fd = alk_socket_open(address);
    if (fd < 0)
        goto fail;
    if ((local ? bind_unix(fd, address, file) : bind_tcp(fd, address, share)) != 0)
        goto fail;
    if (listen(fd, BACKLOG) != 0)
        goto fail;
    if (!local) {
        if (getsockname(fd, &bound.sa.any, &bound.len) != 0)
            goto fail;
        *address = bound;
    }
    *out = fd;
    return ALK_OK;

fail:;
    int number = errno;
    alk_socket_file_remove(file);
    if (fd >= 0)
        close(fd);
    alk_address_text(address, text);
    return alk_error_set(error, alk_status_from_errno(number), "cannot listen on %s: %s%s", text,
                         alk_socket_cause(number), mend(address, number));
}

int alk_bind_check_path(const char *path, struct alk_error *error)
{
    struct stat st;

    if (lstat(path, &st) != 0 || S_ISSOCK(st.st_mode))
        return ALK_OK;
    return alk_error_set(error, ALK_E_EXISTS, "%s is there and is no socket; name another path",
                         path);
}

void alk_socket_file_remove(struct alk_socket_file *file)
{
    struct stat st;

    if (file->path[0] == '\0')
        return;
    if (lstat(file->path, &st) == 0 && st.st_dev == file->device && st.st_ino == file->inode)
        unlink(file->path);
    file->path[0] = '\0';
}
