/* The SSH engine, both roles against each other in memory. */
#include "support/pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const struct {
    const char *cipher, *mac;
} suites[] = {
    {"aes256-gcm@openssh.com", "hmac-sha2-256-etm@openssh.com"},
    {"chacha20-poly1305@openssh.com", "hmac-sha2-256-etm@openssh.com"},
    {"aes256-ctr", "hmac-sha2-256-etm@openssh.com"},
    {"aes256-ctr", "hmac-sha2-512-etm@openssh.com"},
    {"aes256-ctr", "hmac-sha2-256"},
};

/* Sends len patterned bytes from the client's first channel as room allows. */
static uint64_t send_pattern(struct pair *pair, struct pair_end *from, size_t len)
{
    uint8_t piece[20000];
    uint64_t sum = 0;
    size_t sent = 0, stuck = 0;

    while (sent < len && stuck < 100) {
        size_t n = len - sent < sizeof(piece) ? len - sent : sizeof(piece);
        for (size_t i = 0; i < n; i++)
            piece[i] = (uint8_t)((sent + i) * 7 + ((sent + i) >> 8));
        size_t taken = alk_ssh_channel_write(from->ssh, from->channels[0], piece, n);
        for (size_t i = 0; i < taken; i++)
            sum = sum * 31 + piece[i];
        sent += taken;
        stuck = taken == 0 ? stuck + 1 : 0;
        pair_run(pair);
    }
    assert_int_equal(sent, len);
    return sum;
}

static void test_every_cipher_both_ways(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(suites) / sizeof(suites[0]); i++) {
        struct alk_ssh_options options = ALK_SSH_OPTIONS_INIT;
        struct pair pair;

        options.ciphers = suites[i].cipher;
        options.macs = suites[i].mac;
        options.rekey_bytes = 1 << 20; /* so that keys change under the data */
        pair_init(&pair, options, options);
        pair.piece_max = 9000;
        pair_run(&pair);
        assert_true(alk_ssh_authenticated(pair.client.ssh));
        assert_string_equal(alk_ssh_cipher_name(pair.client.ssh), suites[i].cipher);
        pair_open(&pair);
        uint64_t up = send_pattern(&pair, &pair.client, 5 << 20);
        assert_int_equal(pair.server.received, 5 << 20);
        assert_true(pair.server.sum == up);
        uint64_t down = send_pattern(&pair, &pair.server, 5 << 20);
        assert_int_equal(pair.client.received, 5 << 20);
        assert_true(pair.client.sum == down);
        pair_free(&pair);
    }
}

/* Fills up to len bytes of the parts that the channel may fill at once. */
static size_t send_together(struct pair_end *from, size_t len, uint64_t *sum)
{
    struct iovec parts[ALK_SSH_PARTS_MAX];
    int count = alk_ssh_channel_reserve(from->ssh, from->channels[0], parts, ALK_SSH_PARTS_MAX);
    size_t total = 0;

    assert_int_equal(count, ALK_SSH_PARTS_MAX);
    for (int i = 0; i < count; i++) {
        for (size_t k = 0; k < parts[i].iov_len && total < len; k++, total++) {
            ((uint8_t *)parts[i].iov_base)[k] = (uint8_t)(total * 13 + (total >> 9));
            *sum = *sum * 31 + ((uint8_t *)parts[i].iov_base)[k];
        }
    }
    alk_ssh_channel_commit(from->ssh, from->channels[0], total);
    return total;
}

