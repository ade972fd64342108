/* The question whether every document of a view fits a schema, case by case. */
#include "graph_core.h"
#include "subschemas.h"
#include "subtype.h"

#include <alk/schema.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_STEPS 20000

enum alk_compat subtype_no(struct subtype *s, const char *format, ...)
{
    char text[300];
    if (!s->error || s->error->text[0])
        return ALK_COMPAT_NO; /* the first reason stays */
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (s->path[0])
        graph_fail(s->error, 0, "%s: %s", s->path, text);
    else
        graph_fail(s->error, 0, "%s", text);
    return ALK_COMPAT_NO;
}

bool subtype_has_reason(const struct subtype *s)
{
    return s->error && s->error->text[0];
}

enum alk_compat subtype_doubt(struct subtype *s, enum alk_compat answer, bool had_reason)
{
    if (answer != ALK_COMPAT_NO)
        return answer;
    if (s->error && !had_reason)
        s->error->text[0] = '\0';
    return ALK_COMPAT_UNKNOWN;
}

enum alk_compat subtype_below(struct subtype *s, const char *token, const struct view *view,
                              const json_t *input)
{
    size_t length = strlen(s->path);
    snprintf(s->path + length, sizeof s->path - length, "/%.60s", token);
    s->level++;
    enum alk_compat answer = subtype_view(s, view, input);
    s->level--;
    s->path[length] = '\0';
    return answer;
}

/* ---- scalar keywords of the input --------------------------------------------------------- */

static void type_text(unsigned types, char text[80])
{
    static const char *const names[] = {"null",   "boolean", "integer", NULL,
                                        "string", "array",   "object"};
    text[0] = '\0';
    for (unsigned i = 0; i < 7; i++) {
        if (!(types >> i & 1) || !names[i])
            continue;
        if (text[0])
            strcat(text, " or ");
        strcat(text, i == 2 && types & T_FRACTION ? "number" : names[i]);
    }
    if (!text[0])
        strcpy(text, types & T_FRACTION ? "fraction" : "nothing");
}

static enum alk_compat check_type(struct subtype *s, const struct view *view, const json_t *input)
{
    unsigned wanted = view_schema_types(input);
    char given[80], want[80];
    if (!(view->types & ~wanted))
        return ALK_COMPAT_YES;
    if (view->types == T_ANY)
        strcpy(given, "anything");
    else
        type_text(view->types, given);
    type_text(wanted, want);
    return subtype_no(s, "the output is %s, the input wants %s", given, want);
}

/* The lower (sign 1) or upper bound of numbers, exclusive or not. */
static enum alk_compat check_number_bound(struct subtype *s, const struct view *view,
                                          const json_t *input, int sign)
{
    struct limit own = view_limit(view, sign);
    struct limit wanted =
        limit_make(json_object_get(input, sign > 0 ? "minimum" : "maximum"),
                   json_object_get(input, sign > 0 ? "exclusiveMinimum" : "exclusiveMaximum"), sign,
                   !(view->types & T_FRACTION));
    return limit_within(&own, &wanted, sign)
               ? ALK_COMPAT_YES
               : subtype_no(s, "the output's numbers may be %s than the input allows",
                            sign > 0 ? "lower" : "higher");
}

static enum alk_compat check_multiple_of(struct subtype *s, const struct view *view,
                                         const json_t *input)
{
    const json_t *want = json_object_get(input, "multipleOf");
    if (!want)
        return ALK_COMPAT_YES;
    if (view->types & T_INTEGER && !(view->types & T_FRACTION)) {
        json_t *one = json_integer(1); /* integers are multiples of what divides 1 */
        json_t *schema = json_pack("{s:O}", "multipleOf", want);
        int fits = value_fits(schema, schema, one);
        json_decref(schema);
        json_decref(one);
        if (fits == 1)
            return ALK_COMPAT_YES;
    }
    for (size_t i = 0; i < view->count; i++) {
        const json_t *own = json_object_get(view->parts[i].schema, "multipleOf");
        json_t *schema = own ? json_pack("{s:O}", "multipleOf", want) : NULL;
        int fits = own ? value_fits(schema, schema, own) : 0;
        json_decref(schema);
        if (fits == 1)
            return ALK_COMPAT_YES;
    }
    return subtype_no(s, "the output's numbers need not be the multiples that the input wants");
}

