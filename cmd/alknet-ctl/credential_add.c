/* alknet-ctl credential add: the secrets go into files, their section into the configuration or on
 * standard output. The section is judged as a server would before anything is asked or written. */
#include "credential.h"

#include "edit_file.h"
#include "program.h"
#include "secret_input.h"

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A value, its line end, and a NUL. */
enum { SECRET_SIZE = ALK_CREDENTIAL_VALUE_MAX + 4 };

struct addition {
    const struct credential_request *request;
    char *section;                                  /* text to append, from malloc */
    char *paths[ALK_CREDENTIAL_FIELDS_MAX];         /* of the secrets, as they are opened */
    const char *written[ALK_CREDENTIAL_FIELDS_MAX]; /* as the section has them */
    size_t made;                                    /* of the files, to undo */
};

/* ---- which secrets ---- */

static bool is_named(const struct credential_request *r, const char *field)
{
    for (size_t i = 0; i < r->secret_count; i++) {
        if (strcmp(r->secrets[i].field, field) == 0)
            return true;
    }
    return false;
}

/* Those that the kind needs and nobody has named are asked for. */
static void complete_secrets(struct credential_request *r)
{
    const struct alk_credential_kind_field *field;

    for (size_t i = 0; (field = alk_credential_kind_field(r->kind, i)) != NULL; i++) {
        if (field->needed && field->secret && !is_named(r, field->name) &&
            r->secret_count < ALK_CREDENTIAL_FIELDS_MAX)
            r->secrets[r->secret_count++] = (struct credential_option){field->name, NULL};
    }
}

static int check_stdin(const struct credential_request *r)
{
    unsigned count = 0;

    for (size_t i = 0; i < r->secret_count; i++)
        count += r->secrets[i].value != NULL && strcmp(r->secrets[i].value, "-") == 0;
    return count <= 1 ? -1
                      : program_usage("credential: standard input gives one secret only; name "
                                      "files for the others");
}

/* ---- where they go ---- */

/* The folder of the file that is to name them, which then needs no more than their names; else a
 * whole path. */
static int name_files(struct addition *a, struct alk_error *error)
{
    const struct credential_request *r = a->request;
    const char *slash = r->config != NULL ? strrchr(r->config, '/') : NULL;
    bool beside = r->config != NULL && r->folder == NULL;
    char folder[PATH_MAX] = "";

    if (beside)
        snprintf(folder, sizeof(folder), "%.*s", slash != NULL ? (int)(slash - r->config + 1) : 0,
                 r->config);
    else if (realpath(r->folder != NULL ? r->folder : ".", folder) == NULL)
        return alk_error_set(error, ALK_E_NOTFOUND, "%s: %s", r->folder, strerror(errno));
    for (size_t i = 0; i < r->secret_count; i++) {
        int skip = beside ? (int)strlen(folder) : 0;
        if (asprintf(&a->paths[i], "%s%s%s.%s", folder, beside ? "" : "/", r->name,
                     r->secrets[i].field) < 0) {
            a->paths[i] = NULL;
            return alk_error_set(error, ALK_E_NOMEM, "out of memory");
        }
        a->written[i] = a->paths[i] + skip;
    }
    return ALK_OK;
}

/* ---- the section ---- */

static int write_section(struct addition *a, struct alk_error *error)
{
    const struct credential_request *r = a->request;
    bool custom = r->kind == ALK_CREDENTIAL_CUSTOM;
    size_t len;
    FILE *out = open_memstream(&a->section, &len);

    if (out == NULL)
        return alk_error_set(error, ALK_E_NOMEM, "out of memory");
    fprintf(out, "[credential %s]\nkind = %s\n", r->name, r->kind_text);
    if (r->expires != NULL)
        fprintf(out, "expires = %s\n", r->expires);
    for (size_t i = 0; i < r->value_count; i++)
        fprintf(out, "%s = %s\n", r->values[i].field, r->values[i].value);
    for (size_t i = 0; i < r->secret_count; i++)
        fprintf(out, custom ? "field = %s %s\n" : "%s_file = %s\n", r->secrets[i].field,
                a->written[i]);
    return fclose(out) == 0 ? ALK_OK : alk_error_set(error, ALK_E_NOMEM, "out of memory");
}

/* Whether a field is there as it was meant: a value with a ; in it would be cut, one with a line
 * end become more than a value. */
static bool has_field(const struct alk_credential_source *source, const char *field,
                      const char *value, const char *path)
{
    for (size_t i = 0; i < source->place_count; i++) {
        const struct alk_credential_place *place = &source->places[i];
        if (strcmp(place->name, field) == 0)
            return value != NULL ? place->value != NULL && strcmp(place->value, value) == 0
                                 : place->path != NULL && strcmp(place->path, path) == 0;
    }
    return false;
}

static int check_meant(const struct addition *a, const struct alk_credential_source *source,
                       struct alk_error *error)
{
    const struct credential_request *r = a->request;
    bool same = source != NULL && source->place_count == r->value_count + r->secret_count;

    for (size_t i = 0; i < r->value_count && same; i++)
        same = has_field(source, r->values[i].field, r->values[i].value, NULL);
    for (size_t i = 0; i < r->secret_count && same; i++)
        same = has_field(source, r->secrets[i].field, NULL, a->paths[i]);
    return same ? ALK_OK
                : alk_error_set(error, ALK_E_PARSE,
                                "the configuration cannot hold these names and values: it wants "
                                "text without control characters and without a ; after a blank");
}

