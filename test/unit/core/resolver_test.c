#include "support/net.h"
#include "transport/address.h"
#include "transport/resolver.h"

#include <alk/loop.h>
#include <alk/status.h>

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* What one look-up answered. */
struct answer {
    bool called;
    int status;
    size_t count;
    char first[64];
    unsigned port;
    const char *cause;
};

static void on_answer(void *user, int status, const struct alk_address *addresses, size_t count,
                      const char *cause)
{
    struct answer *answer = user;

    assert_false(answer->called);
    answer->called = true;
    answer->status = status;
    answer->count = count;
    answer->cause = cause;
    if (count > 0) {
        alk_address_host(&addresses[0], answer->first, sizeof(answer->first));
        answer->port = alk_address_port(&addresses[0]);
    }
}

/* A system resolver that waits until the test lets it go. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned inside;
    bool open;
} gate = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static int gated_resolve(const char *host, struct alk_address *out, const char **cause)
{
    (void)cause;
    pthread_mutex_lock(&gate.lock);
    gate.inside++;
    pthread_cond_broadcast(&gate.changed);
    while (!gate.open)
        pthread_cond_wait(&gate.changed, &gate.lock);
    gate.inside--;
    pthread_cond_broadcast(&gate.changed);
    pthread_mutex_unlock(&gate.lock);
    return alk_address_numeric(strcmp(host, "six") == 0 ? "2001:db8::6" : "192.0.2.4", 0, out);
}

static void gate_wait_inside(unsigned count)
{
    pthread_mutex_lock(&gate.lock);
    while (gate.inside != count)
        pthread_cond_wait(&gate.changed, &gate.lock);
    pthread_mutex_unlock(&gate.lock);
}

static void gate_set(bool open)
{
    pthread_mutex_lock(&gate.lock);
    gate.open = open;
    pthread_cond_broadcast(&gate.changed);
    pthread_mutex_unlock(&gate.lock);
}

static void the_system_resolves_localhost(void **state)
{
    struct alk_loop *loop;
    struct alk_resolver *resolver;
    struct alk_lookup *lookup;
    struct answer answer = {0};

    (void)state;
    assert_int_equal(alk_loop_new(&loop), 0);
    assert_int_equal(alk_resolver_new(&resolver, NULL), 0);
    assert_int_equal(
        alk_lookup_start(&lookup, resolver, loop, NULL, "localhost", 80, on_answer, &answer), 0);
    assert_false(answer.called);
    net_run_until(loop, &answer.called);
    assert_int_equal(answer.status, ALK_OK);
    assert_true(strcmp(answer.first, "127.0.0.1") == 0 || strcmp(answer.first, "::1") == 0);
    assert_int_equal(answer.port, 80);
    alk_resolver_free(resolver);
    alk_loop_free(loop);
}

static int no_such_name(const char *host, struct alk_address *out, const char **cause)
{
    (void)host;
    (void)out;
    *cause = "the name has no address";
    return ALK_E_RESOLVE;
}

static void numeric_hosts_need_no_thread(void **state)
{
    struct alk_resolver_options options = {.resolve = no_such_name};
    struct alk_loop *loop;
    struct alk_resolver *resolver;
    struct alk_lookup *lookup;
    struct answer numeric = {0}, name = {0};

    (void)state;
    assert_int_equal(alk_loop_new(&loop), 0);
    assert_int_equal(alk_resolver_new(&resolver, &options), 0);
    assert_int_equal(alk_lookup_start(&lookup, resolver, loop, NULL, "::1", 5, on_answer, &numeric),
                     0);
    assert_false(numeric.called); /* later, from the loop */
    net_run_until(loop, &numeric.called);
    assert_string_equal(numeric.first, "::1");
    assert_int_equal(numeric.port, 5);
    assert_int_equal(alk_lookup_start(&lookup, resolver, loop, NULL, "a.test", 5, on_answer, &name),
                     0);
    net_run_until(loop, &name.called);
    assert_int_equal(name.status, ALK_E_RESOLVE);
    assert_string_equal(name.cause, "the name has no address");
    assert_int_equal(alk_lookup_start(&lookup, resolver, loop, NULL, "a b", 5, on_answer, &name),
                     ALK_E_INVAL);
    alk_resolver_free(resolver);
    alk_loop_free(loop);
}

