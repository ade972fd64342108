/* Global requests, keepalive and ping against a scripted peer. */
#include "support/script.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static struct script s; /* each test begins and frees it */

/* host NULL: no more fields. */
static void send_request(const char *name, bool wants_reply, const char *host, int64_t port)
{
    uint8_t payload[512];
    struct alk_writer w = alk_writer(payload, sizeof(payload));

    alk_put_u8(&w, SSH_MSG_GLOBAL_REQUEST);
    alk_put_text(&w, name);
    alk_put_u8(&w, wants_reply);
    if (host != NULL)
        alk_put_text(&w, host);
    if (port >= 0)
        alk_put_u32(&w, (uint32_t)port);
    script_send_writer(&s, &w);
}

static uint8_t answer(void)
{
    uint8_t type = script_next(&s) ? s.payload[0] : 0;

    assert_false(script_next(&s));
    return type;
}

static void test_requests_that_mean_nothing(void **state)
{
    static const char *const names[] = {"hostkeys-00@openssh.com", "keepalive@openssh.com", "",
                                        "hostkeys-prove-00@openssh.com", "tcpip-forwardx"};

    (void)state;
    for (int role = 0; role < 2; role++) {
        script_begin(&s, role == 0 ? ALK_SSH_SERVER : ALK_SSH_CLIENT, AT_OPEN);
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
            send_request(names[i], false, "anything", 5);
            assert_int_equal(answer(), 0);
            send_request(names[i], true, "anything", 5);
            assert_int_equal(answer(), SSH_MSG_REQUEST_FAILURE);
        }
        send_request("no-more-sessions@openssh.com", true, NULL, -1);
        assert_int_equal(answer(), SSH_MSG_REQUEST_SUCCESS);
        send_request("no-more-sessions@openssh.com", false, NULL, -1);
        assert_int_equal(answer(), 0);
        script_alive(&s);
        script_free(&s);
    }
}

static void test_forwards(void **state)
{
    static const struct {
        const char *name, *host;
        int64_t port;
        enum alk_ssh_channel_kind kind;
        bool cancel, tells_port;
    } table[] = {
        {"tcpip-forward", "localhost", 0, ALK_SSH_FORWARDED_TCPIP, false, true},
        {"tcpip-forward", "", 8080, ALK_SSH_FORWARDED_TCPIP, false, false},
        {"tcpip-forward", "0.0.0.0", 65535, ALK_SSH_FORWARDED_TCPIP, false, false},
        {"cancel-tcpip-forward", "", 0, ALK_SSH_FORWARDED_TCPIP, true, false},
        {"cancel-tcpip-forward", "h", 8080, ALK_SSH_FORWARDED_TCPIP, true, false},
        {"streamlocal-forward@openssh.com", "/s", -1, ALK_SSH_FORWARDED_UNIX, false, false},
        {"cancel-streamlocal-forward@openssh.com", "/s", -1, ALK_SSH_FORWARDED_UNIX, true, false},
    };

    (void)state;
    script_begin(&s, ALK_SSH_SERVER, AT_OPEN);
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        send_request(table[i].name, true, table[i].host, table[i].port);
        assert_int_equal(s.last.type, ALK_SSH_FORWARD_REQUEST);
        assert_int_equal(s.last.kind, table[i].kind);
        assert_int_equal(s.last.cancel, table[i].cancel);
        assert_string_equal(s.host, table[i].host);
        assert_int_equal(s.last.port, table[i].port < 0 ? 0 : table[i].port);
        struct alk_reader r = script_take(&s, SSH_MSG_REQUEST_SUCCESS);
        if (table[i].tells_port)
            assert_int_equal(alk_get_u32(&r), 4242);
        assert_true(alk_reader_done(&r));
        send_request(table[i].name, false, table[i].host, table[i].port);
        assert_int_equal(answer(), 0);
    }
    assert_int_equal(s.events[ALK_SSH_FORWARD_REQUEST], 14);
    send_request("tcpip-forward", true, "h", 65536);
    assert_int_equal(answer(), SSH_MSG_REQUEST_FAILURE);
    assert_int_equal(s.events[ALK_SSH_FORWARD_REQUEST], 14);
    script_free(&s);
    /* a client listens for nobody */
    script_begin(&s, ALK_SSH_CLIENT, AT_OPEN);
    send_request("tcpip-forward", true, "h", 80);
    assert_int_equal(answer(), SSH_MSG_REQUEST_FAILURE);
    assert_int_equal(s.events[ALK_SSH_FORWARD_REQUEST], 0);
    script_free(&s);
}

