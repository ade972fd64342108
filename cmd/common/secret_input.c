#include "secret_input.h"

#include "quiet_terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <unistd.h>

int secret_bytes_new(struct secret_bytes *bytes, size_t size, struct alk_error *error)
{
    *bytes = (struct secret_bytes){sodium_malloc(size), 0, size};
    if (bytes->data == NULL)
        return alk_error_set(error, ALK_E_NOMEM, "%s", alk_secret_strerror(ALK_SECRET_E_MEMORY));
    return ALK_OK;
}

void secret_bytes_free(struct secret_bytes *bytes)
{
    sodium_free(bytes->data);
    bytes->data = NULL;
}

int secret_input_fd(struct secret_bytes *bytes, int fd, const char *name, struct alk_error *error)
{
    for (;;) {
        ssize_t n;
        if (bytes->len == bytes->size)
            return alk_error_set(error, ALK_E_LIMIT, "%s is too long; at most %zu bytes are read",
                                 name, bytes->size - 1);
        n = read(fd, bytes->data + bytes->len, bytes->size - bytes->len);
        if (n == 0)
            return ALK_OK;
        if (n < 0 && errno != EINTR)
            return alk_error_set(error, ALK_E_IO, "cannot read %s: %s", name, strerror(errno));
        bytes->len += n > 0 ? (size_t)n : 0;
    }
}

int secret_input_file(struct secret_bytes *bytes, const char *path, struct alk_error *error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC), status;

    if (fd < 0)
        return alk_error_set(error, ALK_E_IO, "cannot open %s: %s", path, strerror(errno));
    status = secret_input_fd(bytes, fd, path, error);
    close(fd);
    return status;
}

/* One line from a terminal in raw mode, where ^C is a byte and so cannot leave the terminal
 * without echo. */
static int read_keys(struct secret_bytes *line, int tty, struct alk_error *error)
{
    char c;

    while (read(tty, &c, 1) == 1) {
        if (c == '\n' || c == '\r')
            return ALK_OK;
        if (c == 3 || (c == 4 && line->len == 0)) /* ^C, ^D */
            break;
        if (c == 21) { /* ^U */
            line->len = 0;
        } else if (c == 8 || c == 127) { /* one letter back, with the bytes of its UTF-8 */
            while (line->len > 0 && (line->data[line->len - 1] & 0xc0) == 0x80)
                line->len--;
            line->len -= line->len > 0;
        } else if (line->len + 1 < line->size) {
            line->data[line->len++] = c;
        }
    }
    return alk_error_set(error, ALK_E_CLOSED, "interrupted");
}

int secret_input_ask(struct secret_bytes *bytes, const char *what, const char *instead,
                     struct alk_error *error)
{
    struct quiet_terminal quiet;
    int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY), status;

    if (tty < 0 || !quiet_terminal_begin(&quiet, tty, ECHO | ECHONL | ICANON | ISIG)) {
        if (tty >= 0)
            close(tty);
        return alk_error_set(error, ALK_E_NOTFOUND, "no terminal to ask on; use %s", instead);
    }
    dprintf(tty, "%s: ", what);
    status = read_keys(bytes, tty, error);
    dprintf(tty, "\n");
    quiet_terminal_end(&quiet);
    close(tty);
    return status;
}

int secret_input_text(struct secret_bytes *bytes, const char *what, struct alk_error *error)
{
    if (memchr(bytes->data, '\0', bytes->len) != NULL)
        return alk_error_set(error, ALK_E_PARSE, "the %s is not text", what);
    if (bytes->len > 0 && bytes->data[bytes->len - 1] == '\n')
        bytes->len--;
    if (bytes->len > 0 && bytes->data[bytes->len - 1] == '\r')
        bytes->len--;
    bytes->data[bytes->len] = '\0';
    return ALK_OK;
}
