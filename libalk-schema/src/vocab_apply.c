/* Keywords that apply schemas to the same place: allOf, anyOf, oneOf, not, if, and references. */
#include "compiler.h"
#include "report.h"

#include <string.h>

/* ---- allOf, anyOf, oneOf ---------------------------------------------------------------------- */

static bool check_all_of(struct run *run, const struct frame *frame, const struct rule *rule)
{
    struct step step = step_in_place(frame, rule->keyword);
    bool valid = charge(run, rule->u.list.count);
    for (size_t i = 0; i < rule->u.list.count && (valid || run->all); i++) {
        step.index = i;
        valid =
            evaluate_in_place(run, rule->u.list.nodes[i], frame->subject, &step, frame->marks) &&
            valid;
    }
    return valid;
}

/* The number of schemas that fit, as far as up to `enough` if nothing else is asked. */
static size_t count_fitting(struct run *run, const struct frame *frame, const struct rule *rule,
                            size_t enough)
{
    struct step step = step_in_place(frame, rule->keyword);
    size_t fitting = 0;
    bool everything = frame->marks || run->all;
    if (!charge(run, rule->u.list.count))
        return 0;
    for (size_t i = 0; i < rule->u.list.count && (everything || fitting < enough); i++) {
        step.index = i;
        fitting += evaluate_branch(run, rule->u.list.nodes[i], frame->subject, &step, frame->marks);
    }
    return fitting;
}

static bool check_any_of(struct run *run, const struct frame *frame, const struct rule *rule)
{
    size_t unit = applicator_begin(run, frame, rule->keyword);
    bool valid = count_fitting(run, frame, rule, 1) > 0;
    return applicator_end(run, unit, valid, "fits none of the schemas");
}

static bool check_one_of(struct run *run, const struct frame *frame, const struct rule *rule)
{
    size_t unit = applicator_begin(run, frame, rule->keyword);
    size_t fitting = count_fitting(run, frame, rule, 2);
    return applicator_end(run, unit, fitting == 1,
                          fitting ? "fits more than one of the schemas"
                                  : "fits none of the schemas");
}

int keyword_list(struct compiler *c, struct node *node, const struct place *at, const char *keyword,
                 json_t *value)
{
    size_t count = json_array_size(value);
    const struct node **nodes = arena_array(&c->out->arena, count, sizeof *nodes);
    if (!nodes)
        return compiler_no_memory(c);
    for (size_t i = 0; i < count && !c->status; i++)
        nodes[i] = compiler_sub(c, at, keyword, NULL, i, json_array_get(value, i));
    enum check check = keyword[0] == 'o'   ? CHECK_ONE_OF
                       : keyword[1] == 'n' ? CHECK_ANY_OF
                                           : CHECK_ALL_OF;
    rule_fn *report = check == CHECK_ONE_OF   ? check_one_of
                      : check == CHECK_ANY_OF ? check_any_of
                                              : check_all_of;
    struct rule *rule = compiler_rule(node, check, report, keyword, T_ANY);
    rule->u.list.nodes = nodes;
    rule->u.list.count = count;
    return c->status;
}

/* ---- not, if ---------------------------------------------------------------------------------------- */

static bool check_not(struct run *run, const struct frame *frame, const struct rule *rule)
{
    struct step step = step_in_place(frame, rule->keyword);
    size_t unit = applicator_begin(run, frame, rule->keyword);
    bool valid = !evaluate_in_place(run, rule->u.node, frame->subject, &step, NULL);
    return applicator_end(run, unit, valid, "must not fit this schema");
}

int keyword_not(struct compiler *c, struct node *node, const struct place *at, const char *keyword,
                json_t *value)
{
    struct node *negated = compiler_sub(c, at, keyword, NULL, SIZE_MAX, value);
    if (negated)
        compiler_rule(node, CHECK_NOT, check_not, keyword, T_ANY)->u.node = negated;
    return c->status;
}

