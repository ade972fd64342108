/* The evaluation of one schema for a report. */
#include "number.h"
#include "output.h"

#include <string.h>

/* "integer" admits a real without fraction. */
static bool type_fits(const struct node *node, const struct subject *subject)
{
    return node->types & subject->type || (subject->type == T_REAL && node->types & T_INTEGER &&
                                           number_is_integer(subject->value));
}

static void type_list(const struct node *node, char text[80])
{
    static const struct {
        unsigned types;
        const char *name;
    } names[] = {
        {T_NULL, "null"},     {T_BOOLEAN, "boolean"}, {T_NUMBER, "number"}, {T_INTEGER, "integer"},
        {T_STRING, "string"}, {T_ARRAY, "array"},     {T_OBJECT, "object"},
    };
    unsigned left = node->types;
    text[0] = '\0';
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if ((left & names[i].types) != names[i].types)
            continue;
        left &= ~names[i].types;
        if (text[0])
            strcat(text, " or ");
        strcat(text, names[i].name);
    }
}

static bool wrong_type(struct run *run, const struct frame *frame)
{
    char wanted[80];
    type_list(frame->node, wanted);
    return violated(run, frame, "type", "must be %s", wanted);
}

/* Type, assertions and annotations. */
static bool check_rules(struct run *run, const struct frame *frame)
{
    const struct node *node = frame->node;
    bool valid = type_fits(node, frame->subject) || wrong_type(run, frame);
    const struct rule *rule = node->rules, *end = rule + node->rule_count;
    for (; rule < end && (valid || run->all); rule++)
        if (rule->applies & frame->subject->type && !rule->report(run, frame, rule))
            valid = false;
    return valid;
}

/* Keep account of what is evaluated, for the unevaluated* keywords of this schema. */
static bool check_marking(struct run *run, const struct frame *frame)
{
    struct marks marks;
    if (!marks_init(run, &marks, frame->subject->count))
        return false;
    const struct frame marking = {frame->step, frame->node, frame->subject, &marks};
    bool valid = check_rules(run, &marking);
    if (valid && frame->marks)
        marks_merge(frame->marks, &marks);
    marks_free(&marks);
    return valid;
}

static bool check_node(struct run *run, const struct frame *frame)
{
    if (run->depth == 0)
        return give_up(run, ALK_SCHEMA_E_LIMIT);
    if (!charge(run, 1))
        return false;
    run->depth--;
    bool valid = frame->node->marks_members && frame->subject->type & (T_ARRAY | T_OBJECT)
                     ? check_marking(run, frame)
                     : check_rules(run, frame);
    run->depth++;
    return valid;
}

bool evaluate_in_place(struct run *run, const struct node *node, struct subject *subject,
                       const struct step *step, struct marks *marks)
{
    const struct frame frame = {step, node, subject, marks};
    if (node->kind == NODE_TRUE)
        return true;
    if (node->kind == NODE_FALSE)
        return violated(run, &frame, NULL, "nothing is allowed here");
    size_t unit = unit_open(run, &frame, NULL);
    bool valid = check_node(run, &frame);
    unit_close(run, unit, valid, NULL);
    return valid;
}

bool evaluate(struct run *run, const struct node *node, const json_t *value,
              const struct step *step)
{
    struct subject subject = subject_of(value);
    bool valid = evaluate_in_place(run, node, &subject, step, NULL);
    subject_drop(run, &subject);
    return valid;
}

bool evaluate_branch(struct run *run, const struct node *node, struct subject *subject,
                     const struct step *step, struct marks *marks)
{
    struct marks old;
    if (!marks)
        return evaluate_in_place(run, node, subject, step, NULL);
    if (!marks_keep(run, marks, &old))
        return false;
    bool valid = evaluate_in_place(run, node, subject, step, marks);
    marks_settle(marks, &old, valid);
    return valid;
}
