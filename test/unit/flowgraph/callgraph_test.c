/* Calls: the state machine, events in any order, retention, exchange, great depth. */
#include "alk/callgraph.h"
#include "calls.h"
#include "random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int apply(struct alk_callgraph *calls, enum alk_call_event_type type, const char *id,
                 int64_t time, const char *parent)
{
    struct alk_call_event event = {.type = type, .time = time, .id = id, .parent = parent};
    if (type == ALK_CALL_REQUESTED)
        event.operation = "/fs/read";
    return alk_callgraph_apply(calls, &event, NULL);
}

static enum alk_call_status status_of(const struct alk_callgraph *calls, const char *id)
{
    struct alk_call call;
    if (alk_callgraph_get(calls, alk_graph_find(alk_callgraph_graph(calls), id), &call))
        fail_msg("there is no call %s", id);
    return call.status;
}

/* ---- states -------------------------------------------------------------------------------- */

/* From each state, each event at a later time: the next state, or a refusal. */
static void test_transitions(void **state)
{
    (void)state;
    enum { NO = -1 };
    static const enum alk_call_event_type events[] = {
        ALK_CALL_STARTED, ALK_CALL_RESPONDED, ALK_CALL_ENDED, ALK_CALL_ERROR, ALK_CALL_ABORT};
    static const struct {
        enum alk_call_event_type way[2]; /* into the state, after the request */
        size_t steps;
        enum alk_call_status from;
        int to[5];
    } table[] = {
        {{0},
         0,
         ALK_CALL_PENDING,
         {ALK_CALL_RUNNING, ALK_CALL_RUNNING, ALK_CALL_COMPLETED, ALK_CALL_FAILED,
          ALK_CALL_ABORTED}},
        {{ALK_CALL_STARTED},
         1,
         ALK_CALL_RUNNING,
         {ALK_CALL_RUNNING, ALK_CALL_RUNNING, ALK_CALL_COMPLETED, ALK_CALL_FAILED,
          ALK_CALL_ABORTED}},
        {{ALK_CALL_ENDED}, 1, ALK_CALL_COMPLETED, {NO, NO, NO, NO, NO}},
        {{ALK_CALL_ERROR}, 1, ALK_CALL_FAILED, {NO, NO, NO, NO, NO}},
        {{ALK_CALL_STARTED, ALK_CALL_ABORT}, 2, ALK_CALL_ABORTED, {NO, NO, NO, NO, NO}},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        for (size_t e = 0; e < 5; e++) {
            struct alk_callgraph *calls = alk_callgraph_new(NULL);
            assert_int_equal(apply(calls, ALK_CALL_REQUESTED, "c", 10, NULL), 0);
            for (size_t s = 0; s < table[i].steps; s++)
                assert_int_equal(apply(calls, table[i].way[s], "c", 20 + (int)s, NULL), 0);
            assert_int_equal(status_of(calls, "c"), table[i].from);
            json_t *before = alk_callgraph_to_json(calls);
            uint64_t version = alk_callgraph_version(calls);
            int status = apply(calls, events[e], "c", 30, NULL);
            if (table[i].to[e] == NO) {
                json_t *after = alk_callgraph_to_json(calls);
                assert_int_equal(status, ALK_GRAPH_E_TRANSITION);
                assert_true(json_equal(before, after));
                assert_int_equal(alk_callgraph_version(calls), version);
                json_decref(after);
            } else {
                assert_int_equal(status, 0);
                assert_int_equal(status_of(calls, "c"), table[i].to[e]);
            }
            json_decref(before);
            alk_callgraph_free(calls);
        }
    }
}

