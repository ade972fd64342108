/* type, enum, const, and what is asserted of numbers. */
#include "assertion.h"
#include "compiler.h"
#include "report.h"

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

static bool check_enum(struct run *run, const struct frame *frame, const struct rule *rule)
{
    return value_is_listed(run, rule, frame->subject->value) ||
           violated(run, frame, rule->keyword, "must be one of the listed values");
}

int keyword_enum(struct compiler *c, struct node *node, const struct place *at, const char *keyword,
                 json_t *value)
{
    if (!json_is_array(value))
        return compiler_fail(c, ALK_SCHEMA_E_SCHEMA, at, keyword, "must be an array");
    struct rule *rule = compiler_rule(node, CHECK_ENUM, check_enum, keyword, T_ANY);
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
    return value_is(run, rule, frame->subject->value) ||
           violated(run, frame, rule->keyword, "must be the constant value");
}

int keyword_const(struct compiler *c, struct node *node, const struct place *at,
                  const char *keyword, json_t *value)
{
    (void)c;
    (void)at;
    struct rule *rule = compiler_rule(node, CHECK_CONST, check_const, keyword, T_ANY);
    rule->u.constant.value = value;
    rule->u.constant.text = json_string_value(value);
    rule->u.constant.length = json_string_length(value);
    return 0;
}

/* An integer may be written as a real; true and false are one type. */
static unsigned type_equal_to(const json_t *value)
{
    if (json_is_number(value))
        return T_NUMBER;
    return json_is_boolean(value) ? T_BOOLEAN : 1u << json_typeof(value);
}

unsigned keyword_types(const struct rule *rule)
{
    unsigned types = 0;
    if (rule->check == CHECK_CONST)
        return type_equal_to(rule->u.constant.value);
    if (rule->check != CHECK_ENUM)
        return T_ANY;
    for (size_t i = 0; i < json_array_size(rule->u.enumeration.value); i++)
        types |= type_equal_to(json_array_get(rule->u.enumeration.value, i));
    return types;
}

/* The constant, or one of the values of an enumeration of strings. */
static const json_t *text_of(const struct rule *rule, size_t index)
{
    if (rule->check == CHECK_CONST && rule->u.constant.text)
        return index == 0 ? rule->u.constant.value : NULL;
    if (rule->check == CHECK_ENUM && rule->u.enumeration.only_strings)
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
    return number_is_multiple(rule, frame->subject->value) ||
           violated(run, frame, rule->keyword, "must be a multiple of the schema's number");
}

int keyword_multiple_of(struct compiler *c, struct node *node, const struct place *at,
                        const char *keyword, json_t *value)
{
    if (!json_is_number(value) || !(json_number_value(value) > 0))
        return compiler_fail(c, ALK_SCHEMA_E_SCHEMA, at, keyword, "must be a number above 0");
    compiler_rule(node, CHECK_MULTIPLE_OF, check_multiple_of, keyword, T_NUMBER)->u.decimal =
        decimal_of(value);
    return 0;
}

/* The words between "must" and the limit. */
static const char *relation(const struct rule *rule)
{
    if (rule->u.limit.exclusive)
        return rule->u.limit.upper ? "less than" : "greater than";
    return rule->u.limit.upper ? "at most" : "at least";
}

static bool check_limit(struct run *run, const struct frame *frame, const struct rule *rule)
{
    if (number_within(rule, frame->subject->value))
        return true;
    char *limit = json_dumps(rule->u.limit.value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
    violated(run, frame, rule->keyword, "must be %s %s", relation(rule),
             limit ? limit : "the limit");
    free(limit);
    return false;
}

int keyword_limit(struct compiler *c, struct node *node, const struct place *at,
                  const char *keyword, json_t *value)
{
    if (!json_is_number(value))
        return compiler_fail(c, ALK_SCHEMA_E_SCHEMA, at, keyword, "must be a number");
    struct rule *rule = compiler_rule(node, CHECK_LIMIT, check_limit, keyword, T_NUMBER);
    rule->u.limit.value = value;
    rule->u.limit.exclusive = keyword[0] == 'e';
    rule->u.limit.upper = strstr(keyword, "axi") != NULL;
    return 0;
}
