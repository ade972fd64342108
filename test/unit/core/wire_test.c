/* SSH's data types: the vectors of RFC 4251 section 5, and bounds. */
#include "ssh/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

static void reads_every_type(void **state)
{
    static const uint8_t data[] = "\x80\x00\x02\x29\xb7\xf4\xaa\x01\x02\x03\x04\x05\x06\x07\x08"
                                  "\x00\x00\x00\x07testing\x00\x00\x00\x02hi\xee";
    struct alk_reader r = alk_reader(data, sizeof(data) - 1);
    char text[3];

    (void)state;
    assert_int_equal(alk_get_u8(&r), 0x80);
    assert_false(alk_get_bool(&r));
    assert_true(alk_get_bool(&r)); /* any value but 0 is true */
    assert_int_equal(alk_get_u32(&r), 0x29b7f4aa);
    assert_true(alk_get_u64(&r) == UINT64_C(0x0102030405060708));
    assert_true(alk_bytes_equal(alk_get_string(&r), "testing"));
    alk_get_text(&r, text, sizeof(text));
    assert_string_equal(text, "hi");
    assert_true(alk_reader_ok(&r));
    assert_false(alk_reader_done(&r));
    assert_int_equal(alk_get_bytes(&r, 1).data[0], 0xee);
    assert_true(alk_reader_done(&r));
}

static void a_short_read_breaks_the_reader_for_good(void **state)
{
    static const uint8_t data[8] = {1, 2, 3, 4, 5, 6, 7, 8};

    (void)state;
    for (size_t len = 0; len < 8; len++) {
        struct alk_reader r = alk_reader(data, len);
        (void)alk_get_u64(&r);
        assert_false(alk_reader_ok(&r));
        assert_false(alk_reader_done(&r));
        assert_int_equal(alk_get_u8(&r), 0);
        assert_int_equal(alk_get_u32(&r), 0);
        assert_int_equal(alk_get_bytes(&r, 0).len, 0);
        assert_int_equal(alk_get_string(&r).len, 0);
    }
}

static void lengths_beyond_the_end_are_refused(void **state)
{
    static const struct {
        uint8_t data[8];
        size_t len;
    } cases[] = {
        {{0, 0, 0, 5, 1, 2, 3, 4}, 8},
        {{0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4}, 8},
        {{0x7f, 0xff, 0xff, 0xff, 1, 2, 3, 4}, 8},
        {{0, 0, 0, 1}, 4},
        {{0, 0, 0}, 3},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct alk_reader r = alk_reader(cases[i].data, cases[i].len);
        struct alk_bytes bytes = alk_get_string(&r);
        assert_false(alk_reader_ok(&r));
        assert_int_equal(bytes.len, 0);
        assert_non_null(bytes.data);
    }
    struct alk_reader r = alk_reader("\0\0\0\x02"
                                     "ab",
                                     6);
    assert_int_equal(alk_get_bytes(&r, SIZE_MAX).len, 0);
    assert_false(alk_reader_ok(&r));
}

static void text_must_fit_and_hold_no_nul(void **state)
{
    char text[4] = "old";
    struct alk_reader r = alk_reader("\0\0\0\x03"
                                     "abc",
                                     7);

    (void)state;
    alk_get_text(&r, text, sizeof(text));
    assert_string_equal(text, "abc");
    assert_true(alk_reader_done(&r));
    r = alk_reader("\0\0\0\x03"
                   "abc",
                   7);
    alk_get_text(&r, text, 3);
    assert_string_equal(text, "");
    assert_false(alk_reader_ok(&r));
    r = alk_reader("\0\0\0\x03"
                   "a\0c",
                   7);
    alk_get_text(&r, text, sizeof(text));
    assert_string_equal(text, "");
    assert_false(alk_reader_ok(&r));
}