static void test_refusals(void **state)
{
    (void)state;
    struct alk_callgraph *calls = alk_callgraph_new(NULL);
    struct alk_graph_error error;
    assert_int_equal(apply(calls, ALK_CALL_REQUESTED, "a", 10, NULL), 0);
    assert_int_equal(apply(calls, ALK_CALL_REQUESTED, "a", 10, NULL), 0); /* twice is fine */
    assert_int_equal(apply(calls, ALK_CALL_REQUESTED, "a", 11, NULL), ALK_GRAPH_E_EXISTS);
    assert_int_equal(apply(calls, ALK_CALL_REQUESTED, "b", 10, "b"), ALK_GRAPH_E_LOOP);
    assert_int_equal(apply(calls, ALK_CALL_REQUESTED, "c", 10, "d"), 0);
    assert_int_equal(apply(calls, ALK_CALL_REQUESTED, "d", 10, "c"), ALK_GRAPH_E_CYCLE);
    assert_int_equal(status_of(calls, "d"), ALK_CALL_UNKNOWN);
    assert_int_equal(alk_graph_find(alk_callgraph_graph(calls), "b"), ALK_NODE_NONE);
    assert_int_equal(apply(calls, ALK_CALL_ENDED, "a", 9, NULL), ALK_GRAPH_E_TRANSITION);
    assert_int_equal(apply(calls, ALK_CALL_ENDED, "a", 20, NULL), 0);
    assert_int_equal(apply(calls, ALK_CALL_ENDED, "a", 20, NULL), 0);
    struct alk_call_event event = {.type = ALK_CALL_ERROR, .time = 30, .id = "a"};
    assert_int_equal(alk_callgraph_apply(calls, &event, &error), ALK_GRAPH_E_TRANSITION);
    assert_string_equal(error.text, "call \"a\" is completed and cannot end again");
    event = (struct alk_call_event){.type = ALK_CALL_REQUESTED, .id = "x"};
    assert_int_equal(alk_callgraph_apply(calls, &event, &error), ALK_GRAPH_E_FORM);
    alk_callgraph_free(calls);

    struct alk_callgraph_options options = ALK_CALLGRAPH_OPTIONS_INIT;
    options.max_calls = 2;
    calls = alk_callgraph_new(&options);
    assert_int_equal(apply(calls, ALK_CALL_REQUESTED, "a", 10, NULL), 0);
    assert_int_equal(apply(calls, ALK_CALL_REQUESTED, "b", 10, "p"), ALK_GRAPH_E_LIMIT);
    assert_int_equal(alk_graph_node_count(alk_callgraph_graph(calls)), 1);
    assert_int_equal(apply(calls, ALK_CALL_REQUESTED, "b", 10, "a"), 0);
    alk_callgraph_free(calls);
}

/* ---- events in any order --------------------------------------------------------------------------- */

#define CALLS 30

struct history {
    struct alk_call_event events[CALLS * 6];
    size_t count;
    char ids[CALLS][8];
};

/* A forest of calls, each with a life that the protocol allows. */
static void invent(struct history *h, struct random *random)
{
    static const char *const operations[] = {"/fs/read", "/db/get", "/x/sub"};
    h->count = 0;
    for (int i = 0; i < CALLS; i++) {
        int64_t time = 1000 + random_below(random, 50);
        sprintf(h->ids[i], "c%d", i);
        struct alk_call_event event = {
            .type = ALK_CALL_REQUESTED,
            .time = time,
            .id = h->ids[i],
            .operation = operations[random_below(random, 3)],
            .parent =
                i && random_below(random, 4) ? h->ids[random_below(random, (uint32_t)i)] : NULL,
            .input = json_pack("{s:i}", "n", i),
            .identity = random_below(random, 2) ? json_pack("{s:s}", "id", "k") : NULL,
        };
        h->events[h->count++] = event;
        event = (struct alk_call_event){.id = h->ids[i]};
        if (random_below(random, 2)) {
            event.type = ALK_CALL_STARTED;
            event.time = time += 1 + random_below(random, 20);
            h->events[h->count++] = event;
        }
        for (uint32_t n = random_below(random, 3); n > 0; n--) {
            event.type = ALK_CALL_RESPONDED;
            event.time = time += random_below(random, 3); /* also two at a time */
            event.output = json_pack("{s:i}", "o", (int)random_below(random, 100));
            h->events[h->count++] = event;
        }
        event.output = NULL;
        event.time = time + random_below(random, 10); /* also with the last response */
        event.type = ALK_CALL_ENDED + random_below(random, 3);
        if (event.type == ALK_CALL_ENDED && random_below(random, 2))
            event.output = json_pack("{s:i}", "o", (int)random_below(random, 100));
        if (event.type == ALK_CALL_ERROR)
            event.error =
                json_pack("{s:s,s:s,s:b}", "code", "INTERNAL", "message", "m", "retryable", 0);
        if (random_below(random, 5))
            h->events[h->count++] = event;
        else {
            json_decref(event.error);
            json_decref(event.output);
        }
    }
}

static void forget(struct history *h)
{
    for (size_t i = 0; i < h->count; i++) {
        json_decref(h->events[i].input);
        json_decref(h->events[i].output);
        json_decref(h->events[i].error);
        json_decref(h->events[i].identity);
    }
}

