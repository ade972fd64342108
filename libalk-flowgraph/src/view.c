#include "subtype.h"

#include <stdlib.h>
#include <string.h>

/* ---- references ----------------------------------------------------------------------- */

static int hex(char c)
{
    const char *digits = "0123456789abcdef", *at = c ? strchr(digits, c | 0x20) : NULL;
    return c >= '0' && c <= '9' ? c - '0' : at ? (int)(at - digits) : -1;
}

/* Undo percent escapes, which is first: "%7E1" is a slash in a name, "%2F" one between names. */
static bool decode(const char *reference, char *pointer, size_t size)
{
    size_t n = 0;
    for (const char *at = reference; *at; at++) {
        char c = *at;
        if (c == '%' && hex(at[1]) >= 0 && hex(at[2]) >= 0) {
            c = (char)(hex(at[1]) << 4 | hex(at[2]));
            at += 2;
        }
        if (!c || n + 1 >= size)
            return false;
        pointer[n++] = c;
    }
    pointer[n] = '\0';
    return true;
}

/* One pointer token, tilde escapes undone, which make it no longer. */
static const char *read_token(const char *at, char *token)
{
    for (; *at && *at != '/'; at++) {
        char c = *at;
        if (c == '~' && (at[1] == '0' || at[1] == '1'))
            c = *++at == '0' ? '~' : '/';
        *token++ = c;
    }
    *token = '\0';
    return at;
}

static const json_t *array_member(const json_t *array, const char *token)
{
    bool digits = strspn(token, "0123456789") == strlen(token) && *token;
    return digits && (*token != '0' || !token[1]) ? json_array_get(array, strtoul(token, NULL, 10))
                                                  : NULL;
}

const json_t *view_resolve(const json_t *root, const char *reference)
{
    char pointer[1024], token[sizeof pointer];
    if (*reference != '#' || !decode(reference + 1, pointer, sizeof pointer))
        return NULL;
    const json_t *found = root;
    const char *at = pointer;
    while (found && *at == '/') {
        at = read_token(at + 1, token);
        found = json_is_array(found) ? array_member(found, token) : json_object_get(found, token);
    }
    return *at ? NULL : found;
}

/* ---- building a view -------------------------------------------------------------------- */

static unsigned type_bits(const char *name)
{
    static const struct {
        const char *name;
        unsigned bits;
    } types[] = {
        {"null", T_NULL},     {"boolean", T_BOOLEAN}, {"integer", T_INTEGER}, {"number", T_NUMBER},
        {"string", T_STRING}, {"array", T_ARRAY},     {"object", T_OBJECT},
    };
    for (size_t i = 0; name && i < sizeof types / sizeof *types; i++)
        if (strcmp(name, types[i].name) == 0)
            return types[i].bits;
    return 0;
}

unsigned view_schema_types(const json_t *schema)
{
    const json_t *type = json_object_get(schema, "type");
    unsigned bits = type_bits(json_string_value(type));
    for (size_t i = 0; i < json_array_size(type); i++)
        bits |= type_bits(json_string_value(json_array_get(type, i)));
    return type ? bits : T_ANY;
}

/* The types that a schema leaves, also by a `not` of types alone, and by whole multiples. */
static unsigned part_types(const json_t *schema)
{
    unsigned types = view_schema_types(schema);
    const json_t *no = json_object_get(schema, "not");
    double step = json_number_value(json_object_get(schema, "multipleOf"));
    if (json_object_size(no) == 1 && json_object_get(no, "type"))
        types &= ~view_schema_types(no);
    if (step >= 1 && step < 9007199254740992.0 && step == (double)(json_int_t)step)
        types &= ~(unsigned)T_FRACTION;
    return types;
}

static bool view_holds(const struct view *view, const json_t *schema)
{
    for (size_t i = 0; i < view->count; i++)
        if (view->parts[i].schema == schema)
            return true;
    return false;
}

/* Add one schema, and then the list of parts is its own work list for allOf and $ref. */
void view_add(struct view *view, const json_t *root, const json_t *schema)
{
    if (view->count == 0 && !view->never)
        view->types = T_ANY;
    size_t at = view->count;
    const json_t *next = schema;
    for (;;) {
        if (json_is_false(next))
            view->never = true;
        else if (json_is_object(next) && !view_holds(view, next)) {
            if (view->count == VIEW_MAX)
                view->overflow = true;
            else
                view->parts[view->count++] = (struct part){next, false, false};
            view->types &= part_types(next);
        }
        if (at == view->count)
            return;
        /* parts are looked at one after another: first their $ref, then their allOf */
        const json_t *part = view->parts[at].schema;
        const json_t *all = json_object_get(part, "allOf");
        const char *reference = json_string_value(json_object_get(part, "$ref"));
        at++;
        if (reference && view->count < VIEW_MAX) {
            const json_t *target = view_resolve(root, reference);
            view->overflow = view->overflow || !target;
            if (target)
                view_add(view, root, target);
        }
        for (size_t i = 0; i < json_array_size(all) && view->count < VIEW_MAX; i++)
            view_add(view, root, json_array_get(all, i));
        next = NULL;
    }
}

/* ---- questions ------------------------------------------------------------------------------ */

