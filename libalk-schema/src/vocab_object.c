/* What is asserted of objects. */
#include "assertion.h"
#include "compiler.h"
#include "members.h"
#include "report.h"

#include <string.h>

/* ---- properties, patternProperties, additionalProperties, required ------------------------ */

/* Say which required properties are missing. */
static bool check_required(struct run *run, const struct frame *frame,
                           const struct members_rule *members)
{
    bool valid = true;
    for (uint32_t i = 0; i < members->property_count && (valid || run->all); i++) {
        const struct property *property = &members->properties[i];
        if (property->required && !subject_member(run, frame->subject, &property->name))
            valid = violated(run, frame, "required", "the property \"%s\" is missing",
                             property->name.text);
    }
    return valid;
}

/* A schema for the member in step->key. */
static bool check_member(struct run *run, const struct property *property,
                         const struct member *member, struct step *step)
{
    step->key = member->key;
    step->keyword = property->keyword;
    step->name = property->below;
    return evaluate(run, property->node, member->value, step);
}

/* Several schemas may apply to a member, and `others` only if none of them does. `*known` says
 * whether any did. */
static bool check_patterned(struct run *run, const struct members_rule *members,
                            const struct property *property, const struct member *member,
                            struct step *step, bool *known)
{
    *known = property->node && property != &members->others;
    bool valid = !*known || check_member(run, property, member, step);
    for (uint32_t i = 0; i < members->pattern_count && (valid || run->all); i++) {
        const struct pattern_node *pattern = &members->patterns[i];
        if (!text_matches(run, pattern->regex, member->key, member->length))
            continue;
        *known = true;
        step->key = member->key;
        step->keyword = "patternProperties";
        step->name = pattern->name;
        valid = evaluate(run, pattern->node, member->value, step) && valid;
    }
    if (!*known && members->others.node) {
        *known = true;
        valid = check_member(run, &members->others, member, step) && valid;
    }
    return valid && !run->status;
}

static bool check_members(struct run *run, const struct frame *frame, const struct rule *rule)
{
    const struct members_rule *members = rule->u.members;
    struct subject *subject = frame->subject;
    if (!subject_read(run, subject) || !charge(run, subject->count))
        return false;
    struct step step = step_in_place(frame, NULL);
    bool valid = true;
    for (size_t i = 0; i < subject->count && (valid || run->all); i++) {
        const struct member *member = &subject->members[i];
        const struct property *property = members_property(members, member->name);
        bool known = property->node != NULL, fits = true;
        if (members->pattern_count)
            fits = check_patterned(run, members, property, member, &step, &known);
        else if (known)
            fits = check_member(run, property, member, &step);
        if (known && frame->marks)
            marks_set(frame->marks, i);
        valid = valid && fits;
    }
    return (valid || run->all) && check_required(run, frame, members) && valid;
}

/* ---- compiling the four of them ----------------------------------------------------------------- */

/* A keyword beside the one at hand, if the dialect knows it and it is well-formed. */
static json_t *sibling(const struct place *at, const char *name)
{
    const struct keyword *keyword = keyword_find(at->resource->dialect, name);
    json_t *value = keyword ? json_object_get(at->schema, name) : NULL;
    return value && keyword_shape_ok(keyword, value) ? value : NULL;
}

static int check_names(struct compiler *c, const struct place *at, const char *keyword,
                       const json_t *names)
{
    bool ok = json_is_array(names);
    for (size_t i = 0; i < json_array_size(names); i++)
        ok = ok && json_is_string(json_array_get(names, i));
    return ok ? 0
              : compiler_fail(c, ALK_SCHEMA_E_SCHEMA, at, keyword,
                              "must be an array of property names");
}

/* NULL when memory is out. */
static struct property *property_for(struct compiler *c, struct members_rule *members,
                                     const char *text)
{
    struct name name;
    if (!compiler_name(c, text, &name))
        return NULL;
    return members_add(members, &name);
}

