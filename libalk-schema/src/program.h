/*
 * What decides whether a value is valid: for each schema and each type of value a row. Much is
 * decided when the row is made: rules about other types are not in it, references and allOf are
 * spelled out, and schemas of an anyOf that refuse the type are gone. What most schemas ask of a
 * type has a place of its own in the row, so that there is nothing to be told apart; the rest is a
 * list of ops.
 */
#ifndef ALK_SCHEMA_PROGRAM_H
#define ALK_SCHEMA_PROGRAM_H

#include "compiler.h"
#include "merge.h"

/* Beside the codes of enum check, which have a rule: */
enum op_code {
    OP_END = CHECK_NOTHING + 1,
    OP_IN_PLACE, /* another schema for the same value */
    OP_MARKS,    /* unevaluated* is among the ops: they keep account of what they evaluate */
    OP_SCOPE     /* the schema belongs to a resource with dynamic anchors */
};

struct op {
    unsigned code;
    union {
        const struct rule *rule;
        const struct node *node;
        const struct resource *resource;
    } of;
};

struct row {
    union {
        struct {
            size_t min, max;
        } size; /* characters, items or members */
        struct {
            json_int_t min, max;
        } integer;
        struct {
            double min, max;
            bool above, below; /* the end itself does not count */
            bool integral;
        } real;
    } range;
    const struct op *texts;      /* rules about a text alone, or NULL */
    const struct merged *merged; /* says the same as all that follows, without marks; or NULL */
    const struct members_rule *members;
    const struct items_rule *items;
    bool shared;          /* several look at the members of the object: they are read once */
    const struct op *ops; /* the rest, or NULL */
};

/* Make the rows of all schemas, once the rules of all of them are there. A schema has none for the
 * types that it accepts or refuses altogether. */
int program_make(struct compiler *c);

#endif
