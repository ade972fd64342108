/* type, enum, const, and what is asserted of numbers. */
#include "compiler.h"
#include "run.h"
#include "value.h"

#include <stdlib.h>
#include <string.h>

/* ---- type --------------------------------------------------------------------------------- */

static unsigned type_by_name(const char *name)
{
    static const struct {
        const char *name;
        unsigned bits;
    } types[] = {
        {"null", T_NULL},     {"boolean", T_BOOLEAN}, {"integer", T_INTEGER}, {"number", T_NUMBER},
        {"string", T_STRING}, {"array", T_ARRAY},     {"object", T_OBJECT},
    };
    for (size_t i = 0; name && i < sizeof types / sizeof *types; i++)
        if (strcmp(name, types[i].name) == 0)
            return types[i].bits;
    return 0;
}

int keyword_type(struct compiler *c, struct node *node, const struct place *at, const char *keyword,
                 json_t *value)
{
    unsigned bits = type_by_name(json_string_value(value));
    bool known = bits || (json_is_array(value) && json_array_size(value));
    for (size_t i = 0; i < json_array_size(value); i++) {
        unsigned one = type_by_name(json_string_value(json_array_get(value, i)));
        known = known && one;
        bits |= one;
    }
    if (!known)
        return compiler_fail(c, ALK_SCHEMA_E_SCHEMA, at, keyword,
                             "must be the name of a type, or an array of them");
    node->types = (unsigned char)bits; /* looked at before the rules */
    return 0;
}

/* ---- enum and const --------------------------------------------------------------------------- */

static bool equal(struct run *run, const json_t *a, const json_t *b)
{
    bool equal = value_equal(a, b, &run->steps);
    return run->steps > 0 ? equal : give_up(run, ALK_SCHEMA_E_LIMIT);
}

static bool check_enum(struct run *run, const struct frame *frame, const struct rule *rule)
{
    const json_t *instance = frame->subject->value;
    const json_t *values = rule->u.enumeration.value;
    if (frame->subject->type == T_STRING) {
        if (keytable_find(&rule->u.enumeration.table, json_string_value(instance),
                          json_string_length(instance)) != KEYTABLE_NONE)
            return true;
    } else if (!rule->u.enumeration.only_strings) {
        for (size_t i = 0; i < json_array_size(values); i++)
            if (equal(run, json_array_get(values, i), instance))
                return true;
    }
    return violated(run, frame, rule->keyword, "must be one of the listed values");
}

int keyword_enum(struct compiler *c, struct node *node, const struct place *at, const char *keyword,
                 json_t *value)
{
    if (!json_is_array(value))
        return compiler_fail(c, ALK_SCHEMA_E_SCHEMA, at, keyword, "must be an array");
    struct rule *rule = compiler_rule(node, check_enum, keyword, T_ANY, RANK_SCALAR);
    struct keytable *table = &rule->u.enumeration.table;
    if (!keytable_init(table, &c->out->arena, json_array_size(value)))
        return compiler_no_memory(c);
    rule->u.enumeration.value = value;
    rule->u.enumeration.only_strings = true;
    bool added = true;
    for (size_t i = 0; i < json_array_size(value); i++) {
        const json_t *item = json_array_get(value, i);
        if (json_is_string(item))
            added = keytable_add(table, &c->out->arena, json_string_value(item),
                                 json_string_length(item), 0) != KEYTABLE_NONE &&
                    added;
        else
            rule->u.enumeration.only_strings = false;
    }
    return added ? 0 : compiler_no_memory(c);
}

static bool check_const(struct run *run, const struct frame *frame, const struct rule *rule)
{
    const json_t *instance = frame->subject->value;
    const char *text = rule->u.constant.text;
    size_t length = rule->u.constant.length;
    bool same = text ? frame->subject->type == T_STRING && json_string_length(instance) == length &&
                           charge(run, length / CHARGED_BYTES) &&
                           memcmp(json_string_value(instance), text, length) == 0
                     : equal(run, rule->u.constant.value, instance);
    return same || violated(run, frame, rule->keyword, "must be the constant value");
}

int keyword_const(struct compiler *c, struct node *node, const struct place *at,
                  const char *keyword, json_t *value)
{
    (void)c;
    (void)at;
    struct rule *rule = compiler_rule(node, check_const, keyword, T_ANY, RANK_SCALAR);
    rule->u.constant.value = value;
    rule->u.constant.text = json_string_value(value);
    rule->u.constant.length = json_string_length(value);
    return 0;
}

