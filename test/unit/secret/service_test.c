/* The service: locked until unlocked, tenants apart, keys that expire, many threads. */
#include "support/test.h"

#include <alk/secret_path.h>
#include <alk/secret_service.h>

#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>

static uint64_t test_clock(void *user)
{
    return *(const uint64_t *)user;
}

static struct alk_secret_service *new_service(uint64_t *clock)
{
    struct alk_secret_service *service = NULL;
    struct alk_secret_options options;

    alk_secret_options_init(&options);
    options.cache_ttl_ms = 1000;
    options.cache_keys = 3;
    options.tenants = 2;
    options.now_ms = test_clock;
    options.user = clock;
    expect_code("new", alk_secret_service_new(&options, &service), 0);
    return service;
}

static void unlock(struct alk_secret_service *service, const char *tenant, const char *mnemonic)
{
    struct alk_secret_error error;

    expect_code(tenant, alk_secret_service_unlock(service, tenant, mnemonic, "", &error), 0);
}

/* The Ed25519 secret of a path; the test fails when there is none. */
static struct alk_secret_ed25519 ed25519(struct alk_secret_service *service, const char *tenant,
                                         const char *path)
{
    struct alk_secret_ed25519 key = {{0}, {0}};

    expect_code(path, alk_secret_service_derive_ed25519(service, tenant, path, &key, NULL), 0);
    return key;
}

static void expect_all_locked(struct alk_secret_service *service, const char *tenant)
{
    struct alk_secret_error error;
    struct alk_secret_ed25519 key;
    struct alk_secret_secp256k1 coin;
    struct alk_secret_stats stats;
    uint8_t bytes[32];
    char text[64], *json = NULL;
    size_t len = 0;
    const int locked = ALK_SECRET_E_LOCKED;

    expect_code("ed25519", alk_secret_service_derive_ed25519(service, tenant, "m/0'", &key, &error),
                locked);
    assert_string_equal(error.text, alk_secret_strerror(locked));
    expect_code("nonsense path",
                alk_secret_service_derive_ed25519(service, tenant, "?", &key, &error), locked);
    expect_code("encryption key",
                alk_secret_service_derive_encryption_key(service, tenant, "m/0'", bytes, &error),
                locked);
    expect_code("ethereum",
                alk_secret_service_derive_ethereum_key(service, tenant, "m/0", &coin, &error),
                locked);
    expect_code(
        "password",
        alk_secret_service_derive_password(service, tenant, "m/0'", 8, text, sizeof text, &error),
        locked);
    expect_code("encrypt", alk_secret_service_encrypt(service, tenant, "a", 1, 1, &json), locked);
    expect_code("decrypt",
                alk_secret_service_decrypt(service, tenant, "{}", 2, text, sizeof text, &len),
                locked);
    expect_code("rotate", alk_secret_service_rotate(service, tenant, "{}", 2, 1, &json), locked);
    expect_code("stats", alk_secret_service_stats(service, tenant, &stats), locked);
    expect_code("lock", alk_secret_service_lock(service, tenant), locked);
    assert_null(json);
    assert_false(alk_secret_service_is_unlocked(service, tenant));
}

static void locked_refuses(void **state)
{
    uint64_t clock = 0;
    struct alk_secret_service *service = new_service(&clock);

    (void)state;
    expect_all_locked(service, "a");
    unlock(service, "a", ABANDON);
    ed25519(service, "a", "m/0'");
    expect_all_locked(service, "b");
    expect_code("lock", alk_secret_service_lock(service, "a"), 0);
    expect_all_locked(service, "a");
    expect_code("lock all", alk_secret_service_lock(service, NULL), ALK_SECRET_E_LOCKED);
    alk_secret_service_free(service);
    alk_secret_service_free(NULL);
}

