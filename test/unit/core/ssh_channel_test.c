/* Channels against a scripted peer: flow control, ends, and what a peer may not do
 * (RFC 4254 section 5). */
#include "support/alloc.h"
#include "support/script.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct script s; /* each test begins and frees it */
static uint32_t id;     /* the engine's number of its channel; the peer's is 77 */

static void begin(enum alk_ssh_role role)
{
    script_begin(&s, role, AT_OPEN);
    id = script_open_channel(&s, 77, 100000, 32768);
}

/* Sends a message about the channel `to`: its number, then len bytes as a string or as is. */
static void send_about(uint8_t type, uint32_t to, const void *rest, size_t len)
{
    uint8_t payload[300];
    struct alk_writer w = alk_writer(payload, sizeof(payload));

    alk_put_u8(&w, type);
    alk_put_u32(&w, to);
    alk_put_bytes(&w, rest, len);
    script_send_writer(&s, &w);
}

static void send_data(uint32_t to, size_t len)
{
    uint8_t *payload = calloc(1, len + 16);
    struct alk_writer w = alk_writer(payload, 9);

    assert_non_null(payload);
    alk_put_u8(&w, SSH_MSG_CHANNEL_DATA);
    alk_put_u32(&w, to);
    alk_put_u32(&w, (uint32_t)len);
    script_send(&s, payload, len + 9);
    free(payload);
}

static void send_number(uint8_t type, uint32_t to, uint32_t number)
{
    uint8_t bytes[4] = {(uint8_t)(number >> 24), (uint8_t)(number >> 16), (uint8_t)(number >> 8),
                        (uint8_t)number};
    send_about(type, to, bytes, 4);
}

static void send_open(const char *type, uint32_t port, const char *host, size_t host_len)
{
    uint8_t payload[2048];
    struct alk_writer w = alk_writer(payload, sizeof(payload));

    alk_put_u8(&w, SSH_MSG_CHANNEL_OPEN);
    alk_put_text(&w, type);
    alk_put_u32(&w, 9);
    alk_put_u32(&w, 1000);
    alk_put_u32(&w, 1000);
    alk_put_string(&w, host, host_len);
    alk_put_u32(&w, port);
    alk_put_text(&w, "origin");
    alk_put_u32(&w, 70000); /* where it comes from is only told */
    script_send_writer(&s, &w);
}

static void refused(void)
{
    script_ended(&s, ALK_E_PROTO, ALK_SSH_BY_PROTOCOL_ERROR);
    script_free(&s);
}

/* ---- our receive window ---- */

static void fill_window(void)
{
    s.hold = true;
    for (int i = 0; i < ALK_SSH_WINDOW / ALK_SSH_DATA_MAX; i++)
        send_data(id, ALK_SSH_DATA_MAX);
    script_alive(&s);
    assert_int_equal(s.received, ALK_SSH_WINDOW);
}

static void test_one_byte_over_the_window(void **state)
{
    (void)state;
    begin(ALK_SSH_SERVER);
    fill_window();
    send_data(id, 0);
    script_alive(&s);
    send_data(id, 1);
    refused();
}

static void test_window_comes_back_when_consumed(void **state)
{
    (void)state;
    begin(ALK_SSH_SERVER);
    fill_window();
    assert_false(script_saw(&s, SSH_MSG_CHANNEL_WINDOW_ADJUST));
    alk_ssh_channel_consumed(s.ssh, s.channel, 600000);
    script_run(&s);
    struct alk_reader r = script_take(&s, SSH_MSG_CHANNEL_WINDOW_ADJUST);
    assert_int_equal(alk_get_u32(&r), 77);
    assert_int_equal(alk_get_u32(&r), 600000);
    for (int i = 0; i < 600000 / 30000; i++)
        send_data(id, 30000);
    script_alive(&s);
    send_data(id, 1);
    refused();
}

static void test_packet_larger_than_announced(void **state)
{
    (void)state;
    begin(ALK_SSH_SERVER);
    send_data(id, ALK_SSH_DATA_MAX);
    script_alive(&s);
    send_data(id, ALK_SSH_DATA_MAX + 1);
    refused();
}

