/* From a reference to the schema that it names: by URI, then by pointer or anchor. */
#include "compiler.h"
#include "registry.h"
#include "uri.h"

#include <stdlib.h>
#include <string.h>

static struct resource *known_resource(const struct compiler *c, const char *uri)
{
    const json_t *number = json_object_get(c->resource_index, uri);
    return number ? c->resources[json_integer_value(number)] : NULL;
}

struct resource *resolve_resource(struct compiler *c, const char *uri)
{
    struct resource *known = known_resource(c, uri);
    if (known)
        return known;
    const char *document_uri = uri;
    json_t *document = json_incref(registry_find(c->registry, uri, &document_uri));
    if (!document) {
        document_uri = uri;
        document = metaschema_load(uri);
    }
    if (!document)
        return NULL;
    if (json_array_append_new(c->out->documents, document)) {
        compiler_no_memory(c);
        return NULL;
    }
    return index_document(c, document, document_uri) ? known_resource(c, uri) : NULL;
}

/* One step of a JSON pointer, whose token is unescaped in place. */
static json_t *descend(json_t *from, char *token)
{
    char *out = token;
    for (char *in = token; *in; in++) {
        if (*in == '~' && (in[1] == '0' || in[1] == '1'))
            *out++ = *++in == '0' ? '~' : '/';
        else
            *out++ = *in;
    }
    *out = '\0';
    if (json_is_object(from))
        return json_object_get(from, token);
    char *end;
    bool number = *token >= '0' && *token <= '9' && !(token[0] == '0' && token[1]);
    unsigned long index = number ? strtoul(token, &end, 10) : 0;
    return number && !*end ? json_array_get(from, index) : NULL;
}

/* Follow a JSON pointer; schemas on the way may change the resource. */
static bool follow_pointer(struct compiler *c, char *pointer, struct target *target)
{
    char *next = pointer;
    while (next && *next == '/' && target->schema) {
        char *token = next + 1;
        next = strchr(token, '/');
        if (next)
            *next = '\0';
        target->schema = descend(target->schema, token);
        if (next)
            *next = '/';
        const struct place *place = target->schema ? index_find(c, target->schema) : NULL;
        if (place) {
            target->resource = place->resource;
            target->pointer = place->pointer;
        } else {
            target->pointer = compiler_pointer(c, target->pointer, token, NULL, SIZE_MAX);
        }
        if (!target->pointer)
            return false;
    }
    return target->schema != NULL;
}

static bool follow_anchor(struct compiler *c, const char *name, struct target *target)
{
    const char *key = arena_format(&c->out->arena, "%s#%s", target->resource->uri, name);
    const json_t *number = key ? json_object_get(c->anchor_index, key) : NULL;
    if (!key)
        compiler_no_memory(c);
    if (!number)
        return false;
    const struct place *place = c->anchors[json_integer_value(number)];
    target->schema = place->schema;
    target->pointer = place->pointer;
    for (const struct dynamic_anchor *d = target->resource->dynamic_anchors; d; d = d->next)
        if (strcmp(d->name, name) == 0)
            target->dynamic = d->name;
    return true;
}

int resolve_reference(struct compiler *c, const struct place *at, const char *keyword,
                      const char *reference, struct target *target)
{
    char *uri = uri_resolve(at->resource->uri, reference);
    if (!uri)
        return compiler_no_memory(c);
    char *fragment = uri_cut_fragment(uri);
    memset(target, 0, sizeof *target);
    target->resource = resolve_resource(c, uri);
    bool found = target->resource != NULL;
    if (found) {
        target->schema = target->resource->root;
        target->pointer = "";
        if (fragment && *fragment)
            found = uri_percent_decode(fragment) &&
                    (*fragment == '/' ? follow_pointer(c, fragment, target)
                                      : follow_anchor(c, fragment, target));
    }
    free(uri);
    if (!found && !c->status)
        compiler_fail(c, ALK_SCHEMA_E_REF, at, keyword, "\"%s\" leads to no known schema",
                      reference);
    return c->status;
}