static void a_wrong_phrase_changes_nothing(void **state)
{
    static const struct {
        const char *tenant, *mnemonic;
        int code;
    } wrong[] = {
        {"a", "abandon abandon", ALK_SECRET_E_WORD_COUNT},
        {"a", "abandon abandon abandon abandon zzzzz", ALK_SECRET_E_WORD},
        {"a", ABANDON " abandon", ALK_SECRET_E_WORD_COUNT},
        {"a", LEGAL, ALK_SECRET_E_UNLOCKED},
        {"b", "abandon abandon", ALK_SECRET_E_WORD_COUNT},
        {"", ABANDON, ALK_SECRET_E_TENANT},
        {"two words", ABANDON, ALK_SECRET_E_TENANT},
        {NULL, ABANDON, ALK_SECRET_E_TENANT},
        {"0123456789012345678901234567890123456789012345678901234567890123x", ABANDON,
         ALK_SECRET_E_TENANT},
    };
    uint64_t clock = 0;
    struct alk_secret_service *service = new_service(&clock);
    struct alk_secret_ed25519 before, after;

    (void)state;
    unlock(service, "a", ABANDON);
    before = ed25519(service, "a", "m/1'");
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct alk_secret_error error = {""};
        expect_code(
            wrong[i].mnemonic,
            alk_secret_service_unlock(service, wrong[i].tenant, wrong[i].mnemonic, "", &error),
            wrong[i].code);
        assert_true(error.text[0] != '\0');
        assert_true(alk_secret_service_is_unlocked(service, "a"));
        assert_false(alk_secret_service_is_unlocked(service, "b"));
        after = ed25519(service, "a", "m/1'");
        assert_memory_equal(&before, &after, sizeof before);
    }
    unlock(service, "a", ABANDON); /* the same phrase again is fine */
    alk_secret_service_free(service);
}

static void tenants_are_apart(void **state)
{
    uint64_t clock = 0;
    struct alk_secret_service *service = new_service(&clock);
    struct alk_secret_ed25519 a, b;
    struct alk_secret_error error;
    char *json, text[256];
    size_t len = 0;

    (void)state;
    unlock(service, "a", ABANDON);
    unlock(service, "b", LEGAL);
    expect_code("a third", alk_secret_service_unlock(service, "c", LEGAL, "", &error),
                ALK_SECRET_E_TENANT);
    a = ed25519(service, "a", "m/0'");
    b = ed25519(service, "b", "m/0'");
    assert_memory_not_equal(&a, &b, sizeof a);
    expect_code("encrypt", alk_secret_service_encrypt(service, "a", "mine", 4, 1, &json), 0);
    expect_code(
        "theirs",
        alk_secret_service_decrypt(service, "b", json, strlen(json), text, sizeof text, &len),
        ALK_SECRET_E_RECORD);
    expect_code(
        "mine",
        alk_secret_service_decrypt(service, "a", json, strlen(json), text, sizeof text, &len), 0);
    assert_int_equal(len, 4);
    assert_memory_equal(text, "mine", 4);
    expect_code("lock a", alk_secret_service_lock(service, "a"), 0);
    b = ed25519(service, "b", "m/0'"); /* b is still there */
    expect_code("a is gone", alk_secret_service_derive_ed25519(service, "a", "m/0'", &a, NULL),
                ALK_SECRET_E_LOCKED);
    free(json);
    alk_secret_service_free(service);
}

static void expect_stats(struct alk_secret_service *service, uint64_t hits, uint64_t misses,
                         unsigned keys)
{
    struct alk_secret_stats got;

    expect_code("stats", alk_secret_service_stats(service, "a", &got), 0);
    if (got.hits != hits || got.misses != misses || got.keys != keys)
        fail_msg("expected %u hits, %u misses, %u keys; got %u, %u, %u", (unsigned)hits,
                 (unsigned)misses, keys, (unsigned)got.hits, (unsigned)got.misses, got.keys);
}

