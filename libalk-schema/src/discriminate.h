/*
 * The schemas of an anyOf or oneOf often differ by the value of one property, such as
 * {"kind": {"const": "leaf"}}. Then a look at that property tells which of them can fit at all,
 * and only those are evaluated. Reports go through all of them, so that each says what it wants.
 */
#ifndef ALK_SCHEMA_DISCRIMINATE_H
#define ALK_SCHEMA_DISCRIMINATE_H

#include "compiler.h"
#include "subject.h"

struct discriminator {
    struct name name;
    struct keytable texts; /* index into fitting */
    uint64_t *fitting;     /* the schemas that admit this text, as bits */
    uint64_t others;       /* those that do not say which texts they admit */
};

/* The schemas that may fit an object with this value of the property, or NULL; as bits. */
uint64_t discriminator_candidates(const struct discriminator *discriminator, const json_t *value);

/* Looks for such a property of at most CHOICES_MAX schemas; NULL when there is none, or no memory
 * (then c->status says so). */
const struct discriminator *discriminator_make(struct compiler *c, const struct node **schemas,
                                               size_t count);

#endif
