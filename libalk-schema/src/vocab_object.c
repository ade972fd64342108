/* What is asserted of objects. */
#include "compiler.h"
#include "run.h"
#include "value.h"

#include <string.h>

/* ---- properties, patternProperties, additionalProperties, required ------------------------ */

/* Say which required properties are missing. */
static bool check_required(struct run *run, const struct frame *frame,
                           const struct members_rule *members, const json_t *instance)
{
    bool valid = true;
    for (uint32_t i = 0; i < members->required_count && (valid || run->all); i++)
        if (!value_member(instance, members->required[i].name, members->required[i].length))
            valid = violated(run, frame, "required", "the property \"%s\" is missing",
                             members->required[i].name);
    return valid;
}

/* The patterns that a member's name matches; `*known` becomes true when one does. */
static bool check_patterns(struct run *run, const struct members_rule *members, struct step *step,
                           size_t length, const json_t *value, bool *known)
{
    bool valid = true;
    for (uint32_t i = 0; i < members->pattern_count && (valid || run->all); i++) {
        const struct pattern_node *pattern = &members->patterns[i];
        int found = regex_match(pattern->regex, step->key, length, &run->scratch);
        if (found < 0)
            return give_up(run, found);
        if (!found)
            continue;
        *known = true;
        step->keyword = "patternProperties";
        step->name = pattern->name;
        valid = evaluate(run, pattern->node, value, step, NULL) && valid;
    }
    return valid;
}

enum { PROPERTIES_TRIED = 4 };

static size_t key_length(void *iterator)
{
#if JANSSON_VERSION_HEX >= 0x020e00
    return json_object_iter_key_len(iterator);
#else
    return strlen(json_object_iter_key(iterator)); /* NUL is refused in names */
#endif
}

/* Documents mostly have their members in the schema's order, and leave some out: look at those
 * that come next first. */
static uint32_t find_property(const struct members_rule *members, const char *key, size_t length,
                              uint32_t *next)
{
    uint64_t head = keytable_head(key, length);
    uint32_t index = *next, end = members->property_count;
    if (end - index > PROPERTIES_TRIED)
        end = index + PROPERTIES_TRIED;
    for (; index < end; index++) {
        const struct property *likely = &members->properties[index];
        if (likely->head == head && likely->length == length &&
            (length <= 8 || memcmp(likely->name, key, length) == 0))
            break;
    }
    if (index == end)
        index = keytable_find(&members->table, key, length);
    if (index != KEYTABLE_NONE)
        *next = index + 1;
    return index;
}

/* Where a pass over the members of an object is. */
struct pass {
    uint32_t next;     /* the property that is likely to come */
    uint32_t required; /* how many of the required ones were there */
    bool known;        /* some schema applied to the last member */
};

/* The member at an iterator, named in step->key. */
static bool check_member(struct run *run, const struct members_rule *members, struct step *step,
                         void *at, struct pass *pass)
{
    size_t length = key_length(at);
    uint32_t index = find_property(members, step->key, length, &pass->next);
    bool valid = true;
    pass->known = false;
    if (index != KEYTABLE_NONE) {
        const struct property *property = &members->properties[index];
        pass->required += property->required != KEYTABLE_NONE;
        if (property->node) {
            pass->known = true;
            step->keyword = "properties";
            step->name = property->name;
            valid = evaluate(run, property->node, json_object_iter_value(at), step, NULL);
        }
    }
    if (members->pattern_count && (valid || run->all))
        valid =
            check_patterns(run, members, step, length, json_object_iter_value(at), &pass->known) &&
            valid;
    if (!pass->known && members->additional) {
        pass->known = true;
        step->keyword = "additionalProperties";
        step->name = NULL;
        valid = evaluate(run, members->additional, json_object_iter_value(at), step, NULL) && valid;
    }
    return valid;
}

