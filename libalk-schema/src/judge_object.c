#include "assertion.h"
#include "discriminate.h"
#include "judge.h"

/* ---- properties, patternProperties, additionalProperties, required ----------------------------- */

static const json_t *find_member(struct run *run, const json_t *object, struct subject *subject,
                                 const struct name *name)
{
    return subject ? subject_member(run, subject, name)
                   : json_object_getn(object, name->text, name->length);
}

bool judge_required(struct run *run, const struct members_rule *members, const json_t *object,
                    struct subject *subject)
{
    if (json_object_size(object) < members->required_count || !charge(run, members->property_count))
        return false;
    for (uint32_t i = 0; i < members->property_count; i++) {
        const struct property *property = &members->properties[i];
        if (property->required && !find_member(run, object, subject, &property->name))
            return false;
    }
    return true;
}

/* Several schemas may apply to a member, and `others` only if none of them does. `*known` says
 * whether any did. */
__attribute__((noinline)) static bool judge_patterned(struct run *run,
                                                      const struct members_rule *members,
                                                      const struct property *property,
                                                      const struct member *member, bool *known,
                                                      unsigned depth)
{
    *known = property->node && property != &members->others;
    if (*known && !judge(run, property->node, member->value, depth))
        return false;
    for (uint32_t i = 0; i < members->pattern_count; i++) {
        const struct pattern_node *pattern = &members->patterns[i];
        if (!text_matches(run, pattern->regex, member->key, member->length))
            continue;
        *known = true;
        if (!judge(run, pattern->node, member->value, depth))
            return false;
    }
    if (!*known && members->others.node) {
        *known = true;
        return judge(run, members->others.node, member->value, depth);
    }
    return !run->status;
}

/* One member. `*known` says whether a schema applies to it. */
static inline bool judge_member(struct run *run, const struct members_rule *members,
                                const struct property *property, const struct member *member,
                                bool *known, unsigned depth)
{
    if (members->pattern_count)
        return judge_patterned(run, members, property, member, known, depth);
    *known = property->node != NULL;
    return !*known || judge(run, property->node, member->value, depth);
}

/* By whatever is ahead of `at`, or by its hash. */
__attribute__((noinline)) static const struct property *
search_property(const struct run *run, const struct members_rule *members,
                const struct property *at, const char *key, size_t length)
{
    uint64_t head = keytable_head(key, length);
    const struct property *end = members->properties + members->property_count;
    const struct property *last = end - at > NAME_TRIES ? at + NAME_TRIES : end;
    for (; at < last; at++)
        if (name_is(&at->name, key, length, head))
            return at;
    uint32_t name = keytable_find_headed(&run->schema->name_table, key, length, head);
    return name == NAME_UNKNOWN ? &members->others : members_property(members, name);
}

/* `*likely` is the property that may come next. */
static inline const struct property *find_property(const struct run *run,
                                                   const struct members_rule *members,
                                                   const char *key, size_t length,
                                                   const struct property **likely)
{
    const struct property *at = *likely, *end = members->properties + members->property_count;
    if (at == end || !name_is(&at->name, key, length, keytable_head(key, length)))
        at = search_property(run, members, at, key, length);
    if (at != &members->others)
        *likely = at + 1;
    return at;
}

/* An object that no other schema looks at, by a schema without patterns. */
static bool judge_alone(struct run *run, const struct members_rule *members, const json_t *value,
                        unsigned depth)
{
    json_t *object = (json_t *)(uintptr_t)value; /* iterators want it writable */
    const struct property *likely = members->properties;
    uint32_t required = 0;
    for (void *at = json_object_iter(object); at; at = json_object_iter_next(object, at)) {
        const struct property *property = &members->others;
        if (members->property_count) {
            size_t length = json_object_iter_key_len(at);
            if (length >= CHARGED_BYTES && !charge(run, length / CHARGED_BYTES))
                return false;
            property = find_property(run, members, json_object_iter_key(at), length, &likely);
        }
        required += property->required;
        if (property->node && !judge(run, property->node, json_object_iter_value(at), depth))
            return false;
    }
    return required == members->required_count;
}

/* An object that several schemas look at. */
static bool judge_shared(struct run *run, const struct members_rule *members,
                         struct subject *subject, struct marks *marks, unsigned depth)
{
    uint32_t required = 0;
    if (!subject_read(run, subject) || members->required_bits & ~subject->present)
        return false;
    for (size_t i = 0; i < subject->count; i++) {
        const struct member *member = &subject->members[i];
        const struct property *property = members_property(members, member->name);
        bool known;
        required += property->required;
        if (!judge_member(run, members, property, member, &known, depth))
            return false;
        if (known && marks)
            marks_set(marks, i);
    }
    return required == members->required_count;
}

/* The schema only knows a few members: look those up. */
__attribute__((noinline)) static bool judge_few(struct run *run, const struct members_rule *members,
                                                const json_t *object, struct subject *subject,
                                                unsigned depth)
{
    for (uint32_t i = 0; i < members->property_count; i++) {
        const struct property *property = &members->properties[i];
        const json_t *member = find_member(run, object, subject, &property->name);
        if (member ? property->node && !judge(run, property->node, member, depth)
                   : property->required)
            return false;
    }
    return true;
}

/* A search costs less among members that have been read. */
static bool few_are_known(const struct members_rule *members, size_t count, bool shared)
{
    return members->only_named && count / (shared ? 2 : 4) >= members->property_count;
}

/* Whether there are too few members, or more than are allowed. */
static bool size_is_wrong(const struct members_rule *members, size_t count)
{
    const struct node *others = members->others.node;
    return count < members->required_count || (count > members->property_count && others &&
                                               others->refuses == T_ANY && !members->pattern_count);
}

