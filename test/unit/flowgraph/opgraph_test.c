/* The operation graph: edges, reasons, cycles, what follows, and chains. */
#include "alk/opgraph.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* find -> read -> parse -> store, and an operation that says nothing of its types */
static const char specs_text[] =
    "[{\"name\":\"/fs/find\",\"input_schema\":{\"type\":\"object\",\"properties\":{\"glob\":"
    "{\"type\":\"string\"}},\"required\":[\"glob\"]},\"output_schema\":{\"type\":\"object\","
    "\"properties\":{\"path\":{\"type\":\"string\",\"maxLength\":100}},\"required\":[\"path\"]}},"
    "{\"name\":\"/fs/read\",\"input_schema\":{\"type\":\"object\",\"properties\":{\"path\":"
    "{\"type\":\"string\"},\"limit\":{\"type\":\"integer\"}},\"required\":[\"path\"]},"
    "\"output_schema\":{\"type\":\"object\",\"properties\":{\"text\":{\"type\":\"string\"}},"
    "\"required\":[\"text\"]}},"
    "{\"name\":\"/csv/parse\",\"input_schema\":{\"type\":\"object\",\"properties\":{\"text\":"
    "{\"type\":\"string\"}},\"required\":[\"text\"]},\"output_schema\":{\"type\":\"array\","
    "\"items\":{\"type\":\"integer\"}}},"
    "{\"name\":\"/db/store\",\"input_schema\":{\"type\":\"array\",\"items\":{\"type\":\"number\"}},"
    "\"output_schema\":{\"type\":\"null\"}},"
    "{\"name\":\"/any/thing\",\"input_schema\":{},\"output_schema\":true}]";

static struct alk_opgraph *build(void)
{
    struct alk_opgraph *ops;
    struct alk_graph_error error;
    json_t *specs = json_loads(specs_text, 0, NULL);
    if (alk_opgraph_build(specs, NULL, &ops, &error))
        fail_msg("%s", error.text);
    json_decref(specs);
    return ops;
}

static void expect_names(const struct alk_graph *g, struct alk_node_list *list,
                         const char *expected)
{
    char text[256] = "";
    for (size_t i = 0; i < list->count; i++) {
        strcat(text, i ? " " : "");
        strcat(text, alk_graph_key(g, list->nodes[i]));
    }
    assert_string_equal(text, expected);
    alk_node_list_free(list);
}

static void test_edges(void **state)
{
    (void)state;
    struct alk_opgraph *ops = build();
    const struct alk_graph *g = alk_opgraph_graph(ops);
    struct alk_node_list list;
    alk_node find = alk_graph_find(g, "/fs/find"), parse = alk_graph_find(g, "/csv/parse");
    json_t *edge = alk_graph_edge_attributes(g, find, parse);
    assert_true(json_is_false(json_object_get(edge, "compatible")));
    assert_string_equal(json_string_value(json_object_get(edge, "reason")),
                        "the input requires the property \"text\", which the output does not have");
    edge = alk_graph_edge_attributes(g, find, alk_graph_find(g, "/fs/read"));
    assert_true(json_is_true(json_object_get(edge, "compatible")));
    assert_null(json_object_get(edge, "reason"));
    assert_int_equal(alk_graph_in_degree(g, alk_graph_find(g, "/any/thing")), 0);
    assert_int_equal(alk_graph_out_degree(g, alk_graph_find(g, "/any/thing")), 0);

    assert_int_equal(alk_opgraph_followers(ops, "/fs/find", &list), 0);
    expect_names(g, &list, "/fs/read");
    assert_int_equal(alk_opgraph_followers(ops, "/none", &list), ALK_GRAPH_E_UNKNOWN);
    alk_node_list_free(&list);
    alk_opgraph_free(ops);
}

static void test_chains(void **state)
{
    (void)state;
    struct alk_opgraph *ops = build();
    const struct alk_graph *g = alk_opgraph_graph(ops);
    struct alk_node_list list;
    json_t *glob = json_pack("{s:s,s:{s:{s:s}},s:[s]}", "type", "object", "properties", "glob",
                             "type", "string", "required", "glob");
    json_t *numbers = json_pack("{s:s,s:{s:s}}", "type", "array", "items", "type", "number");
    json_t *text = json_pack("{s:s}", "type", "string");
    assert_int_equal(alk_opgraph_chain(ops, glob, numbers, &list), 0);
    expect_names(g, &list, "/fs/find /fs/read /csv/parse");
    assert_int_equal(alk_opgraph_chain(ops, numbers, glob, &list), 0);
    expect_names(g, &list, "");
    assert_int_equal(alk_opgraph_chain(ops, text, numbers, &list), 0);
    expect_names(g, &list, "");
    json_decref(glob);
    json_decref(numbers);
    json_decref(text);
    alk_opgraph_free(ops);
}

