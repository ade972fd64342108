/* The files that a configuration names: opened and judged, never changed. */
#include "config/parser.h"

#include "base/read_file.h"
#include "auth/revocation.h"
#include "transport/address.h"
#include "transport/bind.h"
#include "transport/socket.h"
#include "transport/tls.h"
#include "transport/tls_files.h"

#include <alk/authorized_keys.h>
#include <alk/key.h>

#include <errno.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

int check_host_key(const char *path, struct alk_error *error)
{
    struct alk_key *key = NULL;
    int status = alk_key_load(&key, path, NULL, NULL, error);

    alk_key_free(key);
    return status;
}

/* An identity may ask for its passphrase when it is used; a server has nobody to ask. */
int check_identity(const char *path, struct alk_error *error)
{
    int status = check_host_key(path, error);

    return status == ALK_E_AUTH ? ALK_OK : status;
}

static void first_skipped(unsigned line, bool skipped, const char *sentence, void *user)
{
    unsigned *first = user;

    (void)sentence;
    if (skipped && *first == 0)
        *first = line;
}

typedef int (*load_keys_fn)(struct alk_authorized_keys **out, const char *path,
                            alk_authorized_note_fn note, void *user, struct alk_error *error);

/* With lines that are skipped it is in order: the server tells of them, and goes on. Nothing but
 * such lines is another kind of file. */
static int check_keys(const char *path, load_keys_fn load, struct alk_error *error)
{
    struct alk_authorized_keys *keys = NULL;
    unsigned skipped = 0;
    int status = load(&keys, path, first_skipped, &skipped, error);

    if (status == ALK_OK && skipped != 0 && alk_authorized_keys_count(keys) == 0)
        status = alk_error_set(error, ALK_E_PARSE,
                               "%s: no line of it is a key; the first is line %u", path, skipped);
    alk_authorized_keys_free(keys);
    return status;
}

int check_authorized_keys(const char *path, struct alk_error *error)
{
    return check_keys(path, alk_authorized_keys_load, error);
}

int check_key_source(const char *path_or_shared, struct alk_error *error)
{
    bool shared = strcmp(path_or_shared, SHARED_KEYS) == 0;

    return shared ? ALK_OK : check_authorized_keys(path_or_shared, error);
}

int check_authorities(const char *path, struct alk_error *error)
{
    return check_keys(path, alk_authorities_load, error);
}

int check_revocations(const char *path, struct alk_error *error)
{
    struct alk_revocations *revoked = NULL;
    int status = alk_revocations_load(&revoked, path, error);

    alk_revocations_free(revoked);
    return status;
}

/* The key will be made: its folder must be there, and be writable. */
static int check_folder_of(const char *path, struct alk_error *error)
{
    char folder[4096] = ".";
    const char *slash = strrchr(path, '/');
    struct stat st;

    if (slash != NULL && (size_t)(slash - path) + 1 < sizeof(folder)) {
        memcpy(folder, path, (size_t)(slash - path) + 1);
        folder[slash - path + 1] = '\0';
    }
    if (stat(folder, &st) != 0)
        return alk_error_set(error, ALK_E_NOTFOUND, "%s cannot be made: the folder %s: %s", path,
                             folder, strerror(errno));
    if (!S_ISDIR(st.st_mode))
        return alk_error_set(error, ALK_E_INVAL, "%s cannot be made: %s is no folder", path,
                             folder);
    if (access(folder, W_OK | X_OK) != 0)
        return alk_error_set(error, ALK_E_DENIED,
                             "%s cannot be made: this user may not write in %s", path, folder);
    return ALK_OK;
}

int check_user(const char *name, struct alk_error *error)
{
    return getpwnam(name) != NULL
               ? ALK_OK
               : alk_error_set(error, ALK_E_NOTFOUND,
                               "there is no user %s; make one with: useradd --system %s", name,
                               name);
}

/* Of a pair that is judged as a whole when both are there. */
int check_readable(const char *path, struct alk_error *error)
{
    return access(path, R_OK) == 0 ? ALK_OK
                                   : alk_error_set(error, alk_status_from_errno(errno), "%s: %s",
                                                   path, strerror(errno));
}

