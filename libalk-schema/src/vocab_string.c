/* minLength, maxLength and pattern. */
#include "assertion.h"
#include "compiler.h"
#include "report.h"

static bool check_min_length(struct run *run, const struct frame *frame, const struct rule *rule)
{
    const json_t *text = frame->subject->value;
    return text_has_at_least(run, rule->u.count, json_string_value(text),
                             json_string_length(text)) ||
           violated(run, frame, rule->keyword, "must have at least %zu characters", rule->u.count);
}

static bool check_max_length(struct run *run, const struct frame *frame, const struct rule *rule)
{
    const json_t *text = frame->subject->value;
    return text_has_at_most(run, rule->u.count, json_string_value(text),
                            json_string_length(text)) ||
           violated(run, frame, rule->keyword, "must have at most %zu characters", rule->u.count);
}

int keyword_length(struct compiler *c, struct node *node, const struct place *at,
                   const char *keyword, json_t *value)
{
    size_t count;
    if (compiler_count(c, at, keyword, value, &count))
        return c->status;
    bool min = keyword[1] == 'i';
    compiler_rule(node, min ? CHECK_MIN_LENGTH : CHECK_MAX_LENGTH,
                  min ? check_min_length : check_max_length, keyword, T_STRING)
        ->u.count = count;
    return 0;
}

static bool check_pattern(struct run *run, const struct frame *frame, const struct rule *rule)
{
    const json_t *text = frame->subject->value;
    return text_matches(run, rule->u.regex, json_string_value(text), json_string_length(text)) ||
           violated(run, frame, rule->keyword, "must match the pattern");
}

int keyword_pattern(struct compiler *c, struct node *node, const struct place *at,
                    const char *keyword, json_t *value)
{
    struct regex *regex = compiler_regex(c, at, keyword, json_string_value(value));
    if (regex)
        compiler_rule(node, CHECK_PATTERN, check_pattern, keyword, T_STRING)->u.regex = regex;
    return c->status;
}
