/* Calls and the events that change them. */
#include "calls.h"
#include "utf8.h"

#include <stdlib.h>
#include <string.h>

/* ---- the whole ---------------------------------------------------------------------------- */

struct alk_callgraph *alk_callgraph_new(const struct alk_callgraph_options *options)
{
    static const struct alk_callgraph_options defaults = ALK_CALLGRAPH_OPTIONS_INIT;
    struct alk_callgraph *calls = calloc(1, sizeof *calls);
    if (!calls)
        return NULL;
    calls->options = options ? *options : defaults;
    calls->oldest = calls->newest = ALK_NODE_NONE;
    calls->operation_free = NO_OPERATION;
    calls->graph = alk_graph_new(true);
    calls->operation_index = json_object();
    size_t room = calls->options.max_removed;
    calls->removals = room ? calloc(room, sizeof *calls->removals) : NULL;
    if (!calls->graph || !calls->operation_index || (room && !calls->removals)) {
        alk_callgraph_free(calls);
        return NULL;
    }
    return calls;
}

static void record_clear(struct record *record)
{
    json_decref(record->input);
    json_decref(record->output);
    json_decref(record->error);
    json_decref(record->identity);
}

void alk_callgraph_free(struct alk_callgraph *calls)
{
    if (!calls)
        return;
    for (alk_node n = calls->oldest; n != ALK_NODE_NONE; n = calls->records[n].newer)
        record_clear(&calls->records[n]);
    for (size_t i = 0; i < calls->removal_count; i++)
        free(calls->removals[i].id);
    alk_graph_free(calls->graph);
    json_decref(calls->operation_index);
    free(calls->operations);
    free(calls->records);
    free(calls->removals);
    free(calls->heap);
    free(calls);
}

const struct alk_graph *alk_callgraph_graph(const struct alk_callgraph *calls)
{
    return calls->graph;
}

uint64_t alk_callgraph_version(const struct alk_callgraph *calls)
{
    return calls->version;
}

/* ---- records --------------------------------------------------------------------------------- */

enum alk_call_status record_status(const struct record *record)
{
    if (record->end != ALK_CALL_UNKNOWN)
        return record->end;
    if (record->started != NO_TIME)
        return ALK_CALL_RUNNING;
    return record->requested != NO_TIME ? ALK_CALL_PENDING : ALK_CALL_UNKNOWN;
}

bool record_open(const struct record *record)
{
    enum alk_call_status status = record_status(record);
    return status == ALK_CALL_PENDING || status == ALK_CALL_RUNNING;
}

static void changes_unlink(struct alk_callgraph *calls, const struct record *record)
{
    if (record->older == ALK_NODE_NONE)
        calls->oldest = record->newer;
    else
        calls->records[record->older].newer = record->newer;
    if (record->newer == ALK_NODE_NONE)
        calls->newest = record->older;
    else
        calls->records[record->newer].older = record->older;
}

static void changes_append(struct alk_callgraph *calls, alk_node node)
{
    struct record *record = &calls->records[node];
    record->version = ++calls->version;
    record->older = calls->newest;
    record->newer = ALK_NODE_NONE;
    if (calls->newest == ALK_NODE_NONE)
        calls->oldest = node;
    else
        calls->records[calls->newest].newer = node;
    calls->newest = node;
}

void call_touch(struct alk_callgraph *calls, alk_node node)
{
    changes_unlink(calls, &calls->records[node]);
    changes_append(calls, node);
}

int call_add(struct alk_callgraph *calls, const char *id, alk_node *node,
             struct alk_graph_error *error)
{
    *node = alk_graph_find(calls->graph, id);
    if (*node != ALK_NODE_NONE)
        return 0;
    if (alk_graph_node_count(calls->graph) >= calls->options.max_calls)
        return graph_fail(error, ALK_GRAPH_E_LIMIT, "there are %zu calls already",
                          calls->options.max_calls);
    int status = alk_graph_add_node(calls->graph, id, NULL, node, error);
    if (status)
        return status;
    if (*node >= calls->record_size) {
        size_t size = calls->record_size ? calls->record_size * 3 / 2 : 64;
        struct record *records = reallocarray(calls->records, size, sizeof *records);
        if (!records) {
            alk_graph_remove_node(calls->graph, *node);
            return graph_fail(error, ALK_GRAPH_E_NOMEM, "out of memory");
        }
        calls->records = records;
        calls->record_size = size;
    }
    calls->records[*node] = (struct record){.operation = NO_OPERATION,
                                            .requested = NO_TIME,
                                            .started = NO_TIME,
                                            .responded = NO_TIME,
                                            .ended = NO_TIME};
    changes_append(calls, *node);
    tree_new(calls, *node);
    return 0;
}

