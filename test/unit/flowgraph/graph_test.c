/* The graph core against a slow reference, its errors, and graphs of great depth. */
#include "alk/graph.h"
#include "graph_core.h"
#include "random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define N 24 /* nodes of the slow reference */

/* ---- the reference: a matrix -------------------------------------------------------------- */

struct matrix {
    bool edge[N][N];
    bool alive[N];
};

static void close_over(const struct matrix *m, bool reach[N][N])
{
    memcpy(reach, m->edge, sizeof m->edge);
    for (int k = 0; k < N; k++)
        for (int i = 0; i < N; i++)
            for (int j = 0; j < N; j++)
                reach[i][j] = reach[i][j] || (reach[i][k] && reach[k][j]);
}

static alk_node by_number(const struct alk_graph *g, int i)
{
    char key[8];
    snprintf(key, sizeof key, "n%d", i);
    return alk_graph_find(g, key);
}

static int number_of(const struct alk_graph *g, alk_node node)
{
    return atoi(alk_graph_key(g, node) + 1);
}

static void add_number(struct alk_graph *g, int i)
{
    char key[8];
    snprintf(key, sizeof key, "n%d", i);
    assert_int_equal(alk_graph_add_node(g, key, NULL, NULL, NULL), 0);
}

static void check_list(const struct alk_graph *g, struct alk_node_list *list, const bool *wanted,
                       const char *what)
{
    bool got[N] = {false};
    for (size_t i = 0; i < list->count; i++) {
        int n = number_of(g, list->nodes[i]);
        if (got[n] || !wanted[n])
            fail_msg("%s: n%d should not be there", what, n);
        got[n] = true;
    }
    for (int i = 0; i < N; i++)
        if (wanted[i] && !got[i])
            fail_msg("%s: n%d is missing", what, i);
    alk_node_list_free(list);
}

static void check_reach(const struct alk_graph *g, const struct matrix *m)
{
    bool reach[N][N];
    struct alk_node_list list;
    close_over(m, reach);
    for (int i = 0; i < N; i++) {
        bool up[N], down[N];
        alk_node node = by_number(g, i);
        assert_int_equal(node != ALK_NODE_NONE, m->alive[i]);
        if (!m->alive[i])
            continue;
        for (int j = 0; j < N; j++) {
            up[j] = reach[j][i] && j != i;
            down[j] = reach[i][j] && j != i;
            alk_node other = by_number(g, j);
            if (m->alive[j])
                assert_int_equal(alk_graph_has_edge(g, node, other), m->edge[i][j]);
        }
        assert_int_equal(alk_graph_descendants(g, &node, 1, &list), 0);
        check_list(g, &list, down, "descendants");
        assert_int_equal(alk_graph_ancestors(g, &node, 1, &list), 0);
        check_list(g, &list, up, "ancestors");
    }
}

static void check_components(const struct alk_graph *g, const struct matrix *m)
{
    bool reach[N][N];
    uint32_t *component;
    size_t count;
    close_over(m, reach);
    assert_int_equal(alk_graph_components(g, &component, &count), 0);
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            if (!m->alive[i] || !m->alive[j])
                continue;
            bool together = i == j || (reach[i][j] && reach[j][i]);
            uint32_t a = component[by_number(g, i)], b = component[by_number(g, j)];
            assert_int_equal(a == b, together);
            if (reach[i][j])
                assert_true(b <= a);
            assert_true(a < count);
        }
    free(component);
}

static void check_order(const struct alk_graph *g, const struct matrix *m)
{
    bool reach[N][N], cyclic = false;
    struct alk_node_list order;
    struct alk_graph_error error;
    close_over(m, reach);
    for (int i = 0; i < N; i++)
        cyclic = cyclic || reach[i][i];
    int status = alk_graph_topological_order(g, &order, &error);
    assert_int_equal(status, cyclic ? ALK_GRAPH_E_CYCLE : 0);
    int place[N];
    for (size_t i = 0; i < order.count; i++)
        place[number_of(g, order.nodes[i])] = (int)i;
    if (cyclic) {
        assert_true(order.count >= 2);
        for (size_t i = 0; i < order.count; i++)
            assert_true(m->edge[number_of(g, order.nodes[i])]
                               [number_of(g, order.nodes[(i + 1) % order.count])]);
    } else {
        assert_int_equal(order.count, alk_graph_node_count(g));
        for (int i = 0; i < N; i++)
            for (int j = 0; j < N; j++)
                assert_true(!m->edge[i][j] || place[i] < place[j]);
    }
    alk_node_list_free(&order);
}

