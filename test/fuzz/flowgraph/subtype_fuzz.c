/* [output, input, document...]: where the answer is yes, what fits the output fits the input. */
#include "alk/opgraph.h"

#include <alk/schema.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct alk_schema_options options = ALK_SCHEMA_OPTIONS_INIT;
    struct alk_schema *from = NULL, *to = NULL;
    json_t *json;
    options.max_steps = 20000;
    options.match_limit = 1000;
    if (size > 4000 || alk_json_load((const char *)data, size, NULL, &json, NULL))
        return 0;
    const json_t *output = json_array_get(json, 0), *input = json_array_get(json, 1);
    if (output && input &&
        alk_type_compat(output, input, ALK_COMPAT_STRICT, NULL) == ALK_COMPAT_YES &&
        alk_schema_compile(output, &options, &from, NULL) == ALK_SCHEMA_OK &&
        alk_schema_compile(input, &options, &to, NULL) == ALK_SCHEMA_OK) {
        for (size_t i = 2; i < json_array_size(json) && i < 10; i++) {
            const json_t *document = json_array_get(json, i);
            if (alk_schema_validate(from, document, NULL) == ALK_SCHEMA_OK &&
                alk_schema_validate(to, document, NULL) == ALK_SCHEMA_E_INVALID)
                __builtin_trap();
        }
    }
    alk_schema_free(from);
    alk_schema_free(to);
    json_decref(json);
    return 0;
}