/* All events in a random order, some of them twice. */
static struct alk_callgraph *replay(const struct history *h, struct random *random)
{
    struct alk_callgraph *calls = alk_callgraph_new(NULL);
    size_t order[2 * CALLS * 6], count = 0;
    for (size_t i = 0; i < h->count; i++) {
        order[count++] = i;
        if (random && random_below(random, 3) == 0)
            order[count++] = i;
    }
    for (size_t i = count; random && i > 1; i--) {
        size_t j = random_below(random, (uint32_t)i), kept = order[i - 1];
        order[i - 1] = order[j];
        order[j] = kept;
    }
    for (size_t i = 0; i < count; i++) {
        struct alk_graph_error error;
        if (alk_callgraph_apply(calls, &h->events[order[i]], &error))
            fail_msg("%s", error.text);
    }
    return calls;
}

static void test_any_order(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct random random = {seed};
        struct history history;
        invent(&history, &random);
        struct alk_callgraph *straight = replay(&history, NULL);
        json_t *expected = alk_callgraph_to_json(straight);
        for (int i = 0; i < 5; i++) {
            struct alk_callgraph *shuffled = replay(&history, &random), *read;
            json_t *got = alk_callgraph_to_json(shuffled);
            if (!json_equal(expected, got))
                fail_msg("seed %u:\nexpected %s\n     got %s", (unsigned)seed,
                         json_dumps(expected, 0), json_dumps(got, 0));
            /* and the round trip is exact */
            assert_int_equal(alk_callgraph_from_json(got, NULL, &read, NULL), 0);
            json_t *again = alk_callgraph_to_json(read);
            assert_true(json_equal(expected, again));
            json_decref(again);
            json_decref(got);
            alk_callgraph_free(read);
            alk_callgraph_free(shuffled);
        }
        json_decref(expected);
        alk_callgraph_free(straight);
        forget(&history);
    }
}

/* ---- the change feed ------------------------------------------------------------------------------- */

/* What a store does with the feed: a map of ids to attributes, and one of edges. */
static void store_apply(json_t *store, const json_t *changes)
{
    json_t *nodes = json_object_get(store, "nodes"), *edges = json_object_get(store, "edges");
    size_t i;
    json_t *entry;
    if (json_is_true(json_object_get(changes, "reset"))) {
        json_object_clear(nodes);
        json_object_clear(edges);
    }
    json_array_foreach(json_object_get(changes, "removed"), i, entry)
    {
        json_object_del(nodes, json_string_value(entry));
        json_object_del(edges, json_string_value(entry));
    }
    json_array_foreach(json_object_get(changes, "nodes"), i, entry)
        json_object_set(nodes, json_string_value(json_object_get(entry, "key")),
                        json_object_get(entry, "attributes"));
    json_array_foreach(json_object_get(changes, "edges"), i, entry)
        json_object_set(edges, json_string_value(json_object_get(entry, "target")),
                        json_object_get(entry, "source"));
}

static void test_change_feed(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 100; seed++) {
        struct random random = {seed};
        struct history history;
        struct alk_callgraph_options options = ALK_CALLGRAPH_OPTIONS_INIT;
        options.max_finished_trees = 3;
        options.max_removed = seed % 3 ? 1000 : 2; /* the short ring forgets */
        invent(&history, &random);
        struct alk_callgraph *calls = alk_callgraph_new(&options);
        json_t *store = json_pack("{s:{},s:{}}", "nodes", "edges");
        uint64_t version = 0;
        for (size_t i = 0; i < history.count; i++) {
            alk_callgraph_apply(calls, &history.events[i], NULL);
            if (random_below(&random, 5))
                continue;
            json_t *changes = alk_callgraph_changes(calls, version);
            version = (uint64_t)json_integer_value(json_object_get(changes, "version"));
            store_apply(store, changes);
            json_decref(changes);
            json_t *fresh = json_pack("{s:{},s:{}}", "nodes", "edges");
            json_t *whole = alk_callgraph_to_json(calls);
            store_apply(fresh, whole);
            if (!json_equal(store, fresh))
                fail_msg("seed %u: the copy differs\n%s\n%s", (unsigned)seed,
                         json_dumps(store, JSON_SORT_KEYS), json_dumps(fresh, JSON_SORT_KEYS));
            json_decref(whole);
            json_decref(fresh);
        }
        json_decref(store);
        alk_callgraph_free(calls);
        forget(&history);
    }
}

