/* Call graphs as JSON, the change feed, and Mermaid. */
#include "calls.h"
#include "string_buffer.h"

#include <stdlib.h>
#include <string.h>

/* ---- one call ------------------------------------------------------------------------------ */

static int put_time(json_t *object, const char *name, int64_t time)
{
    return time == NO_TIME ? 0 : json_object_set_new(object, name, json_integer(time));
}

static int put_value(json_t *object, const char *name, json_t *value)
{
    return value ? json_object_set(object, name, value) : 0;
}

static json_t *attributes_of(const struct alk_callgraph *calls, alk_node node)
{
    struct alk_call call;
    const struct record *record = &calls->records[node];
    alk_callgraph_get(calls, node, &call);
    json_t *out = json_pack("{s:s}", "status", alk_call_status_name(call.status));
    const char *parent = alk_graph_key(calls->graph, call.parent);
    int failed = !out;
    if (call.operation)
        failed |= json_object_set_new(out, "operationId", json_string(call.operation));
    if (parent)
        failed |= json_object_set_new(out, "parentRequestId", json_string(parent));
    failed |= put_value(out, "input", record->input);
    failed |= put_value(out, "output", record->output);
    failed |= put_value(out, "error", record->error);
    failed |= put_value(out, "identity", record->identity);
    failed |= put_time(out, "requestedAt", record->requested);
    failed |= put_time(out, "startedAt", record->started);
    failed |= put_time(out, "respondedAt", record->responded);
    failed |= put_time(out, "completedAt", record->ended);
    if (failed) {
        json_decref(out);
        return NULL;
    }
    return out;
}

/* Append the node, and the edge from its parent. */
static int put_call(const struct alk_callgraph *calls, alk_node node, json_t *nodes, json_t *edges)
{
    const char *id = calls->graph->nodes[node].key;
    const char *parent = alk_graph_key(calls->graph, alk_graph_in(calls->graph, node, 0));
    /* "o" takes the attributes over */
    json_t *attributes = attributes_of(calls, node);
    json_t *entry = attributes ? json_pack("{s:s,s:o}", "key", id, "attributes", attributes) : NULL;
    if (!entry || json_array_append_new(nodes, entry))
        return -1;
    if (!parent)
        return 0;
    return json_array_append_new(edges, json_pack("{s:s,s:s,s:{s:s}}", "source", parent, "target",
                                                  id, "attributes", "type", "triggered"));
}

/* ---- the whole ---------------------------------------------------------------------------------- */

static int by_key(const void *a, const void *b, void *graph)
{
    const struct node *nodes = ((const struct alk_graph *)graph)->nodes;
    return strcmp(nodes[*(const alk_node *)a].key, nodes[*(const alk_node *)b].key);
}

json_t *alk_callgraph_to_json(const struct alk_callgraph *calls)
{
    struct alk_graph *g = calls->graph;
    alk_node *order = malloc((g->node_count + 1) * sizeof *order);
    json_t *out = json_pack("{s:{},s:{s:s,s:b,s:b},s:[],s:[]}", "attributes", "options", "type",
                            "directed", "multi", 0, "allowSelfLoops", 0, "nodes", "edges");
    json_t *nodes = json_object_get(out, "nodes"), *edges = json_object_get(out, "edges");
    bool ok = order && out;
    size_t count = 0;
    for (alk_node n = g->first; ok && n != ALK_NODE_NONE; n = g->nodes[n].next)
        order[count++] = n;
    if (ok)
        qsort_r(order, count, sizeof *order, by_key, g);
    for (size_t i = 0; i < count && ok; i++)
        ok = put_call(calls, order[i], nodes, edges) == 0;
    free(order);
    if (!ok) {
        json_decref(out);
        return NULL;
    }
    return out;
}

/* ---- reading ---------------------------------------------------------------------------------------- */

static bool read_time(const json_t *attributes, const char *name, int64_t *time)
{
    const json_t *value = json_object_get(attributes, name);
    *time = value ? json_integer_value(value) : NO_TIME;
    return !value || (json_is_integer(value) && *time != NO_TIME);
}

