#include "assertion.h"

size_t text_code_points(struct run *run, const char *text, size_t length)
{
    size_t count = 0;
    if (!charge(run, length / CHARGED_BYTES))
        return 0;
    for (size_t i = 0; i < length; i++)
        count += ((unsigned char)text[i] & 0xc0) != 0x80;
    return count;
}

bool text_matches_hard(struct run *run, const struct regex *regex, const char *text, size_t length)
{
    int found = regex_match_easily(regex, text, length, &run->scratch);
    /* it may take as long as its limit allows, so that is what it costs */
    uint64_t cost = run->schema->options.match_limit / BACKTRACKS_CHARGED;
    if (found == ALK_SCHEMA_E_LIMIT && charge(run, cost))
        found = regex_match(regex, text, length, &run->scratch);
    return found < 0 ? give_up(run, found) : found > 0;
}

static bool equal(struct run *run, const json_t *a, const json_t *b)
{
    bool equal = value_equal(a, b, &run->steps);
    return run->steps > 0 ? equal : give_up(run, ALK_SCHEMA_E_LIMIT);
}

bool value_is(struct run *run, const struct rule *constant, const json_t *value)
{
    if (json_is_string(value))
        return text_is(run, constant, json_string_value(value), json_string_length(value));
    return !constant->u.constant.text && equal(run, constant->u.constant.value, value);
}

bool value_is_listed(struct run *run, const struct rule *enumeration, const json_t *value)
{
    const json_t *listed = enumeration->u.enumeration.value;
    if (json_is_string(value))
        return text_is_listed(enumeration, json_string_value(value), json_string_length(value));
    if (enumeration->u.enumeration.only_strings)
        return false;
    for (size_t i = 0; i < json_array_size(listed); i++)
        if (equal(run, json_array_get(listed, i), value))
            return true;
    return false;
}

bool items_are_unique(struct run *run, const json_t *array)
{
    if (!charge(run, json_array_size(array)))
        return false;
    int unique = value_items_unique(array, run->schema->options.max_depth);
    return unique < 0 ? give_up(run, unique) : unique > 0;
}
