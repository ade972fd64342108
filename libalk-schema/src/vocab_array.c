/* What is asserted of arrays, and of the size of arrays and objects. */
#include "assertion.h"
#include "compiler.h"
#include "report.h"

#include <string.h>

/* ---- prefixItems and items; in draft 7 items and additionalItems --------------------------- */

static bool check_items(struct run *run, const struct frame *frame, const struct rule *rule)
{
    const json_t *instance = frame->subject->value;
    const struct items_rule *items = &rule->u.items;
    struct step step = step_in_place(frame, items->prefix_keyword);
    struct marks *marks = frame->marks;
    size_t count = frame->subject->count, i = 0;
    bool valid = true;
    if (!charge(run, count))
        return false;
    for (; i < count && i < items->prefix_count && (valid || run->all); i++) {
        step.index = step.item = i;
        valid = evaluate(run, items->prefix[i], json_array_get(instance, i), &step) && valid;
        if (marks)
            marks_set(marks, i);
    }
    if (!items->rest)
        return valid;
    step.keyword = items->rest_keyword;
    step.index = NO_INDEX;
    if (marks)
        marks_all(marks);
    for (; i < count && (valid || run->all); i++) {
        step.item = i;
        valid = evaluate(run, items->rest, json_array_get(instance, i), &step) && valid;
    }
    return valid;
}

static int compile_prefix(struct compiler *c, const struct place *at, struct items_rule *items,
                          const json_t *schemas)
{
    size_t count = json_array_size(schemas);
    items->prefix = arena_array(&c->out->arena, count + 1, sizeof *items->prefix);
    if (!items->prefix)
        return compiler_no_memory(c);
    items->prefix_count = count;
    for (size_t i = 0; i < count && !c->status; i++)
        items->prefix[i] =
            compiler_sub(c, at, items->prefix_keyword, NULL, i, json_array_get(schemas, i));
    return c->status;
}

int keyword_items(struct compiler *c, struct node *node, const struct place *at,
                  const char *keyword, json_t *value)
{
    bool old = at->resource->dialect->draft == 7;
    if (!old && strcmp(keyword, "items") == 0 && json_is_array(value))
        return compiler_fail(c, ALK_SCHEMA_E_SCHEMA, at, keyword,
                             "must be a schema; an array of schemas is called prefixItems");
    for (uint32_t i = 0; i < node->rule_count; i++)
        if (node->rules[i].check == CHECK_ITEMS)
            return 0; /* made for the sibling */

    json_t *prefix = json_object_get(at->schema, old ? "items" : "prefixItems");
    json_t *rest = json_object_get(at->schema, "items");
    struct rule *rule = compiler_rule(node, CHECK_ITEMS, check_items, keyword, T_ARRAY);
    struct items_rule *items = &rule->u.items;
    items->prefix_keyword = old ? "items" : "prefixItems";
    items->rest_keyword = "items";
    if (old && json_is_array(prefix)) {
        rest = json_object_get(at->schema, "additionalItems");
        items->rest_keyword = "additionalItems";
    }
    if (json_is_array(prefix) && compile_prefix(c, at, items, prefix))
        return c->status;
    if (rest)
        items->rest = compiler_sub(c, at, items->rest_keyword, NULL, SIZE_MAX, rest);
    return c->status;
}

/* ---- contains, minContains, maxContains -------------------------------------------------------- */

static bool check_contains(struct run *run, const struct frame *frame, const struct rule *rule)
{
    const json_t *instance = frame->subject->value;
    struct step step = step_in_place(frame, rule->keyword);
    size_t found = 0, min = rule->u.contains.min, max = rule->u.contains.max;
    bool mark = frame->marks && rule->u.contains.evaluates;
    if (!charge(run, frame->subject->count))
        return false;
    size_t unit = applicator_begin(run, frame, rule->keyword);
    for (size_t i = 0; i < frame->subject->count; i++) {
        step.item = i;
        if (!evaluate(run, rule->u.contains.node, json_array_get(instance, i), &step))
            continue;
        found++;
        if (mark)
            marks_set(frame->marks, i);
    }
    applicator_end(run, unit, min == 0 || found > 0, "no item fits");
    if (found == 0 && min > 0)
        return false;
    if (found < min)
        return violated(run, frame, "minContains", "at least %zu items must fit \"contains\"", min);
    if (found > max)
        return violated(run, frame, "maxContains", "at most %zu items may fit \"contains\"", max);
    return true;
}

int keyword_contains(struct compiler *c, struct node *node, const struct place *at,
                     const char *keyword, json_t *value)
{
    const struct dialect *dialect = at->resource->dialect;
    struct node *item = compiler_sub(c, at, keyword, NULL, SIZE_MAX, value);
    if (!item)
        return c->status;
    struct rule *rule = compiler_rule(node, CHECK_CONTAINS, check_contains, keyword, T_ARRAY);
    rule->u.contains.node = item;
    rule->u.contains.min = 1;
    rule->u.contains.max = SIZE_MAX;
    rule->u.contains.evaluates = dialect->draft != 7;
    const json_t *min = json_object_get(at->schema, "minContains");
    const json_t *max = json_object_get(at->schema, "maxContains");
    if (min && keyword_find(dialect, "minContains"))
        compiler_count(c, at, "minContains", min, &rule->u.contains.min);
    if (max && keyword_find(dialect, "maxContains"))
        compiler_count(c, at, "maxContains", max, &rule->u.contains.max);
    return c->status;
}

/* ---- sizes ----------------------------------------------------------------------------------------- */

static const char *unit_name(const struct subject *subject)
{
    return subject->type == T_ARRAY ? "items" : "properties";
}

static bool check_min_size(struct run *run, const struct frame *frame, const struct rule *rule)
{
    return frame->subject->count >= rule->u.count ||
           violated(run, frame, rule->keyword, "must have at least %zu %s", rule->u.count,
                    unit_name(frame->subject));
}

static bool check_max_size(struct run *run, const struct frame *frame, const struct rule *rule)
{
    return frame->subject->count <= rule->u.count ||
           violated(run, frame, rule->keyword, "must have at most %zu %s", rule->u.count,
                    unit_name(frame->subject));
}

int keyword_size(struct compiler *c, struct node *node, const struct place *at, const char *keyword,
                 json_t *value)
{
    size_t count;
    if (compiler_count(c, at, keyword, value, &count))
        return c->status;
    unsigned applies = keyword[3] == 'I' ? T_ARRAY : T_OBJECT;
    bool min = keyword[1] == 'i';
    compiler_rule(node, min ? CHECK_MIN_SIZE : CHECK_MAX_SIZE,
                  min ? check_min_size : check_max_size, keyword, applies)
        ->u.count = count;
    return 0;
}

static bool check_unique(struct run *run, const struct frame *frame, const struct rule *rule)
{
    return items_are_unique(run, frame->subject->value) ||
           violated(run, frame, rule->keyword, "no two items may be equal");
}

int keyword_unique_items(struct compiler *c, struct node *node, const struct place *at,
                         const char *keyword, json_t *value)
{
    if (!json_is_boolean(value))
        return compiler_fail(c, ALK_SCHEMA_E_SCHEMA, at, keyword, "must be true or false");
    if (json_is_true(value))
        compiler_rule(node, CHECK_UNIQUE, check_unique, keyword, T_ARRAY);
    return 0;
}
