/* API keys: their form, their hashes (judged by sha256sum), and the set that a server has. */
#include "support/alloc.h"
#include "support/scratch.h"
#include "support/work.h"

#include <alk/api_key.h>
#include <alk/key.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

enum { NOW = 1800000000 };

/* hashes by: printf %s KEY | sha256sum */
static const char first[] = "alk_AAAAbbbb_0123456789ABCDEFGHIJKLMNOPQRSTUV";
static const char first_hash[] =
    "sha256:787a6c9524e5adc92dc723b915625da0f2a2c8c68fe4ef6954ec3396cccfa33c";
static const char second[] = "alk_zZ09yY18_abcdefghijklmnopqrstuvwxyz012345";
static const char second_hash[] =
    "sha256:569dfd8847cb08e11c8ffd3fec4717de87b4fdfcc81f88a2135d7be7b689bf2d";

static struct alk_api_keys *set_of(const struct alk_api_key *keys, size_t count)
{
    struct alk_api_keys *set;
    struct alk_error error;

    if (alk_api_keys_new(&set, keys, count, NULL, &error) != ALK_OK)
        fail_msg("%s", error.text);
    return set;
}

static enum alk_api_key_verdict judge(const struct alk_api_keys *set, const char *text)
{
    struct alk_identity *identity;
    enum alk_api_key_verdict verdict = alk_api_keys_judge(set, text, strlen(text), NOW, &identity);

    assert_true((identity != NULL) == (verdict == ALK_API_KEY_GOOD));
    alk_identity_unref(identity);
    return verdict;
}

/* ---- one key ---- */

static void test_hashes_are_those_of_sha256sum(void **state)
{
    struct scratch *scratch = *state;
    char key[ALK_API_KEY_SIZE], hash[ALK_API_KEY_HASH_SIZE], output[200];

    alk_api_key_hash(first, strlen(first), hash);
    assert_string_equal(hash, first_hash);
    alk_api_key_hash(second, strlen(second), hash);
    assert_string_equal(hash, second_hash);
    alk_api_key_generate(key);
    alk_api_key_hash(key, strlen(key), hash);
    scratch_text(scratch, "key", key);
    scratch_run(scratch, output, sizeof(output), ARGV("sha256sum", "key"));
    assert_memory_equal(hash + strlen("sha256:"), output, 64);
}

static void test_generated_keys_have_the_form_and_differ(void **state)
{
    char keys[2][ALK_API_KEY_SIZE];
    bool seen[128] = {false};
    unsigned different = 0;

    (void)state;
    for (unsigned i = 0; i < 200; i++) {
        alk_api_key_generate(keys[i % 2]);
        assert_true(alk_api_key_is(keys[i % 2], ALK_API_KEY_LEN));
        assert_string_not_equal(keys[0], keys[1]);
        for (const char *at = keys[i % 2] + 13; *at != '\0'; at++)
            seen[(unsigned char)*at] = true;
    }
    for (unsigned c = 0; c < 128; c++)
        different += seen[c];
    assert_int_equal(different, 62); /* of 6400 characters */
}

static void test_what_is_no_key(void **state)
{
    char text[64];

    (void)state;
    for (size_t i = 0; i < ALK_API_KEY_LEN; i++) {
        for (const char *c = " -_+/=.\n\x80"; *c != '\0'; c++) {
            if (*c == '_' && (i == 3 || i == 12))
                continue;
            memcpy(text, first, sizeof(first));
            text[i] = *c;
            if (alk_api_key_is(text, ALK_API_KEY_LEN))
                fail_msg("expected a refusal: %s", text);
        }
    }
    memcpy(text, first, sizeof(first));
    strcat(text, "A");
    assert_false(alk_api_key_is(text, ALK_API_KEY_LEN + 1));
    assert_false(alk_api_key_is(text, ALK_API_KEY_LEN - 1));
    assert_false(alk_api_key_is(text, 0));
    assert_true(alk_api_key_is(text, ALK_API_KEY_LEN));
}

