/* unevaluatedProperties and unevaluatedItems: what no other keyword has looked at. */
#include "compiler.h"
#include "report.h"

static bool check_members(struct run *run, const struct frame *frame, const struct rule *rule)
{
    struct subject *subject = frame->subject;
    if (marks_complete(frame->marks))
        return true;
    if (!subject_read(run, subject) || !charge(run, subject->count))
        return false;
    struct step step = step_in_place(frame, rule->keyword);
    bool valid = true;
    for (size_t i = 0; i < subject->count && (valid || run->all); i++) {
        if (marks_has(frame->marks, i))
            continue;
        step.key = subject->members[i].key;
        valid = evaluate(run, rule->u.node, subject->members[i].value, &step) && valid;
    }
    marks_all(frame->marks);
    return valid;
}

static bool check_items(struct run *run, const struct frame *frame, const struct rule *rule)
{
    const json_t *instance = frame->subject->value;
    if (marks_complete(frame->marks))
        return true;
    if (!charge(run, frame->subject->count))
        return false;
    struct step step = step_in_place(frame, rule->keyword);
    bool valid = true;
    for (size_t i = 0; i < frame->subject->count && (valid || run->all); i++) {
        if (marks_has(frame->marks, i))
            continue;
        step.item = i;
        valid = evaluate(run, rule->u.node, json_array_get(instance, i), &step) && valid;
    }
    marks_all(frame->marks);
    return valid;
}

static int unevaluated(struct compiler *c, struct node *node, const struct place *at,
                       const char *keyword, json_t *value, enum check check, rule_fn *report,
                       unsigned applies)
{
    struct node *rest = compiler_sub(c, at, keyword, NULL, SIZE_MAX, value);
    if (!rest)
        return c->status;
    compiler_rule(node, check, report, keyword, applies)->u.node = rest;
    node->marks_members = true;
    return 0;
}

int keyword_unevaluated_properties(struct compiler *c, struct node *node, const struct place *at,
                                   const char *keyword, json_t *value)
{
    return unevaluated(c, node, at, keyword, value, CHECK_UNEVALUATED_MEMBERS, check_members,
                       T_OBJECT);
}

int keyword_unevaluated_items(struct compiler *c, struct node *node, const struct place *at,
                              const char *keyword, json_t *value)
{
    return unevaluated(c, node, at, keyword, value, CHECK_UNEVALUATED_ITEMS, check_items, T_ARRAY);
}
