/* Sets of credentials: what they are made of, and where the values are kept. */
#include "credentials/kind.h"

#include <sodium.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct field {
    char name[ALK_CREDENTIAL_NAME_MAX + 1];
    const char *value; /* into secrets */
};

struct alk_credential_set {
    atomic_uint references;
    enum alk_credential_kind kind;
    uint64_t expires;
    char *secrets; /* guarded memory, read-only once filled */
    size_t count;
    struct field fields[];
};

/* ---- what a set is made of ---- */

static const struct alk_credential_field *find_field(const struct alk_credential *c, size_t below,
                                                     const char *name)
{
    for (size_t i = 0; i < below; i++) {
        if (strcmp(c->fields[i].name, name) == 0)
            return &c->fields[i];
    }
    return NULL;
}

static int check_field(const struct alk_credential *c, size_t index, struct alk_error *error)
{
    const struct alk_credential_field *field = &c->fields[index];

    if (!credential_field_is_name(field->name))
        return alk_error_set(error, ALK_E_INVAL,
                             "the name of a field is empty, too long, or holds others than "
                             "lower-case letters, digits, - and _");
    if (!credential_kind_has(c->kind, field->name))
        return alk_error_set(error, ALK_E_INVAL, "a credential of kind %s has no field %s",
                             alk_credential_kind_text(c->kind), field->name);
    if (find_field(c, index, field->name) != NULL)
        return alk_error_set(error, ALK_E_INVAL, "the field %s is there twice", field->name);
    if (field->value == NULL || field->value[0] == '\0')
        return alk_error_set(error, ALK_E_INVAL, "the field %s is empty", field->name);
    return ALK_OK;
}

static int check(const struct alk_credential *c, size_t *size, struct alk_error *error)
{
    int status = ALK_OK;
    const struct alk_credential_kind_field *known;

    if (c->kind > ALK_CREDENTIAL_CUSTOM)
        return alk_error_set(error, ALK_E_INVAL, "there is no such kind of credential");
    if (c->field_count > ALK_CREDENTIAL_FIELDS_MAX)
        return alk_error_set(error, ALK_E_LIMIT, "more than %d fields", ALK_CREDENTIAL_FIELDS_MAX);
    for (size_t i = 0; i < c->field_count && status == ALK_OK; i++) {
        status = check_field(c, i, error);
        if (status == ALK_OK)
            *size += strlen(c->fields[i].value) + 1;
    }
    for (size_t i = 0; status == ALK_OK && (known = alk_credential_kind_field(c->kind, i)) != NULL;
         i++) {
        if (known->needed && find_field(c, c->field_count, known->name) == NULL)
            status = alk_error_set(error, ALK_E_INVAL, "a credential of kind %s needs the field %s",
                                   alk_credential_kind_text(c->kind), known->name);
    }
    if (status == ALK_OK && *size > ALK_CREDENTIAL_VALUE_MAX)
        status = alk_error_set(error, ALK_E_LIMIT, "the values are longer than %d bytes in all",
                               ALK_CREDENTIAL_VALUE_MAX);
    return status;
}

/* ---- the set ---- */

int alk_credential_set_new(struct alk_credential_set **out, const struct alk_credential *credential,
                           struct alk_error *error)
{
    size_t size = 0;
    int status = check(credential, &size, error);

    *out = NULL;
    if (status != ALK_OK)
        return status;
    struct alk_credential_set *set =
        calloc(1, sizeof(*set) + credential->field_count * sizeof(set->fields[0]));
    if (set != NULL)
        set->secrets = sodium_malloc(size + 1);
    if (set == NULL || set->secrets == NULL) {
        free(set);
        return alk_error_set(error, ALK_E_NOMEM, "out of memory");
    }
    atomic_init(&set->references, 1);
    set->kind = credential->kind;
    set->expires = credential->expires;
    set->count = credential->field_count;
    char *at = set->secrets;
    for (size_t i = 0; i < set->count; i++) {
        size_t value_size = strlen(credential->fields[i].value) + 1;
        strcpy(set->fields[i].name, credential->fields[i].name);
        set->fields[i].value = memcpy(at, credential->fields[i].value, value_size);
        at += value_size;
    }
    sodium_mprotect_readonly(set->secrets);
    *out = set;
    return ALK_OK;
}

struct alk_credential_set *alk_credential_set_ref(struct alk_credential_set *set)
{
    if (set != NULL)
        atomic_fetch_add(&set->references, 1);
    return set;
}

void alk_credential_set_unref(struct alk_credential_set *set)
{
    if (set == NULL || atomic_fetch_sub(&set->references, 1) != 1)
        return;
    sodium_free(set->secrets); /* wipes */
    free(set);
}

enum alk_credential_kind alk_credential_set_kind(const struct alk_credential_set *set)
{
    return set->kind;
}

uint64_t alk_credential_set_expires(const struct alk_credential_set *set)
{
    return set->expires;
}

const char *alk_credential_set_get(const struct alk_credential_set *set, const char *name)
{
    for (size_t i = 0; i < set->count; i++) {
        if (strcmp(set->fields[i].name, name) == 0)
            return set->fields[i].value;
    }
    return NULL;
}

const char *alk_credential_set_field(const struct alk_credential_set *set, size_t index)
{
    return index < set->count ? set->fields[index].name : NULL;
}
