/* Key exchanges after the first: with data on its way and channels opening, begun by either
 * side or by both at once. */
#include "support/pair.h"
#include "support/script.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static void put_data(struct alk_writer *w, uint32_t channel, size_t len)
{
    static const uint8_t data[1000];

    alk_put_u8(w, SSH_MSG_CHANNEL_DATA);
    alk_put_u32(w, channel);
    alk_put_string(w, data, len);
}

/* What crosses the engine's KEXINIT on its way is legal, and is handled. */
static void test_messages_that_crossed_our_kexinit(void **state)
{
    struct script s;

    (void)state;
    for (int role = 0; role < 2; role++) {
        uint8_t payload[2000];
        struct alk_writer w = alk_writer(payload, sizeof(payload));

        script_begin(&s, role == 0 ? ALK_SSH_SERVER : ALK_SSH_CLIENT, AT_OPEN);
        uint32_t id = script_open_channel(&s, 7, 1 << 20, 32768);
        script_to(&s, AT_REKEY_INIT);
        put_data(&w, id, 1000);
        script_send_writer(&s, &w);
        assert_int_equal(s.received, 1000);
        /* a second channel: its confirmation waits for the new keys */
        w = alk_writer(payload, sizeof(payload));
        alk_put_u8(&w, SSH_MSG_CHANNEL_OPEN);
        alk_put_text(&w, s.role == ALK_SSH_SERVER ? "direct-streamlocal@openssh.com"
                                                  : "forwarded-streamlocal@openssh.com");
        alk_put_u32(&w, 8);
        alk_put_u32(&w, 1000);
        alk_put_u32(&w, 1000);
        alk_put_text(&w, "/run/x");
        alk_put_text(&w, "");
        alk_put_u32(&w, 0);
        script_send_writer(&s, &w);
        assert_int_equal(s.events[ALK_SSH_CHANNEL_REQUEST], 2);
        assert_false(script_next(&s));
        /* nor can the caller send */
        assert_int_equal(alk_ssh_channel_write(s.ssh, s.channel, "x", 1), 0);
        assert_false(alk_ssh_has_room(s.ssh));
        script_to(&s, AT_REKEY_NEWKEYS);
        assert_true(script_next(&s)); /* under the new keys, the old ones being gone */
        assert_int_equal(s.payload[0], SSH_MSG_CHANNEL_OPEN_CONFIRMATION);
        script_newkeys(&s);
        assert_int_equal(alk_ssh_channel_write(s.ssh, s.channel, "x", 1), 1);
        script_run(&s);
        script_take(&s, SSH_MSG_CHANNEL_DATA);
        script_alive(&s);
        script_free(&s);
    }
}

static void test_rekey_before_the_login(void **state)
{
    struct script s;

    (void)state;
    for (int role = 0; role < 2; role++) {
        script_begin(&s, role == 0 ? ALK_SSH_SERVER : ALK_SSH_CLIENT, AT_AUTH);
        script_kexinit(&s);
        script_ecdh(&s);
        script_newkeys(&s);
        script_alive(&s);
        if (role == 0)
            script_to(&s, AT_OPEN);
        script_free(&s);
    }
}

static void test_server_may_not_change_its_key(void **state)
{
    struct script s;

    (void)state;
    script_begin(&s, ALK_SSH_CLIENT, AT_REKEY_DH);
    alk_key_free(s.host_key);
    assert_int_equal(alk_key_generate(&s.host_key), 0);
    script_reply(&s);
    script_ended(&s, ALK_E_HOSTKEY, ALK_SSH_BY_HOST_KEY);
    script_free(&s);
}

