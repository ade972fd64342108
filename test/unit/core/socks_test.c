#include "tunnel/socks.h"

#include <alk/status.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define BYTES(text) (const uint8_t *)(text), sizeof(text) - 1
#define TEXT_255                                                                                   \
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
    "aa"                                                                                           \
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
    "aa"                                                                                           \
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct alk_socks_auth bob = {.user = "bob", .password = "correct horse"};

struct talk {
    const char *name;
    const struct alk_socks_auth *auth;
    const uint8_t *in;
    size_t in_len;
    const uint8_t *out; /* replies, all of them */
    size_t out_len;
    enum alk_dialogue_state state;
    const char *host; /* of a request */
    unsigned port;
    size_t left; /* bytes behind the handshake that must not be taken */
};

static const struct talk talks[] = {
    {"v5 name", NULL,
     BYTES("\5\1\0"
           "\5\1\0\3\13example.com\1\xbb"),
     BYTES("\5\0"), ALK_DIALOGUE_REQUEST, "example.com", 443, 0},
    {"v5 ipv4 with data behind", NULL,
     BYTES("\5\3\1\0\2"
           "\5\1\0\1\xc0\0\2\1\0\x16"
           "SSH-2.0-x"),
     BYTES("\5\0"), ALK_DIALOGUE_REQUEST, "192.0.2.1", 22, 9},
    {"v5 ipv6", NULL,
     BYTES("\5\1\0"
           "\5\1\0\4\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1\xff\xff"),
     BYTES("\5\0"), ALK_DIALOGUE_REQUEST, "2001:db8::1", 65535, 0},
    {"v5 longest name", NULL,
     BYTES("\5\1\0"
           "\5\1\0\3\xff" TEXT_255 "\0\1"),
     BYTES("\5\0"), ALK_DIALOGUE_REQUEST, TEXT_255, 1, 0},
    {"v5 password", &bob,
     BYTES("\5\2\0\2"
           "\1\3bob\15correct horse"
           "\5\1\0\3\1a\0\1"
           "x"),
     BYTES("\5\2\1\0"), ALK_DIALOGUE_REQUEST, "a", 1, 1},
    {"v5 wrong password", &bob,
     BYTES("\5\1\2"
           "\1\3bob\15correct horsf"),
     BYTES("\5\2\1\1"), ALK_DIALOGUE_FAILED, NULL, 0, 0},
    {"v5 shorter password", &bob,
     BYTES("\5\1\2"
           "\1\3bob\14correct hors"),
     BYTES("\5\2\1\1"), ALK_DIALOGUE_FAILED, NULL, 0, 0},
    {"v5 password with NUL behind", &bob,
     BYTES("\5\1\2"
           "\1\3bob\16correct horse\0"),
     BYTES("\5\2\1\1"), ALK_DIALOGUE_FAILED, NULL, 0, 0},
    {"v5 wrong user", &bob,
     BYTES("\5\1\2"
           "\1\3bop\15correct horse"),
     BYTES("\5\2\1\1"), ALK_DIALOGUE_FAILED, NULL, 0, 0},
    {"v5 empty user and password", &bob,
     BYTES("\5\1\2"
           "\1\0\0"),
     BYTES("\5\2\1\1"), ALK_DIALOGUE_FAILED, NULL, 0, 0},
    {"v5 wrong version of the password message", &bob,
     BYTES("\5\1\2"
           "\5\3bob\15correct horse"),
     BYTES("\5\2\1\1"), ALK_DIALOGUE_FAILED, NULL, 0, 0},
    {"v5 no password offered", &bob, BYTES("\5\1\0"), BYTES("\5\xff"), ALK_DIALOGUE_FAILED, NULL, 0,
     0},
    {"v5 only passwords offered", NULL, BYTES("\5\1\2"), BYTES("\5\xff"), ALK_DIALOGUE_FAILED, NULL,
     0, 0},
    {"v5 no method at all", NULL, BYTES("\5\0"), BYTES("\5\xff"), ALK_DIALOGUE_FAILED, NULL, 0, 0},
    {"v5 bind", NULL,
     BYTES("\5\1\0"
           "\5\2\0\1\1\2\3\4\0\1"),
     BYTES("\5\0"
           "\5\7\0\1\0\0\0\0\0\0"),
     ALK_DIALOGUE_FAILED, NULL, 0, 0},
    {"v5 udp associate", NULL,
     BYTES("\5\1\0"
           "\5\3\0\3\1a\0\1"),
     BYTES("\5\0"
           "\5\7\0\1\0\0\0\0\0\0"),
     ALK_DIALOGUE_FAILED, NULL, 0, 0},
    {"v5 unknown address type", NULL,
     BYTES("\5\1\0"
           "\5\1\0\2\1"),
     BYTES("\5\0"
           "\5\x8\0\1\0\0\0\0\0\0"),
     ALK_DIALOGUE_FAILED, NULL, 0, 0},
    {"v5 empty name", NULL,
     BYTES("\5\1\0"
           "\5\1\0\3\0\0\1"),
     BYTES("\5\0"
           "\5\1\0\1\0\0\0\0\0\0"),
     ALK_DIALOGUE_FAILED, NULL, 0, 0},
    {"v5 name with NUL", NULL,
     BYTES("\5\1\0"
           "\5\1\0\3\3a\0b\0\1"),
     BYTES("\5\0"
           "\5\1\0\1\0\0\0\0\0\0"),
     ALK_DIALOGUE_FAILED, NULL, 0, 0},
    {"v5 name with a line end", NULL,
     BYTES("\5\1\0"
           "\5\1\0\3\3a\nb\0\1"),
     BYTES("\5\0"
           "\5\1\0\1\0\0\0\0\0\0"),
     ALK_DIALOGUE_FAILED, NULL, 0, 0},
    {"v5 greeting, then a request of v4", NULL,
     BYTES("\5\1\0"
           "\4\1\0\1\1\2\3\4\0\1"),
     BYTES("\5\0"
           "\5\1\0\1\0\0\0\0\0\0"),
     ALK_DIALOGUE_FAILED, NULL, 0, 0},
    {"v4", NULL,
     BYTES("\4\1\0\x50\xc0\0\2\1"
           "me\0"
           "GET"),
     BYTES(""), ALK_DIALOGUE_REQUEST, "192.0.2.1", 80, 3},
    {"v4 without user", NULL, BYTES("\4\1\0\x50\0\0\0\0\0"), BYTES(""), ALK_DIALOGUE_REQUEST,
     "0.0.0.0", 80, 0},
    {"v4a", NULL,
     BYTES("\4\1\0\x50\0\0\0\1"
           "me\0"
           "example.com\0"
           "GET"),
     BYTES(""), ALK_DIALOGUE_REQUEST, "example.com", 80, 3},
    {"v4a longest", NULL, BYTES("\4\1\0\x50\0\0\0\1" TEXT_255 "\0" TEXT_255 "\0"), BYTES(""),
     ALK_DIALOGUE_REQUEST, TEXT_255, 80, 0},
    {"v4 user too long", NULL, BYTES("\4\1\0\x50\1\2\3\4" TEXT_255 "a"),
     BYTES("\0\x5b\0\0\0\0\0\0"), ALK_DIALOGUE_FAILED, NULL, 0, 0},
    {"v4a name too long", NULL, BYTES("\4\1\0\x50\0\0\0\1\0" TEXT_255 "a"),
     BYTES("\0\x5b\0\0\0\0\0\0"), ALK_DIALOGUE_FAILED, NULL, 0, 0},
    {"v4a empty name", NULL, BYTES("\4\1\0\x50\0\0\0\1\0\0"), BYTES("\0\x5b\0\0\0\0\0\0"),
     ALK_DIALOGUE_FAILED, NULL, 0, 0},
    {"v4 bind", NULL, BYTES("\4\2\0\x50\1\2\3\4\0"), BYTES("\0\x5b\0\0\0\0\0\0"),
     ALK_DIALOGUE_FAILED, NULL, 0, 0},
    {"v4 where a password is asked for", &bob, BYTES("\4\1\0\x50\1\2\3\4\0"),
     BYTES("\0\x5b\0\0\0\0\0\0"), ALK_DIALOGUE_FAILED, NULL, 0, 0},
    {"http", NULL, BYTES("G"), BYTES(""), ALK_DIALOGUE_FAILED, NULL, 0, 0},
    {"nothing", NULL, BYTES(""), BYTES(""), ALK_DIALOGUE_MORE, NULL, 0, 0},
    {"half a greeting", NULL, BYTES("\5\2\0"), BYTES(""), ALK_DIALOGUE_MORE, NULL, 0, 0},
};

