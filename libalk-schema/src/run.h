/* One evaluation of a compiled schema against a document. */
#ifndef ALK_SCHEMA_RUN_H
#define ALK_SCHEMA_RUN_H

#include "node.h"

struct units;

struct run {
    const struct alk_schema *schema;
    struct units *units; /* collects what is said, or NULL */
    bool all;            /* go on after a violation, to list the others as well */
    pcre2_match_data *scratch;
    unsigned depth; /* further levels, and */
    uint64_t steps; /* further evaluations that are allowed */
    int status;     /* a bound was reached or memory is out: nothing counts any more */
};

/* How an evaluation got from one schema, and one place in the document, to the next. */
struct step {
    const struct frame *from;
    const char *keyword; /* of the schema in `from` */
    const char *name;    /* then a member name, or */
    size_t index;        /* an index, or NO_INDEX */
    const char *key;     /* below `from`'s instance: a member name, or */
    size_t item;         /* an index, or NO_INDEX for the same instance */
};

#define NO_INDEX SIZE_MAX

/* One schema under evaluation. The chain of frames is also the dynamic scope. */
struct frame {
    const struct step *step; /* NULL at the root */
    const struct node *node;
};

/* A step that stays at the same place in the document. */
static inline struct step step_in_place(const struct frame *from, const char *keyword)
{
    return (struct step){from, keyword, NULL, NO_INDEX, NULL, NO_INDEX};
}

/* `marks` may be NULL when nobody asks which members and items were evaluated. */
bool evaluate(struct run *run, const struct node *node, const json_t *instance,
              const struct step *step, struct marks *marks);

/* ---- which members (in iteration order) or items have been evaluated ------------ */

#define MARKS_FEW 2

struct marks {
    size_t count;
    uint64_t *words;
    uint64_t few[MARKS_FEW];
};

/* For one array or object; false when memory is out (run->status is set). */
bool marks_init(struct run *run, struct marks *marks, const json_t *instance);
void marks_free(struct marks *marks);
void marks_merge(struct marks *into, const struct marks *from);
void marks_all(struct marks *marks);
bool marks_complete(const struct marks *marks);

static inline void marks_set(struct marks *marks, size_t index)
{
    marks->words[index / 64] |= (uint64_t)1 << index % 64;
}

static inline bool marks_has(const struct marks *marks, size_t index)
{
    return marks->words[index / 64] >> index % 64 & 1;
}

/* Evaluate a subschema at the same place; its marks count only if it is valid. */
bool evaluate_in_place(struct run *run, const struct node *node, const json_t *instance,
                       const struct step *step, struct marks *marks);

/* ---- reports ------------------------------------------------------------------- */

/*
 * Say that `keyword` of the schema in `frame` is violated. Always false, so that a
 * rule can return it. The sentence is only made when output is collected.
 */
bool violated(struct run *run, const struct frame *frame, const char *keyword, const char *format,
              ...) __attribute__((format(printf, 4, 5)));

/* An annotation of the schema in `frame`. */
void annotate(struct run *run, const struct frame *frame, const char *keyword, const json_t *value);

/*
 * A unit around the evaluations that one keyword makes (anyOf and the like), so
 * that their errors can be forgotten. `sentence` is a static text, or NULL.
 */
size_t applicator_begin(struct run *run, const struct frame *frame, const char *keyword);
bool applicator_end(struct run *run, size_t unit, bool valid, const char *sentence);

/* Give up: a bound was reached. Always false. */
bool give_up(struct run *run, int status);

#endif
