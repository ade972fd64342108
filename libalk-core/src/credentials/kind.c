#include "credentials/kind.h"

#include <string.h>

enum { NEEDED_MAX = 2, OPTIONAL_MAX = 3 };

static const struct kind {
    const char *name;
    const char *required[NEEDED_MAX], *optional[OPTIONAL_MAX]; /* up to the first NULL */
    bool open;                                                 /* any field */
} kinds[] = {
    [ALK_CREDENTIAL_API_KEY] = {"api-key", {"key"}, {"header"}, false},
    [ALK_CREDENTIAL_BASIC] = {"basic", {"username", "password"}, {NULL}, false},
    [ALK_CREDENTIAL_BEARER] = {"bearer", {"token"}, {NULL}, false},
    [ALK_CREDENTIAL_S3] = {"s3",
                           {"access_key_id", "secret_access_key"},
                           {"session_token", "region", "endpoint"},
                           false},
    [ALK_CREDENTIAL_OIDC] = {"oidc",
                             {"issuer", "client_id"},
                             {"client_secret", "refresh_token", "scope"},
                             false},
    [ALK_CREDENTIAL_CUSTOM] = {"custom", {NULL}, {NULL}, true},
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

/* ---- checks; no sentence ever holds a value ---- */

static bool is_listed(const char *const *names, size_t size, const char *name)
{
    for (size_t i = 0; i < size && names[i] != NULL; i++) {
        if (strcmp(names[i], name) == 0)
            return true;
    }
    return false;
}

bool credential_field_is_name(const char *name)
{
    size_t len = name != NULL ? strnlen(name, ALK_CREDENTIAL_NAME_MAX + 1) : 0;

    return len >= 1 && len <= ALK_CREDENTIAL_NAME_MAX &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_") == len;
}

bool credential_kind_has(enum alk_credential_kind kind, const char *field)
{
    const struct kind *k = &kinds[kind];

    return k->open || is_listed(k->required, NEEDED_MAX, field) ||
           is_listed(k->optional, OPTIONAL_MAX, field);
}

const char *credential_kind_needs(enum alk_credential_kind kind, size_t index)
{
    return index < NEEDED_MAX ? kinds[kind].required[index] : NULL;
}
