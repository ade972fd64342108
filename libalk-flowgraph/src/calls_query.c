/* Questions about the calls. */
#include "calls.h"

#include <stdlib.h>
#include <string.h>

const char *alk_call_status_name(enum alk_call_status status)
{
    static const char *const names[] = {"unknown",   "pending", "running",
                                        "completed", "failed",  "aborted"};
    return status <= ALK_CALL_ABORTED ? names[status] : "?";
}

int alk_callgraph_get(const struct alk_callgraph *calls, alk_node node, struct alk_call *call)
{
    if (!node_valid(calls->graph, node))
        return ALK_GRAPH_E_UNKNOWN;
    const struct record *record = &calls->records[node];
    *call = (struct alk_call){
        .status = record_status(record),
        .id = calls->graph->nodes[node].key,
        .operation =
            record->operation == NO_OPERATION ? NULL : calls->operations[record->operation].name,
        .parent = alk_graph_in(calls->graph, node, 0),
        .started = record->requested,
        .ended = record->ended,
        .input = record->input,
        .output = record->output,
        .error = record->error,
        .identity = record->identity,
    };
    return 0;
}

static int list_new(const struct alk_callgraph *calls, struct alk_node_list *list)
{
    list->count = 0;
    list->nodes = malloc((alk_graph_node_count(calls->graph) + 1) * sizeof *list->nodes);
    return list->nodes ? 0 : ALK_GRAPH_E_NOMEM;
}

int alk_callgraph_by_status(const struct alk_callgraph *calls, enum alk_call_status status,
                            struct alk_node_list *list)
{
    const struct alk_graph *g = calls->graph;
    int result = list_new(calls, list);
    for (alk_node n = g->first; !result && n != ALK_NODE_NONE; n = g->nodes[n].next)
        if (record_status(&calls->records[n]) == status)
            list->nodes[list->count++] = n;
    return result;
}

int alk_callgraph_lineage(const struct alk_callgraph *calls, alk_node node,
                          struct alk_node_list *list)
{
    int status = list_new(calls, list);
    if (!status && !node_valid(calls->graph, node))
        return ALK_GRAPH_E_UNKNOWN;
    for (; !status && node != ALK_NODE_NONE; node = alk_graph_in(calls->graph, node, 0))
        list->nodes[list->count++] = node;
    return status;
}

int alk_callgraph_abort_cascade(const struct alk_callgraph *calls, alk_node node,
                                struct alk_node_list *list)
{
    int status = alk_graph_descendants(calls->graph, &node, 1, list);
    size_t kept = 0;
    for (size_t i = 0; !status && i < list->count; i++)
        if (record_open(&calls->records[list->nodes[i]]))
            list->nodes[kept++] = list->nodes[i];
    if (!status)
        list->count = kept;
    return status;
}

int alk_callgraph_duration(const struct alk_callgraph *calls, alk_node node, int64_t now,
                           int64_t *duration)
{
    if (!node_valid(calls->graph, node) || calls->records[node].requested == NO_TIME)
        return ALK_GRAPH_E_UNKNOWN;
    const struct record *record = &calls->records[node];
    int64_t end = record->end == ALK_CALL_UNKNOWN ? now : record->ended;
    if (__builtin_sub_overflow(end, record->requested, duration))
        return ALK_GRAPH_E_LIMIT;
    return 0;
}

static int64_t end_time(const struct record *record)
{
    return record->end == ALK_CALL_UNKNOWN ? INT64_MAX : record->ended;
}

int alk_callgraph_critical_path(const struct alk_callgraph *calls, alk_node node,
                                struct alk_node_list *path)
{
    const struct alk_graph *g = calls->graph;
    int status = list_new(calls, path);
    if (!status && !node_valid(g, node))
        return ALK_GRAPH_E_UNKNOWN;
    while (!status && node != ALK_NODE_NONE) {
        path->nodes[path->count++] = node;
        const struct ends *out = &g->nodes[node].out;
        node = ALK_NODE_NONE;
        for (uint32_t i = 0; i < out->count; i++) {
            alk_node child = out->list[i].node;
            int64_t end = end_time(&calls->records[child]);
            int64_t best = node == ALK_NODE_NONE ? 0 : end_time(&calls->records[node]);
            /* of two that end together, the lower id: arrival must not matter */
            if (node == ALK_NODE_NONE || end > best ||
                (end == best && strcmp(g->nodes[child].key, g->nodes[node].key) < 0))
                node = child;
        }
    }
    return status;
}

