/*
 * Keeping a graph acyclic while edges are added one by one: the sparse algorithm
 * of Bender, Fineman, Gilbert and Tarjan, "A New Approach to Incremental Cycle
 * Detection and Related Problems" (2016), section 2.
 *
 * Each node has a level that never falls along an edge. For an edge v -> w with
 * level(v) >= level(w) a search goes backward from v within its level, over at
 * most about sqrt(m) edges; if there are more, w is lifted a level higher than v,
 * else to v's level. Lifting goes on forward from w. A cycle shows when this
 * meets what the backward search saw. All searches look before anything is
 * changed, so that a refused edge leaves no trace.
 */
#include "graph_core.h"

static void next_mark(struct alk_graph *g)
{
    if (++g->mark < UINT32_MAX - 1) /* search_forward() takes one more */
        return;
    for (uint32_t i = 0; i < g->node_bound; i++)
        g->nodes[i].mark = 0;
    g->mark = 1;
}

static uint32_t backward_limit(const struct alk_graph *g)
{
    uint32_t limit = 8;
    while ((uint64_t)limit * limit < g->edge_count)
        limit += limit / 8;
    return limit;
}

/*
 * Mark what leads to v within its level. Answers whether the search was
 * completed, or was given up after too many edges (then only v stays marked).
 */
static bool search_backward(struct alk_graph *g, alk_node v)
{
    uint32_t count = 0, left = backward_limit(g);
    next_mark(g);
    g->nodes[v].mark = g->mark;
    g->stack[count++] = v;
    while (count) {
        const struct node *node = &g->nodes[g->stack[--count]];
        for (uint32_t i = 0; i < node->same; i++) {
            if (left-- == 0) {
                next_mark(g);
                g->nodes[v].mark = g->mark;
                return false;
            }
            struct node *from = &g->nodes[node->in.list[i].node];
            if (from->mark == g->mark)
                continue;
            from->mark = g->mark;
            g->stack[count++] = node->in.list[i].node;
        }
    }
    return true;
}

/*
 * Collect in `lifted` what must rise with w to `level`. Answers UINT32_MAX when
 * this meets a node that the backward search marked, and w closes a cycle.
 * Nodes are marked on the way; marks of the two searches differ by one.
 */
static uint32_t search_forward(struct alk_graph *g, alk_node w, uint32_t level, alk_node *lifted)
{
    uint32_t seen = g->mark, count = 0;
    if (g->nodes[w].mark == seen)
        return UINT32_MAX;
    g->mark++;
    g->nodes[w].mark = g->mark;
    lifted[count++] = w;
    for (uint32_t at = 0; at < count; at++) {
        const struct node *node = &g->nodes[lifted[at]];
        for (uint32_t i = 0; i < node->out.count; i++) {
            struct node *to = &g->nodes[node->out.list[i].node];
            if (to->mark == seen)
                return UINT32_MAX;
            if (to->level >= level || to->mark == g->mark)
                continue;
            to->mark = g->mark;
            lifted[count++] = node->out.list[i].node;
        }
    }
    return count;
}

/* Put an incoming edge among those from the same level. */
static void same_level(struct alk_graph *g, uint32_t edge)
{
    struct node *to = &g->nodes[g->edges[edge].to];
    if (g->edges[edge].in_at >= to->same)
        incoming_swap(g, g->edges[edge].to, g->edges[edge].in_at, to->same++);
}

static void lift(struct alk_graph *g, const alk_node *lifted, uint32_t count, uint32_t level)
{
    for (uint32_t i = 0; i < count; i++) {
        g->nodes[lifted[i]].level = level;
        g->nodes[lifted[i]].same = 0;
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct ends *out = &g->nodes[lifted[i]].out;
        for (uint32_t j = 0; j < out->count; j++)
            if (g->nodes[out->list[j].node].level == level)
                same_level(g, out->list[j].edge);
    }
}

int acyclic_admit(struct alk_graph *g, alk_node v, alk_node w)
{
    uint32_t level = g->nodes[v].level;
    if (level < g->nodes[w].level)
        return 0;
    if (g->nodes[w].out.count == 0) { /* the usual case: growth at the leaves */
        if (level > g->nodes[w].level)
            lift(g, &w, 1, level);
        return 0;
    }
    if (g->nodes[v].in.count == 0 && level == g->nodes[w].level)
        return 0;
    bool complete = search_backward(g, v);
    if (g->nodes[w].mark == g->mark)
        return 1;
    if (complete && level == g->nodes[w].level)
        return 0;
    level += !complete;
    alk_node *lifted = g->stack + g->node_size;
    uint32_t count = search_forward(g, w, level, lifted);
    if (count == UINT32_MAX)
        return 1;
    lift(g, lifted, count, level);
    return 0;
}

void acyclic_added(struct alk_graph *g, uint32_t edge)
{
    const struct edge *e = &g->edges[edge];
    if (g->nodes[e->from].level == g->nodes[e->to].level)
        same_level(g, edge);
}

int alk_graph_would_cycle(struct alk_graph *g, alk_node from, alk_node to)
{
    if (!node_valid(g, from) || !node_valid(g, to))
        return ALK_GRAPH_E_UNKNOWN;
    if (from == to)
        return 1;
    if (g->acyclic)
        return acyclic_admit(g, from, to);
    struct alk_node_list way;
    int status = alk_graph_shortest_path(g, to, from, &way);
    int found = way.count > 0;
    alk_node_list_free(&way);
    return status ? status : found;
}
