/* Private key files on disk: who may read them, asking for a passphrase, creating them. */
#include "auth/key_internal.h"
#include "base/read_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PASSPHRASE_MAX = 1024, ATTEMPTS = 3 };

/* As OpenSSH: only the files of this very user are judged; those of others could not be
 * mended by chmod here. */
static int check_owner_only(const char *path, const struct stat *st, struct alk_error *error)
{
    if (st->st_uid == geteuid() && (st->st_mode & 077) != 0)
        return alk_error_set(error, ALK_E_DENIED, "%s can be read by others; run: chmod 600 %s",
                             path, path);
    return ALK_OK;
}

/* Reads the file into guarded memory (sodium_free). */
static int read_secret(const char *path, bool owner_only, char **text, size_t *len,
                       struct alk_error *error)
{
    struct stat st;
    char *buffer = NULL;
    ssize_t n;
    int fd = alk_file_open(path, &st, error);
    int rc;

    if (fd < 0)
        return fd;
    rc = owner_only ? check_owner_only(path, &st, error) : ALK_OK;
    if (rc != ALK_OK)
        goto out;
    buffer = sodium_malloc(ALK_KEY_FILE_MAX);
    if (buffer == NULL) {
        rc = alk_error_set(error, ALK_E_NOMEM, "out of memory for %s", path);
        goto out;
    }
    n = alk_file_read(fd, path, buffer, ALK_KEY_FILE_MAX, error);
    if (n < 0) {
        rc = (int)n;
        goto out;
    }
    *text = buffer;
    *len = (size_t)n;
    buffer = NULL;
out:
    sodium_free(buffer);
    close(fd);
    return rc;
}

static int ask_and_decode(alk_key_decode_fn decode, void *out, const char *path, const char *text,
                          size_t len, alk_passphrase_fn ask, void *user, struct alk_error *error)
{
    char *passphrase = sodium_malloc(PASSPHRASE_MAX);
    int rc = ALK_E_AUTH;

    if (passphrase == NULL)
        return alk_error_set(error, ALK_E_NOMEM, "out of memory for %s", path);
    for (unsigned attempt = 1; rc == ALK_E_AUTH && attempt <= ATTEMPTS; attempt++) {
        memset(passphrase, 0, PASSPHRASE_MAX);
        if (ask(passphrase, PASSPHRASE_MAX, path, attempt, user) < 0) {
            rc = alk_error_set(error, ALK_E_AUTH, "%s is encrypted and no passphrase was given",
                               path);
            break;
        }
        passphrase[PASSPHRASE_MAX - 1] = '\0';
        rc = decode(out, path, text, len, passphrase, error);
    }
    sodium_free(passphrase);
    return rc;
}

int alk_key_read_file(alk_key_decode_fn decode, void *out, const char *path, alk_passphrase_fn ask,
                      void *user, struct alk_error *error)
{
    char *text = NULL;
    size_t len = 0;
    int rc = read_secret(path, true, &text, &len, error);

    if (rc != ALK_OK)
        return rc;
    rc = decode(out, path, text, len, NULL, error);
    if (rc == ALK_E_AUTH && ask != NULL)
        rc = ask_and_decode(decode, out, path, text, len, ask, user, error);
    sodium_free(text);
    return rc;
}

static int decode_own(void *out, const char *path, const char *text, size_t len,
                      const char *passphrase, struct alk_error *error)
{
    return alk_key_decode_file(out, path, text, len, passphrase, error);
}

int alk_key_load(struct alk_key **out, const char *path, alk_passphrase_fn ask, void *user,
                 struct alk_error *error)
{
    *out = NULL;
    return alk_key_read_file(decode_own, out, path, ask, user, error);
}

/* A line that begins with the name of a key type. */
static bool is_public_line(const char *text)
{
    return alk_key_type_known(text, strcspn(text, " \t\r\n"));
}

