/* Views that have only a few documents, and asking the validator about a document. */
#include "subschemas.h"
#include "subtype.h"

#include <alk/schema.h>

#include <stdlib.h>
#include <string.h>

#define ROOT_URI  "alk:root"
#define MAX_RANGE 255

/* Make references into the schema's own document lead into the document at ROOT_URI. */
static int point_to_root(json_t *schema, bool root)
{
    static const char *const keywords[] = {"$ref", "$dynamicRef"};
    int failed = 0;
    (void)root;
    for (size_t i = 0; i < 2; i++) {
        const char *reference = json_string_value(json_object_get(schema, keywords[i]));
        if (reference && *reference == '#')
            failed |=
                json_object_set_new(schema, keywords[i], json_sprintf(ROOT_URI "%s", reference));
    }
    return failed;
}

struct alk_schema *schema_inside(const json_t *root, const json_t *schema)
{
    struct alk_schema_options options = ALK_SCHEMA_OPTIONS_INIT;
    struct alk_schema *compiled = NULL;
    json_t *copy = json_deep_copy(schema);
    struct alk_schema_registry *registry = alk_schema_registry_new();
    options.registry = registry;
    options.max_steps = 100000;
    if (copy && registry && subschemas_each(copy, point_to_root) == 0 &&
        alk_schema_registry_add(registry, ROOT_URI, root, NULL) == ALK_SCHEMA_OK)
        alk_schema_compile(copy, &options, &compiled, NULL);
    alk_schema_registry_free(registry);
    json_decref(copy);
    return compiled;
}

int schema_fits(const struct alk_schema *schema, const json_t *value)
{
    int status = schema ? alk_schema_validate(schema, value, NULL) : ALK_SCHEMA_E_NOMEM;
    return status == ALK_SCHEMA_OK ? 1 : status == ALK_SCHEMA_E_INVALID ? 0 : -1;
}

int value_fits(const json_t *root, const json_t *schema, const json_t *value)
{
    struct alk_schema *compiled = schema_inside(root, schema);
    int fits = schema_fits(compiled, value);
    alk_schema_free(compiled);
    return fits;
}

bool pattern_matches(const char *pattern, const char *text)
{
    json_t *schema = json_pack("{s:s}", "pattern", pattern), *value = json_string(text);
    bool matches = schema && value && value_fits(schema, schema, value) == 1;
    json_decref(schema);
    json_decref(value);
    return matches;
}

bool subtype_valid(const json_t *schema)
{
    struct alk_schema *compiled = NULL;
    int status = alk_schema_compile(schema, NULL, &compiled, NULL);
    alk_schema_free(compiled);
    return status == ALK_SCHEMA_OK;
}

/* ---- all documents of a view ------------------------------------------------------------- */

/* Integers between two bounds, if these are near each other. */
static bool add_integers(const struct view *view, json_t *list)
{
    struct limit low = view_limit(view, 1), high = view_limit(view, -1);
    json_int_t range;
    if (view->types & T_FRACTION || !low.whole || !high.whole ||
        __builtin_sub_overflow(high.integer, low.integer, &range) || range > MAX_RANGE)
        return false;
    for (json_int_t i = 0; i <= range; i++)
        json_array_append_new(list, json_integer(low.integer + i));
    return true;
}

/* The documents of each type that can be listed; false when some cannot. */
static bool add_by_type(const struct subtype *s, const struct view *view, json_t *list)
{
    const json_t *longest = view_bound(view, "maxLength", -1);
    if (view->types & T_NULL)
        json_array_append_new(list, json_null());
    if (view->types & T_BOOLEAN) {
        json_array_append_new(list, json_true());
        json_array_append_new(list, json_false());
    }
    if ((view->types & T_NUMBER && !add_integers(view, list)) ||
        (view->types & T_STRING && !(longest && json_number_value(longest) < 1)) ||
        (view->types & T_ARRAY && view_most_items(view, s) >= 1) ||
        (view->types & T_OBJECT && view_most_properties(view, s) >= 1))
        return false;
    if (view->types & T_STRING)
        json_array_append_new(list, json_string(""));
    if (view->types & T_ARRAY)
        json_array_append_new(list, json_array());
    if (view->types & T_OBJECT)
        json_array_append_new(list, json_object());
    return true;
}

/* The values that the first enum or const lists, or those of the types; NULL: too many. */
static json_t *candidates(const struct subtype *s, const struct view *view)
{
    for (size_t i = 0; i < view->count; i++) {
        json_t *constant = json_object_get(view->parts[i].schema, "const");
        json_t *listed = json_object_get(view->parts[i].schema, "enum");
        if (constant)
            return json_pack("[O]", constant);
        if (json_is_array(listed))
            return json_incref(listed);
    }
    json_t *few = json_array();
    if (few && add_by_type(s, view, few))
        return few;
    json_decref(few);
    return NULL;
}

/* Values that the schema refuses are left out; those that it cannot tell of stay. */
static json_t *leave_fitting(const json_t *root, const json_t *schema, json_t *values)
{
    struct alk_schema *compiled = schema_inside(root, schema);
    json_t *fitting = json_array();
    for (size_t i = 0; i < json_array_size(values); i++)
        if (schema_fits(compiled, json_array_get(values, i)) != 0)
            json_array_append(fitting, json_array_get(values, i));
    alk_schema_free(compiled);
    json_decref(values);
    return fitting;
}

json_t *view_values(const struct subtype *s, const struct view *view)
{
    json_t *values = candidates(s, view);
    for (size_t i = 0; i < view->count && values; i++)
        values = leave_fitting(s->output_root, view->parts[i].schema, values);
    return values;
}
