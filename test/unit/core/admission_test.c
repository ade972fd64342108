/* Limits of an address and of the server, with a clock of the test's own. */
#include "server/admission.h"

#include <alk/key.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const uint64_t START = 1000000; /* ms */

static const struct alk_limits unlimited = {
    .max_connections_per_ip = ALK_LIMIT_NONE,
    .connection_rate_per_ip = ALK_LIMIT_NONE,
    .max_unauthenticated_per_ip = ALK_LIMIT_NONE,
    .login_failures = ALK_LIMIT_NONE,
    .penalty_s = 5,
    .penalty_max_s = 600,
    .max_sessions = ALK_LIMIT_NONE,
    .max_unauthenticated = ALK_LIMIT_NONE,
};

static struct alk_admission *make(const struct alk_limits *limits)
{
    struct alk_admission *a;

    assert_int_equal(alk_admission_new(&a), ALK_OK);
    assert_int_equal(alk_admission_limit(a, limits), ALK_OK);
    return a;
}

static void may_enter(struct alk_admission *a, const char *address, uint64_t now)
{
    const char *why = alk_admission_enter(a, address, now);

    if (why != NULL)
        fail_msg("%s was refused: %s", address, why);
}

static void may_not_enter(struct alk_admission *a, const char *address, uint64_t now,
                          const char *expected)
{
    const char *why = alk_admission_enter(a, address, now);

    if (why == NULL || strcmp(why, expected) != 0)
        fail_msg("%s: expected \"%s\", got \"%s\"", address, expected, why != NULL ? why : "entry");
}

static void fail_to_log_in(struct alk_admission *a, const char *address, uint64_t now)
{
    may_enter(a, address, now);
    alk_admission_leave(a, address, false, true, now);
}

static void live_connections_of_an_address_are_bounded(void **state)
{
    struct alk_limits limits = unlimited;

    (void)state;
    limits.max_connections_per_ip = 2;
    struct alk_admission *a = make(&limits);
    may_enter(a, "192.0.2.1", START);
    may_enter(a, "::ffff:192.0.2.1", START); /* the same one */
    may_not_enter(a, "192.0.2.1", START, "max-connections-per-ip");
    may_enter(a, "192.0.2.2", START);
    may_enter(a, "2001:db8::1", START);
    may_enter(a, "2001:db8::ffff:2", START); /* the same /64 */
    may_not_enter(a, "2001:db8::3", START, "max-connections-per-ip");
    may_enter(a, "2001:db8:0:1::1", START);
    for (int i = 0; i < 10; i++)
        may_enter(a, "", START); /* a Unix socket */
    assert_null(alk_admission_authenticated(a, "192.0.2.1"));
    may_not_enter(a, "192.0.2.1", START, "max-connections-per-ip");
    alk_admission_leave(a, "192.0.2.1", true, false, START);
    may_enter(a, "192.0.2.1", START);
    limits.max_connections_per_ip = 3;
    alk_admission_limit(a, &limits);
    may_enter(a, "192.0.2.1", START);
    may_not_enter(a, "192.0.2.1", START, "max-connections-per-ip");
    alk_admission_free(a);
}

static void unauthenticated_connections_are_bounded(void **state)
{
    struct alk_limits limits = unlimited;

    (void)state;
    limits.max_unauthenticated_per_ip = 1;
    limits.max_unauthenticated = 2;
    struct alk_admission *a = make(&limits);
    may_enter(a, "192.0.2.1", START);
    may_not_enter(a, "192.0.2.1", START, "max-unauthenticated-per-ip");
    may_enter(a, "192.0.2.2", START);
    may_not_enter(a, "192.0.2.3", START, "max-unauthenticated");
    assert_null(alk_admission_authenticated(a, "192.0.2.2"));
    may_enter(a, "192.0.2.2", START);
    may_not_enter(a, "", START, "max-unauthenticated");
    alk_admission_leave(a, "192.0.2.1", false, false, START);
    may_enter(a, "", START);
    alk_admission_free(a);
}

