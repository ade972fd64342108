/*
 * Many schemas of objects are made of parts: $ref and allOf add properties, oneOf chooses some by
 * the constant of one of them, and unevaluatedProperties closes the whole. As long as the parts say
 * nothing but which members there are, one table says what all of them say together, and the members
 * of an object are gone over once.
 */
#ifndef ALK_SCHEMA_MERGE_H
#define ALK_SCHEMA_MERGE_H

#include "compiler.h"

struct merged {
    const struct members_rule *members; /* NULL when the object has to be looked at: */
    const struct discriminator *discriminator;
    const struct members_rule **chosen; /* for each schema of the choice; NULL where it says more */
    uint64_t fitting;                   /* schemas of the choice that do not refuse objects */
};

/* What a schema and its parts say of an object; NULL when that is not about its members alone, or
 * nothing is gained, or there is no memory (then c->status says so). */
const struct merged *merge_make(struct compiler *c, const struct node *node);

#endif
