/* Tarjan's search for strongly connected components, of a graph or of a part of it. */
#ifndef ALK_FLOWGRAPH_COMPONENTS_H
#define ALK_FLOWGRAPH_COMPONENTS_H

#include "graph_core.h"

struct tarjan {
    const struct alk_graph *g;
    const uint32_t *group; /* edges between different groups do not count; NULL: all do */
    uint32_t *component;   /* the result; UINT32_MAX: none yet */
    uint32_t *low;         /* 0: not seen */
    uint32_t *number;      /* in the order of being seen */
    uint32_t *at;          /* next outgoing edge to look at */
    alk_node *path, *open;
    alk_node *members; /* if not NULL: all nodes, one component after the other */
    size_t path_count, open_count, member_count;
    uint32_t seen, found;
    uint32_t *room;
};

/* E_NOMEM; tarjan_free() it in any case. `component` is the caller's to keep or to free. */
int tarjan_init(struct tarjan *t, const struct alk_graph *g);
void tarjan_free(struct tarjan *t);

/* All components reached from a node that was not seen; those further on are numbered first. */
void tarjan_from(struct tarjan *t, alk_node start);

#endif
