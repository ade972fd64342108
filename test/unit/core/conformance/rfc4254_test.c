/* RFC 4254, channels and global requests. More of windows: ssh_channel_test.c. */
#include "support/must.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { WINDOW = ALK_SSH_WINDOW };

static void hold(struct script *s)
{
    s->hold = true;
}

/* ---- our own messages ---- */

static struct alk_reader our_open(struct script *s, struct alk_ssh_channel **channel)
{
    enum alk_ssh_channel_kind kind =
        s->role == ALK_SSH_SERVER ? ALK_SSH_FORWARDED_TCPIP : ALK_SSH_DIRECT_TCPIP;

    assert_int_equal(alk_ssh_channel_open(s->ssh, kind, "h", 80, "o", 1, channel), 0);
    script_run(s);
    return script_take(s, SSH_MSG_CHANNEL_OPEN);
}

static void open_says_where(struct script *s)
{
    struct alk_ssh_channel *channel;
    struct alk_reader r = our_open(s, &channel);

    assert_true(alk_bytes_equal(alk_get_string(&r),
                                s->role == ALK_SSH_SERVER ? "forwarded-tcpip" : "direct-tcpip"));
    alk_get_u32(&r);
    assert_int_equal(alk_get_u32(&r), WINDOW);
    assert_int_equal(alk_get_u32(&r), ALK_SSH_DATA_MAX);
    assert_true(alk_bytes_equal(alk_get_string(&r), "h"));
    assert_int_equal(alk_get_u32(&r), 80);
    assert_true(alk_bytes_equal(alk_get_string(&r), "o"));
    assert_int_equal(alk_get_u32(&r), 1);
    assert_true(alk_reader_done(&r));
}

static void open_is_refused(struct script *s)
{
    struct alk_ssh_channel *channel;

    our_open(s, &channel);
    must_say(s, "92 u:0 u:2 s:no s:en");
    assert_int_equal(s->events[ALK_SSH_CHANNEL_FAILED], 1);
    assert_int_equal(s->last.reason, 2);
    assert_int_equal(alk_ssh_channel_count(s->ssh), 0);
}

static void open_is_answered_twice(struct script *s)
{
    struct alk_ssh_channel *channel;

    our_open(s, &channel);
    must_say(s, "91 u:0 u:9 u:10 u:100; 91 u:0 u:9 u:10 u:100");
}

/* A channel of ours with a window of 10 and packets of 4. */
static struct alk_ssh_channel *narrow(struct script *s)
{
    struct alk_ssh_channel *channel;

    our_open(s, &channel);
    must_say(s, "91 u:0 u:9 u:10 u:4");
    script_alive(s);
    return channel;
}

static void keep_to_window(struct script *s)
{
    struct alk_ssh_channel *channel = narrow(s);

    assert_int_equal(alk_ssh_channel_write(s->ssh, channel, "0123456789abcdef", 16), 10);
    script_run(s);
    must_have_said(s, "94 u:9 s:0123; 94 u:9 s:4567; 94 u:9 s:89");
    must_say(s, "93 u:0 u:3");
    assert_int_equal(alk_ssh_channel_write(s->ssh, channel, "abcdef", 6), 3);
    script_run(s);
    must_have_said(s, "94 u:9 s:abc");
}

static void eof_needs_no_window(struct script *s)
{
    struct alk_ssh_channel *channel = narrow(s);

    assert_int_equal(alk_ssh_channel_write(s->ssh, channel, "0123456789", 10), 10);
    alk_ssh_channel_eof(s->ssh, channel);
    alk_ssh_channel_eof(s->ssh, channel);
    assert_int_equal(alk_ssh_channel_write(s->ssh, channel, "x", 1), 0);
    alk_ssh_channel_close(s->ssh, channel);
    alk_ssh_channel_close(s->ssh, channel);
    script_run(s);
    must_have_said(s, "94 *; 94 *; 94 *; 96 u:9; 97 u:9");
}

/* ---- what the peer sends ---- */

static void fill(struct script *s, size_t size)
{
    static uint8_t payload[9 + ALK_SSH_DATA_MAX];

    while (size > 0) {
        size_t n = size < ALK_SSH_DATA_MAX ? size : ALK_SSH_DATA_MAX;
        struct alk_writer w = alk_writer(payload, 9);
        alk_put_u8(&w, SSH_MSG_CHANNEL_DATA);
        alk_put_u32(&w, 0);
        alk_put_u32(&w, (uint32_t)n);
        script_send(s, payload, 9 + n);
        size -= n;
    }
}