static enum alk_compat check_length(struct subtype *s, const struct view *view, const json_t *input,
                                    const char *keyword, int sign)
{
    const json_t *want = json_object_get(input, keyword);
    const json_t *own = view_bound(view, keyword, sign);
    if (!json_is_number(want) || (sign > 0 && json_number_value(want) <= 0))
        return ALK_COMPAT_YES;
    if (own && number_order(own, want) * sign >= 0)
        return ALK_COMPAT_YES;
    return subtype_no(s, "the output may have %s characters than the input allows",
                      sign > 0 ? "fewer" : "more");
}

static const char *const pattern_keyword[] = {"pattern", NULL};

static enum alk_compat check_string(struct subtype *s, const struct view *view, const json_t *input)
{
    const json_t *pattern = json_object_get(input, "pattern");
    bool had_reason = subtype_has_reason(s);
    enum alk_compat answer = check_length(s, view, input, "minLength", 1);
    answer = compat_worse(answer, check_length(s, view, input, "maxLength", -1));
    if (view_has_any(view, pattern_keyword)) /* it may see to the length */
        answer = subtype_doubt(s, answer, had_reason);
    if (pattern && !view_has(view, "pattern", pattern))
        answer = compat_worse(answer, ALK_COMPAT_UNKNOWN);
    return answer;
}

static enum alk_compat check_scalars(struct subtype *s, const struct view *view,
                                     const json_t *input)
{
    enum alk_compat answer = ALK_COMPAT_YES;
    if (view->types & T_NUMBER) {
        answer = compat_worse(answer, check_number_bound(s, view, input, 1));
        answer = compat_worse(answer, check_number_bound(s, view, input, -1));
        answer = compat_worse(answer, check_multiple_of(s, view, input));
    }
    if (view->types & T_STRING)
        answer = compat_worse(answer, check_string(s, view, input));
    return answer;
}

/* ---- alternatives of the input --------------------------------------------------------------- */

/* Try without leaving a sentence behind. */
static enum alk_compat quietly(struct subtype *s, const struct view *view, const json_t *input)
{
    struct alk_graph_error *error = s->error;
    s->error = NULL;
    enum alk_compat answer = subtype_view(s, view, input);
    s->error = error;
    return answer;
}

static bool discriminated(struct subtype *s, const struct view *view, const json_t *schema);

/* Whether no document of the view fits the schema, as far as types and constants tell. */
static bool disjoint(struct subtype *s, const struct view *view, const json_t *schema)
{
    struct view other = {0};
    if (json_is_false(schema))
        return true;
    view_add(&other, s->input_root, schema);
    if (other.never || (other.count && !(other.types & view->types)))
        return true;
    for (size_t i = 0; i < other.count; i++)
        if (discriminated(s, view, other.parts[i].schema))
            return true;
    json_t *values = view_values(s, view);
    struct alk_schema *wanted = values ? schema_inside(s->input_root, schema) : NULL;
    bool none = values != NULL;
    for (size_t i = 0; i < json_array_size(values) && none; i++)
        none = schema_fits(wanted, json_array_get(values, i)) == 0;
    alk_schema_free(wanted);
    json_decref(values);
    return none;
}

/* A property that is always there and never fits, such as kind: "a" against kind: "b". */
static bool discriminated(struct subtype *s, const struct view *view, const json_t *schema)
{
    const char *name;
    json_t *wanted;
    if (view->types != T_OBJECT)
        return false;
    json_object_foreach(json_object_get(schema, "properties"), name, wanted)
    {
        struct view own;
        if (!view_requires(view, name) || s->depth >= SUBTYPE_DEPTH)
            continue;
        view_property(view, s, name, &own);
        s->asked[s->depth++].view = NULL;
        bool apart = !own.never && own.count && disjoint(s, &own, wanted);
        s->depth--;
        if (apart)
            return true;
    }
    return false;
}

static enum alk_compat check_alternatives(struct subtype *s, const struct view *view,
                                          const json_t *alternatives, bool exactly_one)
{
    size_t count = json_array_size(alternatives), fitting = count;
    bool unsure = false;
    for (size_t i = 0; i < count && fitting == count; i++) {
        enum alk_compat one = quietly(s, view, json_array_get(alternatives, i));
        if (one == ALK_COMPAT_YES)
            fitting = i;
        unsure = unsure || one == ALK_COMPAT_UNKNOWN;
    }
    if (fitting == count)
        return unsure
                   ? ALK_COMPAT_UNKNOWN
                   : subtype_no(s, "the output fits none of the input's %zu alternatives", count);
    for (size_t i = 0; i < count && exactly_one; i++)
        if (i != fitting && !disjoint(s, view, json_array_get(alternatives, i)))
            return ALK_COMPAT_UNKNOWN; /* it may fit this one as well */
    return ALK_COMPAT_YES;
}

