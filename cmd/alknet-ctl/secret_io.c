/* Secrets in and out: files, descriptors and the terminal, through guarded memory only. */
#include "secret_command.h"

#include <alk/secret_mnemonic.h>

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

int secret_bytes_init(const struct secret_args *args, struct secret_bytes *bytes, size_t size)
{
    *bytes = (struct secret_bytes){sodium_malloc(size), 0, size};
    if (bytes->data == NULL)
        return secret_complain(args, STATUS_FAILED, "%s", alk_secret_strerror(ALK_SECRET_E_MEMORY));
    return 0;
}

void secret_bytes_free(struct secret_bytes *bytes)
{
    sodium_free(bytes->data);
    bytes->data = NULL;
}

void secret_add_bytes(struct secret_bytes *bytes, const void *data, size_t len)
{
    if (len > bytes->size - bytes->len)
        abort();
    memcpy(bytes->data + bytes->len, data, len);
    bytes->len += len;
}

void secret_add(struct secret_bytes *bytes, const char *text)
{
    secret_add_bytes(bytes, text, strlen(text));
}

void secret_add_hex(struct secret_bytes *bytes, const uint8_t *data, size_t len)
{
    if (2 * len + 1 > bytes->size - bytes->len)
        abort();
    sodium_bin2hex(bytes->data + bytes->len, 2 * len + 1, data, len);
    bytes->len += 2 * len;
}

void secret_add_json(struct secret_bytes *bytes, const char *text, size_t len)
{
    static const char hex[] = "0123456789abcdef";

    secret_add(bytes, "\"");
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        char escape[] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
        if (c == '"' || c == '\\')
            secret_add_bytes(bytes, (char[]){'\\', (char)c}, 2);
        else if (c < 0x20 || c == 0x7f)
            secret_add_bytes(bytes, escape, sizeof escape);
        else
            secret_add_bytes(bytes, &text[i], 1);
    }
    secret_add(bytes, "\"");
}

void secret_add_member(struct secret_bytes *bytes, const char *name, const char *value)
{
    secret_add(bytes, bytes->len == 0 ? "{" : ",");
    secret_add_json(bytes, name, strlen(name));
    secret_add(bytes, ":");
    secret_add_json(bytes, value, strlen(value));
}

/* Reads to the end, or fails when there is more than fits. */
static int read_all(const struct secret_args *args, int fd, const char *name,
                    struct secret_bytes *bytes)
{
    for (;;) {
        ssize_t n;
        if (bytes->len == bytes->size)
            return secret_complain(args, STATUS_FAILED,
                                   "%s is too long; at most %zu bytes are read", name,
                                   bytes->size - 1);
        n = read(fd, bytes->data + bytes->len, bytes->size - bytes->len);
        if (n == 0)
            return 0;
        if (n < 0 && errno != EINTR)
            return secret_complain(args, STATUS_FAILED, "cannot read %s: %s", name,
                                   strerror(errno));
        bytes->len += n > 0 ? (size_t)n : 0;
    }
}

static int read_file(const struct secret_args *args, const char *path, struct secret_bytes *bytes)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC), r;

    if (fd < 0)
        return secret_complain(args, STATUS_FAILED, "cannot open %s: %s", path, strerror(errno));
    r = read_all(args, fd, path, bytes);
    close(fd);
    return r;
}

/* One line from a terminal in raw mode, where ^C is a byte and so cannot leave the terminal
 * without echo. */
static int read_keys(const struct secret_args *args, int tty, struct secret_bytes *line)
{
    char c;

    while (read(tty, &c, 1) == 1) {
        if (c == '\n' || c == '\r')
            return 0;
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
    return secret_complain(args, STATUS_FAILED, "interrupted");
}

static int prompt(const struct secret_args *args, const char *what, struct secret_bytes *line)
{
    struct termios before, silent;
    int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY), r;

    if (tty < 0 || tcgetattr(tty, &before) != 0) {
        if (tty >= 0)
            close(tty);
        return secret_complain(args, STATUS_FAILED,
                               "no terminal to ask on; use --mnemonic-file or --mnemonic-fd");
    }
    silent = before;
    silent.c_lflag &= (tcflag_t) ~(ECHO | ECHONL | ICANON | ISIG);
    tcsetattr(tty, TCSAFLUSH, &silent);
    dprintf(tty, "%s: ", what);
    r = read_keys(args, tty, line);
    dprintf(tty, "\n");
    tcsetattr(tty, TCSAFLUSH, &before);
    close(tty);
    return r;
}

static bool mnemonic_from_stdin(const struct secret_args *args)
{
    return args->mnemonic_fd == 0 ||
           (args->mnemonic_fd < 0 && args->mnemonic_file == NULL && !isatty(0));
}

