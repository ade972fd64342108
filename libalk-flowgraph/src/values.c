/* Views that have only a few documents, and asking the validator about a document. */
#include "subtype.h"

#include <alk/schema.h>

#define ROOT_URI "alk:root"

/* The path to a schema inside its document is not known, so the schema goes beside it. */
int value_fits(const json_t *root, const json_t *schema, const json_t *value)
{
    struct alk_schema_options options = ALK_SCHEMA_OPTIONS_INIT;
    struct alk_schema *compiled = NULL;
    const char *const definitions[] = {"$defs", "definitions", "properties"};
    int result = -1;
    json_t *alone = json_is_object(schema) ? json_copy((json_t *)(uintptr_t)schema)
                                           : json_incref((json_t *)(uintptr_t)schema);
    for (size_t i = 0; schema != root && json_is_object(alone) && i < 3; i++) {
        /* references such as #/$defs/x must find what they find in the root */
        json_t *own = json_object_get(alone, definitions[i]);
        json_t *of_root = json_object_get(root, definitions[i]);
        if (!own && of_root && i < 2)
            json_object_set(alone, definitions[i], of_root);
    }
    options.max_steps = 100000;
    if (alone && alk_schema_compile(alone, &options, &compiled, NULL) == ALK_SCHEMA_OK) {
        int status = alk_schema_validate(compiled, value, NULL);
        result = status == ALK_SCHEMA_OK ? 1 : status == ALK_SCHEMA_E_INVALID ? 0 : -1;
    }
    alk_schema_free(compiled);
    json_decref(alone);
    return result;
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
