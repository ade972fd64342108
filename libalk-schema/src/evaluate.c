/* The evaluation of one schema, and the entry points. */
#include "error.h"
#include "output.h"

#include <stdlib.h>
#include <string.h>

static unsigned type_bit(const json_t *instance)
{
    static const unsigned char bits[] = {
        [JSON_OBJECT] = T_OBJECT,   [JSON_ARRAY] = T_ARRAY, [JSON_STRING] = T_STRING,
        [JSON_INTEGER] = T_INTEGER, [JSON_REAL] = T_REAL,   [JSON_TRUE] = T_BOOLEAN,
        [JSON_FALSE] = T_BOOLEAN,   [JSON_NULL] = T_NULL,
    };
    return bits[json_typeof(instance)];
}

bool give_up(struct run *run, int status)
{
    if (!run->status)
        run->status = status;
    run->steps = 0; /* so that nothing is evaluated any more */
    return false;
}

/* "integer" admits a real without fraction. */
static bool type_fits(const struct node *node, unsigned bit, const json_t *instance)
{
    return node->types & bit ||
           (bit == T_REAL && node->types & T_INTEGER && number_is_integer(instance));
}

static void type_list(const struct node *node, char text[80])
{
    static const char *const names[] = {"null",   "boolean", "integer", NULL,
                                        "string", "array",   "object"};
    text[0] = '\0';
    for (unsigned i = 0; i < 7; i++) {
        if (!(node->types & 1u << i) || !names[i])
            continue;
        if (text[0])
            strcat(text, " or ");
        strcat(text, i == 2 && node->types & T_REAL ? "number" : names[i]);
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
static bool check_and_report(struct run *run, const struct frame *frame, unsigned bit,
                             const json_t *instance, struct marks *marks)
{
    const struct node *node = frame->node;
    bool valid = type_fits(node, bit, instance) || wrong_type(run, frame);
    const struct rule *rule = node->rules, *end = rule + node->rule_count;
    for (; rule < end && (valid || run->all); rule++)
        if (rule->applies & bit && !rule->check(run, frame, rule, instance, marks))
            valid = false;
    return valid;
}

/* The type is known to fit. */
static bool check_rules(struct run *run, const struct frame *frame, unsigned bit,
                        const json_t *instance, struct marks *marks)
{
    if (run->units)
        return check_and_report(run, frame, bit, instance, marks);
    const struct rule *rule = frame->node->rules, *end = rule + frame->node->assertion_count;
    for (; rule < end; rule++)
        if (rule->applies & bit && !rule->check(run, frame, rule, instance, marks))
            return false;
    return true;
}

/* Rules that only look at the instance itself; a frame is for those that go on, and for reports.
 * Kept out of evaluate(), which would save registers for it that most calls never use. */
__attribute__((noinline)) static bool check_flat(struct run *run, const struct node *node,
                                                 unsigned bit, const json_t *instance)
{
    const struct rule *rule = node->rules, *end = rule + node->assertion_count;
    if (node->assertion_count == 1)
        return !(rule->applies & bit) || rule->check(run, NULL, rule, instance, NULL);
    for (; rule < end; rule++)
        if (rule->applies & bit && !rule->check(run, NULL, rule, instance, NULL))
            return false;
    return true;
}

static bool check_marking(struct run *run, const struct frame *frame, unsigned bit,
                          const json_t *instance, struct marks *outer)
{
    struct marks marks;
    if (!marks_init(run, &marks, instance))
        return false;
    bool valid = check_rules(run, frame, bit, instance, &marks);
    if (valid && outer)
        marks_merge(outer, &marks);
    marks_free(&marks);
    return valid;
}

/* One that goes on to further schemas; within the bounds, and of a type that fits. */
__attribute__((noinline)) static bool evaluate_deep(struct run *run, const struct node *node,
                                                    unsigned bit, const json_t *instance,
                                                    const struct step *step, struct marks *marks)
{
    const struct frame frame = {step, node};
    run->depth--;
    bool valid = node->marks_members && bit & (T_ARRAY | T_OBJECT)
                     ? check_marking(run, &frame, bit, instance, marks)
                     : check_rules(run, &frame, bit, instance, marks);
    run->depth++;
    return valid;
}

__attribute__((noinline)) static bool evaluate_reporting(struct run *run, const struct node *node,
                                                         unsigned bit, const json_t *instance,
                                                         const struct step *step,
                                                         struct marks *marks)
{
    const struct frame frame = {step, node};
    if (node->kind == NODE_TRUE)
        return true;
    if (run->depth == 0 || run->steps == 0)
        return give_up(run, ALK_SCHEMA_E_LIMIT);
    run->steps--;
    if (node->kind == NODE_FALSE)
        return violated(run, &frame, NULL, "nothing is allowed here");
    size_t unit = unit_open(run, &frame, NULL);
    bool valid = evaluate_deep(run, node, bit, instance, step, marks);
    unit_close(run, unit, valid, NULL);
    return valid;
}

/* Most evaluations end early: nothing is set up before it is needed. */
bool evaluate(struct run *run, const struct node *node, const json_t *instance,
              const struct step *step, struct marks *marks)
{
    unsigned bit = type_bit(instance);
    if (run->units)
        return evaluate_reporting(run, node, bit, instance, step, marks);
    if (node->same_as)
        node = node->same_as;
    if (node->kind != NODE_RULES || !type_fits(node, bit, instance))
        return node->kind == NODE_TRUE;
    if (node->assertion_count == 0)
        return true;
    if (run->depth == 0 || run->steps == 0)
        return give_up(run, ALK_SCHEMA_E_LIMIT);
    run->steps--;
    return node->flat ? check_flat(run, node, bit, instance)
                      : evaluate_deep(run, node, bit, instance, step, marks);
}

/* In marks of its own, since there are many. */
static bool evaluate_apart(struct run *run, const struct node *node, const json_t *instance,
                           const struct step *step, struct marks *marks)
{
    struct marks own;
    if (!marks_init(run, &own, instance))
        return false;
    bool valid = evaluate(run, node, instance, step, &own);
    if (valid)
        marks_merge(marks, &own);
    marks_free(&own);
    return valid;
}

bool evaluate_in_place(struct run *run, const struct node *node, const json_t *instance,
                       const struct step *step, struct marks *marks)
{
    if (!marks)
        return evaluate(run, node, instance, step, NULL);
    if (marks->words != marks->few)
        return evaluate_apart(run, node, instance, step, marks);
    uint64_t low = marks->few[0], high = marks->few[1]; /* to go back to */
    bool valid = evaluate(run, node, instance, step, marks);
    if (!valid) {
        marks->few[0] = low;
        marks->few[1] = high;
    }
    return valid;
}

/* ---- marks ------------------------------------------------------------------------------- */

bool marks_init(struct run *run, struct marks *marks, const json_t *instance)
{
    marks->count = json_is_array(instance) ? json_array_size(instance) : json_object_size(instance);
    for (size_t i = 0; i < MARKS_FEW; i++)
        marks->few[i] = 0;
    marks->words = marks->few;
    if (marks->count > 64 * MARKS_FEW)
        marks->words = calloc(marks->count / 64 + 1, sizeof *marks->words);
    return marks->words || give_up(run, ALK_SCHEMA_E_NOMEM);
}

void marks_free(struct marks *marks)
{
    if (marks->words != marks->few)
        free(marks->words);
}

void marks_merge(struct marks *into, const struct marks *from)
{
    for (size_t i = 0; i * 64 < into->count; i++)
        into->words[i] |= from->words[i];
}

/* The bits of a word that stand for something. */
static uint64_t marks_mask(const struct marks *marks, size_t word)
{
    size_t left = marks->count - word * 64;
    return left >= 64 ? UINT64_MAX : ((uint64_t)1 << left) - 1;
}

void marks_all(struct marks *marks)
{
    for (size_t i = 0; i * 64 < marks->count; i++)
        marks->words[i] = marks_mask(marks, i);
}

bool marks_complete(const struct marks *marks)
{
    for (size_t i = 0; i * 64 < marks->count; i++)
        if (marks->words[i] != marks_mask(marks, i))
            return false;
    return true;
}

/* ---- entry points ------------------------------------------------------------------------- */

static struct run run_of(const struct alk_schema *schema)
{
    return (struct run){
        .schema = schema, .depth = schema->options.max_depth, .steps = schema->options.max_steps};
}

static int run_root(struct run *run, const json_t *document)
{
    bool valid = evaluate(run, run->schema->root, document, NULL, NULL);
    pcre2_match_data_free(run->scratch);
    run->scratch = NULL;
    if (run->status)
        return run->status;
    return valid ? ALK_SCHEMA_OK : ALK_SCHEMA_E_INVALID;
}

/* Look at an invalid document once more, to say why it is. */
static int explain(const struct alk_schema *schema, const json_t *document,
                   struct alk_schema_error *error)
{
    struct units units = {.open = NO_INDEX, .max_said = schema->options.max_errors};
    struct run run = run_of(schema);
    run.units = &units;
    int status = run_root(&run, document);
    error_set(error, status, "", "the document does not fit the schema");
    if (status == ALK_SCHEMA_E_INVALID)
        units_first_error(&units, error);
    units_free(&units);
    return status;
}

int alk_schema_validate(const struct alk_schema *schema, const json_t *document,
                        struct alk_schema_error *error)
{
    struct run run = run_of(schema);
    int status = run_root(&run, document);
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
    struct run run = run_of(schema);
    run.all = !flag;
    run.units = flag ? NULL : &units;
    *output = NULL;
    int status = run_root(&run, document);
    if (status == ALK_SCHEMA_OK || status == ALK_SCHEMA_E_INVALID) {
        *output = units_write(&units, status == ALK_SCHEMA_OK, format);
        if (!*output)
            status = ALK_SCHEMA_E_NOMEM;
    }
    units_free(&units);
    return status;
}
