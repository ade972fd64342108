#include "transport/proxy_dialogue.h"

#include <alk/status.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define BYTES(text) (const uint8_t *)(text), sizeof(text) - 1

/* ---- URLs ---- */

static void urls_are_understood(void **state)
{
    static const struct {
        const char *url;
        enum alk_proxy_kind kind;
        const char *host;
        unsigned port;
        const char *user, *password; /* NULL: no login */
    } rows[] = {
        {"socks5://127.0.0.1:1080", ALK_PROXY_SOCKS5, "127.0.0.1", 1080, NULL, NULL},
        {"SOCKS5://proxy.example:1/", ALK_PROXY_SOCKS5, "proxy.example", 1, NULL, NULL},
        {"socks5h://[::1]:65535", ALK_PROXY_SOCKS5, "::1", 65535, NULL, NULL},
        {"http://ann:secret@proxy:8080", ALK_PROXY_HTTP, "proxy", 8080, "ann", "secret"},
        {"http://ann@proxy:8080", ALK_PROXY_HTTP, "proxy", 8080, "ann", ""},
        {"socks5://a%40b:%3a%2F%25%c3%a4@h:9", ALK_PROXY_SOCKS5, "h", 9, "a@b", ":/%\xc3\xa4"},
        {"socks5://u:p@ss@h:9", ALK_PROXY_SOCKS5, "h", 9, "u", "p@ss"},
        {"socks5://a%3ab:c@h:9", ALK_PROXY_SOCKS5, "h", 9, "a:b", "c"},
        {"", ALK_PROXY_NONE, "", 0, NULL, NULL},
        {NULL, ALK_PROXY_NONE, "", 0, NULL, NULL},
    };
    struct alk_proxy proxy;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(alk_proxy_parse(rows[i].url, &proxy, NULL), ALK_OK);
        assert_int_equal(proxy.kind, rows[i].kind);
        assert_string_equal(proxy.host, rows[i].host);
        assert_int_equal(proxy.port, rows[i].port);
        assert_int_equal(proxy.login, rows[i].user != NULL);
        assert_string_equal(proxy.user, rows[i].user != NULL ? rows[i].user : "");
        assert_string_equal(proxy.password, rows[i].password != NULL ? rows[i].password : "");
    }
}

static void other_urls_are_refused_and_never_repeated(void **state)
{
    static const char *const rows[] = {
        "sesame",
        "sesame:1080",
        "https://sesame:443",
        "socks4://sesame:1080",
        "socks5://sesame",
        "socks5://sesame:",
        "socks5://sesame:0",
        "socks5://sesame:65536",
        "socks5://sesame:80/path",
        "socks5://:80",
        "socks5://sesame:@",
        "socks5://:sesame@h:1",
        "socks5://sesame%:x@h:1",
        "socks5://sesame%4:x@h:1",
        "socks5://sesame%00:x@h:1",
        "socks5://u:sesame%zz@h:1",
        "http://ses%3aame:x@h:1",
        "http://u:sesame@",
    };
    struct alk_proxy proxy;
    struct alk_error error;
    char url[1024];

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (alk_proxy_parse(rows[i], &proxy, &error) != ALK_E_PARSE)
            fail_msg("%s is taken for a proxy", rows[i]);
        assert_null(strstr(error.text, "sesame"));
        assert_null(memmem(&proxy, sizeof(proxy), "sesame", 6));
    }
    snprintf(url, sizeof(url), "socks5://%0255d:x@h:1", 1);
    assert_int_equal(alk_proxy_parse(url, &proxy, NULL), ALK_OK);
    snprintf(url, sizeof(url), "socks5://%0256d:x@h:1", 1);
    assert_int_equal(alk_proxy_parse(url, &proxy, NULL), ALK_E_PARSE);
}

/* ---- dialogues ---- */

