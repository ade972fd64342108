/* The libssh2 engine against our own server, joined by memory. */
#include "support/pair.h"

#include <libssh2.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

/* Called by LeakSanitizer, if it is there: libssh2 1.10 itself forgets the old host key at each
 * key exchange. */
const char *__lsan_default_suppressions(void); /* NOLINT */
const char *__lsan_default_suppressions(void)  /* NOLINT */
{
    return "leak:libssh2.so\n";
}

static const struct alk_engine *const lib = &alk_engine_libssh2;

static void log_in(struct pair *pair, struct alk_ssh_options server, struct alk_ssh_options client)
{
    pair_init_with(pair, server, client, lib);
    pair_run(pair);
    assert_true(lib->authenticated(pair->client.ssh));
}

static void log_in_plainly(struct pair *pair)
{
    struct alk_ssh_options options = ALK_SSH_OPTIONS_INIT;

    log_in(pair, options, options);
}

/* What the server sends on a channel, and its checksum as the pair takes it. */
static size_t server_sends(struct pair *pair, unsigned channel, size_t len, uint64_t *sum)
{
    static uint8_t data[4096];
    size_t sent = 0;

    while (sent < len) {
        size_t piece = len - sent < sizeof(data) ? len - sent : sizeof(data);
        for (size_t i = 0; i < piece; i++)
            data[i] = (uint8_t)((sent + i) * 7 + (sent >> 12));
        size_t n =
            alk_ssh_channel_write(pair->server.ssh, pair->server.channels[channel], data, piece);
        for (size_t i = 0; i < n; i++)
            *sum = *sum * 31 + data[i];
        sent += n;
        if (n < piece)
            break;
    }
    return sent;
}

static void client_sends(struct pair *pair, unsigned channel, size_t len)
{
    static const uint8_t data[4096];

    for (size_t sent = 0; sent < len;) {
        size_t piece = len - sent < sizeof(data) ? len - sent : sizeof(data);
        sent += lib->channel_write(pair->client.ssh, pair->client.channels[channel], data, piece);
        pair_run(pair);
    }
}

static void test_channel_from_open_to_close(void **state)
{
    struct pair pair;
    uint64_t sum = 0;

    (void)state;
    log_in_plainly(&pair);
    pair.piece_max = 1000;
    pair_open(&pair);
    assert_int_equal(pair.client.events[ALK_SSH_CHANNEL_OPENED], 1);
    client_sends(&pair, 0, 100000);
    assert_int_equal(pair.server.received, 100000);
    assert_int_equal(server_sends(&pair, 0, 30000, &sum), 30000);
    pair_run(&pair);
    assert_int_equal(pair.client.received, 30000);
    assert_true(pair.client.sum == sum);
    lib->channel_eof(pair.client.ssh, pair.client.channels[0]);
    pair_run(&pair);
    assert_int_equal(pair.server.eofs, 1);
    assert_int_equal(server_sends(&pair, 0, 10, &sum), 10);
    pair_run(&pair);
    assert_int_equal(pair.client.received, 30010);
    alk_ssh_channel_close(pair.server.ssh, pair.server.channels[0]);
    pair_run(&pair);
    assert_int_equal(pair.client.eofs, 1);
    assert_int_equal(pair.client.closed, 1);
    assert_int_equal(pair.server.closed, 1);
    pair_free(&pair);
}

/* What nobody takes stops who sends it at last, and nobody else. */
static void test_held_channel_stops_no_other(void **state)
{
    struct pair pair;
    uint64_t sum = 0;
    size_t sent = 0, n;

    (void)state;
    log_in_plainly(&pair);
    pair_open(&pair);
    pair_open(&pair);
    pair.client.hold = true;
    while ((n = server_sends(&pair, 0, 1 << 20, &sum)) > 0) {
        sent += n;
        pair_run(&pair);
        assert_true(sent < 16 << 20);
    }
    assert_true(pair.client.received < sent);
    size_t before = pair.client.received;
    assert_int_equal(server_sends(&pair, 1, 5000, &sum), 5000);
    client_sends(&pair, 0, 5000);
    pair_run(&pair);
    assert_int_equal(pair.client.received, before + 5000);
    assert_int_equal(pair.server.received, 5000);
    lib->channel_consumed(pair.client.ssh, pair.client.channels[0], before);
    pair_run(&pair);
    assert_true(pair.client.received > before + 5000);
    pair_free(&pair);
}