/* A store that followed another graph, such as that of the process before. */
static void test_feed_of_another_graph(void **state)
{
    (void)state;
    struct alk_callgraph *calls = alk_callgraph_new(NULL);
    apply(calls, ALK_CALL_REQUESTED, "a", 10, NULL);
    json_t *changes = alk_callgraph_changes(calls, 1000);
    assert_true(json_is_true(json_object_get(changes, "reset")));
    assert_int_equal(json_array_size(json_object_get(changes, "nodes")), 1);
    json_decref(changes);
    changes = alk_callgraph_changes(calls, alk_callgraph_version(calls));
    assert_true(json_is_false(json_object_get(changes, "reset")));
    assert_int_equal(json_array_size(json_object_get(changes, "nodes")), 0);
    json_decref(changes);
    alk_callgraph_free(calls);
}

/* What is refused for want of room leaves the removals that the feed remembers alone. */
static void test_feed_of_a_full_graph(void **state)
{
    (void)state;
    struct alk_callgraph_options options = ALK_CALLGRAPH_OPTIONS_INIT;
    options.max_calls = 2;
    options.max_removed = 2;
    struct alk_callgraph *calls = alk_callgraph_new(&options);
    apply(calls, ALK_CALL_REQUESTED, "a", 10, NULL);
    uint64_t version = alk_callgraph_version(calls);
    for (int i = 0; i < 5; i++)
        assert_int_equal(apply(calls, ALK_CALL_REQUESTED, "b", 10, "p"), ALK_GRAPH_E_LIMIT);
    assert_int_equal(alk_callgraph_version(calls), version);
    assert_int_equal(apply(calls, ALK_CALL_REQUESTED, "b", 10, NULL), 0);
    assert_int_equal(apply(calls, ALK_CALL_STARTED, "c", 10, NULL), ALK_GRAPH_E_LIMIT);
    assert_int_equal(apply(calls, ALK_CALL_STARTED, "b", 10, NULL), 0);
    alk_callgraph_free(calls);
}

/* ---- retention --------------------------------------------------------------------------------------- */

static bool there(const struct alk_callgraph *calls, const char *id)
{
    return alk_graph_find(alk_callgraph_graph(calls), id) != ALK_NODE_NONE;
}

static void test_retention(void **state)
{
    (void)state;
    struct alk_callgraph_options options = ALK_CALLGRAPH_OPTIONS_INIT;
    options.max_finished_trees = 2;
    options.max_finished_age = 1000;
    struct alk_callgraph *calls = alk_callgraph_new(&options);
    char id[16], child[16];
    for (int i = 0; i < 5; i++) { /* trees of two, which end in the order 4 3 2 1 0 */
        snprintf(id, sizeof id, "r%d", i);
        snprintf(child, sizeof child, "k%d", i);
        apply(calls, ALK_CALL_REQUESTED, id, 0, NULL);
        apply(calls, ALK_CALL_REQUESTED, child, 1, id);
        apply(calls, ALK_CALL_ENDED, id, 100 - i, NULL);
    }
    assert_int_equal(alk_graph_node_count(alk_callgraph_graph(calls)), 10);
    for (int i = 0; i < 5; i++) {
        snprintf(child, sizeof child, "k%d", i);
        apply(calls, ALK_CALL_ENDED, child, 200 - i, NULL);
    }
    /* the two that ended last are kept */
    assert_int_equal(alk_graph_node_count(alk_callgraph_graph(calls)), 4);
    assert_true(there(calls, "r0") && there(calls, "k0") && there(calls, "r1"));
    assert_false(there(calls, "r4") || there(calls, "k4") || there(calls, "k2"));

    /* a child that comes late makes its tree unfinished again */
    apply(calls, ALK_CALL_REQUESTED, "late", 150, "k1");
    assert_int_equal(alk_callgraph_prune(calls, 1199), 0);
    assert_int_equal(alk_callgraph_prune(calls, 1201), 2);
    assert_false(there(calls, "r0"));
    assert_true(there(calls, "r1"));
    apply(calls, ALK_CALL_ABORT, "late", 300, NULL);
    assert_int_equal(alk_callgraph_prune(calls, 1300), 0);
    assert_int_equal(alk_callgraph_prune(calls, 1301), 3);
    assert_int_equal(alk_graph_node_count(alk_callgraph_graph(calls)), 0);
    alk_callgraph_free(calls);
}

