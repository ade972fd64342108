/* Differential tests: graphology, igraph and Graphviz must see in a graph what we see. */
#include "alk/graph.h"
#include "random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* Keys are "0", "1", ... in the order of their numbers. */
static struct alk_graph *random_graph(uint32_t nodes, uint32_t edges, bool forward, uint64_t seed)
{
    struct random random = {seed};
    struct alk_graph *g = alk_graph_new(false);
    char key[16];
    for (uint32_t i = 0; i < nodes; i++) {
        snprintf(key, sizeof key, "%u", (unsigned)i);
        json_t *attributes = json_pack("{s:i,s:[s,n]}", "n", (int)i, "list", key);
        alk_graph_add_node(g, key, attributes, NULL, NULL);
        json_decref(attributes);
    }
    for (uint32_t i = 0; i < edges; i++) {
        uint32_t a = random_below(&random, nodes), b = random_below(&random, nodes);
        json_t *attributes = json_pack("{s:f}", "w", i + 0.25);
        alk_graph_add_edge(g, forward && a > b ? b : a, forward && a > b ? a : b, attributes, NULL);
        json_decref(attributes);
    }
    return g;
}

/* Give `input` to a program and read JSON from it. */
static json_t *ask(const char *program, const char *input)
{
    char name[] = "/tmp/alk-graph-XXXXXX", command[256];
    int file = mkstemp(name);
    assert_true(file >= 0);
    FILE *out = fdopen(file, "w");
    fputs(input, out);
    fclose(out);
    snprintf(command, sizeof command, "{ %s; } < %s", program, name);
    FILE *peer = popen(command, "r");
    json_t *answer = json_loadf(peer, 0, NULL);
    int status = pclose(peer);
    unlink(name);
    if (status || !answer)
        fail_msg("`%s` did not work (from the top folder; `make deps` installs what it needs)",
                 program);
    return answer;
}

/* ---- graphology ----------------------------------------------------------------------------- */

static void drop_edge_keys(json_t *graph)
{
    size_t i;
    json_t *edge;
    json_array_foreach(json_object_get(graph, "edges"), i, edge) json_object_del(edge, "key");
}

static void check_same_components(const struct alk_graph *g, json_t *components)
{
    uint32_t *component;
    size_t count, i, k;
    json_t *members, *key;
    assert_int_equal(alk_graph_components(g, &component, &count), 0);
    assert_int_equal(count, json_array_size(components));
    json_array_foreach(components, i, members)
    {
        alk_node first = alk_graph_find(g, json_string_value(json_array_get(members, 0)));
        json_array_foreach(members, k, key) assert_int_equal(
            component[alk_graph_find(g, json_string_value(key))], component[first]);
    }
    free(component);
}

static void compare_graphology(struct alk_graph *g, bool acyclic)
{
    json_t *ours = alk_graph_to_json(g);
    char *text = json_dumps(ours, 0);
    json_t *theirs = ask("node test/diff/graph_graphology.js", text);
    json_t *exported = json_object_get(theirs, "exported");
    drop_edge_keys(exported);
    if (!json_equal(json_object_get(exported, "nodes"), json_object_get(ours, "nodes")))
        fail_msg("nodes differ");
    assert_int_equal(json_array_size(json_object_get(exported, "edges")), alk_graph_edge_count(g));

    /* what they export, we read, and it is the same graph */
    struct alk_graph *again;
    assert_int_equal(alk_graph_from_json(exported, acyclic, &again, NULL), 0);
    json_t *back = alk_graph_to_json(again);
    assert_true(json_equal(back, ours));
    assert_int_equal(json_is_true(json_object_get(theirs, "acyclic")), acyclic);
    check_same_components(again, json_object_get(theirs, "components"));

    const char *key;
    json_t *pair;
    size_t i;
    json_object_foreach(json_object_get(theirs, "degrees"), key, pair)
    {
        alk_node node = alk_graph_find(again, key);
        assert_int_equal(alk_graph_in_degree(again, node),
                         json_integer_value(json_array_get(pair, 0)));
        assert_int_equal(alk_graph_out_degree(again, node),
                         json_integer_value(json_array_get(pair, 1)));
    }
    json_array_foreach(json_object_get(theirs, "wouldCycle"), i, pair)
    {
        alk_node a = alk_graph_find(again, json_string_value(json_array_get(pair, 0)));
        alk_node b = alk_graph_find(again, json_string_value(json_array_get(pair, 1)));
        assert_int_equal(alk_graph_would_cycle(again, a, b), json_is_true(json_array_get(pair, 2)));
    }
    json_decref(back);
    json_decref(theirs);
    json_decref(ours);
    free(text);
    alk_graph_free(again);
    alk_graph_free(g);
}

static void test_graphology(void **state)
{
    (void)state;
    compare_graphology(random_graph(60, 90, true, 1), true);
    compare_graphology(random_graph(80, 400, true, 2), true);
    compare_graphology(random_graph(60, 90, false, 3), false);
    compare_graphology(random_graph(40, 400, false, 4), false);
}

/* ---- igraph ------------------------------------------------------------------------------------ */

static int by_number(const void *a, const void *b)
{
    alk_node x = *(const alk_node *)a, y = *(const alk_node *)b;
    return (x > y) - (x < y);
}

