/* Nodes, edges and the indexes that find them. */
#include "graph_core.h"
#include "utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int graph_fail(struct alk_graph_error *error, int status, const char *format, ...)
{
    if (error) {
        va_list args;
        va_start(args, format);
        vsnprintf(error->text, sizeof error->text, format, args);
        va_end(args);
        utf8_mend(error->text); /* keys were cut to fit */
    }
    return status;
}

/* ---- hashing -------------------------------------------------------------------------- */

__extension__ typedef unsigned __int128 wide;

static uint64_t fold(uint64_t a, uint64_t b)
{
    wide product = (wide)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/*
 * Keys come from strangers. Multiplied by a number that nobody knows, and folded,
 * a difference between two keys cannot be cancelled by another one further on.
 */
static uint32_t key_hash(const struct alk_graph *g, const char *key)
{
    size_t length = strlen(key);
    uint64_t hash = fold(g->seed[0] ^ length, g->seed[1]), word;
    for (; length >= 8; key += 8, length -= 8) {
        memcpy(&word, key, 8);
        hash = fold(hash ^ word, g->seed[1]);
    }
    word = 0;
    memcpy(&word, key, length);
    return (uint32_t)fold(hash ^ word, g->seed[1]);
}

static uint32_t edge_hash(const struct alk_graph *g, alk_node from, alk_node to)
{
    return (uint32_t)fold(g->seed[0] ^ ((uint64_t)from << 32 | to), g->seed[1]);
}

/* Without a source of randomness, where memory lies must do. */
static void seed_init(struct alk_graph *g)
{
    if (getentropy(g->seed, sizeof g->seed)) {
        g->seed[0] = (uintptr_t)g * 0x9e3779b97f4a7c15u;
        g->seed[1] = (uintptr_t)&g * 0xe7037ed1a0b428dbu;
    }
    g->seed[1] |= 1;
}

static uint32_t slot_hash(const struct alk_graph *g, const struct index *index, uint32_t number)
{
    if (index == &g->node_index)
        return g->nodes[number].hash;
    return edge_hash(g, g->edges[number].from, g->edges[number].to);
}

/* Make room for one more. */
static int index_reserve(const struct alk_graph *g, struct index *index)
{
    if (index->slots && index->count + 1 <= (index->mask + 1) / 4 * 3)
        return 0;
    uint64_t size = index->slots ? ((uint64_t)index->mask + 1) * 2 : 16;
    uint32_t *slots = size > UINT32_MAX / 2 ? NULL : malloc(size * sizeof *slots);
    if (!slots)
        return ALK_GRAPH_E_NOMEM;
    memset(slots, 0xff, size * sizeof *slots);
    for (uint64_t i = 0; index->slots && i <= index->mask; i++) {
        if (index->slots[i] == UINT32_MAX)
            continue;
        uint64_t at = slot_hash(g, index, index->slots[i]) & (size - 1);
        while (slots[at] != UINT32_MAX)
            at = (at + 1) & (size - 1);
        slots[at] = index->slots[i];
    }
    free(index->slots);
    index->slots = slots;
    index->mask = (uint32_t)size - 1;
    return 0;
}

static void index_put(struct index *index, uint32_t hash, uint32_t number)
{
    uint32_t at = hash & index->mask;
    while (index->slots[at] != UINT32_MAX)
        at = (at + 1) & index->mask;
    index->slots[at] = number;
    index->count++;
}

/* Remove, and move the entries behind it up where that is nearer to their place. */
static void index_remove(const struct alk_graph *g, struct index *index, uint32_t hash,
                         uint32_t number)
{
    uint32_t mask = index->mask, hole = hash & mask;
    while (index->slots[hole] != number)
        hole = (hole + 1) & mask;
    for (uint32_t at = (hole + 1) & mask; index->slots[at] != UINT32_MAX; at = (at + 1) & mask) {
        uint32_t home = slot_hash(g, index, index->slots[at]) & mask;
        if (((at - home) & mask) >= ((at - hole) & mask)) {
            index->slots[hole] = index->slots[at];
            hole = at;
        }
    }
    index->slots[hole] = UINT32_MAX;
    index->count--;
}

alk_node alk_graph_find(const struct alk_graph *g, const char *key)
{
    if (!g->node_index.slots)
        return ALK_NODE_NONE;
    uint32_t hash = key_hash(g, key), mask = g->node_index.mask;
    for (uint32_t at = hash & mask;; at = (at + 1) & mask) {
        alk_node node = g->node_index.slots[at];
        if (node == ALK_NODE_NONE)
            return node;
        if (g->nodes[node].hash == hash && strcmp(g->nodes[node].key, key) == 0)
            return node;
    }
}

uint32_t edge_find(const struct alk_graph *g, alk_node from, alk_node to)
{
    if (!g->edge_index.slots)
        return EDGE_NONE;
    uint32_t mask = g->edge_index.mask;
    for (uint32_t at = edge_hash(g, from, to) & mask;; at = (at + 1) & mask) {
        uint32_t edge = g->edge_index.slots[at];
        if (edge == EDGE_NONE || (g->edges[edge].from == from && g->edges[edge].to == to))
            return edge;
    }
}

/* ---- the graph ----------------------------------------------------------------------------- */

struct alk_graph *alk_graph_new(bool acyclic)
{
    struct alk_graph *g = calloc(1, sizeof *g);
    if (!g)
        return NULL;
    g->acyclic = acyclic;
    g->first = g->last = g->free_node = ALK_NODE_NONE;
    g->free_edge = EDGE_NONE;
    seed_init(g);
    return g;
}

void alk_graph_free(struct alk_graph *g)
{
    if (!g)
        return;
    for (uint32_t i = 0; i < g->node_bound; i++) {
        free(g->nodes[i].key);
        free(g->nodes[i].out.list);
        free(g->nodes[i].in.list);
        json_decref(g->nodes[i].attributes);
    }
    for (uint32_t i = 0; i < g->edge_bound; i++)
        json_decref(g->edges[i].attributes);
    json_decref(g->attributes);
    free(g->nodes);
    free(g->edges);
    free(g->stack);
    free(g->node_index.slots);
    free(g->edge_index.slots);
    free(g);
}

/* ---- nodes ------------------------------------------------------------------------------------ */

static int nodes_reserve(struct alk_graph *g)
{
    if (g->free_node != ALK_NODE_NONE || g->node_bound < g->node_size)
        return 0;
    if (g->node_size > UINT32_MAX / 4)
        return ALK_GRAPH_E_LIMIT;
    uint32_t size = g->node_size ? g->node_size + g->node_size / 2 : 16;
    struct node *nodes = reallocarray(g->nodes, size, sizeof *nodes);
    if (nodes)
        g->nodes = nodes;
    alk_node *stack = g->acyclic ? reallocarray(g->stack, size, 2 * sizeof *stack) : NULL;
    if (stack)
        g->stack = stack;
    if (!nodes || (g->acyclic && !stack))
        return ALK_GRAPH_E_NOMEM;
    g->node_size = size;
    return 0;
}

static alk_node node_take(struct alk_graph *g)
{
    alk_node node = g->free_node;
    if (node == ALK_NODE_NONE)
        node = g->node_bound++;
    else
        g->free_node = g->nodes[node].next;
    memset(&g->nodes[node], 0, sizeof g->nodes[node]);
    return node;
}

int alk_graph_add_node(struct alk_graph *g, const char *key, json_t *attributes, alk_node *out,
                       struct alk_graph_error *error)
{
    alk_node node = alk_graph_find(g, key);
    if (out)
        *out = node;
    if (!utf8_valid(key))
        return graph_fail(error, ALK_GRAPH_E_FORM, "the key \"%.100s\" is not UTF-8", key);
    if (node != ALK_NODE_NONE)
        return graph_fail(error, ALK_GRAPH_E_EXISTS, "the node \"%s\" is there already", key);
    int status = nodes_reserve(g);
    if (!status)
        status = index_reserve(g, &g->node_index);
    char *copy = status ? NULL : strdup(key);
    if (!copy)
        return graph_fail(error, status ? status : ALK_GRAPH_E_NOMEM, "no room for another node");

    node = node_take(g);
    struct node *n = &g->nodes[node];
    n->key = copy;
    n->hash = key_hash(g, key);
    n->attributes = json_incref(attributes);
    n->previous = g->last;
    n->next = ALK_NODE_NONE;
    if (g->last == ALK_NODE_NONE)
        g->first = node;
    else
        g->nodes[g->last].next = node;
    g->last = node;
    index_put(&g->node_index, n->hash, node);
    g->node_count++;
    if (out)
        *out = node;
    return 0;
}

int alk_graph_remove_node(struct alk_graph *g, alk_node node)
{
    if (!node_valid(g, node))
        return ALK_GRAPH_E_UNKNOWN;
    struct node *n = &g->nodes[node];
    while (n->out.count)
        alk_graph_remove_edge(g, node, n->out.list[n->out.count - 1].node);
    while (n->in.count)
        alk_graph_remove_edge(g, n->in.list[n->in.count - 1].node, node);
    index_remove(g, &g->node_index, n->hash, node);
    if (n->previous == ALK_NODE_NONE)
        g->first = n->next;
    else
        g->nodes[n->previous].next = n->next;
    if (n->next == ALK_NODE_NONE)
        g->last = n->previous;
    else
        g->nodes[n->next].previous = n->previous;
    free(n->key);
    free(n->out.list);
    free(n->in.list);
    json_decref(n->attributes);
    memset(n, 0, sizeof *n);
    n->next = g->free_node;
    g->free_node = node;
    g->node_count--;
    return 0;
}

/* ---- edges ------------------------------------------------------------------------------------ */

static int ends_reserve(struct ends *ends)
{
    if (ends->count < ends->size)
        return 0;
    if (ends->size > UINT32_MAX / 4)
        return ALK_GRAPH_E_LIMIT;
    uint32_t size = ends->size ? ends->size * 2 : 2;
    struct end *list = reallocarray(ends->list, size, sizeof *list);
    if (!list)
        return ALK_GRAPH_E_NOMEM;
    ends->list = list;
    ends->size = size;
    return 0;
}

static int edges_reserve(struct alk_graph *g, alk_node from, alk_node to)
{
    int status = ends_reserve(&g->nodes[from].out);
    if (!status)
        status = ends_reserve(&g->nodes[to].in);
    if (!status)
        status = index_reserve(g, &g->edge_index);
    if (status || g->free_edge != EDGE_NONE || g->edge_bound < g->edge_size)
        return status;
    if (g->edge_size > UINT32_MAX / 4)
        return ALK_GRAPH_E_LIMIT;
    uint32_t size = g->edge_size ? g->edge_size + g->edge_size / 2 : 16;
    struct edge *edges = reallocarray(g->edges, size, sizeof *edges);
    if (!edges)
        return ALK_GRAPH_E_NOMEM;
    g->edges = edges;
    g->edge_size = size;
    return 0;
}

static void edge_put(struct alk_graph *g, alk_node from, alk_node to, json_t *attributes)
{
    uint32_t edge = g->free_edge;
    if (edge == EDGE_NONE)
        edge = g->edge_bound++;
    else
        g->free_edge = g->edges[edge].to;
    struct ends *out = &g->nodes[from].out, *in = &g->nodes[to].in;
    g->edges[edge] = (struct edge){from, to, out->count, in->count, json_incref(attributes)};
    out->list[out->count++] = (struct end){to, edge};
    in->list[in->count++] = (struct end){from, edge};
    index_put(&g->edge_index, edge_hash(g, from, to), edge);
    g->edge_count++;
    if (g->acyclic)
        acyclic_added(g, edge);
}

static int refuse_cycle(const struct alk_graph *g, alk_node from, alk_node to,
                        struct alk_graph_error *error)
{
    struct alk_node_list way;
    char text[400] = "";
    if (error && alk_graph_shortest_path(g, to, from, &way) == 0) {
        cycle_describe(g, way.nodes, way.count, text, sizeof text);
        alk_node_list_free(&way);
    }
    return graph_fail(error, ALK_GRAPH_E_CYCLE, "the edge %.30s -> %.30s would close the cycle %s",
                      g->nodes[from].key, g->nodes[to].key, text);
}

int alk_graph_add_edge(struct alk_graph *g, alk_node from, alk_node to, json_t *attributes,
                       struct alk_graph_error *error)
{
    if (!node_valid(g, from) || !node_valid(g, to))
        return graph_fail(error, ALK_GRAPH_E_UNKNOWN, "an edge between nodes that are not there");
    const char *a = g->nodes[from].key, *b = g->nodes[to].key;
    if (from == to)
        return graph_fail(error, ALK_GRAPH_E_LOOP, "an edge from \"%s\" to itself", a);
    if (edge_find(g, from, to) != EDGE_NONE)
        return graph_fail(error, ALK_GRAPH_E_EXISTS, "the edge \"%s\" -> \"%s\" is there already",
                          a, b);
    int status = edges_reserve(g, from, to);
    if (status)
        return graph_fail(error, status, "no room for another edge");
    if (g->acyclic && acyclic_admit(g, from, to))
        return refuse_cycle(g, from, to, error);
    edge_put(g, from, to, attributes);
    return 0;
}

int alk_graph_add_edge_by_key(struct alk_graph *g, const char *from, const char *to,
                              json_t *attributes, struct alk_graph_error *error)
{
    alk_node a = alk_graph_find(g, from), b = alk_graph_find(g, to);
    if (a == ALK_NODE_NONE || b == ALK_NODE_NONE)
        return graph_fail(error, ALK_GRAPH_E_UNKNOWN,
                          "the edge \"%s\" -> \"%s\" names the node \"%s\", which is not there",
                          from, to, a == ALK_NODE_NONE ? from : to);
    return alk_graph_add_edge(g, a, b, attributes, error);
}

void incoming_swap(struct alk_graph *g, alk_node node, uint32_t a, uint32_t b)
{
    struct end *list = g->nodes[node].in.list, kept = list[a];
    list[a] = list[b];
    list[b] = kept;
    g->edges[list[a].edge].in_at = a;
    g->edges[list[b].edge].in_at = b;
}

int alk_graph_remove_edge(struct alk_graph *g, alk_node from, alk_node to)
{
    uint32_t edge = node_valid(g, from) && node_valid(g, to) ? edge_find(g, from, to) : EDGE_NONE;
    if (edge == EDGE_NONE)
        return ALK_GRAPH_E_UNKNOWN;
    struct edge *e = &g->edges[edge];
    struct node *target = &g->nodes[to];
    index_remove(g, &g->edge_index, edge_hash(g, from, to), edge);

    struct ends *out = &g->nodes[from].out;
    out->list[e->out_at] = out->list[--out->count];
    g->edges[out->list[e->out_at].edge].out_at = e->out_at;
    if (e->in_at < target->same) /* keep those of the same level in front */
        incoming_swap(g, to, e->in_at, --target->same);
    incoming_swap(g, to, e->in_at, target->in.count - 1);
    target->in.count--;

    json_decref(e->attributes);
    *e = (struct edge){.from = ALK_NODE_NONE, .to = g->free_edge};
    g->free_edge = edge;
    g->edge_count--;
    return 0;
}

/* ---- looking ----------------------------------------------------------------------------------- */

size_t alk_graph_node_count(const struct alk_graph *g)
{
    return g->node_count;
}

size_t alk_graph_edge_count(const struct alk_graph *g)
{
    return g->edge_count;
}

const char *alk_graph_key(const struct alk_graph *g, alk_node node)
{
    return node < g->node_bound ? g->nodes[node].key : NULL;
}

/* Where the attributes of a node, or of the graph itself, are kept. */
static json_t **attributes_at(struct alk_graph *g, alk_node node)
{
    if (node == ALK_NODE_NONE)
        return &g->attributes;
    return node_valid(g, node) ? &g->nodes[node].attributes : NULL;
}

json_t *alk_graph_attributes(const struct alk_graph *g, alk_node node)
{
    json_t **at = attributes_at((struct alk_graph *)(uintptr_t)g, node);
    return at ? *at : NULL;
}

void alk_graph_set_attributes(struct alk_graph *g, alk_node node, json_t *attributes)
{
    json_t **at = attributes_at(g, node);
    if (!at)
        return;
    json_incref(attributes);
    json_decref(*at);
    *at = attributes;
}

bool alk_graph_has_edge(const struct alk_graph *g, alk_node from, alk_node to)
{
    return edge_find(g, from, to) != EDGE_NONE;
}

json_t *alk_graph_edge_attributes(const struct alk_graph *g, alk_node from, alk_node to)
{
    uint32_t edge = edge_find(g, from, to);
    return edge == EDGE_NONE ? NULL : g->edges[edge].attributes;
}

alk_node alk_graph_next(const struct alk_graph *g, alk_node node)
{
    if (node == ALK_NODE_NONE)
        return g->first;
    return node_valid(g, node) ? g->nodes[node].next : ALK_NODE_NONE;
}

size_t alk_graph_bound(const struct alk_graph *g)
{
    return g->node_bound;
}

size_t alk_graph_out_degree(const struct alk_graph *g, alk_node node)
{
    return node_valid(g, node) ? g->nodes[node].out.count : 0;
}

size_t alk_graph_in_degree(const struct alk_graph *g, alk_node node)
{
    return node_valid(g, node) ? g->nodes[node].in.count : 0;
}

alk_node alk_graph_out(const struct alk_graph *g, alk_node node, size_t index)
{
    return index < alk_graph_out_degree(g, node) ? g->nodes[node].out.list[index].node
                                                 : ALK_NODE_NONE;
}

alk_node alk_graph_in(const struct alk_graph *g, alk_node node, size_t index)
{
    return index < alk_graph_in_degree(g, node) ? g->nodes[node].in.list[index].node
                                                : ALK_NODE_NONE;
}
