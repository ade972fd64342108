#include "assertion.h"
#include "judge.h"

static bool judge_rules(struct run *run, const struct op *op, const char *text, size_t length)
{
    for (bool holds = true; holds; op++) {
        const struct rule *rule = op->of.rule;
        switch (op->code) {
        case OP_END:
            return true;
        case CHECK_CONST:
            holds = text_is(run, rule, text, length);
            break;
        case CHECK_ENUM:
            holds = text_is_listed(rule, text, length);
            break;
        case CHECK_PATTERN:
            holds = text_matches(run, rule->u.regex, text, length);
            break;
        case CHECK_FORMAT:
            holds = rule->u.format.check(text, length);
            break;
        default:
            return false;
        }
    }
    return false;
}

bool judge_text(struct run *run, const struct row *row, const char *text, size_t length)
{
    return text_has_at_least(run, row->range.size.min, text, length) &&
           text_has_at_most(run, row->range.size.max, text, length) &&
           (!row->texts || judge_rules(run, row->texts, text, length));
}

bool judge_string(struct run *run, const struct row *row, const json_t *string, unsigned depth)
{
    size_t length = json_string_length(string);
    bool obvious =
        !row->texts && length / 4 >= row->range.size.min && length <= row->range.size.max;
    return (obvious || judge_text(run, row, json_string_value(string), length)) &&
           (!row->ops || judge_ops(run, row->ops, string, NULL, NULL, depth));
}
