/* Dialects: a draft and the vocabularies in force. */
#ifndef ALK_SCHEMA_DIALECT_H
#define ALK_SCHEMA_DIALECT_H

#include <jansson.h>

enum {
    VOCAB_CORE = 1 << 0,
    VOCAB_APPLICATOR = 1 << 1,
    VOCAB_UNEVALUATED = 1 << 2,
    VOCAB_VALIDATION = 1 << 3,
    VOCAB_META_DATA = 1 << 4,
    VOCAB_FORMAT_ANNOTATION = 1 << 5,
    VOCAB_FORMAT_ASSERTION = 1 << 6,
    VOCAB_CONTENT = 1 << 7,
    VOCAB_FORMAT = VOCAB_FORMAT_ANNOTATION | VOCAB_FORMAT_ASSERTION
};

struct dialect {
    unsigned draft; /* 7 or 2020 */
    unsigned vocabularies;
};

extern const struct dialect dialect_2020_12, dialect_draft_7;

/* The dialect of a published meta-schema (URI without fragment), or NULL. */
const struct dialect *dialect_published(const char *uri);

/* Bit of a 2020-12 vocabulary URI, or 0. */
unsigned dialect_vocabulary(const char *uri);

/* The text of a published meta-schema, parsed anew, or NULL. */
json_t *metaschema_load(const char *uri);

#endif
