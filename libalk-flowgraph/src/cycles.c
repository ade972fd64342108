/*
 * All elementary cycles: D. B. Johnson, "Finding all the elementary circuits of a
 * directed graph" (1975), with its recursion written out as a stack. A cycle is
 * reported from its lowest-numbered node, so each comes once.
 */
#include "graph_core.h"

#include <stdlib.h>
#include <string.h>

struct waiting { /* "unblock `node` when the owner of this list is" */
    alk_node node;
    uint32_t next;
};

struct johnson {
    const struct alk_graph *g;
    alk_node start;
    const uint32_t *component; /* of the graph as a whole */
    bool *blocked, *closed;
    uint32_t *at;    /* next edge to look at */
    uint32_t *first; /* of the node's waiting list, UINT32_MAX: empty */
    struct waiting *waiting;
    uint32_t waiting_count, waiting_size;
    alk_node *path, *stack;
    size_t path_count;
    size_t found, max;
    alk_graph_cycle_fn *each;
    void *user;
    int status;
};

static bool wait_for(struct johnson *j, alk_node owner, alk_node node)
{
    for (uint32_t i = j->first[owner]; i != UINT32_MAX; i = j->waiting[i].next)
        if (j->waiting[i].node == node)
            return true;
    if (j->waiting_count == j->waiting_size) {
        uint32_t size = j->waiting_size ? j->waiting_size * 2 : 64;
        struct waiting *grown = reallocarray(j->waiting, size, sizeof *grown);
        if (!grown) {
            j->status = ALK_GRAPH_E_NOMEM;
            return false;
        }
        j->waiting = grown;
        j->waiting_size = size;
    }
    j->waiting[j->waiting_count] = (struct waiting){node, j->first[owner]};
    j->first[owner] = j->waiting_count++;
    return true;
}

static void unblock(struct johnson *j, alk_node node)
{
    size_t count = 0;
    j->stack[count++] = node;
    j->blocked[node] = false;
    while (count) {
        alk_node owner = j->stack[--count];
        uint32_t i = j->first[owner];
        j->first[owner] = UINT32_MAX;
        for (; i != UINT32_MAX; i = j->waiting[i].next) {
            if (!j->blocked[j->waiting[i].node])
                continue;
            j->blocked[j->waiting[i].node] = false;
            j->stack[count++] = j->waiting[i].node;
        }
    }
}

/* Edges to nodes below the start, or out of its component, do not count. */
static bool counts(const struct johnson *j, alk_node to)
{
    return to >= j->start && j->component[to] == j->component[j->start];
}

static bool report(struct johnson *j)
{
    if (j->found++ == j->max)
        j->status = ALK_GRAPH_E_LIMIT;
    else if (j->each(j->user, j->path, j->path_count))
        return true;
    return false;
}

static void enter(struct johnson *j, alk_node node)
{
    j->path[j->path_count++] = node;
    j->blocked[node] = true;
    j->closed[node] = false;
    j->at[node] = 0;
}

static void leave(struct johnson *j, alk_node node)
{
    const struct ends *out = &j->g->nodes[node].out;
    j->path_count--;
    if (j->closed[node])
        unblock(j, node);
    for (uint32_t i = 0; !j->closed[node] && i < out->count && !j->status; i++)
        if (counts(j, out->list[i].node))
            wait_for(j, out->list[i].node, node);
    if (j->path_count && j->closed[node])
        j->closed[j->path[j->path_count - 1]] = true;
}

/* All cycles through the start; false ends everything. */
static bool circuits(struct johnson *j)
{
    enter(j, j->start);
    while (j->path_count && !j->status) {
        alk_node node = j->path[j->path_count - 1];
        const struct ends *out = &j->g->nodes[node].out;
        if (j->at[node] == out->count) {
            leave(j, node);
            continue;
        }
        alk_node to = out->list[j->at[node]++].node;
        if (!counts(j, to))
            continue;
        if (to == j->start) {
            j->closed[node] = true;
            if (!report(j))
                return false;
        } else if (!j->blocked[to]) {
            enter(j, to);
        }
    }
    return !j->status;
}

static void reset(struct johnson *j)
{
    size_t n = j->g->node_bound;
    memset(j->blocked, 0, n);
    memset(j->closed, 0, n);
    memset(j->first, 0xff, n * sizeof *j->first);
    j->waiting_count = 0;
    j->path_count = 0;
}

static int search(struct johnson *j, const uint32_t *sizes)
{
    for (alk_node node = 0; node < j->g->node_bound; node++) {
        if (!j->g->nodes[node].key || sizes[j->component[node]] < 2)
            continue;
        reset(j);
        j->start = node;
        if (!circuits(j))
            break;
    }
    return j->status;
}

int alk_graph_cycles(const struct alk_graph *g, size_t max_cycles, alk_graph_cycle_fn *each,
                     void *user)
{
    size_t n = (size_t)g->node_bound + 1, count;
    uint32_t *component;
    int status = alk_graph_components(g, &component, &count);
    if (status)
        return status;
    struct johnson j = {
        .g = g, .component = component, .max = max_cycles, .each = each, .user = user};
    uint32_t *room = calloc(n, 5 * sizeof *room);
    bool *flags = calloc(n, 2 * sizeof *flags);
    status = ALK_GRAPH_E_NOMEM;
    if (room && flags) {
        uint32_t *sizes = room;
        j.at = room + n;
        j.first = room + 2 * n;
        j.path = room + 3 * n;
        j.stack = room + 4 * n;
        j.blocked = flags;
        j.closed = flags + n;
        for (alk_node node = g->first; node != ALK_NODE_NONE; node = g->nodes[node].next)
            sizes[component[node]]++;
        status = search(&j, sizes);
    }
    free(j.waiting);
    free(room);
    free(flags);
    free(component);
    return status;
}
