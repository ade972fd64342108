#include "transport/proxy_talk.h"

#include "transport/peeked_stream.h"
#include "transport/proxy_dialogue.h"

#include <alk/status.h>
#include <alk/stream.h>

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 2048 };

struct alk_proxy_talk {
    struct alk_stream *stream;
    alk_proxy_talk_fn fn;
    void *user;
    struct alk_proxy_dialogue dialogue;
    struct alk_proxy_send send;
    size_t sent; /* of send */
};

static void talk_free(struct alk_proxy_talk *talk)
{
    sodium_memzero(&talk->send, sizeof(talk->send));
    free(talk);
}

void alk_proxy_talk_cancel(struct alk_proxy_talk *talk)
{
    if (talk == NULL)
        return;
    alk_stream_close(talk->stream);
    talk_free(talk);
}

static void fail(struct alk_proxy_talk *talk, int status, const char *cause)
{
    alk_proxy_talk_fn fn = talk->fn;
    void *user = talk->user;
    char text[ALK_PROXY_CAUSE_MAX];

    memset(text, 0, sizeof(text));
    memcpy(text, cause, strnlen(cause, sizeof(text) - 1));
    alk_proxy_talk_cancel(talk);
    fn(user, status, NULL, text);
}

/* What came behind the dialogue is the target's. */
static void succeed(struct alk_proxy_talk *talk, const uint8_t *rest, size_t len)
{
    struct alk_stream *stream;
    alk_proxy_talk_fn fn = talk->fn;
    void *user = talk->user;

    if (alk_peeked_stream_new(&stream, talk->stream, rest, len) != ALK_OK) {
        fail(talk, ALK_E_NOMEM, "out of memory");
        return;
    }
    alk_stream_watch(stream, 0);
    alk_stream_set_handler(stream, NULL, NULL);
    talk_free(talk);
    fn(user, ALK_OK, stream, "");
}

/* Sends what there is to send, then waits for an answer. */
static void flush(struct alk_proxy_talk *talk)
{
    while (talk->sent < talk->send.len) {
        ssize_t n = alk_stream_write(talk->stream, talk->send.data + talk->sent,
                                     talk->send.len - talk->sent);
        if (n == ALK_E_AGAIN)
            break;
        if (n < 0) {
            fail(talk, ALK_E_PROXY, "the proxy closed the connection");
            return;
        }
        talk->sent += (size_t)n;
    }
    alk_stream_watch(talk->stream, talk->sent < talk->send.len ? ALK_WRITABLE : ALK_READABLE);
}

static void take(struct alk_proxy_talk *talk, const uint8_t *data, size_t len)
{
    size_t taken = alk_proxy_feed(&talk->dialogue, data, len, &talk->send);

    talk->sent = 0;
    switch (talk->dialogue.state) {
    case ALK_PROXY_MORE:
        flush(talk);
        break;
    case ALK_PROXY_OPEN:
        succeed(talk, data + taken, len - taken);
        break;
    case ALK_PROXY_FAILED:
        fail(talk, talk->dialogue.status, talk->dialogue.cause);
        break;
    }
}

static void on_ready(struct alk_stream *stream, unsigned ready, void *user)
{
    struct alk_proxy_talk *talk = user;
    uint8_t data[CHUNK];

    (void)ready;
    if (talk->sent < talk->send.len) {
        flush(talk);
        return;
    }
    ssize_t n = alk_stream_read(stream, data, sizeof(data));
    if (n > 0)
        take(talk, data, (size_t)n);
    else if (n != ALK_E_AGAIN)
        fail(talk, ALK_E_PROXY, "the proxy closed the connection");
}

int alk_proxy_talk_start(struct alk_proxy_talk **out, struct alk_stream *stream,
                         const struct alk_proxy *proxy, const char *host, uint16_t port,
                         alk_proxy_talk_fn fn, void *user)
{
    struct alk_proxy_talk *talk = calloc(1, sizeof(*talk));

    if (talk == NULL)
        return ALK_E_NOMEM;
    int status = alk_proxy_begin(&talk->dialogue, proxy, host, port, &talk->send);
    if (status != ALK_OK) {
        talk_free(talk);
        return status;
    }
    talk->stream = stream;
    talk->fn = fn;
    talk->user = user;
    alk_stream_set_handler(stream, on_ready, talk);
    alk_stream_watch(stream, ALK_WRITABLE);
    *out = talk;
    return ALK_OK;
}
