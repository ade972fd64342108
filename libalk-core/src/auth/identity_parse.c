/* Identities from the lists that files hold: "relay:connect, metrics:read". */
#include <alk/identity.h>

#include <stdlib.h>
#include <string.h>

/* A list taken apart, in place. */
struct list {
    char *text; /* a copy, cut into entries */
    const char **entries;
    size_t count;
};

static char *trim(char *text)
{
    static const char blanks[] = " \t";
    size_t len;

    text += strspn(text, blanks);
    len = strlen(text);
    while (len > 0 && strchr(blanks, text[len - 1]) != NULL)
        text[--len] = '\0';
    return text;
}

static int split(struct list *list, const char *text, size_t max)
{
    size_t most = 1;

    for (const char *at = text; *at != '\0'; at++)
        most += *at == ',';
    if (most > max)
        return ALK_E_LIMIT;
    list->text = strdup(text);
    list->entries = calloc(most, sizeof(*list->entries));
    if (list->text == NULL || list->entries == NULL)
        return ALK_E_NOMEM;
    char *rest = trim(list->text);
    if (*rest == '\0')
        return ALK_OK;
    while (rest != NULL) {
        char *entry = rest;
        rest = strchr(entry, ',');
        if (rest != NULL)
            *rest++ = '\0';
        list->entries[list->count++] = trim(entry);
    }
    return ALK_OK;
}

static void list_free(struct list *list)
{
    free(list->text);
    free(list->entries);
}

/* "type:name" into its halves, within the list's own text. */
static int halve(const struct list *list, struct alk_resource *resources)
{
    for (size_t i = 0; i < list->count; i++) {
        char *entry = list->text + (list->entries[i] - list->text);
        char *colon = strchr(entry, ':');
        if (colon == NULL)
            return ALK_E_PARSE;
        *colon = '\0';
        resources[i] = (struct alk_resource){.type = entry, .name = colon + 1};
    }
    return ALK_OK;
}

static int explain(struct alk_error *error, int status)
{
    switch (status) {
    case ALK_OK:
        return ALK_OK;
    case ALK_E_NOMEM:
        return alk_error_set(error, status, "out of memory");
    case ALK_E_LIMIT:
        return alk_error_set(error, status, "more than %d scopes or %d resources",
                             ALK_IDENTITY_SCOPES_MAX, ALK_IDENTITY_RESOURCES_MAX);
    case ALK_E_PARSE:
        return alk_error_set(error, status,
                             "a resource without its type; write type:name, as in service:gitea");
    default:
        return alk_error_set(error, status,
                             "a scope or resource is empty, longer than %d characters, or holds "
                             "others than letters, digits and ._:-+=@/",
                             ALK_IDENTITY_NAME_MAX);
    }
}

int alk_identity_parse(struct alk_identity **out, const char *id, const char *scopes,
                       const char *resources, struct alk_error *error)
{
    struct list scope_list = {.text = NULL}, resource_list = {.text = NULL};
    struct alk_resource *pairs = NULL;

    *out = NULL;
    int status = split(&scope_list, scopes != NULL ? scopes : "", ALK_IDENTITY_SCOPES_MAX);
    if (status == ALK_OK)
        status =
            split(&resource_list, resources != NULL ? resources : "", ALK_IDENTITY_RESOURCES_MAX);
    if (status == ALK_OK) {
        pairs = calloc(resource_list.count + 1, sizeof(*pairs));
        status = pairs == NULL ? ALK_E_NOMEM : halve(&resource_list, pairs);
    }
    if (status == ALK_OK) {
        struct alk_identity data = {
            .id = id,
            .scopes = scope_list.entries,
            .scope_count = scope_list.count,
            .resources = pairs,
            .resource_count = resource_list.count,
        };
        status = alk_identity_new(out, &data);
    }
    free(pairs);
    list_free(&scope_list);
    list_free(&resource_list);
    return explain(error, status);
}