static void test_empty_data_is_no_event(void **state)
{
    (void)state;
    begin(ALK_SSH_CLIENT);
    send_data(id, 0);
    assert_int_equal(s.events[ALK_SSH_CHANNEL_DATA], 0);
    script_alive(&s);
    script_free(&s);
}

static void send_extended(size_t len)
{
    uint8_t *payload = calloc(1, len + 16);
    struct alk_writer w = alk_writer(payload, 13);

    alk_put_u8(&w, SSH_MSG_CHANNEL_EXTENDED_DATA);
    alk_put_u32(&w, id);
    alk_put_u32(&w, 1);
    alk_put_u32(&w, (uint32_t)len);
    script_send(&s, payload, len + 13);
    free(payload);
}

static void test_extended_data_is_dropped(void **state)
{
    uint64_t returned = 0;

    (void)state;
    begin(ALK_SSH_CLIENT);
    for (int i = 0; i < 200; i++) { /* far more than a window */
        send_extended(30000);
        script_alive(&s);
        while (script_next(&s)) {
            struct alk_reader r = alk_reader(s.payload + 5, 4);
            if (s.payload[0] == SSH_MSG_CHANNEL_WINDOW_ADJUST)
                returned += alk_get_u32(&r);
        }
    }
    assert_int_equal(s.events[ALK_SSH_CHANNEL_DATA], 0);
    assert_in_range(returned, 200 * 30000 - ALK_SSH_WINDOW, 200 * 30000);
    send_extended(ALK_SSH_DATA_MAX + 1);
    refused();
}

/* ---- the peer's window ---- */

static size_t try_write(size_t len)
{
    static const uint8_t data[70000];

    size_t n = alk_ssh_channel_write(s.ssh, s.channel, data, len);
    script_run(&s);
    return n;
}

static void test_sender_keeps_to_the_window(void **state)
{
    (void)state;
    script_begin(&s, ALK_SSH_SERVER, AT_OPEN);
    id = script_open_channel(&s, 77, 1000, 300);
    assert_int_equal(try_write(5000), 1000);
    assert_true(alk_ssh_channel_blocked(s.channel));
    for (size_t left = 1000; left > 0;) {
        struct alk_reader r = script_take(&s, SSH_MSG_CHANNEL_DATA);
        assert_int_equal(alk_get_u32(&r), 77);
        struct alk_bytes data = alk_get_string(&r);
        assert_true(alk_reader_done(&r));
        assert_int_equal(data.len, left < 300 ? left : 300);
        left -= data.len;
    }
    assert_int_equal(s.events[ALK_SSH_CHANNEL_ROOM], 0);
    send_number(SSH_MSG_CHANNEL_WINDOW_ADJUST, id, 0);
    assert_int_equal(s.events[ALK_SSH_CHANNEL_ROOM], 0);
    send_number(SSH_MSG_CHANNEL_WINDOW_ADJUST, id, 1);
    assert_int_equal(s.events[ALK_SSH_CHANNEL_ROOM], 1);
    assert_int_equal(try_write(5000), 1);
    script_free(&s);
}

static void test_parts_keep_to_window_and_packet(void **state)
{
    struct iovec parts[ALK_SSH_PARTS_MAX];

    (void)state;
    script_begin(&s, ALK_SSH_SERVER, AT_OPEN);
    id = script_open_channel(&s, 77, 1000, 300);
    assert_int_equal(alk_ssh_channel_reserve(s.ssh, s.channel, parts, 3), 3);
    assert_int_equal(parts[2].iov_len, 300);
    assert_int_equal(alk_ssh_channel_reserve(s.ssh, s.channel, parts, 100), 4);
    assert_int_equal(parts[2].iov_len, 300);
    assert_int_equal(parts[3].iov_len, 100);
    for (int i = 0; i < 4; i++)
        memset(parts[i].iov_base, 'a' + i, parts[i].iov_len);
    alk_ssh_channel_commit(s.ssh, s.channel, 1000);
    script_run(&s);
    for (int i = 0; i < 4; i++) {
        struct alk_reader r = script_take(&s, SSH_MSG_CHANNEL_DATA);
        assert_int_equal(alk_get_u32(&r), 77);
        struct alk_bytes data = alk_get_string(&r);
        assert_int_equal(data.len, parts[i].iov_len);
        assert_int_equal(data.data[0], 'a' + i);
        assert_int_equal(data.data[data.len - 1], 'a' + i);
    }
    assert_int_equal(alk_ssh_channel_reserve(s.ssh, s.channel, parts, 8), 0);
    script_free(&s);
}

