/* The table of all keywords, and where their values hold schemas. */
#include "compiler.h"

#include <stdlib.h>
#include <string.h>

enum { D7 = 1, D2020 = 2, BOTH = 3 };

/* sorted by name */
static const struct keyword keywords[] = {
    {"$anchor", NULL, SHAPE_TEXT, VOCAB_CORE, D2020},
    {"$comment", NULL, SHAPE_TEXT, VOCAB_CORE, BOTH},
    {"$defs", NULL, SHAPE_MAP, VOCAB_CORE, D2020},
    {"$dynamicAnchor", NULL, SHAPE_TEXT, VOCAB_CORE, D2020},
    {"$dynamicRef", keyword_dynamic_ref, SHAPE_TEXT, VOCAB_CORE, D2020},
    {"$id", NULL, SHAPE_TEXT, VOCAB_CORE, BOTH},
    {"$ref", keyword_ref, SHAPE_TEXT, VOCAB_CORE, BOTH},
    {"$schema", NULL, SHAPE_TEXT, VOCAB_CORE, BOTH},
    {"$vocabulary", NULL, SHAPE_PLAIN, VOCAB_CORE, D2020},
    {"additionalItems", NULL, SHAPE_SCHEMA, VOCAB_APPLICATOR, D7},
    {"additionalProperties", keyword_members, SHAPE_SCHEMA, VOCAB_APPLICATOR, BOTH},
    {"allOf", keyword_list, SHAPE_LIST, VOCAB_APPLICATOR, BOTH},
    {"anyOf", keyword_list, SHAPE_LIST, VOCAB_APPLICATOR, BOTH},
    {"const", keyword_const, SHAPE_PLAIN, VOCAB_VALIDATION, BOTH},
    {"contains", keyword_contains, SHAPE_SCHEMA, VOCAB_APPLICATOR, BOTH},
    {"contentEncoding", keyword_annotation, SHAPE_TEXT, VOCAB_CONTENT, BOTH},
    {"contentMediaType", keyword_annotation, SHAPE_TEXT, VOCAB_CONTENT, BOTH},
    {"contentSchema", keyword_annotation, SHAPE_SCHEMA, VOCAB_CONTENT, D2020},
    {"default", keyword_annotation, SHAPE_PLAIN, VOCAB_META_DATA, BOTH},
    {"definitions", NULL, SHAPE_MAP, VOCAB_CORE, BOTH},
    {"dependencies", keyword_dependencies, SHAPE_MAP_OR_NAMES, VOCAB_APPLICATOR, BOTH},
    {"dependentRequired", keyword_dependencies, SHAPE_PLAIN, VOCAB_VALIDATION, D2020},
    {"dependentSchemas", keyword_dependencies, SHAPE_MAP, VOCAB_APPLICATOR, D2020},
    {"deprecated", keyword_annotation, SHAPE_PLAIN, VOCAB_META_DATA, D2020},
    {"description", keyword_annotation, SHAPE_TEXT, VOCAB_META_DATA, BOTH},
    {"else", NULL, SHAPE_SCHEMA, VOCAB_APPLICATOR, BOTH},
    {"enum", keyword_enum, SHAPE_PLAIN, VOCAB_VALIDATION, BOTH},
    {"examples", keyword_annotation, SHAPE_PLAIN, VOCAB_META_DATA, BOTH},
    {"exclusiveMaximum", keyword_limit, SHAPE_PLAIN, VOCAB_VALIDATION, BOTH},
    {"exclusiveMinimum", keyword_limit, SHAPE_PLAIN, VOCAB_VALIDATION, BOTH},
    {"format", keyword_format, SHAPE_TEXT, VOCAB_FORMAT, BOTH},
    {"if", keyword_if, SHAPE_SCHEMA, VOCAB_APPLICATOR, BOTH},
    {"items", keyword_items, SHAPE_SCHEMA_OR_LIST, VOCAB_APPLICATOR, BOTH},
    {"maxContains", NULL, SHAPE_PLAIN, VOCAB_VALIDATION, D2020},
    {"maxItems", keyword_size, SHAPE_PLAIN, VOCAB_VALIDATION, BOTH},
    {"maxLength", keyword_length, SHAPE_PLAIN, VOCAB_VALIDATION, BOTH},
    {"maxProperties", keyword_size, SHAPE_PLAIN, VOCAB_VALIDATION, BOTH},
    {"maximum", keyword_limit, SHAPE_PLAIN, VOCAB_VALIDATION, BOTH},
    {"minContains", NULL, SHAPE_PLAIN, VOCAB_VALIDATION, D2020},
    {"minItems", keyword_size, SHAPE_PLAIN, VOCAB_VALIDATION, BOTH},
    {"minLength", keyword_length, SHAPE_PLAIN, VOCAB_VALIDATION, BOTH},
    {"minProperties", keyword_size, SHAPE_PLAIN, VOCAB_VALIDATION, BOTH},
    {"minimum", keyword_limit, SHAPE_PLAIN, VOCAB_VALIDATION, BOTH},
    {"multipleOf", keyword_multiple_of, SHAPE_PLAIN, VOCAB_VALIDATION, BOTH},
    {"not", keyword_not, SHAPE_SCHEMA, VOCAB_APPLICATOR, BOTH},
    {"oneOf", keyword_list, SHAPE_LIST, VOCAB_APPLICATOR, BOTH},
    {"pattern", keyword_pattern, SHAPE_TEXT, VOCAB_VALIDATION, BOTH},
    {"patternProperties", keyword_members, SHAPE_MAP, VOCAB_APPLICATOR, BOTH},
    {"prefixItems", keyword_items, SHAPE_LIST, VOCAB_APPLICATOR, D2020},
    {"properties", keyword_members, SHAPE_MAP, VOCAB_APPLICATOR, BOTH},
    {"propertyNames", keyword_property_names, SHAPE_SCHEMA, VOCAB_APPLICATOR, BOTH},
    {"readOnly", keyword_annotation, SHAPE_PLAIN, VOCAB_META_DATA, BOTH},
    {"required", keyword_members, SHAPE_PLAIN, VOCAB_VALIDATION, BOTH},
    {"then", NULL, SHAPE_SCHEMA, VOCAB_APPLICATOR, BOTH},
    {"title", keyword_annotation, SHAPE_TEXT, VOCAB_META_DATA, BOTH},
    {"type", keyword_type, SHAPE_PLAIN, VOCAB_VALIDATION, BOTH},
    {"unevaluatedItems", keyword_unevaluated_items, SHAPE_SCHEMA, VOCAB_UNEVALUATED, D2020},
    {"unevaluatedProperties", keyword_unevaluated_properties, SHAPE_SCHEMA, VOCAB_UNEVALUATED,
     D2020},
    {"uniqueItems", keyword_unique_items, SHAPE_PLAIN, VOCAB_VALIDATION, BOTH},
    {"writeOnly", keyword_annotation, SHAPE_PLAIN, VOCAB_META_DATA, BOTH},
};