static void check_paths(const struct alk_graph *g, const struct matrix *m, struct random *random)
{
    int from = (int)random_below(random, N), distance[N], round = 0;
    if (!m->alive[from])
        return;
    for (int i = 0; i < N; i++)
        distance[i] = i == from ? 0 : -1;
    for (bool more = true; more; round++) {
        more = false;
        for (int i = 0; i < N; i++)
            for (int j = 0; j < N; j++)
                if (distance[i] == round && m->edge[i][j] && distance[j] < 0) {
                    distance[j] = round + 1;
                    more = true;
                }
    }
    for (int j = 0; j < N; j++) {
        struct alk_node_list path;
        if (!m->alive[j])
            continue;
        assert_int_equal(alk_graph_shortest_path(g, by_number(g, from), by_number(g, j), &path), 0);
        assert_int_equal(path.count, distance[j] + 1);
        for (size_t i = 1; i < path.count; i++)
            assert_true(m->edge[number_of(g, path.nodes[i - 1])][number_of(g, path.nodes[i])]);
        alk_node_list_free(&path);
    }
}

/* One random change, made on both sides. */
static void change(struct alk_graph *g, struct matrix *m, bool acyclic, struct random *random)
{
    int a = (int)random_below(random, N), b = (int)random_below(random, N);
    unsigned what = random_below(random, 20);
    alk_node x = by_number(g, a), y = by_number(g, b);
    if (what == 0 && m->alive[a]) {
        assert_int_equal(alk_graph_remove_node(g, x), 0);
        m->alive[a] = false;
        for (int i = 0; i < N; i++)
            m->edge[a][i] = m->edge[i][a] = false;
    } else if (what < 3) {
        int expected = m->alive[a] && m->alive[b] && m->edge[a][b] ? 0 : ALK_GRAPH_E_UNKNOWN;
        assert_int_equal(alk_graph_remove_edge(g, x, y), expected);
        m->edge[a][b] = false;
    } else if (!m->alive[a]) {
        add_number(g, a);
        m->alive[a] = true;
    } else if (m->alive[b]) {
        bool reach[N][N];
        close_over(m, reach);
        int expected = a == b                   ? ALK_GRAPH_E_LOOP
                       : m->edge[a][b]          ? ALK_GRAPH_E_EXISTS
                       : acyclic && reach[b][a] ? ALK_GRAPH_E_CYCLE
                                                : 0;
        if (!m->edge[a][b] && random_below(random, 2))
            assert_int_equal(alk_graph_would_cycle(g, x, y), a == b || reach[b][a]);
        assert_int_equal(alk_graph_add_edge(g, x, y, NULL, NULL), expected);
        m->edge[a][b] = m->edge[a][b] || expected == 0;
    }
}

static void run_random(bool acyclic, uint64_t seed)
{
    struct random random = {seed};
    struct alk_graph *g = alk_graph_new(acyclic);
    struct matrix m = {0};
    for (int i = 0; i < 400; i++) {
        change(g, &m, acyclic, &random);
        if (i % 50 == 49) {
            check_reach(g, &m);
            check_order(g, &m);
            check_components(g, &m);
            check_paths(g, &m, &random);
        }
    }
    alk_graph_free(g);
}

static void test_random_graphs(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 40; seed++)
        run_random(false, seed);
}

static void test_random_acyclic_graphs(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 100; seed++)
        run_random(true, seed);
}

/* ---- cycles ------------------------------------------------------------------------------------- */

struct found {
    size_t count;
    const struct alk_graph *g;
    size_t stop_after;
};

static bool count_cycle(void *user, const alk_node *nodes, size_t count)
{
    struct found *found = user;
    for (size_t i = 0; i < count; i++)
        assert_true(alk_graph_has_edge(found->g, nodes[i], nodes[(i + 1) % count]));
    return ++found->count != found->stop_after;
}

/* Cycles counted by trying every path that starts at its lowest node. */
static size_t slow_cycles(const struct matrix *m, int start, int at, unsigned seen, int nodes)
{
    size_t count = m->edge[at][start];
    for (int next = start + 1; next < nodes; next++)
        if (m->edge[at][next] && !(seen >> next & 1))
            count += slow_cycles(m, start, next, seen | 1u << next, nodes);
    return count;
}