static void test_cycles(void **state)
{
    (void)state;
    json_t *specs =
        json_pack("[{s:s,s:{s:s},s:{s:s}},{s:s,s:{s:s},s:{s:s}}]", "name", "/a/up", "input_schema",
                  "type", "string", "output_schema", "type", "integer", "name", "/a/down",
                  "input_schema", "type", "number", "output_schema", "type", "string");
    struct alk_opgraph_options options = ALK_OPGRAPH_OPTIONS_INIT;
    struct alk_opgraph *ops;
    struct alk_graph_error error;
    assert_int_equal(alk_opgraph_build(specs, NULL, &ops, &error), ALK_GRAPH_E_CYCLE);
    assert_string_equal(
        error.text, "the edge /a/down -> /a/up would close the cycle /a/up -> /a/down -> /a/up");
    options.allow_cycles = true;
    assert_int_equal(alk_opgraph_build(specs, &options, &ops, &error), 0);
    assert_int_equal(alk_graph_edge_count(alk_opgraph_graph(ops)), 2);
    alk_opgraph_free(ops);
    json_decref(specs);
}

static void test_bad_specs(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int status;
    } cases[] = {{"{}", ALK_GRAPH_E_FORM},
                 {"[3]", ALK_GRAPH_E_FORM},
                 {"[{\"name\":1}]", ALK_GRAPH_E_FORM},
                 {"[{\"name\":\"/a\"},{\"name\":\"/a\"}]", ALK_GRAPH_E_EXISTS},
                 {"[{\"name\":\"/a\"},{\"name\":\"/b\",\"input_schema\":3}]", 0},
                 {"[]", 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct alk_opgraph *ops;
        struct alk_graph_error error = {""};
        json_t *specs = json_loads(cases[i].text, 0, NULL);
        int status = alk_opgraph_build(specs, NULL, &ops, &error);
        if (status != cases[i].status || (status && !error.text[0]))
            fail_msg("%s: expected %d, got %d", cases[i].text, cases[i].status, status);
        alk_opgraph_free(ops);
        json_decref(specs);
    }
}

/* A reason whose names had to be cut in the middle of a character. */
static void test_long_names_in_reasons(void **state)
{
    (void)state;
    for (size_t shift = 0; shift < 4; shift++) {
        char name[400] = "xxx";
        for (size_t i = shift; i + 4 < sizeof name; i += 4)
            memcpy(name + i, "\xf0\x9f\x98\x80", 5);
        json_t *specs =
            json_pack("[{s:s,s:{s:s}},{s:s,s:{s:s,s:[s]}}]", "name", "/a", "output_schema", "type",
                      "object", "name", "/b", "input_schema", "type", "object", "required", name);
        struct alk_opgraph *ops;
        struct alk_graph_error error;
        if (alk_opgraph_build(specs, NULL, &ops, &error))
            fail_msg("%s", error.text);
        json_t *edge = alk_graph_edge_attributes(alk_opgraph_graph(ops), 0, 1);
        assert_non_null(strstr(json_string_value(json_object_get(edge, "reason")), "requires"));
        alk_opgraph_free(ops);
        json_decref(specs);
    }
}

/* A worker's schema that is none gives no edges; the others have theirs. */
static void test_invalid_schemas(void **state)
{
    (void)state;
    json_t *specs = json_loads(specs_text, 0, NULL), *bad;
    json_array_append_new(specs, json_pack("{s:s,s:{s:s},s:{s:s,s:s}}", "name", "/bad",
                                           "output_schema", "type", "strnig", "input_schema",
                                           "type", "object", "required", "path"));
    bad = json_array_get(specs, json_array_size(specs) - 1);
    struct alk_opgraph *ops;
    struct alk_graph_error error;
    if (alk_opgraph_build(specs, NULL, &ops, &error))
        fail_msg("%s", error.text);
    const struct alk_graph *g = alk_opgraph_graph(ops);
    alk_node node = alk_graph_find(g, json_string_value(json_object_get(bad, "name")));
    struct alk_node_list list;
    assert_int_equal(alk_opgraph_followers(ops, "/bad", &list), 0);
    assert_int_equal(list.count, 0);
    alk_node_list_free(&list);
    for (size_t i = 0; i < alk_graph_in_degree(g, node); i++) {
        json_t *edge = alk_graph_edge_attributes(g, alk_graph_in(g, node, i), node);
        assert_true(json_is_false(json_object_get(edge, "compatible")));
    }
    assert_int_equal(alk_opgraph_followers(ops, "/fs/find", &list), 0);
    expect_names(g, &list, "/fs/read");
    alk_opgraph_free(ops);
    json_decref(specs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_edges),
        cmocka_unit_test(test_chains),
        cmocka_unit_test(test_cycles),
        cmocka_unit_test(test_bad_specs),
        cmocka_unit_test(test_long_names_in_reasons),
        cmocka_unit_test(test_invalid_schemas),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
