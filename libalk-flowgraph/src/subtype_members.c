/* Objects and arrays. */
#include "subtype.h"

#include <stdio.h>
#include <string.h>

/* ---- objects ------------------------------------------------------------------------------ */

static enum alk_compat check_required(struct subtype *s, const struct view *view,
                                      const json_t *input)
{
    const json_t *names = json_object_get(input, "required");
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));
        struct view own;
        if (!name || view_requires(view, name))
            continue;
        view_property(view, s, name, &own);
        return subtype_no(s, "the input requires the property \"%.60s\", which the output %s", name,
                          own.never || !own.count ? "does not have" : "may leave out");
    }
    return ALK_COMPAT_YES;
}

static bool is_open(const struct view *view)
{
    return !view->never && view->count == 0;
}

static enum alk_compat check_properties(struct subtype *s, const struct view *view,
                                        const json_t *input)
{
    static const char *const names[] = {"unevaluatedProperties", NULL};
    bool unsure = view_has_any(view, names) && !view_sealed(view);
    enum alk_compat answer = ALK_COMPAT_YES;
    const char *name;
    json_t *wanted;
    json_object_foreach(json_object_get(input, "properties"), name, wanted)
    {
        struct view own;
        view_property(view, s, name, &own);
        if (unsure && is_open(&own)) {
            answer = compat_worse(answer, ALK_COMPAT_UNKNOWN);
            continue;
        }
        if (json_is_false(wanted) && !own.never && is_open(&own))
            answer = compat_worse(answer, subtype_no(s,
                                                     "the output may have the property \"%.60s\", "
                                                     "which the input forbids",
                                                     name));
        else
            answer = compat_worse(answer, subtype_below(s, name, &own, wanted));
    }
    return answer;
}

/* Properties of the output that the input does not name, against what it says of those. */
static enum alk_compat check_additional(struct subtype *s, const struct view *view,
                                        const json_t *input)
{
    const json_t *additional = json_object_get(input, "additionalProperties");
    const json_t *named = json_object_get(input, "properties");
    enum alk_compat answer = ALK_COMPAT_YES;
    struct view own;
    if (!additional || json_is_true(additional))
        return answer;
    if (json_object_get(input, "patternProperties"))
        return ALK_COMPAT_UNKNOWN;
    for (size_t i = 0; i < view->count; i++) {
        const char *name;
        json_t *unused;
        json_object_foreach(json_object_get(view->parts[i].schema, "properties"), name, unused)
        {
            if (json_object_get(named, name))
                continue;
            view_property(view, s, name, &own);
            if (json_is_false(additional) && !own.never)
                return subtype_no(s,
                                  "the output has the property \"%.60s\", which the input "
                                  "does not allow",
                                  name);
            answer = compat_worse(answer, subtype_below(s, name, &own, additional));
        }
    }
    view_other_properties(view, s, &own);
    if (json_is_false(additional) && !own.never)
        return subtype_no(s,
                          "the output may have other properties, which the input does not allow");
    return compat_worse(answer, subtype_below(s, "*", &own, additional));
}

static enum alk_compat check_count(struct subtype *s, const struct view *view, const json_t *input)
{
    const json_t *least = json_object_get(input, "minProperties");
    const json_t *most = json_object_get(input, "maxProperties");
    if (json_is_number(least) && view_least_properties(view) < json_number_value(least))
        return subtype_no(s, "the output may have fewer properties than the input allows");
    if (json_is_number(most) && view_most_properties(view, s) > json_number_value(most))
        return subtype_no(s, "the output may have more properties than the input allows");
    return ALK_COMPAT_YES;
}

enum alk_compat subtype_object(struct subtype *s, const struct view *view, const json_t *input)
{
    static const char *const names[] = {"propertyNames", "unevaluatedProperties", NULL};
    enum alk_compat answer = check_required(s, view, input);
    answer = compat_worse(answer, check_properties(s, view, input));
    bool had_reason = subtype_has_reason(s);
    enum alk_compat others = check_additional(s, view, input);
    others = compat_worse(others, check_count(s, view, input));
    if (view_has_any(view, names) && !view_sealed(view))
        others = subtype_doubt(s, others, had_reason);
    return compat_worse(answer, others);
}

/* ---- arrays ---------------------------------------------------------------------------------- */

static enum alk_compat check_item_count(struct subtype *s, const struct view *view,
                                        const json_t *input, double most)
{
    const json_t *wanted_least = json_object_get(input, "minItems");
    const json_t *wanted_most = json_object_get(input, "maxItems");
    if (json_is_number(wanted_least) && view_least_items(view) < json_number_value(wanted_least))
        return subtype_no(s, "the output may have fewer items than the input allows");
    if (json_is_number(wanted_most) && most > json_number_value(wanted_most))
        return subtype_no(s, "the output may have more items than the input allows");
    return ALK_COMPAT_YES;
}

enum alk_compat subtype_array(struct subtype *s, const struct view *view, const json_t *input)
{
    const json_t *prefix = json_object_get(input, "prefixItems");
    const json_t *items = json_object_get(input, "items");
    const json_t *unique = json_object_get(input, "uniqueItems");
    static const char *const names[] = {"unevaluatedItems", NULL};
    double most = view_most_items(view, s);
    bool had_reason = subtype_has_reason(s);
    enum alk_compat answer = check_item_count(s, view, input, most);
    size_t count = view_prefix(view), wanted = json_array_size(prefix);
    if (wanted > count)
        count = wanted;
    /* one place beyond all prefixes stands for the rest */
    for (size_t i = 0; i <= count && count < 1000; i++) {
        const json_t *want = i < wanted ? json_array_get(prefix, i) : items;
        struct view own;
        char token[24];
        if (!want || (double)i >= most)
            continue;
        view_item(view, s, i, &own);
        snprintf(token, sizeof token, i < count ? "%zu" : "items", i);
        answer = compat_worse(answer, subtype_below(s, token, &own, want));
    }
    if (json_is_true(unique) && !view_has(view, "uniqueItems", unique) && most > 1)
        answer = compat_worse(answer, subtype_no(s, "the output's items may be equal, the input's "
                                                    "may not"));
    if (count >= 1000)
        return ALK_COMPAT_UNKNOWN;
    return view_has_any(view, names) ? subtype_doubt(s, answer, had_reason) : answer;
}
