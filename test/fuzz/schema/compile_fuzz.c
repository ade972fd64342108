/* Any text as a schema: it compiles or is refused; what compiles validates itself. */
#include "alk/schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct alk_schema_options options = ALK_SCHEMA_OPTIONS_INIT;
    struct alk_schema_error error;
    struct alk_schema *schema;
    json_t *json, *output;
    options.max_steps = 20000;
    options.match_limit = 1000;
    options.max_errors = 20;
    options.assert_format = size & 1;
    if (alk_json_load((const char *)data, size, NULL, &json, &error))
        return 0;
    if (alk_schema_compile(json, &options, &schema, &error) == ALK_SCHEMA_OK) {
        int status = alk_schema_validate(schema, json, &error);
        if (alk_schema_output(schema, json, ALK_SCHEMA_DETAILED, &output) == ALK_SCHEMA_OK &&
            status == ALK_SCHEMA_E_INVALID)
            __builtin_trap();
        json_decref(output);
        alk_schema_free(schema);
    }
    json_decref(json);
    return 0;
}