static int add_properties(struct compiler *c, const struct place *at, struct members_rule *members,
                          json_t *properties)
{
    const char *name;
    json_t *schema;
    json_object_foreach(properties, name, schema)
    {
        struct node *node = compiler_sub(c, at, "properties", name, SIZE_MAX, schema);
        struct property *property = node ? property_for(c, members, name) : NULL;
        if (!property)
            return c->status;
        property->node = node;
        property->keyword = "properties";
        property->below = property->name.text;
    }
    return 0;
}

static int add_required(struct compiler *c, struct members_rule *members, const json_t *names)
{
    for (size_t i = 0; i < json_array_size(names); i++) {
        struct property *property =
            property_for(c, members, json_string_value(json_array_get(names, i)));
        if (!property)
            return c->status;
        members_require(members, property);
    }
    return 0;
}

static int add_patterns(struct compiler *c, const struct place *at, struct members_rule *members,
                        json_t *patterns)
{
    members->patterns =
        arena_array(&c->out->arena, json_object_size(patterns) + 1, sizeof *members->patterns);
    if (!members->patterns)
        return compiler_no_memory(c);
    const char *name;
    json_t *schema;
    json_object_foreach(patterns, name, schema)
    {
        struct pattern_node *pattern = &members->patterns[members->pattern_count];
        pattern->name = name;
        pattern->regex = compiler_regex(c, at, "patternProperties", name);
        pattern->node = compiler_sub(c, at, "patternProperties", name, SIZE_MAX, schema);
        if (!pattern->regex || !pattern->node)
            return c->status;
        members->pattern_count++;
    }
    return 0;
}

/* They may be among the required properties. */
static void add_others(struct compiler *c, const struct place *at, struct members_rule *members,
                       json_t *schema)
{
    static const char keyword[] = "additionalProperties";
    members->others.node = compiler_sub(c, at, keyword, NULL, SIZE_MAX, schema);
    members->others.keyword = keyword;
    for (uint32_t i = 0; i < members->property_count && !members->pattern_count; i++) {
        struct property *property = &members->properties[i];
        if (property->node)
            continue;
        property->node = members->others.node;
        property->keyword = keyword;
    }
}

const struct members_rule *keyword_members_of(const struct node *node)
{
    for (uint32_t i = 0; i < node->rule_count; i++)
        if (node->rules[i].check == CHECK_MEMBERS || node->rules[i].check == CHECK_REQUIRED)
            return node->rules[i].u.members;
    return NULL;
}

int keyword_members(struct compiler *c, struct node *node, const struct place *at,
                    const char *keyword, json_t *value)
{
    if (strcmp(keyword, "required") == 0 && check_names(c, at, keyword, value))
        return c->status;
    if (keyword_members_of(node))
        return 0; /* made for a sibling */

    json_t *properties = sibling(at, "properties"), *required = sibling(at, "required");
    json_t *patterns = sibling(at, "patternProperties");
    json_t *additional = sibling(at, "additionalProperties");
    if (required && check_names(c, at, "required", required))
        return c->status;
    size_t names = json_object_size(properties) + json_array_size(required);
    struct members_rule *members = arena_alloc(&c->out->arena, sizeof *members);
    if (!members || !members_reserve(members, &c->out->arena, names))
        return compiler_no_memory(c);
    struct rule *rule = compiler_rule(node, CHECK_MEMBERS, check_members, keyword, T_OBJECT);
    rule->u.members = members;

    if (add_properties(c, at, members, properties) || add_required(c, members, required) ||
        add_patterns(c, at, members, patterns))
        return c->status;
    if (additional)
        add_others(c, at, members, additional);
    members->only_named = !patterns && !additional;
    if (!properties && members->only_named)
        rule->check = CHECK_REQUIRED;
    return c->status;
}

/* ---- propertyNames ------------------------------------------------------------------------------ */

