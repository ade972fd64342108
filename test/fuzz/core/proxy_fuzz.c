/* First byte: which protocol, whether there is a login, and how the answers are split. They come
 * one after the other as a proxy sends them; for HTTP the split must not matter. */
#include "transport/proxy_dialogue.h"

#include <alk/status.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct alk_proxy_dialogue *d, const struct alk_proxy_send *send)
{
    if (send->len > sizeof(send->data) || memchr(d->cause, 0, sizeof(d->cause)) == NULL)
        abort();
    if (d->state == ALK_PROXY_FAILED && (d->status >= 0 || d->cause[0] == '\0'))
        abort();
    if (strstr(d->cause, "pass") != NULL && strstr(d->cause, "password") == NULL)
        abort();
}

/* The state that the answers lead to, and how many bytes they take. */
static enum alk_proxy_state talk(const struct alk_proxy *proxy, const uint8_t *data, size_t size,
                                 size_t piece, size_t *taken)
{
    struct alk_proxy_dialogue d;
    struct alk_proxy_send send;

    if (alk_proxy_begin(&d, proxy, "target.example", 22, &send) != ALK_OK)
        abort();
    *taken = 0;
    while (*taken < size && d.state == ALK_PROXY_MORE) {
        size_t len = size - *taken < piece ? size - *taken : piece;
        size_t n = alk_proxy_feed(&d, data + *taken, len, &send);
        if (n > len || (n < len && d.state == ALK_PROXY_MORE))
            abort();
        *taken += n;
        check(&d, &send);
    }
    return d.state;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const urls[] = {"socks5://p:1", "socks5://bob:passw@p:1", "http://p:1",
                                       "http://bob:passw@p:1"};
    struct alk_proxy proxy;
    size_t one, other;

    if (size < 1)
        return 0;
    if (alk_proxy_parse(urls[data[0] & 3], &proxy, NULL) != ALK_OK)
        abort();
    enum alk_proxy_state bytewise = talk(&proxy, data + 1, size - 1, 1, &one);
    enum alk_proxy_state pieces = talk(&proxy, data + 1, size - 1, (data[0] >> 2) + 1U, &other);
    if ((data[0] & 2) != 0 && (bytewise != pieces || one != other))
        abort();
    return 0;
}
