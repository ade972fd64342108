#include "registry.h"

#include "compiler.h"
#include "uri.h"

#include <stdlib.h>

struct alk_schema_registry {
    json_t *by_uri; /* URI of any resource -> [document's URI, document] */
};

struct alk_schema_registry *alk_schema_registry_new(void)
{
    struct alk_schema_registry *registry = calloc(1, sizeof *registry);
    if (registry)
        registry->by_uri = json_object();
    if (registry && !registry->by_uri) {
        free(registry);
        registry = NULL;
    }
    return registry;
}

void alk_schema_registry_free(struct alk_schema_registry *registry)
{
    if (!registry)
        return;
    json_decref(registry->by_uri);
    free(registry);
}

json_t *registry_find(const struct alk_schema_registry *registry, const char *uri,
                      const char **document_uri)
{
    const json_t *entry = registry ? json_object_get(registry->by_uri, uri) : NULL;
    if (document_uri)
        *document_uri = json_string_value(json_array_get(entry, 0));
    return json_array_get(entry, 1);
}

/* Put the document under each URI that the survey found in it. */
static int add_all(struct alk_schema_registry *registry, json_t *uris, json_t *entry,
                   struct alk_schema_error *error)
{
    const char *uri;
    json_t *unused;
    json_object_foreach(uris, uri, unused)
    {
        if (json_object_get(registry->by_uri, uri))
            return error_set(error, ALK_SCHEMA_E_SCHEMA, uri, "%s is in the registry already", uri);
    }
    json_object_foreach(uris, uri, unused)
    {
        if (json_object_set(registry->by_uri, uri, entry))
            return error_set(error, ALK_SCHEMA_E_NOMEM, uri, "out of memory");
    }
    return 0;
}

int alk_schema_registry_add(struct alk_schema_registry *registry, const char *uri,
                            const json_t *schema, struct alk_schema_error *error)
{
    json_t *entry = NULL, *uris = NULL;
    char *clean = uri_resolve("", uri);
    if (clean)
        uri_cut_fragment(clean);
    json_t *copy = NULL;
    int status = clean ? compiler_copy(schema, &copy, error) : ALK_SCHEMA_E_NOMEM;
    if (status)
        goto out;
    status = compiler_survey(copy, clean, &uris, error);
    if (status)
        goto out;
    entry = json_pack("[s,O]", clean, copy);
    status = entry ? add_all(registry, uris, entry, error) : ALK_SCHEMA_E_NOMEM;
out:
    if (status == ALK_SCHEMA_E_NOMEM)
        error_set(error, status, uri, "out of memory");
    json_decref(entry);
    json_decref(uris);
    json_decref(copy);
    free(clean);
    return status;
}