static void sessions_are_bounded(void **state)
{
    struct alk_limits limits = unlimited;

    (void)state;
    limits.max_sessions = 1;
    struct alk_admission *a = make(&limits);
    may_enter(a, "192.0.2.1", START);
    may_enter(a, "192.0.2.2", START);
    assert_null(alk_admission_authenticated(a, "192.0.2.1"));
    may_not_enter(a, "192.0.2.3", START, "max-sessions");
    assert_string_equal(alk_admission_authenticated(a, "192.0.2.2"), "max-sessions");
    alk_admission_leave(a, "192.0.2.2", true, false, START);
    may_not_enter(a, "192.0.2.3", START, "max-sessions");
    alk_admission_leave(a, "192.0.2.1", true, false, START);
    may_enter(a, "192.0.2.3", START);
    alk_admission_free(a);
}

static void the_rate_of_new_connections_is_bounded(void **state)
{
    struct alk_limits limits = unlimited;

    (void)state;
    limits.connection_rate_per_ip = 6; /* one in ten seconds */
    struct alk_admission *a = make(&limits);
    for (int i = 0; i < 6; i++) {
        may_enter(a, "192.0.2.1", START);
        alk_admission_leave(a, "192.0.2.1", false, false, START);
    }
    may_not_enter(a, "192.0.2.1", START, "connection-rate-per-ip");
    may_enter(a, "192.0.2.2", START);
    may_not_enter(a, "192.0.2.1", START + 9999, "connection-rate-per-ip");
    may_enter(a, "192.0.2.1", START + 10000);
    may_not_enter(a, "192.0.2.1", START + 10000, "connection-rate-per-ip");
    for (int i = 0; i < 6; i++)
        may_enter(a, "192.0.2.1", START + 80000); /* a quiet minute makes up for all */
    may_not_enter(a, "192.0.2.1", START + 80000, "connection-rate-per-ip");
    alk_admission_free(a);
}

static struct alk_limits with_penalties(void)
{
    struct alk_limits limits = unlimited;

    limits.login_failures = 2;
    limits.penalty_s = 5;
    limits.penalty_max_s = 60;
    return limits;
}

static void penalties_grow(void **state)
{
    static const unsigned pauses[] = {5, 10, 20, 40, 60, 60};
    struct alk_limits limits = with_penalties();
    struct alk_admission *a = make(&limits);
    uint64_t now = START;
    struct alk_penalty penalty;

    (void)state;
    fail_to_log_in(a, "192.0.2.1", now);
    fail_to_log_in(a, "192.0.2.1", now);
    for (size_t i = 0; i < sizeof(pauses) / sizeof(pauses[0]); i++) {
        fail_to_log_in(a, "192.0.2.1", now);
        assert_int_equal(alk_admission_penalties(a, &penalty, 1, now), 1);
        assert_string_equal(penalty.address, "192.0.2.1");
        assert_int_equal(penalty.failures, i + 3);
        assert_int_equal(penalty.left_s, pauses[i]);
        may_not_enter(a, "192.0.2.1", now, "penalty");
        may_not_enter(a, "192.0.2.1", now + pauses[i] * 1000 - 1, "penalty");
        may_enter(a, "192.0.2.2", now); /* nobody else */
        now += pauses[i] * 1000;
        may_enter(a, "192.0.2.1", now); /* and a success does not count against it */
        assert_null(alk_admission_authenticated(a, "192.0.2.1"));
        alk_admission_leave(a, "192.0.2.1", true, false, now);
    }
    assert_int_equal(alk_admission_penalties(a, &penalty, 1, now), 1);
    assert_int_equal(penalty.left_s, 0);
    now += 60000; /* forgotten: the next ones are the first ones */
    assert_int_equal(alk_admission_penalties(a, &penalty, 1, now), 0);
    fail_to_log_in(a, "192.0.2.1", now);
    fail_to_log_in(a, "192.0.2.1", now);
    may_enter(a, "192.0.2.1", now);
    alk_admission_free(a);
}

