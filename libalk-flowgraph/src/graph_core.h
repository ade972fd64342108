/* The representation of a graph, for the files of this library only. */
#ifndef ALK_FLOWGRAPH_GRAPH_CORE_H
#define ALK_FLOWGRAPH_GRAPH_CORE_H

#include "alk/graph.h"

/* One end of an edge as its node sees it. */
struct end {
    alk_node node; /* the other node */
    uint32_t edge;
};

struct ends {
    struct end *list;
    uint32_t count, size;
};

struct node {
    char *key; /* NULL: the number is free */
    json_t *attributes;
    struct ends out, in;
    alk_node previous, next; /* order of insertion; free numbers are chained by next */
    uint32_t hash;
    uint32_t level; /* of an acyclic graph, see acyclic.c */
    uint32_t same;  /* the first so many of `in` come from nodes of the same level */
    uint32_t mark;  /* equal to graph->mark: seen by the search under way */
};

struct edge {
    alk_node from, to;      /* from is ALK_NODE_NONE in a free edge, to the next free one */
    uint32_t out_at, in_at; /* places in from's out and to's in */
    json_t *attributes;
};

/* Numbers by hash: open addressing, UINT32_MAX is free. */
struct index {
    uint32_t *slots;
    uint32_t mask, count;
};

struct alk_graph {
    bool acyclic;
    json_t *attributes;
    struct node *nodes;
    uint32_t node_bound, node_size, node_count;
    alk_node first, last, free_node;
    struct edge *edges;
    uint32_t edge_bound, edge_size, edge_count, free_edge;
    struct index node_index, edge_index;
    uint64_t seed[2]; /* of the hashes; the second is odd */
    uint32_t mark;
    alk_node *stack; /* two times node_size entries for the searches in acyclic.c */
};

#define EDGE_NONE UINT32_MAX

static inline bool node_valid(const struct alk_graph *g, alk_node node)
{
    return node < g->node_bound && g->nodes[node].key;
}

uint32_t edge_find(const struct alk_graph *g, alk_node from, alk_node to);

/* The text of a JSON string; NULL for other values, and for text that a NUL cuts short. */
const char *json_text(const json_t *value);

int graph_fail(struct alk_graph_error *error, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* acyclic.c: 1 if from -> to closes a cycle; otherwise levels are made ready for it: 0. */
int acyclic_admit(struct alk_graph *g, alk_node from, alk_node to);
/* After an edge was put at the end of to's incoming ones. */
void acyclic_added(struct alk_graph *g, uint32_t edge);
/* Move an incoming end of `node` to another place of its list. */
void incoming_swap(struct alk_graph *g, alk_node node, uint32_t a, uint32_t b);

/* "a -> b -> a" for a sentence, shortened in the middle. */
void cycle_describe(const struct alk_graph *g, const alk_node *nodes, size_t count, char *text,
                    size_t size);

#endif
