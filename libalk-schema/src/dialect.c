#include "dialect.h"

#include <string.h>

#define PUBLISHED "https://json-schema.org/draft/2020-12/"

const struct dialect dialect_2020_12 = {2020, VOCAB_CORE | VOCAB_APPLICATOR | VOCAB_UNEVALUATED |
                                                  VOCAB_VALIDATION | VOCAB_META_DATA |
                                                  VOCAB_FORMAT_ANNOTATION | VOCAB_CONTENT};

/* draft 7 has no vocabularies: everything it defines is in force */
const struct dialect dialect_draft_7 = {7, VOCAB_CORE | VOCAB_APPLICATOR | VOCAB_VALIDATION |
                                               VOCAB_META_DATA | VOCAB_FORMAT_ANNOTATION |
                                               VOCAB_CONTENT};

const struct dialect *dialect_published(const char *uri)
{
    if (strcmp(uri, PUBLISHED "schema") == 0)
        return &dialect_2020_12;
    if (strcmp(uri, "http://json-schema.org/draft-07/schema") == 0)
        return &dialect_draft_7;
    return NULL;
}

unsigned dialect_vocabulary(const char *uri)
{
    static const struct {
        const char *uri;
        unsigned bit;
    } known[] = {
        {PUBLISHED "vocab/core", VOCAB_CORE},
        {PUBLISHED "vocab/applicator", VOCAB_APPLICATOR},
        {PUBLISHED "vocab/unevaluated", VOCAB_UNEVALUATED},
        {PUBLISHED "vocab/validation", VOCAB_VALIDATION},
        {PUBLISHED "vocab/meta-data", VOCAB_META_DATA},
        {PUBLISHED "vocab/format-annotation", VOCAB_FORMAT_ANNOTATION},
        {PUBLISHED "vocab/format-assertion", VOCAB_FORMAT_ASSERTION},
        {PUBLISHED "vocab/content", VOCAB_CONTENT},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(uri, known[i].uri) == 0)
            return known[i].bit;
    return 0;
}