static void test_cycles(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct random random = {seed};
        struct alk_graph *g = alk_graph_new(false);
        struct matrix m = {0};
        size_t expected = 0;
        for (int i = 0; i < 8; i++)
            add_number(g, i);
        for (int i = 0; i < 20; i++) {
            int a = (int)random_below(&random, 8), b = (int)random_below(&random, 8);
            if (alk_graph_add_edge(g, by_number(g, a), by_number(g, b), NULL, NULL) == 0)
                m.edge[a][b] = true;
        }
        for (int i = 0; i < 8; i++)
            expected += slow_cycles(&m, i, i, 1u << i, 8);
        struct found found = {0, g, 0};
        assert_int_equal(alk_graph_cycles(g, 100000, count_cycle, &found), 0);
        if (found.count != expected)
            fail_msg("seed %u: expected %zu cycles, got %zu", (unsigned)seed, expected,
                     found.count);
        if (expected > 1) {
            found.count = 0;
            assert_int_equal(alk_graph_cycles(g, expected - 1, count_cycle, &found),
                             ALK_GRAPH_E_LIMIT);
            assert_int_equal(found.count, expected - 1);
            found = (struct found){0, g, 1};
            assert_int_equal(alk_graph_cycles(g, 100000, count_cycle, &found), 0);
            assert_int_equal(found.count, 1);
        }
        alk_graph_free(g);
    }
}

/* A ring, and pairs in a row: looking for cycles takes as long as there are nodes, not their square. */
static void test_cycles_of_large_graphs(void **state)
{
    (void)state;
    const uint32_t size = 400000;
    struct alk_graph *ring = alk_graph_new(false), *pairs = alk_graph_new(false);
    char key[16];
    for (uint32_t i = 0; i < size; i++) {
        snprintf(key, sizeof key, "%u", (unsigned)i);
        alk_graph_add_node(ring, key, NULL, NULL, NULL);
        alk_graph_add_node(pairs, key, NULL, NULL, NULL);
    }
    for (uint32_t i = 0; i < size; i++) {
        alk_graph_add_edge(ring, i, (i + 1) % size, NULL, NULL);
        alk_graph_add_edge(pairs, i, i ^ 1, NULL, NULL);
        if (i % 2)
            alk_graph_add_edge(pairs, i, (i + 1) % size, NULL, NULL);
    }
    alk_graph_remove_edge(pairs, size - 1, 0);
    struct found found = {0, ring, 0};
    assert_int_equal(alk_graph_cycles(ring, 10, count_cycle, &found), 0);
    assert_int_equal(found.count, 1);
    found = (struct found){0, pairs, 0};
    assert_int_equal(alk_graph_cycles(pairs, size, count_cycle, &found), 0);
    assert_int_equal(found.count, size / 2);
    alk_graph_free(ring);
    alk_graph_free(pairs);
}

/* ---- keys from strangers ----------------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/*
 * Pairs of differences that cancel each other in a hash that mixes by multiplying with a
 * number that everybody knows: bits 62 and 33 of one word undo bit 62 of the word before.
 */
static void test_no_chosen_collisions(void **state)
{
    (void)state;
    enum { BLOCKS = 12 };
    struct alk_graph *g = alk_graph_new(false);
    char key[16 * BLOCKS + 1];
    for (unsigned choice = 0; choice < 1u << BLOCKS; choice++) {
        for (unsigned b = 0; b < BLOCKS; b++)
            memcpy(key + (size_t)16 * b,
                   choice >> b & 1 ? "00000000"
                                     "00000000"
                                   : "0000000p"
                                     "0000200p",
                   16);
        key[16 * BLOCKS] = '\0';
        assert_int_equal(alk_graph_add_node(g, key, NULL, NULL, NULL), 0);
    }
    uint32_t *hashes = malloc(sizeof *hashes << BLOCKS);
    for (uint32_t i = 0; i < 1u << BLOCKS; i++)
        hashes[i] = g->nodes[i].hash;
    qsort(hashes, (size_t)1 << BLOCKS, sizeof *hashes, by_value);
    unsigned same = 0;
    for (uint32_t i = 1; i < 1u << BLOCKS; i++)
        same += hashes[i] == hashes[i - 1];
    if (same > 16)
        fail_msg("%u of %u keys collide", same, 1u << BLOCKS);
    free(hashes);
    alk_graph_free(g);
}

