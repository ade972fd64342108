#include "judge.h"

bool judge_items(struct run *run, const struct items_rule *items, const json_t *array, size_t count,
                 struct marks *marks, unsigned depth)
{
    size_t i = 0;
    if (!judge_enter(run, depth, 1 + count))
        return false;
    for (; i < count && i < items->prefix_count; i++) {
        if (!judge(run, items->prefix[i], json_array_get(array, i), depth - 1))
            return false;
        if (marks)
            marks_set(marks, i);
    }
    if (!items->rest)
        return true;
    if (marks)
        marks_all(marks);
    for (; i < count; i++)
        if (!judge(run, items->rest, json_array_get(array, i), depth - 1))
            return false;
    return true;
}

bool judge_array(struct run *run, const struct row *row, const json_t *array, struct marks *marks,
                 unsigned depth)
{
    size_t count = json_array_size(array);
    return count >= row->range.size.min && count <= row->range.size.max &&
           (!row->items || judge_items(run, row->items, array, count, marks, depth)) &&
           (!row->ops || judge_ops(run, row->ops, array, NULL, marks, depth));
}

bool judge_contains(struct run *run, const struct rule *rule, const json_t *array,
                    struct marks *marks, unsigned depth)
{
    size_t count = json_array_size(array), found = 0;
    size_t min = rule->u.contains.min, max = rule->u.contains.max;
    bool mark = marks && rule->u.contains.evaluates;
    if (!judge_enter(run, depth, 1 + count))
        return false;
    for (size_t i = 0; i < count && (mark || found < min || max != SIZE_MAX); i++) {
        if (!judge(run, rule->u.contains.node, json_array_get(array, i), depth - 1))
            continue;
        found++;
        if (mark)
            marks_set(marks, i);
    }
    return found >= min && found <= max;
}

bool judge_unevaluated_items(struct run *run, const struct node *node, const json_t *array,
                             struct marks *marks, unsigned depth)
{
    size_t count = json_array_size(array);
    if (marks_complete(marks))
        return true;
    if (!judge_enter(run, depth, 1 + count))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!marks_has(marks, i) && !judge(run, node, json_array_get(array, i), depth - 1))
            return false;
    marks_all(marks);
    return true;
}