/* ---- summary ------------------------------------------------------------------------------- */

struct ended {
    uint32_t operation;
    int64_t duration;
};

static int by_operation(const void *a, const void *b)
{
    const struct ended *x = a, *y = b;
    if (x->operation != y->operation)
        return x->operation < y->operation ? -1 : 1;
    return (x->duration > y->duration) - (x->duration < y->duration);
}

/* Nearest rank: the smallest value that at least `percent` of them do not exceed. */
static json_int_t percentile(const struct ended *sorted, size_t count, unsigned percent)
{
    size_t rank = (count * percent + 99) / 100;
    return sorted[rank ? rank - 1 : 0].duration;
}

/* How many calls of an operation there are, and by state. */
struct tally {
    json_int_t all, states[ALK_CALL_ABORTED + 1];
};

static void count_states(const struct alk_callgraph *calls, struct tally *tallies)
{
    const struct alk_graph *g = calls->graph;
    for (alk_node n = g->first; n != ALK_NODE_NONE; n = g->nodes[n].next) {
        const struct record *record = &calls->records[n];
        if (record->operation == NO_OPERATION)
            continue;
        tallies[record->operation].states[record_status(record)]++;
        tallies[record->operation].all++;
    }
}

static json_t *tally_row(const struct tally *tally)
{
    return json_pack("{s:I,s:I,s:I,s:I}", "count", tally->all, "completed",
                     tally->states[ALK_CALL_COMPLETED], "failed", tally->states[ALK_CALL_FAILED],
                     "aborted", tally->states[ALK_CALL_ABORTED]);
}

static size_t collect_ended(const struct alk_callgraph *calls, struct ended *list)
{
    size_t count = 0;
    const struct alk_graph *g = calls->graph;
    for (alk_node n = g->first; n != ALK_NODE_NONE; n = g->nodes[n].next) {
        int64_t duration;
        const struct record *record = &calls->records[n];
        if (record->end != ALK_CALL_UNKNOWN && alk_callgraph_duration(calls, n, 0, &duration) == 0)
            list[count++] = (struct ended){record->operation, duration};
    }
    qsort(list, count, sizeof *list, by_operation);
    return count;
}

static int add_percentiles(json_t *row, const struct ended *sorted, size_t count)
{
    int failed = 0;
    if (!count)
        return 0;
    failed |= json_object_set_new(row, "p50", json_integer(percentile(sorted, count, 50)));
    failed |= json_object_set_new(row, "p90", json_integer(percentile(sorted, count, 90)));
    failed |= json_object_set_new(row, "p99", json_integer(percentile(sorted, count, 99)));
    failed |= json_object_set_new(row, "max", json_integer(sorted[count - 1].duration));
    return failed;
}

json_t *alk_callgraph_summary(const struct alk_callgraph *calls)
{
    json_t *out = json_object();
    struct ended *list = malloc((alk_graph_node_count(calls->graph) + 1) * sizeof *list);
    struct tally *tallies = calloc((size_t)calls->operation_bound + 1, sizeof *tallies);
    bool ok = out && list && tallies;
    size_t count = ok ? collect_ended(calls, list) : 0, at = 0;
    if (ok)
        count_states(calls, tallies);
    for (uint32_t op = 0; ok && op < calls->operation_bound; op++) {
        size_t start = at;
        while (at < count && list[at].operation == op)
            at++;
        if (!calls->operations[op].name)
            continue;
        json_t *row = tally_row(&tallies[op]);
        ok = row && add_percentiles(row, list + start, at - start) == 0 &&
             json_object_set(out, calls->operations[op].name, row) == 0;
        json_decref(row);
    }
    free(list);
    free(tallies);
    if (!ok) {
        json_decref(out);
        return NULL;
    }
    return out;
}
