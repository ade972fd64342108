/* What both protocols have in common. */
#include "transport/proxy_dialogue.h"

#include <alk/status.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void alk_proxy_fail(struct alk_proxy_dialogue *dialogue, int status, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(dialogue->cause, sizeof(dialogue->cause), format, args);
    va_end(args);
    dialogue->status = status;
    dialogue->state = ALK_PROXY_FAILED;
}

void alk_proxy_put(struct alk_proxy_send *send, const void *data, size_t len)
{
    if (len > sizeof(send->data) - send->len) /* the bounds of host and login forbid it */
        return;
    memcpy(send->data + send->len, data, len);
    send->len += len;
}

int alk_proxy_begin(struct alk_proxy_dialogue *dialogue, const struct alk_proxy *proxy,
                    const char *host, uint16_t port, struct alk_proxy_send *send)
{
    struct alk_address address;
    size_t len = strlen(host);

    if (!alk_host_valid(host, len))
        return ALK_E_INVAL;
    if (alk_address_numeric(host, port, &address) && strchr(host, '%') != NULL)
        return ALK_E_INVAL;
    memset(dialogue, 0, sizeof(*dialogue));
    dialogue->protocol = proxy->kind == ALK_PROXY_HTTP ? &alk_proxy_http : &alk_proxy_socks5;
    dialogue->proxy = proxy;
    memcpy(dialogue->host, host, len + 1);
    dialogue->port = port;
    send->len = 0;
    dialogue->protocol->begin(dialogue, send);
    return ALK_OK;
}

size_t alk_proxy_feed(struct alk_proxy_dialogue *dialogue, const uint8_t *data, size_t len,
                      struct alk_proxy_send *send)
{
    size_t taken = 0;

    send->len = 0;
    if (dialogue->state != ALK_PROXY_MORE)
        return 0;
    if (len > ALK_PROXY_ANSWER_MAX - dialogue->taken)
        len = ALK_PROXY_ANSWER_MAX - dialogue->taken;
    taken = dialogue->protocol->feed(dialogue, data, len, send);
    dialogue->taken += taken;
    if (dialogue->state == ALK_PROXY_OPEN && send->len > 0) /* an answer to what was not asked */
        alk_proxy_fail(dialogue, ALK_E_PROXY, "the proxy breaks the protocol");
    if (dialogue->state == ALK_PROXY_MORE && dialogue->taken == ALK_PROXY_ANSWER_MAX)
        alk_proxy_fail(dialogue, ALK_E_PROXY, "the proxy's answer is too long");
    return taken;
}