static void keys_expire(void **state)
{
    uint64_t clock = 5000;
    struct alk_secret_service *service = new_service(&clock);

    (void)state;
    unlock(service, "a", ABANDON);
    ed25519(service, "a", "m/1'");
    expect_stats(service, 0, 1, 1);
    clock += 999;
    ed25519(service, "a", "m/1'");
    expect_stats(service, 1, 1, 1);
    assert_int_equal(alk_secret_service_sweep(service), 0);
    clock += 1; /* an hour of use does not prolong a key's life */
    assert_int_equal(alk_secret_service_sweep(service), 1);
    expect_stats(service, 1, 1, 0);
    ed25519(service, "a", "m/1'");
    expect_stats(service, 1, 2, 1);
    clock -= 10; /* a clock that went back expires rather than prolongs */
    ed25519(service, "a", "m/1'");
    expect_stats(service, 1, 3, 1);
    alk_secret_service_free(service);
}

static void the_cache_is_bounded(void **state)
{
    uint64_t clock = 0;
    struct alk_secret_service *service = new_service(&clock);
    struct alk_secret_secp256k1 coin;

    (void)state;
    unlock(service, "a", ABANDON);
    for (clock = 0; clock < 4; clock++) {
        static const char *const paths[] = {"m/0'", "m/1'", "m/2'", "m/3'"};
        ed25519(service, "a", paths[clock]);
    }
    expect_stats(service, 0, 4, 3);
    ed25519(service, "a", "m/1'"); /* kept */
    expect_stats(service, 1, 4, 3);
    ed25519(service, "a", "m/0'"); /* the oldest went */
    expect_stats(service, 1, 5, 3);
    /* the same path on the other curve is another key */
    expect_code("ethereum",
                alk_secret_service_derive_ethereum_key(service, "a", "m/0'", &coin, NULL), 0);
    expect_stats(service, 1, 6, 3);
    alk_secret_service_free(service);
}

static void ten_thousand_records_rotate(void **state)
{
    uint64_t clock = 0;
    struct alk_secret_service *service = new_service(&clock);

    (void)state;
    unlock(service, "a", ABANDON);
    for (unsigned i = 0; i < 10000; i++) {
        char text[32], got[256], *old, *rotated;
        size_t len = 0;
        int n = snprintf(text, sizeof text, "record %u", i);
        expect_code("encrypt", alk_secret_service_encrypt(service, "a", text, (size_t)n, 1, &old),
                    0);
        expect_code("rotate",
                    alk_secret_service_rotate(service, "a", old, strlen(old), 2, &rotated), 0);
        assert_memory_equal(rotated, "{\"key_version\":2,", 17);
        expect_code("decrypt",
                    alk_secret_service_decrypt(service, "a", rotated, strlen(rotated), got,
                                               sizeof got, &len),
                    0);
        assert_int_equal(len, n);
        assert_memory_equal(got, text, len);
        rotated[15] = '1'; /* the version is bound to the text */
        expect_code("version set back",
                    alk_secret_service_decrypt(service, "a", rotated, strlen(rotated), got,
                                               sizeof got, &len),
                    ALK_SECRET_E_RECORD);
        free(old);
        free(rotated);
    }
    alk_secret_service_free(service);
}