struct talk {
    const char *name, *url, *host;
    const uint8_t *answers;
    size_t answers_len;
    const uint8_t *sent; /* everything */
    size_t sent_len;
    enum alk_proxy_state state;
    int status;        /* of a failure */
    const char *cause; /* a part of it */
    size_t left;       /* bytes that are the target's */
};

#define SOCKS       "socks5://p:1"
#define SOCKS_LOGIN "socks5://bob:pw@p:1"
#define HTTP        "http://p:1"
#define HTTP_LOGIN  "http://bob:pw@p:1"
#define ASK_METHOD  "\5\1\0"
#define ASK_BOTH    "\5\2\0\2"
#define LOGIN       "\1\3bob\2pw"
#define NAME_80     "\5\1\0\3\1a\0\120"
#define CONNECT_A   "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n"
#define BASIC       "Proxy-Authorization: Basic Ym9iOnB3\r\n"

static const struct talk talks[] = {
    {"name", SOCKS, "a", BYTES("\5\0\5\0\0\1\0\0\0\0\0\0"), BYTES(ASK_METHOD NAME_80),
     ALK_PROXY_OPEN, 0, NULL, 0},
    {"the target speaks at once", SOCKS, "a", BYTES("\5\0\5\0\0\1\1\2\3\4\5\6SSH-2.0-x"),
     BYTES(ASK_METHOD NAME_80), ALK_PROXY_OPEN, 0, NULL, 9},
    {"bound to a name", SOCKS, "a", BYTES("\5\0\5\0\0\3\3abc\1\2x"), BYTES(ASK_METHOD NAME_80),
     ALK_PROXY_OPEN, 0, NULL, 1},
    {"bound to IPv6", SOCKS, "a", BYTES("\5\0\5\0\0\4aaaabbbbccccdddd\1\2x"),
     BYTES(ASK_METHOD NAME_80), ALK_PROXY_OPEN, 0, NULL, 1},
    {"IPv4", SOCKS, "192.0.2.1", BYTES("\5\0"), BYTES(ASK_METHOD "\5\1\0\1\300\0\2\1\0\120"),
     ALK_PROXY_MORE, 0, NULL, 0},
    {"IPv6", SOCKS, "2001:db8::1", BYTES("\5\0"),
     BYTES(ASK_METHOD "\5\1\0\4\40\1\15\270\0\0\0\0\0\0\0\0\0\0\0\1\0\120"), ALK_PROXY_MORE, 0,
     NULL, 0},
    {"login", SOCKS_LOGIN, "a", BYTES("\5\2\1\0\5\0\0\1\0\0\0\0\0\0"),
     BYTES(ASK_BOTH LOGIN NAME_80), ALK_PROXY_OPEN, 0, NULL, 0},
    {"login that is not asked for", SOCKS_LOGIN, "a", BYTES("\5\0\5\0\0\1\0\0\0\0\0\0"),
     BYTES(ASK_BOTH NAME_80), ALK_PROXY_OPEN, 0, NULL, 0},
    {"wrong login", SOCKS_LOGIN, "a", BYTES("\5\2\1\1"), BYTES(ASK_BOTH LOGIN), ALK_PROXY_FAILED,
     ALK_E_AUTH, "did not accept user and password", 0},
    {"login missing", SOCKS, "a", BYTES("\5\377"), BYTES(ASK_METHOD), ALK_PROXY_FAILED, ALK_E_AUTH,
     "wants a user and a password", 0},
    {"login that was not offered", SOCKS, "a", BYTES("\5\2"), BYTES(ASK_METHOD), ALK_PROXY_FAILED,
     ALK_E_PROXY, "not offered", 0},
    {"Kerberos only", SOCKS_LOGIN, "a", BYTES("\5\377"), BYTES(ASK_BOTH), ALK_PROXY_FAILED,
     ALK_E_AUTH, "neither", 0},
    {"general failure", SOCKS, "a", BYTES("\5\0\5\1"), BYTES(ASK_METHOD NAME_80), ALK_PROXY_FAILED,
     ALK_E_PROXY, "general failure", 0},
    {"not allowed", SOCKS, "a", BYTES("\5\0\5\2\0\1\0\0\0\0\0\0"), BYTES(ASK_METHOD NAME_80),
     ALK_PROXY_FAILED, ALK_E_PROXY, "does not allow", 8},
    {"network", SOCKS, "a", BYTES("\5\0\5\3"), BYTES(ASK_METHOD NAME_80), ALK_PROXY_FAILED,
     ALK_E_UNREACHABLE, "network unreachable", 0},
    {"host", SOCKS, "a", BYTES("\5\0\5\4"), BYTES(ASK_METHOD NAME_80), ALK_PROXY_FAILED,
     ALK_E_UNREACHABLE, "host unreachable", 0},
    {"refused", SOCKS, "a", BYTES("\5\0\5\5"), BYTES(ASK_METHOD NAME_80), ALK_PROXY_FAILED,
     ALK_E_REFUSED, "connection refused", 0},
    {"timed out", SOCKS, "a", BYTES("\5\0\5\6"), BYTES(ASK_METHOD NAME_80), ALK_PROXY_FAILED,
     ALK_E_TIMEOUT, "timed out", 0},
    {"unknown code", SOCKS, "a", BYTES("\5\0\5\360"), BYTES(ASK_METHOD NAME_80), ALK_PROXY_FAILED,
     ALK_E_PROXY, "240", 0},
    {"strange address", SOCKS, "a", BYTES("\5\0\5\0\0\2\0\0\0"), BYTES(ASK_METHOD NAME_80),
     ALK_PROXY_FAILED, ALK_E_PROXY, "not SOCKS5", 0},
    {"SOCKS4", SOCKS, "a", BYTES("\0\132"), BYTES(ASK_METHOD), ALK_PROXY_FAILED, ALK_E_PROXY,
     "not a SOCKS5 proxy", 1},
    {"a web server", SOCKS, "a", BYTES("HTTP"), BYTES(ASK_METHOD), ALK_PROXY_FAILED, ALK_E_PROXY,
     "not a SOCKS5 proxy", 3},

    {"CONNECT", HTTP, "a", BYTES("HTTP/1.1 200 OK\r\n\r\n"), BYTES(CONNECT_A "\r\n"),
     ALK_PROXY_OPEN, 0, NULL, 0},
    {"headers, and the target speaks", HTTP, "a",
     BYTES("HTTP/1.0 200\nVia: x\nContent-Length: 7\n\nSSH"), BYTES(CONNECT_A "\r\n"),
     ALK_PROXY_OPEN, 0, NULL, 3},
    {"interim answer", HTTP, "a", BYTES("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 x\r\n\r\n"),
     BYTES(CONNECT_A "\r\n"), ALK_PROXY_OPEN, 0, NULL, 0},
    {"Basic", HTTP_LOGIN, "a", BYTES("HTTP/1.1 200 OK\r\n\r\n"), BYTES(CONNECT_A BASIC "\r\n"),
     ALK_PROXY_OPEN, 0, NULL, 0},
    {"IPv6 in brackets", HTTP, "::1", BYTES(""),
     BYTES("CONNECT [::1]:80 HTTP/1.1\r\nHost: [::1]:80\r\n\r\n"), ALK_PROXY_MORE, 0, NULL, 0},
    {"407 without login", HTTP, "a", BYTES("HTTP/1.1 407 x\r\n\r\n"), BYTES(CONNECT_A "\r\n"),
     ALK_PROXY_FAILED, ALK_E_AUTH, "wants a user and a password (407)", 0},
    {"407 with login", HTTP_LOGIN, "a", BYTES("HTTP/1.1 407 x\r\n\r\n"),
     BYTES(CONNECT_A BASIC "\r\n"), ALK_PROXY_FAILED, ALK_E_AUTH, "did not accept", 0},
    {"403", HTTP, "a", BYTES("HTTP/1.1 403 Forbidden\r\n\r\nx"), BYTES(CONNECT_A "\r\n"),
     ALK_PROXY_FAILED, ALK_E_PROXY, "forbidden (403)", 1},
    {"502", HTTP, "a", BYTES("HTTP/1.1 502 x\r\n\r\n"), BYTES(CONNECT_A "\r\n"), ALK_PROXY_FAILED,
     ALK_E_UNREACHABLE, "bad gateway (502)", 0},
    {"504", HTTP, "a", BYTES("HTTP/1.1 504 x\r\n\r\n"), BYTES(CONNECT_A "\r\n"), ALK_PROXY_FAILED,
     ALK_E_TIMEOUT, "(504)", 0},
    {"redirect", HTTP, "a", BYTES("HTTP/1.1 302 x\r\n\r\n"), BYTES(CONNECT_A "\r\n"),
     ALK_PROXY_FAILED, ALK_E_PROXY, "answers 302", 0},
    {"an SSH server", HTTP, "a", BYTES("SSH-2.0"), BYTES(CONNECT_A "\r\n"), ALK_PROXY_FAILED,
     ALK_E_PROXY, "not an HTTP proxy", 6},
    {"HTTP/2", HTTP, "a", BYTES("HTTP/2"), BYTES(CONNECT_A "\r\n"), ALK_PROXY_FAILED, ALK_E_PROXY,
     "not an HTTP proxy", 0},
    {"short status line", HTTP, "a", BYTES("HTTP/1.1 20\r\n"), BYTES(CONNECT_A "\r\n"),
     ALK_PROXY_FAILED, ALK_E_PROXY, "not an HTTP proxy", 0},
    {"four digits", HTTP, "a", BYTES("HTTP/1.1 2000\n"), BYTES(CONNECT_A "\r\n"), ALK_PROXY_FAILED,
     ALK_E_PROXY, "not an HTTP proxy", 0},
};

