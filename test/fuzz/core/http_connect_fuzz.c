/* First byte: where the input is split, which must not matter. */
#include "tunnel/http_connect.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct result {
    struct alk_http_connect http;
    size_t taken, reply_len;
    uint8_t reply[ALK_HTTP_REPLY_MAX];
};

static void feed(struct result *result, const uint8_t *data, size_t len)
{
    size_t consumed;

    alk_http_connect_feed(&result->http, data, len, &consumed, result->reply, &result->reply_len);
    if (consumed > len || result->reply_len > sizeof(result->reply))
        abort();
    if (result->http.state == ALK_DIALOGUE_MORE && (consumed != len || result->reply_len != 0))
        abort();
    result->taken += consumed;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct result whole, parts;

    if (size < 1)
        return 0;
    size_t cut = data[0];
    data++;
    size--;
    if (cut > size)
        cut = size;
    memset(&whole, 0, sizeof(whole));
    memset(&parts, 0, sizeof(parts));
    alk_http_connect_init(&whole.http);
    alk_http_connect_init(&parts.http);
    feed(&whole, data, size);
    feed(&parts, data, cut);
    if (parts.http.state == ALK_DIALOGUE_MORE)
        feed(&parts, data + cut, size - cut);
    if (whole.http.state != parts.http.state || whole.taken != parts.taken ||
        whole.reply_len != parts.reply_len || whole.taken > ALK_HTTP_REQUEST_MAX ||
        memcmp(whole.reply, parts.reply, whole.reply_len) != 0)
        abort();
    if (whole.http.state == ALK_DIALOGUE_REQUEST &&
        (!alk_host_valid(whole.http.host, strlen(whole.http.host)) || whole.http.port == 0))
        abort();
    return 0;
}
