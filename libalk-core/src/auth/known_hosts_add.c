/* Adding a server to a known_hosts file. */
#include "auth/key_internal.h"
#include "auth/known_hosts_name.h"
#include "ssh/wire.h"

#include <alk/known_hosts.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    HOST_MAX = 1024,
    PATH_SIZE = 4096,
    KEY_MAX = 6 * 1024, /* a public key as a line has it */
};

bool alk_known_hosts_name(const char *host, unsigned port, char name[ALK_KNOWN_HOSTS_NAME_SIZE])
{
    size_t len = strlen(host);

    if (len == 0 || len > HOST_MAX)
        return false;
    if (port == 22)
        memcpy(name, host, len + 1);
    else
        snprintf(name, ALK_KNOWN_HOSTS_NAME_SIZE, "[%s]:%u", host, port);
    for (; *name != '\0'; name++) {
        if (*name >= 'A' && *name <= 'Z')
            *name = (char)(*name - 'A' + 'a');
    }
    return true;
}

/* Would the host, written down, mean this host and nothing else? */
static bool host_is_plain(const char *host)
{
    if (strpbrk(host, ",*?!|\"[]") != NULL || host[0] == '#' || host[0] == '@')
        return false;
    for (; *host != '\0'; host++) {
        if ((unsigned char)*host <= ' ' || *host == 0x7f)
            return false;
    }
    return true;
}

/* Creates the folders above a file that are not there. */
static int make_folders(const char *path, struct alk_error *error)
{
    char folder[PATH_SIZE];

    if (strlen(path) >= sizeof(folder))
        return alk_error_set(error, ALK_E_INVAL, "the name of the known_hosts file is too long");
    strcpy(folder, path);
    for (char *slash = strchr(folder + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(folder, 0700) != 0 && errno != EEXIST)
            return alk_error_set(error, errno == EACCES ? ALK_E_DENIED : ALK_E_IO,
                                 "cannot create the folder %s: %s", folder, strerror(errno));
        *slash = '/';
    }
    return ALK_OK;
}

/* The line goes out in one write at the end of the file, so that programs that add at
 * the same time do not mix. */
static int append_line(int fd, const char *line)
{
    char text[ALK_KNOWN_HOSTS_NAME_SIZE + KEY_MAX + 4];
    struct stat st;
    char last = '\n';
    int len;

    if (fstat(fd, &st) != 0)
        return -1;
    if (!S_ISREG(st.st_mode)) {
        errno = EINVAL;
        return -1;
    }
    if (st.st_size > 0 && pread(fd, &last, 1, st.st_size - 1) < 0)
        return -1;
    len = snprintf(text, sizeof(text), "%s%s\n", last != '\n' ? "\n" : "", line);
    if (write(fd, text, (size_t)len) != len) {
        errno = errno != 0 ? errno : ENOSPC;
        return -1;
    }
    return 0;
}

static int append_to(const char *path, const char *line, struct alk_error *error)
{
    int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600);
    int err;

    if (fd < 0)
        return alk_error_set(error, errno == EACCES ? ALK_E_DENIED : ALK_E_IO, "cannot open %s: %s",
                             path, strerror(errno));
    errno = 0;
    err = append_line(fd, line) != 0 ? errno : 0;
    if (close(fd) != 0 && err == 0)
        err = errno;
    if (err != 0)
        return alk_error_set(error, ALK_E_IO, "cannot add to %s: %s", path, strerror(err));
    return ALK_OK;
}

static bool format_key(const uint8_t *blob, size_t len, char key[KEY_MAX])
{
    struct alk_reader r = alk_reader(blob, len);
    bool ed25519 = alk_bytes_equal(alk_get_string(&r), ALK_KEY_TYPE);

    return (!ed25519 || alk_key_blob_raw(blob, len) != NULL) &&
           alk_key_format_public(blob, len, NULL, key, KEY_MAX) == ALK_OK;
}

int alk_known_hosts_add(const char *path, const char *host, unsigned port, const uint8_t *blob,
                        size_t blob_len, struct alk_error *error)
{
    char line[ALK_KNOWN_HOSTS_NAME_SIZE + KEY_MAX];
    char key[KEY_MAX];
    char name[ALK_KNOWN_HOSTS_NAME_SIZE];
    int rc;

    if (!alk_known_hosts_name(host, port, name) || !host_is_plain(host))
        return alk_error_set(error, ALK_E_INVAL,
                             "the host name cannot be written to a known_hosts file");
    if (!format_key(blob, blob_len, key))
        return alk_error_set(error, ALK_E_INVAL, "the host key is malformed or of no known type");
    snprintf(line, sizeof(line), "%s %s", name, key);
    rc = make_folders(path, error);
    return rc == ALK_OK ? append_to(path, line, error) : rc;
}