static void test_many_packets_at_once(void **state)
{
    static const size_t sizes[] = {1, 32767, 32768, 32769, 100000, 8 * 32768 - 1, 8 * 32768};

    (void)state;
    for (size_t i = 0; i < sizeof(suites) / sizeof(suites[0]); i++) {
        struct alk_ssh_options options = ALK_SSH_OPTIONS_INIT;
        struct pair pair;
        uint64_t sum = 0;
        size_t sent = 0;

        options.ciphers = suites[i].cipher;
        options.macs = suites[i].mac;
        pair_init(&pair, options, options);
        pair_run(&pair);
        pair_open(&pair);
        for (size_t k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
            sent += send_together(&pair.client, sizes[k], &sum);
            pair_run(&pair);
        }
        assert_int_equal(pair.server.received, sent);
        assert_true(pair.server.sum == sum);
        pair_free(&pair);
    }
}

static void test_one_byte_at_a_time(void **state)
{
    struct alk_ssh_options options = ALK_SSH_OPTIONS_INIT;
    struct pair pair;

    (void)state;
    pair_init(&pair, options, options);
    pair.piece_max = 1;
    pair_run(&pair);
    assert_true(alk_ssh_authenticated(pair.client.ssh));
    pair_open(&pair);
    assert_string_equal(pair.server.host, "target.test");
    uint64_t sum = send_pattern(&pair, &pair.client, 3000);
    assert_true(pair.server.sum == sum);
    pair_free(&pair);
}

static void test_half_close_and_close(void **state)
{
    struct pair pair;

    (void)state;
    pair_login(&pair);
    pair_open(&pair);
    alk_ssh_channel_eof(pair.client.ssh, pair.client.channels[0]);
    alk_ssh_channel_eof(pair.client.ssh, pair.client.channels[0]); /* only one is sent */
    pair_run(&pair);
    assert_int_equal(pair.server.eofs, 1);
    /* the other direction still works */
    send_pattern(&pair, &pair.server, 1000);
    assert_int_equal(pair.client.received, 1000);
    alk_ssh_channel_close(pair.server.ssh, pair.server.channels[0]);
    pair_run(&pair);
    assert_int_equal(pair.server.closed, 1);
    assert_int_equal(pair.client.closed, 1);
    assert_int_equal(alk_ssh_channel_count(pair.server.ssh), 0);
    assert_int_equal(alk_ssh_channel_count(pair.client.ssh), 0);
    assert_int_equal(pair.server.status, 0);
    pair_free(&pair);
}

static void test_window_stops_the_sender(void **state)
{
    static uint8_t data[ALK_SSH_WINDOW * 2];
    struct pair pair;
    size_t sent = 0, n;

    (void)state;
    pair_login(&pair);
    pair_open(&pair);
    pair.server.hold = true; /* a consumer that takes nothing */
    while ((n = alk_ssh_channel_write(pair.client.ssh, pair.client.channels[0], data,
                                      sizeof(data) - sent)) > 0) {
        sent += n;
        pair_run(&pair);
    }
    assert_int_equal(sent, ALK_SSH_WINDOW);
    assert_int_equal(pair.server.received, ALK_SSH_WINDOW);
    assert_true(alk_ssh_channel_blocked(pair.client.channels[0]));
    /* once it is taken, the sender hears that there is room again */
    alk_ssh_channel_consumed(pair.server.ssh, pair.server.channels[0], pair.server.held);
    pair_run(&pair);
    assert_int_equal(pair.client.events[ALK_SSH_CHANNEL_ROOM], 1);
    pair_free(&pair);
}

/* How much reaches the server before anything comes back: one round trip's worth. */
static size_t trip_on(struct pair *pair, unsigned channel, uint64_t ms)
{
    static uint8_t data[1 << 20];
    size_t before = pair->server.received;

    pair->to_client_held = true;
    while (alk_ssh_channel_write(pair->client.ssh, pair->client.channels[channel], data,
                                 sizeof(data)) > 0)
        pair_run(pair);
    pair->now += ms;
    pair->to_client_held = false;
    pair_run(pair);
    return pair->server.received - before;
}

static size_t one_trip(struct pair *pair, uint64_t ms)
{
    return trip_on(pair, 0, ms);
}