static void bad_arguments_have_their_errors(void **state)
{
    uint64_t clock = 0;
    struct alk_secret_service *service = new_service(&clock);
    struct alk_secret_ed25519 key;
    struct alk_secret_options options;
    char *json = NULL, text[200];
    size_t len = 0;

    (void)state;
    unlock(service, "a", ABANDON);
    expect_code("unhardened", alk_secret_service_derive_ed25519(service, "a", "m/0", &key, NULL),
                ALK_SECRET_E_HARDENED);
    expect_code("index",
                alk_secret_service_derive_ed25519(service, "a", "m/2147483648'", &key, NULL),
                ALK_SECRET_E_INDEX);
    expect_code("short",
                alk_secret_service_derive_password(service, "a", "m/0'", 7, text, 200, NULL),
                ALK_SECRET_E_ARGUMENT);
    expect_code("long",
                alk_secret_service_derive_password(service, "a", "m/0'", 129, text, 200, NULL),
                ALK_SECRET_E_ARGUMENT);
    expect_code("no room",
                alk_secret_service_derive_password(service, "a", "m/0'", 8, text, 8, NULL),
                ALK_SECRET_E_SPACE);
    expect_code("version 0", alk_secret_service_encrypt(service, "a", "x", 1, 0, &json),
                ALK_SECRET_E_VERSION);
    expect_code("version", alk_secret_service_encrypt(service, "a", "x", 1, 0x80000001U, &json),
                ALK_SECRET_E_VERSION);
    assert_null(json);
    expect_code("encrypt", alk_secret_service_encrypt(service, "a", "four", 4, 1, &json), 0);
    expect_code("no room",
                alk_secret_service_decrypt(service, "a", json, strlen(json), text, 3, &len),
                ALK_SECRET_E_SPACE);
    free(json);
    alk_secret_service_free(service);
    alk_secret_options_init(&options);
    options.tenants = 0;
    expect_code("no tenants", alk_secret_service_new(&options, &service), ALK_SECRET_E_ARGUMENT);
}

struct worker {
    struct alk_secret_service *service;
    atomic_bool *stop;
    atomic_uint *done;
    unsigned seed;
};

/* Derives and decrypts all the time; LOCKED is the only error that may come. */
static void *work(void *arg)
{
    struct worker *w = arg;
    uintptr_t wrong = 0;

    for (unsigned i = w->seed; !atomic_load(w->stop); i++) {
        struct alk_secret_ed25519 key;
        char path[32], *json = NULL;
        int r;
        snprintf(path, sizeof path, "m/%u'", i % 7);
        r = alk_secret_service_derive_ed25519(w->service, "a", path, &key, NULL);
        wrong += r != 0 && r != ALK_SECRET_E_LOCKED;
        r = alk_secret_service_encrypt(w->service, "a", path, strlen(path), 1 + i % 2, &json);
        wrong += r != 0 && r != ALK_SECRET_E_LOCKED;
        free(json);
        atomic_fetch_add(w->done, 1);
    }
    return (void *)wrong;
}

static void lock_while_eight_threads_derive(void **state)
{
    uint64_t clock = 0;
    struct alk_secret_service *service = new_service(&clock);
    struct worker workers[8];
    pthread_t threads[8];
    atomic_bool stop = false;
    atomic_uint done = 0;

    (void)state;
    for (unsigned i = 0; i < 8; i++) {
        workers[i] = (struct worker){service, &stop, &done, i};
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    }
    for (unsigned round = 0; round < 20; round++) {
        unsigned before;
        unlock(service, "a", round % 2 ? ABANDON : LEGAL);
        before = atomic_load(&done);
        while (atomic_load(&done) < before + 50)
            sched_yield();
        expect_code("lock", alk_secret_service_lock(service, "a"), 0);
        assert_false(alk_secret_service_is_unlocked(service, "a"));
        alk_secret_service_sweep(service);
    }
    atomic_store(&stop, true);
    for (unsigned i = 0; i < 8; i++) {
        void *wrong;
        pthread_join(threads[i], &wrong);
        assert_null(wrong);
    }
    alk_secret_service_free(service);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(locked_refuses),
        cmocka_unit_test(a_wrong_phrase_changes_nothing),
        cmocka_unit_test(tenants_are_apart),
        cmocka_unit_test(keys_expire),
        cmocka_unit_test(the_cache_is_bounded),
        cmocka_unit_test(ten_thousand_records_rotate),
        cmocka_unit_test(bad_arguments_have_their_errors),
        cmocka_unit_test(lock_while_eight_threads_derive),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