/* A large object of which the schema only knows a few members: look those up. */
static bool check_few(struct run *run, const struct frame *frame, const struct rule *rule,
                      const json_t *instance)
{
    const struct members_rule *members = rule->u.members;
    struct step step = step_in_place(frame, "properties");
    bool valid = check_required(run, frame, members, instance);
    for (uint32_t i = 0; i < members->property_count && (valid || run->all); i++) {
        const struct property *property = &members->properties[i];
        const json_t *value =
            property->node ? value_member(instance, property->name, property->length) : NULL;
        if (!value)
            continue;
        step.name = step.key = property->name;
        valid = evaluate(run, property->node, value, &step, NULL) && valid;
    }
    return valid;
}

static bool check_members(struct run *run, const struct frame *frame, const struct rule *rule,
                          const json_t *instance, struct marks *marks)
{
    const struct members_rule *members = rule->u.members;
    size_t size = json_object_size(instance);
    if (members->only_required && size >= 2 * (size_t)members->required_count)
        return check_required(run, frame, members, instance);
    if (!marks && !members->additional && !members->pattern_count &&
        size / 4 > members->property_count)
        return check_few(run, frame, rule, instance);

    json_t *object = (json_t *)(uintptr_t)instance; /* iterators want it writable */
    struct step step = step_in_place(frame, NULL);
    struct pass pass = {0};
    bool valid = true;
    size_t index = 0;
    void *at = json_object_iter(object);
    for (; at && (valid || run->all); at = json_object_iter_next(object, at), index++) {
        step.key = json_object_iter_key(at);
        if (!check_member(run, members, &step, at, &pass))
            valid = false;
        if (marks && pass.known)
            marks_set(marks, index);
    }
    if (pass.required != members->required_count && (valid || run->all))
        valid = check_required(run, frame, members, instance) && valid;
    return valid;
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

static struct property *property_for(struct members_rule *members, const char *name)
{
    uint32_t next = members->property_count;
    size_t length = strlen(name);
    uint32_t index = keytable_add(&members->table, name, length, next);
    if (index == next)
        members->properties[members->property_count++] =
            (struct property){name, length, keytable_head(name, length), NULL, KEYTABLE_NONE};
    return &members->properties[index];
}

static int add_properties(struct compiler *c, const struct place *at, struct members_rule *members,
                          json_t *properties)
{
    const char *name;
    json_t *schema;
    json_object_foreach(properties, name, schema)
    {
        struct node *node = compiler_sub(c, at, "properties", name, SIZE_MAX, schema);
        if (!node)
            return c->status;
        property_for(members, name)->node = node;
    }
    return 0;
}

static int add_required(struct compiler *c, struct members_rule *members, const json_t *names)
{
    members->required =
        arena_array(&c->out->arena, json_array_size(names) + 1, sizeof *members->required);
    if (!members->required)
        return compiler_no_memory(c);
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));
        struct property *property = property_for(members, name);
        if (property->required != KEYTABLE_NONE)
            continue;
        property->required = members->required_count;
        members->required[members->required_count++] =
            (struct required_name){name, property->length};
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

int keyword_members(struct compiler *c, struct node *node, const struct place *at,
                    const char *keyword, json_t *value)
{
    if (strcmp(keyword, "required") == 0 && check_names(c, at, keyword, value))
        return c->status;
    for (uint32_t i = 0; i < node->rule_count; i++)
        if (node->rules[i].check == check_members)
            return 0; /* made for a sibling */

    json_t *properties = sibling(at, "properties"), *required = sibling(at, "required");
    json_t *patterns = sibling(at, "patternProperties");
    json_t *additional = sibling(at, "additionalProperties");
    if (required && check_names(c, at, "required", required))
        return c->status;
    size_t names = json_object_size(properties) + json_array_size(required);
    struct members_rule *members = arena_alloc(&c->out->arena, sizeof *members);
    if (!members || !keytable_init(&members->table, &c->out->arena, names))
        return compiler_no_memory(c);
    members->properties = arena_array(&c->out->arena, names + 1, sizeof *members->properties);
    if (!members->properties)
        return compiler_no_memory(c);
    compiler_rule(node, check_members, keyword, T_OBJECT, RANK_MEMBERS)->u.members = members;

    if (add_properties(c, at, members, properties) || add_required(c, members, required) ||
        add_patterns(c, at, members, patterns))
        return c->status;
    if (additional)
        members->additional =
            compiler_sub(c, at, "additionalProperties", NULL, SIZE_MAX, additional);
    members->only_required = !properties && !patterns && !additional;
    return c->status;
}

