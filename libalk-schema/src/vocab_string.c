/* minLength, maxLength and pattern. */
#include "compiler.h"
#include "run.h"

/* Code points of valid UTF-8. */
static size_t code_points(struct run *run, const json_t *string, size_t bytes)
{
    const char *at = json_string_value(string), *end = at + bytes;
    size_t count = 0;
    if (!charge(run, bytes / CHARGED_BYTES))
        return 0;
    for (; at < end; at++)
        count += ((unsigned char)*at & 0xc0) != 0x80;
    return count;
}

/* A text of n bytes has n/4 to n code points, so most need no counting. */
static bool check_min_length(struct run *run, const struct frame *frame, const struct rule *rule)
{
    const json_t *instance = frame->subject->value;
    size_t bytes = json_string_length(instance), min = rule->u.count;
    if (bytes / 4 >= min || (bytes >= min && code_points(run, instance, bytes) >= min))
        return true;
    return violated(run, frame, rule->keyword, "must have at least %zu characters", min);
}

static bool check_max_length(struct run *run, const struct frame *frame, const struct rule *rule)
{
    const json_t *instance = frame->subject->value;
    size_t bytes = json_string_length(instance), max = rule->u.count;
    if (bytes <= max || (bytes / 4 <= max && code_points(run, instance, bytes) <= max))
        return true;
    return violated(run, frame, rule->keyword, "must have at most %zu characters", max);
}

int keyword_length(struct compiler *c, struct node *node, const struct place *at,
                   const char *keyword, json_t *value)
{
    size_t count;
    if (compiler_count(c, at, keyword, value, &count))
        return c->status;
    rule_fn *check = keyword[1] == 'i' ? check_min_length : check_max_length;
    compiler_rule(node, check, keyword, T_STRING, RANK_SCALAR)->u.count = count;
    return 0;
}

static bool check_pattern(struct run *run, const struct frame *frame, const struct rule *rule)
{
    const json_t *instance = frame->subject->value;
    bool found =
        match(run, rule->u.regex, json_string_value(instance), json_string_length(instance));
    return found || violated(run, frame, rule->keyword, "must match the pattern");
}

int keyword_pattern(struct compiler *c, struct node *node, const struct place *at,
                    const char *keyword, json_t *value)
{
    struct regex *regex = compiler_regex(c, at, keyword, json_string_value(value));
    if (regex)
        compiler_rule(node, check_pattern, keyword, T_STRING, RANK_PATTERN)->u.regex = regex;
    return c->status;
}
