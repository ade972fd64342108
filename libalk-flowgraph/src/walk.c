/* Searches that go over the graph once: order, reachability, ways. */
#include "graph_core.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void alk_node_list_free(struct alk_node_list *list)
{
    free(list->nodes);
    list->nodes = NULL;
    list->count = 0;
}

static int list_init(struct alk_node_list *list, size_t size)
{
    list->count = 0;
    list->nodes = malloc((size + 1) * sizeof *list->nodes);
    return list->nodes ? 0 : ALK_GRAPH_E_NOMEM;
}

/* Nodes without ends on one side. */
static int extremes(const struct alk_graph *g, bool incoming, struct alk_node_list *list)
{
    int status = list_init(list, g->node_count);
    for (alk_node n = g->first; !status && n != ALK_NODE_NONE; n = g->nodes[n].next)
        if ((incoming ? g->nodes[n].in.count : g->nodes[n].out.count) == 0)
            list->nodes[list->count++] = n;
    return status;
}

int alk_graph_sources(const struct alk_graph *g, struct alk_node_list *list)
{
    return extremes(g, true, list);
}

int alk_graph_sinks(const struct alk_graph *g, struct alk_node_list *list)
{
    return extremes(g, false, list);
}

/* ---- topological order ---------------------------------------------------------------- */

void cycle_describe(const struct alk_graph *g, const alk_node *nodes, size_t count, char *text,
                    size_t size)
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i <= count && used < size; i++) {
        bool skip = count > 10 && i >= 5 && i < count - 4;
        const char *key = skip ? "..." : g->nodes[nodes[i % count]].key;
        int wrote = snprintf(text + used, size - used, "%s%.30s", i ? " -> " : "", key);
        used += wrote > 0 ? (size_t)wrote : 0;
        if (skip)
            i = count - 5;
    }
}

/* Some node is left over: going back along edges from it must come round. */
static int find_cycle(const struct alk_graph *g, const uint32_t *open, struct alk_node_list *cycle)
{
    uint32_t *seen = calloc(g->node_bound, sizeof *seen);
    if (!seen)
        return ALK_GRAPH_E_NOMEM;
    alk_node at = g->first;
    while (!open[at])
        at = g->nodes[at].next;
    cycle->count = 0;
    while (!seen[at]) {
        cycle->nodes[cycle->count++] = at;
        seen[at] = (uint32_t)cycle->count;
        const struct ends *in = &g->nodes[at].in;
        uint32_t i = 0;
        while (!open[in->list[i].node])
            i++;
        at = in->list[i].node;
    }
    size_t start = seen[at] - 1;
    free(seen);
    cycle->count -= start;
    memmove(cycle->nodes, cycle->nodes + start, cycle->count * sizeof *cycle->nodes);
    for (size_t i = 0; i < cycle->count / 2; i++) { /* it was found backward */
        alk_node kept = cycle->nodes[i];
        cycle->nodes[i] = cycle->nodes[cycle->count - 1 - i];
        cycle->nodes[cycle->count - 1 - i] = kept;
    }
    return ALK_GRAPH_E_CYCLE;
}

int alk_graph_topological_order(const struct alk_graph *g, struct alk_node_list *order,
                                struct alk_graph_error *error)
{
    char text[460];
    uint32_t *open = calloc((size_t)g->node_bound + 1, sizeof *open);
    int status = list_init(order, g->node_count);
    if (!open || status) {
        free(open);
        return graph_fail(error, ALK_GRAPH_E_NOMEM, "out of memory");
    }
    for (alk_node n = g->first; n != ALK_NODE_NONE; n = g->nodes[n].next) {
        open[n] = g->nodes[n].in.count;
        if (!open[n])
            order->nodes[order->count++] = n;
    }
    for (size_t at = 0; at < order->count; at++) {
        const struct ends *out = &g->nodes[order->nodes[at]].out;
        for (uint32_t i = 0; i < out->count; i++)
            if (--open[out->list[i].node] == 0)
                order->nodes[order->count++] = out->list[i].node;
    }
    if (order->count < g->node_count) {
        status = find_cycle(g, open, order);
        if (status == ALK_GRAPH_E_CYCLE) {
            cycle_describe(g, order->nodes, order->count, text, sizeof text);
            graph_fail(error, status, "there is a cycle: %s", text);
        }
    }
    free(open);
    return status;
}

/* ---- reachability ------------------------------------------------------------------------- */

static int reachable(const struct alk_graph *g, const alk_node *nodes, size_t count, bool forward,
                     struct alk_node_list *list)
{
    uint64_t *seen = calloc((size_t)g->node_bound / 64 + 1, sizeof *seen);
    int status = list_init(list, (size_t)g->node_count);
    if (!seen)
        status = ALK_GRAPH_E_NOMEM;
    size_t start = 0;
    for (size_t i = 0; !status && i < count; i++) {
        if (!node_valid(g, nodes[i]))
            status = ALK_GRAPH_E_UNKNOWN;
        else if (!(seen[nodes[i] / 64] >> nodes[i] % 64 & 1)) {
            seen[nodes[i] / 64] |= (uint64_t)1 << nodes[i] % 64;
            list->nodes[list->count++] = nodes[i];
            start++;
        }
    }
    for (size_t at = 0; !status && at < list->count; at++) {
        const struct node *node = &g->nodes[list->nodes[at]];
        const struct ends *ends = forward ? &node->out : &node->in;
        for (uint32_t i = 0; i < ends->count; i++) {
            alk_node to = ends->list[i].node;
            if (seen[to / 64] >> to % 64 & 1)
                continue;
            seen[to / 64] |= (uint64_t)1 << to % 64;
            list->nodes[list->count++] = to;
        }
    }
    if (!status) {
        list->count -= start;
        memmove(list->nodes, list->nodes + start, list->count * sizeof *list->nodes);
    }
    free(seen);
    return status;
}

int alk_graph_descendants(const struct alk_graph *g, const alk_node *nodes, size_t count,
                          struct alk_node_list *list)
{
    return reachable(g, nodes, count, true, list);
}

int alk_graph_ancestors(const struct alk_graph *g, const alk_node *nodes, size_t count,
                        struct alk_node_list *list)
{
    return reachable(g, nodes, count, false, list);
}

int alk_graph_shortest_path(const struct alk_graph *g, alk_node from, alk_node to,
                            struct alk_node_list *path)
{
    int status = list_init(path, g->node_count);
    if (!node_valid(g, from) || !node_valid(g, to))
        return ALK_GRAPH_E_UNKNOWN;
    alk_node *came = malloc(((size_t)g->node_bound + 1) * sizeof *came);
    if (status || !came) {
        free(came);
        return ALK_GRAPH_E_NOMEM;
    }
    memset(came, 0xff, ((size_t)g->node_bound + 1) * sizeof *came);
    size_t end = 0;
    came[from] = from;
    path->nodes[end++] = from;
    for (size_t at = 0; at < end && came[to] == ALK_NODE_NONE; at++) {
        const struct ends *out = &g->nodes[path->nodes[at]].out;
        for (uint32_t i = 0; i < out->count; i++) {
            alk_node next = out->list[i].node;
            if (came[next] != ALK_NODE_NONE)
                continue;
            came[next] = path->nodes[at];
            path->nodes[end++] = next;
        }
    }
    if (came[to] != ALK_NODE_NONE) {
        size_t length = 1;
        for (alk_node n = to; n != from; n = came[n])
            length++;
        path->count = length;
        for (alk_node n = to; length-- > 0; n = came[n])
            path->nodes[length] = n;
    }
    free(came);
    return 0;
}
