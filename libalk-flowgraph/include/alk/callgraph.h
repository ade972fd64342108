/*
 * The graph of calls as they happen, fed with the events of the call protocol.
 * A call is a node under its request id; an edge leads from the call that
 * triggered it. Events may come late, twice or in any order: what was told, not
 * when it arrived, makes the result.
 *
 * States: pending -> running -> completed | failed | aborted, and from pending to
 * any end. An event that contradicts what is known is refused and changes
 * nothing. Times are milliseconds since 1970, told by the caller; nothing here
 * looks at a clock. Ids and operations are UTF-8.
 *
 * What never ends is never dropped: tell of calls whose caller is gone as aborted.
 * An event of a call that was dropped already makes the call anew.
 *
 * Threads: one at a time.
 */
#ifndef ALK_CALLGRAPH_H
#define ALK_CALLGRAPH_H

#include <alk/graph.h>

enum alk_call_status {
    ALK_CALL_UNKNOWN, /* only named as a parent so far */
    ALK_CALL_PENDING,
    ALK_CALL_RUNNING,
    ALK_CALL_COMPLETED,
    ALK_CALL_FAILED,
    ALK_CALL_ABORTED
};

/* "unknown", "pending", ... */
const char *alk_call_status_name(enum alk_call_status status);

enum alk_call_event_type {
    ALK_CALL_REQUESTED, /* operation, parent, input, identity */
    ALK_CALL_STARTED,   /* a handler has taken it */
    ALK_CALL_RESPONDED, /* output; the call goes on, as subscriptions do */
    ALK_CALL_ENDED,     /* completed; with output if that is not NULL */
    ALK_CALL_ERROR,     /* failed; error {code, message, retryable} */
    ALK_CALL_ABORT
};

/* JSON values are shared, not copied; they must not change afterwards. */
struct alk_call_event {
    enum alk_call_event_type type;
    int64_t time;
    const char *id;
    const char *operation, *parent; /* parent may be NULL */
    json_t *input, *output, *error, *identity;
};

struct alk_callgraph_options {
    size_t max_calls;          /* E_LIMIT beyond; default 4 million */
    size_t max_finished_trees; /* older ones are dropped, oldest first; default 1000 */
    int64_t max_finished_age;  /* ms, looked at by alk_callgraph_prune(); default one hour */
    size_t max_removed;        /* removals that the change feed remembers; default 65536 */
};
#define ALK_CALLGRAPH_OPTIONS_INIT                                                                 \
    {                                                                                              \
        4000000, 1000, 3600000, 65536                                                              \
    }

struct alk_callgraph;

struct alk_callgraph *alk_callgraph_new(const struct alk_callgraph_options *options);
void alk_callgraph_free(struct alk_callgraph *calls);

/*
 * Apply an event. E_TRANSITION: a call in that state cannot do this. E_EXISTS:
 * another request with this id. E_CYCLE, E_LOOP: the parents would go in a circle.
 * E_LIMIT: max_calls are there. E_FORM: no id, operation or time.
 */
int alk_callgraph_apply(struct alk_callgraph *calls, const struct alk_call_event *event,
                        struct alk_graph_error *error);

/*
 * The same for an envelope {type, id, payload} of the call protocol. `last` tells
 * that a call.responded ends the call, as it does for queries and mutations.
 * Other types than call.* are passed over.
 */
int alk_callgraph_apply_envelope(struct alk_callgraph *calls, const json_t *envelope, int64_t time,
                                 json_t *identity, bool last, struct alk_graph_error *error);

/* Drop finished trees beyond the options' count and age; the number of calls dropped. */
size_t alk_callgraph_prune(struct alk_callgraph *calls, int64_t now);

/* ---- queries ------------------------------------------------------------------------------ */

/* What is known of a call. Pointers are valid until the next event. Times: INT64_MIN if none. */
struct alk_call {
    enum alk_call_status status;
    const char *id, *operation; /* operation may be NULL */
    alk_node parent;
    int64_t started, ended;
    json_t *input, *output, *error, *identity; /* or NULL */
};

/* The graph itself, for keys, children, sources (the roots) and descendants. */
const struct alk_graph *alk_callgraph_graph(const struct alk_callgraph *calls);

int alk_callgraph_get(const struct alk_callgraph *calls, alk_node node, struct alk_call *call);
int alk_callgraph_by_status(const struct alk_callgraph *calls, enum alk_call_status status,
                            struct alk_node_list *list);

/* From the call to its root. */
int alk_callgraph_lineage(const struct alk_callgraph *calls, alk_node node,
                          struct alk_node_list *list);

/* Descendants that have not ended: what aborting the call aborts as well. */
int alk_callgraph_abort_cascade(const struct alk_callgraph *calls, alk_node node,
                                struct alk_node_list *list);

/* Milliseconds from request to end, or to `now` while it goes on; E_UNKNOWN if never requested. */
int alk_callgraph_duration(const struct alk_callgraph *calls, alk_node node, int64_t now,
                           int64_t *duration);

/* From the call down, each time to the child that ended last (or has not ended). */
int alk_callgraph_critical_path(const struct alk_callgraph *calls, alk_node node,
                                struct alk_node_list *path);

/*
 * For each operation {count, completed, failed, aborted, p50, p90, p99, max}:
 * nearest-rank percentiles of the durations of ended calls. New reference.
 */
json_t *alk_callgraph_summary(const struct alk_callgraph *calls);

/* ---- exchange -------------------------------------------------------------------------------- */

/* graphology's form, sorted by id; reading it back gives the same graph. */
json_t *alk_callgraph_to_json(const struct alk_callgraph *calls);
int alk_callgraph_from_json(const json_t *json, const struct alk_callgraph_options *options,
                            struct alk_callgraph **out, struct alk_graph_error *error);

/* A Mermaid flowchart: operation, state, duration. free() it. */
char *alk_callgraph_to_mermaid(const struct alk_callgraph *calls);

/* Grows with every change. */
uint64_t alk_callgraph_version(const struct alk_callgraph *calls);

/*
 * What changed after version `since`: {version, reset, removed: [id], nodes: [...],
 * edges: [...]}; apply `removed` first. `reset` says that removals so old are
 * forgotten, or that this graph never had that version (versions begin anew with each
 * graph): empty the copy and take everything that follows. New reference.
 */
json_t *alk_callgraph_changes(const struct alk_callgraph *calls, uint64_t since);

#endif