static void test_window_of_the_peer_overflows(void **state)
{
    (void)state;
    begin(ALK_SSH_SERVER);
    send_number(SSH_MSG_CHANNEL_WINDOW_ADJUST, id, UINT32_MAX - 100000);
    script_alive(&s);
    send_number(SSH_MSG_CHANNEL_WINDOW_ADJUST, id, 1);
    refused();
}

static void test_largest_packet_of_nothing(void **state)
{
    struct alk_ssh_channel *channel;
    uint8_t payload[128];
    struct alk_writer w = alk_writer(payload, sizeof(payload));

    (void)state;
    script_begin(&s, ALK_SSH_SERVER, AT_OPEN);
    alk_put_u8(&w, SSH_MSG_CHANNEL_OPEN);
    alk_put_text(&w, "direct-streamlocal@openssh.com");
    for (int i = 0; i < 2; i++)
        alk_put_u32(&w, 1000);
    alk_put_u32(&w, 0);
    alk_put_text(&w, "/x");
    script_send_writer(&s, &w);
    assert_int_equal(s.events[ALK_SSH_CHANNEL_REQUEST], 0);
    refused();
    script_begin(&s, ALK_SSH_CLIENT, AT_OPEN);
    assert_int_equal(alk_ssh_channel_open(s.ssh, ALK_SSH_DIRECT_UNIX, "/x", 0, NULL, 0, &channel),
                     0);
    send_about(SSH_MSG_CHANNEL_OPEN_CONFIRMATION, 0, (const uint8_t[12]){0, 0, 0, 1, 1}, 12);
    refused();
}

/* ---- ends ---- */

static void test_what_may_not_follow_the_end_of_data(void **state)
{
    static const uint8_t types[] = {SSH_MSG_CHANNEL_DATA, SSH_MSG_CHANNEL_EXTENDED_DATA,
                                    SSH_MSG_CHANNEL_EOF};

    (void)state;
    for (int i = 0; i < 3; i++) {
        begin(ALK_SSH_SERVER);
        send_about(SSH_MSG_CHANNEL_EOF, id, NULL, 0);
        assert_int_equal(s.events[ALK_SSH_CHANNEL_EOF], 1);
        if (types[i] == SSH_MSG_CHANNEL_DATA)
            send_data(id, 1);
        else if (types[i] == SSH_MSG_CHANNEL_EOF)
            send_about(types[i], id, NULL, 0);
        else
            send_extended(1);
        assert_int_equal(s.events[ALK_SSH_CHANNEL_EOF], 1);
        refused();
    }
}

static void test_nothing_may_follow_close(void **state)
{
    static const uint8_t rest[20];

    (void)state;
    for (unsigned type = SSH_MSG_CHANNEL_OPEN_CONFIRMATION; type <= SSH_MSG_CHANNEL_FAILURE;
         type++) {
        if (type == SSH_MSG_CHANNEL_WINDOW_ADJUST)
            continue;
        begin(ALK_SSH_SERVER);
        send_about(SSH_MSG_CHANNEL_CLOSE, id, NULL, 0);
        script_alive(&s);
        struct alk_reader r = script_take(&s, SSH_MSG_CHANNEL_CLOSE);
        assert_int_equal(alk_get_u32(&r), 77);
        assert_int_equal(s.events[ALK_SSH_CHANNEL_CLOSED], 1);
        assert_int_equal(alk_ssh_channel_count(s.ssh), 0);
        send_about((uint8_t)type, id, rest, sizeof(rest));
        refused();
    }
}