static bool check_property_names(struct run *run, const struct frame *frame,
                                 const struct rule *rule)
{
    struct subject *subject = frame->subject;
    if (!subject_read(run, subject) || !charge(run, subject->count))
        return false;
    struct step step = step_in_place(frame, rule->keyword);
    bool valid = true;
    for (size_t i = 0; i < subject->count && (valid || run->all); i++) {
        const struct member *member = &subject->members[i];
        json_t *name = json_stringn_nocheck(member->key, member->length);
        if (!name)
            return give_up(run, ALK_SCHEMA_E_NOMEM);
        step.key = member->key;
        valid = evaluate(run, rule->u.node, name, &step) && valid;
        json_decref(name);
    }
    return valid;
}

int keyword_property_names(struct compiler *c, struct node *node, const struct place *at,
                           const char *keyword, json_t *value)
{
    struct node *names = compiler_sub(c, at, keyword, NULL, SIZE_MAX, value);
    if (names)
        compiler_rule(node, CHECK_PROPERTY_NAMES, check_property_names, keyword, T_OBJECT)->u.node =
            names;
    return c->status;
}

/* ---- dependentRequired, dependentSchemas, dependencies ------------------------------------------- */

static bool check_dependency(struct run *run, const struct frame *frame, const struct rule *rule,
                             const struct dependency *dependency)
{
    bool valid = charge(run, dependency->required_count);
    for (size_t i = 0; i < dependency->required_count; i++) {
        const struct name *name = &dependency->required[i];
        if (!subject_member(run, frame->subject, name))
            valid = violated(run, frame, rule->keyword,
                             "the property \"%s\" is missing, which \"%s\" needs", name->text,
                             dependency->name.text);
    }
    if (dependency->node) {
        struct step step = step_in_place(frame, rule->keyword);
        step.name = dependency->name.text;
        valid =
            evaluate_in_place(run, dependency->node, frame->subject, &step, frame->marks) && valid;
    }
    return valid;
}

static bool check_dependencies(struct run *run, const struct frame *frame, const struct rule *rule)
{
    bool valid = charge(run, rule->u.dependencies.count);
    for (size_t i = 0; i < rule->u.dependencies.count && (valid || run->all); i++) {
        const struct dependency *dependency = &rule->u.dependencies.entries[i];
        if (subject_member(run, frame->subject, &dependency->name))
            valid = check_dependency(run, frame, rule, dependency) && valid;
    }
    return valid;
}

static int read_dependency(struct compiler *c, const struct place *at, const char *keyword,
                           struct dependency *dependency, json_t *value)
{
    if (strcmp(keyword, "dependentRequired") != 0 && !json_is_array(value)) {
        dependency->node = compiler_sub(c, at, keyword, dependency->name.text, SIZE_MAX, value);
        return c->status;
    }
    if (check_names(c, at, keyword, value))
        return c->status;
    size_t count = json_array_size(value);
    dependency->required = arena_array(&c->out->arena, count, sizeof *dependency->required);
    if (!dependency->required)
        return compiler_no_memory(c);
    for (; dependency->required_count < count; dependency->required_count++) {
        const char *text = json_string_value(json_array_get(value, dependency->required_count));
        if (!compiler_name(c, text, &dependency->required[dependency->required_count]))
            return c->status;
    }
    return 0;
}

int keyword_dependencies(struct compiler *c, struct node *node, const struct place *at,
                         const char *keyword, json_t *value)
{
    if (!json_is_object(value))
        return compiler_fail(c, ALK_SCHEMA_E_SCHEMA, at, keyword, "must be an object");
    struct dependency *entries =
        arena_array(&c->out->arena, json_object_size(value) + 1, sizeof *entries);
    if (!entries)
        return compiler_no_memory(c);
    size_t count = 0;
    const char *name;
    json_t *entry;
    json_object_foreach(value, name, entry)
    {
        if (!compiler_name(c, name, &entries[count].name) ||
            read_dependency(c, at, keyword, &entries[count++], entry))
            return c->status;
    }
    struct rule *rule =
        compiler_rule(node, CHECK_DEPENDENCIES, check_dependencies, keyword, T_OBJECT);
    rule->u.dependencies.entries = entries;
    rule->u.dependencies.count = count;
    return 0;
}