static void test_window_grows_when_it_is_the_limit(void **state)
{
    struct pair pair;
    size_t trip = 0;

    (void)state;
    pair_login(&pair);
    pair_open(&pair);
    assert_int_equal(one_trip(&pair, 1), ALK_SSH_WINDOW);
    for (int i = 0; i < 40; i++)
        trip = one_trip(&pair, 1);
    assert_in_range(trip, 48U << 20, 64U << 20);
    pair_free(&pair);
}

static void test_windows_of_a_session_share_their_growth(void **state)
{
    struct pair pair;
    size_t first = 0, second = 0;

    (void)state;
    pair_login(&pair);
    pair_open(&pair);
    pair_open(&pair);
    for (int i = 0; i < 40; i++) {
        first = trip_on(&pair, 0, 1);
        second = trip_on(&pair, 1, 1);
    }
    assert_in_range(first + second, 48U << 20, (64U << 20) + ALK_SSH_WINDOW);
    /* what one gives back the other may take */
    alk_ssh_channel_close(pair.client.ssh, pair.client.channels[0]);
    pair_run(&pair);
    for (int i = 0; i < 40; i++)
        second = trip_on(&pair, 1, 1);
    assert_in_range(second, 48U << 20, 64U << 20);
    pair_free(&pair);
}

static void test_window_ignores_what_queues_on_the_way(void **state)
{
    struct pair pair;

    (void)state;
    pair_login(&pair); /* within a millisecond: the path is short */
    pair_open(&pair);
    for (int i = 0; i < 20; i++)
        assert_int_equal(one_trip(&pair, 100), ALK_SSH_WINDOW);
    pair_free(&pair);
}

static void test_window_of_a_slow_consumer_stays(void **state)
{
    struct pair pair;

    (void)state;
    pair_login(&pair);
    pair_open(&pair);
    pair.server.hold = true;
    one_trip(&pair, 1);
    for (int i = 0; i < 1000; i++) { /* 1 KiB at a time */
        alk_ssh_channel_consumed(pair.server.ssh, pair.server.channels[0], 1024);
        pair.server.held -= 1024;
        one_trip(&pair, 1);
        assert_true(pair.server.held <= ALK_SSH_WINDOW);
    }
    pair_free(&pair);
}

static unsigned refused_attempts;

static void offer_again(struct pair_end *end, struct alk_ssh_event *event)
{
    static const uint8_t unknown[ALK_KEY_BLOB_SIZE] = {
        0, 0, 0, 11, 's', 's', 'h', '-', 'e', 'd', '2', '5', '5', '1', '9', 0, 0, 0, 32};
    if (event->type == ALK_SSH_AUTH_FAILED) {
        refused_attempts++;
        alk_ssh_auth_probe(end->ssh, "user", unknown, ALK_KEY_BLOB_SIZE);
    }
}

static void start_probing(struct pair_end *end, struct alk_ssh_event *event)
{
    (void)end;
    if (event->type == ALK_SSH_AUTH_READY)
        event->type = ALK_SSH_AUTH_BANNER; /* keep the pair from logging in by itself */
    offer_again(end, event);
}

static void test_probes_count_as_attempts(void **state)
{
    struct alk_ssh_options options = ALK_SSH_OPTIONS_INIT;
    uint8_t unknown[ALK_KEY_BLOB_SIZE];
    struct pair pair;

    (void)state;
    options.max_auth_attempts = 4;
    pair_init(&pair, options, options);
    pair.client.on_event = start_probing;
    refused_attempts = 0;
    pair_run(&pair);
    memcpy(unknown, alk_key_blob(pair.host_key), sizeof(unknown));
    assert_int_equal(alk_ssh_auth_probe(pair.client.ssh, "user", unknown, ALK_KEY_BLOB_SIZE), 0);
    pair_run(&pair);
    assert_int_equal(pair.server.status, ALK_E_AUTH);
    assert_int_equal(refused_attempts, 3);
    assert_int_equal(pair.client.status, ALK_E_CLOSED);
    pair_free(&pair);
}