/* ---- depth --------------------------------------------------------------------------------------- */

#define DEEP 5000000

/* A chain of five million: nothing may recurse along it. */
static void test_deep_chain(void **state)
{
    (void)state;
    struct alk_graph *g = alk_graph_new(true);
    struct alk_graph_error error;
    struct alk_node_list list;
    alk_node node, last = ALK_NODE_NONE, first = ALK_NODE_NONE;
    char key[16];
    for (int i = 0; i < DEEP; i++) {
        snprintf(key, sizeof key, "%d", i);
        assert_int_equal(alk_graph_add_node(g, key, NULL, &node, NULL), 0);
        if (i == 0)
            first = node;
        else
            assert_int_equal(alk_graph_add_edge(g, last, node, NULL, NULL), 0);
        last = node;
    }
    assert_int_equal(alk_graph_add_edge(g, last, first, NULL, &error), ALK_GRAPH_E_CYCLE);
    assert_non_null(strstr(error.text, "0 -> 1 -> 2"));
    assert_int_equal(alk_graph_topological_order(g, &list, NULL), 0);
    assert_int_equal(list.count, DEEP);
    alk_node_list_free(&list);
    assert_int_equal(alk_graph_descendants(g, &first, 1, &list), 0);
    assert_int_equal(list.count, DEEP - 1);
    alk_node_list_free(&list);
    uint32_t *component;
    size_t count;
    assert_int_equal(alk_graph_components(g, &component, &count), 0);
    assert_int_equal(count, DEEP);
    free(component);
    alk_graph_free(g);
}

/* The other way round: every edge is put before the chain so far. */
static void test_deep_chain_backward(void **state)
{
    (void)state;
    const int depth = 300000;
    struct alk_graph *g = alk_graph_new(true);
    alk_node node, above = ALK_NODE_NONE;
    char key[16];
    for (int i = 0; i < depth; i++) {
        snprintf(key, sizeof key, "%d", i);
        assert_int_equal(alk_graph_add_node(g, key, NULL, &node, NULL), 0);
        if (i)
            assert_int_equal(alk_graph_add_edge(g, node, above, NULL, NULL), 0);
        above = node;
    }
    assert_int_equal(alk_graph_would_cycle(g, 0, above), 1);
    assert_int_equal(alk_graph_would_cycle(g, above, 0), 0);
    alk_graph_free(g);
}

/* ---- errors and forms ------------------------------------------------------------------------------ */

static void test_errors_name_the_keys(void **state)
{
    (void)state;
    struct alk_graph *g = alk_graph_new(true);
    struct alk_graph_error error;
    alk_graph_add_node(g, "a", NULL, NULL, NULL);
    alk_graph_add_node(g, "b", NULL, NULL, NULL);
    assert_int_equal(alk_graph_add_node(g, "a", NULL, NULL, &error), ALK_GRAPH_E_EXISTS);
    assert_string_equal(error.text, "the node \"a\" is there already");
    assert_int_equal(alk_graph_add_edge_by_key(g, "a", "x", NULL, &error), ALK_GRAPH_E_UNKNOWN);
    assert_string_equal(error.text,
                        "the edge \"a\" -> \"x\" names the node \"x\", which is not there");
    assert_int_equal(alk_graph_add_edge_by_key(g, "a", "a", NULL, &error), ALK_GRAPH_E_LOOP);
    assert_string_equal(error.text, "an edge from \"a\" to itself");
    assert_int_equal(alk_graph_add_edge_by_key(g, "a", "b", NULL, &error), 0);
    assert_int_equal(alk_graph_add_edge_by_key(g, "a", "b", NULL, &error), ALK_GRAPH_E_EXISTS);
    assert_string_equal(error.text, "the edge \"a\" -> \"b\" is there already");
    assert_int_equal(alk_graph_add_edge_by_key(g, "b", "a", NULL, &error), ALK_GRAPH_E_CYCLE);
    assert_string_equal(error.text, "the edge b -> a would close the cycle a -> b -> a");
    assert_int_equal(alk_graph_remove_node(g, 77), ALK_GRAPH_E_UNKNOWN);
    assert_int_equal(alk_graph_remove_edge(g, 1, 0), ALK_GRAPH_E_UNKNOWN);
    assert_null(alk_graph_key(g, 77));
    alk_graph_free(g);
}

