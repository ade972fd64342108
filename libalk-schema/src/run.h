/* One evaluation of a compiled schema against a document. */
#ifndef ALK_SCHEMA_RUN_H
#define ALK_SCHEMA_RUN_H

#include "subject.h"

struct units;

struct run {
    const struct alk_schema *schema;
    struct units *units; /* collects what is said, or NULL */
    bool all;            /* go on after a violation, to list the others as well */
    unsigned shortcuts;  /* the types for which a node's summary is enough; none for a report */
    pcre2_match_data *scratch;
    struct member *pool; /* what is left of it */
    size_t pool_left;
    uint32_t next_name; /* that is likely to come */
    unsigned depth;     /* further levels, and */
    uint64_t steps;     /* further steps that are allowed */
    int status;         /* a bound was reached or memory is out: nothing counts any more */
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
    struct subject *subject;
    struct marks *marks; /* NULL when nobody asks which members or items were evaluated */
};

/* A step that stays at the same place in the document. */
static inline struct step step_in_place(const struct frame *from, const char *keyword)
{
    return (struct step){from, keyword, NULL, NO_INDEX, NULL, NO_INDEX};
}

/* ---- bounds --------------------------------------------------------------------- */

/* So many bytes of a text are one step. */
#define CHARGED_BYTES 64

/* So much backtracking is one step. */
#define BACKTRACKS_CHARGED 4

/* Give up: a bound was reached. Always false. */
bool give_up(struct run *run, int status);

/* Whether so many steps are still allowed; if not, this is the end. */
static inline bool charge(struct run *run, uint64_t steps)
{
    if (run->steps < steps)
        return give_up(run, ALK_SCHEMA_E_LIMIT);
    run->steps -= steps;
    return true;
}

/* ---- evaluation ------------------------------------------------------------------ */

bool evaluate_value(struct run *run, const struct node *node, const json_t *value, unsigned type,
                    const struct step *step);
bool evaluate_subject(struct run *run, const struct node *node, struct subject *subject,
                      const struct step *step, struct marks *marks);

/* Another value than that of the frame that the step is from. */
static inline bool evaluate(struct run *run, const struct node *node, const json_t *value,
                            const struct step *step)
{
    unsigned type = type_of(value);
    if (node->accepts & type & run->shortcuts)
        return true;
    if (node->refuses & type & run->shortcuts)
        return false;
    return evaluate_value(run, node, value, type, step);
}

/* The same value. */
static inline bool evaluate_in_place(struct run *run, const struct node *node,
                                     struct subject *subject, const struct step *step,
                                     struct marks *marks)
{
    if (node->accepts & subject->type & run->shortcuts)
        return true;
    if (node->refuses & subject->type & run->shortcuts)
        return false;
    return evaluate_subject(run, node, subject, step, marks);
}

/* The same value, of which the schema may make out what it likes: its marks count only if the
 * value fits. */
bool evaluate_branch(struct run *run, const struct node *node, struct subject *subject,
                     const struct step *step, struct marks *marks);

/* Whether a pattern occurs in a text. False, too, when a bound is reached. */
bool match(struct run *run, const struct regex *regex, const char *text, size_t length);

/* ---- which members (in iteration order) or items have been evaluated ------------ */

#define MARKS_FEW 2

struct marks {
    size_t count;
    uint64_t *words; /* `few`, if they are enough */
    uint64_t few[MARKS_FEW];
};

/* Words for many. False when memory is out (run->status is set). */
bool marks_extend(struct run *run, struct marks *marks);
void marks_free(struct marks *marks);
void marks_all(struct marks *marks);
bool marks_complete(const struct marks *marks);

static inline bool marks_init(struct run *run, struct marks *marks, size_t count)
{
    *marks = (struct marks){count, marks->few, {0, 0}};
    return count <= 64 * MARKS_FEW || marks_extend(run, marks);
}

static inline void marks_merge(struct marks *into, const struct marks *from)
{
    for (size_t i = 0; i * 64 < into->count; i++)
        into->words[i] |= from->words[i];
}

static inline void marks_set(struct marks *marks, size_t index)
{
    marks->words[index / 64] |= (uint64_t)1 << index % 64;
}

static inline bool marks_has(const struct marks *marks, size_t index)
{
    return marks->words[index / 64] >> index % 64 & 1;
}

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
size_t report_begin(struct run *run, const struct frame *frame, const char *keyword);
void report_end(struct run *run, size_t unit, bool valid, const char *sentence);

static inline size_t applicator_begin(struct run *run, const struct frame *frame,
                                      const char *keyword)
{
    return run->units ? report_begin(run, frame, keyword) : 0;
}

static inline bool applicator_end(struct run *run, size_t unit, bool valid, const char *sentence)
{
    if (run->units)
        report_end(run, unit, valid, sentence);
    return valid;
}

#endif
