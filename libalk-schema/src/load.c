/* Reading JSON text with bounds. */
#include "error.h"

/* The deepest nesting of brackets outside strings, without recursion. */
static unsigned text_depth(const char *text, size_t length, unsigned limit)
{
    unsigned depth = 0, deepest = 0;
    bool in_string = false;
    for (size_t i = 0; i < length && deepest <= limit; i++) {
        char c = text[i];
        if (in_string && c == '\\')
            i++;
        else if (c == '"')
            in_string = !in_string;
        else if (!in_string && (c == '[' || c == '{'))
            deepest = ++depth > deepest ? depth : deepest;
        else if (!in_string && (c == ']' || c == '}') && depth)
            depth--;
    }
    return deepest;
}

int alk_json_load(const char *text, size_t length, const struct alk_json_limits *limits,
                  json_t **out, struct alk_schema_error *error)
{
    static const struct alk_json_limits defaults = ALK_JSON_LIMITS_INIT;
    json_error_t problem;
    *out = NULL;
    if (!limits)
        limits = &defaults;
    unsigned max_depth = limits->max_depth < 2000 ? limits->max_depth : 2000;
    if (length > limits->max_bytes)
        return error_set(error, ALK_SCHEMA_E_LIMIT, "", "the text is longer than %zu bytes",
                         limits->max_bytes);
    if (text_depth(text, length, max_depth) > max_depth)
        return error_set(error, ALK_SCHEMA_E_LIMIT, "", "the text is nested deeper than %u",
                         max_depth);
    *out = json_loadb(text, length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &problem);
    if (*out)
        return ALK_SCHEMA_OK;
    if (json_error_code(&problem) == json_error_out_of_memory)
        return error_set(error, ALK_SCHEMA_E_NOMEM, "", "out of memory");
    return error_set(error, ALK_SCHEMA_E_JSON, "", "line %d, column %d: %s", problem.line,
                     problem.column, problem.text);
}