static void run(const struct talk *talk, size_t cut, bool bytewise)
{
    struct alk_proxy proxy;
    struct alk_proxy_dialogue dialogue;
    struct alk_proxy_send send;
    uint8_t sent[2048];
    size_t at = 0, end, sent_len;

    assert_int_equal(alk_proxy_parse(talk->url, &proxy, NULL), ALK_OK);
    assert_int_equal(alk_proxy_begin(&dialogue, &proxy, talk->host, 80, &send), ALK_OK);
    sent_len = send.len;
    memcpy(sent, send.data, send.len);
    while (at < talk->answers_len && dialogue.state == ALK_PROXY_MORE) {
        end = bytewise ? at + 1 : at < cut ? cut : talk->answers_len;
        at += alk_proxy_feed(&dialogue, talk->answers + at, end - at, &send);
        if (dialogue.state == ALK_PROXY_MORE)
            assert_int_equal(at, end);
        assert_true(sent_len + send.len <= sizeof(sent));
        memcpy(sent + sent_len, send.data, send.len);
        sent_len += send.len;
    }
    if (dialogue.state != talk->state || talk->answers_len - at != talk->left ||
        sent_len != talk->sent_len || memcmp(sent, talk->sent, sent_len) != 0)
        fail_msg("%s, cut at %zu: expected state %d, %zu bytes left and %zu sent; got %d, %zu and "
                 "%zu, or other bytes",
                 talk->name, cut, talk->state, talk->left, talk->sent_len, dialogue.state,
                 talk->answers_len - at, sent_len);
    if (talk->state == ALK_PROXY_FAILED) {
        if (dialogue.status != talk->status || strstr(dialogue.cause, talk->cause) == NULL)
            fail_msg("%s: expected %d and \"%s\", got %d and \"%s\"", talk->name, talk->status,
                     talk->cause, dialogue.status, dialogue.cause);
        assert_non_null(strstr(dialogue.cause, "proxy"));
    }
}

