/* unevaluatedProperties and unevaluatedItems: what no other keyword has looked at. */
#include "compiler.h"
#include "run.h"

static bool check_members(struct run *run, const struct frame *frame, const struct rule *rule,
                          const json_t *instance, struct marks *marks)
{
    if (marks_complete(marks))
        return true;
    struct step step = step_in_place(frame, rule->keyword);
    json_t *object = (json_t *)(uintptr_t)instance; /* iterators want it writable */
    size_t index = 0;
    bool valid = true;
    void *at = json_object_iter(object);
    for (; at && (valid || run->all); at = json_object_iter_next(object, at), index++) {
        if (marks_has(marks, index))
            continue;
        step.key = json_object_iter_key(at);
        valid = evaluate(run, rule->u.node, json_object_iter_value(at), &step, NULL) && valid;
    }
    marks_all(marks);
    return valid;
}

static bool check_items(struct run *run, const struct frame *frame, const struct rule *rule,
                        const json_t *instance, struct marks *marks)
{
    if (marks_complete(marks))
        return true;
    struct step step = step_in_place(frame, rule->keyword);
    bool valid = true;
    for (size_t i = 0; i < json_array_size(instance) && (valid || run->all); i++) {
        if (marks_has(marks, i))
            continue;
        step.item = i;
        valid = evaluate(run, rule->u.node, json_array_get(instance, i), &step, NULL) && valid;
    }
    marks_all(marks);
    return valid;
}

static int unevaluated(struct compiler *c, struct node *node, const struct place *at,
                       const char *keyword, json_t *value, rule_fn *check, unsigned applies)
{
    struct node *rest = compiler_sub(c, at, keyword, NULL, SIZE_MAX, value);
    if (!rest)
        return c->status;
    compiler_rule(node, check, keyword, applies, RANK_UNEVALUATED)->u.node = rest;
    node->marks_members = true;
    return 0;
}

int keyword_unevaluated_properties(struct compiler *c, struct node *node, const struct place *at,
                                   const char *keyword, json_t *value)
{
    return unevaluated(c, node, at, keyword, value, check_members, T_OBJECT);
}

int keyword_unevaluated_items(struct compiler *c, struct node *node, const struct place *at,
                              const char *keyword, json_t *value)
{
    return unevaluated(c, node, at, keyword, value, check_items, T_ARRAY);
}