/* Remember for the change feed that a call is gone. */
static void removal_note(struct alk_callgraph *calls, const char *id)
{
    size_t room = calls->options.max_removed;
    char *copy = room ? strdup(id) : NULL;
    calls->version++;
    if (!copy) {
        calls->forgotten = calls->version;
        return;
    }
    struct removal *removal = &calls->removals[calls->removal_next];
    if (removal->id) {
        calls->forgotten = removal->version;
        free(removal->id);
    } else {
        calls->removal_count++;
    }
    *removal = (struct removal){copy, calls->version};
    calls->removal_next = (calls->removal_next + 1) % room;
}

void call_remove(struct alk_callgraph *calls, alk_node node)
{
    removal_note(calls, calls->graph->nodes[node].key);
    changes_unlink(calls, &calls->records[node]);
    record_clear(&calls->records[node]);
    operation_release(calls, calls->records[node].operation);
    alk_graph_remove_node(calls->graph, node);
}

/* ---- may this event come? --------------------------------------------------------------------- */

static bool same_json(const json_t *a, const json_t *b)
{
    return a == b || json_equal(a, b);
}

static alk_node parent_of(const struct alk_callgraph *calls, alk_node node)
{
    return alk_graph_in(calls->graph, node, 0);
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static int refuse(const struct alk_call_event *event, const struct record *record, const char *what,
                  struct alk_graph_error *error)
{
    return graph_fail(error, ALK_GRAPH_E_TRANSITION, "call \"%.100s\" is %s and cannot %s",
                      event->id, alk_call_status_name(record_status(record)), what);
}

static int check_request(const struct alk_callgraph *calls, alk_node node,
                         const struct alk_call_event *event, struct alk_graph_error *error)
{
    const struct record *record = &calls->records[node];
    if (record->requested == NO_TIME)
        return 0;
    bool same = record->requested == event->time &&
                same_text(calls->operations[record->operation].name, event->operation) &&
                same_text(alk_graph_key(calls->graph, parent_of(calls, node)), event->parent) &&
                same_json(record->input, event->input) &&
                same_json(record->identity, event->identity);
    return same ? 0
                : graph_fail(error, ALK_GRAPH_E_EXISTS,
                             "call \"%.100s\" was requested already, and differently", event->id);
}

static enum alk_call_status end_of(enum alk_call_event_type type)
{
    return type == ALK_CALL_ENDED   ? ALK_CALL_COMPLETED
           : type == ALK_CALL_ERROR ? ALK_CALL_FAILED
           : type == ALK_CALL_ABORT ? ALK_CALL_ABORTED
                                    : ALK_CALL_UNKNOWN;
}

/*
 * Of several responses the latest counts; at the same time, the one with the greater text.
 */
static bool counts_more(const struct record *record, int64_t time, const json_t *output)
{
    if (!output || time < record->responded)
        return false;
    if (time > record->responded || !record->output)
        return true;
    char *old = json_dumps(record->output, JSON_ENCODE_ANY | JSON_SORT_KEYS);
    char *new = json_dumps(output, JSON_ENCODE_ANY | JSON_SORT_KEYS);
    bool more = old && new &&strcmp(new, old) > 0;
    free(old);
    free(new);
    return more;
}

static int check_end(const struct record *record, const struct alk_call_event *event,
                     struct alk_graph_error *error)
{
    enum alk_call_status end = end_of(event->type);
    if (record->end != ALK_CALL_UNKNOWN) {
        /* its output may have given way to another response at the same time */
        bool same = record->end == end && record->ended == event->time &&
                    same_json(record->error, event->error) &&
                    (same_json(record->output, event->output) ||
                     !counts_more(record, event->time, event->output));
        return same ? 0 : refuse(event, record, "end again", error);
    }
    if (record->requested > event->time || record->started > event->time ||
        record->responded > event->time)
        return refuse(event, record, "have ended before that", error);
    return 0;
}

/* Whether the event fits to what is known of the call. */
static int check_event(const struct alk_callgraph *calls, alk_node node,
                       const struct alk_call_event *event, struct alk_graph_error *error)
{
    const struct record *record = &calls->records[node];
    if (end_of(event->type) != ALK_CALL_UNKNOWN)
        return check_end(record, event, error);
    if (record->end != ALK_CALL_UNKNOWN && event->time > record->ended)
        return refuse(event, record, "go on", error);
    return event->type == ALK_CALL_REQUESTED ? check_request(calls, node, event, error) : 0;
}

static int check_parent(const struct alk_callgraph *calls, alk_node node,
                        const struct alk_call_event *event, struct alk_graph_error *error)
{
    if (event->type != ALK_CALL_REQUESTED || !event->parent)
        return 0;
    if (strcmp(event->parent, event->id) == 0)
        return graph_fail(error, ALK_GRAPH_E_LOOP, "call \"%.100s\" names itself as its parent",
                          event->id);
    alk_node parent = alk_graph_find(calls->graph, event->parent);
    if (parent == ALK_NODE_NONE || node == ALK_NODE_NONE || parent_of(calls, node) == parent)
        return 0;
    int cycle = alk_graph_would_cycle(calls->graph, parent, node);
    return cycle <= 0 ? cycle
                      : graph_fail(error, ALK_GRAPH_E_CYCLE,
                                   "call \"%.100s\" is above its parent \"%.100s\" already",
                                   event->id, event->parent);
}

/* ---- applying it --------------------------------------------------------------------------------- */

static void keep(json_t **slot, json_t *value)
{
    json_incref(value);
    json_decref(*slot);
    *slot = value;
}

/* Facts are only added, and each in a way in which order does not matter. */
static void record_event(struct record *record, const struct alk_call_event *event,
                         uint32_t operation)
{
    bool runs = event->type == ALK_CALL_STARTED || event->type == ALK_CALL_RESPONDED;
    if (event->type == ALK_CALL_REQUESTED && record->requested == NO_TIME) {
        record->requested = event->time;
        record->operation = operation;
        keep(&record->input, event->input);
        keep(&record->identity, event->identity);
    }
    if (runs && (record->started == NO_TIME || event->time < record->started))
        record->started = event->time;
    if (counts_more(record, event->time, event->output)) {
        record->responded = event->time;
        keep(&record->output, event->output);
    }
    if (end_of(event->type) != ALK_CALL_UNKNOWN) {
        record->end = end_of(event->type);
        record->ended = event->time;
        keep(&record->error, event->error);
    }
}

/* Make the nodes and the edge that a request needs; undone when something is missing. */
static int link_parent(struct alk_callgraph *calls, alk_node node, const char *parent,
                       struct alk_graph_error *error)
{
    size_t before = alk_graph_node_count(calls->graph);
    alk_node above;
    int status = call_add(calls, parent, &above, error);
    if (status)
        return status;
    if (alk_graph_has_edge(calls->graph, above, node))
        return 0;
    status = alk_graph_add_edge(calls->graph, above, node, NULL, error);
    if (!status)
        tree_join(calls, above, node);
    else if (alk_graph_node_count(calls->graph) > before)
        call_remove(calls, above);
    return status;
}

/* Make the node, and the parent's if it is new; nothing is left of them after an error. */
static int make_nodes(struct alk_callgraph *calls, const struct alk_call_event *event,
                      alk_node *node, struct alk_graph_error *error)
{
    size_t before = alk_graph_node_count(calls->graph);
    const char *parent = event->type == ALK_CALL_REQUESTED ? event->parent : NULL;
    int status = call_add(calls, event->id, node, error);
    bool added = alk_graph_node_count(calls->graph) > before;
    if (!status && parent)
        status = link_parent(calls, *node, parent, error);
    if (status && added)
        call_remove(calls, *node);
    return status;
}

static int apply_checked(struct alk_callgraph *calls, const struct alk_call_event *event,
                         alk_node node, struct alk_graph_error *error)
{
    uint32_t operation = NO_OPERATION;
    bool first = event->type == ALK_CALL_REQUESTED &&
                 (node == ALK_NODE_NONE || calls->records[node].requested == NO_TIME);
    int status = tree_reserve(calls);
    if (!status && first)
        status = operation_hold(calls, event->operation, &operation);
    if (status)
        return graph_fail(error, status, "out of memory");
    status = make_nodes(calls, event, &node, error);
    if (status) {
        operation_release(calls, operation);
        return status;
    }
    bool was_open = record_open(&calls->records[node]);
    record_event(&calls->records[node], event, operation);
    call_touch(calls, node);
    tree_update(calls, node, was_open);
    return 0;
}

/* Is there room for the nodes that the event makes? */
static int check_room(const struct alk_callgraph *calls, alk_node node,
                      const struct alk_call_event *event, struct alk_graph_error *error)
{
    size_t wanted = alk_graph_node_count(calls->graph) + (node == ALK_NODE_NONE);
    if (event->type == ALK_CALL_REQUESTED && event->parent &&
        alk_graph_find(calls->graph, event->parent) == ALK_NODE_NONE)
        wanted++;
    return wanted <= alk_graph_node_count(calls->graph) || wanted <= calls->options.max_calls
               ? 0
               : graph_fail(error, ALK_GRAPH_E_LIMIT, "there are %zu calls already",
                            alk_graph_node_count(calls->graph));
}

static int check_form(const struct alk_call_event *event, struct alk_graph_error *error)
{
    bool request = event->type == ALK_CALL_REQUESTED;
    if (!event->id || (request && !event->operation))
        return graph_fail(error, ALK_GRAPH_E_FORM,
                          "an event needs an id, and a request an operation");
    if (!utf8_valid(event->id) || (request && !utf8_valid(event->operation)) ||
        (request && event->parent && !utf8_valid(event->parent)))
        return graph_fail(error, ALK_GRAPH_E_FORM,
                          "the id, the operation and the parent must be UTF-8");
    return event->time == NO_TIME
               ? graph_fail(error, ALK_GRAPH_E_FORM, "call \"%.100s\": that is no time", event->id)
               : 0;
}

int alk_callgraph_apply(struct alk_callgraph *calls, const struct alk_call_event *event,
                        struct alk_graph_error *error)
{
    int status = check_form(event, error);
    if (status)
        return status;
    alk_node node = alk_graph_find(calls->graph, event->id);
    if (node != ALK_NODE_NONE)
        status = check_event(calls, node, event, error);
    if (!status)
        status = check_parent(calls, node, event, error);
    if (!status)
        status = check_room(calls, node, event, error);
    return status ? status : apply_checked(calls, event, node, error);
}

/* ---- envelopes ------------------------------------------------------------------------------------ */

static const char *text_member(const json_t *object, const char *name)
{
    return json_text(json_object_get(object, name));
}

int alk_callgraph_apply_envelope(struct alk_callgraph *calls, const json_t *envelope, int64_t time,
                                 json_t *identity, bool last, struct alk_graph_error *error)
{
    static const struct {
        const char *name;
        enum alk_call_event_type type;
    } types[] = {
        {"call.requested", ALK_CALL_REQUESTED}, {"call.responded", ALK_CALL_RESPONDED},
        {"call.completed", ALK_CALL_ENDED},     {"call.error", ALK_CALL_ERROR},
        {"call.aborted", ALK_CALL_ABORT},
    };
    const char *type = text_member(envelope, "type");
    json_t *payload = json_object_get(envelope, "payload");
    struct alk_call_event event = {.time = time, .id = text_member(envelope, "id")};
    const json_t *parent = json_object_get(payload, "parentRequestId");
    if (!type || !event.id)
        return graph_fail(error, ALK_GRAPH_E_FORM, "an envelope needs a type and an id");
    if (strncmp(type, "call.", 5) != 0)
        return 0;
    size_t i = 0;
    while (i < sizeof types / sizeof *types && strcmp(type, types[i].name) != 0)
        i++;
    if (i == sizeof types / sizeof *types)
        return graph_fail(error, ALK_GRAPH_E_FORM, "the type \"%.40s\" is not known", type);
    event.type = types[i].type;
    if (event.type == ALK_CALL_REQUESTED) {
        event.operation = text_member(payload, "operationId");
        event.parent = json_text(parent);
        if (parent && !event.parent && !json_is_null(parent))
            return graph_fail(error, ALK_GRAPH_E_FORM,
                              "call \"%.100s\": the parentRequestId must be a string", event.id);
        event.input = json_object_get(payload, "input");
        event.identity = identity;
    } else if (event.type == ALK_CALL_RESPONDED) {
        event.output = json_object_get(payload, "output");
        if (last)
            event.type = ALK_CALL_ENDED;
    } else if (event.type == ALK_CALL_ERROR) {
        event.error = payload;
    }
    return alk_callgraph_apply(calls, &event, error);
}
