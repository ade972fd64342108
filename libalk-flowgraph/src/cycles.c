/*
 * All elementary cycles: D. B. Johnson, "Finding all the elementary circuits of a
 * directed graph" (1975), with its recursion written out as a stack. A cycle is
 * reported from its lowest-numbered node, so each comes once: the lowest node of a
 * component is searched from, then taken out, and what is left of the component
 * falls into components again. So each search finds at least one cycle.
 */
#include "components.h"

#include <stdlib.h>
#include <string.h>

struct waiting { /* "unblock `node` when the owner of this list is" */
    alk_node node;
    uint32_t next;
};

struct stretch { /* of `members`: a component */
    size_t begin, end;
};

struct johnson {
    const struct alk_graph *g;
    struct tarjan tarjan;
    alk_node start;
    uint32_t *group; /* the lowest node of the component that a node is in now */
    alk_node *members;
    struct stretch *parts; /* those still to be searched */
    size_t part_count;

    bool *blocked, *closed;
    uint32_t *at;    /* next edge to look at */
    uint32_t *first; /* of the node's waiting list, UINT32_MAX: empty */
    struct waiting *waiting;
    uint32_t waiting_count, waiting_size, waiting_free;
    alk_node *path, *stack;
    size_t path_count;
    size_t found, max;
    alk_graph_cycle_fn *each;
    void *user;
    int status;
};

/* ---- the search from one node --------------------------------------------------------- */

static uint32_t waiting_take(struct johnson *j)
{
    uint32_t taken = j->waiting_free;
    if (taken != UINT32_MAX) {
        j->waiting_free = j->waiting[taken].next;
        return taken;
    }
    if (j->waiting_count == j->waiting_size) {
        uint32_t size = j->waiting_size ? j->waiting_size * 2 : 64;
        struct waiting *grown = reallocarray(j->waiting, size, sizeof *grown);
        if (!grown || size < j->waiting_size) {
            j->status = ALK_GRAPH_E_NOMEM;
            return UINT32_MAX;
        }
        j->waiting = grown;
        j->waiting_size = size;
    }
    return j->waiting_count++;
}

/* `node` stays blocked until `owner` is not; it may wait for it since an earlier visit. */
static void wait_for(struct johnson *j, alk_node owner, alk_node node)
{
    for (uint32_t i = j->first[owner]; i != UINT32_MAX; i = j->waiting[i].next)
        if (j->waiting[i].node == node)
            return;
    uint32_t taken = waiting_take(j);
    if (taken == UINT32_MAX)
        return;
    j->waiting[taken] = (struct waiting){node, j->first[owner]};
    j->first[owner] = taken;
}

static void unblock(struct johnson *j, alk_node node)
{
    size_t count = 0;
    j->stack[count++] = node;
    j->blocked[node] = false;
    while (count) {
        alk_node owner = j->stack[--count];
        uint32_t i = j->first[owner], next;
        j->first[owner] = UINT32_MAX;
        for (; i != UINT32_MAX; i = next) {
            alk_node waits = j->waiting[i].node;
            next = j->waiting[i].next;
            j->waiting[i].next = j->waiting_free;
            j->waiting_free = i;
            if (!j->blocked[waits])
                continue;
            j->blocked[waits] = false;
            j->stack[count++] = waits;
        }
    }
}

/* Edges out of the component do not count. */
static bool counts(const struct johnson *j, alk_node to)
{
    return j->group[to] == j->start;
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

/* ---- components, and what is left of them ---------------------------------------------- */

/* Components that Tarjan's search put into its `members`; they go to `begin` of ours. */
static void take_parts(struct johnson *j, size_t begin)
{
    const struct tarjan *t = &j->tarjan;
    memcpy(j->members + begin, t->members, t->member_count * sizeof *t->members);
    size_t end = begin + t->member_count, next;
    for (; begin < end; begin = next) {
        alk_node lowest = j->members[begin];
        for (next = begin;
             next < end && t->component[j->members[next]] == t->component[j->members[begin]];
             next++)
            if (j->members[next] < lowest)
                lowest = j->members[next];
        for (size_t i = begin; i < next; i++)
            j->group[j->members[i]] = lowest;
        if (next - begin > 1)
            j->parts[j->part_count++] = (struct stretch){begin, next};
    }
}

/* Search a component from its lowest node, and split what is left without it. */
static bool search_part(struct johnson *j, struct stretch part)
{
    struct tarjan *t = &j->tarjan;
    j->start = j->group[j->members[part.begin]];
    j->waiting_count = 0;
    j->waiting_free = UINT32_MAX;
    j->path_count = 0;
    for (size_t i = part.begin; i < part.end; i++) {
        alk_node node = j->members[i];
        j->blocked[node] = j->closed[node] = false;
        j->first[node] = UINT32_MAX;
        t->low[node] = 0;
        t->component[node] = UINT32_MAX;
    }
    if (!circuits(j))
        return false;
    j->group[j->start] = UINT32_MAX;
    t->seen = t->found = 0;
    t->member_count = 0;
    for (size_t i = part.begin; i < part.end; i++)
        if (j->members[i] != j->start && !t->low[j->members[i]])
            tarjan_from(t, j->members[i]);
    take_parts(j, part.begin);
    return true;
}

static int search(struct johnson *j)
{
    const struct alk_graph *g = j->g;
    for (alk_node node = g->first; node != ALK_NODE_NONE; node = g->nodes[node].next)
        if (!j->tarjan.low[node])
            tarjan_from(&j->tarjan, node);
    take_parts(j, 0);
    j->tarjan.group = j->group;
    while (j->part_count && search_part(j, j->parts[--j->part_count]))
        ;
    return j->status;
}

int alk_graph_cycles(const struct alk_graph *g, size_t max_cycles, alk_graph_cycle_fn *each,
                     void *user)
{
    size_t n = (size_t)g->node_bound + 1;
    struct johnson j = {.g = g, .max = max_cycles, .each = each, .user = user};
    uint32_t *room = calloc(n, 7 * sizeof *room);
    bool *flags = calloc(n, 2 * sizeof *flags);
    int status = tarjan_init(&j.tarjan, g);
    j.parts = calloc(n / 2 + 1, sizeof *j.parts);
    if (!room || !flags || !j.parts)
        status = ALK_GRAPH_E_NOMEM;
    if (!status) {
        j.tarjan.members = room;
        j.members = room + n;
        j.group = room + 2 * n;
        j.at = room + 3 * n;
        j.first = room + 4 * n;
        j.path = room + 5 * n;
        j.stack = room + 6 * n;
        j.blocked = flags;
        j.closed = flags + n;
        status = search(&j);
    }
    free(j.tarjan.component);
    tarjan_free(&j.tarjan);
    free(j.waiting);
    free(j.parts);
    free(room);
    free(flags);
    return status;
}