/* Feeds the talk in pieces that end at the given positions. */
static void run(const struct talk *talk, size_t cut, bool bytewise)
{
    struct alk_socks socks;
    uint8_t out[64], reply[ALK_SOCKS_REPLY_MAX];
    size_t at = 0, out_len = 0, end = bytewise ? 0 : cut;
    enum alk_dialogue_state state = ALK_DIALOGUE_MORE;

    alk_socks_init(&socks, talk->auth);
    do {
        size_t consumed, reply_len;
        if (bytewise)
            end = at + 1 < talk->in_len ? at + 1 : talk->in_len;
        state = alk_socks_feed(&socks, talk->in + at, end - at, &consumed, reply, &reply_len);
        assert_true(out_len + reply_len <= sizeof(out));
        memcpy(out + out_len, reply, reply_len);
        out_len += reply_len;
        at += consumed;
        if (state == ALK_DIALOGUE_MORE && at != end)
            fail_msg("%s, cut at %zu: wants more, but left %zu bytes", talk->name, cut, end - at);
        if (!bytewise && end == cut)
            end = talk->in_len;
    } while (state == ALK_DIALOGUE_MORE && at < talk->in_len);
    if (state != talk->state || talk->in_len - at != talk->left || out_len != talk->out_len ||
        memcmp(out, talk->out, out_len) != 0)
        fail_msg("%s, cut at %zu: expected state %d, %zu left, %zu bytes of reply; got %d, %zu, "
                 "%zu or other bytes",
                 talk->name, cut, talk->state, talk->left, talk->out_len, state, talk->in_len - at,
                 out_len);
    if (state != ALK_DIALOGUE_REQUEST)
        return;
    assert_string_equal(socks.host, talk->host);
    assert_int_equal(socks.port, talk->port);
}

