#include "tunnel/socks.h"

#include <alk/status.h>

#include <arpa/inet.h>
#include <sodium.h>
#include <string.h>

/* What the next message is. */
enum { VERSION, METHODS, PASSWORD, REQUEST_5, REQUEST_4 };

enum {
    NO_AUTH = 0,
    USER_PASSWORD = 2,
    NO_METHOD = 0xff,
    CONNECT = 1,
    IPV4 = 1,
    NAME = 3,
    IPV6 = 4,
};

enum reply_5 { /* RFC 1928 section 6 */
               SUCCEEDED = 0,
               FAILURE = 1,
               NOT_ALLOWED = 2,
               HOST_UNREACHABLE = 4,
               REFUSED = 5,
               TTL_EXPIRED = 6,
               COMMAND_UNSUPPORTED = 7,
               ADDRESS_UNSUPPORTED = 8,
};

enum { GRANTED_4 = 90, REJECTED_4 = 91 };

struct reply {
    uint8_t *data;
    size_t len;
};

void alk_socks_init(struct alk_socks *socks, const struct alk_socks_auth *auth)
{
    memset(socks, 0, sizeof(*socks));
    socks->auth = auth;
    socks->expect = VERSION;
}

void alk_socks_wipe(struct alk_socks *socks)
{
    sodium_memzero(socks, sizeof(*socks));
    socks->state = ALK_DIALOGUE_FAILED;
}

static void put(struct reply *reply, const uint8_t *data, size_t len)
{
    memcpy(reply->data + reply->len, data, len);
    reply->len += len;
}

static void put_result(const struct alk_socks *socks, enum reply_5 code, struct reply *reply)
{
    /* The address that was bound is the far server's and nobody's business: zero. */
    const uint8_t five[10] = {5, (uint8_t)code, 0, IPV4};
    const uint8_t four[8] = {0, code == SUCCEEDED ? GRANTED_4 : REJECTED_4};

    if (socks->version == 5)
        put(reply, five, sizeof(five));
    else if (socks->version == 4)
        put(reply, four, sizeof(four));
}

static void fail(struct alk_socks *socks, enum reply_5 code, struct reply *reply)
{
    socks->state = ALK_DIALOGUE_FAILED;
    put_result(socks, code, reply);
}

/* ---- how long is the message? Each function says how many bytes are surely still
 * missing, 0 when the message is complete ------------------------------------------ */

static size_t lacks(const struct alk_socks *socks, size_t need)
{
    return need > socks->have ? need - socks->have : 0;
}

static size_t missing_methods(const struct alk_socks *socks)
{
    return socks->have < 2 ? lacks(socks, 2) : lacks(socks, 2U + socks->message[1]);
}

static size_t missing_password(const struct alk_socks *socks)
{
    if (socks->have < 2)
        return lacks(socks, 2);
    size_t user_end = 2U + socks->message[1];
    if (socks->have <= user_end)
        return lacks(socks, user_end + 1);
    return lacks(socks, user_end + 1U + socks->message[user_end]);
}

static size_t missing_request_5(const struct alk_socks *socks)
{
    if (socks->have < 5)
        return lacks(socks, 5);
    switch (socks->message[3]) {
    case IPV4:
        return lacks(socks, 4 + 4 + 2);
    case IPV6:
        return lacks(socks, 4 + 16 + 2);
    case NAME:
        return lacks(socks, 4U + 1U + socks->message[4] + 2U);
    default:
        return 0; /* of unknown length; refused */
    }
}

/* SOCKS4 has fields that end with NUL: byte by byte. */
static bool is_socks4a(const struct alk_socks *socks)
{
    static const uint8_t zeros[3] = {0, 0, 0};

    return memcmp(socks->message + 4, zeros, 3) == 0 && socks->message[7] != 0;
}

static const uint8_t *find_end(const struct alk_socks *socks, size_t from)
{
    size_t len = socks->have - from;

    return memchr(socks->message + from, 0, len < ALK_HOST_MAX + 1 ? len : ALK_HOST_MAX + 1);
}

static size_t missing_request_4(const struct alk_socks *socks)
{
    if (socks->have < 8)
        return lacks(socks, 8);
    size_t from = 8;
    for (int fields = is_socks4a(socks) ? 2 : 1; fields > 0; fields--) {
        const uint8_t *end = find_end(socks, from);
        if (end == NULL) /* too long a field is refused, not waited for */
            return socks->have - from <= ALK_HOST_MAX;
        from = (size_t)(end - socks->message) + 1;
    }
    return 0;
}

static size_t missing(const struct alk_socks *socks)
{
    switch (socks->expect) {
    case METHODS:
        return missing_methods(socks);
    case PASSWORD:
        return missing_password(socks);
    case REQUEST_5:
        return missing_request_5(socks);
    case REQUEST_4:
        return missing_request_4(socks);
    default:
        return lacks(socks, 1);
    }
}

/* ---- what does the complete message say? ---------------------------------------- */

static void expect(struct alk_socks *socks, int next)
{
    socks->expect = next;
    socks->have = 0;
}

static void on_version(struct alk_socks *socks, struct reply *reply)
{
    uint8_t version = socks->message[0];

    if (version != 4 && version != 5) {
        fail(socks, FAILURE, reply); /* without words: it is no SOCKS client */
        return;
    }
    socks->version = version;
    /* the byte stays: it is the first of the message */
    socks->expect = version == 5 ? METHODS : REQUEST_4;
}

