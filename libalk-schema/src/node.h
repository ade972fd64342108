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
struct row;

/* jansson's types as bits, so that a rule says which it is about. */
enum {
    T_OBJECT = 1 << JSON_OBJECT,
    T_ARRAY = 1 << JSON_ARRAY,
    T_STRING = 1 << JSON_STRING,
    T_INTEGER = 1 << JSON_INTEGER,
    T_REAL = 1 << JSON_REAL,
    T_BOOLEAN = 1 << JSON_TRUE | 1 << JSON_FALSE,
    T_NULL = 1 << JSON_NULL,
    T_NUMBER = T_INTEGER | T_REAL,
    T_ANY = 255
};

/* jansson has so many of them. */
#define TYPES 8

/* The name of a member that a schema speaks of. */
struct name {
    const char *text;
    uint64_t head, tail; /* keytable_head() and keytable_tail() */
    uint32_t length;
    uint32_t number; /* among all names in the compiled schema */
};

static inline bool name_is(const struct name *name, const char *key, size_t length, uint64_t head)
{
    return name->head == head && name->length == length &&
           name->tail == keytable_tail(key, length) &&
           (length <= 16 || memcmp(name->text, key, length) == 0);
}

#define NAME_UNKNOWN KEYTABLE_NONE

static inline uint64_t name_bit(uint32_t number)
{
    return (uint64_t)1 << (number & 63);
}

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

typedef bool rule_fn(struct run *run, const struct frame *frame, const struct rule *rule);

struct property {
    struct name name;
    const struct node *node; /* NULL when it is only required */
    const char *keyword;     /* that the node is from */
    const char *below;       /* this keyword: the name again, or NULL for additionalProperties */
    bool required;
};

/* A property in the hash table of a members_rule, by the number of its name. */
struct property_slot {
    uint32_t name;
    struct property *property; /* NULL in a free slot */
};

struct pattern_node {
    const char *name;
    struct regex *regex;
    const struct node *node;
};

/* properties, patternProperties, additionalProperties and required: one pass over the members */
struct members_rule {
    struct property *properties;
    uint32_t property_count, required_count;
    uint64_t required_bits; /* name_bit() of each */
    struct property_slot *slots;
    uint32_t slot_mask;
    struct property others; /* those that are in neither of the other two */
    struct pattern_node *patterns;
    uint32_t pattern_count;
    bool only_named; /* no schema applies to members that are not in properties */
};

/* By the number of its name; `others` when properties and required do not speak of it. */
static inline const struct property *members_property(const struct members_rule *members,
                                                      uint32_t name)
{
    for (uint32_t at = name;; at++) {
        const struct property_slot *slot = &members->slots[at & members->slot_mask];
        if (!slot->property)
            return &members->others;
        if (slot->name == name)
            return slot->property;
    }
}

struct items_rule {
    const struct node **prefix;
    size_t prefix_count;
    const struct node *rest; /* or NULL */
    const char *prefix_keyword, *rest_keyword;
};

/* A property by whose value the schemas of a list differ: see discriminate.c. */
struct discriminator;

/* What tells the schemas of an anyOf or oneOf apart. Sets of them are bits. */
struct choice {
    uint64_t fitting[TYPES];                   /* those that do not refuse such values altogether */
    const struct discriminator *discriminator; /* or NULL */
};

#define CHOICES_MAX 64

struct dependency {
    struct name name;
    struct name *required;
    size_t required_count;
    const struct node *node;
};

/* What a rule asserts, in the order in which it is asked: cheap first, unevaluated* last. */
enum check {
    CHECK_CONST,
    CHECK_ENUM,
    CHECK_LIMIT,
    CHECK_MULTIPLE_OF,
    CHECK_MAX_LENGTH,
    CHECK_MIN_LENGTH,
    CHECK_MAX_SIZE,
    CHECK_MIN_SIZE,
    CHECK_FORMAT,
    CHECK_PATTERN,
    CHECK_UNIQUE,
    CHECK_REQUIRED, /* nothing else of the members */
    CHECK_MEMBERS,
    CHECK_ITEMS,
    CHECK_REF,
    CHECK_DYNAMIC_REF,
    CHECK_ALL_OF,
    CHECK_ANY_OF,
    CHECK_ONE_OF,
    CHECK_CONTAINS,
    CHECK_DEPENDENCIES,
    CHECK_IF,
    CHECK_NOT,
    CHECK_PROPERTY_NAMES,
    CHECK_UNEVALUATED_ITEMS,
    CHECK_UNEVALUATED_MEMBERS,
    CHECK_NOTHING /* it only annotates */
};

struct rule {
    rule_fn *report;
    const char *keyword;
    unsigned char applies; /* instance types */
    unsigned char check;
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
            bool upper, exclusive;
        } limit;
        struct regex *regex;
        struct members_rule *members;
        struct items_rule items;
        struct {
            const struct node **nodes;
            size_t count;
            const struct choice *choice; /* of anyOf and oneOf, unless there are too many */
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
    unsigned char accepts, refuses;       /* types about which nothing else has to be asked */
    const struct row *rows[TYPES];        /* what decides about such a value: see program.h */
    bool marks_members;                   /* holds unevaluatedProperties or unevaluatedItems */
    uint32_t rule_count, assertion_count; /* assertions come first, then annotations */
    struct rule *rules;
    const struct node *leads_to; /* by a row of references and nothing else; or to itself */
    const struct resource *resource;
    const char *pointer; /* from the resource's root */
};

struct alk_schema {
    struct arena arena;
    const struct node *root;
    struct keytable name_table; /* number of each name, and */
    struct name *names;         /* name of each number */
    bool dynamic;               /* there are dynamic anchors, so the way to a schema matters */
    struct alk_schema_options options;
    json_t *documents;      /* array that keeps every schema document alive */
    struct regex **regexes; /* to be freed one by one */
    size_t regex_count;
};

#endif
