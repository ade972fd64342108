/* format, and keywords that only annotate: meta-data, content and unknown ones. */
#include "compiler.h"
#include "format.h"
#include "report.h"

#include <string.h>

static bool check_annotation(struct run *run, const struct frame *frame, const struct rule *rule)
{
    annotate(run, frame, rule->keyword, rule->u.value);
    return true;
}

int keyword_annotation(struct compiler *c, struct node *node, const struct place *at,
                       const char *keyword, json_t *value)
{
    (void)c;
    (void)at;
    unsigned applies = strncmp(keyword, "content", 7) == 0 ? T_STRING : T_ANY;
    compiler_rule(node, CHECK_NOTHING, check_annotation, keyword, applies)->u.value = value;
    return 0;
}

static bool check_format(struct run *run, const struct frame *frame, const struct rule *rule)
{
    const json_t *instance = frame->subject->value;
    annotate(run, frame, rule->keyword, rule->u.format.value);
    if (!rule->u.format.check ||
        rule->u.format.check(json_string_value(instance), json_string_length(instance)))
        return true;
    return violated(run, frame, rule->keyword, "must be in the format \"%s\"",
                    json_string_value(rule->u.format.value));
}

int keyword_format(struct compiler *c, struct node *node, const struct place *at,
                   const char *keyword, json_t *value)
{
    bool assert_it = c->out->options.assert_format ||
                     at->resource->dialect->vocabularies & VOCAB_FORMAT_ASSERTION;
    format_fn *check = assert_it ? format_find(json_string_value(value)) : NULL;
    struct rule *rule = compiler_rule(node, check ? CHECK_FORMAT : CHECK_NOTHING, check_format,
                                      keyword, check ? T_STRING : T_ANY);
    rule->u.format.value = value;
    rule->u.format.check = check;
    return 0;
}
