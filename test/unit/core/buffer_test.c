/* The byte queue: growth, ceiling, moving. */
#include "base/buffer.h"

#include <alk/status.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void test_ceiling(void **state)
{
    static const size_t ceilings[] = {1, 7, 100, 511, 512, 513, 5000};
    static const uint8_t bytes[6000] = {1};

    (void)state;
    for (size_t i = 0; i < sizeof(ceilings) / sizeof(ceilings[0]); i++) {
        size_t max = ceilings[i];
        struct alk_buffer b = alk_buffer(max);

        assert_int_equal(alk_buffer_append(&b, bytes, max + 1), ALK_E_LIMIT);
        assert_int_equal(alk_buffer_len(&b), 0);
        assert_int_equal(alk_buffer_append(&b, bytes, max), 0);
        assert_int_equal(alk_buffer_append(&b, bytes, 1), ALK_E_LIMIT);
        assert_null(alk_buffer_reserve(&b, SIZE_MAX));
        assert_null(alk_buffer_reserve(&b, SIZE_MAX - max + 1)); /* a sum that overflows */
        assert_int_equal(alk_buffer_len(&b), max);
        assert_true(b.capacity <= 2 * max || b.capacity <= 512);
        alk_buffer_consume(&b, 1);
        assert_int_equal(alk_buffer_append(&b, bytes, 1), 0);
        alk_buffer_free(&b);
    }
}

static void test_nothing_in_nothing(void **state)
{
    struct alk_buffer b = alk_buffer(100);

    (void)state;
    assert_int_equal(alk_buffer_len(&b), 0);
    assert_null(alk_buffer_head(&b));
    assert_int_equal(alk_buffer_append(&b, NULL, 0), 0);
    alk_buffer_trim(&b);
    assert_non_null(alk_buffer_reserve(&b, 0));
    alk_buffer_free(&b);
    alk_buffer_free(&b);
    assert_int_equal(alk_buffer_append(&b, "x", 1), 0); /* usable again */
    alk_buffer_free(&b);
}

/* A model beside it: the bytes are numbered, so order and loss are seen at once. */
static void test_random_walk(void **state)
{
    enum { MAX = 3000 };
    struct alk_buffer b = alk_buffer(MAX);
    uint32_t random = 1;
    uint64_t in = 0, out = 0;

    (void)state;
    for (int step = 0; step < 200000; step++) {
        random = random * 1664525U + 1013904223U;
        size_t n = random >> 8 & 1023;
        if (random >> 31) {
            uint8_t *at = alk_buffer_reserve(&b, n);
            assert_int_equal(at != NULL, in - out + n <= MAX);
            for (size_t i = 0; at != NULL && i < n; i++)
                at[i] = (uint8_t)((in + i) * 7);
            if (at != NULL) {
                alk_buffer_commit(&b, n);
                in += n;
            }
        } else {
            n = n > in - out ? in - out : n;
            for (size_t i = 0; i < n; i++)
                assert_int_equal(alk_buffer_head(&b)[i], (uint8_t)((out + i) * 7));
            alk_buffer_consume(&b, n);
            out += n;
            if (step % 64 == 0)
                alk_buffer_trim(&b);
        }
        assert_int_equal(alk_buffer_len(&b), in - out);
        assert_true(b.capacity <= 2 * MAX);
    }
    alk_buffer_free(&b);
}

/* A queue that stays long is not moved for each append. */
static void test_moving_is_rare(void **state)
{
    enum { LONG = 100000 };
    static uint8_t bytes[LONG];
    struct alk_buffer b = alk_buffer(LONG + 100);
    unsigned moves = 0;

    (void)state;
    assert_int_equal(alk_buffer_append(&b, bytes, LONG), 0);
    for (int i = 0; i < 10000; i++) {
        size_t head = b.head;
        assert_int_equal(alk_buffer_append(&b, bytes, 100), 0);
        moves += b.head < head;
        alk_buffer_consume(&b, 100);
    }
    assert_in_range(moves, 1, 10 + 10000 * 100 / LONG);
    alk_buffer_free(&b);
}

static void test_trim_keeps_content(void **state)
{
    struct alk_buffer b = alk_buffer(1000);

    (void)state;
    assert_int_equal(alk_buffer_append(&b, "secret", 6), 0);
    alk_buffer_trim(&b);
    assert_memory_equal(alk_buffer_head(&b), "secret", 6);
    alk_buffer_consume(&b, 6);
    assert_int_equal(b.head, 0);
    alk_buffer_trim(&b);
    assert_null(b.data);
    assert_int_equal(b.max, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ceiling),
        cmocka_unit_test(test_nothing_in_nothing),
        cmocka_unit_test(test_random_walk),
        cmocka_unit_test(test_moving_is_rare),
        cmocka_unit_test(test_trim_keeps_content),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