/* Answers that come before their questions are told apart, so a talk is cut between messages. */
static void every_talk_ends_as_it_should_byte_by_byte(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(talks) / sizeof(talks[0]); i++)
        run(&talks[i], 0, true);
}

static void http_answers_may_be_split_anywhere(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(talks) / sizeof(talks[0]); i++) {
        for (size_t cut = 0; talks[i].url[0] == 'h' && cut <= talks[i].answers_len; cut++)
            run(&talks[i], cut, false);
    }
}

static void answers_before_the_question_are_refused(void **state)
{
    static const struct talk early = {"early",
                                      SOCKS,
                                      "a",
                                      BYTES("\5\0\5\0\0\1\0\0\0\0\0\0"),
                                      BYTES(ASK_METHOD NAME_80),
                                      ALK_PROXY_FAILED,
                                      ALK_E_PROXY,
                                      "breaks the protocol",
                                      0};

    (void)state;
    run(&early, 0, false);
}

static void endless_answers_are_refused(void **state)
{
    static const char head[] = "HTTP/1.1 200 OK\r\nX: ";
    uint8_t chunk[1000];
    struct alk_proxy proxy;
    struct alk_proxy_dialogue dialogue;
    struct alk_proxy_send send;
    size_t taken = sizeof(head) - 1;

    (void)state;
    memset(chunk, 'x', sizeof(chunk));
    alk_proxy_parse(HTTP, &proxy, NULL);
    alk_proxy_begin(&dialogue, &proxy, "a", 80, &send);
    alk_proxy_feed(&dialogue, (const uint8_t *)head, taken, &send);
    for (int i = 0; i < 100 && dialogue.state == ALK_PROXY_MORE; i++)
        taken += alk_proxy_feed(&dialogue, chunk, sizeof(chunk), &send);
    assert_int_equal(dialogue.state, ALK_PROXY_FAILED);
    assert_int_equal(taken, ALK_PROXY_ANSWER_MAX);
}