/* A window for a channel that is gone, or never was, changes nothing: some servers send them late. */
static void test_late_windows_are_dropped(void **state)
{
    (void)state;
    begin(ALK_SSH_SERVER);
    send_about(SSH_MSG_CHANNEL_CLOSE, id, NULL, 0);
    send_number(SSH_MSG_CHANNEL_WINDOW_ADJUST, id, UINT32_MAX);
    send_number(SSH_MSG_CHANNEL_WINDOW_ADJUST, UINT32_MAX, 1);
    script_alive(&s);
    assert_int_equal(script_open_channel(&s, 78, 1000, 300), id);
    assert_int_equal(try_write(2000), 1000);
    send_about(SSH_MSG_CHANNEL_WINDOW_ADJUST, id, "\0\0\0", 3); /* cut */
    refused();
}

static void test_what_crosses_our_close_is_dropped(void **state)
{
    (void)state;
    begin(ALK_SSH_SERVER);
    alk_ssh_channel_close(s.ssh, s.channel);
    alk_ssh_channel_close(s.ssh, s.channel);
    script_run(&s);
    assert_true(script_next(&s));
    assert_int_equal(s.payload[0], SSH_MSG_CHANNEL_CLOSE);
    assert_int_equal(try_write(1), 0);
    send_data(id, 1000);
    send_extended(1000);
    send_number(SSH_MSG_CHANNEL_WINDOW_ADJUST, id, 1000);
    send_about(SSH_MSG_CHANNEL_REQUEST, id, "\0\0\0\1x\1", 6);
    send_about(SSH_MSG_CHANNEL_EOF, id, NULL, 0);
    assert_int_equal(alk_ssh_channel_count(s.ssh), 1);
    send_about(SSH_MSG_CHANNEL_CLOSE, id, NULL, 0);
    script_alive(&s);
    assert_false(script_next(&s)); /* CLOSE was sent once, and nothing after it */
    assert_int_equal(s.events[ALK_SSH_CHANNEL_DATA] + s.events[ALK_SSH_CHANNEL_EOF] +
                         s.events[ALK_SSH_CHANNEL_ROOM],
                     0);
    assert_int_equal(s.events[ALK_SSH_CHANNEL_CLOSED], 1);
    script_free(&s);
}

static void test_what_crosses_our_close_keeps_to_the_window(void **state)
{
    (void)state;
    begin(ALK_SSH_SERVER);
    alk_ssh_channel_close(s.ssh, s.channel);
    for (int i = 0; i < ALK_SSH_WINDOW / ALK_SSH_DATA_MAX; i++)
        send_data(id, ALK_SSH_DATA_MAX);
    script_alive(&s);
    assert_int_equal(s.received, 0);
    send_data(id, 1);
    refused();
}

static void test_unknown_channels(void **state)
{
    static const uint32_t ids[] = {1, 4, 1024, UINT32_MAX};
    static const uint8_t rest[20];

    (void)state;
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        for (unsigned type = SSH_MSG_CHANNEL_OPEN_CONFIRMATION; type <= SSH_MSG_CHANNEL_FAILURE;
             type++) {
            if (type == SSH_MSG_CHANNEL_WINDOW_ADJUST)
                continue;
            begin(ALK_SSH_SERVER);
            send_about((uint8_t)type, ids[i], rest, sizeof(rest));
            refused();
        }
    }
}