/* What one part says of a property, added to what others say. */
static void part_property(const json_t *part, const struct subtype *s, const char *name,
                          struct view *out)
{
    const json_t *own = json_object_get(json_object_get(part, "properties"), name);
    const json_t *additional = json_object_get(part, "additionalProperties");
    bool described = own != NULL;
    const char *pattern;
    json_t *schema;
    if (own)
        view_add(out, s->output_root, own);
    json_object_foreach(json_object_get(part, "patternProperties"), pattern, schema)
    {
        if (!pattern_matches(pattern, name))
            continue;
        view_add(out, s->output_root, schema);
        described = true;
    }
    if (!described && additional)
        view_add(out, s->output_root, additional);
}

/* Does unevaluatedProperties forbid whatever no part names? Not if some cases are left out, or
 * another part has evaluated the rest by its own unevaluatedProperties. */
bool view_sealed(const struct view *view)
{
    static const char *const others[] = {"anyOf",
                                         "oneOf",
                                         "if",
                                         "dependentSchemas",
                                         "$dynamicRef",
                                         "additionalProperties",
                                         "patternProperties",
                                         NULL};
    bool sealed = false;
    for (size_t i = 0; i < view->count; i++) {
        const json_t *rest = json_object_get(view->parts[i].schema, "unevaluatedProperties");
        if (rest && !json_is_false(rest))
            return false;
        sealed = sealed || rest;
    }
    return sealed && !view->overflow && !view_has_any(view, others);
}

static bool some_part_names(const struct view *view, const char *name)
{
    for (size_t i = 0; i < view->count && name; i++)
        if (json_object_get(json_object_get(view->parts[i].schema, "properties"), name))
            return true;
    return false;
}

/* Are there as many required properties as there may be, and this is none of them? */
static bool full_without(const struct view *view, const char *name)
{
    const json_t *most = view_bound(view, "maxProperties", -1);
    return most && !(name && view_requires(view, name)) &&
           view_required_properties(view) >= json_number_value(most);
}

/* Read as closed, a property that no part of an object schema knows is not there. */
static bool closed_without(const struct view *view, const struct subtype *s, const char *name)
{
    bool described = false;
    if (full_without(view, name) || (view_sealed(view) && !some_part_names(view, name)))
        return true;
    if (s->reading != ALK_COMPAT_CLOSED)
        return false;
    for (size_t i = 0; i < view->count; i++) {
        const json_t *part = view->parts[i].schema;
        if (json_object_get(part, "additionalProperties") ||
            json_object_get(part, "patternProperties") ||
            json_object_get(part, "unevaluatedProperties"))
            return false;
        const json_t *properties = json_object_get(part, "properties");
        described = described || json_object_get(part, "required") || properties;
        if (name && json_object_get(properties, name))
            return false;
    }
    return described && !(name && view_requires(view, name));
}

void view_property(const struct view *view, const struct subtype *s, const char *name,
                   struct view *out)
{
    memset(out, 0, sizeof *out);
    out->types = T_ANY;
    out->never = closed_without(view, s, name);
    for (size_t i = 0; i < view->count; i++)
        part_property(view->parts[i].schema, s, name, out);
}

void view_other_properties(const struct view *view, const struct subtype *s, struct view *out)
{
    memset(out, 0, sizeof *out);
    out->types = T_ANY;
    out->never = closed_without(view, s, NULL);
    for (size_t i = 0; i < view->count; i++) {
        const json_t *part = view->parts[i].schema;
        const json_t *schema = json_object_get(part, "additionalProperties");
        if (schema && !json_object_get(part, "patternProperties"))
            view_add(out, s->output_root, schema);
    }
}

void view_item(const struct view *view, const struct subtype *s, size_t index, struct view *out)
{
    memset(out, 0, sizeof *out);
    out->types = T_ANY;
    for (size_t i = 0; i < view->count; i++) {
        const json_t *part = view->parts[i].schema;
        const json_t *prefix = json_object_get(part, "prefixItems");
        const json_t *schema = index < json_array_size(prefix) ? json_array_get(prefix, index)
                                                               : json_object_get(part, "items");
        if (schema)
            view_add(out, s->output_root, schema);
    }
}

static bool lists_name(const json_t *names, const char *name)
{
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *listed = json_string_value(json_array_get(names, i));
        if (listed && strcmp(listed, name) == 0)
            return true;
    }
    return false;
}

static bool requires(const struct view *view, const char *name, unsigned depth)
{
    const char *other;
    json_t *names;
    for (size_t i = 0; i < view->count; i++)
        if (lists_name(json_object_get(view->parts[i].schema, "required"), name))
            return true;
    for (size_t i = 0; i < view->count && depth; i++)
        json_object_foreach(json_object_get(view->parts[i].schema, "dependentRequired"), other,
                            names) if (lists_name(names, name) &&
                                       requires(view, other, depth - 1)) return true;
    return false;
}

bool view_requires(const struct view *view, const char *name)
{
    return requires(view, name, 2);
}

const json_t *view_bound(const struct view *view, const char *keyword, int sign)
{
    const json_t *best = NULL;
    for (size_t i = 0; i < view->count; i++) {
        const json_t *value = json_object_get(view->parts[i].schema, keyword);
        if (json_is_number(value) && (!best || number_order(value, best) * sign > 0))
            best = value;
    }
    return best;
}

bool view_has(const struct view *view, const char *keyword, const json_t *value)
{
    for (size_t i = 0; i < view->count; i++) {
        const json_t *own = json_object_get(view->parts[i].schema, keyword);
        if (own && json_equal(own, value))
            return true;
    }
    return false;
}

bool view_has_any(const struct view *view, const char *const *keywords)
{
    for (; *keywords; keywords++)
        for (size_t i = 0; i < view->count; i++)
            if (json_object_get(view->parts[i].schema, *keywords))
                return true;
    return false;
}
