/* graphology's JSON, Graphviz DOT and Mermaid. */
#include "graph_core.h"
#include "string_buffer.h"

#include <stdlib.h>
#include <string.h>

/* ---- JSON ------------------------------------------------------------------------------- */

const char *json_text(const json_t *value)
{
    const char *text = json_string_value(value);
    return text && strlen(text) == json_string_length(value) ? text : NULL;
}

static int put_attributes(json_t *entry, json_t *attributes)
{
    return attributes ? json_object_set(entry, "attributes", attributes) : 0;
}

static int put_node(json_t *nodes, const struct node *node)
{
    json_t *entry = json_pack("{s:s}", "key", node->key);
    if (!entry || put_attributes(entry, node->attributes)) {
        json_decref(entry);
        return -1;
    }
    return json_array_append_new(nodes, entry);
}

static int put_edges(json_t *edges, const struct alk_graph *g, const struct node *node)
{
    for (uint32_t i = 0; i < node->out.count; i++) {
        const struct end *end = &node->out.list[i];
        json_t *entry =
            json_pack("{s:s,s:s}", "source", node->key, "target", g->nodes[end->node].key);
        if (!entry || put_attributes(entry, g->edges[end->edge].attributes)) {
            json_decref(entry);
            return -1;
        }
        if (json_array_append_new(edges, entry))
            return -1;
    }
    return 0;
}

json_t *alk_graph_to_json(const struct alk_graph *g)
{
    json_t *out = json_pack("{s:{},s:{s:s,s:b,s:b},s:[],s:[]}", "attributes", "options", "type",
                            "directed", "multi", 0, "allowSelfLoops", 0, "nodes", "edges");
    json_t *nodes = json_object_get(out, "nodes"), *edges = json_object_get(out, "edges");
    bool ok = out && put_attributes(out, g->attributes) == 0;
    for (alk_node n = g->first; ok && n != ALK_NODE_NONE; n = g->nodes[n].next)
        ok = put_node(nodes, &g->nodes[n]) == 0 && put_edges(edges, g, &g->nodes[n]) == 0;
    if (!ok) {
        json_decref(out);
        return NULL;
    }
    return out;
}

static int read_nodes(struct alk_graph *g, const json_t *nodes, struct alk_graph_error *error)
{
    for (size_t i = 0; i < json_array_size(nodes); i++) {
        const json_t *entry = json_array_get(nodes, i);
        const char *key = json_text(json_object_get(entry, "key"));
        json_t *attributes = json_object_get(entry, "attributes");
        if (!key || (attributes && !json_is_object(attributes)))
            return graph_fail(error, ALK_GRAPH_E_FORM,
                              "nodes[%zu] needs a string \"key\", and \"attributes\" that are an "
                              "object if there are any",
                              i);
        int status = alk_graph_add_node(g, key, attributes, NULL, error);
        if (status)
            return status;
    }
    return 0;
}

static int read_edges(struct alk_graph *g, const json_t *edges, struct alk_graph_error *error)
{
    for (size_t i = 0; i < json_array_size(edges); i++) {
        const json_t *entry = json_array_get(edges, i);
        const char *from = json_text(json_object_get(entry, "source"));
        const char *to = json_text(json_object_get(entry, "target"));
        json_t *attributes = json_object_get(entry, "attributes");
        if (!from || !to || (attributes && !json_is_object(attributes)) ||
            json_is_true(json_object_get(entry, "undirected")))
            return graph_fail(error, ALK_GRAPH_E_FORM,
                              "edges[%zu] needs strings \"source\" and \"target\" and must be "
                              "directed",
                              i);
        int status = alk_graph_add_edge_by_key(g, from, to, attributes, error);
        if (status)
            return status;
    }
    return 0;
}

