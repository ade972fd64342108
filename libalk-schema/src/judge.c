#include "judge.h"

#include "assertion.h"

static bool with_marks(struct run *run, const struct op *op, const json_t *value,
                       struct subject *subject, struct marks *outer, unsigned depth)
{
    struct marks marks;
    if (!marks_init(run, &marks, subject ? subject->count : json_array_size(value)))
        return false;
    bool valid = judge_ops(run, op, value, subject, &marks, depth);
    if (valid && outer)
        marks_merge(outer, &marks);
    marks_free(&marks);
    return valid;
}

static bool in_scope(const struct run *run, const struct resource *resource)
{
    for (const struct scope *scope = run->scope; scope; scope = scope->outer)
        if (scope->resource == resource)
            return true;
    return false;
}

static bool with_scope(struct run *run, const struct op *op, const json_t *value,
                       struct subject *subject, struct marks *marks, unsigned depth)
{
    const struct scope scope = {op->of.resource, run->scope};
    run->scope = &scope;
    bool valid = judge_ops(run, op + 1, value, subject, marks, depth);
    run->scope = scope.outer;
    return valid;
}

static bool judge_real(const struct row *row, const json_t *value)
{
    double real = json_real_value(value);
    return (row->range.real.above ? real > row->range.real.min : real >= row->range.real.min) &&
           (row->range.real.below ? real < row->range.real.max : real <= row->range.real.max) &&
           (!row->range.real.integral || number_is_integer(value));
}

bool judge_other(struct run *run, const struct row *row, const json_t *value, unsigned depth)
{
    json_type type = json_typeof(value);
    if (type == JSON_INTEGER) {
        json_int_t integer = json_integer_value(value);
        if (integer < row->range.integer.min || integer > row->range.integer.max)
            return false;
    } else if (type == JSON_REAL && !judge_real(row, value)) {
        return false;
    }
    return !row->ops || judge_ops(run, row->ops, value, NULL, NULL, depth);
}

bool judge_ops(struct run *run, const struct op *op, const json_t *value, struct subject *subject,
               struct marks *marks, unsigned depth)
{
    for (bool holds = true; holds; op++) {
        const struct rule *rule = op->of.rule;
        switch (op->code) {
        case OP_END:
            return true;
        case OP_IN_PLACE:
            holds = judge_in_place(run, op->of.node, value, subject, marks, depth);
            break;
        case OP_MARKS:
            return with_marks(run, op + 1, value, subject, marks, depth);
        case OP_SCOPE:
            if (!in_scope(run, op->of.resource))
                return with_scope(run, op, value, subject, marks, depth);
            break;
        case CHECK_MEMBERS:
            holds = judge_members(run, rule->u.members, value, json_object_size(value), subject,
                                  marks, depth);
            break;
        case CHECK_REQUIRED:
            holds = judge_required(run, rule->u.members, value, subject);
            break;
        case CHECK_ITEMS:
            holds = judge_items(run, &rule->u.items, value, json_array_size(value), marks, depth);
            break;
        case CHECK_CONST:
            holds = value_is(run, rule, value);
            break;
        case CHECK_ENUM:
            holds = value_is_listed(run, rule, value);
            break;
        case CHECK_LIMIT:
            holds = number_within(rule, value);
            break;
        case CHECK_MULTIPLE_OF:
            holds = number_is_multiple(rule, value);
            break;
        case CHECK_UNIQUE:
            holds = items_are_unique(run, value);
            break;
        case CHECK_ANY_OF:
        case CHECK_ONE_OF:
            holds = judge_choice(run, rule, value, subject, marks, depth);
            break;
        case CHECK_IF:
            holds = judge_condition(run, rule, value, subject, marks, depth);
            break;
        case CHECK_NOT:
            holds = !judge_in_place(run, rule->u.node, value, subject, NULL, depth);
            break;
        case CHECK_DYNAMIC_REF:
            holds =
                judge_in_place(run, judge_dynamic_target(run, rule), value, subject, marks, depth);
            break;
        case CHECK_CONTAINS:
            holds = judge_contains(run, rule, value, marks, depth);
            break;
        case CHECK_DEPENDENCIES:
            holds = judge_dependencies(run, rule, subject, marks, depth);
            break;
        case CHECK_PROPERTY_NAMES:
            holds = judge_names(run, rule->u.node, value, depth);
            break;
        case CHECK_UNEVALUATED_ITEMS:
            holds = judge_unevaluated_items(run, rule->u.node, value, marks, depth);
            break;
        case CHECK_UNEVALUATED_MEMBERS:
            holds = judge_unevaluated_members(run, rule->u.node, subject, marks, depth);
            break;
        default:
            return false; /* there is no other */
        }
    }
    return false;
}
