/* Bytes per second, with a clock of the test's own: what passes is counted, never timed. */
#include "interface/rate.h"
#include "server/identities.h"

#include <alk/key.h>

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const uint64_t START = 5000000; /* ms */

/* Somebody who always has more to send: when his next bytes may pass, and how many have. */
struct sender {
    uint64_t at;
    size_t waiting, passed, turns;
};

static void act(struct alk_rate *rate, struct sender *s, size_t want)
{
    uint64_t wait;

    s->passed += s->waiting;
    s->waiting = alk_rate_reserve(rate, want, s->at, &wait);
    s->at += wait;
    s->turns++;
    if (wait == 0) {
        s->passed += s->waiting;
        s->waiting = 0;
    }
}

/* The one whose time comes first acts, until all are past the end. */
static void run(struct alk_rate *rate, struct sender *senders, size_t count, uint64_t end,
                size_t want)
{
    for (;;) {
        struct sender *first = &senders[0];
        for (size_t i = 1; i < count; i++) {
            if (senders[i].at < first->at)
                first = &senders[i];
        }
        if (first->at >= end)
            return;
        act(rate, first, want);
    }
}

static void without_a_bound_everything_passes_at_once(void **state)
{
    struct alk_rate rate = {0};
    uint64_t wait = 1;

    (void)state;
    assert_false(alk_rate_is_bound(&rate));
    assert_int_equal(alk_rate_reserve(&rate, 1 << 20, START, &wait), 1 << 20);
    assert_int_equal(wait, 0);
}

static void what_passes_follows_the_rate(void **state)
{
    static const uint64_t rates[] = {1000, 64000, 1000000, 10000000, 1000000000};

    (void)state;
    for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
        struct alk_rate rate = {0};
        struct sender sender = {.at = START};
        alk_rate_set(&rate, rates[i]);
        run(&rate, &sender, 1, START + 10000, 128 * 1024);
        uint64_t most = rates[i] * (10000 + ALK_RATE_BURST_MS) / 1000 + 65536;
        assert_in_range(sender.passed, rates[i] * 99 / 10 - 1024, most);
    }
}

static void many_share_one_rate_in_turns(void **state)
{
    struct alk_rate rate = {0};
    struct sender senders[50];
    size_t total = 0;

    (void)state;
    for (size_t i = 0; i < 50; i++)
        senders[i] = (struct sender){.at = START};
    alk_rate_set(&rate, 1000000);
    run(&rate, senders, 50, START + 60000, 128 * 1024);
    for (size_t i = 0; i < 50; i++) {
        assert_in_range(senders[i].passed, 1000000 * 60 / 50 * 8 / 10, 1000000 * 60 / 50 * 12 / 10);
        total += senders[i].passed;
    }
    assert_in_range(total, 1000000 * 58, 1000000 * 61);
}

/* A new channel for each piece gets no more than one channel does. */
static void newcomers_wait_like_everybody(void **state)
{
    struct alk_rate rate = {0};
    size_t at_once = 0;
    uint64_t wait;

    (void)state;
    alk_rate_set(&rate, 100000);
    for (int i = 0; i < 1000; i++) {
        size_t bytes = alk_rate_reserve(&rate, 5000, START, &wait);
        at_once += wait == 0 ? bytes : 0;
    }
    assert_true(at_once <= 100000 * ALK_RATE_BURST_MS / 1000 + 5000);
    assert_in_range(wait, 49000, 50000); /* the last one's turn: 5 MB later */
}

static void idle_time_is_not_saved_up(void **state)
{
    struct alk_rate rate = {0};
    struct sender sender = {.at = START};

    (void)state;
    alk_rate_set(&rate, 1000000);
    run(&rate, &sender, 1, START + 1000, 65536);
    sender = (struct sender){.at = START + 3600000};
    run(&rate, &sender, 1, START + 3600000 + 1000, 65536);
    assert_true(sender.passed <= 1000000 * (1000 + ALK_RATE_BURST_MS) / 1000 + 65536);
}

static void what_is_given_back_serves_others(void **state)
{
    struct alk_rate rate = {0};
    uint64_t first, second, third;

    (void)state;
    alk_rate_set(&rate, 10000);
    for (int i = 0; i < 100; i++)
        alk_rate_reserve(&rate, 512, START, &first);
    size_t bytes = alk_rate_reserve(&rate, 512, START, &second);
    alk_rate_give_back(&rate, bytes, START);
    alk_rate_reserve(&rate, 512, START, &third);
    assert_in_range(third, second - 1, second + 1);
    assert_true(second > first);
    alk_rate_give_back(&rate, 1 << 20, START); /* more than is reserved: not beyond now */
    alk_rate_reserve(&rate, 512, START, &third);
    assert_int_equal(third, 0);
    alk_rate_reserve(&rate, 512, START, &third);
    assert_true(third > 0);
}

static void a_reload_changes_the_rate_of_all(void **state)
{
    struct alk_limits limits = {.max_sessions_per_identity = 2, .rate_up = 1000};
    struct alk_identities *identities;
    struct alk_identity_account *a, *b, *other;

    (void)state;
    assert_int_equal(alk_identities_new(&identities), ALK_OK);
    alk_identities_limit(identities, &limits);
    assert_int_equal(alk_identities_enter(identities, "one", &a), ALK_OK);
    assert_int_equal(alk_identities_enter(identities, "one", &b), ALK_OK);
    assert_ptr_equal(a, b); /* one account for all sessions */
    assert_int_equal(alk_identities_enter(identities, "one", &b), ALK_E_LIMIT);
    assert_int_equal(alk_identities_enter(identities, "two", &other), ALK_OK);
    assert_true(alk_rate_is_bound(&a->up));
    assert_false(alk_rate_is_bound(&a->down));
    limits.rate_up = 0;
    limits.rate_down = 5;
    limits.max_sessions_per_identity = 3;
    alk_identities_limit(identities, &limits);
    assert_false(alk_rate_is_bound(&a->up));
    assert_true(alk_rate_is_bound(&other->down));
    assert_int_equal(alk_identities_enter(identities, "one", &b), ALK_OK);
    for (int i = 0; i < 3; i++)
        alk_identities_leave(identities, a);
    alk_identities_leave(identities, other);
    assert_int_equal(alk_identities_enter(identities, "one", &a), ALK_OK);
    assert_int_equal(a->sessions, 1);
    assert_true(alk_rate_is_bound(&a->down)); /* also for those who come later */
    alk_identities_leave(identities, a);
    alk_identities_free(identities);
}

static int set_up(void **state)
{
    (void)state;
    return alk_crypto_init();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_bound_everything_passes_at_once),
        cmocka_unit_test(what_passes_follows_the_rate),
        cmocka_unit_test(many_share_one_rate_in_turns),
        cmocka_unit_test(newcomers_wait_like_everybody),
        cmocka_unit_test(idle_time_is_not_saved_up),
        cmocka_unit_test(what_is_given_back_serves_others),
        cmocka_unit_test(a_reload_changes_the_rate_of_all),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
