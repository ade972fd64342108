/* Views that have only a few documents, and asking the validator about a document. */
#include "subtype.h"

#include <alk/schema.h>

#include <stdlib.h>
#include <string.h>

#define ROOT_URI  "alk:root"
#define MAX_DEPTH 200

/* Make references into the schema's own document ones into the document at ROOT_URI. */
static int point_to_root(json_t *value, unsigned depth)
{
    static const char *const data[] = {"const", "enum", "default", "examples"};
    const char *reference = json_string_value(json_object_get(value, "$ref"));
    if (depth == 0)
        return -1;
    if (reference && *reference == '#' &&
        json_object_set_new(value, "$ref", json_sprintf(ROOT_URI "%s", reference)))
        return -1;
    const char *key;
    json_t *member;
    json_object_foreach(value, key, member)
    {
        bool plain = false;
        for (size_t i = 0; i < sizeof data / sizeof *data; i++)
            plain = plain || strcmp(key, data[i]) == 0;
        if (!plain && point_to_root(member, depth - 1))
            return -1;
    }
    for (size_t i = 0; i < json_array_size(value); i++)
        if (point_to_root(json_array_get(value, i), depth - 1))
            return -1;
    return 0;
}

/* Compile a schema that lies somewhere inside `root`. */
static struct alk_schema *compile_inner(const json_t *root, const json_t *schema)
{
    struct alk_schema_options options = ALK_SCHEMA_OPTIONS_INIT;
    struct alk_schema *compiled = NULL;
    json_t *copy = json_deep_copy(schema);
    struct alk_schema_registry *registry = alk_schema_registry_new();
    options.registry = registry;
    options.max_steps = 100000;
    if (copy && registry && point_to_root(copy, MAX_DEPTH) == 0 &&
        alk_schema_registry_add(registry, ROOT_URI, root, NULL) == ALK_SCHEMA_OK)
        alk_schema_compile(copy, &options, &compiled, NULL);
    alk_schema_registry_free(registry);
    json_decref(copy);
    return compiled;
}

int value_fits(const json_t *root, const json_t *schema, const json_t *value)
{
    struct alk_schema *compiled = compile_inner(root, schema);
    int status = compiled ? alk_schema_validate(compiled, value, NULL) : ALK_SCHEMA_E_NOMEM;
    alk_schema_free(compiled);
    return status == ALK_SCHEMA_OK ? 1 : status == ALK_SCHEMA_E_INVALID ? 0 : -1;
}

/* The values that the first enum or const lists, or those of the type; NULL: too many. */
static json_t *candidates(const struct view *view)
{
    for (size_t i = 0; i < view->count; i++) {
        json_t *constant = json_object_get(view->parts[i].schema, "const");
        json_t *listed = json_object_get(view->parts[i].schema, "enum");
        if (constant)
            return json_pack("[O]", constant);
        if (json_is_array(listed))
            return json_incref(listed);
    }
    if (view->types & ~(unsigned)(T_NULL | T_BOOLEAN))
        return NULL;
    json_t *few = json_array();
    if (view->types & T_NULL)
        json_array_append_new(few, json_null());
    if (view->types & T_BOOLEAN) {
        json_array_append_new(few, json_true());
        json_array_append_new(few, json_false());
    }
    return few;
}

json_t *view_values(const struct subtype *s, const struct view *view)
{
    json_t *possible = candidates(view), *values = possible ? json_array() : NULL;
    for (size_t v = 0; v < json_array_size(possible) && values; v++) {
        json_t *value = json_array_get(possible, v);
        bool fits = true;
        for (size_t i = 0; i < view->count && fits; i++)
            fits = value_fits(s->output_root, view->parts[i].schema, value) != 0;
        if (fits)
            json_array_append(values, value);
    }
    json_decref(possible);
    return values;
}