int alk_key_load_public(uint8_t blob[ALK_KEY_BLOB_SIZE], enum alk_key_file_kind *kind,
                        const char *path, struct alk_error *error)
{
    char *text = NULL;
    bool encrypted = false;
    size_t len = 0;
    int rc = read_secret(path, false, &text, &len, error);

    if (rc != ALK_OK)
        return rc;
    if (len < ALK_KEY_FILE_MAX) /* the line's parser wants an end */
        text[len] = '\0';
    if (len < ALK_KEY_FILE_MAX && is_public_line(text)) {
        rc = alk_key_parse_public(text, blob, NULL, error);
        *kind = ALK_KEY_FILE_PUBLIC;
    } else {
        rc = alk_key_decode_public_half(blob, &encrypted, path, text, len, error);
        *kind = encrypted ? ALK_KEY_FILE_ENCRYPTED : ALK_KEY_FILE_PRIVATE;
    }
    sodium_free(text);
    return rc;
}

/* ---- creating ----------------------------------------------------------------- */

static int write_all(int fd, const char *text)
{
    size_t len = strlen(text);

    while (len > 0) {
        ssize_t n = write(fd, text, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        text += n;
        len -= (size_t)n;
    }
    return fsync(fd);
}

/* Creates a file that is not there yet; leaves none behind when it fails. */
static int create_file(const char *path, mode_t mode, const char *text, struct alk_error *error)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    int err;

    if (fd < 0 && errno == EEXIST)
        return alk_error_set(error, ALK_E_EXISTS,
                             "%s already exists; remove it first or choose another name", path);
    if (fd < 0)
        return alk_error_set(error, errno == EACCES ? ALK_E_DENIED : ALK_E_IO,
                             "cannot create %s: %s", path, strerror(errno));
    err = write_all(fd, text) != 0 ? errno : 0;
    if (close(fd) != 0 && err == 0)
        err = errno;
    if (err == 0)
        return ALK_OK;
    unlink(path);
    return alk_error_set(error, ALK_E_IO, "cannot write %s: %s", path, strerror(err));
}

static bool comment_valid(const char *comment)
{
    if (strlen(comment) >= ALK_KEY_COMMENT_MAX)
        return false;
    for (; *comment != '\0'; comment++) {
        if ((unsigned char)*comment < ' ' || *comment == 0x7f)
            return false;
    }
    return true;
}

static int save_public(const struct alk_key *key, const char *path, const char *comment,
                       struct alk_error *error)
{
    char line[ALK_KEY_COMMENT_MAX + 128];
    int rc = alk_key_format_public(key->blob, ALK_KEY_BLOB_SIZE, comment, line, sizeof(line) - 1);

    if (rc != ALK_OK)
        return alk_error_set(error, rc, "cannot format the public key for %s", path);
    strcat(line, "\n");
    return create_file(path, 0644, line, error);
}

int alk_key_save(const struct alk_key *key, const char *path, const char *comment,
                 const char *passphrase, struct alk_error *error)
{
    char public_path[4096];
    char *text = NULL;
    int rc;

    comment = comment != NULL ? comment : "";
    if (!comment_valid(comment))
        return alk_error_set(error, ALK_E_INVAL,
                             "a key's comment must be one line of less than %d bytes",
                             ALK_KEY_COMMENT_MAX);
    if (snprintf(public_path, sizeof(public_path), "%s.pub", path) >= (int)sizeof(public_path))
        return alk_error_set(error, ALK_E_INVAL, "the name of the key file is too long");
    if (passphrase != NULL && passphrase[0] == '\0')
        passphrase = NULL;
    rc = alk_key_encode_file(key, comment, passphrase, &text);
    if (rc != ALK_OK)
        return alk_error_set(error, rc, "cannot encode the key for %s: %s", path,
                             alk_status_text(rc));
    rc = create_file(path, 0600, text, error);
    sodium_free(text);
    if (rc != ALK_OK)
        return rc;
    rc = save_public(key, public_path, comment, error);
    if (rc != ALK_OK)
        unlink(path);
    return rc;
}
