#include "mnemonic_key.h"

#include "program.h"
#include "secret_input.h"

#include <alk/secret_service.h>

#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define TENANT "program" /* the one tenant of a service that lives for one derivation */

bool mnemonic_fd(const char *option, const char *text, int *fd)
{
    unsigned number;

    if (!program_number(option, text, 0, 65535, &number))
        return false;
    *fd = (int)number;
    return true;
}

int mnemonic_source_check(const struct mnemonic_source *source, const char *flag)
{
    if (!source->wanted && source->mnemonic_fd >= 0)
        return program_usage("--mnemonic-fd needs %s", flag);
    if (!source->wanted && source->passphrase_fd >= 0)
        return program_usage("--mnemonic-passphrase-fd needs %s", flag);
    if (source->mnemonic_fd >= 0 && source->mnemonic_fd == source->passphrase_fd)
        return program_usage("--mnemonic-fd and --mnemonic-passphrase-fd must differ");
    return -1;
}

/* Reads a descriptor to its end, and closes it: nobody has use for it any more. */
static int read_fd(struct secret_bytes *bytes, int fd, const char *what, struct alk_error *error)
{
    char name[64];
    int status;

    if (isatty(fd))
        return alk_error_set(error, ALK_E_INVAL,
                             "descriptor %d is a terminal, which would show the %s; name a pipe "
                             "or a file",
                             fd, what);
    snprintf(name, sizeof(name), "the %s from descriptor %d", what, fd);
    status = secret_input_fd(bytes, fd, name, error);
    if (fd > STDERR_FILENO)
        close(fd);
    return status;
}

/* The file of a systemd credential, if the service manager has given it. */
static bool find_credential(const char *name, char path[PATH_MAX])
{
    const char *directory = getenv("CREDENTIALS_DIRECTORY");

    return directory != NULL && directory[0] != '\0' &&
           snprintf(path, PATH_MAX, "%s/%s", directory, name) < PATH_MAX && access(path, F_OK) == 0;
}

static int read_mnemonic(struct secret_bytes *bytes, int fd, struct alk_error *error)
{
    char path[PATH_MAX];
    int status;

    if (fd >= 0)
        status = read_fd(bytes, fd, "mnemonic", error);
    else if (find_credential("alknet-mnemonic", path))
        status = secret_input_file(bytes, path, error);
    else
        status = secret_input_ask(bytes, "Mnemonic",
                                  "--mnemonic-fd or the systemd credential alknet-mnemonic", error);
    return status == ALK_OK ? secret_input_text(bytes, "mnemonic", error) : status;
}

static int read_passphrase(struct secret_bytes *bytes, int fd, struct alk_error *error)
{
    char path[PATH_MAX];
    int status = ALK_OK;

    if (fd >= 0)
        status = read_fd(bytes, fd, "passphrase", error);
    else if (find_credential("alknet-mnemonic-passphrase", path))
        status = secret_input_file(bytes, path, error);
    return status == ALK_OK ? secret_input_text(bytes, "passphrase", error) : status;
}

/* The key at a path, to guarded memory of the caller's. */
static int derive(const char *mnemonic, const char *passphrase, const char *path,
                  struct alk_secret_ed25519 *derived, struct alk_error *error)
{
    struct alk_secret_service *service = NULL;
    struct alk_secret_options options;
    struct alk_secret_error why = {""};
    int code;

    alk_secret_options_init(&options);
    options.cache_keys = 1;
    options.tenants = 1;
    code = alk_secret_service_new(&options, &service);
    if (code == 0)
        code = alk_secret_service_unlock(service, TENANT, mnemonic, passphrase, &why);
    if (code == 0)
        code = alk_secret_service_derive_ed25519(service, TENANT, path, derived, &why);
    alk_secret_service_free(service);
    if (code != 0)
        return alk_error_set(error, ALK_E_INVAL, "%s",
                             why.text[0] != '\0' ? why.text : alk_secret_strerror(code));
    return ALK_OK;
}

int mnemonic_key(struct alk_key **key, const struct mnemonic_source *source, const char *path,
                 struct alk_error *error)
{
    struct secret_bytes mnemonic = {0}, passphrase = {0};
    struct alk_secret_ed25519 *derived = sodium_malloc(sizeof(*derived));
    int status;

    *key = NULL;
    if (derived == NULL)
        return alk_error_set(error, ALK_E_NOMEM, "out of memory for the key");
    status = secret_bytes_new(&mnemonic, SECRET_INPUT_SIZE, error);
    if (status == ALK_OK)
        status = secret_bytes_new(&passphrase, SECRET_INPUT_SIZE, error);
    if (status == ALK_OK)
        status = read_mnemonic(&mnemonic, source->mnemonic_fd, error);
    if (status == ALK_OK)
        status = read_passphrase(&passphrase, source->passphrase_fd, error);
    if (status == ALK_OK)
        status = derive(mnemonic.data, passphrase.data, path, derived, error);
    if (status == ALK_OK && alk_key_from_seed(key, derived->secret) != ALK_OK)
        status = alk_error_set(error, ALK_E_NOMEM, "out of memory for the key");
    secret_bytes_free(&mnemonic);
    secret_bytes_free(&passphrase);
    sodium_free(derived);
    return status;
}