static void test_times(void **state)
{
    static const struct {
        const char *text;
        uint64_t seconds; /* 0: refused */
    } table[] = {
        {"2027-01-31", 1801353600},
        {"2027-01-31T12:00:01Z", 1801396801},
        {"1970-01-02", 86400},
        {"1970-01-01", 0},
        {"2027-02-29", 0},
        {"2028-02-29", 1835395200},
        {"2027-13-01", 0},
        {"2027-01-31T24:00:00Z", 0},
        {"2027-01-31T12:00:01", 0},
        {"2027-01-31 12:00:01Z", 0},
        {"2027-1-31", 0},
        {"20270131", 0},
        {"", 0},
        {"2027-01-31T12:00:01Zx", 0},
        {"2027-01-31x", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        uint64_t seconds = 0;
        bool good = alk_api_key_parse_time(table[i].text, &seconds);
        if (good != (table[i].seconds != 0) || (good && seconds != table[i].seconds))
            fail_msg("'%s': got %llu", table[i].text, (unsigned long long)seconds);
    }
}

/* ---- sets ---- */

struct judged {
    const char *what;
    struct alk_api_key key;
    const char *text;
    enum alk_api_key_verdict verdict;
};

static const struct judged table[] = {
    {"known", {.hash = first_hash}, first, ALK_API_KEY_GOOD},
    {"unknown", {.hash = first_hash}, second, ALK_API_KEY_UNKNOWN},
    {"disabled", {.hash = first_hash, .disabled = true}, first, ALK_API_KEY_DISABLED},
    {"last second", {.hash = first_hash, .expires = NOW + 1}, first, ALK_API_KEY_GOOD},
    {"expired", {.hash = first_hash, .expires = NOW}, first, ALK_API_KEY_EXPIRED},
    {"ttl, last second",
     {.hash = first_hash, .created = NOW - 9, .ttl_s = 10},
     first,
     ALK_API_KEY_GOOD},
    {"ttl, over",
     {.hash = first_hash, .created = NOW - 10, .ttl_s = 10},
     first,
     ALK_API_KEY_EXPIRED},
};

static void test_verdicts_compare_as_often(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct alk_api_key key = table[i].key;
        key.name = "it";
        struct alk_api_keys *set = set_of(&key, 1);
        work_done();
        enum alk_api_key_verdict verdict = judge(set, table[i].text);
        struct work work = work_done();
        if (verdict != table[i].verdict)
            fail_msg("%s: expected %s, got %s", table[i].what,
                     alk_api_key_verdict_text(table[i].verdict), alk_api_key_verdict_text(verdict));
        /* an unknown key may fall on the slot of a known one, then into the free one behind it */
        if (work.comparisons < 1 || work.comparisons > (verdict == ALK_API_KEY_UNKNOWN ? 2 : 1))
            fail_msg("%s: %u comparisons", table[i].what, work.comparisons);
        alk_api_keys_free(set);
    }
}

static void test_the_identity_of_a_key(void **state)
{
    const struct alk_api_key key = {.name = "dashboard",
                                    .hash = first_hash,
                                    .scopes = "relay:connect, metrics:read",
                                    .resources = "service:gitea"};
    struct alk_api_keys *set = set_of(&key, 1);
    struct alk_identity *identity;

    (void)state;
    assert_int_equal(alk_api_keys_judge(set, first, strlen(first), NOW, &identity),
                     ALK_API_KEY_GOOD);
    alk_api_keys_free(set); /* the identity lives on */
    assert_string_equal(identity->id, "AAAAbbbb");
    assert_true(alk_identity_has_scope(identity, "relay:connect"));
    assert_true(alk_identity_has_scope(identity, "metrics:read"));
    assert_false(alk_identity_has_scope(identity, "admin"));
    assert_true(alk_identity_may_use(identity, "service", "gitea"));
    alk_identity_unref(identity);
}

static void test_uses_are_counted_and_survive_a_reload(void **state)
{
    const struct alk_api_key keys[] = {{.name = "one", .hash = first_hash},
                                       {.name = "two", .hash = second_hash}};
    const struct alk_api_key renamed = {.name = "uno", .hash = first_hash};
    struct alk_api_keys *old = set_of(keys, 2), *fresh;
    struct alk_identity *identity;
    uint64_t count, last;

    (void)state;
    judge(old, first);
    judge(old, first);
    assert_int_equal(alk_api_keys_new(&fresh, &renamed, 1, old, NULL), ALK_OK);
    judge(old, first); /* a session that still has the old set */
    alk_api_keys_free(old);
    assert_true(alk_api_keys_used(fresh, "uno", &count, &last));
    assert_int_equal(count, 3);
    assert_int_equal(last, NOW);
    assert_int_equal(alk_api_keys_judge(fresh, first, strlen(first), NOW - 50, &identity),
                     ALK_API_KEY_GOOD);
    alk_identity_unref(identity);
    alk_api_keys_used(fresh, "uno", &count, &last);
    assert_int_equal(count, 4);
    assert_int_equal(last, NOW); /* never goes back */
    assert_false(alk_api_keys_used(fresh, "two", &count, &last));
    alk_api_keys_free(fresh);
}