static void what_no_proxy_can_be_told_is_refused(void **state)
{
    static const char *const hosts[] = {"", "a b", "a\r\nX: y", "fe80::1%lo"};
    struct alk_proxy proxy;
    struct alk_proxy_dialogue dialogue;
    struct alk_proxy_send send;

    (void)state;
    alk_proxy_parse(HTTP, &proxy, NULL);
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++)
        assert_int_equal(alk_proxy_begin(&dialogue, &proxy, hosts[i], 80, &send), ALK_E_INVAL);
}

/* The longest of everything fits. */
static void the_longest_request_fits(void **state)
{
    char url[1024], host[256];
    struct alk_proxy proxy;
    struct alk_proxy_dialogue dialogue;
    struct alk_proxy_send send;

    (void)state;
    memset(host, 'h', 255);
    host[255] = '\0';
    for (int http = 0; http <= 1; http++) {
        snprintf(url, sizeof(url), "%s://%0255d:%0255d@p:1", http ? "http" : "socks5", 1, 2);
        assert_int_equal(alk_proxy_parse(url, &proxy, NULL), ALK_OK);
        assert_int_equal(alk_proxy_begin(&dialogue, &proxy, host, 65535, &send), ALK_OK);
        if (http) {
            assert_memory_equal(send.data + send.len - 4, "\r\n\r\n", 4);
            continue;
        }
        alk_proxy_feed(&dialogue, BYTES("\5\2"), &send);
        assert_int_equal(send.len, 3 + 255 + 255);
        alk_proxy_feed(&dialogue, BYTES("\1\0"), &send);
        assert_int_equal(send.len, 5 + 255 + 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_are_understood),
        cmocka_unit_test(other_urls_are_refused_and_never_repeated),
        cmocka_unit_test(every_talk_ends_as_it_should_byte_by_byte),
        cmocka_unit_test(http_answers_may_be_split_anywhere),
        cmocka_unit_test(answers_before_the_question_are_refused),
        cmocka_unit_test(endless_answers_are_refused),
        cmocka_unit_test(what_no_proxy_can_be_told_is_refused),
        cmocka_unit_test(the_longest_request_fits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
