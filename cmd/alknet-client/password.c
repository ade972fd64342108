#include "password.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

enum { READ_MOST = PASSWORD_SIZE + 1 }; /* the longest line with its CR LF */

/* The end of the first line, or NULL when more must be read. */
static const char *find_end(const char *text, size_t len, bool all)
{
    const char *newline = memchr(text, '\n', len);

    return newline != NULL || !all ? newline : text + len;
}

static const char *take_line(const char *text, const char *end, char password[PASSWORD_SIZE])
{
    if (end > text && end[-1] == '\r')
        end--;
    size_t len = (size_t)(end - text);
    if (len == 0)
        return "its first line is empty";
    if (len >= PASSWORD_SIZE)
        return "its first line is longer than 255 bytes";
    if (memchr(text, '\0', len) != NULL)
        return "its first line holds a NUL byte";
    memcpy(password, text, len);
    password[len] = '\0';
    return NULL;
}

/* A pipe, such as a shell's <(command), is waited for as long as somebody may write to it. */
const char *password_read(const char *path, char password[PASSWORD_SIZE])
{
    char text[READ_MOST];
    const char *end = NULL, *why = NULL;
    size_t len = 0;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

    if (fd < 0 || fcntl(fd, F_SETFL, 0) != 0)
        why = strerror(errno);
    while (why == NULL && end == NULL) {
        ssize_t n = read(fd, text + len, sizeof(text) - len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            why = strerror(errno);
        len += n > 0 ? (size_t)n : 0;
        end = find_end(text, len, n == 0 || len == sizeof(text));
    }
    if (why == NULL)
        why = take_line(text, end, password);
    explicit_bzero(text, sizeof(text));
    if (fd >= 0)
        close(fd);
    return why;
}