const struct members_rule *keyword_members_of(const struct node *node)
{
    for (uint32_t i = 0; i < node->assertion_count; i++)
        if (node->rules[i].check == check_members)
            return node->rules[i].u.members;
    return NULL;
}

/* ---- propertyNames ------------------------------------------------------------------------------ */

static bool check_property_names(struct run *run, const struct frame *frame,
                                 const struct rule *rule, const json_t *instance,
                                 struct marks *marks)
{
    (void)marks;
    bool valid = true;
    struct step step = step_in_place(frame, rule->keyword);
    const char *key;
    json_t *unused;
    json_object_foreach((json_t *)(uintptr_t)instance, key, unused)
    {
        json_t *name = json_string_nocheck(key);
        if (!name)
            return give_up(run, ALK_SCHEMA_E_NOMEM);
        step.key = key;
        valid = evaluate(run, rule->u.node, name, &step, NULL) && valid;
        json_decref(name);
        if (!valid && !run->all)
            break;
    }
    return valid;
}

int keyword_property_names(struct compiler *c, struct node *node, const struct place *at,
                           const char *keyword, json_t *value)
{
    struct node *names = compiler_sub(c, at, keyword, NULL, SIZE_MAX, value);
    if (names)
        compiler_rule(node, check_property_names, keyword, T_OBJECT, RANK_APPLY)->u.node = names;
    return c->status;
}

/* ---- dependentRequired, dependentSchemas, dependencies ------------------------------------------- */

static bool check_dependency(struct run *run, const struct frame *frame, const struct rule *rule,
                             const struct dependency *dependency, const json_t *instance,
                             struct marks *marks)
{
    bool valid = true;
    for (const char **name = dependency->required; name && *name; name++)
        if (!json_object_get(instance, *name))
            valid = violated(run, frame, rule->keyword,
                             "the property \"%s\" is missing, which \"%s\" needs", *name,
                             dependency->name);
    if (dependency->node) {
        struct step step = step_in_place(frame, rule->keyword);
        step.name = dependency->name;
        valid = evaluate(run, dependency->node, instance, &step, marks) && valid;
    }
    return valid;
}

static bool check_dependencies(struct run *run, const struct frame *frame, const struct rule *rule,
                               const json_t *instance, struct marks *marks)
{
    bool valid = true;
    for (size_t i = 0; i < rule->u.dependencies.count && (valid || run->all); i++) {
        const struct dependency *dependency = &rule->u.dependencies.entries[i];
        if (json_object_get(instance, dependency->name))
            valid = check_dependency(run, frame, rule, dependency, instance, marks) && valid;
    }
    return valid;
}

static int read_dependency(struct compiler *c, const struct place *at, const char *keyword,
                           struct dependency *dependency, json_t *value)
{
    if (strcmp(keyword, "dependentRequired") != 0 && !json_is_array(value)) {
        dependency->node = compiler_sub(c, at, keyword, dependency->name, SIZE_MAX, value);
        return c->status;
    }
    if (check_names(c, at, keyword, value))
        return c->status;
    size_t count = json_array_size(value);
    dependency->required = arena_array(&c->out->arena, count + 1, sizeof(const char *));
    if (!dependency->required)
        return compiler_no_memory(c);
    for (size_t i = 0; i < count; i++)
        dependency->required[i] = json_string_value(json_array_get(value, i));
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
        entries[count].name = name;
        if (read_dependency(c, at, keyword, &entries[count++], entry))
            return c->status;
    }
    struct rule *rule = compiler_rule(node, check_dependencies, keyword, T_OBJECT, RANK_APPLY);
    rule->u.dependencies.entries = entries;
    rule->u.dependencies.count = count;
    return 0;
}