int alk_graph_from_json(const json_t *json, bool acyclic, struct alk_graph **out,
                        struct alk_graph_error *error)
{
    const json_t *nodes = json_object_get(json, "nodes"), *edges = json_object_get(json, "edges");
    const char *type = json_string_value(json_object_get(json_object_get(json, "options"), "type"));
    json_t *attributes = json_object_get(json, "attributes");
    *out = NULL;
    if (!json_is_array(nodes) || (edges && !json_is_array(edges)))
        return graph_fail(error, ALK_GRAPH_E_FORM,
                          "a graph needs an array \"nodes\", and \"edges\" that are an array");
    if (attributes && !json_is_object(attributes))
        return graph_fail(error, ALK_GRAPH_E_FORM, "the \"attributes\" must be an object");
    if (type && strcmp(type, "undirected") == 0)
        return graph_fail(error, ALK_GRAPH_E_FORM, "the graph must be directed");
    struct alk_graph *g = alk_graph_new(acyclic);
    if (!g)
        return graph_fail(error, ALK_GRAPH_E_NOMEM, "out of memory");
    alk_graph_set_attributes(g, ALK_NODE_NONE, attributes);
    int status = read_nodes(g, nodes, error);
    if (!status)
        status = read_edges(g, edges, error);
    if (status)
        alk_graph_free(g);
    else
        *out = g;
    return status;
}

/* ---- text --------------------------------------------------------------------------------- */

/*
 * Inside double quotes Graphviz wants quotes and backslashes escaped. Control characters
 * would make its SVG unreadable: they become \x01 and the like, in a label once more escaped.
 */
static void put_dot_string(struct string_buffer *out, const char *text, bool label)
{
    string_put(out, "\"");
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            string_append(out, "\\", 1);
        if (*text == '\n')
            string_put(out, "\\n");
        else if ((unsigned char)*text < ' ' && *text != '\t')
            string_printf(out, "%s\\x%02x", label ? "\\" : "", (unsigned)*text);
        else if (*text == '&' && label)
            string_put(out, "&amp;");
        else
            string_append(out, text, 1);
    }
    string_put(out, "\"");
}

/* Graphviz shows the name, unless that begins with %, or has entities or escapes of ours. */
static bool needs_dot_label(const char *key)
{
    if (*key == '%')
        return true;
    for (; *key; key++)
        if (*key == '&' || ((unsigned char)*key < ' ' && *key != '\t' && *key != '\n'))
            return true;
    return false;
}

char *alk_graph_to_dot(const struct alk_graph *g)
{
    struct string_buffer out = {0};
    string_put(&out, "digraph {\n");
    for (alk_node n = g->first; n != ALK_NODE_NONE; n = g->nodes[n].next) {
        string_put(&out, "    ");
        put_dot_string(&out, g->nodes[n].key, false);
        if (needs_dot_label(g->nodes[n].key)) {
            string_put(&out, " [label=");
            put_dot_string(&out, g->nodes[n].key, true);
            string_put(&out, "]");
        }
        string_put(&out, ";\n");
    }
    for (alk_node n = g->first; n != ALK_NODE_NONE; n = g->nodes[n].next) {
        for (uint32_t i = 0; i < g->nodes[n].out.count; i++) {
            string_put(&out, "    ");
            put_dot_string(&out, g->nodes[n].key, false);
            string_put(&out, " -> ");
            put_dot_string(&out, g->nodes[g->nodes[n].out.list[i].node].key, false);
            string_put(&out, ";\n");
        }
    }
    string_put(&out, "}\n");
    return string_take(&out);
}

char *alk_graph_to_mermaid(const struct alk_graph *g)
{
    struct string_buffer out = {0};
    string_put(&out, "flowchart TD\n");
    for (alk_node n = g->first; n != ALK_NODE_NONE; n = g->nodes[n].next) {
        string_printf(&out, "    n%u[\"", (unsigned)n);
        string_put_mermaid(&out, g->nodes[n].key);
        string_put(&out, "\"]\n");
    }
    for (alk_node n = g->first; n != ALK_NODE_NONE; n = g->nodes[n].next)
        for (uint32_t i = 0; i < g->nodes[n].out.count; i++)
            string_printf(&out, "    n%u --> n%u\n", (unsigned)n,
                          (unsigned)g->nodes[n].out.list[i].node);
    return string_take(&out);
}
