/* The picture in docs/flowgraph.md is what the library draws of the example's log. */
#include "alk/callgraph.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char *read_file(const char *name)
{
    char *text = calloc(1, 65536);
    FILE *file = fopen(name, "r");
    if (!file)
        fail_msg("%s cannot be read (tests run in the top folder)", name);
    assert_true(fread(text, 1, 65535, file) > 0);
    fclose(file);
    return text;
}

static void test_picture(void **state)
{
    (void)state;
    struct alk_callgraph *calls = alk_callgraph_new(NULL);
    char *log = read_file("examples/callgraph.jsonl"), *docs = read_file("docs/flowgraph.md");
    for (char *line = strtok(log, "\n"); line; line = strtok(NULL, "\n")) {
        struct alk_graph_error error;
        json_t *entry = json_loads(line, 0, NULL);
        if (alk_callgraph_apply_envelope(calls, json_object_get(entry, "envelope"),
                                         json_integer_value(json_object_get(entry, "at")), NULL,
                                         json_is_true(json_object_get(entry, "last")), &error))
            fail_msg("%s: %s", line, error.text);
        json_decref(entry);
    }
    char *picture = alk_callgraph_to_mermaid(calls);
    if (!strstr(docs, picture))
        fail_msg("docs/flowgraph.md should have:\n%s", picture);
    free(picture);
    free(docs);
    free(log);
    alk_callgraph_free(calls);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_picture)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