static size_t flip_at, wire_count;
static bool flip_to_server;

static void flip(struct pair *pair, bool to_server, uint8_t *bytes, size_t len)
{
    (void)pair;
    if (to_server != flip_to_server)
        return;
    if (flip_at >= wire_count && flip_at < wire_count + len)
        bytes[flip_at - wire_count] ^= 0x41;
    wire_count += len;
}

/* Runs a login in which byte flip_at of one direction is changed; did both ends survive? */
static bool survives_flip(void)
{
    struct alk_ssh_options options = ALK_SSH_OPTIONS_INIT;
    struct pair pair;

    pair_init(&pair, options, options);
    wire_count = 0;
    pair.on_wire = flip;
    pair_run(&pair);
    bool ok = flip_at < wire_count && alk_ssh_authenticated(pair.client.ssh) &&
              alk_ssh_authenticated(pair.server.ssh) && pair.client.status == 0 &&
              pair.server.status == 0;
    pair_free(&pair);
    return ok;
}

static void test_flipped_byte_ends_the_session(void **state)
{
    /* what nothing authenticates: the padding of the three packets before the keys, and
     * the CR of the identification line */
    enum { UNPROTECTED_MOST = 3 * 11 + 1, CLEAR_PART = 1024 };

    (void)state;
    for (int direction = 0; direction < 2; direction++) {
        unsigned survivors = 0;

        flip_to_server = direction == 0;
        for (flip_at = 0; flip_at < 1300; flip_at++) {
            bool survived = survives_flip();
            survivors += survived;
            assert_false(survived && flip_at > CLEAR_PART);
        }
        assert_in_range(survivors, 1, UNPROTECTED_MOST);
    }
}

static void test_keepalive_notices_a_dead_peer(void **state)
{
    struct alk_ssh_event event;
    struct pair pair;
    const uint8_t *bytes;

    (void)state;
    pair_login(&pair);
    /* an answering peer keeps the session alive */
    for (int i = 0; i < 10; i++) {
        pair.now += 31000;
        alk_ssh_tick(pair.client.ssh, pair.now);
        alk_ssh_tick(pair.server.ssh, pair.now);
        pair_run(&pair);
    }
    assert_int_equal(pair.client.status, 0);
    /* a silent one does not */
    for (int i = 0; i < 5; i++) {
        pair.now += 31000;
        alk_ssh_tick(pair.client.ssh, pair.now);
        alk_ssh_output_done(pair.client.ssh, alk_ssh_output(pair.client.ssh, &bytes));
    }
    assert_int_equal(alk_ssh_next(pair.client.ssh, &event), ALK_E_TIMEOUT);
    pair_free(&pair);
}

static void test_login_has_a_grace_time(void **state)
{
    struct alk_ssh_options options = ALK_SSH_OPTIONS_INIT;
    struct alk_ssh_event event;
    struct pair pair;

    (void)state;
    pair_init(&pair, options, options);
    assert_int_equal(alk_ssh_deadline(pair.server.ssh), pair.now + 30000);
    alk_ssh_tick(pair.server.ssh, pair.now + 29999);
    assert_int_equal(alk_ssh_next(pair.server.ssh, &event), 0);
    alk_ssh_tick(pair.server.ssh, pair.now + 30000);
    assert_int_equal(alk_ssh_next(pair.server.ssh, &event), ALK_E_TIMEOUT);
    pair_free(&pair);
}

