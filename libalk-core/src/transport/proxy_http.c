#include "transport/proxy_dialogue.h"

#include <alk/status.h>

#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum { STATUS_LINE, HEADERS }; /* what is expected */

static void put_text(struct alk_proxy_send *send, const char *text)
{
    alk_proxy_put(send, text, strlen(text));
}

static void put_target(const struct alk_proxy_dialogue *d, struct alk_proxy_send *send)
{
    bool v6 = strchr(d->host, ':') != NULL;
    char port[8];

    put_text(send, v6 ? "[" : "");
    put_text(send, d->host);
    snprintf(port, sizeof(port), "%s:%u", v6 ? "]" : "", d->port);
    put_text(send, port);
}

static void put_login(const struct alk_proxy *proxy, struct alk_proxy_send *send)
{
    char plain[2 * ALK_PROXY_LOGIN_MAX + 2];
    char coded[sodium_base64_ENCODED_LEN(sizeof(plain), sodium_base64_VARIANT_ORIGINAL)];
    int len = snprintf(plain, sizeof(plain), "%s:%s", proxy->user, proxy->password);

    sodium_bin2base64(coded, sizeof(coded), (const uint8_t *)plain, (size_t)len,
                      sodium_base64_VARIANT_ORIGINAL);
    put_text(send, "Proxy-Authorization: Basic ");
    put_text(send, coded);
    put_text(send, "\r\n");
    sodium_memzero(plain, sizeof(plain));
    sodium_memzero(coded, sizeof(coded));
}

static void begin(struct alk_proxy_dialogue *d, struct alk_proxy_send *send)
{
    d->expect = STATUS_LINE;
    put_text(send, "CONNECT ");
    put_target(d, send);
    put_text(send, " HTTP/1.1\r\nHost: ");
    put_target(d, send);
    put_text(send, "\r\n");
    if (d->proxy->login)
        put_login(d->proxy, send);
    put_text(send, "\r\n");
}

/* The headers of the answer are over. */
static void judge(struct alk_proxy_dialogue *d)
{
    static const struct {
        unsigned code;
        int status;
        const char *meaning;
    } known[] = {
        {400, ALK_E_PROXY, "bad request"},
        {403, ALK_E_PROXY, "forbidden"},
        {404, ALK_E_RESOLVE, "not found"},
        {405, ALK_E_PROXY, "method not allowed"},
        {429, ALK_E_PROXY, "too many requests"},
        {500, ALK_E_PROXY, "internal error, or the target cannot be reached"},
        {502, ALK_E_UNREACHABLE, "bad gateway"},
        {503, ALK_E_UNREACHABLE, "service unavailable"},
        {504, ALK_E_TIMEOUT, "gateway time-out"},
    };

    if (d->code < 200) { /* an interim answer: the real one follows */
        d->expect = STATUS_LINE;
        return;
    }
    if (d->code < 300) {
        d->state = ALK_PROXY_OPEN;
        return;
    }
    if (d->code == 407 || d->code == 401) { /* the latter is wrong, but said */
        alk_proxy_fail(d, ALK_E_AUTH,
                       d->proxy->login ? "the proxy did not accept user and password (%u)"
                                       : "the proxy wants a user and a password (%u)",
                       d->code);
        return;
    }
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (known[i].code == d->code) {
            alk_proxy_fail(d, known[i].status, "the proxy says: %s (%u)", known[i].meaning,
                           d->code);
            return;
        }
    }
    alk_proxy_fail(d, ALK_E_PROXY, "the proxy answers %u", d->code);
}

/* "HTTP/1.x NNN", more or less of which has come. */
static bool is_status_line(const struct alk_proxy_dialogue *d)
{
    static const char form[] = "HTTP/1.d ddd";
    size_t len = d->have < sizeof(form) - 1 ? d->have : sizeof(form) - 1;

    for (size_t i = 0; i < len; i++) {
        bool digit = d->message[i] >= '0' && d->message[i] <= '9';
        if (form[i] == 'd' ? !digit : d->message[i] != (uint8_t)form[i])
            return false;
    }
    return true;
}

static void take_line(struct alk_proxy_dialogue *d)
{
    size_t len = d->have;

    d->have = 0;
    if (d->expect == HEADERS) {
        if (len == 0)
            judge(d);
        return;
    }
    if (len < 12 || (len > 12 && d->message[12] != ' ') || d->message[9] == '0') {
        alk_proxy_fail(d, ALK_E_PROXY, "it is not an HTTP proxy");
        return;
    }
    d->code = (d->message[9] - 48U) * 100 + (d->message[10] - 48U) * 10 + (d->message[11] - 48U);
    d->expect = HEADERS;
}

/* Of a line only its beginning is kept. */
static void take_byte(struct alk_proxy_dialogue *d, uint8_t byte)
{
    if (byte == '\n') {
        take_line(d);
        return;
    }
    if (byte == '\r') /* a carriage return within a line has no meaning either */
        return;
    if (d->have < sizeof(d->message))
        d->message[d->have++] = byte;
    if (d->expect == STATUS_LINE && !is_status_line(d))
        alk_proxy_fail(d, ALK_E_PROXY, "it is not an HTTP proxy");
}

static size_t feed(struct alk_proxy_dialogue *d, const uint8_t *data, size_t len,
                   struct alk_proxy_send *send)
{
    size_t taken = 0;

    (void)send;
    while (taken < len && d->state == ALK_PROXY_MORE)
        take_byte(d, data[taken++]);
    return taken;
}

const struct alk_proxy_protocol alk_proxy_http = {.begin = begin, .feed = feed};
