/* [credential NAME]: what is presented to one service. Its secrets are in files of their own: this
 * one is read into memory that inih and others leave behind unwiped. */
#include "config/parser.h"

#include "credentials/kind.h"

#include <string.h>

static struct config_credential *of(void *base)
{
    return base;
}

void *begin_credential(struct alk_config *config, const char *name)
{
    struct config_credential *credential = config_alloc(config, sizeof(*credential));

    if (credential == NULL)
        return NULL;
    credential->source.service = config_text(config, name, strlen(name));
    credential->source.file = config->file;
    credential->source.line = config->line;
    credential->source.places = credential->places;
    credential->next = config->credentials;
    config->credentials = credential;
    config->credential_count++;
    return credential;
}

/* ---- the keys ---- */

static void set_kind(struct alk_config *config, const struct key_def *key, void *base,
                     const char *value)
{
    of(base)->has_kind = alk_credential_kind_parse(value, &of(base)->source.kind) == ALK_OK;
    if (!of(base)->has_kind)
        config_fault(config, "%s wants api-key, basic, bearer, s3, oidc or custom, not '%s'",
                     key->name, value);
}

/* A place for the value of a field, or NULL after telling why there is none. */
static struct alk_credential_place *add_place(struct alk_config *config,
                                              struct config_credential *credential,
                                              const char *name, size_t len)
{
    size_t *count = &credential->source.place_count;

    for (size_t i = 0; i < *count; i++) {
        const struct alk_credential_place *other = &credential->places[i];
        if (strlen(other->name) == len && memcmp(other->name, name, len) == 0) {
            config_fault(config, "the field %s is there already, in line %u; remove one of them",
                         other->name, other->line);
            return NULL;
        }
    }
    if (*count == ALK_CREDENTIAL_FIELDS_MAX) {
        config_fault(config, "there are more than %d fields", ALK_CREDENTIAL_FIELDS_MAX);
        return NULL;
    }
    const char *copy = config_text(config, name, len);
    if (copy == NULL)
        return NULL;
    struct alk_credential_place *place = &credential->places[(*count)++];
    *place = (struct alk_credential_place){.name = copy, .line = config->line};
    return place;
}

static void set_value(struct alk_config *config, const struct key_def *key, void *base,
                      const char *value)
{
    struct alk_credential_place *place = add_place(config, of(base), key->name, strlen(key->name));

    if (place != NULL)
        place->value = config_text(config, value, strlen(value));
}

static void add_file(struct alk_config *config, const struct key_def *key, void *base,
                     const char *name, size_t len, const char *path)
{
    struct alk_credential_place *place = add_place(config, of(base), name, len);
    const struct key_def to_path = {.name = key->name,
                                    .offset = offsetof(struct alk_credential_place, path)};

    if (place != NULL)
        set_path(config, &to_path, place, path);
}

static void set_file(struct alk_config *config, const struct key_def *key, void *base,
                     const char *value)
{
    add_file(config, key, base, key->name, strlen(key->name) - strlen(FILE_SUFFIX), value);
}

/* "NAME PATH" */
static void set_field(struct alk_config *config, const struct key_def *key, void *base,
                      const char *value)
{
    char name[ALK_CREDENTIAL_NAME_MAX + 1] = "";
    size_t len = strcspn(value, " \t");
    const char *path = value + len + strspn(value + len, " \t");

    if (len < sizeof(name))
        memcpy(name, value, len);
    if (*path == '\0')
        config_fault(config, "%s wants NAME PATH: the field's name, and the file with its value",
                     key->name);
    else if (!credential_field_is_name(name))
        config_fault(config,
                     "%s: the name of a field has lower-case letters, digits, - and _, and at most "
                     "%d of them",
                     key->name, ALK_CREDENTIAL_NAME_MAX);
    else
        add_file(config, key, base, name, len, path);
}

#define VALUE(field)                                                                               \
    {                                                                                              \
        .name = #field, .set = set_value                                                           \
    }
#define SECRET(field)                                                                              \
    {                                                                                              \
        .name = #field FILE_SUFFIX, .set = set_file, .check = alk_credential_check_file            \
    }

const struct key_def credential_keys[CREDENTIAL_KEYS] = {
    {.name = "kind", .set = set_kind},
    {.name = "expires",
     .set = set_time64,
     .offset = offsetof(struct config_credential, source.expires)},
    SECRET(key),
    VALUE(header),
    VALUE(username),
    SECRET(password),
    SECRET(token),
    VALUE(access_key_id),
    SECRET(secret_access_key),
    SECRET(session_token),
    VALUE(region),
    VALUE(endpoint),
    VALUE(issuer),
    VALUE(client_id),
    SECRET(client_secret),
    SECRET(refresh_token),
    VALUE(scope),
    {.name = "field", .set = set_field, .repeats = true, .check = alk_credential_check_file},
};

/* ---- the whole ---- */

/* Whether the key that gives a field was there, be it at fault. */
static bool is_given(const struct alk_config *config, const struct alk_credential_kind_field *field)
{
    size_t len = strlen(field->name);

    for (size_t i = 0; i < CREDENTIAL_KEYS; i++) {
        const char *key = credential_keys[i].name;
        if (strncmp(key, field->name, len) == 0 &&
            strcmp(key + len, field->secret ? FILE_SUFFIX : "") == 0)
            return config->seen[i] != 0;
    }
    return false;
}

static void check_fields(struct alk_config *config, const struct alk_credential_source *source)
{
    unsigned line = config->line;

    for (size_t i = 0; i < source->place_count; i++) {
        config->line = source->places[i].line;
        if (!credential_kind_has(source->kind, source->places[i].name))
            config_fault(config, "a credential of kind %s has no field %s; remove the line",
                         alk_credential_kind_text(source->kind), source->places[i].name);
    }
    config->line = line;
}

void end_credential(struct alk_config *config, void *base)
{
    const struct alk_credential_source *source = &of(base)->source;
    const struct alk_credential_kind_field *field;

    if (config->seen[0] == 0) /* of kind */
        config_fault(config,
                     "[credential %s] has no kind: api-key, basic, bearer, s3, oidc or custom",
                     source->service);
    if (!of(base)->has_kind)
        return;
    check_fields(config, source);
    for (size_t i = 0; (field = alk_credential_kind_field(source->kind, i)) != NULL; i++) {
        if (field->needed && !is_given(config, field))
            config_fault(config, "[credential %s] has no %s%s, which the kind %s needs",
                         source->service, field->name, field->secret ? FILE_SUFFIX : "",
                         alk_credential_kind_text(source->kind));
    }
}