/* A channel that waits for the caller has a number that the peer was not told. */
static void test_channel_that_was_not_accepted(void **state)
{
    (void)state;
    for (int late = 0; late < 3; late++) {
        script_begin(&s, ALK_SSH_SERVER, AT_OPEN);
        s.ask = true;
        send_open("direct-tcpip", 1, "h", 1);
        assert_int_equal(s.events[ALK_SSH_CHANNEL_REQUEST], 1);
        struct alk_ssh_channel *channel = s.channel;
        if (late == 0) {
            send_data(0, 1);
            refused();
            continue;
        }
        if (late == 1)
            alk_ssh_channel_reject(s.ssh, channel, ALK_SSH_OPEN_CONNECT_FAILED, "no route");
        else
            alk_ssh_channel_close(s.ssh, channel);
        script_run(&s);
        struct alk_reader r = script_take(&s, SSH_MSG_CHANNEL_OPEN_FAILURE);
        assert_int_equal(alk_get_u32(&r), 9);
        assert_int_equal(alk_get_u32(&r),
                         late == 1 ? ALK_SSH_OPEN_CONNECT_FAILED : ALK_SSH_OPEN_PROHIBITED);
        assert_int_equal(alk_ssh_channel_count(s.ssh), 0);
        script_free(&s);
    }
}

static const void *held;
static bool held_was_freed;

static void miss_held(const void *block, size_t size)
{
    (void)size;
    held_was_freed |= block == held;
}

static bool reject_another(struct script *script, const struct alk_ssh_event *event)
{
    static struct alk_ssh_channel *asked;

    if (event->type == ALK_SSH_CHANNEL_REQUEST && event->port == 1)
        asked = event->channel;
    if (event->type == ALK_SSH_CHANNEL_CLOSED) {
        held = event->channel;
        alloc_watch_free(miss_held);
        alk_ssh_channel_reject(script->ssh, asked, ALK_SSH_OPEN_PROHIBITED, "no");
        alloc_watch_free(NULL);
    }
    return event->type == ALK_SSH_CHANNEL_REQUEST && event->port == 1;
}

static void test_channels_live_as_long_as_their_event(void **state)
{
    (void)state;
    begin(ALK_SSH_SERVER);
    s.on_event = reject_another;
    send_open("direct-tcpip", 1, "h", 1);
    send_about(SSH_MSG_CHANNEL_CLOSE, id, NULL, 0);
    script_alive(&s);
    assert_non_null(held);
    assert_false(held_was_freed);
    assert_int_equal(alk_ssh_channel_count(s.ssh), 0);
    script_free(&s);
}

/* ---- opening ---- */

static void test_numbers_are_used_again(void **state)
{
    struct alk_ssh_options options = ALK_SSH_OPTIONS_INIT;

    (void)state;
    options.max_channels = 3;
    script_start(&s, ALK_SSH_SERVER, &options);
    script_to(&s, AT_OPEN);
    for (uint32_t i = 0; i < 300; i++) {
        uint32_t got[3];
        for (int k = 0; k < 3; k++) {
            got[k] = script_open_channel(&s, i * 3, 1000, 1000);
            assert_in_range(got[k], 0, 2);
        }
        assert_true(got[0] != got[1] && got[1] != got[2] && got[0] != got[2]);
        for (int k = 0; k < 3; k++)
            send_about(SSH_MSG_CHANNEL_CLOSE, got[k], NULL, 0);
    }
    assert_int_equal(alk_ssh_channel_count(s.ssh), 0);
    script_free(&s);
}

