/*
 * The evaluation that says why: it goes through the rules of each schema as they are written, and
 * collects errors and annotations. Whether a document is valid is found out without it, by judge.h.
 */
#ifndef ALK_SCHEMA_REPORT_H
#define ALK_SCHEMA_REPORT_H

#include "marks.h"

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
    struct subject *subject;
    struct marks *marks; /* NULL when nobody asks which members or items were evaluated */
};

/* A step that stays at the same place in the document. */
static inline struct step step_in_place(const struct frame *from, const char *keyword)
{
    return (struct step){from, keyword, NULL, NO_INDEX, NULL, NO_INDEX};
}

/* ---- evaluation ------------------------------------------------------------------ */

/* Another value than that of the frame that the step is from. */
bool evaluate(struct run *run, const struct node *node, const json_t *value,
              const struct step *step);

/* The same value. */
bool evaluate_in_place(struct run *run, const struct node *node, struct subject *subject,
                       const struct step *step, struct marks *marks);

/* The same value, of which the schema may make out what it likes: its marks count only if the
 * value fits. */
bool evaluate_branch(struct run *run, const struct node *node, struct subject *subject,
                     const struct step *step, struct marks *marks);

/* ---- reports ------------------------------------------------------------------- */

/*
 * Say that `keyword` of the schema in `frame` is violated. Always false, so that a
 * rule can return it.
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

/* Answers `valid`. */
bool applicator_end(struct run *run, size_t unit, bool valid, const char *sentence);

#endif
