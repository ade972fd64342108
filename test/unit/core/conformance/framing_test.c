/*
 * Packets (RFC 4253 section 6; RFC 5647 and chacha20-poly1305 as OpenSSH frames them), swept for
 * each cipher and both roles: every length of padding, every length field around the limits,
 * every byte spoilt, every pair of ciphers for the two directions.
 */
#include "support/script.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { BODY_MAX = 262144 + 64, CIPHERS = 5 };

static const struct format {
    const char *cipher, *mac;
    uint32_t block;
    bool apart; /* the blocks begin behind the length field */
} formats[CIPHERS] = {
    {"aes256-gcm@openssh.com", "hmac-sha2-256", 16, true},
    {"chacha20-poly1305@openssh.com", "hmac-sha2-256", 8, true},
    {"aes256-ctr", "hmac-sha2-256-etm@openssh.com", 16, true},
    {"aes256-ctr", "hmac-sha2-512-etm@openssh.com", 16, true},
    {"aes256-ctr", "hmac-sha2-256", 16, false},
};
static const struct format unkeyed = {"none", "none", 8, false};

static struct script s;
static uint8_t packet[BODY_MAX + 128];

static void begin(enum alk_ssh_role role, const struct format *up, const struct format *down,
                  enum script_at at)
{
    struct alk_ssh_options options = ALK_SSH_OPTIONS_INIT;

    options.ciphers = "aes256-gcm@openssh.com,chacha20-poly1305@openssh.com,aes256-ctr";
    script_start(&s, role, &options);
    s.lists[2] = up->cipher;
    s.lists[3] = down->cipher;
    s.lists[4] = up->mac;
    s.lists[5] = down->mac;
    script_to(&s, at);
}

/* A session whose next packet has this format; before the keys it is one without strictness. */
static void begin_with(enum alk_ssh_role role, const struct format *f, enum script_at at)
{
    if (f != &unkeyed) {
        begin(role, f, f, at);
        return;
    }
    script_start(&s, role, NULL);
    s.strict = false;
    script_to(&s, AT_INIT);
}

/* A packet with this length field and padding length, whose payload begins as an IGNORE. More
 * bytes follow, so that no engine waits for the rest of a packet that it should refuse. */
static void send_packet(uint32_t length, unsigned padding)
{
    memset(packet, 0, length + 128);
    packet[4] = (uint8_t)padding;
    packet[5] = SSH_MSG_IGNORE;
    s.now++;
    script_bytes(&s, packet, script_seal_body(&s, packet, length));
}

/* Was the last packet taken as one? */
static bool was_taken(void)
{
    return alk_ssh_heard(s.ssh) == s.now;
}

static void send_rest(void)
{
    static const uint8_t rest[256];

    if (s.status == 0)
        script_bytes(&s, rest, sizeof(rest));
}

/* Blocks, and at least one byte of payload and four of padding. */
static bool is_legal(const struct format *f, uint32_t length, unsigned padding, uint32_t most)
{
    uint32_t padded = f->apart ? length : length + 4;

    return length <= most && padded % f->block == 0 && padded >= f->block && padding >= 4 &&
           length >= padding + 2;
}

static void check(const struct format *f, enum alk_ssh_role role, uint32_t length, unsigned padding,
                  uint32_t most)
{
    bool legal = is_legal(f, length, padding, most);

    if (was_taken() != legal || s.status != (legal ? 0 : ALK_E_PROTO))
        fail_msg("%s, %s, %s: length %u, padding %u: %s, but the engine says %d %s",
                 role == ALK_SSH_SERVER ? "server" : "client", f->cipher, f->mac, length, padding,
                 legal ? "legal" : "illegal", s.status, alk_ssh_error(s.ssh)->text);
    if (!legal)
        assert_int_equal(script_reason(&s), ALK_SSH_BY_PROTOCOL_ERROR);
}

static void try_one(const struct format *f, enum alk_ssh_role role, enum script_at at,
                    uint32_t length, unsigned padding, uint32_t most)
{
    begin_with(role, f, at);
    send_packet(length, padding);
    if (!is_legal(f, length, padding, most))
        send_rest();
    check(f, role, length, padding, most);
    script_free(&s);
}

static void for_each(void (*run)(const struct format *f, enum alk_ssh_role role))
{
    for (enum alk_ssh_role role = ALK_SSH_SERVER; role <= ALK_SSH_CLIENT; role++) {
        run(&unkeyed, role);
        for (int i = 0; i < CIPHERS; i++)
            run(&formats[i], role);
    }
}

/* ---- padding ---- */

/* The length field of the smallest packet with so much padding. */
static uint32_t length_for(const struct format *f, unsigned padding)
{
    uint32_t length = 1 + 1 + padding;

    while ((f->apart ? length : length + 4) % f->block != 0)
        length++;
    return length;
}

static void every_padding(const struct format *f, enum alk_ssh_role role)
{
    enum script_at at = AT_OPEN;

    for (unsigned padding = 0; padding < 4; padding++)
        try_one(f, role, at, length_for(f, padding), padding, 35000);
    begin_with(role, f, at);
    for (unsigned padding = 4; padding < 256; padding++) {
        send_packet(length_for(f, padding), padding);
        check(f, role, length_for(f, padding), padding, 35000);
    }
    script_free(&s);
}