static void check_rows(const struct alk_graph *g, const json_t *rows, bool down)
{
    for (alk_node v = 0, row = 0; v < alk_graph_node_count(g); v += 7, row++) {
        struct alk_node_list list;
        const json_t *expected = json_array_get(rows, row);
        assert_int_equal(down ? alk_graph_descendants(g, &v, 1, &list)
                              : alk_graph_ancestors(g, &v, 1, &list),
                         0);
        qsort(list.nodes, list.count, sizeof *list.nodes, by_number);
        assert_int_equal(list.count, json_array_size(expected));
        for (size_t i = 0; i < list.count; i++)
            assert_int_equal(list.nodes[i], json_integer_value(json_array_get(expected, i)));
        alk_node_list_free(&list);
    }
}

static void check_distances(const struct alk_graph *g, const json_t *rows)
{
    for (alk_node v = 0, row = 0; v < alk_graph_node_count(g); v += 11, row++)
        for (alk_node w = 0; w < alk_graph_node_count(g); w++) {
            struct alk_node_list path;
            json_int_t expected =
                (json_int_t)json_number_value(json_array_get(json_array_get(rows, row), w));
            assert_int_equal(alk_graph_shortest_path(g, v, w, &path), 0);
            assert_int_equal((json_int_t)path.count - 1, expected);
            alk_node_list_free(&path);
        }
}

static char *edge_lines(const struct alk_graph *g)
{
    size_t size = 64 + alk_graph_edge_count(g) * 24, used;
    char *text = malloc(size);
    used = (size_t)sprintf(text, "%zu\n", alk_graph_node_count(g));
    for (alk_node v = 0; v < alk_graph_node_count(g); v++)
        for (size_t i = 0; i < alk_graph_out_degree(g, v); i++)
            used += (size_t)sprintf(text + used, "%u %u\n", (unsigned)v,
                                    (unsigned)alk_graph_out(g, v, i));
    return text;
}

static void compare_igraph(struct alk_graph *g)
{
    char *text = edge_lines(g);
    json_t *theirs = ask("/usr/bin/python3 test/diff/graph_igraph.py", text);
    struct alk_node_list order;
    bool dag = json_is_true(json_object_get(theirs, "dag"));
    assert_int_equal(alk_graph_topological_order(g, &order, NULL), dag ? 0 : ALK_GRAPH_E_CYCLE);
    /* orders may differ; theirs must agree with our edges, and ours has been checked to */
    const json_t *their_order = json_object_get(theirs, "order");
    size_t *place = calloc(alk_graph_node_count(g), sizeof *place);
    for (size_t i = 0; dag && i < order.count; i++)
        place[order.nodes[i]] = i;
    for (alk_node v = 0; dag && v < alk_graph_node_count(g); v++)
        for (size_t i = 0; i < alk_graph_out_degree(g, v); i++)
            assert_true(place[v] < place[alk_graph_out(g, v, i)]);
    assert_int_equal(json_array_size(their_order), dag ? order.count : 0);

    uint32_t *component;
    size_t count;
    const json_t *members = json_object_get(theirs, "components");
    assert_int_equal(alk_graph_components(g, &component, &count), 0);
    for (alk_node v = 0; v < alk_graph_node_count(g); v++)
        for (alk_node w = 0; w < v; w++)
            assert_int_equal(component[v] == component[w],
                             json_integer_value(json_array_get(members, v)) ==
                                 json_integer_value(json_array_get(members, w)));
    check_rows(g, json_object_get(theirs, "descendants"), true);
    check_rows(g, json_object_get(theirs, "ancestors"), false);
    check_distances(g, json_object_get(theirs, "distances"));
    free(component);
    free(place);
    free(text);
    alk_node_list_free(&order);
    json_decref(theirs);
    alk_graph_free(g);
}

static void test_igraph(void **state)
{
    (void)state;
    compare_igraph(random_graph(200, 300, true, 11));
    compare_igraph(random_graph(300, 2000, true, 12));
    compare_igraph(random_graph(300, 350, false, 13));
    compare_igraph(random_graph(200, 1500, false, 14));
}

/* ---- Graphviz ----------------------------------------------------------------------------------- */

/* Every key must come out of Graphviz's picture as it went in: the text of one node each. */
static void test_graphviz(void **state)
{
    (void)state;
    static const char *const keys[] = {
        "graph", "node", "1.5", "a \"b\"", "a\\",    "a\\nb",  "\\N", "<b>x</b>", "&amp;",
        "{a|b}", "a:b",  "%x",  "a;b",     "a -> b", "ü 日本", "[x]", "//",       "<script>",
    };
    const size_t count = sizeof keys / sizeof *keys;
    struct alk_graph *g = alk_graph_new(false);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(alk_graph_add_node(g, keys[i], NULL, NULL, NULL), 0);
        if (i)
            alk_graph_add_edge(g, (alk_node)i - 1, (alk_node)i, NULL, NULL);
    }
    char *dot = alk_graph_to_dot(g);
    json_t *labels = ask("dot -Tsvg | /usr/bin/python3 test/diff/graph_svg.py", dot);
    assert_int_equal(json_array_size(labels), count);
    for (size_t i = 0; i < count; i++)
        assert_string_equal(json_string_value(json_array_get(labels, i)), keys[i]);
    json_decref(labels);
    free(dot);
    alk_graph_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_graphology),
        cmocka_unit_test(test_igraph),
        cmocka_unit_test(test_graphviz),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