/* Trees that end at random times go when each is too old, and no earlier. */
static void test_retention_by_age(void **state)
{
    (void)state;
    struct random random = {3};
    struct alk_callgraph_options options = ALK_CALLGRAPH_OPTIONS_INIT;
    options.max_finished_age = 1000;
    struct alk_callgraph *calls = alk_callgraph_new(&options);
    int64_t ends[100];
    char id[16];
    for (int i = 0; i < 100; i++) {
        snprintf(id, sizeof id, "r%d", i);
        ends[i] = 10 + random_below(&random, 500);
        apply(calls, ALK_CALL_REQUESTED, id, 0, NULL);
        apply(calls, ALK_CALL_ENDED, id, ends[i], NULL);
    }
    for (int64_t now = 1000; now < 1600; now += 50) {
        alk_callgraph_prune(calls, now);
        for (int i = 0; i < 100; i++) {
            snprintf(id, sizeof id, "r%d", i);
            if (there(calls, id) != (ends[i] >= now - 1000))
                fail_msg("at %d: r%d ended at %d and is %s", (int)now, i, (int)ends[i],
                         there(calls, id) ? "there" : "gone");
        }
    }
    alk_callgraph_free(calls);
}

/* Whether a call of the exported graph is in a tree that has not finished. Slow. */
static bool in_open_tree(const json_t *nodes, const char *const *root, size_t call)
{
    bool any_end = false;
    for (size_t i = 0; i < json_array_size(nodes); i++) {
        const json_t *attributes = json_object_get(json_array_get(nodes, i), "attributes");
        const char *status = json_string_value(json_object_get(attributes, "status"));
        if (strcmp(root[i], root[call]) != 0)
            continue;
        if (strcmp(status, "pending") == 0 || strcmp(status, "running") == 0)
            return true;
        any_end = any_end || strcmp(status, "unknown") != 0;
    }
    return !any_end;
}

static const char *find_root(const json_t *nodes, const char *id)
{
    for (size_t i = 0; i < json_array_size(nodes);) {
        const json_t *entry = json_array_get(nodes, i++);
        const char *parent = json_string_value(
            json_object_get(json_object_get(entry, "attributes"), "parentRequestId"));
        if (strcmp(json_string_value(json_object_get(entry, "key")), id) != 0 || !parent)
            continue;
        id = parent;
        i = 0;
    }
    return id;
}

/* Whatever the order of events, pruning leaves exactly the trees with an open call. */
static void test_prune_any_order(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 100; seed++) {
        struct random random = {seed};
        struct history history;
        const char *root[CALLS];
        invent(&history, &random);
        struct alk_callgraph *calls = replay(&history, &random);
        json_t *whole = alk_callgraph_to_json(calls), *nodes = json_object_get(whole, "nodes");
        alk_callgraph_prune(calls, INT64_MAX);
        for (size_t i = 0; i < json_array_size(nodes); i++)
            root[i] = find_root(
                nodes, json_string_value(json_object_get(json_array_get(nodes, i), "key")));
        for (size_t i = 0; i < json_array_size(nodes); i++) {
            const char *id = json_string_value(json_object_get(json_array_get(nodes, i), "key"));
            if (there(calls, id) != in_open_tree(nodes, root, i))
                fail_msg("seed %u: %s is %s", (unsigned)seed, id,
                         there(calls, id) ? "there" : "gone");
        }
        json_decref(whole);
        alk_callgraph_free(calls);
        forget(&history);
    }
}

/* Many calls pass through a small graph: its memory must not grow. */
static void test_long_use(void **state)
{
    (void)state;
    struct alk_callgraph_options options = ALK_CALLGRAPH_OPTIONS_INIT;
    options.max_finished_trees = 10;
    options.max_removed = 100;
    struct alk_callgraph *calls = alk_callgraph_new(&options);
    char id[16], child[16];
    for (int i = 0; i < 20000; i++) {
        snprintf(id, sizeof id, "r%d", i);
        snprintf(child, sizeof child, "k%d", i);
        apply(calls, ALK_CALL_REQUESTED, id, i, NULL);
        apply(calls, ALK_CALL_REQUESTED, child, i, id);
        apply(calls, ALK_CALL_ENDED, child, i + 1, NULL);
        apply(calls, ALK_CALL_ENDED, id, i + 2, NULL);
    }
    assert_int_equal(alk_graph_node_count(alk_callgraph_graph(calls)), 20);
    assert_true(alk_graph_bound(alk_callgraph_graph(calls)) < 40);
    alk_callgraph_free(calls);
}

/* ---- queries --------------------------------------------------------------------------------------------- */

static void expect_ids(const struct alk_callgraph *calls, struct alk_node_list *list,
                       const char *expected)
{
    char text[256] = "";
    for (size_t i = 0; i < list->count; i++) {
        strcat(text, i ? " " : "");
        strcat(text, alk_graph_key(alk_callgraph_graph(calls), list->nodes[i]));
    }
    assert_string_equal(text, expected);
    alk_node_list_free(list);
}