static void writes_what_it_reads(void **state)
{
    uint8_t data[64];
    struct alk_writer w = alk_writer(data, sizeof(data));

    (void)state;
    alk_put_u8(&w, 7);
    alk_put_u32(&w, 0x29b7f4aa);
    alk_put_u64(&w, UINT64_C(0x0102030405060708));
    alk_put_text(&w, "testing");
    alk_put_string(&w, NULL, 0);
    alk_put_bytes(&w, "x", 1);
    assert_false(w.broken);
    assert_int_equal(alk_writer_len(&w), 1 + 4 + 8 + 11 + 4 + 1);
    assert_memory_equal(data,
                        "\x07\x29\xb7\xf4\xaa\x01\x02\x03\x04\x05\x06\x07\x08\0\0\0\x07testing"
                        "\0\0\0\0x",
                        alk_writer_len(&w));
}

static void a_full_writer_is_broken_and_writes_nothing_more(void **state)
{
    uint8_t data[6] = {9, 9, 9, 9, 9, 9};
    struct alk_writer w = alk_writer(data, 5);

    (void)state;
    alk_put_u32(&w, 1);
    alk_put_u32(&w, 2);
    assert_true(w.broken);
    assert_int_equal(alk_writer_len(&w), 4);
    alk_put_u8(&w, 1); /* would fit, but the message has a hole already */
    assert_int_equal(alk_writer_len(&w), 4);
    assert_memory_equal(data, "\0\0\0\x01\x09\x09", 6);
}

/* RFC 4251 section 5; negative numbers do not occur in the protocol parts in use */
static void writes_mpints(void **state)
{
    static const struct {
        const char *magnitude;
        size_t len;
        const char *expected;
        size_t expected_len;
    } cases[] = {
        {"", 0, "\0\0\0\0", 4},
        {"\0", 1, "\0\0\0\0", 4},
        {"\0\0\0", 3, "\0\0\0\0", 4},
        {"\x09\xa3\x78\xf9\xb2\xe3\x32\xa7", 8, "\0\0\0\x08\x09\xa3\x78\xf9\xb2\xe3\x32\xa7", 12},
        {"\x80", 1, "\0\0\0\x02\0\x80", 6},
        {"\0\0\x80", 3, "\0\0\0\x02\0\x80", 6},
        {"\0\x7f", 2, "\0\0\0\x01\x7f", 5},
        {"\xff\xff", 2, "\0\0\0\x03\0\xff\xff", 7},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t data[32];
        struct alk_writer w = alk_writer(data, sizeof(data));

        alk_put_mpint(&w, (const uint8_t *)cases[i].magnitude, cases[i].len);
        assert_int_equal(alk_writer_len(&w), cases[i].expected_len);
        assert_memory_equal(data, cases[i].expected, cases[i].expected_len);
        for (size_t size = 0; size < cases[i].expected_len; size++) {
            w = alk_writer(data, size);
            alk_put_mpint(&w, (const uint8_t *)cases[i].magnitude, cases[i].len);
            assert_true(w.broken);
        }
    }
}

static void compares_bytes_with_text(void **state)
{
    struct alk_bytes bytes = {.data = (const uint8_t *)"ab\0", .len = 2};

    (void)state;
    assert_true(alk_bytes_equal(bytes, "ab"));
    assert_false(alk_bytes_equal(bytes, "a"));
    assert_false(alk_bytes_equal(bytes, "abc"));
    bytes.len = 3;
    assert_false(alk_bytes_equal(bytes, "ab"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_type),
        cmocka_unit_test(a_short_read_breaks_the_reader_for_good),
        cmocka_unit_test(lengths_beyond_the_end_are_refused),
        cmocka_unit_test(text_must_fit_and_hold_no_nul),
        cmocka_unit_test(writes_what_it_reads),
        cmocka_unit_test(a_full_writer_is_broken_and_writes_nothing_more),
        cmocka_unit_test(writes_mpints),
        cmocka_unit_test(compares_bytes_with_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
