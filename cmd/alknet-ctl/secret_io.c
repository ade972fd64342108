/* Secrets in and out, as the options of a command say, through guarded memory only. */
#include "secret_command.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Says what went wrong on the way in. */
static int unread(const struct secret_args *args, const struct alk_error *error)
{
    return secret_complain(args, STATUS_FAILED, "%s", error->text);
}

int secret_bytes_init(const struct secret_args *args, struct secret_bytes *bytes, size_t size)
{
    struct alk_error error;

    return secret_bytes_new(bytes, size, &error) == ALK_OK ? 0 : unread(args, &error);
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

static bool mnemonic_from_stdin(const struct secret_args *args)
{
    return args->mnemonic_fd == 0 ||
           (args->mnemonic_fd < 0 && args->mnemonic_file == NULL && !isatty(0));
}

/* Only a warning: a phrase written by `secret new > FILE` has the mode that the shell gave it. */
static void warn_of_readers(const struct secret_args *args, const char *path)
{
    struct stat st;

    if (stat(path, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 077) != 0)
        secret_complain(args, 0, "%s can be read by others; run: chmod 600 %s", path, path);
}

int secret_read_mnemonic(const struct secret_args *args, struct secret_bytes *mnemonic)
{
    struct alk_error error;
    int status, r = secret_bytes_init(args, mnemonic, SECRET_INPUT_SIZE);

    if (r != 0)
        return r;
    if (args->mnemonic_file != NULL)
        status = secret_input_file(mnemonic, args->mnemonic_file, &error);
    else if (args->mnemonic_fd >= 0)
        status = secret_input_fd(mnemonic, args->mnemonic_fd, "the mnemonic's descriptor", &error);
    else if (mnemonic_from_stdin(args))
        status = secret_input_fd(mnemonic, 0, "standard input", &error);
    else
        status = secret_input_ask(mnemonic, "Mnemonic", "--mnemonic-file or --mnemonic-fd", &error);
    if (status == ALK_OK && args->mnemonic_file != NULL)
        warn_of_readers(args, args->mnemonic_file);
    if (status == ALK_OK)
        status = secret_input_text(mnemonic, "mnemonic", &error);
    if (status == ALK_OK)
        return 0;
    secret_bytes_free(mnemonic);
    return unread(args, &error);
}

static int read_passphrase(const struct secret_args *args, struct secret_bytes *passphrase)
{
    struct alk_error error;
    int status = ALK_OK, r;

    if (args->passphrase_fd == 0 && mnemonic_from_stdin(args))
        return secret_complain(args, STATUS_USAGE,
                               "standard input cannot give both mnemonic and passphrase; use "
                               "--mnemonic-file");
    if ((r = secret_bytes_init(args, passphrase, SECRET_INPUT_SIZE)) != 0)
        return r;
    if (args->passphrase_file != NULL)
        status = secret_input_file(passphrase, args->passphrase_file, &error);
    else if (args->passphrase_fd >= 0)
        status =
            secret_input_fd(passphrase, args->passphrase_fd, "the passphrase's descriptor", &error);
    else if (args->ask_passphrase)
        status = secret_input_ask(passphrase, "Passphrase", "--passphrase-file or --passphrase-fd",
                                  &error);
    if (status == ALK_OK)
        status = secret_input_text(passphrase, "passphrase", &error);
    if (status == ALK_OK)
        return 0;
    secret_bytes_free(passphrase);
    return unread(args, &error);
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

static int check_stdin(const struct secret_args *args)
{
    if (args->in != NULL || !mnemonic_from_stdin(args))
        return 0;
    return secret_complain(args, STATUS_USAGE,
                           "standard input cannot give both the mnemonic and the data; use "
                           "--mnemonic-file or --in");
}

int secret_open_input(const struct secret_args *args, FILE **input)
{
    int r = check_stdin(args);

    if (r != 0)
        return r;
    *input = args->in != NULL ? fopen(args->in, "re") : stdin;
    if (*input == NULL)
        return secret_complain(args, STATUS_FAILED, "cannot open %s: %s", args->in,
                               strerror(errno));
    return 0;
}

int secret_read_input(const struct secret_args *args, size_t max, struct secret_bytes *input)
{
    struct alk_error error;
    int status, r = check_stdin(args);

    if (r != 0 || (r = secret_bytes_init(args, input, max + 1)) != 0)
        return r;
    if (args->in != NULL)
        status = secret_input_file(input, args->in, &error);
    else
        status = secret_input_fd(input, 0, "standard input", &error);
    if (status == ALK_OK)
        return 0;
    secret_bytes_free(input);
    return unread(args, &error);
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
