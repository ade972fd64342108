/* The evaluation of one schema, and the entry points. */
#include "error.h"
#include "output.h"

#include <stdlib.h>
#include <string.h>

bool give_up(struct run *run, int status)
{
    if (!run->status)
        run->status = status;
    run->steps = 0; /* so that nothing is evaluated any more */
    return false;
}

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
    char wanted[80] = "";
    if (run->units)
        type_list(frame->node, wanted);
    return violated(run, frame, "type", "must be %s", wanted);
}

/* Type, assertions and annotations, for a report. */
static bool check_and_report(struct run *run, const struct frame *frame)
{
    const struct node *node = frame->node;
    bool valid = type_fits(node, frame->subject) || wrong_type(run, frame);
    const struct rule *rule = node->rules, *end = rule + node->rule_count;
    for (; rule < end && (valid || run->all); rule++)
        if (rule->applies & frame->subject->type && !rule->check(run, frame, rule))
            valid = false;
    return valid;
}

static inline bool check_rules(struct run *run, const struct frame *frame, unsigned type)
{
    const struct rule *rule = frame->node->rules, *end = rule + frame->node->assertion_count;
    for (; rule < end; rule++)
        if (rule->applies & type && !rule->check(run, frame, rule))
            return false;
    return true;
}

static bool check_all(struct run *run, const struct frame *frame)
{
    return run->units ? check_and_report(run, frame)
                      : type_fits(frame->node, frame->subject) &&
                            check_rules(run, frame, frame->subject->type);
}

/* Keep account of what is evaluated, for the unevaluated* keywords of this schema. */
__attribute__((noinline)) static bool check_marking(struct run *run, const struct frame *frame)
{
    struct marks marks;
    if (!marks_init(run, &marks, frame->subject->count))
        return false;
    const struct frame marking = {frame->step, frame->node, frame->subject, &marks};
    bool valid = check_all(run, &marking);
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
                     : check_all(run, frame);
    run->depth++;
    return valid;
}

__attribute__((noinline)) static bool report_node(struct run *run, const struct frame *frame)
{
    if (frame->node->kind == NODE_TRUE)
        return true;
    if (frame->node->kind == NODE_FALSE)
        return violated(run, frame, NULL, "nothing is allowed here");
    size_t unit = unit_open(run, frame, NULL);
    bool valid = check_node(run, frame);
    unit_close(run, unit, valid, NULL);
    return valid;
}

bool evaluate_subject(struct run *run, const struct node *node, struct subject *subject,
                      const struct step *step, struct marks *marks)
{
    const struct frame frame = {step, run->units ? node : node->leads_to, subject, marks};
    return run->units ? report_node(run, &frame) : check_node(run, &frame);
}

__attribute__((noinline)) static bool evaluate_any(struct run *run, const struct node *node,
                                                   const json_t *value, unsigned type,
                                                   const struct step *step)
{
    struct subject subject = subject_of(value, type);
    bool valid = evaluate_subject(run, node, &subject, step, NULL);
    subject_drop(run, &subject);
    return valid;
}

/* Most values are neither arrays nor objects, and need less ado. */
bool evaluate_value(struct run *run, const struct node *node, const json_t *value, unsigned type,
                    const struct step *step)
{
    if (type & (T_ARRAY | T_OBJECT) || run->units)
        return evaluate_any(run, node, value, type, step);
    struct subject subject = {value, type, 0, NULL, false};
    const struct frame frame = {step, node->leads_to, &subject, NULL};
    return charge(run, 1) && type_fits(frame.node, &subject) && check_rules(run, &frame, type);
}

/* In marks of its own, since there are many. */
static bool evaluate_apart(struct run *run, const struct node *node, struct subject *subject,
                           const struct step *step, struct marks *marks)
{
    struct marks own;
    if (!marks_init(run, &own, subject->count))
        return false;
    bool valid = evaluate_in_place(run, node, subject, step, &own);
    if (valid)
        marks_merge(marks, &own);
    marks_free(&own);
    return valid;
}

bool evaluate_branch(struct run *run, const struct node *node, struct subject *subject,
                     const struct step *step, struct marks *marks)
{
    if (!marks)
        return evaluate_in_place(run, node, subject, step, NULL);
    if (marks->words != marks->few)
        return evaluate_apart(run, node, subject, step, marks);
    uint64_t low = marks->few[0], high = marks->few[1]; /* to go back to */
    bool valid = evaluate_in_place(run, node, subject, step, marks);
    if (!valid) {
        marks->few[0] = low;
        marks->few[1] = high;
    }
    return valid;
}

bool match(struct run *run, const struct regex *regex, const char *text, size_t length)
{
    if (!charge(run, 1 + length / CHARGED_BYTES))
        return false;
    int found = regex_match_easily(regex, text, length, &run->scratch);
    /* it may take as long as its limit allows, so that is what it costs */
    uint64_t cost = run->schema->options.match_limit / BACKTRACKS_CHARGED;
    if (found == ALK_SCHEMA_E_LIMIT && charge(run, cost))
        found = regex_match(regex, text, length, &run->scratch);
    return found < 0 ? give_up(run, found) : found > 0;
}

/* ---- entry points ------------------------------------------------------------------------- */

static int run_root(struct run *run, const struct alk_schema *schema, const json_t *document)
{
    struct member pool[MEMBERS_POOL];
    run->schema = schema;
    run->shortcuts = run->units ? 0 : T_ANY;
    run->pool = pool;
    run->pool_left = MEMBERS_POOL;
    run->depth = schema->options.max_depth;
    run->steps = schema->options.max_steps;
    bool valid = evaluate(run, schema->root, document, NULL);
    pcre2_match_data_free(run->scratch);
    run->scratch = NULL;
    run->pool = NULL;
    if (run->status)
        return run->status;
    return valid ? ALK_SCHEMA_OK : ALK_SCHEMA_E_INVALID;
}

/* Look at an invalid document once more, to say why it is. */
static int explain(const struct alk_schema *schema, const json_t *document,
                   struct alk_schema_error *error)
{
    struct units units = {.open = NO_INDEX, .max_said = schema->options.max_errors};
    struct run run = {.units = &units};
    int status = run_root(&run, schema, document);
    error_set(error, status, "", "the document does not fit the schema");
    if (status == ALK_SCHEMA_E_INVALID)
        units_first_error(&units, error);
    units_free(&units);
    return status;
}

int alk_schema_validate(const struct alk_schema *schema, const json_t *document,
                        struct alk_schema_error *error)
{
    struct run run = {0};
    int status = run_root(&run, schema, document);
    if (error && status == ALK_SCHEMA_E_INVALID)
        status = explain(schema, document, error);
    if (status == ALK_SCHEMA_E_LIMIT)
        error_set(error, status, "", "validation needs more work or nesting than is allowed");
    if (status == ALK_SCHEMA_E_NOMEM)
        error_set(error, status, "", "out of memory");
    return status;
}

int alk_schema_output(const struct alk_schema *schema, const json_t *document,
                      enum alk_schema_format format, json_t **output)
{
    bool flag = format == ALK_SCHEMA_FLAG;
    struct units units = {
        .open = NO_INDEX, .max_said = schema->options.max_errors, .annotations = true};
    struct run run = {.units = flag ? NULL : &units, .all = !flag};
    *output = NULL;
    int status = run_root(&run, schema, document);
    if (status == ALK_SCHEMA_OK || status == ALK_SCHEMA_E_INVALID) {
        *output = units_write(&units, status == ALK_SCHEMA_OK, format);
        if (!*output)
            status = ALK_SCHEMA_E_NOMEM;
    }
    units_free(&units);
    return status;
}