static bool read_record(struct record *record, const json_t *attributes)
{
    const char *status = json_string_value(json_object_get(attributes, "status"));
    for (int s = ALK_CALL_COMPLETED; status && s <= ALK_CALL_ABORTED; s++)
        if (strcmp(status, alk_call_status_name(s)) == 0)
            record->end = s;
    record->input = json_incref(json_object_get(attributes, "input"));
    record->output = json_incref(json_object_get(attributes, "output"));
    record->error = json_incref(json_object_get(attributes, "error"));
    record->identity = json_incref(json_object_get(attributes, "identity"));
    bool operation = record->operation != NO_OPERATION;
    return read_time(attributes, "requestedAt", &record->requested) &&
           read_time(attributes, "startedAt", &record->started) &&
           read_time(attributes, "respondedAt", &record->responded) &&
           read_time(attributes, "completedAt", &record->ended) && status &&
           strcmp(status, alk_call_status_name(record_status(record))) == 0 &&
           operation == (record->requested != NO_TIME) &&
           (record->ended != NO_TIME) == (record->end != ALK_CALL_UNKNOWN) &&
           (record->ended == NO_TIME ||
            (record->ended >= record->requested && record->ended >= record->started &&
             record->ended >= record->responded));
}

static int read_node(struct alk_callgraph *calls, const json_t *entry,
                     struct alk_graph_error *error)
{
    const char *id = json_text(json_object_get(entry, "key"));
    const json_t *attributes = json_object_get(entry, "attributes");
    const char *operation = json_text(json_object_get(attributes, "operationId"));
    alk_node node;
    if (!id)
        return graph_fail(error, ALK_GRAPH_E_FORM, "a call needs a string \"key\"");
    if (alk_graph_find(calls->graph, id) != ALK_NODE_NONE)
        return graph_fail(error, ALK_GRAPH_E_EXISTS, "call \"%.100s\" is there twice", id);
    int status = call_add(calls, id, &node, error);
    if (!status && operation)
        status = operation_hold(calls, operation, &calls->records[node].operation);
    if (!status)
        status = tree_reserve(calls);
    if (status)
        return status;
    if (!read_record(&calls->records[node], attributes))
        return graph_fail(error, ALK_GRAPH_E_FORM,
                          "call \"%.100s\": the status and the times do not fit together", id);
    tree_update(calls, node, false);
    return 0;
}

static int read_edge(struct alk_callgraph *calls, const json_t *entry,
                     struct alk_graph_error *error)
{
    const char *from = json_text(json_object_get(entry, "source"));
    const char *to = json_text(json_object_get(entry, "target"));
    if (!from || !to)
        return graph_fail(error, ALK_GRAPH_E_FORM, "an edge needs \"source\" and \"target\"");
    alk_node child = alk_graph_find(calls->graph, to);
    if (alk_graph_in_degree(calls->graph, child))
        return graph_fail(error, ALK_GRAPH_E_FORM, "call \"%.100s\" has two parents", to);
    int status = tree_reserve(calls);
    if (!status)
        status = alk_graph_add_edge_by_key(calls->graph, from, to, NULL, error);
    if (!status)
        tree_join(calls, alk_graph_find(calls->graph, from), child);
    return status;
}

/* Each call's parent must be the one that its edge leads from. */
static int check_parents(const struct alk_callgraph *calls, const json_t *nodes,
                         struct alk_graph_error *error)
{
    for (size_t i = 0; i < json_array_size(nodes); i++) {
        const json_t *entry = json_array_get(nodes, i);
        const char *id = json_text(json_object_get(entry, "key"));
        const char *parent = json_string_value(
            json_object_get(json_object_get(entry, "attributes"), "parentRequestId"));
        alk_node above = alk_graph_in(calls->graph, alk_graph_find(calls->graph, id), 0);
        const char *real = alk_graph_key(calls->graph, above);
        if (!parent != !real || (parent && strcmp(parent, real) != 0))
            return graph_fail(error, ALK_GRAPH_E_FORM,
                              "call \"%.100s\": the parent and the edge differ", id);
    }
    return 0;
}

