/* The representation of the call graph. */
#ifndef ALK_FLOWGRAPH_CALLS_H
#define ALK_FLOWGRAPH_CALLS_H

#include "alk/callgraph.h"
#include "graph_core.h"

#define NO_TIME INT64_MIN

struct record {
    enum alk_call_status end; /* completed, failed, aborted; else ALK_CALL_UNKNOWN */
    uint32_t operation;       /* index of its name, NO_OPERATION before the request */
    int64_t requested, started, responded, ended;
    json_t *input, *output, *error, *identity;
    uint64_t version; /* of its last change; the records form a list in that order */
    alk_node older, newer;

    /* The tree that it is in: sets of calls with one representative each. */
    alk_node above;      /* towards the representative, which is its own */
    uint32_t size, open; /* of the representative: calls, and those under way */
    alk_node top;        /* the root of the tree */
    uint32_t stamp;      /* changes whenever the tree is finished or goes on */
    int64_t last_end;
};

#define NO_OPERATION UINT32_MAX

/* What calls are calls of; forgotten with the last of them. */
struct operation {
    const char *name; /* the index's key; NULL: the number is free */
    uint32_t users;   /* calls; of a free number, the next free one */
};

/* A tree that has finished; not valid any more when the stamps differ. */
struct finished {
    int64_t time;
    alk_node tree;
    uint32_t stamp;
};

struct removal {
    char *id;
    uint64_t version;
};

struct alk_callgraph {
    struct alk_graph *graph;
    struct alk_callgraph_options options;
    struct record *records; /* by node */
    size_t record_size;
    alk_node oldest, newest;
    uint64_t version;

    json_t *operation_index; /* name -> number */
    struct operation *operations;
    uint32_t operation_bound, operation_size, operation_free;

    struct finished *heap; /* the earliest on top */
    size_t heap_count, heap_size, finished_count;

    struct removal *removals; /* a ring */
    size_t removal_count, removal_next;
    uint64_t forgotten; /* version of the last removal that fell out of the ring */
    uint32_t stamps;
};

enum alk_call_status record_status(const struct record *record);

/* Has it been heard of, and not ended? */
bool record_open(const struct record *record);

/* calls_trees.c */
void tree_new(struct alk_callgraph *calls, alk_node node);
void tree_join(struct alk_callgraph *calls, alk_node parent, alk_node child);
/* After an event: `was_open` is what record_open() said before it. */
void tree_update(struct alk_callgraph *calls, alk_node node, bool was_open);
int tree_reserve(struct alk_callgraph *calls);

/* calls.c */
void call_touch(struct alk_callgraph *calls, alk_node node);
void call_remove(struct alk_callgraph *calls, alk_node node);
int call_add(struct alk_callgraph *calls, const char *id, alk_node *node,
             struct alk_graph_error *error);

/* calls_operations.c */
int operation_hold(struct alk_callgraph *calls, const char *name, uint32_t *number);
void operation_release(struct alk_callgraph *calls, uint32_t number);

#endif
