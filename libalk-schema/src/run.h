/* One evaluation of a compiled schema against a document: its state and its bounds. */
#ifndef ALK_SCHEMA_RUN_H
#define ALK_SCHEMA_RUN_H

#include "subject.h"

struct units;
struct scope;

struct run {
    const struct alk_schema *schema;
    struct units *units;       /* of a report: collects what is said */
    bool all;                  /* of a report: list all violations, not only the first */
    const struct scope *scope; /* of a judgement: see judge.h */
    pcre2_match_data *scratch;
    struct member *pool; /* what is left of it */
    size_t pool_left;
    uint32_t next_name; /* that is likely to come */
    unsigned depth;     /* of a report: further levels */
    uint64_t steps;     /* further steps that are allowed */
    int status;         /* a bound was reached or memory is out: nothing counts any more */
};

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

#endif