static void test_queries(void **state)
{
    (void)state;
    struct alk_callgraph *calls = alk_callgraph_new(NULL);
    const struct alk_graph *g = alk_callgraph_graph(calls);
    struct alk_node_list list;
    int64_t duration;
    apply(calls, ALK_CALL_REQUESTED, "root", 0, NULL);
    apply(calls, ALK_CALL_REQUESTED, "fast", 10, "root");
    apply(calls, ALK_CALL_REQUESTED, "slow", 10, "root");
    apply(calls, ALK_CALL_REQUESTED, "deep", 20, "slow");
    apply(calls, ALK_CALL_REQUESTED, "open", 20, "fast");
    apply(calls, ALK_CALL_ENDED, "deep", 60, NULL);
    apply(calls, ALK_CALL_ERROR, "slow", 90, NULL);
    apply(calls, ALK_CALL_ENDED, "fast", 30, NULL);
    alk_node root = alk_graph_find(g, "root"), deep = alk_graph_find(g, "deep");

    assert_int_equal(alk_callgraph_by_status(calls, ALK_CALL_PENDING, &list), 0);
    expect_ids(calls, &list, "root open");
    assert_int_equal(alk_callgraph_lineage(calls, deep, &list), 0);
    expect_ids(calls, &list, "deep slow root");
    assert_int_equal(alk_callgraph_abort_cascade(calls, root, &list), 0);
    expect_ids(calls, &list, "open");
    assert_int_equal(alk_callgraph_critical_path(calls, root, &list), 0);
    expect_ids(calls, &list, "root slow deep");
    assert_int_equal(alk_graph_sources(g, &list), 0);
    expect_ids(calls, &list, "root");
    assert_int_equal(alk_callgraph_duration(calls, deep, 0, &duration), 0);
    assert_int_equal(duration, 40);
    assert_int_equal(alk_callgraph_duration(calls, root, 500, &duration), 0);
    assert_int_equal(duration, 500);
    assert_int_equal(alk_callgraph_duration(calls, 99, 500, &duration), ALK_GRAPH_E_UNKNOWN);
    assert_int_equal(alk_callgraph_lineage(calls, 99, &list), ALK_GRAPH_E_UNKNOWN);
    alk_node_list_free(&list);

    json_t *summary = alk_callgraph_summary(calls);
    json_t *expected =
        json_pack("{s:{s:i,s:i,s:i,s:i,s:i,s:i,s:i,s:i}}", "/fs/read", "count", 5, "completed", 2,
                  "failed", 1, "aborted", 0, "p50", 40, "p90", 80, "p99", 80, "max", 80);
    assert_true(json_equal(summary, expected));
    json_decref(summary);
    json_decref(expected);
    alk_callgraph_free(calls);
}

static void test_envelopes(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool last;
        int status;
    } cases[] = {
        {"{\"type\":\"call.requested\",\"id\":\"1\",\"payload\":{\"operationId\":\"/a/b\","
         "\"input\":{\"x\":1}}}",
         false, 0},
        {"{\"type\":\"call.requested\",\"id\":\"2\",\"payload\":{\"operationId\":\"/a/c\","
         "\"input\":1,\"parentRequestId\":\"1\"}}",
         false, 0},
        {"{\"type\":\"call.responded\",\"id\":\"2\",\"payload\":{\"output\":{\"y\":2}}}", true, 0},
        {"{\"type\":\"call.error\",\"id\":\"1\",\"payload\":{\"code\":\"TIMEOUT\",\"message\":"
         "\"late\",\"retryable\":true}}",
         false, 0},
        {"{\"type\":\"orders.new\",\"id\":\"9\",\"payload\":{}}", false, 0},
        {"{\"type\":\"call.strange\",\"id\":\"1\",\"payload\":{}}", false, ALK_GRAPH_E_FORM},
        {"{\"type\":\"call.requested\",\"id\":\"3\",\"payload\":{}}", false, ALK_GRAPH_E_FORM},
        {"{\"type\":\"call.requested\",\"id\":3}", false, ALK_GRAPH_E_FORM},
        {"[]", false, ALK_GRAPH_E_FORM},
        {"{\"type\":\"call.aborted\",\"id\":\"1\",\"payload\":null}", false,
         ALK_GRAPH_E_TRANSITION},
    };
    struct alk_callgraph *calls = alk_callgraph_new(NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_t *envelope = json_loads(cases[i].text, 0, NULL);
        int status =
            alk_callgraph_apply_envelope(calls, envelope, 100 + (int)i, NULL, cases[i].last, NULL);
        if (status != cases[i].status)
            fail_msg("%s: expected %d, got %d", cases[i].text, cases[i].status, status);
        json_decref(envelope);
    }
    assert_int_equal(status_of(calls, "1"), ALK_CALL_FAILED);
    assert_int_equal(status_of(calls, "2"), ALK_CALL_COMPLETED);
    char *mermaid = alk_callgraph_to_mermaid(calls);
    assert_non_null(strstr(mermaid, "n0[\"/a/b<br/>failed, 3 ms\"]:::failed"));
    assert_non_null(strstr(mermaid, "n0 --> n1"));
    free(mermaid);
    alk_callgraph_free(calls);
}