/* ---- one case ----------------------------------------------------------------------------------- */

/* References inside would be looked up in two different documents. */
static bool same_meaning(const json_t *a, const json_t *b)
{
    if (!a || !b)
        return !a && !b;
    char *text = json_equal(a, b) ? json_dumps(a, JSON_ENCODE_ANY) : NULL;
    bool same = text && !strstr(text, "Ref\"") && !strstr(text, "$ref\"");
    free(text);
    return same;
}

/* Some part of the output has the keyword with the same value, and the same companions. */
static bool demands_same(const struct view *view, const json_t *input, const char *const names[3])
{
    for (size_t i = 0; i < view->count; i++) {
        const json_t *part = view->parts[i].schema;
        bool same = json_object_get(part, names[0]) != NULL;
        for (size_t n = 0; n < 3 && names[n]; n++)
            same = same &&
                   same_meaning(json_object_get(part, names[n]), json_object_get(input, names[n]));
        if (same)
            return true;
    }
    return false;
}

/* Keywords that are not understood: fine if the output demands the very same. */
static enum alk_compat check_others(const struct view *view, const json_t *input)
{
    static const char *const keywords[][3] = {
        {"if", "then", "else"}, {"contains", "minContains", "maxContains"},
        {"dependentSchemas"},   {"dependentRequired"},
        {"dependencies"},       {"propertyNames"},
        {"patternProperties"},
    };
    if (json_object_get(input, "unevaluatedItems") || json_object_get(input, "$dynamicRef") ||
        json_object_get(input, "unevaluatedProperties"))
        return ALK_COMPAT_UNKNOWN;
    for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++)
        if (json_object_get(input, keywords[i][0]) && !demands_same(view, input, keywords[i]))
            return ALK_COMPAT_UNKNOWN;
    return ALK_COMPAT_YES;
}

/* `not`: the output must have nothing in common with what the input refuses. */
static enum alk_compat check_not(struct subtype *s, const struct view *view, const json_t *input)
{
    static const char *const names[3] = {"not"};
    const json_t *refused = json_object_get(input, "not");
    if (!refused || demands_same(view, input, names) || disjoint(s, view, refused))
        return ALK_COMPAT_YES;
    return quietly(s, view, refused) == ALK_COMPAT_YES
               ? subtype_no(s, "the output is always what the input refuses")
               : ALK_COMPAT_UNKNOWN;
}

static enum alk_compat check_values(struct subtype *s, const json_t *values, const json_t *input)
{
    struct alk_schema *wanted = schema_inside(s->input_root, input);
    enum alk_compat answer = ALK_COMPAT_YES;
    for (size_t i = 0; i < json_array_size(values); i++) {
        int fits = schema_fits(wanted, json_array_get(values, i));
        answer = fits < 0 ? ALK_COMPAT_UNKNOWN : answer;
        if (fits)
            continue;
        char *text = json_dumps(json_array_get(values, i), JSON_ENCODE_ANY | JSON_COMPACT);
        answer = subtype_no(s, "the output may be %.100s, which the input does not allow",
                            text ? text : "a value");
        free(text);
        break;
    }
    alk_schema_free(wanted);
    return answer;
}

/* Every keyword of the input, for a view that is not split any further. */
static enum alk_compat check_keywords(struct subtype *s, const struct view *view,
                                      const json_t *input)
{
    enum alk_compat answer = check_type(s, view, input);
    const json_t *all = json_object_get(input, "allOf");
    const json_t *any = json_object_get(input, "anyOf"), *one = json_object_get(input, "oneOf");
    const char *reference = json_string_value(json_object_get(input, "$ref"));
    if (answer == ALK_COMPAT_NO)
        return answer;
    if (json_object_get(input, "enum") || json_object_get(input, "const"))
        return view->types == T_STRING && view_has_any(view, pattern_keyword)
                   ? ALK_COMPAT_UNKNOWN
                   : subtype_no(s,
                                "the output may be any value of its type, the input lists a few");
    answer = compat_worse(answer, check_scalars(s, view, input));
    if (view->types & T_OBJECT)
        answer = compat_worse(answer, subtype_object(s, view, input));
    if (view->types & T_ARRAY)
        answer = compat_worse(answer, subtype_array(s, view, input));
    for (size_t i = 0; i < json_array_size(all); i++)
        answer = compat_worse(answer, subtype_view(s, view, json_array_get(all, i)));
    if (any)
        answer = compat_worse(answer, check_alternatives(s, view, any, false));
    if (one)
        answer = compat_worse(answer, check_alternatives(s, view, one, true));
    if (reference) {
        const json_t *target = view_resolve(s->input_root, reference);
        answer = compat_worse(answer, target ? subtype_view(s, view, target) : ALK_COMPAT_UNKNOWN);
    }
    answer = compat_worse(answer, check_not(s, view, input));
    return compat_worse(answer, check_others(view, input));
}

