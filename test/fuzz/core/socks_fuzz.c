/* First byte: whether a password is asked for, and where the input is split. The split
 * must not matter. */
#include "tunnel/socks.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct result {
    struct alk_socks socks;
    size_t taken, reply_len;
    uint8_t reply[3 * ALK_SOCKS_REPLY_MAX];
};

static void feed(struct result *result, const uint8_t *data, size_t len)
{
    uint8_t reply[ALK_SOCKS_REPLY_MAX];
    size_t consumed, reply_len;

    alk_socks_feed(&result->socks, data, len, &consumed, reply, &reply_len);
    if (consumed > len || reply_len > sizeof(reply))
        abort();
    if (result->socks.state == ALK_DIALOGUE_MORE && consumed != len)
        abort();
    memcpy(result->reply + result->reply_len, reply, reply_len);
    result->reply_len += reply_len;
    result->taken += consumed;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct alk_socks_auth auth = {.user = "bob", .password = "secret"};
    static struct result whole, parts;

    if (size < 1)
        return 0;
    const struct alk_socks_auth *wanted = (data[0] & 1) != 0 ? &auth : NULL;
    size_t cut = data[0] >> 1;
    data++;
    size--;
    if (cut > size)
        cut = size;
    memset(&whole, 0, sizeof(whole));
    memset(&parts, 0, sizeof(parts));
    alk_socks_init(&whole.socks, wanted);
    alk_socks_init(&parts.socks, wanted);
    feed(&whole, data, size);
    feed(&parts, data, cut);
    if (parts.socks.state == ALK_DIALOGUE_MORE)
        feed(&parts, data + cut, size - cut);
    if (whole.socks.state != parts.socks.state || whole.taken != parts.taken ||
        whole.reply_len != parts.reply_len ||
        memcmp(whole.reply, parts.reply, whole.reply_len) != 0)
        abort();
    if (whole.socks.state != ALK_DIALOGUE_REQUEST)
        return 0;
    if (!alk_host_valid(whole.socks.host, strlen(whole.socks.host)) ||
        strcmp(whole.socks.host, parts.socks.host) != 0 || whole.socks.port != parts.socks.port)
        abort();
    return 0;
}