int alk_callgraph_from_json(const json_t *json, const struct alk_callgraph_options *options,
                            struct alk_callgraph **out, struct alk_graph_error *error)
{
    const json_t *nodes = json_object_get(json, "nodes"), *edges = json_object_get(json, "edges");
    *out = NULL;
    if (!json_is_array(nodes) || !json_is_array(edges))
        return graph_fail(error, ALK_GRAPH_E_FORM, "arrays \"nodes\" and \"edges\" are needed");
    struct alk_callgraph *calls = alk_callgraph_new(options);
    if (!calls)
        return graph_fail(error, ALK_GRAPH_E_NOMEM, "out of memory");
    size_t keep = calls->options.max_finished_trees;
    calls->options.max_finished_trees = SIZE_MAX; /* nothing is dropped half-read */
    int status = 0;
    for (size_t i = 0; i < json_array_size(nodes) && !status; i++)
        status = read_node(calls, json_array_get(nodes, i), error);
    for (size_t i = 0; i < json_array_size(edges) && !status; i++)
        status = read_edge(calls, json_array_get(edges, i), error);
    if (!status)
        status = check_parents(calls, nodes, error);
    calls->options.max_finished_trees = keep;
    if (status)
        alk_callgraph_free(calls);
    else
        *out = calls;
    return status;
}

/* ---- the change feed ------------------------------------------------------------------------------------ */

static int put_removals(const struct alk_callgraph *calls, uint64_t since, json_t *removed)
{
    size_t room = calls->options.max_removed;
    size_t start = calls->removal_count < room ? 0 : calls->removal_next;
    for (size_t i = 0; i < calls->removal_count; i++) {
        const struct removal *removal = &calls->removals[(start + i) % room];
        if (removal->version > since && json_array_append_new(removed, json_string(removal->id)))
            return -1;
    }
    return 0;
}

json_t *alk_callgraph_changes(const struct alk_callgraph *calls, uint64_t since)
{
    bool reset = since < calls->forgotten || since > calls->version;
    if (reset)
        since = 0;
    json_t *out = json_pack("{s:I,s:b,s:[],s:[],s:[]}", "version", (json_int_t)calls->version,
                            "reset", reset, "removed", "nodes", "edges");
    json_t *nodes = json_object_get(out, "nodes"), *edges = json_object_get(out, "edges");
    bool ok = out && (reset || put_removals(calls, since, json_object_get(out, "removed")) == 0);
    alk_node at = calls->newest, first = ALK_NODE_NONE;
    for (; at != ALK_NODE_NONE && calls->records[at].version > since; at = calls->records[at].older)
        first = at;
    for (at = first; ok && at != ALK_NODE_NONE; at = calls->records[at].newer)
        ok = put_call(calls, at, nodes, edges) == 0;
    if (!ok) {
        json_decref(out);
        return NULL;
    }
    return out;
}

/* ---- Mermaid -------------------------------------------------------------------------------------------- */

char *alk_callgraph_to_mermaid(const struct alk_callgraph *calls)
{
    struct string_buffer out = {0};
    const struct alk_graph *g = calls->graph;
    string_put(&out, "flowchart TD\n");
    for (alk_node n = g->first; n != ALK_NODE_NONE; n = g->nodes[n].next) {
        struct alk_call call;
        int64_t duration;
        alk_callgraph_get(calls, n, &call);
        string_printf(&out, "    n%u[\"", (unsigned)n);
        string_put_mermaid(&out, call.operation ? call.operation : call.id);
        string_printf(&out, "<br/>%s", alk_call_status_name(call.status));
        if (call.ended != NO_TIME && alk_callgraph_duration(calls, n, 0, &duration) == 0)
            string_printf(&out, ", %lld ms", (long long)duration);
        string_printf(&out, "\"]:::%s\n", alk_call_status_name(call.status));
    }
    for (alk_node n = g->first; n != ALK_NODE_NONE; n = g->nodes[n].next)
        for (uint32_t i = 0; i < g->nodes[n].out.count; i++)
            string_printf(&out, "    n%u --> n%u\n", (unsigned)n,
                          (unsigned)g->nodes[n].out.list[i].node);
    string_put(&out, "    classDef completed fill:#d4edda,stroke:#28a745\n"
                     "    classDef failed fill:#f8d7da,stroke:#dc3545\n"
                     "    classDef aborted fill:#fff3cd,stroke:#d39e00\n"
                     "    classDef running fill:#cce5ff,stroke:#004085\n"
                     "    classDef pending fill:#ffffff,stroke:#6c757d\n"
                     "    classDef unknown fill:#eeeeee,stroke:#999999,stroke-dasharray:4\n");
    return string_take(&out);
}
