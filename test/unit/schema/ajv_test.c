/* Differential test: ajv and we must agree on random schemas and documents. */
#include "alk/schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT 250

static void compare(const json_t *line, unsigned *valid)
{
    struct alk_schema *schema;
    struct alk_schema_error error;
    const json_t *source = json_object_get(line, "schema");
    const json_t *documents = json_object_get(line, "documents");
    if (alk_schema_compile(source, NULL, &schema, &error))
        fail_msg("%s\n%s: %s", json_dumps(source, JSON_COMPACT), error.schema, error.text);
    for (size_t i = 0; i < json_array_size(documents); i++) {
        const json_t *document = json_array_get(documents, i);
        bool expected = json_is_true(json_array_get(json_object_get(line, "valid"), i));
        int status = alk_schema_validate(schema, document, &error);
        json_t *output;
        int listed = alk_schema_output(schema, document, ALK_SCHEMA_BASIC, &output);
        if (listed != status)
            fail_msg("%s\non %s\nvalidated %d, listed %d", json_dumps(source, JSON_COMPACT),
                     json_dumps(document, JSON_COMPACT | JSON_ENCODE_ANY), status, listed);
        json_decref(output);
        if (status != (expected ? ALK_SCHEMA_OK : ALK_SCHEMA_E_INVALID))
            fail_msg("%s\non %s\nexpected %s, got %d %s %s", json_dumps(source, JSON_COMPACT),
                     json_dumps(document, JSON_COMPACT | JSON_ENCODE_ANY),
                     expected ? "valid" : "invalid", status, status ? error.schema : "",
                     status ? error.text : "");
        *valid += expected;
    }
    alk_schema_free(schema);
}

static void run_seed(unsigned seed)
{
    char command[128], *line = NULL;
    size_t size = 0;
    unsigned lines = 0, valid = 0;
    snprintf(command, sizeof command, "node test/diff/schema_ajv.js %u %d", seed, COUNT);
    FILE *ajv = popen(command, "r");
    assert_non_null(ajv);
    while (getline(&line, &size, ajv) > 0) {
        json_error_t error;
        json_t *json = json_loads(line, 0, &error);
        if (!json)
            fail_msg("%s: %s", error.text, line);
        compare(json, &valid);
        json_decref(json);
        lines++;
    }
    free(line);
    if (pclose(ajv) != 0 || lines != COUNT)
        fail_msg("`%s` did not work (from the top folder; `make deps` installs ajv)", command);
    print_message("seed %u: %u schemas, %u of %u documents valid\n", seed, lines, valid,
                  lines * 12);
    assert_true(valid > lines * 2 && valid < lines * 10);
}

static void test_agrees_with_ajv(void **state)
{
    (void)state;
    run_seed(1);
    run_seed(20201212);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_agrees_with_ajv)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