/* A peer that never answers KEXINIT, but keeps asking, cannot make us remember for ever. */
static void test_held_answers_are_bounded(void **state)
{
    static struct script s;
    uint8_t payload[4000];
    unsigned count = 0;

    (void)state;
    script_begin(&s, ALK_SSH_SERVER, AT_REKEY_INIT);
    struct alk_writer w = alk_writer(payload, sizeof(payload));
    alk_put_u8(&w, SSH_MSG_PING);
    alk_put_string(&w, (const uint8_t[3900]){0}, 3900);
    while (s.status == 0 && count++ < 2000)
        script_send_writer(&s, &w);
    assert_int_equal(s.status, ALK_E_LIMIT);
    assert_in_range(count, 400, 600); /* 2 MiB */
    script_free(&s);
}

/* ---- a peer that leaves an exchange unfinished ---- */

static const enum script_at unfinished[] = {AT_REKEY_INIT, AT_REKEY_DH, AT_REKEY_NEWKEYS};

static void start_never_idle(struct script *s, enum alk_ssh_role role, enum script_at at)
{
    struct alk_ssh_options options = ALK_SSH_OPTIONS_INIT;

    options.keepalive_ms = UINT64_MAX;
    script_start(s, role, &options);
    script_to(s, at);
}

static void test_unfinished_exchange_ends_in_time(void **state)
{
    enum { LIMIT_MS = 120 * 1000 };
    static struct script s;

    (void)state;
    for (enum alk_ssh_role role = ALK_SSH_SERVER; role <= ALK_SSH_CLIENT; role++) {
        for (size_t i = 0; i < sizeof(unfinished) / sizeof(unfinished[0]); i++) {
            start_never_idle(&s, role, unfinished[i]);
            uint64_t end = s.now + LIMIT_MS;
            s.now = end - 1;
            alk_ssh_tick(s.ssh, s.now);
            script_send_type(&s, SSH_MSG_IGNORE); /* signs of life change nothing */
            script_alive(&s);
            assert_int_equal(alk_ssh_deadline(s.ssh), end);
            s.now = end;
            alk_ssh_tick(s.ssh, s.now);
            script_run(&s);
            script_ended(&s, ALK_E_TIMEOUT, ALK_SSH_BY_KEX_FAILED);
            script_free(&s);
        }
    }
}

static void test_finished_exchange_has_no_limit(void **state)
{
    static struct script s;

    (void)state;
    start_never_idle(&s, ALK_SSH_SERVER, AT_REKEY_NEWKEYS);
    script_newkeys(&s);
    s.now += 3000 * 1000;
    alk_ssh_tick(s.ssh, s.now);
    script_run(&s);
    script_alive(&s);
    script_free(&s);
}

static void test_unfinished_exchange_ends_by_bytes(void **state)
{
    enum { LIMIT = 256 * 1024 * 1024, EACH = 200000 };
    static const uint8_t payload[EACH] = {SSH_MSG_IGNORE};
    static struct script s;

    (void)state;
    for (enum alk_ssh_role role = ALK_SSH_SERVER; role <= ALK_SSH_CLIENT; role++) {
        unsigned count = 0;

        start_never_idle(&s, role, AT_REKEY_INIT);
        for (; s.status == 0 && count < 2 * LIMIT / EACH; count++)
            script_send(&s, payload, EACH);
        script_ended(&s, ALK_E_LIMIT, ALK_SSH_BY_PROTOCOL_ERROR);
        assert_in_range(count, LIMIT / (EACH + 64), LIMIT / EACH + 1);
        script_free(&s);
    }
}

static void test_rekey_is_due_by_packets(void **state)
{
    struct alk_ssh_options options = ALK_SSH_OPTIONS_INIT;
    struct script s;

    (void)state;
    options.rekey_packets = 6;
    script_start(&s, ALK_SSH_SERVER, &options);
    script_to(&s, AT_OPEN);
    for (int i = 0; i < 6; i++)
        script_send_type(&s, 230);
    assert_true(script_saw(&s, SSH_MSG_KEXINIT));
    script_alive(&s);
    script_free(&s);
}