/* ---- splitting the output into cases ---------------------------------------------------------------- */

/* An anyOf or oneOf that was not split yet: each of its cases must do. */
static bool split_alternatives(struct subtype *s, const struct view *view, const json_t *input,
                               enum alk_compat *answer)
{
    for (size_t i = 0; i < view->count; i++) {
        const struct part *part = &view->parts[i];
        const json_t *any = part->no_any_of ? NULL : json_object_get(part->schema, "anyOf");
        const json_t *one = part->no_one_of ? NULL : json_object_get(part->schema, "oneOf");
        const json_t *cases = any ? any : one;
        if (!cases)
            continue;
        *answer = ALK_COMPAT_YES;
        for (size_t j = 0; j < json_array_size(cases) && *answer != ALK_COMPAT_NO; j++) {
            struct view chosen = *view;
            chosen.parts[i].no_any_of = chosen.parts[i].no_any_of || any;
            chosen.parts[i].no_one_of = chosen.parts[i].no_one_of || !any;
            view_add(&chosen, s->output_root, json_array_get(cases, j));
            *answer = compat_worse(*answer, subtype_view(s, &chosen, input));
        }
        return true;
    }
    return false;
}

/* Several types against alternatives: one type after another. */
static bool split_types(struct subtype *s, const struct view *view, const json_t *input,
                        enum alk_compat *answer)
{
    static const unsigned kinds[] = {T_NULL, T_BOOLEAN, T_NUMBER, T_STRING, T_ARRAY, T_OBJECT};
    const size_t count = sizeof kinds / sizeof *kinds;
    bool alternatives = json_object_get(input, "anyOf") || json_object_get(input, "oneOf");
    unsigned present = 0;
    for (size_t i = 0; i < count; i++)
        present += (view->types & kinds[i]) != 0;
    if (!alternatives || present < 2 || view->types & ~view_schema_types(input))
        return false;
    *answer = ALK_COMPAT_YES;
    for (size_t i = 0; i < count; i++) {
        struct view single = *view;
        single.types &= kinds[i];
        if (single.types)
            *answer = compat_worse(*answer, subtype_view(s, &single, input));
    }
    return true;
}

/* Keywords of the output that are not understood may leave out what spoke for a no. */
static bool may_be_less(const struct view *view, const json_t *input)
{
    static const char *const names[] = {"if", "dependentSchemas", "$dynamicRef", "not", NULL};
    return view->overflow || (view->types & view_schema_types(input) && view_has_any(view, names));
}

static enum alk_compat check_cases(struct subtype *s, const struct view *whole, const json_t *input)
{
    enum alk_compat answer;
    struct view view = *whole;
    if (view.never)
        return ALK_COMPAT_YES; /* there is no such document */
    view.types = view_possible(whole, s);
    if (!view.types)
        return ALK_COMPAT_YES;
    json_t *values = view.overflow ? NULL : view_values(s, &view);
    if (values) {
        answer = check_values(s, values, input);
        json_decref(values);
        return answer;
    }
    if (split_alternatives(s, &view, input, &answer) || split_types(s, &view, input, &answer))
        return answer;
    bool had_reason = subtype_has_reason(s);
    answer = check_keywords(s, &view, input);
    return may_be_less(&view, input) ? subtype_doubt(s, answer, had_reason) : answer;
}

static bool same_view(const struct view *a, const struct view *b)
{
    bool same = a->count == b->count && a->types == b->types && a->never == b->never &&
                a->overflow == b->overflow;
    for (size_t i = 0; i < a->count && same; i++)
        same = a->parts[i].schema == b->parts[i].schema &&
               a->parts[i].no_any_of == b->parts[i].no_any_of &&
               a->parts[i].no_one_of == b->parts[i].no_one_of;
    return same;
}