/* NAME:FILE */
int check_password_file(const char *name_and_path, struct alk_error *error)
{
    return check_readable(strchr(name_and_path, ':') + 1, error);
}

int check_authorities_of_tls(const char *path, struct alk_error *error)
{
    struct alk_tls_context *context = NULL;
    int status = alk_tls_client_load(&context, path, NULL, false, error);

    alk_tls_context_release(context);
    return status;
}

int check_socket(const char *path, struct alk_error *error)
{
    return strlen(path) <= ALK_PATH_MAX /* its folder may come with the service */
               ? alk_bind_check_path(path, error)
               : alk_error_set(error, ALK_E_LIMIT, "the path of a socket has at most %d bytes",
                               (int)ALK_PATH_MAX);
}

int alk_config_check_new_key(const char *path, struct alk_error *error)
{
    if (path[0] == '\0')
        return alk_error_set(error, ALK_E_INVAL, "the name of the host key's file is empty");
    return access(path, F_OK) == 0 ? check_host_key(path, error) : check_folder_of(path, error);
}

static int check_entry(const struct alk_config *config, const struct config_entry *entry,
                       struct alk_error *error)
{
    bool makes = entry->key->check == check_host_key && config->server.generate_key;

    return makes ? alk_config_check_new_key(entry->value, error)
                 : entry->key->check(entry->value, error);
}

/* The certificate and its key, as a pair; told at the line of the key. */
static void check_tls(struct alk_config *config)
{
    const struct alk_server_options *options = &config->server.options;
    struct alk_tls_context *context = NULL;
    struct alk_error error;

    if (options->tls_cert == NULL || options->tls_key == NULL ||
        check_readable(options->tls_cert, &error) != ALK_OK ||
        check_readable(options->tls_key, &error) != ALK_OK) /* told already */
        return;
    for (const struct config_entry *e = config->entries; e != NULL; e = e->next) {
        if (strcmp(e->section->text, "tls") == 0)
            config->line = e->line;
    }
    if (alk_tls_server_load(&context, options->tls_cert, options->tls_key, &error) != ALK_OK ||
        alk_tls_check_validity(context, options->tls_cert, time(NULL), &error) != ALK_OK)
        config_fault(config, "%s", error.text);
    alk_tls_context_release(context);
}

/* Together the values of a credential may be too much, though each by itself is in order. */
static void check_credentials(struct alk_config *config)
{
    struct alk_credential_store *store = NULL;
    struct alk_error error;

    for (const struct config_credential *c = config->credentials; c != NULL; c = c->next) {
        struct alk_credential_source source = c->source;
        source.file = NULL; /* a fault names it in any case */
        config->line = source.line;
        if (alk_credential_store_load(&store, &source, 1, &error) != ALK_OK)
            config_fault(config, "%s", error.text);
        alk_credential_store_free(store);
    }
}

/* Two API keys with the same hash are one key, and nobody knows which. */
static void check_hashes(struct alk_config *config)
{
    for (const struct config_entry *e = config->entries; e != NULL; e = e->next) {
        if (strcmp(e->key->name, "hash") != 0)
            continue;
        for (const struct config_entry *other = e->next; other != NULL; other = other->next) {
            const struct config_entry *later = other->line > e->line ? other : e;
            config->line = later->line;
            if (strcmp(other->key->name, "hash") == 0 && strcmp(other->value, e->value) == 0)
                config_fault(config, "hash: it is that of line %u; each key has its own",
                             later == e ? other->line : e->line);
        }
    }
}

int alk_config_check_files(struct alk_config *config)
{
    struct alk_error error;

    for (const struct config_entry *e = config->entries; e != NULL; e = e->next) {
        config->line = e->line;
        if (e->key->check != NULL && check_entry(config, e, &error) != ALK_OK)
            config_fault(config, "%s: %s", e->key->name, error.text);
    }
    if (config->fault_count == 0)
        check_credentials(config);
    check_hashes(config);
    check_tls(config);
    return config->no_memory ? ALK_E_NOMEM : ALK_OK;
}