static void test_rekey_is_due_by_time(void **state)
{
    static const struct {
        uint64_t rekey_ms, wait;
        bool due;
    } table[] = {
        {0, 3599999, false},
        {0, 3600000, true},
        {5000, 4999, false},
        {5000, 5000, true},
        {UINT64_MAX, 1ULL << 40, false},
    };
    struct script s;

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct alk_ssh_options options = ALK_SSH_OPTIONS_INIT;
        options.rekey_ms = table[i].rekey_ms;
        options.keepalive_ms = UINT64_MAX;
        script_start(&s, ALK_SSH_SERVER, &options);
        script_to(&s, AT_OPEN);
        s.now += table[i].wait;
        alk_ssh_tick(s.ssh, s.now);
        script_run(&s);
        script_alive(&s);
        assert_int_equal(script_saw(&s, SSH_MSG_KEXINIT), table[i].due);
        script_free(&s);
    }
}

/* ---- two engines ---- */

static void write_some(struct pair *pair, uint8_t first)
{
    uint8_t data[5000];

    memset(data, first, sizeof(data));
    assert_int_equal(
        alk_ssh_channel_write(pair->client.ssh, pair->client.channels[0], data, sizeof(data)),
        sizeof(data));
    assert_int_equal(
        alk_ssh_channel_write(pair->server.ssh, pair->server.channels[0], data, sizeof(data)),
        sizeof(data));
}

static void test_both_begin_at_once(void **state)
{
    struct pair pair;

    (void)state;
    for (unsigned piece = 0; piece < 400; piece += 133) {
        pair_login(&pair);
        pair.piece_max = piece;
        pair_open(&pair);
        for (int round = 1; round <= 5; round++) {
            struct alk_ssh_channel *channel;
            write_some(&pair, (uint8_t)round);
            alk_ssh_rekey(pair.server.ssh);
            alk_ssh_rekey(pair.client.ssh);
            alk_ssh_rekey(pair.client.ssh); /* one runs already */
            assert_int_equal(alk_ssh_channel_open(pair.client.ssh, ALK_SSH_DIRECT_UNIX, "/x", 0,
                                                  NULL, 0, &channel),
                             0);
            pair_run(&pair);
            assert_int_equal(pair.server.received, round * 5000);
            assert_int_equal(pair.client.received, round * 5000);
            assert_int_equal(alk_ssh_channel_count(pair.server.ssh), 1 + round);
            assert_int_equal(pair.client.channel_count, 1 + round);
        }
        assert_int_equal(pair.server.status, 0);
        assert_int_equal(pair.client.status, 0);
        pair_free(&pair);
    }
}

static void test_keys_for_every_packet(void **state)
{
    struct alk_ssh_options options = ALK_SSH_OPTIONS_INIT;
    struct pair pair;

    (void)state;
    options.rekey_packets = 4; /* a new exchange is due soon after each */
    pair_init(&pair, options, options);
    pair_run(&pair);
    pair_open(&pair);
    for (int i = 1; i <= 200; i++) {
        uint8_t byte = (uint8_t)i;
        alk_ssh_channel_write(pair.client.ssh, pair.client.channels[0], &byte, 1);
        alk_ssh_channel_write(pair.server.ssh, pair.server.channels[0], &byte, 1);
        pair_run(&pair);
        assert_int_equal(pair.server.received, i);
        assert_int_equal(pair.client.received, i);
    }
    pair_free(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages_that_crossed_our_kexinit),
        cmocka_unit_test(test_rekey_before_the_login),
        cmocka_unit_test(test_server_may_not_change_its_key),
        cmocka_unit_test(test_held_answers_are_bounded),
        cmocka_unit_test(test_unfinished_exchange_ends_in_time),
        cmocka_unit_test(test_finished_exchange_has_no_limit),
        cmocka_unit_test(test_unfinished_exchange_ends_by_bytes),
        cmocka_unit_test(test_rekey_is_due_by_packets),
        cmocka_unit_test(test_rekey_is_due_by_time),
        cmocka_unit_test(test_both_begin_at_once),
        cmocka_unit_test(test_keys_for_every_packet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
