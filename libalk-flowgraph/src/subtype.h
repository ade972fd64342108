/*
 * Subtyping of JSON schemas. A view is the conjunction of several schema objects,
 * so that allOf and $ref need no merging: each question is put to all of them.
 */
#ifndef ALK_FLOWGRAPH_SUBTYPE_H
#define ALK_FLOWGRAPH_SUBTYPE_H

#include "alk/opgraph.h"

#define VIEW_MAX 32

enum {
    T_NULL = 1,
    T_BOOLEAN = 2,
    T_INTEGER = 4,
    T_FRACTION = 8, /* numbers that are no integers */
    T_STRING = 16,
    T_ARRAY = 32,
    T_OBJECT = 64,
    T_NUMBER = T_INTEGER | T_FRACTION,
    T_ANY = 127
};

/* A schema with the document in which its references are looked up. */
struct part {
    const json_t *schema;
    bool no_any_of, no_one_of; /* a case of it has been chosen, see subtype.c */
};

struct view {
    struct part parts[VIEW_MAX];
    size_t count;
    unsigned types;
    bool never;    /* some part is false: there are no documents */
    bool overflow; /* more parts than there is room for, or an unknown reference */
};

#define SUBTYPE_DEPTH 48

/* A question that is being answered, at a level of nesting in the documents. */
struct question {
    const struct view *view;
    const json_t *input;
    unsigned level;
};

struct subtype {
    const json_t *output_root, *input_root;
    enum alk_compat_reading reading;
    struct alk_graph_error *error;
    char path[200]; /* where in the output, for the sentence */
    unsigned level, depth, steps;
    struct question asked[SUBTYPE_DEPTH];
};

/* view.c */
void view_add(struct view *view, const json_t *root, const json_t *schema);
unsigned view_schema_types(const json_t *schema);
/* What a property, or an item, of the output must fit; empty: nothing is known of it. */
void view_property(const struct view *view, const struct subtype *s, const char *name,
                   struct view *out);
/* The rest: properties that nobody names. Closed when `never` is set. */
void view_other_properties(const struct view *view, const struct subtype *s, struct view *out);
void view_item(const struct view *view, const struct subtype *s, size_t index, struct view *out);
bool view_sealed(const struct view *view);
bool view_requires(const struct view *view, const char *name);
/* The strictest value of a bound, or NULL: `sign` 1 for lower, -1 for upper bounds. */
const json_t *view_bound(const struct view *view, const char *keyword, int sign);
bool view_has(const struct view *view, const char *keyword, const json_t *value);
/* Find a reference within a document ("#", "#/pointer"); NULL for others. */
const json_t *view_resolve(const json_t *root, const char *reference);

/* bounds.c */
#define NO_BOUND 1e300 /* more than any size */

/* A lower or upper bound of numbers; `whole` if only integers count, then `integer` is it. */
struct limit {
    const json_t *value; /* NULL: none */
    bool open, whole;
    json_int_t integer;
};

int number_order(const json_t *a, const json_t *b);
struct limit limit_make(const json_t *closed, const json_t *open, int sign, bool integers);
struct limit view_limit(const struct view *view, int sign);
bool limit_within(const struct limit *own, const struct limit *wanted, int sign);
size_t view_prefix(const struct view *view); /* the longest prefixItems */
double view_least_items(const struct view *view);
double view_most_items(const struct view *view, const struct subtype *s);
double view_required_properties(const struct view *view);
double view_least_properties(const struct view *view);
double view_most_properties(const struct view *view, const struct subtype *s);
/* Its types without those that contradicting bounds leave no documents of. */
unsigned view_possible(const struct view *view, const struct subtype *s);

/* values.c: all documents of a view, when enum, const, type or bounds leave only a few. */
json_t *view_values(const struct subtype *s, const struct view *view);
/* A schema of the root, to ask about documents: 1 or 0; negative: not to be said. */
struct alk_schema;
struct alk_schema *schema_inside(const json_t *root, const json_t *schema);
int schema_fits(const struct alk_schema *schema, const json_t *value);
int value_fits(const json_t *root, const json_t *schema, const json_t *value);
bool pattern_matches(const char *pattern, const char *text);

/* subtype.c */
enum alk_compat subtype_view(struct subtype *s, const struct view *view, const json_t *input);
enum alk_compat subtype_no(struct subtype *s, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* A no that a keyword of the output, which is not understood, may make a yes. */
bool view_has_any(const struct view *view, const char *const *keywords);
enum alk_compat subtype_doubt(struct subtype *s, enum alk_compat answer, bool had_reason);
bool subtype_has_reason(const struct subtype *s);
/* Run with a token added to the path. */
enum alk_compat subtype_below(struct subtype *s, const char *token, const struct view *view,
                              const json_t *input);

/* subtype_members.c: objects and arrays */
enum alk_compat subtype_object(struct subtype *s, const struct view *view, const json_t *input);
enum alk_compat subtype_array(struct subtype *s, const struct view *view, const json_t *input);

/* As alk_type_compat(), but takes it that the schemas are valid. */
enum alk_compat subtype_compare(const json_t *output, const json_t *input,
                                enum alk_compat_reading reading, struct alk_graph_error *error);
/* Whether the schema is one, so that a yes may be believed. */
bool subtype_valid(const json_t *schema);

static inline enum alk_compat compat_worse(enum alk_compat a, enum alk_compat b)
{
    if (a == ALK_COMPAT_NO || b == ALK_COMPAT_NO)
        return ALK_COMPAT_NO;
    return a == ALK_COMPAT_UNKNOWN ? a : b;
}

#endif
