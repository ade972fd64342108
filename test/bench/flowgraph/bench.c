/* Figures of libalk-flowgraph: one JSON line each, times in seconds unless named otherwise. */
#include "alk/callgraph.h"
#include "common.h"

#include <malloc.h>
#include <string.h>

static void die(const char *what)
{
    fprintf(stderr, "bench: %s\n", what);
    exit(1);
}

static struct alk_graph *build(bool acyclic, const uint32_t *place, uint32_t nodes, uint32_t edges)
{
    struct alk_graph *g = alk_graph_new(acyclic);
    uint64_t state = 1;
    char key[16];
    for (uint32_t i = 0; i < nodes; i++) {
        snprintf(key, sizeof key, "%u", i);
        alk_graph_add_node(g, key, NULL, NULL, NULL);
    }
    for (uint32_t i = 0; i < edges; i++) {
        uint32_t from, to;
        next_edge(&state, place, nodes, &from, &to);
        int status = alk_graph_add_edge(g, from, to, NULL, NULL);
        if (status && status != ALK_GRAPH_E_EXISTS)
            die("an edge was refused");
    }
    return g;
}

static void algorithms(void)
{
    uint32_t *place = random_places(NODES), *component;
    struct alk_graph *dag = build(false, place, NODES, EDGES);
    struct alk_graph *any = build(false, NULL, NODES, EDGES);
    struct alk_node_list list;
    alk_node start = 0;
    size_t count;
    double best[3] = {1e9, 1e9, 1e9};
    for (;; start++) { /* a node from which most others are reached */
        alk_graph_descendants(any, &start, 1, &list);
        count = list.count;
        alk_node_list_free(&list);
        if (count > NODES / 2)
            break;
    }
    for (int round = 0; round < 5; round++) {
        double t[4] = {now(), 0, 0, 0};
        if (alk_graph_topological_order(dag, &list, NULL))
            die("no order");
        alk_node_list_free(&list);
        t[1] = now();
        alk_graph_descendants(any, &start, 1, &list);
        alk_node_list_free(&list);
        t[2] = now();
        alk_graph_components(any, &component, &count);
        free(component);
        t[3] = now();
        for (int i = 0; i < 3; i++)
            best[i] = t[i + 1] - t[i] < best[i] ? t[i + 1] - t[i] : best[i];
    }
    figure("topological order, 1M nodes 3M edges", best[0]);
    figure("descendants, 1M nodes 3M edges", best[1]);
    figure("strong components, 1M nodes 3M edges", best[2]);
    alk_graph_free(dag);
    alk_graph_free(any);
    free(place);
}

/* Edges into a DAG that refuses cycles, in random order; with the slope over sizes. */
static void insertion(void)
{
    for (uint32_t nodes = 25000; nodes <= 100000; nodes *= 2) {
        uint32_t *place = random_places(nodes);
        char name[80];
        double start = now();
        struct alk_graph *g = build(true, place, nodes, 3 * nodes);
        snprintf(name, sizeof name, "acyclic insertion, %u nodes, edges/s", nodes);
        figure(name, (double)alk_graph_edge_count(g) / (now() - start));
        alk_graph_free(g);
        free(place);
    }
}

static void calls(void)
{
    struct alk_callgraph_options options = ALK_CALLGRAPH_OPTIONS_INIT;
    options.max_finished_trees = NODES;
    size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
    struct alk_callgraph *calls = alk_callgraph_new(&options);
    char id[32], parent[32];
    double start = now();
    for (uint32_t i = 0; i < NODES; i++) {
        snprintf(id, sizeof id, "request-%u", i);
        snprintf(parent, sizeof parent, "request-%u", i - i % 10);
        struct alk_call_event event = {.type = ALK_CALL_REQUESTED,
                                       .time = i,
                                       .id = id,
                                       .operation = "/fs/read",
                                       .parent = i % 10 ? parent : NULL};
        if (alk_callgraph_apply(calls, &event, NULL))
            die("an event was refused");
        event = (struct alk_call_event){.type = ALK_CALL_ENDED, .time = i + 5, .id = id};
        if (alk_callgraph_apply(calls, &event, NULL))
            die("an event was refused");
    }
    figure("call events/s, 1M calls", 2.0 * NODES / (now() - start));
    size_t after = mallinfo2().uordblks + mallinfo2().hblkhd;
    figure("bytes per call at 1M calls", (double)(after - before) / NODES);
    alk_callgraph_free(calls);
}

int main(void)
{
    algorithms();
    insertion();
    calls();
    return 0;
}