static void test_bad_json(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int status;
    } cases[] = {
        {"[]", ALK_GRAPH_E_FORM},
        {"{}", ALK_GRAPH_E_FORM},
        {"{\"nodes\":3}", ALK_GRAPH_E_FORM},
        {"{\"nodes\":[],\"edges\":3}", ALK_GRAPH_E_FORM},
        {"{\"nodes\":[3]}", ALK_GRAPH_E_FORM},
        {"{\"nodes\":[{\"key\":1}]}", ALK_GRAPH_E_FORM},
        {"{\"nodes\":[{\"key\":\"a\",\"attributes\":1}]}", ALK_GRAPH_E_FORM},
        {"{\"nodes\":[{\"key\":\"a\"},{\"key\":\"a\"}]}", ALK_GRAPH_E_EXISTS},
        {"{\"nodes\":[{\"key\":\"a\"}],\"edges\":[{\"source\":\"a\"}]}", ALK_GRAPH_E_FORM},
        {"{\"nodes\":[{\"key\":\"a\"}],\"edges\":[{\"source\":\"a\",\"target\":\"b\"}]}",
         ALK_GRAPH_E_UNKNOWN},
        {"{\"nodes\":[{\"key\":\"a\"}],\"edges\":[{\"source\":\"a\",\"target\":\"a\"}]}",
         ALK_GRAPH_E_LOOP},
        {"{\"nodes\":[{\"key\":\"a\"},{\"key\":\"b\"}],\"edges\":[{\"source\":\"a\",\"target\":"
         "\"b\"},{\"source\":\"b\",\"target\":\"a\"}]}",
         ALK_GRAPH_E_CYCLE},
        {"{\"nodes\":[{\"key\":\"a\"},{\"key\":\"b\"}],\"edges\":[{\"source\":\"a\",\"target\":"
         "\"b\",\"undirected\":true}]}",
         ALK_GRAPH_E_FORM},
        {"{\"options\":{\"type\":\"undirected\"},\"nodes\":[]}", ALK_GRAPH_E_FORM},
        {"{\"attributes\":[],\"nodes\":[]}", ALK_GRAPH_E_FORM},
        {"{\"nodes\":[{\"key\":\"a\\u0000b\"}]}", ALK_GRAPH_E_FORM},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct alk_graph *g;
        struct alk_graph_error error = {""};
        json_t *json = json_loads(cases[i].text, JSON_ALLOW_NUL, NULL);
        int status = alk_graph_from_json(json, true, &g, &error);
        if (status != cases[i].status || g || !error.text[0])
            fail_msg("%s: expected %d, got %d (%s)", cases[i].text, cases[i].status, status,
                     error.text);
        json_decref(json);
    }
}

static void test_exchange(void **state)
{
    (void)state;
    static const char text[] =
        "{\"attributes\":{},\"options\":{\"type\":\"directed\",\"multi\":false,"
        "\"allowSelfLoops\":false},\"nodes\":[{\"key\":\"a \\\"1\\\"\",\"attributes\":{\"x\":1}},"
        "{\"key\":\"b<i>\"}],\"edges\":[{\"source\":\"a \\\"1\\\"\",\"target\":\"b<i>\","
        "\"attributes\":{\"w\":2.5}}]}";
    struct alk_graph *g;
    json_t *json = json_loads(text, 0, NULL);
    assert_int_equal(alk_graph_from_json(json, false, &g, NULL), 0);
    json_t *again = alk_graph_to_json(g);
    assert_true(json_equal(json, again));
    char *dot = alk_graph_to_dot(g), *mermaid = alk_graph_to_mermaid(g);
    assert_string_equal(dot, "digraph {\n    \"a \\\"1\\\"\";\n    \"b<i>\";\n"
                             "    \"a \\\"1\\\"\" -> \"b<i>\";\n}\n");
    assert_string_equal(mermaid, "flowchart TD\n    n0[\"a #34;1#34;\"]\n"
                                 "    n1[\"b#60;i#62;\"]\n    n0 --> n1\n");
    free(dot);
    free(mermaid);
    json_decref(again);
    json_decref(json);
    alk_graph_free(g);
}

