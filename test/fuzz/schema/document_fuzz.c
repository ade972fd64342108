/*
 * A schema and a document as [schema, document, document...]: the judgement and the report, which are
 * two evaluations, must agree whatever the bounds leave of the answer.
 */
#include "alk/schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Each of them meets bounds in its own place. */
static int answers_differ(int one, int other)
{
    return one != other && one != ALK_SCHEMA_E_LIMIT && other != ALK_SCHEMA_E_LIMIT;
}

static void check(const struct alk_schema *schema, const json_t *document)
{
    struct alk_schema_error error;
    json_t *basic, *detailed;
    int status = alk_schema_validate(schema, document, NULL);
    if (answers_differ(alk_schema_validate(schema, document, &error), status))
        __builtin_trap();
    int listed = alk_schema_output(schema, document, ALK_SCHEMA_BASIC, &basic);
    int nested = alk_schema_output(schema, document, ALK_SCHEMA_DETAILED, &detailed);
    if (listed != nested || answers_differ(listed, status))
        __builtin_trap();
    json_decref(basic);
    json_decref(detailed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct alk_schema_options options = ALK_SCHEMA_OPTIONS_INIT;
    struct alk_schema *schema;
    json_t *json;
    options.max_steps = 20000;
    options.match_limit = 1000;
    options.max_errors = 20;
    options.assert_format = size & 1;
    if (alk_json_load((const char *)data, size, NULL, &json, NULL))
        return 0;
    const json_t *first = json_array_get(json, 0);
    if (first && alk_schema_compile(first, &options, &schema, NULL) == ALK_SCHEMA_OK) {
        for (size_t i = 1; i < json_array_size(json) && i < 8; i++)
            check(schema, json_array_get(json, i));
        alk_schema_free(schema);
    }
    json_decref(json);
    return 0;
}