int secret_read_mnemonic(const struct secret_args *args, struct secret_bytes *mnemonic)
{
    int r = secret_bytes_init(args, mnemonic, ALK_MNEMONIC_INPUT_MAX + 2);

    if (r != 0)
        return r;
    if (args->mnemonic_file != NULL)
        r = read_file(args, args->mnemonic_file, mnemonic);
    else if (args->mnemonic_fd >= 0)
        r = read_all(args, args->mnemonic_fd, "the mnemonic's descriptor", mnemonic);
    else if (mnemonic_from_stdin(args))
        r = read_all(args, 0, "standard input", mnemonic);
    else
        r = prompt(args, "Mnemonic", mnemonic);
    if (r == 0 && memchr(mnemonic->data, '\0', mnemonic->len) != NULL)
        r = secret_complain(args, STATUS_FAILED, "the mnemonic is not text");
    if (r == 0)
        secret_add_bytes(mnemonic, "", mnemonic->len < mnemonic->size);
    else
        secret_bytes_free(mnemonic);
    return r;
}

static int read_passphrase(const struct secret_args *args, struct secret_bytes *passphrase)
{
    int r = secret_bytes_init(args, passphrase, ALK_MNEMONIC_INPUT_MAX + 4);

    if (r != 0)
        return r;
    if (args->passphrase_fd == 0 && mnemonic_from_stdin(args))
        r = secret_complain(args, STATUS_USAGE,
                            "standard input cannot give both mnemonic and passphrase; use "
                            "--mnemonic-file");
    else if (args->passphrase_file != NULL)
        r = read_file(args, args->passphrase_file, passphrase);
    else if (args->passphrase_fd >= 0)
        r = read_all(args, args->passphrase_fd, "the passphrase's descriptor", passphrase);
    else if (args->ask_passphrase)
        r = prompt(args, "Passphrase", passphrase);
    if (r == 0 && memchr(passphrase->data, '\0', passphrase->len) != NULL)
        r = secret_complain(args, STATUS_FAILED, "the passphrase is not text");
    if (r != 0) {
        secret_bytes_free(passphrase);
        return r;
    }
    if (passphrase->len > 0 && passphrase->data[passphrase->len - 1] == '\n')
        passphrase->len--;
    if (passphrase->len > 0 && passphrase->data[passphrase->len - 1] == '\r')
        passphrase->len--;
    passphrase->data[passphrase->len] = '\0';
    return 0;
}

int secret_unlock(const struct secret_args *args, struct alk_secret_service **service)
{
    struct secret_bytes mnemonic = {0}, passphrase = {0};
    struct alk_secret_error error = {""};
    int r = secret_read_mnemonic(args, &mnemonic);

    *service = NULL;
    if (r == 0)
        r = read_passphrase(args, &passphrase);
    if (r == 0) {
        int code = alk_secret_service_new(NULL, service);
        if (code == 0)
            code = alk_secret_service_unlock(*service, CTL_TENANT, mnemonic.data, passphrase.data,
                                             &error);
        if (code != 0)
            r = secret_failed(args, code, &error);
    }
    secret_bytes_free(&mnemonic);
    secret_bytes_free(&passphrase);
    if (r != 0) {
        alk_secret_service_free(*service);
        *service = NULL;
    }
    return r;
}

int secret_read_input(const struct secret_args *args, size_t max, struct secret_bytes *input)
{
    int r;

    if (args->in == NULL && mnemonic_from_stdin(args))
        return secret_complain(args, STATUS_USAGE,
                               "standard input cannot give both the mnemonic and the data; use "
                               "--mnemonic-file or --in");
    r = secret_bytes_init(args, input, max + 1);
    if (r != 0)
        return r;
    if (args->in != NULL)
        r = read_file(args, args->in, input);
    else
        r = read_all(args, 0, "standard input", input);
    if (r != 0)
        secret_bytes_free(input);
    return r;
}

static int write_all(const struct secret_args *args, int fd, const char *name,
                     const struct secret_bytes *output)
{
    for (size_t done = 0; done < output->len;) {
        ssize_t n = write(fd, output->data + done, output->len - done);
        if (n < 0 && errno != EINTR)
            return secret_complain(args, STATUS_FAILED, "cannot write %s: %s", name,
                                   strerror(errno));
        done += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

int secret_write_output(const struct secret_args *args, const struct secret_bytes *output)
{
    return write_all(args, 1, "standard output", output);
}

int secret_write_file(const struct secret_args *args, const char *path, unsigned mode,
                      const struct secret_bytes *output)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode), r;

    if (fd < 0)
        return secret_complain(args, STATUS_FAILED, "cannot create %s: %s%s", path, strerror(errno),
                               errno == EEXIST ? "; move it away or name another file" : "");
    r = write_all(args, fd, path, output);
    if (close(fd) != 0 && r == 0)
        r = secret_complain(args, STATUS_FAILED, "cannot write %s: %s", path, strerror(errno));
    if (r != 0)
        unlink(path);
    return r;
}