/* The file as it will be, parsed and free of faults; text is the whole of it, from malloc. */
static int compose(struct addition *a, const struct file_edit *edit, struct alk_config **config,
                   char **text, struct alk_error *error)
{
    const char *file = a->request->config != NULL ? a->request->config : "the section";
    const char *old = edit->text != NULL ? edit->text : "";
    const char *gap = edit->len == 0 ? "" : old[edit->len - 1] == '\n' ? "\n" : "\n\n";

    int status = write_section(a, error);
    if (status != ALK_OK)
        return status;
    if (asprintf(text, "%s%s%s", old, gap, a->section) < 0) {
        *text = NULL;
        return alk_error_set(error, ALK_E_NOMEM, "out of memory");
    }
    status = credential_parse(config, file, *text, strlen(*text), error);
    if (status != ALK_OK)
        return status;
    return check_meant(a, credential_find(*config, a->request->name), error);
}

/* ---- the secrets ---- */

static int read_secret(struct secret_bytes *bytes, const struct credential_option *secret,
                       struct alk_error *error)
{
    char instead[ALK_CREDENTIAL_NAME_MAX + 64];
    int status;

    snprintf(instead, sizeof(instead), "--secret %.*s=FILE, where - is standard input",
             ALK_CREDENTIAL_NAME_MAX, secret->field);
    if (secret->value == NULL)
        status = secret_input_ask(bytes, secret->field, instead, error);
    else if (strcmp(secret->value, "-") == 0)
        status = secret_input_fd(bytes, STDIN_FILENO, "standard input", error);
    else
        status = secret_input_file(bytes, secret->value, error);
    if (status == ALK_OK)
        status = secret_input_text(bytes, secret->field, error);
    if (status == ALK_OK && bytes->len == 0)
        status = alk_error_set(error, ALK_E_INVAL, "the %s is empty", secret->field);
    return status;
}

static int store_secret(struct addition *a, size_t i, struct alk_error *error)
{
    struct secret_bytes bytes = {.data = NULL};
    int status = secret_bytes_new(&bytes, SECRET_SIZE, error);

    if (status == ALK_OK)
        status = read_secret(&bytes, &a->request->secrets[i], error);
    if (status == ALK_OK) {
        bytes.data[bytes.len++] = '\n'; /* its NUL has been counted in the size */
        status = file_create(a->paths[i], 0600, bytes.data, bytes.len, error);
    }
    secret_bytes_free(&bytes);
    if (status == ALK_OK)
        a->made++;
    return status;
}

static int store_secrets(struct addition *a, const struct alk_config *config,
                         struct alk_error *error)
{
    struct alk_credential_source source = *credential_find(config, a->request->name);
    struct alk_credential_store *store = NULL;
    int status = ALK_OK;

    for (size_t i = 0; i < a->request->secret_count && status == ALK_OK; i++)
        status = store_secret(a, i, error);
    source.file = NULL; /* what can be wrong now is in the secrets */
    if (status == ALK_OK)
        status = alk_credential_store_load(&store, &source, 1, error);
    alk_credential_store_free(store);
    return status;
}

static void undo(const struct addition *a)
{
    for (size_t i = 0; i < a->made; i++)
        unlink(a->paths[i]);
}

/* ---- the whole ---- */

static void tell_json(const struct addition *a)
{
    const struct credential_request *r = a->request;
    json_t *files = json_array();

    for (size_t i = 0; i < r->secret_count; i++)
        json_array_append_new(files, json_string(a->paths[i]));
    json_t *object =
        json_pack("{s:s, s:s, s:o}", "name", r->name, "section", a->section, "files", files);
    json_dumpf(object, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(object);
}

static int tell(const struct addition *a, struct alk_error *error)
{
    const struct credential_request *r = a->request;

    if (r->json)
        tell_json(a);
    else if (r->config == NULL)
        fputs(a->section, stdout);
    if (fflush(stdout) != 0)
        return alk_error_set(error, ALK_E_IO, "the section could not be printed: %s",
                             strerror(errno));
    for (size_t i = 0; i < r->secret_count && !r->json; i++)
        fprintf(stderr, "alknet-ctl: the secret is in %s\n", a->paths[i]);
    return ALK_OK;
}

static int add(struct addition *a, const struct file_edit *edit, struct alk_error *error)
{
    struct alk_config *config = NULL;
    char *text = NULL;
    bool kept = false; /* in the configuration */
    int status = name_files(a, error);

    if (status == ALK_OK)
        status = compose(a, edit, &config, &text, error);
    if (status == ALK_OK)
        status = store_secrets(a, config, error);
    if (status == ALK_OK && a->request->config != NULL) {
        status = file_edit_commit(edit, text, strlen(text), error);
        kept = status == ALK_OK;
    }
    if (status == ALK_OK)
        status = tell(a, error);
    if (status != ALK_OK && !kept)
        undo(a);
    alk_config_free(config);
    free(text);
    return status;
}

int credential_add(struct credential_request *r)
{
    struct addition a = {.request = r};
    struct file_edit edit = {.fd = -1};
    struct alk_error error;
    int code = check_stdin(r);

    if (code >= 0)
        return code;
    complete_secrets(r);
    int status =
        r->config != NULL ? file_edit_begin(&edit, r->config, ALK_CONFIG_FILE_MAX, &error) : ALK_OK;
    if (status == ALK_OK)
        status = add(&a, &edit, &error);
    for (size_t i = 0; i < r->secret_count; i++)
        free(a.paths[i]);
    free(a.section);
    file_edit_free(&edit);
    return status == ALK_OK ? EXIT_SUCCESS : program_fail(EXIT_RUN, "%s", error.text);
}
