#include "credentials/reading.h"

#include "base/read_file.h"

#include <sodium.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

/* All values of a set, a line end behind the last one, and a NUL. */
enum { VALUES_SIZE = ALK_CREDENTIAL_VALUE_MAX + 3 };

int credential_tell(const struct alk_credential_source *source, unsigned line, int status,
                    const char *why, struct alk_error *error)
{
    if (source->file == NULL || line == 0)
        return alk_error_set(error, status, "credential %s: %s", source->service, why);
    return alk_error_set(error, status, "%s:%u: credential %s: %s", source->file, line,
                         source->service, why);
}

/* Its group may read a file that belongs to somebody else: that is how root lets a server do so. */
static int check_secrecy(const char *path, const struct stat *st, struct alk_error *error)
{
    bool own = st->st_uid == geteuid();

    if ((st->st_mode & (own ? 077 : 07)) == 0)
        return ALK_OK;
    return alk_error_set(error, ALK_E_DENIED,
                         "the secret %s can be read by others; run: chmod %s %s", path,
                         own ? "600" : "o-rwx", path);
}

static int too_long(const char *path, struct alk_error *error)
{
    return alk_error_set(error, ALK_E_LIMIT,
                         "%s is too long: all values of a credential have at most %d bytes", path,
                         ALK_CREDENTIAL_VALUE_MAX);
}

/* The value in a file, as text of at most size bytes with its NUL. */
static int read_value(char *out, size_t size, const char *path, struct alk_error *error)
{
    struct stat st;
    int fd = alk_file_open(path, &st, error);

    if (fd < 0)
        return fd;
    int status = check_secrecy(path, &st, error);
    ssize_t len = status == ALK_OK ? alk_file_read(fd, path, out, size - 1, error) : status;
    close(fd);
    if (len == ALK_E_LIMIT)
        return too_long(path, error);
    if (len < 0)
        return (int)len;
    if (len > 0 && out[len - 1] == '\n')
        len--;
    if (len > 0 && out[len - 1] == '\r')
        len--;
    if (len == 0)
        return alk_error_set(error, ALK_E_INVAL, "%s is empty; write the secret into it", path);
    if (memchr(out, '\0', (size_t)len) != NULL)
        return alk_error_set(error, ALK_E_PARSE, "%s is not text: it holds a NUL", path);
    out[len] = '\0';
    return ALK_OK;
}

int alk_credential_check_file(const char *path, struct alk_error *error)
{
    char *value = sodium_malloc(VALUES_SIZE);
    int status = value != NULL ? read_value(value, VALUES_SIZE, path, error)
                               : alk_error_set(error, ALK_E_NOMEM, "out of memory");

    sodium_free(value);
    return status;
}

int credential_read(struct credential_reading *reading, const struct alk_credential_source *source,
                    struct alk_error *error)
{
    size_t used = 0;
    struct alk_error why;

    *reading = (struct credential_reading){.values = sodium_malloc(VALUES_SIZE)};
    if (reading->values == NULL)
        return alk_error_set(error, ALK_E_NOMEM, "out of memory");
    if (source->place_count > ALK_CREDENTIAL_FIELDS_MAX)
        return credential_tell(source, source->line, ALK_E_LIMIT, "it has too many fields", error);
    for (size_t i = 0; i < source->place_count; i++) {
        const struct alk_credential_place *place = &source->places[i];
        char *at = reading->values + used;
        reading->fields[i] = (struct alk_credential_field){place->name, place->value};
        if (place->path == NULL)
            continue;
        int status = used > ALK_CREDENTIAL_VALUE_MAX
                         ? too_long(place->path, &why)
                         : read_value(at, VALUES_SIZE - used, place->path, &why);
        if (status != ALK_OK)
            return credential_tell(source, place->line, status, why.text, error);
        reading->fields[i].value = at;
        used += strlen(at) + 1;
    }
    reading->entry = (struct alk_credential_entry){
        .service = source->service,
        .credential = {source->kind, reading->fields, source->place_count, source->expires},
    };
    return ALK_OK;
}

void credential_reading_wipe(struct credential_reading *reading)
{
    sodium_free(reading->values); /* wipes */
    reading->values = NULL;
}
