/* Which members of an object (in the order of iteration) or items of an array have been evaluated. */
#ifndef ALK_SCHEMA_MARKS_H
#define ALK_SCHEMA_MARKS_H

#include "run.h"

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

/*
 * Before a schema is tried that may turn out not to fit, when its marks would not count: keeps what
 * there is in `old`. False when memory is out.
 */
bool marks_keep(struct run *run, const struct marks *marks, struct marks *old);

/* Go back to it unless the schema did fit, and free it. */
void marks_settle(struct marks *marks, struct marks *old, bool fits);

#endif