static void test_a_large_set_finds_each_key(void **state)
{
    enum { COUNT = 500 };
    static char texts[COUNT][ALK_API_KEY_SIZE], hashes[COUNT][ALK_API_KEY_HASH_SIZE];
    static struct alk_api_key keys[COUNT];

    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        alk_api_key_generate(texts[i]);
        alk_api_key_hash(texts[i], ALK_API_KEY_LEN, hashes[i]);
        keys[i] = (struct alk_api_key){.name = texts[i], .hash = hashes[i]};
    }
    struct alk_api_keys *set = set_of(keys, COUNT);
    for (size_t i = 0; i < COUNT; i++)
        assert_int_equal(judge(set, texts[i]), ALK_API_KEY_GOOD);
    assert_int_equal(judge(set, first), ALK_API_KEY_UNKNOWN);
    alk_api_keys_free(set);
}

static void test_faults_name_the_key(void **state)
{
    static const struct {
        struct alk_api_key keys[2];
        size_t count;
        int status;
        const char *says;
    } faults[] = {
        {{{.name = "k", .hash = NULL}}, 1, ALK_E_PARSE, "API key k: its hash"},
        {{{.name = "k", .hash = "sha256:00"}}, 1, ALK_E_PARSE, "API key k: its hash"},
        {{{.name = "k", .hash = first_hash, .scopes = "a,,b"}},
         1,
         ALK_E_INVAL,
         "API key k: a scope"},
        {{{.name = "k", .hash = first_hash, .resources = "gitea"}}, 1, ALK_E_PARSE, "type:name"},
        {{{.name = "k", .hash = first_hash, .ttl_s = 9}}, 1, ALK_E_INVAL, "created"},
        {{{.name = "k", .hash = first_hash, .ttl_s = 9, .created = 1, .expires = 1}},
         1,
         ALK_E_INVAL,
         "not both"},
        {{{.name = "k", .hash = first_hash}, {.name = "m", .hash = first_hash}},
         2,
         ALK_E_EXISTS,
         "k and m"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        struct alk_api_keys *set;
        struct alk_error error;
        assert_int_equal(alk_api_keys_new(&set, faults[i].keys, faults[i].count, NULL, &error),
                         faults[i].status);
        assert_null(set);
        if (strstr(error.text, faults[i].says) == NULL)
            fail_msg("expected '%s' in: %s", faults[i].says, error.text);
    }
}

static void test_failing_allocations_lose_nothing(void **state)
{
    const struct alk_api_key keys[] = {
        {.name = "one", .hash = first_hash, .scopes = "a,b", .resources = "c:d"},
        {.name = "two", .hash = second_hash}};
    unsigned n = 1;

    (void)state;
    for (bool failed = true; failed; n++) {
        struct alk_api_keys *set = NULL;
        struct alk_identity *identity = NULL;
        long before = alloc_live();
        alloc_fail_at(n, false);
        int status = alk_api_keys_new(&set, keys, 2, NULL, NULL);
        if (status == ALK_OK)
            alk_api_keys_judge(set, first, strlen(first), NOW, &identity);
        failed = alloc_failed();
        alloc_fail_at(0, false);
        assert_true(status == ALK_OK || status == ALK_E_NOMEM);
        assert_int_equal(failed, status != ALK_OK || identity == NULL);
        alk_identity_unref(identity);
        alk_api_keys_free(set);
        assert_int_equal(alloc_live(), before);
    }
    assert_in_range(n, 10, 100); /* the sweep went over something */
}

static int setup(void **state)
{
    (void)state;
    return alk_crypto_init();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_hashes_are_those_of_sha256sum, scratch_make,
                                        scratch_remove),
        cmocka_unit_test(test_generated_keys_have_the_form_and_differ),
        cmocka_unit_test(test_what_is_no_key),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_verdicts_compare_as_often),
        cmocka_unit_test(test_the_identity_of_a_key),
        cmocka_unit_test(test_uses_are_counted_and_survive_a_reload),
        cmocka_unit_test(test_a_large_set_finds_each_key),
        cmocka_unit_test(test_faults_name_the_key),
        cmocka_unit_test(test_failing_allocations_lose_nothing),
    };

    return cmocka_run_group_tests(tests, setup, NULL);
}
