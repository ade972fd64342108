#include "components.h"

#include <stdlib.h>
#include <string.h>

int tarjan_init(struct tarjan *t, const struct alk_graph *g)
{
    size_t n = (size_t)g->node_bound + 1;
    *t = (struct tarjan){.g = g};
    t->room = calloc(n, 5 * sizeof *t->room);
    t->component = malloc(n * sizeof *t->component);
    if (!t->room || !t->component)
        return ALK_GRAPH_E_NOMEM;
    memset(t->component, 0xff, n * sizeof *t->component);
    t->low = t->room;
    t->number = t->room + n;
    t->at = t->room + 2 * n;
    t->path = t->room + 3 * n;
    t->open = t->room + 4 * n;
    return 0;
}

void tarjan_free(struct tarjan *t)
{
    free(t->room);
}

static void enter(struct tarjan *t, alk_node node)
{
    t->low[node] = t->number[node] = ++t->seen;
    t->at[node] = 0;
    t->path[t->path_count++] = node;
    t->open[t->open_count++] = node;
}

/* All edges of the last node of the path were looked at. */
static void leave(struct tarjan *t, alk_node node)
{
    t->path_count--;
    if (t->low[node] == t->number[node]) {
        alk_node member;
        do {
            member = t->open[--t->open_count];
            t->component[member] = t->found;
            if (t->members)
                t->members[t->member_count++] = member;
        } while (member != node);
        t->found++;
    }
    if (t->path_count) {
        alk_node parent = t->path[t->path_count - 1];
        if (t->component[node] == UINT32_MAX && t->low[node] < t->low[parent])
            t->low[parent] = t->low[node];
    }
}

/* The stack of calls is t->path. */
void tarjan_from(struct tarjan *t, alk_node start)
{
    enter(t, start);
    while (t->path_count) {
        alk_node node = t->path[t->path_count - 1];
        const struct ends *out = &t->g->nodes[node].out;
        if (t->at[node] == out->count) {
            leave(t, node);
            continue;
        }
        alk_node to = out->list[t->at[node]++].node;
        if (t->group && t->group[to] != t->group[node])
            continue;
        if (!t->low[to])
            enter(t, to);
        else if (t->component[to] == UINT32_MAX && t->number[to] < t->low[node])
            t->low[node] = t->number[to];
    }
}

int alk_graph_components(const struct alk_graph *g, uint32_t **component, size_t *count)
{
    struct tarjan t;
    int status = tarjan_init(&t, g);
    for (alk_node node = g->first; !status && node != ALK_NODE_NONE; node = g->nodes[node].next)
        if (!t.low[node])
            tarjan_from(&t, node);
    if (status)
        free(t.component);
    *component = status ? NULL : t.component;
    *count = t.found;
    tarjan_free(&t);
    return status;
}