static void test_refused_forward_and_its_order(void **state)
{
    (void)state;
    script_begin(&s, ALK_SSH_SERVER, AT_OPEN);
    s.ask = true;
    send_request("tcpip-forward", true, "a", 0);
    send_request("keepalive@openssh.com", true, NULL, -1); /* waits for its turn */
    send_request("tcpip-forward", true, "b", 0);
    assert_int_equal(s.events[ALK_SSH_FORWARD_REQUEST], 1);
    assert_false(script_next(&s));
    assert_false(alk_ssh_wants_input(s.ssh));
    alk_ssh_forward_reply(s.ssh, false, 0);
    script_run(&s);
    assert_string_equal(s.host, "b");
    alk_ssh_forward_reply(s.ssh, true, 99);
    alk_ssh_forward_reply(s.ssh, true, 98); /* answered already */
    script_run(&s);
    static const uint8_t order[] = {SSH_MSG_REQUEST_FAILURE, SSH_MSG_REQUEST_FAILURE,
                                    SSH_MSG_REQUEST_SUCCESS};
    for (int i = 0; i < 3; i++) {
        assert_true(script_next(&s));
        assert_int_equal(s.payload[0], order[i]);
    }
    assert_int_equal(s.payload[4], 99);
    assert_false(script_next(&s));
    script_free(&s);
}

/* Replies have no number: the client's keepalive stands between its forwards. */
static void test_replies_come_in_the_order_of_asking(void **state)
{
    static const uint8_t port[] = {SSH_MSG_REQUEST_SUCCESS, 0, 0, 1, 2};
    int first, second;

    (void)state;
    script_begin(&s, ALK_SSH_CLIENT, AT_OPEN);
    assert_int_equal(alk_ssh_forward_request(s.ssh, ALK_SSH_FORWARDED_TCPIP, false, "", 0, &first),
                     0);
    s.now += 30000;
    alk_ssh_tick(s.ssh, s.now);
    assert_int_equal(
        alk_ssh_forward_request(s.ssh, ALK_SSH_FORWARDED_TCPIP, false, "", 80, &second), 0);
    script_run(&s);
    for (int i = 0; i < 3; i++)
        script_take(&s, SSH_MSG_GLOBAL_REQUEST);
    script_send(&s, port, sizeof(port));
    assert_ptr_equal(s.last.tag, &first);
    assert_true(s.last.ok);
    assert_int_equal(s.last.port, 258);
    script_send_type(&s, SSH_MSG_REQUEST_FAILURE); /* the keepalive's */
    assert_int_equal(s.events[ALK_SSH_FORWARD_REPLY], 1);
    script_send_type(&s, SSH_MSG_REQUEST_SUCCESS);
    assert_ptr_equal(s.last.tag, &second);
    assert_int_equal(s.last.port, 0);
    script_alive(&s);
    script_send_type(&s, SSH_MSG_REQUEST_SUCCESS); /* nobody asked */
    script_ended(&s, ALK_E_PROTO, ALK_SSH_BY_PROTOCOL_ERROR);
    script_free(&s);
}

static void test_bad_port_of_a_listener(void **state)
{
    static const uint8_t replies[][5] = {{SSH_MSG_REQUEST_SUCCESS, 0, 1, 0, 0},
                                         {SSH_MSG_REQUEST_SUCCESS, 0, 0, 0}};

    (void)state;
    for (int i = 0; i < 2; i++) {
        script_begin(&s, ALK_SSH_CLIENT, AT_OPEN);
        assert_int_equal(
            alk_ssh_forward_request(s.ssh, ALK_SSH_FORWARDED_TCPIP, false, "", 0, NULL), 0);
        script_send(&s, replies[i], i == 0 ? 5 : 4);
        script_ended(&s, ALK_E_PROTO, ALK_SSH_BY_PROTOCOL_ERROR);
        assert_int_equal(s.events[ALK_SSH_FORWARD_REPLY], 0);
        script_free(&s);
    }
}