/* The constant, or one of the values of an enumeration of strings. */
static const json_t *text_of(const struct rule *rule, size_t index)
{
    if (rule->check == check_const && rule->u.constant.text)
        return index == 0 ? rule->u.constant.value : NULL;
    if (rule->check == check_enum && rule->u.enumeration.only_strings)
        return json_array_get(rule->u.enumeration.value, index);
    return NULL;
}

const json_t *keyword_text(const struct node *node, size_t index)
{
    for (uint32_t i = 0; i < node->assertion_count; i++) {
        if (text_of(&node->rules[i], 0))
            return text_of(&node->rules[i], index);
    }
    return NULL;
}

/* ---- numbers ------------------------------------------------------------------------------------ */

static bool check_multiple_of(struct run *run, const struct frame *frame, const struct rule *rule)
{
    const json_t *instance = frame->subject->value;
    if (decimal_is_multiple(decimal_of(instance), rule->u.decimal))
        return true;
    return violated(run, frame, rule->keyword, "must be a multiple of the schema's number");
}

int keyword_multiple_of(struct compiler *c, struct node *node, const struct place *at,
                        const char *keyword, json_t *value)
{
    if (!json_is_number(value) || !(json_number_value(value) > 0))
        return compiler_fail(c, ALK_SCHEMA_E_SCHEMA, at, keyword, "must be a number above 0");
    compiler_rule(node, check_multiple_of, keyword, T_NUMBER, RANK_SCALAR)->u.decimal =
        decimal_of(value);
    return 0;
}

/* The words between "must" and the limit. */
static const char *relation(const char *keyword)
{
    switch (keyword[1] == 'a' ? 'M' : keyword[1] == 'i' ? 'm' : keyword[10]) {
    case 'M':
        return "at most";
    case 'm':
        return "at least";
    case 'a':
        return "less than";
    default:
        return "greater than";
    }
}

static bool out_of_limit(struct run *run, const struct frame *frame, const struct rule *rule)
{
    if (!run->units)
        return false;
    char *limit = json_dumps(rule->u.limit.value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
    violated(run, frame, rule->keyword, "must be %s %s", relation(rule->keyword),
             limit ? limit : "the limit");
    free(limit);
    return false;
}

static int compare(const struct frame *frame, const struct rule *rule)
{
    const json_t *instance = frame->subject->value;
    if (!rule->u.limit.small)
        return number_compare(instance, rule->u.limit.value);
    if (frame->subject->type == T_INTEGER) {
        json_int_t value = json_integer_value(instance);
        return (value > rule->u.limit.integer) - (value < rule->u.limit.integer);
    }
    double value = json_real_value(instance);
    return (value > rule->u.limit.real) - (value < rule->u.limit.real);
}

static bool check_minimum(struct run *run, const struct frame *frame, const struct rule *rule)
{
    return compare(frame, rule) >= 0 || out_of_limit(run, frame, rule);
}

static bool check_maximum(struct run *run, const struct frame *frame, const struct rule *rule)
{
    return compare(frame, rule) <= 0 || out_of_limit(run, frame, rule);
}

static bool check_above(struct run *run, const struct frame *frame, const struct rule *rule)
{
    return compare(frame, rule) > 0 || out_of_limit(run, frame, rule);
}

static bool check_below(struct run *run, const struct frame *frame, const struct rule *rule)
{
    return compare(frame, rule) < 0 || out_of_limit(run, frame, rule);
}

int keyword_limit(struct compiler *c, struct node *node, const struct place *at,
                  const char *keyword, json_t *value)
{
    if (!json_is_number(value))
        return compiler_fail(c, ALK_SCHEMA_E_SCHEMA, at, keyword, "must be a number");
    bool exclusive = keyword[0] == 'e', upper = strstr(keyword, "axi") != NULL;
    rule_fn *check =
        exclusive ? (upper ? check_below : check_above) : (upper ? check_maximum : check_minimum);
    struct rule *rule = compiler_rule(node, check, keyword, T_NUMBER, RANK_SCALAR);
    rule->u.limit.value = value;
    json_int_t integer = json_integer_value(value);
    if (json_is_integer(value) && integer > -((json_int_t)1 << 53) &&
        integer < (json_int_t)1 << 53) {
        rule->u.limit.small = true;
        rule->u.limit.integer = integer;
        rule->u.limit.real = (double)integer;
    }
    return 0;
}