static void test_every_padding(void **state)
{
    (void)state;
    for_each(every_padding);
}

/* A padding length that the packet has no room for, or that leaves no payload. */
static void every_claim_of_padding(const struct format *f, enum alk_ssh_role role)
{
    uint32_t length = f->apart ? 32 : 28;

    for (unsigned padding = 0; padding < 256; padding += padding < length + 2 ? 1 : 13)
        try_one(f, role, AT_OPEN, length, padding, 35000);
}

static void test_every_claim_of_padding(void **state)
{
    (void)state;
    for_each(every_claim_of_padding);
}

/* ---- lengths ---- */

static void every_short_length(const struct format *f, enum alk_ssh_role role)
{
    for (uint32_t length = 0; length <= 64; length++)
        try_one(f, role, AT_SERVICE, length, 4, 35000);
}

static void test_every_short_length(void **state)
{
    (void)state;
    for_each(every_short_length);
}

static void lengths_at_the_limit(const struct format *f, enum alk_ssh_role role)
{
    for (uint32_t length = 35000 - 20; length <= 35000 + 20; length++)
        try_one(f, role, AT_AUTH, length, 4, 35000);
    if (f == &unkeyed)
        return;
    for (uint32_t length = 262144 - 20; length <= 262144 + 20; length++)
        try_one(f, role, AT_OPEN, length, 4, 262144);
}

static void test_lengths_at_the_limit(void **state)
{
    (void)state;
    for_each(lengths_at_the_limit);
}

/* ---- spoilt packets ---- */

static void every_byte_spoilt(const struct format *f, enum alk_ssh_role role)
{
    static const uint8_t payload[] = {SSH_MSG_IGNORE, 0, 0, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8};
    static uint8_t rest[BODY_MAX];
    size_t len = 1;

    if (f == &unkeyed)
        return;
    for (size_t at = 0; at < len; at++) {
        begin_with(role, f, AT_OPEN);
        len = script_seal(&s, payload, sizeof(payload), 0, packet);
        packet[at] ^= 0x10;
        s.now++;
        script_bytes(&s, packet, len);
        assert_false(was_taken());
        /* a length that became larger waits for more, and the MAC tells then */
        if (s.status == 0 && (at < 4 || !f->apart))
            script_bytes(&s, rest, sizeof(rest));
        if (s.status != ALK_E_CRYPTO && (s.status != ALK_E_PROTO || (f->apart && at >= 4)))
            fail_msg("%s, %s: byte %zu spoilt: %d %s", f->cipher, f->mac, at, s.status,
                     alk_ssh_error(s.ssh)->text);
        script_free(&s);
    }
}

static void test_every_byte_spoilt(void **state)
{
    (void)state;
    for_each(every_byte_spoilt);
}

/* ---- both directions ---- */

static void talk(void)
{
    static uint8_t payload[20009];
    struct alk_writer w = alk_writer(payload, sizeof(payload));

    assert_int_equal(script_open_channel(&s, 5, 1 << 20, 32768), 0);
    alk_put_u8(&w, SSH_MSG_CHANNEL_DATA);
    alk_put_u32(&w, 0);
    alk_put_u32(&w, 20000);
    script_send(&s, payload, sizeof(payload));
    assert_int_equal(s.received, 20000);
    assert_int_equal(alk_ssh_channel_write(s.ssh, s.channel, payload, 20000), 20000);
    script_run(&s);
    struct alk_reader r = script_take(&s, SSH_MSG_CHANNEL_DATA);
    alk_get_u32(&r);
    assert_int_equal(alk_get_string(&r).len, 20000);
    script_alive(&s);
}

static void test_each_direction_has_its_cipher(void **state)
{
    (void)state;
    for (enum alk_ssh_role role = ALK_SSH_SERVER; role <= ALK_SSH_CLIENT; role++) {
        for (int up = 0; up < CIPHERS; up++) {
            for (int down = 0; down < CIPHERS; down++) {
                begin(role, &formats[up], &formats[down], AT_OPEN);
                talk();
                script_free(&s);
            }
        }
    }
}

/* A later exchange may agree on other ciphers. */
static void test_new_keys_for_another_cipher(void **state)
{
    (void)state;
    for (enum alk_ssh_role role = ALK_SSH_SERVER; role <= ALK_SSH_CLIENT; role++) {
        for (int i = 0; i < CIPHERS; i++) {
            const struct format *next = &formats[(i + 1) % CIPHERS];
            begin(role, &formats[i], &formats[i], AT_REKEY_INIT);
            s.lists[2] = s.lists[3] = next->cipher;
            s.lists[4] = s.lists[5] = next->mac;
            script_to(&s, AT_REKEY_NEWKEYS);
            script_newkeys(&s);
            talk();
            script_free(&s);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_padding),
        cmocka_unit_test(test_every_claim_of_padding),
        cmocka_unit_test(test_every_short_length),
        cmocka_unit_test(test_lengths_at_the_limit),
        cmocka_unit_test(test_every_byte_spoilt),
        cmocka_unit_test(test_each_direction_has_its_cipher),
        cmocka_unit_test(test_new_keys_for_another_cipher),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
