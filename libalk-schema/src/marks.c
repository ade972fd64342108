#include "marks.h"

#include <stdlib.h>

bool marks_extend(struct run *run, struct marks *marks)
{
    marks->words = calloc(marks->count / 64 + 1, sizeof *marks->words);
    return marks->words || give_up(run, ALK_SCHEMA_E_NOMEM);
}

void marks_free(struct marks *marks)
{
    if (marks->words != marks->few)
        free(marks->words);
}

/* The bits of a word that stand for something. */
static uint64_t marks_mask(const struct marks *marks, size_t word)
{
    size_t left = marks->count - word * 64;
    return left >= 64 ? UINT64_MAX : ((uint64_t)1 << left) - 1;
}

void marks_all(struct marks *marks)
{
    for (size_t i = 0; i * 64 < marks->count; i++)
        marks->words[i] = marks_mask(marks, i);
}

bool marks_complete(const struct marks *marks)
{
    for (size_t i = 0; i * 64 < marks->count; i++)
        if (marks->words[i] != marks_mask(marks, i))
            return false;
    return true;
}

bool marks_keep(struct run *run, const struct marks *marks, struct marks *old)
{
    if (!marks_init(run, old, marks->count))
        return false;
    marks_merge(old, marks);
    return true;
}

void marks_settle(struct marks *marks, struct marks *old, bool fits)
{
    for (size_t i = 0; !fits && i * 64 < marks->count; i++)
        marks->words[i] = old->words[i];
    marks_free(old);
}
