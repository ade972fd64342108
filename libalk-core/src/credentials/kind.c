#include "credentials/kind.h"

#include <string.h>

enum { FIELDS_MAX = 5 };

static const struct kind {
    const char *name;
    struct alk_credential_kind_field fields[FIELDS_MAX + 1]; /* up to the first without a name */
} kinds[] = {
    [ALK_CREDENTIAL_API_KEY] = {"api-key", {{"key", true, true}, {"header", false, false}}},
    [ALK_CREDENTIAL_BASIC] = {"basic", {{"username", true, false}, {"password", true, true}}},
    [ALK_CREDENTIAL_BEARER] = {"bearer", {{"token", true, true}}},
    [ALK_CREDENTIAL_S3] = {"s3",
                           {{"access_key_id", true, false},
                            {"secret_access_key", true, true},
                            {"session_token", false, true},
                            {"region", false, false},
                            {"endpoint", false, false}}},
    [ALK_CREDENTIAL_OIDC] = {"oidc",
                             {{"issuer", true, false},
                              {"client_id", true, false},
                              {"client_secret", false, true},
                              {"refresh_token", false, true},
                              {"scope", false, false}}},
    [ALK_CREDENTIAL_CUSTOM] = {"custom", {{NULL, false, false}}},
};

enum { KIND_COUNT = sizeof(kinds) / sizeof(kinds[0]) };

int alk_credential_kind_parse(const char *text, enum alk_credential_kind *kind)
{
    for (size_t i = 0; i < KIND_COUNT; i++) {
        if (strcmp(kinds[i].name, text) == 0) {
            *kind = (enum alk_credential_kind)i;
            return ALK_OK;
        }
    }
    return ALK_E_INVAL;
}

const char *alk_credential_kind_text(enum alk_credential_kind kind)
{
    return (size_t)kind < KIND_COUNT ? kinds[kind].name : "unknown";
}

const struct alk_credential_kind_field *alk_credential_kind_field(enum alk_credential_kind kind,
                                                                  size_t index)
{
    if ((size_t)kind >= KIND_COUNT || index >= FIELDS_MAX || kinds[kind].fields[index].name == NULL)
        return NULL;
    return &kinds[kind].fields[index];
}

bool credential_kind_has(enum alk_credential_kind kind, const char *field)
{
    const struct alk_credential_kind_field *known;

    for (size_t i = 0; (known = alk_credential_kind_field(kind, i)) != NULL; i++) {
        if (strcmp(known->name, field) == 0)
            return true;
    }
    return kind == ALK_CREDENTIAL_CUSTOM;
}

bool credential_field_is_name(const char *name)
{
    size_t len = name != NULL ? strnlen(name, ALK_CREDENTIAL_NAME_MAX + 1) : 0;

    return len >= 1 && len <= ALK_CREDENTIAL_NAME_MAX &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_") == len;
}