static void test_key_exchanges_lose_nothing(void **state)
{
    struct alk_ssh_options server = ALK_SSH_OPTIONS_INIT, client = ALK_SSH_OPTIONS_INIT;
    struct pair pair;
    uint64_t sum = 0;
    size_t sent = 0;

    (void)state;
    server.rekey_bytes = 100000;
    log_in(&pair, server, client);
    pair_open(&pair);
    pair.piece_max = 20000;
    for (int round = 0; round < 3000 && sent < 8 << 20; round++) {
        sent += server_sends(&pair, 0, 300000, &sum);
        pair_run(&pair);
    }
    assert_true(sent >= 8 << 20);
    assert_int_equal(pair.client.received, sent);
    assert_true(pair.client.sum == sum);
    pair_free(&pair);
}

static void hold_back_after_this(struct pair *pair, bool to_server, uint8_t *bytes, size_t len)
{
    (void)bytes;
    (void)len;
    pair->to_client_held |= !to_server;
}

/* Sends until the client's window is used up, which takes nothing. */
static size_t fill_window(struct pair *pair, uint64_t *sum)
{
    size_t sent = 0, n;

    pair->client.hold = true;
    while ((n = server_sends(pair, 0, 1 << 20, sum)) > 0) {
        sent += n;
        pair_run(pair);
    }
    return sent;
}

static void release(struct pair *pair)
{
    pair->client.hold = false;
    lib->channel_consumed(pair->client.ssh, pair->client.channels[0], pair->client.held);
    pair->client.held = 0;
    pair_run(pair);
}

/* The window is to be opened while an exchange goes on: both sides must mean the same by it then. */
static void test_window_opened_in_a_key_exchange(void **state)
{
    struct pair pair;
    uint64_t sum = 0;

    (void)state;
    log_in_plainly(&pair);
    pair_open(&pair);
    size_t sent = fill_window(&pair, &sum);
    alk_ssh_rekey(pair.server.ssh);
    pair.on_wire = hold_back_after_this; /* the KEXINIT comes through, and nothing else */
    pair_run(&pair);
    assert_true(pair.to_client_held);
    release(&pair);
    pair.on_wire = NULL;
    pair.to_client_held = false;
    pair_run(&pair);
    sent += fill_window(&pair, &sum);
    release(&pair);
    assert_int_equal(pair.client.received, sent);
    assert_true(pair.client.sum == sum);
    pair_free(&pair);
}

/* Only one request to open is under way at a time; each gets its channel. */
static void test_many_opened_at_once(void **state)
{
    struct pair pair;

    (void)state;
    log_in_plainly(&pair);
    for (int i = 0; i < 50; i++) {
        struct alk_ssh_channel *channel;
        assert_int_equal(lib->channel_open(pair.client.ssh, ALK_SSH_DIRECT_TCPIP, "target.test", 80,
                                           NULL, 0, &channel),
                         0);
        if (i % 10 == 9) /* given up before it was asked for */
            lib->channel_close(pair.client.ssh, channel);
    }
    pair_run(&pair);
    assert_int_equal(pair.server.channel_count, 45);
    assert_int_equal(pair.client.events[ALK_SSH_CHANNEL_OPENED], 45);
    assert_int_equal(pair.client.events[ALK_SSH_CHANNEL_FAILED], 5);
    pair_free(&pair);
}

