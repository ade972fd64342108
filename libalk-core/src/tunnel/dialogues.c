/* The proxy dialogues as inlets see them. */
#include "tunnel/http_connect.h"
#include "tunnel/inlet.h"
#include "tunnel/socks.h"

static void socks_init(void *state, const void *config)
{
    alk_socks_init(state, config);
}

static enum alk_dialogue_state socks_feed(void *state, const uint8_t *data, size_t len,
                                          size_t *consumed, uint8_t *reply, size_t *reply_len)
{
    return alk_socks_feed(state, data, len, consumed, reply, reply_len);
}

static void socks_target(const void *state, const char **host, uint16_t *port)
{
    const struct alk_socks *socks = state;

    *host = socks->host;
    *port = socks->port;
}

static size_t socks_answer(const void *state, int status, uint8_t *reply)
{
    return alk_socks_reply(state, status, reply);
}

const struct alk_dialogue_ops alk_dialogue_socks = {
    .size = sizeof(struct alk_socks),
    .init = socks_init,
    .feed = socks_feed,
    .target = socks_target,
    .answer = socks_answer,
};

static void http_init(void *state, const void *config)
{
    (void)config;
    alk_http_connect_init(state);
}

static enum alk_dialogue_state http_feed(void *state, const uint8_t *data, size_t len,
                                         size_t *consumed, uint8_t *reply, size_t *reply_len)
{
    return alk_http_connect_feed(state, data, len, consumed, reply, reply_len);
}

static void http_target(const void *state, const char **host, uint16_t *port)
{
    const struct alk_http_connect *http = state;

    *host = http->host;
    *port = http->port;
}

static size_t http_answer(const void *state, int status, uint8_t *reply)
{
    (void)state;
    return alk_http_connect_reply(status, reply);
}

const struct alk_dialogue_ops alk_dialogue_http = {
    .size = sizeof(struct alk_http_connect),
    .init = http_init,
    .feed = http_feed,
    .target = http_target,
    .answer = http_answer,
};
