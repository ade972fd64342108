/*
 * A directed graph keyed by strings, with JSON attributes on nodes and edges. No
 * parallel edges, no self-loops. Nothing here recurses on the graph's depth.
 *
 * Nodes are also known by number: small, valid until the node is removed, then
 * given to another node. Iteration is in the order of insertion; removing an
 * edge may change the order among its neighbours' other edges.
 *
 * Threads: any number may read a graph while none changes it. The algorithms
 * only read.
 */
#ifndef ALK_GRAPH_H
#define ALK_GRAPH_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum alk_graph_status {
    ALK_GRAPH_OK = 0,
    ALK_GRAPH_E_EXISTS = -1,     /* the node, or the edge, is there already */
    ALK_GRAPH_E_UNKNOWN = -2,    /* no such node or edge */
    ALK_GRAPH_E_LOOP = -3,       /* an edge from a node to itself */
    ALK_GRAPH_E_CYCLE = -4,      /* it would close a cycle, or there is one */
    ALK_GRAPH_E_FORM = -5,       /* JSON that is not of the expected form */
    ALK_GRAPH_E_TRANSITION = -6, /* a call cannot go from that state to this one */
    ALK_GRAPH_E_LIMIT = -7,      /* a bound was reached */
    ALK_GRAPH_E_NOMEM = -8
};

/* One sentence that names the keys; cut when too long. */
struct alk_graph_error {
    char text[512];
};

struct alk_graph;

typedef uint32_t alk_node;
#define ALK_NODE_NONE UINT32_MAX

/* A list that a query made; alk_node_list_free() it, also after an error. */
struct alk_node_list {
    alk_node *nodes;
    size_t count;
};
void alk_node_list_free(struct alk_node_list *list);

/* ---- making and changing ------------------------------------------------------------ */

/* With `acyclic`, an edge that would close a cycle is refused. NULL: out of memory. */
struct alk_graph *alk_graph_new(bool acyclic);
void alk_graph_free(struct alk_graph *graph);

/*
 * Add a node under a key in UTF-8; `attributes` is an object or NULL, and shared, not copied. Its
 * number goes to `*node` if that is not NULL. `error` may be NULL everywhere.
 */
int alk_graph_add_node(struct alk_graph *graph, const char *key, json_t *attributes, alk_node *node,
                       struct alk_graph_error *error);
int alk_graph_add_edge(struct alk_graph *graph, alk_node from, alk_node to, json_t *attributes,
                       struct alk_graph_error *error);
int alk_graph_add_edge_by_key(struct alk_graph *graph, const char *from, const char *to,
                              json_t *attributes, struct alk_graph_error *error);

/* Removing a node removes its edges. E_UNKNOWN when it is not there. */
int alk_graph_remove_node(struct alk_graph *graph, alk_node node);
int alk_graph_remove_edge(struct alk_graph *graph, alk_node from, alk_node to);

/*
 * Whether from -> to would close a cycle: 1 or 0, or E_UNKNOWN, E_NOMEM. In an
 * acyclic graph building m edges takes O(m * sqrt(m)) steps in all, also with a
 * check before each; a check without its edge may take a search, as every check
 * does in any other graph.
 */
int alk_graph_would_cycle(struct alk_graph *graph, alk_node from, alk_node to);

/* ---- looking -------------------------------------------------------------------------- */

size_t alk_graph_node_count(const struct alk_graph *graph);
size_t alk_graph_edge_count(const struct alk_graph *graph);

alk_node alk_graph_find(const struct alk_graph *graph, const char *key);
const char *alk_graph_key(const struct alk_graph *graph, alk_node node); /* NULL: no such node */
/* NULL: none. With ALK_NODE_NONE, those of the graph itself; also to set them. */
json_t *alk_graph_attributes(const struct alk_graph *graph, alk_node node);
void alk_graph_set_attributes(struct alk_graph *graph, alk_node node, json_t *attributes);
bool alk_graph_has_edge(const struct alk_graph *graph, alk_node from, alk_node to);
json_t *alk_graph_edge_attributes(const struct alk_graph *graph, alk_node from, alk_node to);

/* All nodes: start with ALK_NODE_NONE, until ALK_NODE_NONE comes back. */
alk_node alk_graph_next(const struct alk_graph *graph, alk_node node);
/* One above the highest number in use, for arrays indexed by node. */
size_t alk_graph_bound(const struct alk_graph *graph);

size_t alk_graph_out_degree(const struct alk_graph *graph, alk_node node);
size_t alk_graph_in_degree(const struct alk_graph *graph, alk_node node);
alk_node alk_graph_out(const struct alk_graph *graph, alk_node node, size_t index);
alk_node alk_graph_in(const struct alk_graph *graph, alk_node node, size_t index);

/* Nodes without incoming, or without outgoing edges. */
int alk_graph_sources(const struct alk_graph *graph, struct alk_node_list *list);
int alk_graph_sinks(const struct alk_graph *graph, struct alk_node_list *list);

/* ---- algorithms -------------------------------------------------------------------------- */

/*
 * Every node after those that lead to it. E_CYCLE when there is a cycle, which
 * is then in the list instead (each node leads to the next, the last to the
 * first) and in the error's sentence.
 */
int alk_graph_topological_order(const struct alk_graph *graph, struct alk_node_list *order,
                                struct alk_graph_error *error);

/* All that the nodes lead to, or come from; the nodes themselves are not included. */
int alk_graph_descendants(const struct alk_graph *graph, const alk_node *nodes, size_t count,
                          struct alk_node_list *list);
int alk_graph_ancestors(const struct alk_graph *graph, const alk_node *nodes, size_t count,
                        struct alk_node_list *list);

/* Fewest edges, both ends included; empty when there is no way. */
int alk_graph_shortest_path(const struct alk_graph *graph, alk_node from, alk_node to,
                            struct alk_node_list *path);

/*
 * Strongly connected components: `*component` becomes an array of
 * alk_graph_bound() numbers from 0 (UINT32_MAX for numbers not in use), numbered
 * so that edges lead to lower ones or stay; free() it.
 */
int alk_graph_components(const struct alk_graph *graph, uint32_t **component, size_t *count);

/*
 * All elementary cycles (Johnson 1975), each from its lowest-numbered node, in
 * O(n + m) steps for each and once more. `each` returns false to end the search.
 * E_LIMIT when there are more than `max_cycles`; those were reported.
 */
typedef bool alk_graph_cycle_fn(void *user, const alk_node *nodes, size_t count);
int alk_graph_cycles(const struct alk_graph *graph, size_t max_cycles, alk_graph_cycle_fn *each,
                     void *user);

/* ---- exchange ------------------------------------------------------------------------------ */

/*
 * graphology's serialisation: attributes, options, nodes, edges. New references; NULL:
 * no memory. Reading refuses undirected graphs and edges, parallel edges and loops;
 * keys of edges are not kept.
 */
json_t *alk_graph_to_json(const struct alk_graph *graph);
int alk_graph_from_json(const json_t *json, bool acyclic, struct alk_graph **out,
                        struct alk_graph_error *error);

/* Text for Graphviz and for Mermaid, labelled with the keys; free() it. NULL: no memory. */
char *alk_graph_to_dot(const struct alk_graph *graph);
char *alk_graph_to_mermaid(const struct alk_graph *graph);

#endif
