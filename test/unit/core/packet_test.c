/* Packets without a cipher: framing, limits and counts. (Under ciphers: cipher_test.c) */
#include "ssh/packet.h"

#include <alk/key.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static int prepare(void **state)
{
    (void)state;
    return alk_crypto_init();
}

static struct alk_packets none(void)
{
    struct alk_packets p = {0};

    alk_cipher_clear(&p.cipher);
    return p;
}

static void test_taken_byte_by_byte(void **state)
{
    static const uint8_t packet[] = {0, 0, 0, 12, 6, 'h', 'e', 'l', 'l', 'o', 0, 0, 0, 0, 0, 0};
    struct alk_packets p = none();
    struct alk_buffer in = alk_buffer(1000);
    uint8_t *payload;
    size_t len;

    (void)state;
    for (size_t i = 0; i < sizeof(packet); i++) {
        assert_int_equal(alk_packet_open(&p, &in, 1000, &payload, &len), 0);
        assert_int_equal(alk_buffer_append(&in, packet + i, 1), 0);
    }
    assert_int_equal(alk_packet_open(&p, &in, 1000, &payload, &len), 1);
    assert_int_equal(len, 5);
    assert_memory_equal(payload, "hello", 5);
    assert_int_equal(alk_packet_open(&p, &in, 1000, &payload, &len), 0);
    assert_int_equal(p.sequence, 1);
    assert_int_equal(p.packets, 1);
    assert_int_equal(p.bytes, 16);
    alk_buffer_free(&in);
}

static void test_length_and_padding(void **state)
{
    enum { MORE = 0, TAKEN = 1 };
    static const struct {
        uint32_t length;
        uint8_t padding;
        int result;
    } table[] = {
        {12, 4, TAKEN},
        {12, 10, TAKEN}, /* a payload of one byte */
        {12, 11, ALK_E_PROTO},
        {12, 12, ALK_E_PROTO},
        {12, 3, ALK_E_PROTO},
        {12, 255, ALK_E_PROTO},
        {4, 4, ALK_E_PROTO}, /* whole blocks, but no room for anything */
        {0, 0, ALK_E_PROTO},
        {6, 4, ALK_E_PROTO}, /* no whole blocks */
        {11, 4, ALK_E_PROTO},
        {13, 4, ALK_E_PROTO},
        {100, 4, TAKEN}, /* as long as allowed */
        {108, 4, ALK_E_PROTO},
        {UINT32_MAX, 4, ALK_E_PROTO},
        {UINT32_MAX - 3, 4, ALK_E_PROTO}, /* 4 + length overflows to a whole block */
        {1U << 31, 4, ALK_E_PROTO},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        uint8_t bytes[120] = {(uint8_t)(table[i].length >> 24), (uint8_t)(table[i].length >> 16),
                              (uint8_t)(table[i].length >> 8), (uint8_t)table[i].length,
                              table[i].padding};
        struct alk_packets p = none();
        struct alk_buffer in = alk_buffer(1000);
        uint8_t *payload;
        size_t len;

        assert_int_equal(alk_buffer_append(&in, bytes, sizeof(bytes)), 0);
        int got = alk_packet_open(&p, &in, 100, &payload, &len);
        if (got != table[i].result)
            fail_msg("length %u, padding %u: expected %d, got %d", table[i].length,
                     table[i].padding, table[i].result, got);
        if (got == TAKEN)
            assert_int_equal(len, table[i].length - 1 - table[i].padding);
        alk_buffer_free(&in);
    }
}

static void test_padding_is_as_short_as_may_be(void **state)
{
    struct alk_packets p = none();
    struct alk_buffer out = alk_buffer(100000);

    (void)state;
    for (size_t len = 1; len <= 64; len++) {
        size_t before = alk_buffer_len(&out);
        uint8_t *payload = alk_packet_reserve(&out, len);
        memset(payload, 0, len);
        assert_int_equal(alk_packet_seal(&p, &out, len), 0);
        uint8_t *packet = alk_buffer_head(&out) + before;
        assert_in_range(packet[4], 4, 11);
        assert_int_equal(alk_buffer_len(&out) - before, 5 + len + packet[4]);
    }
    alk_buffer_free(&out);
}

static void test_full_output(void **state)
{
    struct alk_buffer out = alk_buffer(200);

    (void)state;
    assert_null(alk_packet_reserve(&out, 200));
    assert_non_null(alk_packet_reserve(&out, 200 - ALK_PACKET_OVERHEAD));
    assert_null(alk_packet_reserve(&out, 200 - ALK_PACKET_OVERHEAD + 1));
    alk_buffer_free(&out);
}

/* The last packet number under a key is used once, and none after it. */
static void test_numbers_run_out(void **state)
{
    struct alk_packets tx = none(), rx = none();
    struct alk_buffer wire = alk_buffer(1000);
    uint8_t *payload;
    size_t len;

    (void)state;
    tx.packets = rx.packets = ALK_PACKET_COUNT_MAX - 1;
    for (int i = 0; i < 2; i++) {
        payload = alk_packet_reserve(&wire, 5);
        memset(payload, 1, 5);
        assert_int_equal(alk_packet_seal(&tx, &wire, 5), i == 0 ? ALK_OK : ALK_E_LIMIT);
    }
    assert_int_equal(alk_packet_open(&rx, &wire, 1000, &payload, &len), 1);
    assert_int_equal(alk_buffer_len(&wire), 0);
    tx.packets = 0;
    alk_packet_reserve(&wire, 5);
    assert_int_equal(alk_packet_seal(&tx, &wire, 5), 0);
    assert_int_equal(alk_packet_open(&rx, &wire, 1000, &payload, &len), ALK_E_LIMIT);
    alk_buffer_free(&wire);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_taken_byte_by_byte),
        cmocka_unit_test(test_length_and_padding),
        cmocka_unit_test(test_padding_is_as_short_as_may_be),
        cmocka_unit_test(test_full_output),
        cmocka_unit_test(test_numbers_run_out),
    };
    return cmocka_run_group_tests(tests, prepare, NULL);
}