static void test_bad_json(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "[]",
        "{\"nodes\":[]}",
        "{\"nodes\":[{\"key\":\"a\"}],\"edges\":[]}",
        "{\"nodes\":[{\"key\":\"a\",\"attributes\":{\"status\":\"running\"}}],\"edges\":[]}",
        "{\"nodes\":[{\"key\":\"a\",\"attributes\":{\"status\":\"completed\"}}],\"edges\":[]}",
        "{\"nodes\":[{\"key\":\"a\",\"attributes\":{\"status\":\"pending\",\"operationId\":\"x\","
        "\"requestedAt\":\"1\"}}],\"edges\":[]}",
        "{\"nodes\":[{\"key\":\"a\",\"attributes\":{\"status\":\"unknown\","
        "\"parentRequestId\":\"b\"}}],\"edges\":[]}",
        "{\"nodes\":[{\"key\":\"a\",\"attributes\":{\"status\":\"unknown\"}}],"
        "\"edges\":[{\"source\":\"a\",\"target\":\"b\"}]}",
        "{\"nodes\":[{\"key\":\"a\",\"attributes\":{\"status\":\"unknown\"}},"
        "{\"key\":\"a\",\"attributes\":{\"status\":\"unknown\"}}],\"edges\":[]}",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct alk_callgraph *calls;
        struct alk_graph_error error = {""};
        json_t *json = json_loads(texts[i], 0, NULL);
        if (alk_callgraph_from_json(json, NULL, &calls, &error) == 0 || !error.text[0])
            fail_msg("%s: expected a refusal", texts[i]);
        json_decref(json);
    }
}

/* ---- depth -------------------------------------------------------------------------------------------------- */

/* A million calls, each triggered by the one before, told from the innermost outward. */
static void test_deep_calls(void **state)
{
    (void)state;
    const int depth = 1000000;
    struct alk_callgraph *calls = alk_callgraph_new(NULL);
    struct alk_node_list list;
    char id[16], parent[16];
    for (int i = depth - 1; i >= 0; i--) {
        snprintf(id, sizeof id, "%d", i);
        snprintf(parent, sizeof parent, "%d", i - 1);
        assert_int_equal(apply(calls, ALK_CALL_REQUESTED, id, i, i ? parent : NULL), 0);
    }
    alk_node first = alk_graph_find(alk_callgraph_graph(calls), "0");
    assert_int_equal(alk_callgraph_critical_path(calls, first, &list), 0);
    assert_int_equal(list.count, depth);
    alk_node_list_free(&list);
    for (int i = 0; i < depth; i++) {
        snprintf(id, sizeof id, "%d", i);
        assert_int_equal(apply(calls, ALK_CALL_ENDED, id, depth + i, NULL), 0);
    }
    assert_int_equal(alk_callgraph_prune(calls, INT64_MAX), depth);
    alk_callgraph_free(calls);
}

/* Operations are remembered as long as there are calls of them. */
static void test_operations_are_forgotten(void **state)
{
    (void)state;
    struct alk_callgraph_options options = ALK_CALLGRAPH_OPTIONS_INIT;
    options.max_finished_trees = 10;
    struct alk_callgraph *calls = alk_callgraph_new(&options);
    char name[24];
    for (int i = 0; i < 5000; i++) {
        snprintf(name, sizeof name, "/x/%d", i);
        struct alk_call_event event = {
            .type = ALK_CALL_REQUESTED, .time = i, .id = name, .operation = name};
        assert_int_equal(alk_callgraph_apply(calls, &event, NULL), 0);
        assert_int_equal(alk_callgraph_apply(calls, &event, NULL), 0);
        event.type = ALK_CALL_ENDED;
        assert_int_equal(alk_callgraph_apply(calls, &event, NULL), 0);
    }
    assert_true(calls->operation_bound < 20);
    json_t *summary = alk_callgraph_summary(calls);
    assert_int_equal(json_object_size(summary), 10);
    json_t *row = json_object_get(summary, "/x/4999");
    assert_int_equal(json_integer_value(json_object_get(row, "count")), 1);
    assert_int_equal(json_integer_value(json_object_get(row, "p99")), 0);
    json_decref(summary);
    alk_callgraph_free(calls);
}