static void test_refused_opens(void **state)
{
    static const struct {
        enum alk_ssh_role role;
        const char *type;
        uint32_t port, reason;
    } table[] = {
        {ALK_SSH_SERVER, "session", 0, ALK_SSH_OPEN_PROHIBITED},
        {ALK_SSH_CLIENT, "session", 0, ALK_SSH_OPEN_PROHIBITED},
        {ALK_SSH_SERVER, "x11", 0, ALK_SSH_OPEN_UNKNOWN_TYPE},
        {ALK_SSH_SERVER, "", 0, ALK_SSH_OPEN_UNKNOWN_TYPE},
        {ALK_SSH_SERVER, "forwarded-tcpip", 1, ALK_SSH_OPEN_UNKNOWN_TYPE},
        {ALK_SSH_CLIENT, "direct-tcpip", 1, ALK_SSH_OPEN_UNKNOWN_TYPE},
        {ALK_SSH_CLIENT, "auth-agent@openssh.com", 1, ALK_SSH_OPEN_UNKNOWN_TYPE},
        {ALK_SSH_SERVER, "direct-tcpip", 65536, ALK_SSH_OPEN_CONNECT_FAILED},
        {ALK_SSH_SERVER, "direct-tcpip", UINT32_MAX, ALK_SSH_OPEN_CONNECT_FAILED},
        {ALK_SSH_CLIENT, "forwarded-tcpip", 65536, ALK_SSH_OPEN_CONNECT_FAILED},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        script_begin(&s, table[i].role, AT_OPEN);
        send_open(table[i].type, table[i].port, "h", 1);
        struct alk_reader r = script_take(&s, SSH_MSG_CHANNEL_OPEN_FAILURE);
        assert_int_equal(alk_get_u32(&r), 9);
        assert_int_equal(alk_get_u32(&r), table[i].reason);
        assert_true(alk_get_string(&r).len > 0);
        assert_true(alk_reader_ok(&r));
        assert_int_equal(s.events[ALK_SSH_CHANNEL_REQUEST], 0);
        assert_int_equal(alk_ssh_channel_count(s.ssh), 0);
        script_alive(&s);
        script_free(&s);
    }
}

static void test_hosts(void **state)
{
    static char longest[ALK_SSH_HOST_MAX + 2];

    (void)state;
    memset(longest, 'h', ALK_SSH_HOST_MAX + 1);
    script_begin(&s, ALK_SSH_SERVER, AT_OPEN);
    send_open("direct-tcpip", 65535, longest, ALK_SSH_HOST_MAX);
    assert_int_equal(strlen(s.host), ALK_SSH_HOST_MAX);
    assert_int_equal(s.last.port, 65535);
    send_open("direct-tcpip", 1, longest, ALK_SSH_HOST_MAX + 1);
    refused();
    script_begin(&s, ALK_SSH_SERVER, AT_OPEN);
    send_open("direct-tcpip", 1, "good\0bad", 8);
    assert_int_equal(s.events[ALK_SSH_CHANNEL_REQUEST], 0);
    refused();
}

/* ---- channel requests ---- */

static void test_channel_requests(void **state)
{
    (void)state;
    begin(ALK_SSH_CLIENT);
    send_about(SSH_MSG_CHANNEL_REQUEST, id, "\0\0\0\13exit-status\0\0\0\0\0", 20);
    assert_false(script_next(&s));
    send_about(SSH_MSG_CHANNEL_REQUEST, id, "\0\0\0\5shell\1", 10);
    struct alk_reader r = script_take(&s, SSH_MSG_CHANNEL_FAILURE);
    assert_int_equal(alk_get_u32(&r), 77);
    send_about(SSH_MSG_CHANNEL_SUCCESS, id, NULL, 0); /* to what? */
    refused();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_byte_over_the_window),
        cmocka_unit_test(test_window_comes_back_when_consumed),
        cmocka_unit_test(test_packet_larger_than_announced),
        cmocka_unit_test(test_empty_data_is_no_event),
        cmocka_unit_test(test_extended_data_is_dropped),
        cmocka_unit_test(test_sender_keeps_to_the_window),
        cmocka_unit_test(test_parts_keep_to_window_and_packet),
        cmocka_unit_test(test_window_of_the_peer_overflows),
        cmocka_unit_test(test_largest_packet_of_nothing),
        cmocka_unit_test(test_what_may_not_follow_the_end_of_data),
        cmocka_unit_test(test_nothing_may_follow_close),
        cmocka_unit_test(test_late_windows_are_dropped),
        cmocka_unit_test(test_what_crosses_our_close_is_dropped),
        cmocka_unit_test(test_what_crosses_our_close_keeps_to_the_window),
        cmocka_unit_test(test_unknown_channels),
        cmocka_unit_test(test_channel_that_was_not_accepted),
        cmocka_unit_test(test_channels_live_as_long_as_their_event),
        cmocka_unit_test(test_numbers_are_used_again),
        cmocka_unit_test(test_refused_opens),
        cmocka_unit_test(test_hosts),
        cmocka_unit_test(test_channel_requests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