static void penalties_hit_a_whole_64(void **state)
{
    struct alk_limits limits = with_penalties();
    struct alk_admission *a = make(&limits);
    struct alk_penalty penalty;

    (void)state;
    fail_to_log_in(a, "2001:db8::1", START);
    fail_to_log_in(a, "2001:db8::2", START);
    fail_to_log_in(a, "2001:db8::3", START);
    may_not_enter(a, "2001:db8::4", START, "penalty");
    may_enter(a, "2001:db8:0:1::4", START);
    assert_int_equal(alk_admission_penalties(a, &penalty, 1, START), 1);
    assert_string_equal(penalty.address, "2001:db8::/64");
    assert_int_equal(alk_admission_penalties(a, NULL, 0, START), 1);
    alk_admission_free(a);
}

static void successes_and_silent_visitors_never_count(void **state)
{
    struct alk_limits limits = with_penalties();
    struct alk_admission *a = make(&limits);

    (void)state;
    for (int i = 0; i < 100; i++) {
        may_enter(a, "192.0.2.1", START);
        assert_null(alk_admission_authenticated(a, "192.0.2.1"));
        alk_admission_leave(a, "192.0.2.1", true, false, START);
        may_enter(a, "192.0.2.1", START);
        alk_admission_leave(a, "192.0.2.1", false, false, START);
    }
    assert_int_equal(alk_admission_penalties(a, NULL, 0, START), 0);
    alk_admission_free(a);
}

static void exempt_addresses_are_never_shut_out(void **state)
{
    struct alk_limits limits = with_penalties();

    (void)state;
    limits.penalty_exempt = "198.51.100.0/24,2001:db8::/32";
    struct alk_admission *a = make(&limits);
    for (int i = 0; i < 100; i++) {
        fail_to_log_in(a, "198.51.100.7", START);
        fail_to_log_in(a, "2001:db8::7", START);
    }
    assert_int_equal(alk_admission_penalties(a, NULL, 0, START), 0);
    for (int i = 0; i < 3; i++)
        fail_to_log_in(a, "192.0.2.1", START);
    may_not_enter(a, "192.0.2.1", START, "penalty");
    limits.penalty_exempt = "192.0.2.1"; /* from now on */
    assert_int_equal(alk_admission_limit(a, &limits), ALK_OK);
    may_enter(a, "192.0.2.1", START);
    limits.penalty_exempt = NULL;
    limits.login_failures = ALK_LIMIT_NONE;
    assert_int_equal(alk_admission_limit(a, &limits), ALK_OK);
    may_enter(a, "192.0.2.1", START);
    alk_admission_free(a);
}

/* More addresses fail than are remembered. */
static void the_table_is_bounded(void **state)
{
    struct alk_limits limits = with_penalties();
    struct alk_admission *a = make(&limits);
    char address[32];

    (void)state;
    for (unsigned i = 0; i < ALK_ADMISSION_IDLE_MAX + 1000; i++) {
        snprintf(address, sizeof(address), "10.%u.%u.%u", i >> 16, i >> 8 & 255, i & 255);
        fail_to_log_in(a, address, START);
    }
    assert_int_equal(alk_admission_penalties(a, NULL, 0, START), ALK_ADMISSION_IDLE_MAX);
    /* once they do not matter any more, those who come sweep them out */
    for (unsigned i = 0; i < ALK_ADMISSION_IDLE_MAX; i++) {
        may_enter(a, "192.0.2.1", START + 60000);
        alk_admission_leave(a, "192.0.2.1", false, false, START + 60000);
    }
    assert_int_equal(alk_admission_penalties(a, NULL, 0, START), 0); /* not even at that time */
    alk_admission_free(a);
}

static int set_up(void **state)
{
    (void)state;
    return alk_crypto_init();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(live_connections_of_an_address_are_bounded),
        cmocka_unit_test(unauthenticated_connections_are_bounded),
        cmocka_unit_test(sessions_are_bounded),
        cmocka_unit_test(the_rate_of_new_connections_is_bounded),
        cmocka_unit_test(penalties_grow),
        cmocka_unit_test(penalties_hit_a_whole_64),
        cmocka_unit_test(successes_and_silent_visitors_never_count),
        cmocka_unit_test(exempt_addresses_are_never_shut_out),
        cmocka_unit_test(the_table_is_bounded),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