static void test_remote_forward(void **state)
{
    struct alk_ssh_channel *channel;
    struct pair pair;
    int tag;

    (void)state;
    pair_login(&pair);
    assert_int_equal(alk_ssh_forward_request(pair.client.ssh, ALK_SSH_FORWARDED_TCPIP, false,
                                             "127.0.0.1", 0, &tag),
                     0);
    pair_run(&pair);
    assert_true(pair.client.last.ok);
    assert_int_equal(pair.client.last.port, 4242);
    assert_ptr_equal(pair.client.last.tag, &tag);
    assert_int_equal(alk_ssh_channel_open(pair.server.ssh, ALK_SSH_FORWARDED_TCPIP, "127.0.0.1",
                                          4242, "10.0.0.9", 999, &channel),
                     0);
    pair_run(&pair);
    assert_int_equal(pair.client.events[ALK_SSH_CHANNEL_REQUEST], 1);
    assert_string_equal(pair.client.host, "127.0.0.1");
    pair_free(&pair);
}

static void test_too_many_channels(void **state)
{
    struct alk_ssh_options options = ALK_SSH_OPTIONS_INIT;
    struct alk_ssh_channel *channel;
    struct pair pair;

    (void)state;
    struct alk_ssh_options few = options;
    few.max_channels = 3;
    pair_init(&pair, few, options);
    pair_run(&pair);
    for (int i = 0; i < 5; i++)
        assert_int_equal(
            alk_ssh_channel_open(pair.client.ssh, ALK_SSH_DIRECT_TCPIP, "h", 1, NULL, 0, &channel),
            0);
    pair_run(&pair);
    assert_int_equal(pair.server.channel_count, 3);
    assert_int_equal(pair.client.failed, 2);
    assert_int_equal(pair.client.last.reason, ALK_SSH_OPEN_SHORTAGE);
    pair_free(&pair);
}

static void test_close_before_the_answer(void **state)
{
    struct alk_ssh_channel *channel;
    struct pair pair;

    (void)state;
    pair_login(&pair);
    assert_int_equal(
        alk_ssh_channel_open(pair.client.ssh, ALK_SSH_DIRECT_TCPIP, "h", 1, NULL, 0, &channel), 0);
    alk_ssh_channel_close(pair.client.ssh, channel);
    pair_run(&pair);
    assert_int_equal(pair.client.events[ALK_SSH_CHANNEL_OPENED], 0);
    assert_int_equal(pair.client.closed, 1);
    assert_int_equal(alk_ssh_channel_count(pair.client.ssh), 0);
    assert_int_equal(alk_ssh_channel_count(pair.server.ssh), 0);
    pair_free(&pair);
}

static void test_idle_session_gives_its_buffers_back(void **state)
{
    struct pair pair;

    (void)state;
    pair_login(&pair);
    uint64_t deadline = alk_ssh_deadline(pair.server.ssh);
    assert_true(deadline <= pair.now + 2000);
    pair.now += 2000;
    alk_ssh_tick(pair.server.ssh, pair.now);
    /* nothing is left to do but the keepalive */
    assert_int_equal(alk_ssh_deadline(pair.server.ssh), pair.now - 2000 + 30000);
    pair_free(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_cipher_both_ways),
        cmocka_unit_test(test_many_packets_at_once),
        cmocka_unit_test(test_one_byte_at_a_time),
        cmocka_unit_test(test_half_close_and_close),
        cmocka_unit_test(test_window_stops_the_sender),
        cmocka_unit_test(test_window_grows_when_it_is_the_limit),
        cmocka_unit_test(test_windows_of_a_session_share_their_growth),
        cmocka_unit_test(test_window_ignores_what_queues_on_the_way),
        cmocka_unit_test(test_window_of_a_slow_consumer_stays),
        cmocka_unit_test(test_probes_count_as_attempts),
        cmocka_unit_test(test_flipped_byte_ends_the_session),
        cmocka_unit_test(test_keepalive_notices_a_dead_peer),
        cmocka_unit_test(test_login_has_a_grace_time),
        cmocka_unit_test(test_remote_forward),
        cmocka_unit_test(test_too_many_channels),
        cmocka_unit_test(test_close_before_the_answer),
        cmocka_unit_test(test_idle_session_gives_its_buffers_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