/* A tree as deep as it is large goes in one piece, and without memory for it. */
static void test_deep_tree_is_dropped(void **state)
{
    (void)state;
    const int depth = 300000;
    struct alk_callgraph_options options = ALK_CALLGRAPH_OPTIONS_INIT;
    options.max_removed = 10;
    struct alk_callgraph *calls = alk_callgraph_new(&options);
    char id[16], parent[16];
    for (int i = 0; i < depth; i++) {
        snprintf(id, sizeof id, "c%d", i);
        snprintf(parent, sizeof parent, "c%d", i - 1);
        apply(calls, ALK_CALL_REQUESTED, id, i, i ? parent : NULL);
        apply(calls, ALK_CALL_ENDED, id, i, NULL);
    }
    assert_int_equal(alk_callgraph_prune(calls, INT64_MAX), depth);
    assert_int_equal(alk_graph_node_count(alk_callgraph_graph(calls)), 0);
    alk_callgraph_free(calls);
}

static void test_bad_events(void **state)
{
    (void)state;
    struct alk_callgraph *calls = alk_callgraph_new(NULL);
    static const char *const envelopes[] = {
        "{\"type\":\"call.requested\",\"id\":\"a\",\"payload\":{\"operationId\":\"/x\","
        "\"parentRequestId\":5}}",
        "{\"type\":\"call.requested\",\"id\":\"a\",\"payload\":{\"operationId\":5}}",
        "{\"type\":\"call.requested\",\"id\":\"a\"}",
        "{\"type\":\"call.requested\",\"id\":5,\"payload\":{\"operationId\":\"/x\"}}",
        "{\"type\":\"call.requested\",\"id\":\"a\\u0000b\",\"payload\":{\"operationId\":\"/x\"}}",
        "{\"type\":\"call.what\",\"id\":\"a\"}",
        "{\"type\":1,\"id\":\"a\"}",
        "[]",
    };
    for (size_t i = 0; i < sizeof envelopes / sizeof *envelopes; i++) {
        struct alk_graph_error error = {""};
        json_t *envelope = json_loads(envelopes[i], JSON_ALLOW_NUL, NULL);
        int status = alk_callgraph_apply_envelope(calls, envelope, 1, NULL, false, &error);
        if (status != ALK_GRAPH_E_FORM || !error.text[0])
            fail_msg("%s: %d", envelopes[i], status);
        json_decref(envelope);
    }
    static const struct alk_call_event events[] = {
        {.type = ALK_CALL_REQUESTED, .time = INT64_MIN, .id = "a", .operation = "/x"},
        {.type = ALK_CALL_ENDED, .time = INT64_MIN, .id = "a"},
        {.type = ALK_CALL_REQUESTED, .id = "\xff", .operation = "/x"},
        {.type = ALK_CALL_REQUESTED, .id = "a", .operation = "\xed\xa0\x80"},
        {.type = ALK_CALL_REQUESTED, .id = "a", .operation = "/x", .parent = "\xc3"},
        {.type = ALK_CALL_ENDED},
    };
    for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
        struct alk_graph_error error = {""};
        if (alk_callgraph_apply(calls, &events[i], &error) != ALK_GRAPH_E_FORM || !error.text[0])
            fail_msg("event %zu was taken", i);
    }
    assert_int_equal(alk_graph_node_count(alk_callgraph_graph(calls)), 0);
    assert_int_equal(alk_callgraph_version(calls), 0);
    alk_callgraph_free(calls);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_feed_of_another_graph),
        cmocka_unit_test(test_feed_of_a_full_graph),
        cmocka_unit_test(test_operations_are_forgotten),
        cmocka_unit_test(test_deep_tree_is_dropped),
        cmocka_unit_test(test_bad_events),
        cmocka_unit_test(test_transitions),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_any_order),
        cmocka_unit_test(test_change_feed),
        cmocka_unit_test(test_retention),
        cmocka_unit_test(test_retention_by_age),
        cmocka_unit_test(test_prune_any_order),
        cmocka_unit_test(test_long_use),
        cmocka_unit_test(test_queries),
        cmocka_unit_test(test_envelopes),
        cmocka_unit_test(test_bad_json),
        cmocka_unit_test(test_deep_calls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
