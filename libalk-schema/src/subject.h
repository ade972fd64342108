/*
 * What is being evaluated: one value of the document. Of an object the members are read once, for
 * all schemas that apply to it, and their names are looked up among all that the schemas know.
 */
#ifndef ALK_SCHEMA_SUBJECT_H
#define ALK_SCHEMA_SUBJECT_H

#include "node.h"

struct run;

struct member {
    const char *key;
    size_t length;
    const json_t *value;
    uint32_t name; /* its number in the compiled schema, or NAME_UNKNOWN */
};

struct subject {
    const json_t *value;
    unsigned type;          /* one bit; both of T_BOOLEAN are never asked for alone */
    size_t count;           /* members or items */
    struct member *members; /* in the order of iteration, once they have been read; or NULL */
    uint64_t present;       /* then name_bit() of each, to rule out most others */
    bool on_heap;
};

/* How many of the names that come next are tried before a search: documents mostly have their members
 * in the order of the schema, and leave some out. */
enum { NAME_TRIES = 3 };

/* Members that are read without allocation, at a time. */
#define MEMBERS_POOL 64

static inline unsigned type_of(const json_t *value)
{
    return 1u << json_typeof(value);
}

/* Members or items; 0 for other values. */
static inline size_t subject_size(const json_t *value)
{
    return json_is_object(value) ? json_object_size(value) : json_array_size(value);
}

static inline struct subject subject_of(const json_t *value)
{
    return (struct subject){value, type_of(value), subject_size(value), NULL, 0, false};
}

/* Read the members; false when there is no memory or no step left. Subjects are dropped in the
 * reverse order. */
bool subject_read_now(struct run *run, struct subject *subject);
static inline bool subject_read(struct run *run, struct subject *subject)
{
    return subject->members || subject_read_now(run, subject);
}

void subject_drop_now(struct run *run, struct subject *subject);
static inline void subject_drop(struct run *run, struct subject *subject)
{
    if (subject->members)
        subject_drop_now(run, subject);
}

/* The member of that name, or NULL. */
const json_t *subject_member(struct run *run, struct subject *subject, const struct name *name);

#endif
