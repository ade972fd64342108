/* The same figures of igraph's C library. */
#include "common.h"

#include <igraph.h>

static void build(igraph_t *g, const uint32_t *place)
{
    uint64_t state = 1;
    igraph_vector_int_t edges;
    igraph_vector_int_init(&edges, 2 * EDGES);
    for (uint32_t i = 0; i < EDGES; i++) {
        uint32_t from, to;
        next_edge(&state, place, NODES, &from, &to);
        VECTOR(edges)[2 * i] = from;
        VECTOR(edges)[2 * i + 1] = to;
    }
    igraph_create(g, &edges, NODES, IGRAPH_DIRECTED);
    igraph_vector_int_destroy(&edges);
}

int main(void)
{
    igraph_t dag, any;
    igraph_vector_int_t result;
    igraph_integer_t count, start = 0;
    double best[3] = {1e9, 1e9, 1e9};
    uint32_t *place = random_places(NODES);
    build(&dag, place);
    build(&any, NULL);
    igraph_vector_int_init(&result, 0);
    for (;; start++) { /* a node from which most others are reached */
        igraph_subcomponent(&any, &result, start, IGRAPH_OUT);
        if (igraph_vector_int_size(&result) > NODES / 2)
            break;
    }
    for (int round = 0; round < 5; round++) {
        double t[4] = {now(), 0, 0, 0};
        igraph_topological_sorting(&dag, &result, IGRAPH_OUT);
        t[1] = now();
        igraph_subcomponent(&any, &result, start, IGRAPH_OUT);
        t[2] = now();
        igraph_connected_components(&any, &result, NULL, &count, IGRAPH_STRONG);
        t[3] = now();
        for (int i = 0; i < 3; i++)
            best[i] = t[i + 1] - t[i] < best[i] ? t[i + 1] - t[i] : best[i];
    }
    figure("topological order, 1M nodes 3M edges", best[0]);
    figure("descendants, 1M nodes 3M edges", best[1]);
    figure("strong components, 1M nodes 3M edges", best[2]);
    return 0;
}
