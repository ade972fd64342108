/* Operations and what can follow them. */
#include "alk/opgraph.h"

#include "graph_core.h"
#include "subtype.h"

#include <stdlib.h>
#include <string.h>

struct alk_opgraph {
    struct alk_graph *graph;
    struct alk_opgraph_options options;
};

static const json_t *schema_of(const struct alk_graph *g, alk_node node, const char *which)
{
    return json_object_get(g->nodes[node].attributes, which);
}

static bool compatible(const struct alk_graph *g, alk_node from, size_t index)
{
    uint32_t edge = g->nodes[from].out.list[index].edge;
    return json_is_true(json_object_get(g->edges[edge].attributes, "compatible"));
}

/* A graph that is being built. */
struct building {
    struct alk_opgraph *ops;
    struct alk_graph *chain; /* the compatible edges only; it refuses a cycle of them */
    signed char *valid;      /* of each operation's schemas, two in a row; -1: not looked at yet */
};

static bool schema_valid(const struct building *b, alk_node node, bool output)
{
    signed char *valid = &b->valid[2 * (size_t)node + output];
    if (*valid < 0)
        *valid = subtype_valid(
            schema_of(b->ops->graph, node, output ? "output_schema" : "input_schema"));
    return *valid;
}

/* The edge from one operation to another, if their schemas tell of one. */
static int connect(const struct building *b, alk_node from, alk_node to,
                   struct alk_graph_error *error)
{
    struct alk_graph_error reason;
    struct alk_graph *g = b->ops->graph;
    enum alk_compat answer =
        subtype_compare(schema_of(g, from, "output_schema"), schema_of(g, to, "input_schema"),
                        b->ops->options.reading, &reason);
    bool yes = answer == ALK_COMPAT_YES;
    if (answer == ALK_COMPAT_UNKNOWN ||
        (yes && !(schema_valid(b, from, true) && schema_valid(b, to, false))))
        return 0;
    if (yes && !b->ops->options.allow_cycles) {
        int status = alk_graph_add_edge(b->chain, from, to, NULL, error);
        if (status)
            return status;
    }
    json_t *attributes =
        json_pack("{s:b,s:s*}", "compatible", yes, "reason", yes ? NULL : reason.text);
    int status = attributes ? alk_graph_add_edge(g, from, to, attributes, error)
                            : graph_fail(error, ALK_GRAPH_E_NOMEM, "out of memory");
    json_decref(attributes);
    return status;
}

static int add_operations(const struct building *b, const json_t *specs,
                          struct alk_graph_error *error)
{
    for (size_t i = 0; i < json_array_size(specs); i++) {
        json_t *spec = json_array_get(specs, i);
        const char *name = json_text(json_object_get(spec, "name"));
        if (!name)
            return graph_fail(error, ALK_GRAPH_E_FORM, "operation %zu has no name", i);
        int status = alk_graph_add_node(b->ops->graph, name, spec, NULL, error);
        if (!status)
            status = alk_graph_add_node(b->chain, name, NULL, NULL, error);
        if (status)
            return status;
    }
    return 0;
}

static int build(struct building *b, const json_t *specs, struct alk_graph_error *error)
{
    int status = add_operations(b, specs, error);
    alk_node count = (alk_node)json_array_size(specs);
    for (alk_node from = 0; from < count && !status; from++)
        for (alk_node to = 0; to < count && !status; to++)
            if (from != to)
                status = connect(b, from, to, error);
    return status;
}

int alk_opgraph_build(const json_t *specs, const struct alk_opgraph_options *options,
                      struct alk_opgraph **out, struct alk_graph_error *error)
{
    static const struct alk_opgraph_options defaults = ALK_OPGRAPH_OPTIONS_INIT;
    *out = NULL;
    if (!json_is_array(specs))
        return graph_fail(error, ALK_GRAPH_E_FORM, "an array of operations is needed");
    size_t schemas = 2 * json_array_size(specs);
    struct alk_opgraph *ops = calloc(1, sizeof *ops);
    struct building b = {ops, alk_graph_new(true), malloc(schemas + 1)};
    int status = ALK_GRAPH_E_NOMEM;
    if (ops) {
        ops->options = options ? *options : defaults;
        ops->graph = alk_graph_new(false);
    }
    if (ops && ops->graph && b.chain && b.valid) {
        memset(b.valid, -1, schemas);
        status = build(&b, specs, error);
    } else {
        graph_fail(error, status, "out of memory");
    }
    free(b.valid);
    alk_graph_free(b.chain);
    if (status)
        alk_opgraph_free(ops);
    else
        *out = ops;
    return status;
}