__attribute__((noinline)) static bool judge_read(struct run *run,
                                                 const struct members_rule *members,
                                                 const json_t *object, unsigned depth)
{
    struct subject subject = subject_of(object);
    bool valid = judge_shared(run, members, &subject, NULL, depth);
    subject_drop(run, &subject);
    return valid;
}

bool judge_members(struct run *run, const struct members_rule *members, const json_t *object,
                   size_t count, struct subject *subject, struct marks *marks, unsigned depth)
{
    if (size_is_wrong(members, count) || !judge_enter(run, depth, 1 + count))
        return false;
    if (!marks && few_are_known(members, count, subject))
        return judge_few(run, members, object, subject, depth - 1);
    if (subject)
        return judge_shared(run, members, subject, marks, depth - 1);
    return members->pattern_count ? judge_read(run, members, object, depth - 1)
                                  : judge_alone(run, members, object, depth - 1);
}

/* NULL when the choice is not down to one schema, or that says more than a table of members can. */
static const struct members_rule *merged_for(struct run *run, const struct merged *merged,
                                             const json_t *object, struct subject *subject)
{
    if (merged->members)
        return merged->members;
    const struct discriminator *discriminator = merged->discriminator;
    const json_t *value = find_member(run, object, subject, &discriminator->name);
    uint64_t fitting = discriminator_candidates(discriminator, value) & merged->fitting;
    bool single = fitting && (fitting & (fitting - 1)) == 0;
    return single ? merged->chosen[__builtin_ctzll(fitting)] : NULL;
}

/* Its members are read once, for all that look at them. */
__attribute__((noinline)) static bool judge_sharing(struct run *run, const struct row *row,
                                                    const json_t *object, struct marks *marks,
                                                    unsigned depth)
{
    struct subject subject = subject_of(object);
    bool valid = judge_object(run, row, object, &subject, marks, depth);
    subject_drop(run, &subject);
    return valid;
}

bool judge_object(struct run *run, const struct row *row, const json_t *object,
                  struct subject *subject, struct marks *marks, unsigned depth)
{
    size_t count = subject ? subject->count : json_object_size(object);
    if (count < row->range.size.min || count > row->range.size.max)
        return false;
    const struct members_rule *merged =
        row->merged && !marks ? merged_for(run, row->merged, object, subject) : NULL;
    if (merged)
        return judge_members(run, merged, object, count, subject, NULL, depth);
    if (row->shared && !subject)
        return judge_sharing(run, row, object, marks, depth);
    if (row->members && !judge_members(run, row->members, object, count, subject, marks, depth))
        return false;
    return !row->ops || judge_ops(run, row->ops, object, subject, marks, depth);
}

/* ---- propertyNames ------------------------------------------------------------------------------- */

/* As a JSON string, for what is more than a question about a text. */
static bool judge_whole_name(struct run *run, const struct op *ops, const char *key, size_t length,
                             unsigned depth)
{
    json_t *name = json_stringn_nocheck(key, length);
    bool valid =
        name ? judge_ops(run, ops, name, NULL, NULL, depth) : give_up(run, ALK_SCHEMA_E_NOMEM);
    json_decref(name);
    return valid;
}

bool judge_names(struct run *run, const struct node *node, const json_t *value, unsigned depth)
{
    json_t *object = (json_t *)(uintptr_t)value; /* iterators want it writable */
    const struct row *row = node->leads_to->rows[JSON_STRING];
    if (node->accepts & T_STRING)
        return true;
    if (node->refuses & T_STRING)
        return json_object_size(value) == 0;
    if (!judge_enter(run, depth, 1 + json_object_size(value)))
        return false;
    for (void *at = json_object_iter(object); at; at = json_object_iter_next(object, at)) {
        const char *key = json_object_iter_key(at);
        size_t length = json_object_iter_key_len(at);
        if (!judge_text(run, row, key, length) ||
            (row->ops && !judge_whole_name(run, row->ops, key, length, depth - 1)))
            return false;
    }
    return true;
}

/* ---- dependentRequired, dependentSchemas, dependencies -------------------------------------------- */

static bool judge_dependency(struct run *run, const struct dependency *dependency,
                             struct subject *object, struct marks *marks, unsigned depth)
{
    if (!charge(run, dependency->required_count))
        return false;
    for (size_t i = 0; i < dependency->required_count; i++)
        if (!subject_member(run, object, &dependency->required[i]))
            return false;
    return !dependency->node ||
           judge_in_place(run, dependency->node, object->value, object, marks, depth);
}

bool judge_dependencies(struct run *run, const struct rule *rule, struct subject *object,
                        struct marks *marks, unsigned depth)
{
    if (!charge(run, rule->u.dependencies.count))
        return false;
    for (size_t i = 0; i < rule->u.dependencies.count; i++) {
        const struct dependency *dependency = &rule->u.dependencies.entries[i];
        if (subject_member(run, object, &dependency->name) &&
            !judge_dependency(run, dependency, object, marks, depth))
            return false;
    }
    return !run->status;
}

/* ---- unevaluatedProperties ------------------------------------------------------------------------- */

bool judge_unevaluated_members(struct run *run, const struct node *node, struct subject *object,
                               struct marks *marks, unsigned depth)
{
    if (marks_complete(marks))
        return true;
    if (!subject_read(run, object) || !judge_enter(run, depth, 1 + object->count))
        return false;
    for (size_t i = 0; i < object->count; i++)
        if (!marks_has(marks, i) && !judge(run, node, object->members[i].value, depth - 1))
            return false;
    marks_all(marks);
    return true;
}