static void on_methods(struct alk_socks *socks, struct reply *reply)
{
    uint8_t wanted = socks->auth != NULL ? USER_PASSWORD : NO_AUTH;
    bool offered = memchr(socks->message + 2, wanted, socks->message[1]) != NULL;
    const uint8_t answer[2] = {5, offered ? wanted : NO_METHOD};

    put(reply, answer, sizeof(answer));
    if (offered)
        expect(socks, wanted == USER_PASSWORD ? PASSWORD : REQUEST_5);
    else
        socks->state = ALK_DIALOGUE_FAILED;
}

/* Equal in a time that depends on nothing but that it was asked. */
static bool equal_secret(const uint8_t *given, size_t len, const char *right)
{
    uint8_t a[256] = {0}, b[256] = {0};
    size_t right_len = strlen(right);

    memcpy(a, given, len); /* at most 255 */
    memcpy(b, right, right_len < sizeof(b) ? right_len : sizeof(b));
    bool equal = (sodium_memcmp(a, b, sizeof(a)) == 0) & (len == right_len);
    sodium_memzero(a, sizeof(a));
    sodium_memzero(b, sizeof(b));
    return equal;
}

static void on_password(struct alk_socks *socks, struct reply *reply)
{
    const uint8_t *message = socks->message;
    size_t user_len = message[1], password_len = message[2 + user_len];
    bool user_ok = equal_secret(message + 2, user_len, socks->auth->user);
    bool password_ok = equal_secret(message + 3 + user_len, password_len, socks->auth->password);
    bool ok = (message[0] == 1) & user_ok & password_ok;
    const uint8_t answer[2] = {1, ok ? 0 : 1};

    sodium_memzero(socks->message, sizeof(socks->message));
    put(reply, answer, sizeof(answer));
    if (ok)
        expect(socks, REQUEST_5);
    else
        socks->state = ALK_DIALOGUE_FAILED;
}

static bool take_name(struct alk_socks *socks, const uint8_t *name, size_t len)
{
    memcpy(socks->host, name, len); /* at most 255 */
    socks->host[len] = '\0';
    return alk_host_valid(socks->host, len);
}

static uint16_t port_at(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static void on_request_5(struct alk_socks *socks, struct reply *reply)
{
    const uint8_t *message = socks->message;
    const uint8_t *end = message + socks->have;
    bool ok = message[0] == 5;

    if (message[3] == IPV4)
        inet_ntop(AF_INET, message + 4, socks->host, sizeof(socks->host));
    else if (message[3] == IPV6)
        inet_ntop(AF_INET6, message + 4, socks->host, sizeof(socks->host));
    else if (message[3] == NAME)
        ok = take_name(socks, message + 5, message[4]) && ok;
    else {
        fail(socks, ADDRESS_UNSUPPORTED, reply);
        return;
    }
    socks->port = port_at(end - 2);
    if (!ok)
        fail(socks, FAILURE, reply);
    else if (message[1] != CONNECT)
        fail(socks, COMMAND_UNSUPPORTED, reply);
    else
        socks->state = ALK_DIALOGUE_REQUEST;
}

static void on_request_4(struct alk_socks *socks, struct reply *reply)
{
    const uint8_t *user_end = find_end(socks, 8);
    bool ok = user_end != NULL && socks->auth == NULL && socks->message[1] == CONNECT;

    if (ok && is_socks4a(socks)) {
        const uint8_t *name = user_end + 1;
        const uint8_t *end = find_end(socks, (size_t)(name - socks->message));
        ok = end != NULL && take_name(socks, name, (size_t)(end - name));
    } else {
        inet_ntop(AF_INET, socks->message + 4, socks->host, sizeof(socks->host));
    }
    socks->port = port_at(socks->message + 2);
    if (ok)
        socks->state = ALK_DIALOGUE_REQUEST;
    else
        fail(socks, FAILURE, reply);
}

static void on_message(struct alk_socks *socks, struct reply *reply)
{
    switch (socks->expect) {
    case METHODS:
        on_methods(socks, reply);
        break;
    case PASSWORD:
        on_password(socks, reply);
        break;
    case REQUEST_5:
        on_request_5(socks, reply);
        break;
    case REQUEST_4:
        on_request_4(socks, reply);
        break;
    default:
        on_version(socks, reply);
    }
}

enum alk_dialogue_state alk_socks_feed(struct alk_socks *socks, const uint8_t *data, size_t len,
                                       size_t *consumed, uint8_t reply_out[ALK_SOCKS_REPLY_MAX],
                                       size_t *reply_len)
{
    struct reply reply = {.data = reply_out, .len = 0};
    size_t taken = 0;

    while (socks->state == ALK_DIALOGUE_MORE) {
        size_t need = missing(socks);
        if (need == 0) {
            on_message(socks, &reply);
            continue;
        }
        if (taken == len)
            break;
        size_t take = need < len - taken ? need : len - taken;
        memcpy(socks->message + socks->have, data + taken, take);
        socks->have += take;
        taken += take;
    }
    *consumed = taken;
    *reply_len = reply.len;
    return socks->state;
}

static enum reply_5 code_for(int outcome)
{
    switch (outcome) {
    case ALK_OK:
        return SUCCEEDED;
    case ALK_E_DENIED:
    case ALK_OPEN_PROHIBITED:
        return NOT_ALLOWED;
    case ALK_E_UNREACHABLE:
    case ALK_E_RESOLVE:
        return HOST_UNREACHABLE;
    case ALK_E_REFUSED:
    case ALK_OPEN_CONNECT_FAILED:
        return REFUSED;
    case ALK_E_TIMEOUT:
        return TTL_EXPIRED;
    default:
        return FAILURE;
    }
}

size_t alk_socks_reply(const struct alk_socks *socks, int outcome,
                       uint8_t reply_out[ALK_SOCKS_REPLY_MAX])
{
    struct reply reply = {.data = reply_out, .len = 0};

    put_result(socks, code_for(outcome), &reply);
    return reply.len;
}