/*
 * A recursive schema comes to a question that is being answered already, deeper in
 * the documents: as these are finite, it may be taken as answered with yes.
 */
static bool asked_above(const struct subtype *s, const struct view *view, const json_t *input)
{
    for (unsigned i = 0; i < s->depth; i++) {
        const struct question *above = &s->asked[i];
        if (above->view && above->input == input && above->level < s->level &&
            same_view(above->view, view))
            return true;
    }
    return false;
}

enum alk_compat subtype_view(struct subtype *s, const struct view *view, const json_t *input)
{
    if (json_is_true(input) || (json_is_object(input) && json_object_size(input) == 0))
        return ALK_COMPAT_YES;
    if (json_is_false(input))
        return view->never || !view->types ? ALK_COMPAT_YES
                                           : subtype_no(s, "the input allows nothing here");
    if (asked_above(s, view, input))
        return ALK_COMPAT_YES;
    if (!json_is_object(input) || s->depth >= SUBTYPE_DEPTH || s->steps >= MAX_STEPS)
        return ALK_COMPAT_UNKNOWN;
    s->asked[s->depth++] = (struct question){view, input, s->level};
    s->steps++;
    enum alk_compat answer = check_cases(s, view, input);
    s->depth--;
    return answer;
}

/* ---- from outside --------------------------------------------------------------------------------- */

/* A schema that says nothing about the documents: true, or only annotations. */
static bool says_nothing(json_t *schema)
{
    static const char *const annotations[] = {
        "$schema", "$id",      "$comment",   "$defs",    "definitions", "title",  "description",
        "default", "examples", "deprecated", "readOnly", "writeOnly",   "$anchor"};
    const char *name;
    json_t *unused;
    json_object_foreach(schema, name, unused)
    {
        bool annotation = false;
        for (size_t i = 0; i < sizeof annotations / sizeof *annotations; i++)
            annotation = annotation || strcmp(name, annotations[i]) == 0;
        if (!annotation)
            return false;
    }
    return !json_is_false(schema);
}

/* What is known of the schemas, with references looked up in their documents if that can be. */
static enum alk_compat compare(const json_t *output, const json_t *input,
                               enum alk_compat_reading reading, struct alk_graph_error *error)
{
    struct subtype s = {.output_root = subschemas_embedded(output) ? NULL : output,
                        .input_root = subschemas_embedded(input) ? NULL : input,
                        .reading = reading,
                        .error = error};
    struct view view = {0};
    view_add(&view, s.output_root, output);
    return subtype_view(&s, &view, input);
}

enum alk_compat subtype_compare(const json_t *output, const json_t *input,
                                enum alk_compat_reading reading, struct alk_graph_error *error)
{
    struct alk_graph_error unused = {""};
    error = error ? error : &unused;
    error->text[0] = '\0';
    bool no_output = says_nothing((json_t *)(uintptr_t)output); /* iteration wants it writable */
    if (no_output || says_nothing((json_t *)(uintptr_t)input)) {
        graph_fail(error, 0, "the %s schema says nothing", no_output ? "output" : "input");
        return ALK_COMPAT_UNKNOWN;
    }
    if (json_equal(output, input))
        return ALK_COMPAT_YES;
    json_t *from = subschemas_modern(output), *to = subschemas_modern(input);
    enum alk_compat answer = from && to ? compare(from, to, reading, error) : ALK_COMPAT_UNKNOWN;
    if (answer == ALK_COMPAT_UNKNOWN)
        graph_fail(error, 0, "it cannot be decided whether the output always fits the input");
    if (answer == ALK_COMPAT_YES)
        error->text[0] = '\0';
    json_decref(from);
    json_decref(to);
    return answer;
}

enum alk_compat alk_type_compat(const json_t *output, const json_t *input,
                                enum alk_compat_reading reading, struct alk_graph_error *error)
{
    enum alk_compat answer = subtype_compare(output, input, reading, error);
    if (answer != ALK_COMPAT_YES || json_equal(output, input))
        return answer;
    bool valid = subtype_valid(output);
    if (valid && subtype_valid(input))
        return ALK_COMPAT_YES;
    graph_fail(error, 0, "the %s schema is not valid", valid ? "input" : "output");
    return ALK_COMPAT_UNKNOWN;
}