static void all_of_the_window(struct script *s)
{
    fill(s, WINDOW);
    assert_int_equal(s->received, WINDOW);
}

static void more_than_the_window(struct script *s)
{
    all_of_the_window(s);
    must_say(s, "94 u:0 s:x");
}

static void extended_over_the_window(struct script *s)
{
    all_of_the_window(s);
    must_say(s, "95 u:0 u:1 s:x");
}

static void window_comes_back(struct script *s)
{
    fill(s, WINDOW);
    assert_true(script_saw(s, SSH_MSG_CHANNEL_WINDOW_ADJUST));
    fill(s, WINDOW / 2);
    assert_int_equal(s->received, WINDOW + WINDOW / 2);
}

static void eof_leaves_the_other_way(struct script *s)
{
    must_say(s, "96 u:0");
    assert_int_equal(s->events[ALK_SSH_CHANNEL_EOF], 1);
    assert_int_equal(alk_ssh_channel_write(s->ssh, s->channel, "x", 1), 1);
    script_run(s);
    must_have_said(s, "94 u:5 s:x");
    must_say(s, "93 u:0 u:7; 97 u:0");
    must_have_said(s, "97 u:5");
}

static void number_is_free_again(struct script *s)
{
    must_say(s, "97 u:0");
    must_have_said(s, "97 u:5");
    must_say(s, "90 open u:6 u:1 u:1 s:h u:1 s:o u:1");
    must_have_said(s, "91 u:6 u:0 u:2097152 u:32768");
}

static void we_close_first(struct script *s)
{
    alk_ssh_channel_close(s->ssh, s->channel);
    script_run(s);
    must_have_said(s, "97 u:5");
    must_say(s, "94 u:0 s:late; 95 u:0 u:1 s:late; 98 u:0 s:x 1; 96 u:0; 97 u:0");
    assert_int_equal(s->events[ALK_SSH_CHANNEL_CLOSED], 1);
    assert_int_equal(s->received, 0);
}

static void data_before_accepted(struct script *s)
{
    s->ask = true;
    must_say(s, "90 open u:6 u:1 u:1 s:h u:1 s:o u:1");
    assert_int_equal(s->events[ALK_SSH_CHANNEL_REQUEST], 1);
    must_say(s, "94 u:0 s:x");
}

static void reject(struct script *s)
{
    s->ask = true;
    must_say(s, "90 open u:6 u:1 u:1 s:h u:1 s:o u:1");
    alk_ssh_channel_reject(s->ssh, s->channel, ALK_SSH_OPEN_CONNECT_FAILED, "no");
    script_run(s);
}

static void forward_replies(struct script *s)
{
    assert_int_equal(alk_ssh_forward_request(s->ssh, ALK_SSH_FORWARDED_TCPIP, false, "h", 0, s), 0);
    assert_int_equal(alk_ssh_forward_request(s->ssh, ALK_SSH_FORWARDED_TCPIP, false, "h", 7, NULL),
                     0);
    script_run(s);
    must_have_said(s, "80 s:tcpip-forward 1 s:h u:0; 80 s:tcpip-forward 1 s:h u:7");
    must_say(s, "81 u:4242");
    assert_ptr_equal(s->last.tag, s);
    assert_int_equal(s->last.port, 4242);
    must_say(s, "82");
    assert_null(s->last.tag);
    assert_false(s->last.ok);
    must_say(s, "82");
}

