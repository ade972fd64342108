/*
 * Which operations can follow which: an edge where the output of one can feed the
 * input of another, by their JSON schemas (draft 2020-12).
 */
#ifndef ALK_OPGRAPH_H
#define ALK_OPGRAPH_H

#include <alk/graph.h>

enum alk_compat {
    ALK_COMPAT_YES,    /* every document of the output schema fits the input schema */
    ALK_COMPAT_NO,     /* the sentence says where it does not */
    ALK_COMPAT_UNKNOWN /* one side says nothing, or it cannot be decided */
};

/* How an output schema is read. */
enum alk_compat_reading {
    ALK_COMPAT_STRICT, /* as JSON Schema has it: undeclared properties may be there */
    ALK_COMPAT_CLOSED  /* operations return what they declare: no other properties, unless
                          additionalProperties or patternProperties are there */
};

/*
 * Whether `output` is a subtype of `input`. Looks at type, enum, const, numeric,
 * length and size bounds, multipleOf, required, dependentRequired, properties,
 * patternProperties (of the output), additionalProperties, items, prefixItems,
 * uniqueItems, anyOf, oneOf, allOf, not and $ref within the document; what other
 * keywords of `input` demand is UNKNOWN unless `output` has the same. YES is certain:
 * both are valid schemas of draft 2020-12 or, by $schema, draft 7. NO may be wrong
 * where only several alternatives together would cover the output; a keyword of the
 * output that is not understood makes it UNKNOWN. `error` (may be NULL) gets the sentence.
 */
enum alk_compat alk_type_compat(const json_t *output, const json_t *input,
                                enum alk_compat_reading reading, struct alk_graph_error *error);

struct alk_opgraph_options {
    enum alk_compat_reading reading; /* default: closed */
    bool allow_cycles;               /* default: a cycle of compatible edges is E_CYCLE */
};
#define ALK_OPGRAPH_OPTIONS_INIT                                                                   \
    {                                                                                              \
        ALK_COMPAT_CLOSED, false                                                                   \
    }

struct alk_opgraph;

/*
 * Build from an array of OperationSpecs {name, input_schema, output_schema, ...}.
 * E_FORM, E_EXISTS (a name twice), E_CYCLE (named in the sentence), E_NOMEM.
 */
int alk_opgraph_build(const json_t *specs, const struct alk_opgraph_options *options,
                      struct alk_opgraph **out, struct alk_graph_error *error);
void alk_opgraph_free(struct alk_opgraph *ops);

/*
 * The graph: node attributes are the specs, edge attributes {compatible: true} or
 * {compatible: false, reason}.
 */
const struct alk_graph *alk_opgraph_graph(const struct alk_opgraph *ops);

/* Operations that can take what this one returns. */
int alk_opgraph_followers(const struct alk_opgraph *ops, const char *name,
                          struct alk_node_list *list);

/*
 * The shortest chain of operations whose first takes `from` and whose last returns
 * `to`; empty when there is none.
 */
int alk_opgraph_chain(const struct alk_opgraph *ops, const json_t *from, const json_t *to,
                      struct alk_node_list *chain);

#endif
