/* Schemas that need not fit: anyOf, oneOf, if; and where "$dynamicRef" leads. */
#include "discriminate.h"
#include "judge.h"

#include <string.h>

/* The marks of a schema count only if the value fits. */
static bool judge_branch(struct run *run, const struct node *node, const json_t *value,
                         struct subject *subject, struct marks *marks, unsigned depth)
{
    struct marks old;
    if (!marks)
        return judge_in_place(run, node, value, subject, NULL, depth);
    if (!marks_keep(run, marks, &old))
        return false;
    bool valid = judge_in_place(run, node, value, subject, marks, depth);
    marks_settle(marks, &old, valid);
    return valid;
}

/* The schemas of a list, as far as up to `enough` that fit if nothing else is asked. */
static size_t count_fitting(struct run *run, const struct rule *rule, const json_t *value,
                            struct subject *subject, struct marks *marks, unsigned depth,
                            size_t enough)
{
    const struct choice *choice = rule->u.list.choice;
    uint64_t fitting = choice->fitting[json_typeof(value)];
    size_t count = 0;
    if (choice->discriminator && subject)
        fitting &= discriminator_candidates(
            choice->discriminator, subject_member(run, subject, &choice->discriminator->name));
    /* when there is but one, all fails with it, and its marks may stay */
    if (fitting && (fitting & (fitting - 1)) == 0)
        return judge_in_place(run, rule->u.list.nodes[__builtin_ctzll(fitting)], value, subject,
                              marks, depth);
    for (; fitting && (marks || count < enough); fitting &= fitting - 1)
        count += judge_branch(run, rule->u.list.nodes[__builtin_ctzll(fitting)], value, subject,
                              marks, depth);
    return count;
}

static size_t count_many(struct run *run, const struct rule *rule, const json_t *value,
                         struct subject *subject, struct marks *marks, unsigned depth,
                         size_t enough)
{
    size_t count = 0;
    for (size_t i = 0; i < rule->u.list.count && (marks || count < enough); i++)
        count += judge_branch(run, rule->u.list.nodes[i], value, subject, marks, depth);
    return count;
}

bool judge_choice(struct run *run, const struct rule *rule, const json_t *value,
                  struct subject *subject, struct marks *marks, unsigned depth)
{
    bool one = rule->check == CHECK_ONE_OF;
    if (!charge(run, rule->u.list.count))
        return false;
    size_t count = (rule->u.list.choice ? count_fitting : count_many)(run, rule, value, subject,
                                                                      marks, depth, one ? 2 : 1);
    return one ? count == 1 : count > 0;
}

bool judge_condition(struct run *run, const struct rule *rule, const json_t *value,
                     struct subject *subject, struct marks *marks, unsigned depth)
{
    bool yes = judge_branch(run, rule->u.condition.test, value, subject, marks, depth);
    const struct node *next = yes ? rule->u.condition.yes : rule->u.condition.no;
    return !next || judge_in_place(run, next, value, subject, marks, depth);
}

/* The outermost resource on the way here that has the anchor decides. */
const struct node *judge_dynamic_target(const struct run *run, const struct rule *rule)
{
    const struct node *found = rule->u.dynamic.node;
    for (const struct scope *scope = run->scope; scope; scope = scope->outer) {
        const struct dynamic_anchor *anchor = scope->resource->dynamic_anchors;
        for (; anchor; anchor = anchor->next)
            if (strcmp(anchor->name, rule->u.dynamic.name) == 0)
                found = anchor->node;
    }
    return found;
}
