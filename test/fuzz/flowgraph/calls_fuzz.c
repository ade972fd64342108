/*
 * Bytes as events, four each: what, which call, which parent, when. The graph stays
 * acyclic and bounded, and a copy kept by the change feed stays the same.
 */
#include "alk/callgraph.h"

#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct alk_callgraph *calls)
{
    struct alk_callgraph *again;
    struct alk_graph_error error;
    json_t *once = alk_callgraph_to_json(calls);
    if (alk_callgraph_from_json(once, NULL, &again, &error))
        __builtin_trap();
    json_t *twice = alk_callgraph_to_json(again);
    if (!json_equal(once, twice))
        __builtin_trap();
    json_decref(once);
    json_decref(twice);
    alk_callgraph_free(again);
    json_decref(alk_callgraph_changes(calls, alk_callgraph_version(calls) / 2));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct alk_callgraph_options options = ALK_CALLGRAPH_OPTIONS_INIT;
    options.max_calls = 40;
    options.max_finished_trees = 3;
    options.max_removed = 5;
    struct alk_callgraph *calls = alk_callgraph_new(&options);
    json_t *value = json_integer(1);
    for (; size >= 4; data += 4, size -= 4) {
        char id[8], parent[8];
        snprintf(id, sizeof id, "%d", data[1] % 64);
        snprintf(parent, sizeof parent, "%d", data[2] % 64);
        struct alk_call_event event = {.type = data[0] % 6,
                                       .time = data[3],
                                       .id = id,
                                       .operation = data[2] & 64 ? "/a/b" : "/c/d",
                                       .parent = data[2] & 128 ? parent : NULL,
                                       .output = data[0] & 64 ? value : NULL};
        json_t *before = alk_callgraph_to_json(calls);
        if (alk_callgraph_apply(calls, &event, NULL)) {
            json_t *after = alk_callgraph_to_json(calls); /* a refusal changes nothing */
            if (!json_equal(before, after))
                __builtin_trap();
            json_decref(after);
        }
        json_decref(before);
        if (data[0] == 255)
            alk_callgraph_prune(calls, data[3] + 3600000);
    }
    check(calls);
    json_decref(value);
    alk_callgraph_free(calls);
    return 0;
}