static void test_remote_forward(void **state)
{
    struct pair pair;
    struct alk_ssh_channel *channel;
    int tag;

    (void)state;
    log_in_plainly(&pair);
    assert_int_equal(
        lib->forward_request(pair.client.ssh, ALK_SSH_FORWARDED_UNIX, false, "/x", 0, &tag),
        ALK_E_UNSUPPORTED);
    assert_int_equal(
        lib->forward_request(pair.client.ssh, ALK_SSH_FORWARDED_TCPIP, false, "localhost", 0, &tag),
        0);
    pair_run(&pair);
    assert_int_equal(pair.client.events[ALK_SSH_FORWARD_REPLY], 1);
    assert_true(pair.client.last.ok && pair.client.last.tag == &tag);
    assert_int_equal(pair.client.last.port, 4242);
    assert_int_equal(alk_ssh_channel_open(pair.server.ssh, ALK_SSH_FORWARDED_TCPIP, "localhost",
                                          4242, "127.0.0.1", 5, &channel),
                     0);
    pair_run(&pair);
    assert_int_equal(pair.client.events[ALK_SSH_CHANNEL_REQUEST], 1);
    assert_string_equal(pair.client.host, "localhost");
    assert_int_equal(pair.server.events[ALK_SSH_CHANNEL_OPENED], 1);
    pair_free(&pair);
}

/* A silent peer is asked, and one that stays silent is given up. */
static void test_silence(void **state)
{
    struct pair pair;

    (void)state;
    log_in_plainly(&pair);
    pair.now += 30000;
    lib->tick(pair.client.ssh, pair.now);
    pair_run(&pair);
    assert_int_equal(pair.client.status, 0);
    assert_int_equal(lib->deadline(pair.client.ssh), pair.now + 30000); /* it has answered */
    pair.to_client_held = true;
    for (int i = 0; i < 4; i++) {
        pair.now += 30000;
        lib->tick(pair.client.ssh, pair.now);
        pair_run(&pair);
    }
    assert_int_equal(pair.client.status, ALK_E_TIMEOUT);
    assert_string_equal(lib->error(pair.client.ssh)->text, "the peer does not answer any more");
    pair_free(&pair);
}

/* A server that dials for us may say nothing, and cannot be asked for a sign of life meanwhile. */
static void test_silence_while_a_channel_is_opened(void **state)
{
    struct alk_ssh_options server = ALK_SSH_OPTIONS_INIT, client = ALK_SSH_OPTIONS_INIT;
    struct alk_ssh_channel *channel;
    struct pair pair;

    (void)state;
    client.keepalive_ms = 1000;
    log_in(&pair, server, client);
    pair.to_client_held = true;
    assert_int_equal(lib->channel_open(pair.client.ssh, ALK_SSH_DIRECT_TCPIP, "target.test", 80,
                                       NULL, 0, &channel),
                     0);
    pair_run(&pair);
    pair.now += 64000;
    lib->tick(pair.client.ssh, pair.now);
    pair_run(&pair);
    assert_int_equal(pair.client.status, 0);
    assert_int_equal(lib->deadline(pair.client.ssh), pair.now + 1000);
    pair.now += 1000;
    lib->tick(pair.client.ssh, pair.now);
    pair_run(&pair);
    assert_int_equal(pair.client.status, ALK_E_TIMEOUT);
    pair_free(&pair);
}

/* The server asks for a sign of life while no channel is there that would be read. */
static void test_server_that_asks_is_answered(void **state)
{
    struct pair pair;

    (void)state;
    log_in_plainly(&pair);
    for (int i = 0; i < 10; i++) {
        pair.now += 30000;
        alk_ssh_tick(pair.server.ssh, pair.now);
        pair_run(&pair);
        assert_int_equal(pair.server.status, 0);
    }
    assert_int_equal(alk_ssh_heard(pair.server.ssh), pair.now);
    pair_free(&pair);
}