void alk_opgraph_free(struct alk_opgraph *ops)
{
    if (!ops)
        return;
    alk_graph_free(ops->graph);
    free(ops);
}

const struct alk_graph *alk_opgraph_graph(const struct alk_opgraph *ops)
{
    return ops->graph;
}

static int list_new(const struct alk_graph *g, struct alk_node_list *list)
{
    list->count = 0;
    list->nodes = malloc((g->node_count + 1) * sizeof *list->nodes);
    return list->nodes ? 0 : ALK_GRAPH_E_NOMEM;
}

int alk_opgraph_followers(const struct alk_opgraph *ops, const char *name,
                          struct alk_node_list *list)
{
    const struct alk_graph *g = ops->graph;
    alk_node node = alk_graph_find(g, name);
    int status = list_new(g, list);
    if (!status && node == ALK_NODE_NONE)
        return ALK_GRAPH_E_UNKNOWN;
    for (size_t i = 0; !status && i < alk_graph_out_degree(g, node); i++)
        if (compatible(g, node, i))
            list->nodes[list->count++] = alk_graph_out(g, node, i);
    return status;
}

/* ---- chains: breadth first from all operations that take `from` -------------------------- */

struct search {
    const struct alk_opgraph *ops;
    const json_t *to;
    alk_node *came; /* from where each was reached; itself at a start */
    alk_node *queue;
    size_t count;
};

static void reach(struct search *search, alk_node node, alk_node from)
{
    if (search->came[node] != ALK_NODE_NONE)
        return;
    search->came[node] = from;
    search->queue[search->count++] = node;
}

static alk_node find_end(struct search *search)
{
    const struct alk_graph *g = search->ops->graph;
    for (size_t at = 0; at < search->count; at++) {
        alk_node node = search->queue[at];
        if (alk_type_compat(schema_of(g, node, "output_schema"), search->to,
                            search->ops->options.reading, NULL) == ALK_COMPAT_YES)
            return node;
        for (size_t i = 0; i < alk_graph_out_degree(g, node); i++)
            if (compatible(g, node, i))
                reach(search, alk_graph_out(g, node, i), node);
    }
    return ALK_NODE_NONE;
}

int alk_opgraph_chain(const struct alk_opgraph *ops, const json_t *from, const json_t *to,
                      struct alk_node_list *chain)
{
    const struct alk_graph *g = ops->graph;
    int status = list_new(g, chain);
    alk_node *room = malloc((2 * (size_t)g->node_bound + 1) * sizeof *room);
    if (status || !room) {
        free(room);
        return ALK_GRAPH_E_NOMEM;
    }
    memset(room, 0xff, (2 * (size_t)g->node_bound + 1) * sizeof *room);
    struct search search = {ops, to, room, room + g->node_bound, 0};
    for (alk_node n = g->first; n != ALK_NODE_NONE; n = g->nodes[n].next)
        if (alk_type_compat(from, schema_of(g, n, "input_schema"), ops->options.reading, NULL) ==
            ALK_COMPAT_YES)
            reach(&search, n, n);
    alk_node end = find_end(&search);
    for (alk_node n = end; n != ALK_NODE_NONE; n = room[n] == n ? ALK_NODE_NONE : room[n])
        chain->nodes[chain->count++] = n;
    for (size_t i = 0; i < chain->count / 2; i++) {
        alk_node kept = chain->nodes[i];
        chain->nodes[i] = chain->nodes[chain->count - 1 - i];
        chain->nodes[chain->count - 1 - i] = kept;
    }
    free(room);
    return 0;
}