static int by_name(const void *name, const void *keyword)
{
    return strcmp(name, ((const struct keyword *)keyword)->name);
}

const struct keyword *keyword_find(const struct dialect *dialect, const char *name)
{
    const struct keyword *found =
        bsearch(name, keywords, sizeof keywords / sizeof *keywords, sizeof *keywords, by_name);
    if (!found || !(found->drafts & (dialect->draft == 7 ? D7 : D2020)))
        return NULL;
    return found->vocabularies & dialect->vocabularies ? found : NULL;
}

static bool is_schema(const json_t *value)
{
    return json_is_object(value) || json_is_boolean(value);
}

static bool is_list(const json_t *value)
{
    for (size_t i = 0; i < json_array_size(value); i++)
        if (!is_schema(json_array_get(value, i)))
            return false;
    return json_array_size(value) > 0;
}

static bool is_map(json_t *value, bool names)
{
    const char *key;
    json_t *member;
    json_object_foreach(value, key, member) if (!is_schema(member) &&
                                                !(names && json_is_array(member))) return false;
    return json_is_object(value);
}

bool keyword_shape_ok(const struct keyword *keyword, const json_t *value)
{
    json_t *v = (json_t *)(uintptr_t)value; /* iteration wants it writable */
    switch (keyword->shape) {
    case SHAPE_TEXT:
        return json_is_string(v);
    case SHAPE_SCHEMA:
        return is_schema(v);
    case SHAPE_LIST:
        return is_list(v);
    case SHAPE_SCHEMA_OR_LIST:
        return is_schema(v) || is_list(v) || (json_is_array(v) && json_array_size(v) == 0);
    case SHAPE_MAP:
        return is_map(v, false);
    case SHAPE_MAP_OR_NAMES:
        return is_map(v, true);
    default:
        return true;
    }
}

void keyword_schemas(const struct keyword *keyword, json_t *value, keyword_each *each, void *user)
{
    enum shape shape = keyword->shape;
    bool single = shape == SHAPE_SCHEMA || shape == SHAPE_SCHEMA_OR_LIST;
    bool list = shape == SHAPE_LIST || shape == SHAPE_SCHEMA_OR_LIST;
    if (single && is_schema(value))
        each(user, NULL, SIZE_MAX, value);
    if (list && json_is_array(value))
        for (size_t i = 0; i < json_array_size(value); i++)
            if (is_schema(json_array_get(value, i)))
                each(user, NULL, i, json_array_get(value, i));
    if (shape == SHAPE_MAP || shape == SHAPE_MAP_OR_NAMES) {
        const char *key;
        json_t *member;
        json_object_foreach(value, key, member) if (is_schema(member))
            each(user, key, SIZE_MAX, member);
    }
}
