/* Lists of names in options and certificates: principals, scopes, resources. */
#include "auth/authorized_keys_line.h"

#include <string.h>

enum { SCOPES_MAX = 64, SCOPE_MAX = 128, RESOURCES_MAX = 256 };

static size_t count_entries(const char *text, size_t len)
{
    size_t count = len > 0;

    for (size_t i = 0; i < len; i++)
        count += text[i] == ',';
    return count;
}

int alk_names_parse(struct alk_arena *arena, const char *text, size_t len, const char *const **list,
                    size_t *count)
{
    size_t entries = count_entries(text, len);
    const char **names = alk_arena_alloc(arena, (entries + 1) * sizeof(*names));
    const char *at = text, *end = text + len;

    if (names == NULL)
        return ALK_E_NOMEM;
    for (size_t i = 0; i < entries; i++) {
        const char *comma = memchr(at, ',', (size_t)(end - at));
        const char *stop = comma != NULL ? comma : end;
        if (stop == at)
            return ALK_E_PARSE;
        names[i] = alk_arena_text(arena, at, (size_t)(stop - at));
        if (names[i] == NULL)
            return ALK_E_NOMEM;
        at = stop + 1;
    }
    *list = names;
    *count = entries;
    return ALK_OK;
}

static bool is_name(const char *text)
{
    static const char characters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                     "0123456789._:/-";
    size_t len = strlen(text);

    return len >= 1 && len <= SCOPE_MAX && strspn(text, characters) == len;
}

int alk_scopes_parse(struct alk_arena *arena, const char *text, size_t len,
                     const char *const **list, size_t *count)
{
    if (count_entries(text, len) > SCOPES_MAX || (len > 0 && memchr(text, '\0', len) != NULL))
        return ALK_E_PARSE;
    int status = alk_names_parse(arena, text, len, list, count);
    for (size_t i = 0; status == ALK_OK && i < *count; i++) {
        if (!is_name((*list)[i]))
            status = ALK_E_PARSE;
    }
    return status;
}

int alk_resources_parse(struct alk_arena *arena, const char *text, const struct alk_resource **list,
                        size_t *count)
{
    const char *const *names;
    size_t entries = count_entries(text, strlen(text));

    if (entries > RESOURCES_MAX)
        return ALK_E_PARSE;
    int status = alk_names_parse(arena, text, strlen(text), &names, &entries);
    if (status != ALK_OK)
        return status;
    struct alk_resource *resources = alk_arena_alloc(arena, (entries + 1) * sizeof(*resources));
    if (resources == NULL)
        return ALK_E_NOMEM;
    for (size_t i = 0; i < entries; i++) {
        const char *colon = strchr(names[i], ':');
        if (colon == NULL || !is_name(names[i]) || colon == names[i] || colon[1] == '\0')
            return ALK_E_PARSE;
        resources[i].type = alk_arena_text(arena, names[i], (size_t)(colon - names[i]));
        resources[i].name = colon + 1;
        if (resources[i].type == NULL)
            return ALK_E_NOMEM;
    }
    *list = resources;
    *count = entries;
    return ALK_OK;
}
