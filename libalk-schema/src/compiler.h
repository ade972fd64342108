/* State of one compilation, and what the keyword files need of it. */
#ifndef ALK_SCHEMA_COMPILER_H
#define ALK_SCHEMA_COMPILER_H

#include "dialect.h"
#include "error.h"
#include "node.h"
#include "text.h"

/* Where a schema object was found. */
struct place {
    json_t *schema;
    struct resource *resource;
    const char *pointer; /* from the resource's root */
    struct node *node;   /* once something refers to it */
};

struct compiler {
    struct alk_schema *out;
    const struct alk_schema_registry *registry;
    const struct dialect *default_dialect;
    struct alk_schema_error *error;
    int status; /* sticky */

    /* places by address of the schema object: open addressing */
    struct place **places;
    size_t place_count, place_size;

    json_t *resource_index; /* URI -> index into resources */
    struct resource **resources;
    size_t resource_count, resource_size;
    json_t *anchor_index; /* URI#name -> index into anchors */
    struct place **anchors;
    size_t anchor_count, anchor_size;

    struct place **queue; /* places with a node that has no rules yet */
    size_t queue_count, queue_size;
    size_t regex_size, name_size;
    size_t pointer_bytes;

    bool surveying; /* only looking for resources: an unknown dialect does not matter */
};

/* Record the first error; all of them return the status. */
int compiler_fail(struct compiler *c, int status, const struct place *at, const char *keyword,
                  const char *format, ...) __attribute__((format(printf, 5, 6)));
int compiler_no_memory(struct compiler *c);

/* Room for one more element in a growing array; `array` is the address of the pointer to it. */
bool compiler_grow(struct compiler *c, void *array, size_t count, size_t *size,
                   size_t element_size);

/* `base` with tokens for a keyword and, below it, a name or (not SIZE_MAX) an index. */
const char *compiler_pointer(struct compiler *c, const char *base, const char *keyword,
                             const char *name, size_t index);

/* A deep copy of a schema that is not nested too deeply. */
int compiler_copy(const json_t *schema, json_t **copy, struct alk_schema_error *error);

/* An object that has the URI of every resource in a document as a key. */
int compiler_survey(json_t *document, const char *uri, json_t **uris,
                    struct alk_schema_error *error);

/* ---- index.c: resources, anchors and places ------------------------------------- */

/* Record every schema of a document, whose URI is `uri` unless its "$id" says otherwise. */
struct resource *index_document(struct compiler *c, json_t *root, const char *uri);

/* The place of a schema object, or NULL. */
struct place *index_find(const struct compiler *c, const json_t *schema);

/* Record a schema that lies where no known keyword led, and what is below it. */
struct place *index_stray(struct compiler *c, json_t *schema, struct resource *resource,
                          const char *pointer);

/* ---- resolve.c -------------------------------------------------------------------- */

struct target {
    json_t *schema;
    struct resource *resource;
    const char *pointer;
    const char *dynamic; /* the name, when a "$dynamicAnchor" led here */
};

/* Find what a reference in `at` points to. */
int resolve_reference(struct compiler *c, const struct place *at, const char *keyword,
                      const char *reference, struct target *target);

/* The document under a URI without fragment, or NULL. */
struct resource *resolve_resource(struct compiler *c, const char *uri);

/* ---- nodes -------------------------------------------------------------------------- */

/* The node of a schema, to be filled with rules later; NULL on error. */
struct node *compiler_node(struct compiler *c, json_t *schema, struct resource *resource,
                           const char *pointer);

/* The same for a subschema: value of `keyword` in `at`, or of its member or item. */
struct node *compiler_sub(struct compiler *c, const struct place *at, const char *keyword,
                          const char *name, size_t index, json_t *schema);

/* Append a rule to a node. `report` says what is violated. */
struct rule *compiler_rule(struct node *node, enum check check, rule_fn *report,
                           const char *keyword, unsigned applies);

struct regex *compiler_regex(struct compiler *c, const struct place *at, const char *keyword,
                             const char *pattern);

/* The name of a member, numbered; false when memory is out. */
bool compiler_name(struct compiler *c, const char *text, struct name *name);

/* A non-negative integer such as minLength has. */
int compiler_count(struct compiler *c, const struct place *at, const char *keyword,
                   const json_t *value, size_t *count);

/* ---- keywords: one function for each, in the vocab_*.c files -------------------------- */

typedef int keyword_fn(struct compiler *c, struct node *node, const struct place *at,
                       const char *keyword, json_t *value);

keyword_fn keyword_type, keyword_enum, keyword_const, keyword_multiple_of, keyword_limit;
keyword_fn keyword_length, keyword_pattern, keyword_size, keyword_unique_items;
keyword_fn keyword_members, keyword_property_names, keyword_dependencies;
keyword_fn keyword_items, keyword_contains;
keyword_fn keyword_list, keyword_not, keyword_if;
keyword_fn keyword_ref, keyword_dynamic_ref;
keyword_fn keyword_unevaluated_properties, keyword_unevaluated_items;
keyword_fn keyword_format, keyword_annotation;

/* Where "$ref" leads from a node that has no other assertion, or NULL. */
const struct node *keyword_only_reference(const struct node *node);

/* What a node asserts of the members of objects, or NULL. */
const struct members_rule *keyword_members_of(const struct node *node);

/* The types of the values that a rule admits by const or enum; T_ANY for other rules. */
unsigned keyword_types(const struct rule *rule);

/* The index-th of the strings that alone a node admits, by const or enum; NULL beyond the last, and
 * for a node that also admits others. */
const json_t *keyword_text(const struct node *node, size_t index);

/* What the value of a keyword holds, for finding the schemas in it. */
enum shape {
    SHAPE_PLAIN, /* no schema */
    SHAPE_TEXT,  /* a string */
    SHAPE_SCHEMA,
    SHAPE_LIST,           /* array of schemas */
    SHAPE_MAP,            /* object of schemas */
    SHAPE_SCHEMA_OR_LIST, /* "items" of draft 7 */
    SHAPE_MAP_OR_NAMES    /* "dependencies", still known in 2020-12: schemas, or arrays of names */
};

struct keyword {
    const char *name;
    keyword_fn *compile; /* NULL: nothing to do, or done by a sibling */
    enum shape shape;
    unsigned vocabularies; /* any of them */
    unsigned drafts;
};

/* The keyword of that name in the dialect, or NULL for an unknown one. */
const struct keyword *keyword_find(const struct dialect *dialect, const char *name);

/* Whether the value has the keyword's shape. */
bool keyword_shape_ok(const struct keyword *keyword, const json_t *value);

/* The schemas in a keyword's value: calls `each` for every object or boolean one. */
typedef void keyword_each(void *user, const char *name, size_t index, json_t *schema);
void keyword_schemas(const struct keyword *keyword, json_t *value, keyword_each *each, void *user);

#endif
