/*
 * Whether a value is valid, and nothing else: no texts, no locations, no annotations. It goes
 * through the rows of program.h. `depth` is how many levels of evaluation may still be nested.
 */
#ifndef ALK_SCHEMA_JUDGE_H
#define ALK_SCHEMA_JUDGE_H

#include "marks.h"
#include "program.h"

/* The resources with dynamic anchors on the way here, each once. */
struct scope {
    const struct resource *resource;
    const struct scope *outer;
};

/* A level deeper, with so much to look at. */
static inline bool judge_enter(struct run *run, unsigned depth, size_t steps)
{
    return depth ? charge(run, steps) : give_up(run, ALK_SCHEMA_E_LIMIT);
}

bool judge_string(struct run *run, const struct row *row, const json_t *string, unsigned depth);

/* Number, boolean or null. */
bool judge_other(struct run *run, const struct row *row, const json_t *value, unsigned depth);

/*
 * `subject` is the object when its members are shared with other schemas that apply to it, else
 * NULL; `marks` is NULL when nobody asks what has been evaluated.
 */
bool judge_array(struct run *run, const struct row *row, const json_t *array, struct marks *marks,
                 unsigned depth);
bool judge_object(struct run *run, const struct row *row, const json_t *object,
                  struct subject *subject, struct marks *marks, unsigned depth);

static inline bool judge_row(struct run *run, const struct row *row, const json_t *value,
                             struct subject *subject, struct marks *marks, unsigned depth)
{
    json_type type = json_typeof(value); /* it is no NULL, which jansson's macros ask again */
    if (type == JSON_STRING)
        return judge_string(run, row, value, depth);
    if (type == JSON_OBJECT)
        return judge_object(run, row, value, subject, marks, depth);
    if (type == JSON_ARRAY)
        return judge_array(run, row, value, marks, depth);
    return judge_other(run, row, value, depth);
}

/* A value that no other schema has been applied to. */
static inline bool judge(struct run *run, const struct node *node, const json_t *value,
                         unsigned depth)
{
    unsigned type = json_typeof(value);
    if (node->accepts >> type & 1)
        return true;
    if (node->refuses >> type & 1)
        return false;
    return judge_row(run, node->leads_to->rows[type], value, NULL, NULL, depth);
}

/* One more schema for a value. */
static inline bool judge_in_place(struct run *run, const struct node *node, const json_t *value,
                                  struct subject *subject, struct marks *marks, unsigned depth)
{
    unsigned type = json_typeof(value);
    if (node->accepts >> type & 1)
        return true;
    if (node->refuses >> type & 1)
        return false;
    return judge_enter(run, depth, 1) &&
           judge_row(run, node->leads_to->rows[type], value, subject, marks, depth - 1);
}

/* The ops from `op` on. */
bool judge_ops(struct run *run, const struct op *op, const json_t *value, struct subject *subject,
               struct marks *marks, unsigned depth);

/* ---- judge_object.c -------------------------------------------------------------------------- */

bool judge_members(struct run *run, const struct members_rule *members, const json_t *object,
                   size_t count, struct subject *subject, struct marks *marks, unsigned depth);
bool judge_required(struct run *run, const struct members_rule *members, const json_t *object,
                    struct subject *subject);
bool judge_names(struct run *run, const struct node *node, const json_t *object, unsigned depth);
bool judge_dependencies(struct run *run, const struct rule *rule, struct subject *object,
                        struct marks *marks, unsigned depth);
bool judge_unevaluated_members(struct run *run, const struct node *node, struct subject *object,
                               struct marks *marks, unsigned depth);

/* ---- judge_array.c --------------------------------------------------------------------------- */

bool judge_items(struct run *run, const struct items_rule *items, const json_t *array, size_t count,
                 struct marks *marks, unsigned depth);
bool judge_contains(struct run *run, const struct rule *rule, const json_t *array,
                    struct marks *marks, unsigned depth);
bool judge_unevaluated_items(struct run *run, const struct node *node, const json_t *array,
                             struct marks *marks, unsigned depth);

/* ---- judge_text.c ---------------------------------------------------------------------------- */

/* As far as it is about the text alone. */
bool judge_text(struct run *run, const struct row *row, const char *text, size_t length);

/* ---- judge_choice.c -------------------------------------------------------------------------- */

/* anyOf or oneOf */
bool judge_choice(struct run *run, const struct rule *rule, const json_t *value,
                  struct subject *subject, struct marks *marks, unsigned depth);
bool judge_condition(struct run *run, const struct rule *rule, const json_t *value,
                     struct subject *subject, struct marks *marks, unsigned depth);

/* Where a "$dynamicRef" leads. */
const struct node *judge_dynamic_target(const struct run *run, const struct rule *rule);

#endif