static bool check_if(struct run *run, const struct frame *frame, const struct rule *rule)
{
    struct step step = step_in_place(frame, rule->keyword);
    size_t unit = applicator_begin(run, frame, rule->keyword);
    bool yes = evaluate_branch(run, rule->u.condition.test, frame->subject, &step, frame->marks);
    applicator_end(run, unit, true, NULL); /* a test has no verdict of its own */
    const struct node *next = yes ? rule->u.condition.yes : rule->u.condition.no;
    step.keyword = yes ? "then" : "else";
    return !next || evaluate_in_place(run, next, frame->subject, &step, frame->marks);
}

static const struct node *branch(struct compiler *c, const struct place *at, const char *keyword)
{
    json_t *schema = json_object_get(at->schema, keyword);
    return schema ? compiler_sub(c, at, keyword, NULL, SIZE_MAX, schema) : NULL;
}

int keyword_if(struct compiler *c, struct node *node, const struct place *at, const char *keyword,
               json_t *value)
{
    struct node *test = compiler_sub(c, at, keyword, NULL, SIZE_MAX, value);
    if (!test)
        return c->status;
    struct rule *rule = compiler_rule(node, CHECK_IF, check_if, keyword, T_ANY);
    rule->u.condition.test = test;
    rule->u.condition.yes = branch(c, at, "then");
    rule->u.condition.no = branch(c, at, "else");
    return c->status;
}

/* ---- $ref, $dynamicRef ------------------------------------------------------------------------------- */

static bool check_ref(struct run *run, const struct frame *frame, const struct rule *rule)
{
    struct step step = step_in_place(frame, rule->keyword);
    return evaluate_in_place(run, rule->u.node, frame->subject, &step, frame->marks);
}

const struct node *keyword_only_reference(const struct node *node)
{
    bool only = node->kind == NODE_RULES && node->types == T_ANY && node->assertion_count == 1 &&
                node->rules[0].check == CHECK_REF;
    return only ? node->rules[0].u.node : NULL;
}

/* The outermost resource on the way here that has the anchor decides. */
static const struct node *dynamic_target(const struct frame *frame, const struct rule *rule)
{
    const struct node *found = rule->u.dynamic.node;
    for (;;) {
        const struct dynamic_anchor *anchor = frame->node->resource->dynamic_anchors;
        for (; anchor; anchor = anchor->next)
            if (strcmp(anchor->name, rule->u.dynamic.name) == 0)
                found = anchor->node;
        if (!frame->step)
            return found;
        frame = frame->step->from;
    }
}

static bool check_dynamic_ref(struct run *run, const struct frame *frame, const struct rule *rule)
{
    struct step step = step_in_place(frame, rule->keyword);
    return evaluate_in_place(run, dynamic_target(frame, rule), frame->subject, &step, frame->marks);
}

static struct node *reference_node(struct compiler *c, const struct place *at, const char *keyword,
                                   const json_t *value, struct target *target)
{
    if (resolve_reference(c, at, keyword, json_string_value(value), target))
        return NULL;
    return compiler_node(c, target->schema, target->resource, target->pointer);
}

int keyword_ref(struct compiler *c, struct node *node, const struct place *at, const char *keyword,
                json_t *value)
{
    struct target target;
    struct node *to = reference_node(c, at, keyword, value, &target);
    if (to)
        compiler_rule(node, CHECK_REF, check_ref, keyword, T_ANY)->u.node = to;
    return c->status;
}

int keyword_dynamic_ref(struct compiler *c, struct node *node, const struct place *at,
                        const char *keyword, json_t *value)
{
    struct target target;
    struct node *to = reference_node(c, at, keyword, value, &target);
    if (!to)
        return c->status;
    struct rule *rule = compiler_rule(node, CHECK_REF, check_ref, keyword, T_ANY);
    rule->u.node = to;
    if (target.dynamic) {
        rule->check = CHECK_DYNAMIC_REF;
        rule->report = check_dynamic_ref;
        rule->u.dynamic.node = to;
        rule->u.dynamic.name = target.dynamic;
    }
    return 0;
}