/* A process that stood still for an hour does not blame the peer: each probe has its time. */
static void test_every_keepalive_has_its_time(void **state)
{
    (void)state;
    script_begin(&s, ALK_SSH_CLIENT, AT_OPEN);
    s.now += 3000 * 1000;
    for (int probe = 1; probe <= 3; probe++) {
        alk_ssh_tick(s.ssh, s.now);
        alk_ssh_tick(s.ssh, s.now); /* not due again at once */
        script_run(&s);
        script_alive(&s);
        assert_int_equal(answer(), SSH_MSG_GLOBAL_REQUEST);
        assert_in_range(alk_ssh_deadline(s.ssh), s.now + 1, s.now + 30000);
        s.now += 30000;
    }
    alk_ssh_tick(s.ssh, s.now - 1);
    script_run(&s);
    script_alive(&s);
    alk_ssh_tick(s.ssh, s.now);
    script_run(&s);
    script_ended(&s, ALK_E_TIMEOUT, ALK_SSH_BY_CONNECTION_LOST);
    script_free(&s);
}

static void test_keepalive_never(void **state)
{
    struct alk_ssh_options options = ALK_SSH_OPTIONS_INIT;

    (void)state;
    options.keepalive_ms = options.rekey_ms = UINT64_MAX;
    script_start(&s, ALK_SSH_SERVER, &options);
    script_to(&s, AT_OPEN);
    for (int i = 0; i < 100; i++) {
        s.now += 1ULL << 50;
        alk_ssh_tick(s.ssh, s.now);
    }
    script_run(&s);
    assert_int_equal(answer(), 0);
    assert_true(alk_ssh_deadline(s.ssh) == UINT64_MAX);
    script_free(&s);
}

static void test_ping(void **state)
{
    static uint8_t payload[4100] = {SSH_MSG_PING};
    static const size_t sizes[] = {0, 1, 1000, 4091};

    (void)state;
    for (int at = AT_SERVICE; at <= AT_OPEN; at++) {
        script_begin(&s, ALK_SSH_SERVER, (enum script_at)at);
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
            struct alk_writer w = alk_writer(payload + 1, 4);
            alk_put_u32(&w, (uint32_t)sizes[i]);
            memset(payload + 5, 'p', sizes[i]);
            script_send(&s, payload, 5 + sizes[i]);
            struct alk_reader r = script_take(&s, SSH_MSG_PONG);
            assert_int_equal(s.len, 5 + sizes[i]);
            assert_memory_equal(alk_get_string(&r).data, payload + 5, sizes[i]);
        }
        script_free(&s);
    }
}

/* A peer that asks without reading the answers: the engine stops handling, and takes no more. */
static void test_flood_by_a_peer_that_does_not_read(void **state)
{
    static uint8_t payload[4096] = {SSH_MSG_PING, 0, 0, 0x0f, 0xf0};
    uint8_t packet[5000];
    const uint8_t *bytes;
    struct alk_ssh_event event;
    size_t taken = 0, n;

    (void)state;
    script_begin(&s, ALK_SSH_SERVER, AT_OPEN);
    do {
        size_t len = script_seal(&s, payload, 5 + 0xff0, 0, packet), at = 0;
        do {
            n = alk_ssh_input(s.ssh, packet + at, len - at, s.now);
            assert_int_equal(alk_ssh_next(s.ssh, &event), 0);
            at += n;
        } while (n > 0 && at < len);
        taken += at;
        assert_in_range(taken, 0, 2 << 20);
    } while (n > 0);
    assert_false(alk_ssh_wants_input(s.ssh));
    assert_in_range(alk_ssh_output(s.ssh, &bytes), 512 * 1024, 520 * 1024);
    assert_in_range(taken, 700 * 1024, 900 * 1024); /* what was answered, and one full buffer */
    /* once they are read, it goes on */
    alk_ssh_output_done(s.ssh, alk_ssh_output(s.ssh, &bytes));
    assert_true(alk_ssh_wants_input(s.ssh));
    assert_int_equal(alk_ssh_next(s.ssh, &event), 0);
    assert_true(alk_ssh_output(s.ssh, &bytes) > 0);
    script_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests_that_mean_nothing),
        cmocka_unit_test(test_forwards),
        cmocka_unit_test(test_refused_forward_and_its_order),
        cmocka_unit_test(test_replies_come_in_the_order_of_asking),
        cmocka_unit_test(test_bad_port_of_a_listener),
        cmocka_unit_test(test_every_keepalive_has_its_time),
        cmocka_unit_test(test_keepalive_never),
        cmocka_unit_test(test_ping),
        cmocka_unit_test(test_flood_by_a_peer_that_does_not_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
