/* How large the documents of a view can be: numbers, lengths, items and properties. */
#include "subtype.h"

#include <string.h>

/* ---- numbers --------------------------------------------------------------------------- */

/* cppcheck reads no hexadecimal fractions */
static const double TWO_62 = 4611686018427387904.0, TWO_63 = 9223372036854775808.0;

/* Exact, also where a double does not tell two integers apart. */
static int order_mixed(json_int_t integer, double real)
{
    if (real >= TWO_63 || real < -TWO_63)
        return real > 0 ? -1 : 1;
    json_int_t whole = (json_int_t)real;
    double rest = real - (double)whole;
    if (integer != whole)
        return integer < whole ? -1 : 1;
    return rest > 0 ? -1 : rest < 0;
}

int number_order(const json_t *a, const json_t *b)
{
    if (json_is_integer(a) && json_is_integer(b)) {
        json_int_t x = json_integer_value(a), y = json_integer_value(b);
        return (x > y) - (x < y);
    }
    if (json_is_integer(a))
        return order_mixed(json_integer_value(a), json_real_value(b));
    if (json_is_integer(b))
        return -order_mixed(json_integer_value(b), json_real_value(a));
    double x = json_real_value(a), y = json_real_value(b);
    return (x > y) - (x < y);
}

/* Integers: an open bound, or one between two of them, is the next one inside. */
static void round_inward(struct limit *limit, int sign)
{
    json_int_t whole;
    if (json_is_integer(limit->value)) {
        whole = json_integer_value(limit->value);
    } else {
        double real = json_real_value(limit->value);
        if (real >= TWO_62 || real <= -TWO_62)
            return;
        whole = (json_int_t)real;
        bool inside = sign > 0 ? (double)whole > real : (double)whole < real;
        if ((double)whole != real) {
            whole += inside ? 0 : sign;
            limit->open = false;
        }
    }
    if (limit->open && __builtin_add_overflow(whole, (json_int_t)sign, &whole))
        return;
    limit->open = false;
    limit->whole = true;
    limit->integer = whole;
}

struct limit limit_make(const json_t *closed, const json_t *open, int sign, bool integers)
{
    struct limit limit = {.value = json_is_number(closed) ? closed : NULL};
    if (json_is_number(open) && (!limit.value || number_order(open, limit.value) * sign >= 0))
        limit = (struct limit){.value = open, .open = true};
    if (limit.value && integers)
        round_inward(&limit, sign);
    return limit;
}

struct limit view_limit(const struct view *view, int sign)
{
    return limit_make(view_bound(view, sign > 0 ? "minimum" : "maximum", sign),
                      view_bound(view, sign > 0 ? "exclusiveMinimum" : "exclusiveMaximum", sign),
                      sign, !(view->types & T_FRACTION));
}

static int limit_order(const struct limit *a, const struct limit *b)
{
    if (a->whole && b->whole)
        return (a->integer > b->integer) - (a->integer < b->integer);
    return number_order(a->value, b->value);
}

bool limit_within(const struct limit *own, const struct limit *wanted, int sign)
{
    if (!wanted->value)
        return true;
    int order = own->value ? limit_order(own, wanted) * sign : -1;
    return order > 0 || (order == 0 && (own->open || !wanted->open));
}

static bool no_numbers(const struct view *view)
{
    struct limit low = view_limit(view, 1), high = view_limit(view, -1);
    if (!low.value || !high.value)
        return false;
    int order = limit_order(&low, &high);
    return order > 0 || (order == 0 && (low.open || high.open));
}

/* ---- sizes ---------------------------------------------------------------------------------- */

static double bound_or(const struct view *view, const char *keyword, int sign, double otherwise)
{
    const json_t *bound = view_bound(view, keyword, sign);
    return bound ? json_number_value(bound) : otherwise;
}

size_t view_prefix(const struct view *view)
{
    size_t longest = 0;
    for (size_t i = 0; i < view->count; i++) {
        size_t n = json_array_size(json_object_get(view->parts[i].schema, "prefixItems"));
        longest = n > longest ? n : longest;
    }
    return longest;
}

double view_most_items(const struct view *view, const struct subtype *s)
{
    double most = bound_or(view, "maxItems", -1, NO_BOUND);
    size_t prefix = view_prefix(view);
    for (size_t i = 0; i <= prefix && (double)i < most; i++) {
        struct view item;
        view_item(view, s, i, &item);
        if (item.never)
            return (double)i;
    }
    return most;
}

double view_least_items(const struct view *view)
{
    double least = bound_or(view, "minItems", 1, 0);
    for (size_t i = 0; i < view->count; i++) {
        const json_t *part = view->parts[i].schema, *n = json_object_get(part, "minContains");
        double found = n ? json_number_value(n) : 1;
        if (json_object_get(part, "contains") && found > least)
            least = found;
    }
    return least;
}

/* Names in some list or object of the parts, each once. */
static json_t *names_of(const struct view *view, const char *keyword)
{
    json_t *names = json_object();
    for (size_t i = 0; i < view->count; i++) {
        json_t *listed = json_object_get(view->parts[i].schema, keyword);
        json_object_update_missing(names, listed);
        for (size_t n = 0; n < json_array_size(listed); n++)
            if (json_is_string(json_array_get(listed, n)))
                json_object_set_new(names, json_string_value(json_array_get(listed, n)),
                                    json_true());
    }
    return names;
}

double view_most_properties(const struct view *view, const struct subtype *s)
{
    double most = bound_or(view, "maxProperties", -1, NO_BOUND), named = 0;
    struct view own;
    view_other_properties(view, s, &own);
    if (!own.never)
        return most;
    json_t *names = names_of(view, "properties"), *required = names_of(view, "required"), *unused;
    const char *name;
    json_object_update(names, required);
    json_decref(required);
    json_object_foreach(names, name, unused)
    {
        view_property(view, s, name, &own);
        named += !own.never;
    }
    json_decref(names);
    return named < most ? named : most;
}

double view_required_properties(const struct view *view)
{
    json_t *names = names_of(view, "required");
    double count = (double)json_object_size(names);
    json_decref(names);
    return count;
}

double view_least_properties(const struct view *view)
{
    double required = view_required_properties(view), least = bound_or(view, "minProperties", 1, 0);
    return least > required ? least : required;
}

static bool no_objects(const struct view *view, const struct subtype *s)
{
    bool none = view_least_properties(view) > view_most_properties(view, s);
    json_t *names = names_of(view, "required"), *unused;
    const char *name;
    json_object_foreach(names, name, unused)
    {
        struct view own;
        view_property(view, s, name, &own);
        none = none || own.never;
    }
    json_decref(names);
    return none;
}

unsigned view_possible(const struct view *view, const struct subtype *s)
{
    unsigned types = view->types;
    if (types & T_NUMBER && no_numbers(view))
        types &= ~(unsigned)T_NUMBER;
    if (types & T_STRING &&
        bound_or(view, "minLength", 1, 0) > bound_or(view, "maxLength", -1, NO_BOUND))
        types &= ~(unsigned)T_STRING;
    if (types & T_ARRAY && view_least_items(view) > view_most_items(view, s))
        types &= ~(unsigned)T_ARRAY;
    if (types & T_OBJECT && no_objects(view, s))
        types &= ~(unsigned)T_OBJECT;
    return types;
}