static void test_login_that_is_not_finished(void **state)
{
    struct alk_ssh_options options = ALK_SSH_OPTIONS_INIT;
    struct pair pair;

    (void)state;
    pair_init_with(&pair, options, options, lib);
    pair.to_client_held = true;
    pair_run(&pair);
    pair.now += 30000;
    lib->tick(pair.client.ssh, pair.now);
    pair_run(&pair);
    assert_int_equal(pair.client.status, ALK_E_TIMEOUT);
    pair_free(&pair);
}

static size_t damaged; /* which of the next bytes to the client is to be changed on the way */

static void flip(struct pair *pair, bool to_server, uint8_t *bytes, size_t len)
{
    if (to_server)
        return;
    if (damaged < len) {
        bytes[damaged] ^= 1;
        pair->on_wire = NULL;
    }
    damaged -= len;
}

/* A length that was changed may have it wait for more, which is not taken for data either. */
static void damage(const char *cipher, size_t at)
{
    struct alk_ssh_options server = ALK_SSH_OPTIONS_INIT, client = ALK_SSH_OPTIONS_INIT;
    struct pair pair;
    uint64_t sum = 0;

    server.ciphers = cipher;
    log_in(&pair, server, client);
    pair_open(&pair);
    damaged = at;
    pair.on_wire = flip;
    for (int i = 0; i < 100 && pair.client.status == 0; i++) {
        server_sends(&pair, 0, 1000, &sum);
        pair_run(&pair);
    }
    if (pair.client.status >= 0 || pair.client.received != 0)
        fail_msg("%s, byte %zu: expected an end without data, got %d and %zu bytes", cipher, at,
                 pair.client.status, pair.client.received);
    pair_free(&pair);
}

static bool has_cipher(const char *cipher)
{
    struct alk_ssh_options server = ALK_SSH_OPTIONS_INIT, client = ALK_SSH_OPTIONS_INIT;
    struct pair pair;

    server.ciphers = cipher;
    pair_init_with(&pair, server, client, lib);
    pair_run(&pair);
    bool has = lib->authenticated(pair.client.ssh);
    if (!has)
        assert_int_equal(pair.client.status, ALK_E_UNSUPPORTED);
    pair_free(&pair);
    return has;
}

/* At every byte of a packet's beginning and end, and some between; but without MACs over what is
 * encrypted, libssh2 itself ends the program when a length makes no sense. */
static void test_damage_ends_the_session(void **state)
{
    static const char *const ciphers[] = {"aes256-ctr", "aes256-gcm@openssh.com"};
    size_t first = LIBSSH2_VERSION_NUM < 0x010b00 ? 4 : 0;

    (void)state;
    for (size_t i = 0; i < sizeof(ciphers) / sizeof(ciphers[0]); i++) {
        if (!has_cipher(ciphers[i])) { /* 1.10 has no GCM */
            assert_true(i == 1 && LIBSSH2_VERSION_NUM < 0x010b00);
            continue;
        }
        for (size_t at = first; at < 1000 + 16; at += at < 24 || at > 1000 ? 1 : 61)
            damage(ciphers[i], at);
    }
}

/* libssh2 1.11 tries a damaged packet of it for ever, and takes memory for each try. */
static void test_no_chacha20(void **state)
{
    (void)state;
    assert_false(has_cipher("chacha20-poly1305@openssh.com"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_channel_from_open_to_close),
        cmocka_unit_test(test_held_channel_stops_no_other),
        cmocka_unit_test(test_key_exchanges_lose_nothing),
        cmocka_unit_test(test_window_opened_in_a_key_exchange),
        cmocka_unit_test(test_many_opened_at_once),
        cmocka_unit_test(test_remote_forward),
        cmocka_unit_test(test_silence),
        cmocka_unit_test(test_silence_while_a_channel_is_opened),
        cmocka_unit_test(test_server_that_asks_is_answered),
        cmocka_unit_test(test_login_that_is_not_finished),
        cmocka_unit_test(test_damage_ends_the_session),
        cmocka_unit_test(test_no_chacha20),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