/* What graphology says of the graph as a whole is kept. */
static void test_attributes_of_the_graph(void **state)
{
    (void)state;
    json_t *json =
        json_loads("{\"attributes\":{\"name\":\"calls\",\"n\":[1,{}]},\"nodes\":[]}", 0, NULL);
    struct alk_graph *g;
    assert_int_equal(alk_graph_from_json(json, true, &g, NULL), 0);
    json_t *again = alk_graph_to_json(g), *own = json_object_get(json, "attributes");
    assert_true(json_equal(json_object_get(again, "attributes"), own));
    assert_ptr_equal(alk_graph_attributes(g, ALK_NODE_NONE), own);
    alk_graph_set_attributes(g, ALK_NODE_NONE, NULL);
    assert_null(alk_graph_attributes(g, ALK_NODE_NONE));
    json_decref(again);
    json_decref(json);
    alk_graph_free(g);
}

/* Keys that cannot be written as JSON are refused, and those cut for a sentence stay UTF-8. */
static void test_keys_are_utf8(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "\xff", "a\xc3", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82z", "\x80"};
    struct alk_graph *g = alk_graph_new(true);
    struct alk_graph_error error;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(alk_graph_add_node(g, bad[i], NULL, NULL, &error), ALK_GRAPH_E_FORM);
    for (size_t shift = 0; shift < 4; shift++) {
        char key[2000] = "xxxx", other[2000] = "yyyy";
        for (size_t i = shift; i + 4 < sizeof key; i += 4) {
            memcpy(key + i, "\xf0\x9f\x98\x80", 5);
            memcpy(other + i, "\xf0\x9f\x98\x81", 5);
        }
        assert_int_equal(alk_graph_add_node(g, key, NULL, NULL, NULL), 0);
        assert_int_equal(alk_graph_add_node(g, other, NULL, NULL, NULL), 0);
        assert_int_equal(alk_graph_add_edge_by_key(g, key, other, NULL, NULL), 0);
        assert_int_equal(alk_graph_add_edge_by_key(g, other, key, NULL, &error), ALK_GRAPH_E_CYCLE);
        json_t *text = json_string(error.text);
        if (!text)
            fail_msg("not UTF-8: %s", error.text);
        json_decref(text);
    }
    alk_graph_free(g);
}

static void expect_drawing(const char *key, const char *dot, const char *mermaid)
{
    struct alk_graph *g = alk_graph_new(false);
    alk_graph_add_node(g, key, NULL, NULL, NULL);
    char *text = alk_graph_to_dot(g), expected[200];
    snprintf(expected, sizeof expected, "digraph {\n    %s;\n}\n", dot);
    assert_string_equal(text, expected);
    free(text);
    text = alk_graph_to_mermaid(g);
    snprintf(expected, sizeof expected, "flowchart TD\n    n0[\"%s\"]\n", mermaid);
    assert_string_equal(text, expected);
    free(text);
    alk_graph_free(g);
}

/* Keys that Graphviz or Mermaid would take for something of theirs. */
static void test_odd_keys_are_drawn(void **state)
{
    (void)state;
    expect_drawing("end", "\"end\"", "end");
    expect_drawing("", "\"\"", " ");
    expect_drawing("a\\", "\"a\\\\\"", "a#92;");
    expect_drawing("a\nb", "\"a\\nb\"", "a#10;b");
    expect_drawing("&lt;", "\"&lt;\" [label=\"&amp;lt;\"]", "#38;lt#59;");
    expect_drawing("%x", "\"%x\" [label=\"%x\"]", "%x");
    expect_drawing("\x01", "\"\\x01\" [label=\"\\\\x01\"]", "#1;");
    expect_drawing("direction LR", "\"direction LR\"", "directio#110; LR");
    expect_drawing("fa:fa-car $$x$$", "\"fa:fa-car $$x$$\"", "fa#58;fa-car #36;#36;x#36;#36;");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_graphs),
        cmocka_unit_test(test_random_acyclic_graphs),
        cmocka_unit_test(test_cycles),
        cmocka_unit_test(test_cycles_of_large_graphs),
        cmocka_unit_test(test_no_chosen_collisions),
        cmocka_unit_test(test_deep_chain),
        cmocka_unit_test(test_deep_chain_backward),
        cmocka_unit_test(test_errors_name_the_keys),
        cmocka_unit_test(test_bad_json),
        cmocka_unit_test(test_exchange),
        cmocka_unit_test(test_attributes_of_the_graph),
        cmocka_unit_test(test_keys_are_utf8),
        cmocka_unit_test(test_odd_keys_are_drawn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