/* clang-format off */
static const struct must rows[] = {
    {"4", "a request that is not known is answered with failure", "asks for something", OF_BOTH, AT_OPEN, .says = "80 s:unknown@example.org 1 z:7", .answer = "82"},
    {"4", "no answer is sent that was not asked for", "asks without wanting one", OF_BOTH, AT_OPEN, .says = "80 s:unknown@example.org 0", .answer = ""},
    {"4", "answers come in the order of the requests", "asks four times", OF_SERVER, AT_OPEN, .says = "80 s:tcpip-forward 1 s:h u:0; 80 s:unknown 1; 80 s:unknown 0; 80 s:tcpip-forward 1 s:h u:9", .answer = "81 u:4242; 82; 81"},
    {"4", "an answer belongs to a request", "answers what nobody asked", OF_BOTH, AT_OPEN, .says = "81", .ends = ALK_SSH_BY_PROTOCOL_ERROR},
    {"4", "an answer belongs to a request", "refuses what nobody asked", OF_BOTH, AT_OPEN, .says = "82", .ends = ALK_SSH_BY_PROTOCOL_ERROR},
    {"4", "answers are taken in the order of the requests", "answers two requests and then one more", OF_CLIENT, AT_OPEN, .act = forward_replies, .ends = ALK_SSH_BY_PROTOCOL_ERROR},
    {"4", "a request has its fields", "leaves out whether it wants an answer", OF_BOTH, AT_OPEN, .says = "80 s:x", .ends = ALK_SSH_BY_PROTOCOL_ERROR},

    {"5.1", "an open is answered with both numbers, a window and a packet size", "opens a channel", OF_BOTH, AT_OPEN, .says = "90 open u:77 u:1 u:1 s:h u:1 s:o u:1", .answer = "91 u:77 u:0 u:2097152 u:32768"},
    {"5.1", "a type that is not known is refused", "opens one", OF_BOTH, AT_OPEN, .says = "90 s:unknown@example.org u:77 u:1 u:1 z:5", .answer = "92 u:77 u:3 *"},
    {"5.1", "a refusal gives its reason", "is refused", OF_BOTH, AT_OPEN, .act = reject, .answer = "92 u:6 u:2 s:no s:"},
    {"5.1", "nothing may be sent before the open is answered", "sends data", OF_BOTH, AT_OPEN, .act = data_before_accepted, .ends = ALK_SSH_BY_PROTOCOL_ERROR},
    {"5.1", "an open has its fields", "leaves some out", OF_BOTH, AT_OPEN, .says = "90 open u:5 u:1 u:1 s:h", .ends = ALK_SSH_BY_PROTOCOL_ERROR},
    {"5.1", "the engine opens with all fields", "reads it", OF_BOTH, AT_OPEN, .act = open_says_where},
    {"5.1", "an open that is refused leaves nothing behind", "refuses", OF_BOTH, AT_OPEN, .act = open_is_refused},
    {"5.1", "an open is answered once", "confirms twice", OF_BOTH, AT_OPEN, .act = open_is_answered_twice, .ends = ALK_SSH_BY_PROTOCOL_ERROR},
    {"5.1", "an answer belongs to an open", "confirms what nobody opened", OF_BOTH, AT_OPEN, .says = "91 u:0 u:1 u:1 u:1", .ends = ALK_SSH_BY_PROTOCOL_ERROR},
    {"5.1", "an answer belongs to an open", "refuses what nobody opened", OF_BOTH, AT_OPEN, .says = "92 u:0 u:1 s:no s:", .ends = ALK_SSH_BY_PROTOCOL_ERROR},

    {"5.2", "no more is sent than window and packet size allow", "grants 10 bytes in packets of 4, then 3 more", OF_BOTH, AT_OPEN, .act = keep_to_window},
    {"5.2", "all of a window may be used", "uses it", OF_BOTH, AT_OPEN, .channel = true, .before = hold, .act = all_of_the_window},
    {"5.2", "no more than the window is taken", "sends a byte more", OF_BOTH, AT_OPEN, .channel = true, .before = hold, .act = more_than_the_window, .ends = ALK_SSH_BY_PROTOCOL_ERROR},
    {"5.2", "extended data counts for the window", "sends a byte more so", OF_BOTH, AT_OPEN, .channel = true, .before = hold, .act = extended_over_the_window, .ends = ALK_SSH_BY_PROTOCOL_ERROR},
    {"5.2", "what is consumed is granted again", "goes on", OF_BOTH, AT_OPEN, .channel = true, .act = window_comes_back},
    {"5.2", "no packet is larger than was announced", "sends 32,769 bytes", OF_BOTH, AT_OPEN, .channel = true, .says = "94 u:0 n:32769", .ends = ALK_SSH_BY_PROTOCOL_ERROR},
    {"5.2", "no packet is larger than was announced", "sends 32,769 bytes of extended data", OF_BOTH, AT_OPEN, .channel = true, .says = "95 u:0 u:1 n:32769", .ends = ALK_SSH_BY_PROTOCOL_ERROR},
    {"5.2", "a window stays below 2^32", "grants up to it", OF_BOTH, AT_OPEN, .channel = true, .says = "93 u:0 u:4293918719", .answer = ""},
    {"5.2", "a window stays below 2^32", "grants a byte more", OF_BOTH, AT_OPEN, .channel = true, .says = "93 u:0 u:4293918720", .ends = ALK_SSH_BY_PROTOCOL_ERROR},
    {"5.2", "data is for a channel that is open", "sends some for another", OF_BOTH, AT_OPEN, .channel = true, .says = "94 u:1 s:x", .ends = ALK_SSH_BY_PROTOCOL_ERROR},
    {"5.2", "data is for a channel that is open", "sends some for its own number", OF_BOTH, AT_OPEN, .channel = true, .says = "94 u:5 s:x", .ends = ALK_SSH_BY_PROTOCOL_ERROR},
    {"5.2", "data is as long as it says", "says more", OF_BOTH, AT_OPEN, .channel = true, .says = "94 u:0 u:5 z:4", .ends = ALK_SSH_BY_PROTOCOL_ERROR},
    {"5.2", "data is as long as it says", "says less", OF_BOTH, AT_OPEN, .channel = true, .says = "94 u:0 u:3 z:4", .ends = ALK_SSH_BY_PROTOCOL_ERROR},
    {"5.2", "extended data of any kind is taken", "sends some", OF_BOTH, AT_OPEN, .channel = true, .says = "95 u:0 u:1 s:x; 95 u:0 u:99 s:y", .answer = ""},

    {"5.3", "EOF is not answered, and the other way stays open", "ends its way", OF_BOTH, AT_OPEN, .channel = true, .act = eof_leaves_the_other_way},
    {"5.3", "no data comes after EOF", "sends some", OF_BOTH, AT_OPEN, .channel = true, .says = "96 u:0; 94 u:0 s:x", .ends = ALK_SSH_BY_PROTOCOL_ERROR},
    {"5.3", "no data comes after EOF", "sends extended data", OF_BOTH, AT_OPEN, .channel = true, .says = "96 u:0; 95 u:0 u:1 s:x", .ends = ALK_SSH_BY_PROTOCOL_ERROR},
    {"5.3", "EOF comes once", "sends it twice", OF_BOTH, AT_OPEN, .channel = true, .says = "96 u:0; 96 u:0", .ends = ALK_SSH_BY_PROTOCOL_ERROR},
    {"5.3", "EOF and CLOSE take no window and are sent once", "grants none", OF_BOTH, AT_OPEN, .act = eof_needs_no_window},
    {"5.3", "CLOSE is answered with CLOSE", "closes", OF_BOTH, AT_OPEN, .channel = true, .says = "97 u:0", .answer = "97 u:5"},
    {"5.3", "CLOSE needs no EOF before it", "closes with a way open", OF_BOTH, AT_OPEN, .channel = true, .says = "94 u:0 s:x; 97 u:0", .answer = "97 u:5"},
    {"5.3", "a channel is gone when both have closed, and its number free", "opens another", OF_BOTH, AT_OPEN, .channel = true, .act = number_is_free_again},
    {"5.3", "what was on its way when the engine closed is dropped", "sends it, then closes", OF_BOTH, AT_OPEN, .channel = true, .act = we_close_first, .answer = ""},
    {"5.3", "nothing comes after CLOSE", "sends data", OF_BOTH, AT_OPEN, .channel = true, .says = "97 u:0; 94 u:0 s:x", .ends = ALK_SSH_BY_PROTOCOL_ERROR},
    {"5.3", "nothing comes after CLOSE", "sends EOF", OF_BOTH, AT_OPEN, .channel = true, .says = "97 u:0; 96 u:0", .ends = ALK_SSH_BY_PROTOCOL_ERROR},
    {"5.3", "nothing comes after CLOSE", "closes again", OF_BOTH, AT_OPEN, .channel = true, .says = "97 u:0; 97 u:0", .ends = ALK_SSH_BY_PROTOCOL_ERROR},
    {"5.3", "nothing comes after CLOSE", "asks for something", OF_BOTH, AT_OPEN, .channel = true, .says = "97 u:0; 98 u:0 s:x 1", .ends = ALK_SSH_BY_PROTOCOL_ERROR},
    {"5.3", "nothing comes after CLOSE (but npm's ssh2 sends windows)", "grants a window", OF_BOTH, AT_OPEN, .channel = true, .says = "97 u:0; 93 u:0 u:9", .answer = "97 u:5"},

    {"5.4", "a request that is not known is answered with failure", "asks for something", OF_BOTH, AT_OPEN, .channel = true, .says = "98 u:0 s:unknown@example.org 1 z:3", .answer = "100 u:5"},
    {"5.4", "no answer is sent that was not asked for", "asks without wanting one", OF_BOTH, AT_OPEN, .channel = true, .says = "98 u:0 s:exit-status 0 u:0", .answer = ""},
    {"5.4", "requests are for a channel that is open", "asks on another", OF_BOTH, AT_OPEN, .channel = true, .says = "98 u:9 s:x 1", .ends = ALK_SSH_BY_PROTOCOL_ERROR},
    {"5.4", "an answer belongs to a request", "answers what nobody asked", OF_BOTH, AT_OPEN, .channel = true, .says = "99 u:0", .ends = ALK_SSH_BY_PROTOCOL_ERROR},
    {"5.4", "an answer belongs to a request", "refuses what nobody asked", OF_BOTH, AT_OPEN, .channel = true, .says = "100 u:0", .ends = ALK_SSH_BY_PROTOCOL_ERROR},
    {"5.4", "requests take no window", "asks with none left", OF_BOTH, AT_OPEN, .channel = true, .before = hold, .act = all_of_the_window},

    {"6.1", "a session is opened by clients only", "opens one at the client", OF_CLIENT, AT_OPEN, .says = "90 s:session u:7 u:1 u:1", .answer = "92 u:7 u:1 *"},
    {"6.1", "sessions, terminals, X11, environment, commands, signals, exit status", .does_not_apply = "alknet runs no commands"},
    {"6.1", "a session that is not given is refused", "opens one", OF_SERVER, AT_OPEN, .says = "90 s:session u:7 u:1 u:1", .answer = "92 u:7 u:1 *"},
    {"6.3", "an X11 channel that was not asked for is refused", "opens one", OF_BOTH, AT_OPEN, .says = "90 s:x11 u:7 u:1 u:1 s:o u:1", .answer = "92 u:7 u:3 *"},

    {"7.1", "port 0 is answered with the port", "asks for any", OF_SERVER, AT_OPEN, .says = "80 s:tcpip-forward 1 s:127.0.0.1 u:0", .answer = "81 u:4242"},
    {"7.1", "another port is answered without", "asks for one", OF_SERVER, AT_OPEN, .says = "80 s:tcpip-forward 1 s: u:8080", .answer = "81"},
    {"7.1", "a port is a port", "asks for 65,536", OF_SERVER, AT_OPEN, .says = "80 s:tcpip-forward 1 s: u:65536", .answer = "82"},
    {"7.1", "a listener is cancelled", "cancels", OF_SERVER, AT_OPEN, .says = "80 s:tcpip-forward 1 s:h u:80; 80 s:cancel-tcpip-forward 1 s:h u:80", .answer = "81; 81"},
    {"7.1", "no answer is sent that was not asked for", "asks without wanting one", OF_SERVER, AT_OPEN, .says = "80 s:tcpip-forward 0 s:h u:0; 80 s:cancel-tcpip-forward 0 s:h u:1", .answer = ""},
    {"7.1", "a client refuses to listen for a server", "asks it to", OF_CLIENT, AT_OPEN, .says = "80 s:tcpip-forward 1 s: u:0", .answer = "82"},
    {"7.1", "a request has its fields", "leaves out the port", OF_SERVER, AT_OPEN, .says = "80 s:tcpip-forward 1 s:h", .ends = ALK_SSH_BY_PROTOCOL_ERROR},
    {"7.1", "ports below 1024 are for those who may", .elsewhere = "test/e2e/test_policy.py, test_privileged_ports_need_a_rule"},
    {"7.2", "a client refuses channels of listeners that it has not asked for", .elsewhere = "test/e2e/test_hostile.py, test_client_refuses_channels_of_no_listener_of_its_own"},
    {"7.2", "forwarded-tcpip is opened by servers", "opens it at the server", OF_SERVER, AT_OPEN, .says = "90 s:forwarded-tcpip u:7 u:1 u:1 s:h u:1 s:o u:1", .answer = "92 u:7 u:3 *"},
    {"7.2", "a client refuses direct-tcpip", "opens it at the client", OF_CLIENT, AT_OPEN, .says = "90 s:direct-tcpip u:7 u:1 u:1 s:h u:1 s:o u:1", .answer = "92 u:7 u:3 *"},
    {"7.2", "a port is a port", "opens a channel to 65,536", OF_BOTH, AT_OPEN, .says = "90 open u:7 u:1 u:1 s:h u:65536 s:o u:1", .answer = "92 u:7 u:2 *"},
    {"8", "terminal modes", .does_not_apply = "alknet has no terminals"},
};
/* clang-format on */

int main(int argc, char **argv)
{
    return must_main(argc, argv, "RFC 4254", rows, sizeof(rows) / sizeof(rows[0]));
}
