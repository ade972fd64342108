/* Going over a schema and the schemas in it, and what is done with all of them. */
#ifndef ALK_FLOWGRAPH_SUBSCHEMAS_H
#define ALK_FLOWGRAPH_SUBSCHEMAS_H

#include <jansson.h>
#include <stdbool.h>

/* Call for the schema and all within. Negative: an answer of `visit`, or nested too deeply. */
typedef int subschema_fn(json_t *schema, bool root);
int subschemas_each(json_t *schema, subschema_fn *visit);

/*
 * The document as draft 2020-12 has it: itself, or a copy where it is of draft 7. New
 * reference; NULL: it is of another dialect, or nested too deeply.
 */
json_t *subschemas_modern(const json_t *document);

/* Some schema in it has an $id: references then need not lead where they seem to. */
bool subschemas_embedded(const json_t *document);

#endif
