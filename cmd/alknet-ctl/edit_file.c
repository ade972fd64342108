#include "edit_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/xattr.h>
#include <unistd.h>

static bool write_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, data, len);
        if (n < 0 && errno != EINTR)
            return false;
        data += n > 0 ? n : 0;
        len -= n > 0 ? (size_t)n : 0;
    }
    return fsync(fd) == 0;
}

int file_create(const char *path, mode_t mode, const void *data, size_t len,
                struct alk_error *error)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);

    if (fd < 0)
        return alk_error_set(error, errno == EEXIST ? ALK_E_EXISTS : ALK_E_IO,
                             "cannot create %s: %s%s", path, strerror(errno),
                             errno == EEXIST ? "; move it away first" : "");
    int wrong = write_all(fd, data, len) ? 0 : errno;
    if (close(fd) != 0 && wrong == 0)
        wrong = errno;
    if (wrong == 0)
        return ALK_OK;
    unlink(path);
    return alk_error_set(error, ALK_E_IO, "cannot write %s: %s", path, strerror(wrong));
}

/* ---- reading what is there ---- */

static int read_all(struct file_edit *edit, int fd, size_t max, struct alk_error *error)
{
    if (fstat(fd, &edit->was) != 0 || !S_ISREG(edit->was.st_mode))
        return alk_error_set(error, ALK_E_INVAL, "%s is not a regular file", edit->path);
    edit->text = malloc(max + 1);
    if (edit->text == NULL)
        return alk_error_set(error, ALK_E_NOMEM, "out of memory");
    for (;;) {
        ssize_t n = read(fd, edit->text + edit->len, max + 1 - edit->len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return alk_error_set(error, ALK_E_IO, "cannot read %s: %s", edit->path,
                                 strerror(errno));
        edit->len += (size_t)n;
        if (edit->len > max)
            return alk_error_set(error, ALK_E_LIMIT, "%s is longer than %zu bytes", edit->path,
                                 max);
        if (n == 0)
            break;
    }
    edit->text[edit->len] = '\0';
    if (strlen(edit->text) != edit->len)
        return alk_error_set(error, ALK_E_PARSE, "%s is not text: it holds a NUL", edit->path);
    return ALK_OK;
}

int file_edit_begin(struct file_edit *edit, const char *path, size_t max, struct alk_error *error)
{
    *edit = (struct file_edit){.path = realpath(path, NULL), .fd = -1};
    if (edit->path != NULL)
        edit->fd = open(edit->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (edit->fd < 0)
        return alk_error_set(error, ALK_E_IO, "cannot open %s: %s", path, strerror(errno));
    return read_all(edit, edit->fd, max, error);
}

void file_edit_free(struct file_edit *edit)
{
    if (edit->fd >= 0)
        close(edit->fd);
    free(edit->path);
    free(edit->text);
}

/* ---- putting another in its place ---- */

static bool is_unchanged(const struct file_edit *edit)
{
    struct stat now;

    return stat(edit->path, &now) == 0 && now.st_ino == edit->was.st_ino &&
           now.st_dev == edit->was.st_dev && now.st_size == edit->was.st_size &&
           now.st_mtim.tv_sec == edit->was.st_mtim.tv_sec &&
           now.st_mtim.tv_nsec == edit->was.st_mtim.tv_nsec;
}

/* Of two that have read the same file one puts its own in its place, and the other, which waits
 * here, then sees that. Where there are no locks, only what is slower is noticed. */
static void lock(const struct file_edit *edit)
{
    while (flock(edit->fd, LOCK_EX) != 0 && errno == EINTR)
        ;
}

/* Who else may read it, when that is told by a list and not by the mode, whose bits of the group
 * then are the most that anybody has. */
static bool take_list(const char *path, const struct file_edit *edit)
{
    static const char name[] = "system.posix_acl_access";
    char list[4096];
    ssize_t len = fgetxattr(edit->fd, name, list, sizeof(list));

    if (len < 0)
        return (errno == ENODATA || errno == ENOTSUP) &&
               chmod(path, edit->was.st_mode & 07777) == 0;
    return chmod(path, edit->was.st_mode & 07700) == 0 &&
           setxattr(path, name, list, (size_t)len, 0) == 0;
}

/* The new file is like the old one in all but what it holds. */
static bool take_after(const char *path, const struct file_edit *edit)
{
    const struct stat *was = &edit->was;
    struct stat now;

    if (stat(path, &now) != 0)
        return false;
    if ((now.st_uid != was->st_uid || now.st_gid != was->st_gid) &&
        chown(path, was->st_uid, was->st_gid) != 0)
        return false;
    return take_list(path, edit);
}

/* So that the rename outlasts a loss of power; where that cannot be, it may be the old text. */
static void sync_folder_of(const char *path)
{
    char folder[PATH_MAX];
    int len = (int)(strrchr(path, '/') - path); /* a real path */

    snprintf(folder, sizeof(folder), "%.*s/", len, path);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    (void)fsync(fd);
    close(fd);
}

int file_edit_commit(const struct file_edit *edit, const char *text, size_t len,
                     struct alk_error *error)
{
    char fresh[PATH_MAX];

    if (snprintf(fresh, sizeof(fresh), "%s.%ld", edit->path, (long)getpid()) >= (int)sizeof(fresh))
        return alk_error_set(error, ALK_E_INVAL, "%s: the path is too long", edit->path);
    int status = file_create(fresh, 0600, text, len, error);
    if (status != ALK_OK)
        return status;
    lock(edit);
    if (!is_unchanged(edit))
        status = alk_error_set(error, ALK_E_EXISTS,
                               "somebody else has just changed %s; look at it, and try again",
                               edit->path);
    else if (!take_after(fresh, edit) || rename(fresh, edit->path) != 0)
        status =
            alk_error_set(error, ALK_E_IO, "cannot replace %s: %s", edit->path, strerror(errno));
    if (status != ALK_OK)
        unlink(fresh);
    else
        sync_folder_of(edit->path);
    return status;
}
