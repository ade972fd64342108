/*
 * Which calls belong to one tree, and when all of a tree has ended: disjoint sets
 * with union by size, so that a chain of any depth costs no walk to its root.
 * Finished trees wait in a heap, the earliest on top, to be dropped.
 */
#include "calls.h"

#include <stdlib.h>

static alk_node tree_find(struct alk_callgraph *calls, alk_node node)
{
    struct record *records = calls->records;
    while (records[node].above != node) {
        records[node].above = records[records[node].above].above;
        node = records[node].above;
    }
    return node;
}

static bool is_finished(const struct record *tree)
{
    return tree->open == 0 && tree->last_end != NO_TIME;
}

void tree_new(struct alk_callgraph *calls, alk_node node)
{
    struct record *record = &calls->records[node];
    record->above = record->top = node;
    record->size = 1;
    record->open = 0;
    record->last_end = NO_TIME;
    record->stamp = ++calls->stamps;
}

/* ---- the heap --------------------------------------------------------------------------- */

static bool earlier(const struct alk_callgraph *calls, size_t a, size_t b)
{
    return calls->heap[a].time < calls->heap[b].time;
}

static void heap_swap(struct alk_callgraph *calls, size_t a, size_t b)
{
    struct finished kept = calls->heap[a];
    calls->heap[a] = calls->heap[b];
    calls->heap[b] = kept;
}

static void heap_sink(struct alk_callgraph *calls, size_t at)
{
    for (;;) {
        size_t least = at, left = 2 * at + 1, right = 2 * at + 2;
        if (left < calls->heap_count && earlier(calls, left, least))
            least = left;
        if (right < calls->heap_count && earlier(calls, right, least))
            least = right;
        if (least == at)
            return;
        heap_swap(calls, at, least);
        at = least;
    }
}

static void heap_push(struct alk_callgraph *calls, struct finished entry)
{
    size_t at = calls->heap_count++;
    calls->heap[at] = entry;
    for (; at > 0 && earlier(calls, at, (at - 1) / 2); at = (at - 1) / 2)
        heap_swap(calls, at, (at - 1) / 2);
}

static void heap_pop(struct alk_callgraph *calls)
{
    calls->heap[0] = calls->heap[--calls->heap_count];
    heap_sink(calls, 0);
}

static bool entry_valid(const struct alk_callgraph *calls, const struct finished *entry)
{
    return node_valid(calls->graph, entry->tree) &&
           calls->records[entry->tree].above == entry->tree &&
           calls->records[entry->tree].stamp == entry->stamp;
}

/* Throw out what is no longer valid, when that is most of it. */
static void heap_sweep(struct alk_callgraph *calls)
{
    size_t kept = 0;
    for (size_t i = 0; i < calls->heap_count; i++)
        if (entry_valid(calls, &calls->heap[i]))
            calls->heap[kept++] = calls->heap[i];
    calls->heap_count = kept;
    for (size_t i = kept / 2; i-- > 0;)
        heap_sink(calls, i);
}

/* Room for what one event adds: tree_join() and tree_update() cannot fail. */
int tree_reserve(struct alk_callgraph *calls)
{
    if (calls->heap_count + 2 <= calls->heap_size)
        return 0;
    if (calls->heap_count > 2 * calls->finished_count + 64) {
        heap_sweep(calls);
        return 0;
    }
    size_t size = calls->heap_size ? calls->heap_size * 2 : 64;
    struct finished *heap = reallocarray(calls->heap, size, sizeof *heap);
    if (!heap)
        return ALK_GRAPH_E_NOMEM;
    calls->heap = heap;
    calls->heap_size = size;
    return 0;
}

/* ---- trees -------------------------------------------------------------------------------- */

void tree_join(struct alk_callgraph *calls, alk_node parent, alk_node child)
{
    alk_node a = tree_find(calls, parent), b = tree_find(calls, child);
    struct record *records = calls->records;
    alk_node top = records[a].top;
    calls->finished_count -= is_finished(&records[a]) + (size_t)is_finished(&records[b]);
    if (records[a].size < records[b].size) {
        alk_node kept = a;
        a = b;
        b = kept;
    }
    records[b].above = a;
    records[a].size += records[b].size;
    records[a].open += records[b].open;
    records[a].top = top;
    records[a].stamp = ++calls->stamps;
    if (records[b].last_end > records[a].last_end)
        records[a].last_end = records[b].last_end;
    if (is_finished(&records[a])) {
        calls->finished_count++;
        heap_push(calls, (struct finished){records[a].last_end, a, records[a].stamp});
    }
}

/* Remove a tree, leaf after leaf: this needs no memory, and cannot fail. */
static size_t drop_tree(struct alk_callgraph *calls, alk_node tree)
{
    const struct node *nodes = calls->graph->nodes;
    alk_node at = calls->records[tree].top;
    size_t count = 0;
    calls->finished_count--;
    while (at != ALK_NODE_NONE) {
        const struct ends *out = &nodes[at].out;
        if (out->count) {
            at = out->list[out->count - 1].node;
            continue;
        }
        alk_node leaf = at;
        at = alk_graph_in(calls->graph, leaf, 0);
        call_remove(calls, leaf);
        count++;
    }
    return count;
}

static size_t drop_while(struct alk_callgraph *calls, int64_t before)
{
    size_t dropped = 0;
    while (calls->heap_count) {
        struct finished first = calls->heap[0];
        bool valid = entry_valid(calls, &first);
        if (valid && first.time >= before &&
            calls->finished_count <= calls->options.max_finished_trees)
            break;
        heap_pop(calls);
        dropped += valid ? drop_tree(calls, first.tree) : 0;
    }
    return dropped;
}

void tree_update(struct alk_callgraph *calls, alk_node node, bool was_open)
{
    alk_node tree = tree_find(calls, node);
    struct record *record = &calls->records[tree];
    const struct record *changed = &calls->records[node];
    bool was_finished = is_finished(record), open = record_open(changed);
    int64_t last_end = record->last_end;
    record->open += (uint32_t)open - (uint32_t)was_open;
    if (changed->end != ALK_CALL_UNKNOWN && changed->ended > record->last_end)
        record->last_end = changed->ended;
    bool finished = is_finished(record);
    if (finished == was_finished && (!finished || last_end == record->last_end))
        return;
    record->stamp = ++calls->stamps;
    calls->finished_count += (size_t)finished - (size_t)was_finished;
    if (finished) {
        heap_push(calls, (struct finished){record->last_end, tree, record->stamp});
        drop_while(calls, INT64_MIN);
    }
}

size_t alk_callgraph_prune(struct alk_callgraph *calls, int64_t now)
{
    int64_t age = calls->options.max_finished_age;
    return drop_while(calls, now < INT64_MIN + age ? INT64_MIN : now - age);
}
