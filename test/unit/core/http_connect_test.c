#include "tunnel/http_connect.h"

#include <alk/status.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BYTES(text) (text), sizeof(text) - 1

struct talk {
    const char *in;
    size_t in_len;
    int status; /* of the reply; 0: a request */
    const char *host;
    unsigned port;
    size_t left; /* bytes behind the request that must not be taken */
};

static const struct talk talks[] = {
    {BYTES("CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n\x16\3\1"), 0,
     "example.com", 443, 3},
    {BYTES("CONNECT [2001:db8::1]:22 HTTP/1.0\r\n\r\nSSH"), 0, "2001:db8::1", 22, 3},
    {BYTES("CONNECT 192.0.2.1:1 HTTP/1.1\nProxy-Connection: keep-alive\n\n"), 0, "192.0.2.1", 1, 0},
    {BYTES("CONNECT a:1 HTTP/1.1\r\nA:\r\nB: \x80\xff\t\r\n\r\n"), 0, "a", 1, 0},
    {BYTES("GET http://example.com/ HTTP/1.1\r\nHost: example.com\r\n\r\nx"), 405, NULL, 0, 1},
    {BYTES("POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n"), 405, NULL, 0, 0},
    {BYTES("connect a:1 HTTP/1.1\r\n\r\n"), 405, NULL, 0, 0},
    {BYTES("CONNECTS a:1 HTTP/1.1\r\n\r\n"), 405, NULL, 0, 0},
    {BYTES("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 405, NULL, 0, 6},
    {BYTES("CONNECT a:1 HTTP/2.0\r\n\r\n"), 400, NULL, 0, 0},
    {BYTES("CONNECT a:1 HTTP/1.\r\n\r\n"), 400, NULL, 0, 0},
    {BYTES("CONNECT a:1 HTTP/1.10\r\n\r\n"), 400, NULL, 0, 0},
    {BYTES("CONNECT a:1 HTTP/1.1 \r\n\r\n"), 400, NULL, 0, 0},
    {BYTES("CONNECT a:1 http/1.1\r\n\r\n"), 400, NULL, 0, 0},
    {BYTES("CONNECT a:1\r\n\r\n"), 400, NULL, 0, 0},
    {BYTES("CONNECT\r\n\r\n"), 400, NULL, 0, 0},
    {BYTES("CONNECT  a:1 HTTP/1.1\r\n\r\n"), 400, NULL, 0, 0},
    {BYTES("CONNECT a HTTP/1.1\r\n\r\n"), 400, NULL, 0, 0},
    {BYTES("CONNECT a:0 HTTP/1.1\r\n\r\n"), 400, NULL, 0, 0},
    {BYTES("CONNECT a:65536 HTTP/1.1\r\n\r\n"), 400, NULL, 0, 0},
    {BYTES("CONNECT :1 HTTP/1.1\r\n\r\n"), 400, NULL, 0, 0},
    {BYTES("CONNECT ::1:1 HTTP/1.1\r\n\r\n"), 400, NULL, 0, 0},
    {BYTES("CONNECT me@a:1 HTTP/1.1\r\n\r\n"), 400, NULL, 0, 0},
    {BYTES("CONNECT a:1/ HTTP/1.1\r\n\r\n"), 400, NULL, 0, 0},
    {BYTES("CONNECT a\t:1 HTTP/1.1\r\n\r\n"), 400, NULL, 0, 0},
    {BYTES(" CONNECT a:1 HTTP/1.1\r\n\r\n"), 400, NULL, 0, 0},
    {BYTES("\r\nCONNECT a:1 HTTP/1.1\r\n\r\n"), 400, NULL, 0, 16},
    {BYTES("CONNECT a\0b:1 HTTP/1.1\r\n\r\n"), 400, NULL, 0, 16},
    {BYTES("CONNECT a:1 HTTP/1.1\rX: y\r\n\r\n"), 400, NULL, 0, 7},
    {BYTES("CONNECT a:1 HTTP/1.1\r\nA: b\rX: y\r\n\r\n"), 400, NULL, 0, 7},
    {BYTES("CONNECT a:1 HTTP/1.1\r\n folded\r\n\r\n"), 400, NULL, 0, 10},
    {BYTES("CONNECT a:1 HTTP/1.1\r\nNo colon\r\n\r\n"), 400, NULL, 0, 9},
    {BYTES("CONNECT a:1 HTTP/1.1\r\n: y\r\n\r\n"), 400, NULL, 0, 6},
    {BYTES("CONNECT a:1 HTTP/1.1\r\nA: \0\r\n\r\n"), 400, NULL, 0, 4},
    {BYTES("CONNECT a:1 HTTP/1.1\r\n\rx"), 400, NULL, 0, 0},
    {BYTES("\x16\3\1\2"), 400, NULL, 0, 3},
};

struct result {
    enum alk_dialogue_state state;
    int status;
    size_t taken;
    char reply[ALK_HTTP_REPLY_MAX + 1];
};

/* Feeds two pieces, or byte by byte. */
static struct result feed(struct alk_http_connect *http, const char *in, size_t len, size_t cut,
                          bool bytewise)
{
    struct result result = {.state = ALK_DIALOGUE_MORE};
    size_t end = bytewise ? 0 : cut;

    alk_http_connect_init(http);
    do {
        size_t consumed, reply_len;
        if (bytewise)
            end = result.taken + 1 < len ? result.taken + 1 : len;
        result.state =
            alk_http_connect_feed(http, (const uint8_t *)in + result.taken, end - result.taken,
                                  &consumed, (uint8_t *)result.reply, &reply_len);
        result.reply[reply_len] = '\0';
        result.taken += consumed;
        if (!bytewise && end == cut)
            end = len;
    } while (result.state == ALK_DIALOGUE_MORE && result.taken < len);
    if (sscanf(result.reply, "HTTP/1.1 %d ", &result.status) != 1)
        result.status = 0;
    return result;
}

static void check(const struct talk *talk, size_t cut, bool bytewise)
{
    enum alk_dialogue_state want = talk->status != 0 ? ALK_DIALOGUE_FAILED : ALK_DIALOGUE_REQUEST;
    struct alk_http_connect http;
    struct result got = feed(&http, talk->in, talk->in_len, cut, bytewise);

    if (got.state != want || got.status != talk->status || talk->in_len - got.taken != talk->left)
        fail_msg("\"%.30s\", cut at %zu: expected state %d, status %d, %zu left; got %d, %d, %zu",
                 talk->in, cut, want, talk->status, talk->left, got.state, got.status,
                 talk->in_len - got.taken);
    if (want != ALK_DIALOGUE_REQUEST)
        return;
    assert_string_equal(http.host, talk->host);
    assert_int_equal(http.port, talk->port);
}

static void every_talk_ends_as_it_should_wherever_it_is_split(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(talks) / sizeof(talks[0]); i++) {
        for (size_t cut = 0; cut <= talks[i].in_len; cut++)
            check(&talks[i], cut, false);
        check(&talks[i], 0, true);
    }
}

static void an_unfinished_request_waits(void **state)
{
    const char *in = "CONNECT a:1 HTTP/1.1\r\nA: b\r\n\r\n";
    struct alk_http_connect http;

    (void)state;
    for (size_t len = 0; len < strlen(in); len++)
        assert_int_equal(feed(&http, in, len, len, false).state, ALK_DIALOGUE_MORE);
}

static void requests_have_a_bound(void **state)
{
    static char in[ALK_HTTP_REQUEST_MAX + 64];
    const char *start = "CONNECT a:1 HTTP/1.1\r\nA: ", *end = "\r\n\r\n";
    struct alk_http_connect http;

    (void)state;
    for (int over = 0; over < 2; over++) {
        size_t len = ALK_HTTP_REQUEST_MAX + (size_t)over;
        memset(in, 'x', sizeof(in));
        memcpy(in, start, strlen(start));
        memcpy(in + len - strlen(end), end, strlen(end));
        struct result got = feed(&http, in, len, 5000, false);
        assert_int_equal(got.status, over ? 431 : 0);
        assert_int_equal(got.state, over ? ALK_DIALOGUE_FAILED : ALK_DIALOGUE_REQUEST);
    }
}

static void long_lines_are_no_connect(void **state)
{
    char in[2048];
    struct alk_http_connect http;

    (void)state;
    int len = snprintf(in, sizeof(in), "GET http://h/%01000d HTTP/1.1\r\n\r\n", 1);
    assert_int_equal(feed(&http, in, (size_t)len, 3, false).status, 405);
    len = snprintf(in, sizeof(in), "CONNECT %01000d:1 HTTP/1.1\r\n\r\n", 1);
    assert_int_equal(feed(&http, in, (size_t)len, 3, false).status, 400);
    len = snprintf(in, sizeof(in), "CONNECT %0*d:65535 HTTP/1.1\r\n\r\n", ALK_HOST_MAX, 1);
    assert_int_equal(feed(&http, in, (size_t)len, 3, false).status, 0);
    assert_int_equal(strlen(http.host), ALK_HOST_MAX);
    len = snprintf(in, sizeof(in), "CONNECT %0*d:65535 HTTP/1.1\r\n\r\n", ALK_HOST_MAX + 1, 1);
    assert_int_equal(feed(&http, in, (size_t)len, 3, false).status, 400);
}

/* The reply is whole: the length it claims is the length of its body. */
static void check_framing(const char *reply)
{
    const char *body = strstr(reply, "\r\n\r\n"), *length = strstr(reply, "Content-Length: ");

    assert_non_null(body);
    assert_non_null(length);
    assert_int_equal(atoi(length + 16), strlen(body + 4));
    assert_int_equal(reply[strlen(reply) - 1], '\n');
}

static void other_methods_are_told_what_works(void **state)
{
    struct alk_http_connect http;
    const char *in = "GET http://example.com/ HTTP/1.1\r\n\r\n";
    struct result got = feed(&http, in, strlen(in), 0, true);

    (void)state;
    assert_non_null(strstr(got.reply, "Allow: CONNECT\r\n"));
    assert_non_null(strstr(got.reply, "\r\n\r\nThis proxy does CONNECT only.\n"));
    check_framing(got.reply);
}

static void outcomes_become_statuses(void **state)
{
    static const struct {
        int outcome;
        const char *line;
    } rows[] = {
        {ALK_OK, "HTTP/1.1 200 Connection established\r\n"},
        {ALK_E_DENIED, "HTTP/1.1 403 "},
        {ALK_E_REFUSED, "HTTP/1.1 502 "},
        {ALK_E_UNREACHABLE, "HTTP/1.1 502 "},
        {ALK_E_RESOLVE, "HTTP/1.1 502 "},
        {ALK_E_TIMEOUT, "HTTP/1.1 504 "},
        {ALK_E_LIMIT, "HTTP/1.1 503 "},
        {ALK_E_CLOSED, "HTTP/1.1 503 "},
        {1, "HTTP/1.1 403 "},
        {2, "HTTP/1.1 502 "},
        {3, "HTTP/1.1 503 "},
        {4, "HTTP/1.1 503 "},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char reply[ALK_HTTP_REPLY_MAX + 1];
        size_t len = alk_http_connect_reply(rows[i].outcome, (uint8_t *)reply);
        assert_true(len < sizeof(reply));
        reply[len] = '\0';
        if (strncmp(reply, rows[i].line, strlen(rows[i].line)) != 0)
            fail_msg("outcome %d: expected %s, got %s", rows[i].outcome, rows[i].line, reply);
        if (rows[i].outcome != ALK_OK)
            check_framing(reply);
        else
            assert_string_equal(strstr(reply, "\r\n\r\n"), "\r\n\r\n");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_talk_ends_as_it_should_wherever_it_is_split),
        cmocka_unit_test(an_unfinished_request_waits),
        cmocka_unit_test(requests_have_a_bound),
        cmocka_unit_test(long_lines_are_no_connect),
        cmocka_unit_test(other_methods_are_told_what_works),
        cmocka_unit_test(outcomes_become_statuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