static void the_queue_has_a_bound(void **state)
{
    struct alk_resolver_options options = {.threads = 1, .queue = 2, .resolve = gated_resolve};
    struct alk_loop *loop;
    struct alk_resolver *resolver;
    struct alk_lookup *lookup, *second;
    struct answer answers[3] = {0}, over = {0};

    (void)state;
    gate_set(false);
    assert_int_equal(alk_loop_new(&loop), 0);
    assert_int_equal(alk_resolver_new(&resolver, &options), 0);
    assert_int_equal(
        alk_lookup_start(&lookup, resolver, loop, NULL, "a", 1, on_answer, &answers[0]), 0);
    gate_wait_inside(1);
    assert_int_equal(
        alk_lookup_start(&second, resolver, loop, NULL, "b", 1, on_answer, &answers[1]), 0);
    assert_int_equal(
        alk_lookup_start(&lookup, resolver, loop, NULL, "six", 1, on_answer, &answers[2]), 0);
    assert_int_equal(alk_lookup_start(&lookup, resolver, loop, NULL, "d", 1, on_answer, &over),
                     ALK_E_LIMIT);
    alk_lookup_cancel(second); /* makes room again */
    assert_int_equal(
        alk_lookup_start(&second, resolver, loop, NULL, "b", 1, on_answer, &answers[1]), 0);
    gate_set(true);
    for (size_t i = 0; i < 3; i++)
        net_run_until(loop, &answers[i].called);
    assert_string_equal(answers[0].first, "192.0.2.4");
    assert_string_equal(answers[2].first, "2001:db8::6");
    assert_false(over.called);
    alk_resolver_free(resolver);
    alk_loop_free(loop);
}

/* Eight threads and a queue of eight; one owner asks for names that nobody answers for. */
static void one_owner_gets_half_of_threads_and_queue(void **state)
{
    struct alk_resolver_options options = {.threads = 8, .queue = 8, .resolve = gated_resolve};
    struct alk_loop *loop;
    struct alk_resolver *resolver;
    struct alk_lookup *lookup;
    struct answer dead[8] = {0}, over = {0}, others[4] = {0};
    int greedy, modest;

    (void)state;
    gate_set(false);
    assert_int_equal(alk_loop_new(&loop), 0);
    assert_int_equal(alk_resolver_new(&resolver, &options), 0);
    for (size_t i = 0; i < 8; i++) {
        assert_int_equal(
            alk_lookup_start(&lookup, resolver, loop, &greedy, "a", 1, on_answer, &dead[i]), 0);
        gate_wait_inside(i < 4 ? (unsigned)i + 1 : 4); /* the fifth and later ones wait */
    }
    assert_int_equal(alk_lookup_start(&lookup, resolver, loop, &greedy, "a", 1, on_answer, &over),
                     ALK_E_LIMIT);
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(
            alk_lookup_start(&lookup, resolver, loop, &modest, "b", 1, on_answer, &others[i]), 0);
        gate_wait_inside(5 + i);
    }
    gate_set(true);
    for (size_t i = 0; i < 8; i++)
        net_run_until(loop, &dead[i].called);
    for (size_t i = 0; i < 4; i++)
        net_run_until(loop, &others[i].called);
    alk_resolver_free(resolver);
    alk_loop_free(loop);
}

static void cancelled_look_ups_answer_nobody(void **state)
{
    struct alk_resolver_options options = {.threads = 2, .resolve = gated_resolve};
    struct alk_loop *loop;
    struct alk_resolver *resolver;
    struct alk_lookup *running, *waiting[3], *posted, *numeric;
    struct answer never = {0}, last = {0};

    (void)state;
    gate_set(false);
    assert_int_equal(alk_loop_new(&loop), 0);
    assert_int_equal(alk_resolver_new(&resolver, &options), 0);
    assert_int_equal(alk_lookup_start(&running, resolver, loop, NULL, "a", 1, on_answer, &never),
                     0);
    assert_int_equal(alk_lookup_start(&posted, resolver, loop, NULL, "b", 1, on_answer, &never), 0);
    gate_wait_inside(2);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(
            alk_lookup_start(&waiting[i], resolver, loop, NULL, "c", 1, on_answer, &never), 0);
    assert_int_equal(alk_lookup_start(&numeric, resolver, loop, NULL, "::1", 1, on_answer, &never),
                     0);
    alk_lookup_cancel(numeric);
    alk_lookup_cancel(running);
    alk_lookup_cancel(waiting[1]);
    alk_lookup_cancel(waiting[0]);
    alk_lookup_cancel(waiting[2]);
    gate_set(true);
    gate_wait_inside(0);
    assert_int_equal(alk_lookup_start(&running, resolver, loop, NULL, "d", 1, on_answer, &last), 0);
    alk_lookup_cancel(posted); /* whether its answer waits in the mailbox or not */
    net_run_until(loop, &last.called);
    net_run_ready(loop);
    assert_false(never.called);
    alk_resolver_free(resolver);
    alk_loop_free(loop);
}

