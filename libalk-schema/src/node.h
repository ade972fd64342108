/*
 * The compiled form. A node is one schema (object or boolean), a rule one keyword
 * of it, or several that are best looked at together. All of it lies in the
 * arena of its struct alk_schema and is never written after compilation.
 */
#ifndef ALK_SCHEMA_NODE_H
#define ALK_SCHEMA_NODE_H

#include "alk/schema.h"
#include "arena.h"
#include "keytable.h"
#include "number.h"
#include "regex.h"

struct run;
struct frame;
struct marks;
struct rule;

/* Instance types as bits, so that a rule says which it is about. */
enum {
    T_NULL = 1 << 0,
    T_BOOLEAN = 1 << 1,
    T_INTEGER = 1 << 2,
    T_REAL = 1 << 3,
    T_STRING = 1 << 4,
    T_ARRAY = 1 << 5,
    T_OBJECT = 1 << 6,
    T_NUMBER = T_INTEGER | T_REAL,
    T_ANY = 127
};

struct node;

/* "$dynamicAnchor" of a resource */
struct dynamic_anchor {
    const char *name;
    const struct node *node;
    struct dynamic_anchor *next;
};

/* What is fixed for all schemas below one "$id". */
struct resource {
    const char *uri; /* without fragment */
    const struct dialect *dialect;
    json_t *root;
    struct dynamic_anchor *dynamic_anchors;
};

typedef bool rule_fn(struct run *run, const struct frame *frame, const struct rule *rule,
                     const json_t *instance, struct marks *marks);

struct named_node {
    const char *name;
    const struct node *node;
};

struct property {
    const char *name;
    size_t length;
    uint64_t head;           /* keytable_head() of the name */
    const struct node *node; /* NULL when it is only required */
    uint32_t required;       /* its number among the required ones, or KEYTABLE_NONE */
};

struct pattern_node {
    const char *name;
    struct regex *regex;
    const struct node *node;
};

struct required_name {
    const char *name;
    size_t length;
};

/* properties, patternProperties, additionalProperties and required: one pass over the members */
struct members_rule {
    struct keytable table; /* index into properties */
    struct property *properties;
    uint32_t property_count, required_count;
    struct required_name *required;
    struct pattern_node *patterns;
    uint32_t pattern_count;
    const struct node *additional; /* or NULL */
    bool only_required;            /* no schema applies to any member */
};

struct items_rule {
    const struct node **prefix;
    size_t prefix_count;
    const struct node *rest; /* or NULL */
    const char *prefix_keyword, *rest_keyword;
};

/* A property by whose value the schemas of a list differ: see discriminate.c. */
struct discriminator;

struct dependency {
    const char *name;
    const char **required; /* NULL-terminated, or NULL */
    const struct node *node;
};

struct rule {
    rule_fn *check;
    const char *keyword;
    unsigned char applies; /* instance types */
    unsigned char rank;    /* cheap first, unevaluated* last */
    union {
        const struct node *node;
        const json_t *value;
        struct {
            const json_t *value;
            const char *text; /* of a string, or NULL */
            size_t length;
        } constant;
        size_t count;
        struct decimal decimal;
        struct {
            const json_t *value;
            bool small; /* an integer that a double holds exactly; then both of these */
            json_int_t integer;
            double real;
        } limit;
        struct regex *regex;
        struct members_rule *members;
        struct items_rule items;
        struct {
            const struct node **nodes;
            size_t count;
            const struct discriminator *discriminator; /* or NULL */
        } list;
        struct {
            const struct node *node;
            size_t min, max;
            bool evaluates; /* not in draft 7 */
        } contains;
        struct {
            const struct node *test, *yes, *no;
        } condition;
        struct {
            struct dependency *entries;
            size_t count;
        } dependencies;
        struct {
            const json_t *value;
            struct keytable table; /* the strings in value */
            bool only_strings;
        } enumeration;
        struct {
            const struct node *node;
            const char *name; /* NULL: behaves like $ref */
        } dynamic;
        struct {
            bool (*check)(const char *text, size_t length); /* NULL: annotation only */
            const json_t *value;
        } format;
    } u;
};

enum node_kind { NODE_RULES, NODE_TRUE, NODE_FALSE };

struct node {
    enum node_kind kind;
    unsigned char types;                  /* by "type", T_ANY without it */
    bool marks_members;                   /* holds unevaluatedProperties or unevaluatedItems */
    bool flat;                            /* no assertion goes on to a further schema */
    uint32_t rule_count, assertion_count; /* assertions come first, then annotations */
    struct rule *rules;
    const struct node *same_as; /* nothing but a reference: where it leads, or NULL */
    const struct resource *resource;
    const char *pointer; /* from the resource's root */
};

struct alk_schema {
    struct arena arena;
    const struct node *root;
    struct alk_schema_options options;
    json_t *documents;      /* array that keeps every schema document alive */
    struct regex **regexes; /* to be freed one by one */
    size_t regex_count;
};

#endif
