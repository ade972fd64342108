#include "base/read_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int open_failed(const char *path, int err, struct alk_error *error)
{
    switch (err) {
    case ENOENT:
    case ENOTDIR:
        return alk_error_set(error, ALK_E_NOTFOUND, "%s does not exist", path);
    case EACCES:
    case EPERM:
        return alk_error_set(error, ALK_E_DENIED, "%s may not be read by this user", path);
    default:
        return alk_error_set(error, ALK_E_IO, "cannot open %s: %s", path, strerror(err));
    }
}

int alk_file_open(const char *path, struct stat *st, struct alk_error *error)
{
    int rc, fd;

    if (path[0] == '\0')
        return alk_error_set(error, ALK_E_NOTFOUND, "the name of a file is empty");
    fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);

    if (fd < 0)
        return open_failed(path, errno, error);
    if (fstat(fd, st) != 0)
        rc = alk_error_set(error, ALK_E_IO, "cannot examine %s: %s", path, strerror(errno));
    else if (S_ISDIR(st->st_mode))
        rc = alk_error_set(error, ALK_E_INVAL, "%s is a folder; name a file in it", path);
    else if (!S_ISREG(st->st_mode))
        rc = alk_error_set(error, ALK_E_INVAL, "%s is not a regular file", path);
    else
        return fd;
    close(fd);
    return rc;
}

ssize_t alk_file_read(int fd, const char *path, void *data, size_t size, struct alk_error *error)
{
    char *at = data;
    size_t len = 0;
    char more;

    for (;;) {
        /* with the buffer full, one more byte tells whether that was all */
        ssize_t n = len < size ? read(fd, at + len, size - len) : read(fd, &more, 1);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return alk_error_set(error, ALK_E_IO, "cannot read %s: %s", path, strerror(errno));
        if (n == 0)
            return (ssize_t)len;
        if (len == size)
            return alk_error_set(error, ALK_E_LIMIT, "%s is longer than %zu bytes", path, size);
        len += (size_t)n;
    }
}

int alk_file_load(const char *path, size_t max, mode_t forbidden, char **text, size_t *len,
                  struct alk_error *error)
{
    struct stat st = {0};
    char *buffer = NULL;
    size_t size;
    ssize_t n;
    int rc = ALK_OK;
    int fd = alk_file_open(path, &st, error);

    if (fd < 0)
        return fd;
    if ((st.st_mode & forbidden) != 0) {
        rc = alk_error_set(error, ALK_E_DENIED, "%s can be written by others; run: chmod go-w %s",
                           path, path);
        goto out;
    }
    if ((uintmax_t)st.st_size > max) {
        rc = alk_error_set(error, ALK_E_LIMIT, "%s is longer than %zu bytes", path, max);
        goto out;
    }
    size = (size_t)st.st_size;
    buffer = malloc(size + 1);
    if (buffer == NULL) {
        rc = alk_error_set(error, ALK_E_NOMEM, "out of memory for %s", path);
        goto out;
    }
    n = alk_file_read(fd, path, buffer, size, error);
    if (n < 0) {
        rc = (int)n;
        goto out;
    }
    *text = buffer;
    *len = (size_t)n;
    buffer = NULL;
out:
    free(buffer);
    close(fd);
    return rc;
}
