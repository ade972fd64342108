/* Any JSON as a graph and as a call graph: read or refused; what was read comes back the same. */
#include "alk/callgraph.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool ignore_cycle(void *user, const alk_node *nodes, size_t count)
{
    (void)user;
    (void)nodes;
    (void)count;
    return true;
}

static void exercise(const json_t *json, bool acyclic)
{
    struct alk_graph *g, *again;
    struct alk_node_list list;
    uint32_t *component;
    size_t count;
    if (alk_graph_from_json(json, acyclic, &g, NULL))
        return;
    if (alk_graph_topological_order(g, &list, NULL) != 0 && acyclic)
        __builtin_trap();
    alk_node_list_free(&list);
    alk_graph_components(g, &component, &count);
    free(component);
    alk_graph_cycles(g, 50, ignore_cycle, NULL);
    free(alk_graph_to_dot(g));
    free(alk_graph_to_mermaid(g));
    json_t *once = alk_graph_to_json(g);
    if (alk_graph_from_json(once, acyclic, &again, NULL))
        __builtin_trap();
    json_t *twice = alk_graph_to_json(again);
    if (!json_equal(once, twice))
        __builtin_trap();
    json_decref(once);
    json_decref(twice);
    alk_graph_free(g);
    alk_graph_free(again);
}

static void exercise_calls(const json_t *json)
{
    struct alk_callgraph *calls, *again;
    if (alk_callgraph_from_json(json, NULL, &calls, NULL))
        return;
    json_t *once = alk_callgraph_to_json(calls);
    if (alk_callgraph_from_json(once, NULL, &again, NULL))
        __builtin_trap();
    json_t *twice = alk_callgraph_to_json(again);
    if (!json_equal(once, twice))
        __builtin_trap();
    free(alk_callgraph_to_mermaid(calls));
    json_decref(alk_callgraph_summary(calls));
    alk_callgraph_prune(calls, INT64_MAX);
    json_decref(once);
    json_decref(twice);
    alk_callgraph_free(calls);
    alk_callgraph_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_t *json = json_loadb((const char *)data, size, 0, NULL);
    exercise(json, false);
    exercise(json, true);
    exercise_calls(json);
    json_decref(json);
    return 0;
}
