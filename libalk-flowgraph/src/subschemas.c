#include "subschemas.h"

#include <stdint.h>
#include <string.h>

#define MAX_DEPTH 200

/* ---- going over them ------------------------------------------------------------------- */

/* Keywords that hold one schema; and those that hold several. */
static const char *const single[] = {"additionalItems",
                                     "additionalProperties",
                                     "contains",
                                     "propertyNames",
                                     "not",
                                     "if",
                                     "then",
                                     "else",
                                     "contentSchema",
                                     "unevaluatedItems",
                                     "items",
                                     "unevaluatedProperties",
                                     NULL};
static const char *const several[] = {"properties",
                                      "patternProperties",
                                      "$defs",
                                      "definitions",
                                      "dependentSchemas",
                                      "allOf",
                                      "anyOf",
                                      "oneOf",
                                      "prefixItems",
                                      "dependencies",
                                      NULL};

static int each(json_t *schema, subschema_fn *visit, bool root, unsigned depth);

/* The members of an object, or of an array, are schemas. */
static int each_member(json_t *members, subschema_fn *visit, unsigned depth)
{
    const char *name;
    json_t *member;
    int status = 0;
    json_object_foreach(members, name, member)
    {
        status = each(member, visit, false, depth);
        if (status)
            return status;
    }
    for (size_t i = 0; i < json_array_size(members) && !status; i++)
        status = each(json_array_get(members, i), visit, false, depth);
    return status;
}

static bool is_one_of(const char *name, const char *const *names)
{
    while (*names && strcmp(*names, name) != 0)
        names++;
    return *names;
}

static int each(json_t *schema, subschema_fn *visit, bool root, unsigned depth)
{
    const char *name;
    json_t *inner;
    if (depth == 0)
        return -1;
    if (!json_is_object(schema))
        return 0;
    int status = visit(schema, root);
    json_object_foreach(schema, name, inner)
    {
        if (status)
            break;
        if (is_one_of(name, several) || (json_is_array(inner) && strcmp(name, "items") == 0))
            status = each_member(inner, visit, depth - 1);
        else if (is_one_of(name, single))
            status = each(inner, visit, false, depth - 1);
    }
    return status;
}

int subschemas_each(json_t *schema, subschema_fn *visit)
{
    return each(schema, visit, true, MAX_DEPTH);
}

/* ---- draft 7 ----------------------------------------------------------------------------- */

/* Beside $ref nothing counts, but other references may lead to the definitions there. */
static int only_reference(json_t *schema)
{
    json_t *kept = json_object();
    static const char *const names[] = {"$ref", "definitions"};
    for (size_t i = 0; i < 2; i++)
        if (json_object_get(schema, names[i]))
            json_object_set(kept, names[i], json_object_get(schema, names[i]));
    int status = json_object_clear(schema) || json_object_update(schema, kept) ? -1 : 0;
    json_decref(kept);
    return status;
}

/* What is at other places is not converted, so no reference may lead there. */
static void drop_strays(json_t *schema)
{
    static const char *const values[] = {"const", "enum", "type", "required", NULL};
    const char *name;
    json_t *member;
    void *next;
    json_object_foreach_safe(schema, next, name, member)
    {
        bool container = json_is_object(member) || json_is_array(member);
        if (container && !is_one_of(name, single) && !is_one_of(name, several) &&
            !is_one_of(name, values))
            json_object_del(schema, name);
    }
}

static int split_dependencies(json_t *schema)
{
    const char *name;
    json_t *dependency, *names = json_object(), *schemas = json_object();
    int failed = !names || !schemas;
    json_object_foreach(json_object_get(schema, "dependencies"), name, dependency) failed |=
        json_object_set(json_is_array(dependency) ? names : schemas, name, dependency);
    if (json_object_size(names))
        failed |= json_object_set(schema, "dependentRequired", names);
    if (json_object_size(schemas))
        failed |= json_object_set(schema, "dependentSchemas", schemas);
    json_object_del(schema, "dependencies");
    json_decref(names);
    json_decref(schemas);
    return failed ? -1 : 0;
}

static int to_modern(json_t *schema, bool root)
{
    static const char *const unknown[] = {
        "prefixItems", "dependentRequired", "dependentSchemas", "unevaluatedItems",
        "$dynamicRef", "minContains",       "maxContains",      "unevaluatedProperties",
        "$anchor",     "$dynamicAnchor"};
    (void)root;
    json_object_del(schema, "$schema");
    if (json_is_string(json_object_get(schema, "$ref")))
        return only_reference(schema);
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
        json_object_del(schema, unknown[i]);
    drop_strays(schema);
    json_t *items = json_object_get(schema, "items");
    json_t *rest = json_object_get(schema, "additionalItems");
    int failed = 0;
    if (json_is_array(items)) {
        failed |= json_object_set(schema, "prefixItems", items);
        if (rest)
            failed |= json_object_set(schema, "items", rest);
        else
            json_object_del(schema, "items");
    }
    json_object_del(schema, "additionalItems");
    return failed ? -1 : split_dependencies(schema);
}

json_t *subschemas_modern(const json_t *document)
{
    const char *dialect = json_string_value(json_object_get(document, "$schema"));
    if (!dialect || strncmp(dialect, "https://json-schema.org/draft/2020-12/schema", 44) == 0)
        return json_incref((json_t *)(uintptr_t)document);
    if (strncmp(dialect, "http://json-schema.org/draft-07/schema", 38) != 0)
        return NULL;
    json_t *copy = json_deep_copy(document);
    if (copy && subschemas_each(copy, to_modern) == 0)
        return copy;
    json_decref(copy);
    return NULL;
}

/* ---- resources within --------------------------------------------------------------------- */

/* In any value: a reference may lead to a schema at a place that is none of a keyword's. */
static bool has_id(json_t *value, unsigned depth)
{
    const char *name;
    json_t *inner;
    bool found = depth == 0;
    json_object_foreach(value, name, inner)
    {
        found = found || (strcmp(name, "$id") == 0 && json_is_string(inner) && depth < MAX_DEPTH) ||
                has_id(inner, depth - 1);
    }
    for (size_t i = 0; i < json_array_size(value) && !found; i++)
        found = has_id(json_array_get(value, i), depth - 1);
    return found;
}

bool subschemas_embedded(const json_t *document)
{
    return has_id((json_t *)(uintptr_t)document, MAX_DEPTH);
}