static void a_stuck_look_up_holds_up_nobody(void **state)
{
    struct alk_resolver_options options = {.threads = 1, .resolve = gated_resolve};
    struct alk_loop *loop;
    struct alk_resolver *resolver;
    struct alk_lookup *lookup;
    struct answer never = {0};

    (void)state;
    gate_set(false);
    assert_int_equal(alk_loop_new(&loop), 0);
    assert_int_equal(alk_resolver_new(&resolver, &options), 0);
    assert_int_equal(alk_lookup_start(&lookup, resolver, loop, NULL, "a", 1, on_answer, &never), 0);
    gate_wait_inside(1);
    alk_lookup_cancel(lookup);
    alk_loop_free(loop);
    alk_resolver_free(resolver); /* returns although the thread still sits there */
    gate_wait_inside(1);
    gate_set(true);
    gate_wait_inside(0);
    assert_false(never.called);
}

enum { LOOPS = 3, ROUNDS = 200 };

/* A thread with a loop that starts and cancels look-ups as fast as it can. */
struct storm {
    struct alk_resolver *resolver;
    const char *failure;
};

static void *storm(void *user)
{
    struct storm *self = user;
    struct alk_loop *loop;
    struct answer answers[ROUNDS];
    struct alk_lookup *lookups[ROUNDS];

    memset(answers, 0, sizeof(answers));
    if (alk_loop_new(&loop) != 0) {
        self->failure = "no loop";
        return NULL;
    }
    for (size_t i = 0; i < ROUNDS; i++) {
        if (alk_lookup_start(&lookups[i], self->resolver, loop, NULL, "a", 1, on_answer,
                             &answers[i]) != 0) {
            self->failure = "a look-up did not start";
            return NULL;
        }
        net_run_ready(loop);
        if (i % 2 == 1 && !answers[i].called) {
            alk_lookup_cancel(lookups[i]);
            answers[i].called = true; /* on_answer would now object */
        }
    }
    for (size_t i = 0; i < ROUNDS; i++)
        net_run_until(loop, &answers[i].called);
    alk_loop_free(loop);
    return NULL;
}

static void many_loops_share_a_resolver(void **state)
{
    struct alk_resolver_options options = {.queue = LOOPS * ROUNDS, .resolve = gated_resolve};
    struct alk_resolver *resolver;
    pthread_t threads[LOOPS];
    struct storm storms[LOOPS];

    (void)state;
    gate_set(true);
    assert_int_equal(alk_resolver_new(&resolver, &options), 0);
    for (size_t i = 0; i < LOOPS; i++) {
        storms[i] = (struct storm){.resolver = resolver};
        assert_int_equal(pthread_create(&threads[i], NULL, storm, &storms[i]), 0);
    }
    for (size_t i = 0; i < LOOPS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        if (storms[i].failure != NULL)
            fail_msg("expected a quiet storm, got: %s", storms[i].failure);
    }
    alk_resolver_free(resolver);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_system_resolves_localhost),
        cmocka_unit_test(numeric_hosts_need_no_thread),
        cmocka_unit_test(the_queue_has_a_bound),
        cmocka_unit_test(one_owner_gets_half_of_threads_and_queue),
        cmocka_unit_test(cancelled_look_ups_answer_nobody),
        cmocka_unit_test(a_stuck_look_up_holds_up_nobody),
        cmocka_unit_test(many_loops_share_a_resolver),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
