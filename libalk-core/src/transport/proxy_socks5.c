#include "transport/proxy_dialogue.h"

#include <alk/status.h>

#include <string.h>

enum { METHOD, LOGIN, REPLY }; /* what is expected */

enum {
    NO_AUTH = 0,
    USER_PASSWORD = 2,
    NO_METHOD = 0xff,
    CONNECT = 1,
    IPV4 = 1,
    NAME = 3,
    IPV6 = 4,
};

static void begin(struct alk_proxy_dialogue *d, struct alk_proxy_send *send)
{
    static const uint8_t open[] = {5, 1, NO_AUTH}, with_login[] = {5, 2, NO_AUTH, USER_PASSWORD};

    d->expect = METHOD;
    if (d->proxy->login)
        alk_proxy_put(send, with_login, sizeof(with_login));
    else
        alk_proxy_put(send, open, sizeof(open));
}

static void put_byte(struct alk_proxy_send *send, size_t byte)
{
    alk_proxy_put(send, &(uint8_t){(uint8_t)byte}, 1);
}

static void put_login(const struct alk_proxy_dialogue *d, struct alk_proxy_send *send)
{
    size_t user = strlen(d->proxy->user), password = strlen(d->proxy->password);

    put_byte(send, 1);
    put_byte(send, user);
    alk_proxy_put(send, d->proxy->user, user);
    put_byte(send, password);
    alk_proxy_put(send, d->proxy->password, password);
}

static void put_request(const struct alk_proxy_dialogue *d, struct alk_proxy_send *send)
{
    static const uint8_t head[] = {5, CONNECT, 0};
    struct alk_address address;

    alk_proxy_put(send, head, sizeof(head));
    if (!alk_address_numeric(d->host, d->port, &address)) {
        size_t len = strlen(d->host);
        put_byte(send, NAME);
        put_byte(send, len);
        alk_proxy_put(send, d->host, len);
    } else if (address.sa.any.sa_family == AF_INET6) {
        put_byte(send, IPV6);
        alk_proxy_put(send, &address.sa.v6.sin6_addr, 16);
    } else {
        put_byte(send, IPV4);
        alk_proxy_put(send, &address.sa.v4.sin_addr, 4);
    }
    put_byte(send, d->port >> 8);
    put_byte(send, d->port & 0xff);
}

/* How long the expected message is, as far as what there is of it tells. */
static size_t length(const struct alk_proxy_dialogue *d)
{
    if (d->expect != REPLY)
        return 2;
    if (d->have < 2 || d->message[1] != 0) /* a refusal: what follows it says nothing */
        return 2;
    if (d->have < 5)
        return 5;
    switch (d->message[3]) {
    case IPV4:
        return 4 + 4 + 2;
    case IPV6:
        return 4 + 16 + 2;
    default:
        return 4U + 1U + d->message[4] + 2U;
    }
}

static void take_method(struct alk_proxy_dialogue *d, struct alk_proxy_send *send)
{
    unsigned method = d->message[1];

    if (method == NO_AUTH) {
        d->expect = REPLY;
        put_request(d, send);
    } else if (method == USER_PASSWORD && d->proxy->login) {
        d->expect = LOGIN;
        put_login(d, send);
    } else if (method == NO_METHOD && d->proxy->login) {
        alk_proxy_fail(d, ALK_E_AUTH, "the proxy takes neither user and password nor nobody");
    } else if (method == NO_METHOD) {
        alk_proxy_fail(d, ALK_E_AUTH, "the proxy wants a user and a password");
    } else {
        alk_proxy_fail(d, ALK_E_PROXY, "the proxy chose a method of login that was not offered");
    }
}

static void take_login(struct alk_proxy_dialogue *d, struct alk_proxy_send *send)
{
    if (d->message[1] != 0) {
        alk_proxy_fail(d, ALK_E_AUTH, "the proxy did not accept user and password");
        return;
    }
    d->expect = REPLY;
    put_request(d, send);
}

static void take_reply(struct alk_proxy_dialogue *d)
{
    static const struct {
        int status;
        const char *cause;
    } refusals[] = {
        /* RFC 1928 section 6 */
        [1] = {ALK_E_PROXY, "the proxy says: general failure"},
        [2] = {ALK_E_PROXY, "the proxy does not allow the connection"},
        [3] = {ALK_E_UNREACHABLE, "the proxy says: network unreachable"},
        [4] = {ALK_E_UNREACHABLE, "the proxy says: host unreachable"},
        [5] = {ALK_E_REFUSED, "the proxy says: connection refused"},
        [6] = {ALK_E_TIMEOUT, "the proxy says: timed out"},
        [7] = {ALK_E_PROXY, "the proxy does not know the command CONNECT"},
        [8] = {ALK_E_PROXY, "the proxy does not take addresses of this kind"},
    };
    unsigned code = d->message[1];

    if (code == 0 && (d->message[3] == IPV4 || d->message[3] == IPV6 || d->message[3] == NAME))
        d->state = ALK_PROXY_OPEN;
    else if (code == 0)
        alk_proxy_fail(d, ALK_E_PROXY, "the proxy's answer is not SOCKS5");
    else if (code < sizeof(refusals) / sizeof(refusals[0]))
        alk_proxy_fail(d, refusals[code].status, "%s", refusals[code].cause);
    else
        alk_proxy_fail(d, ALK_E_PROXY, "the proxy answers with the unknown code %u", code);
}

static void take(struct alk_proxy_dialogue *d, struct alk_proxy_send *send)
{
    d->have = 0;
    switch (d->expect) {
    case METHOD:
        take_method(d, send);
        break;
    case LOGIN:
        take_login(d, send);
        break;
    default:
        take_reply(d);
        break;
    }
}

static size_t feed(struct alk_proxy_dialogue *d, const uint8_t *data, size_t len,
                   struct alk_proxy_send *send)
{
    size_t taken = 0;

    while (taken < len && d->state == ALK_PROXY_MORE) {
        d->message[d->have++] = data[taken++];
        /* the message about the login has a version of its own, 1, which some get wrong */
        if (d->have == 1 && d->expect != LOGIN && d->message[0] != 5)
            alk_proxy_fail(d, ALK_E_PROXY, "it is not a SOCKS5 proxy");
        else if (d->have == length(d))
            take(d, send);
    }
    return taken;
}

const struct alk_proxy_protocol alk_proxy_socks5 = {.begin = begin, .feed = feed};