static void every_talk_ends_as_it_should_wherever_it_is_split(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(talks) / sizeof(talks[0]); i++) {
        for (size_t cut = 0; cut <= talks[i].in_len; cut++)
            run(&talks[i], cut, false);
        run(&talks[i], 0, true);
    }
}

static void request(struct alk_socks *socks, const uint8_t *data, size_t len)
{
    uint8_t reply[ALK_SOCKS_REPLY_MAX];
    size_t consumed, reply_len;

    alk_socks_init(socks, NULL);
    assert_int_equal(alk_socks_feed(socks, data, len, &consumed, reply, &reply_len),
                     ALK_DIALOGUE_REQUEST);
}

static void outcomes_become_reply_codes(void **state)
{
    static const struct {
        int outcome;
        uint8_t five, four;
    } rows[] = {
        {ALK_OK, 0, 90},
        {ALK_E_DENIED, 2, 91},
        {ALK_E_UNREACHABLE, 4, 91},
        {ALK_E_RESOLVE, 4, 91},
        {ALK_E_REFUSED, 5, 91},
        {ALK_E_TIMEOUT, 6, 91},
        {ALK_E_LIMIT, 1, 91},
        {ALK_E_CLOSED, 1, 91},
        {1, 2, 91},
        {2, 5, 91},
        {3, 1, 91},
        {4, 1, 91},
    };
    uint8_t reply[ALK_SOCKS_REPLY_MAX];
    struct alk_socks five, four;

    (void)state;
    request(&five, BYTES("\5\1\0\5\1\0\3\1a\0\1"));
    request(&four, BYTES("\4\1\0\1\1\2\3\4\0"));
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const uint8_t expect_5[10] = {5, rows[i].five, 0, 1}, expect_4[8] = {0, rows[i].four};
        assert_int_equal(alk_socks_reply(&five, rows[i].outcome, reply), 10);
        assert_memory_equal(reply, expect_5, 10);
        assert_int_equal(alk_socks_reply(&four, rows[i].outcome, reply), 8);
        assert_memory_equal(reply, expect_4, 8);
    }
}

static void no_password_stays_in_memory(void **state)
{
    struct alk_socks socks;
    uint8_t reply[ALK_SOCKS_REPLY_MAX];
    size_t consumed, reply_len;
    const char *whole = "\5\1\2\1\3bob\15correct horse", *half = "\5\1\2\1\3bob\15correct";

    (void)state;
    alk_socks_init(&socks, &bob);
    alk_socks_feed(&socks, (const uint8_t *)whole, 22, &consumed, reply, &reply_len);
    assert_null(memmem(&socks, sizeof(socks), "correct", 7));
    alk_socks_init(&socks, &bob);
    alk_socks_feed(&socks, (const uint8_t *)half, 16, &consumed, reply, &reply_len);
    assert_non_null(memmem(&socks, sizeof(socks), "correct", 7));
    alk_socks_wipe(&socks);
    assert_null(memmem(&socks, sizeof(socks), "correct", 7));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_talk_ends_as_it_should_wherever_it_is_split),
        cmocka_unit_test(outcomes_become_reply_codes),
        cmocka_unit_test(no_password_stays_in_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
