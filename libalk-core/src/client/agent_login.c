#include "client/internal.h"

#include <stdlib.h>

enum { AGENT_TIMEOUT_MS = 60000 }; /* a person may have to confirm */

struct agent_talk {
    struct alk_loop *loop;
    struct alk_dial *dial;
    struct alk_stream *stream;
    struct alk_timer *timer;
    struct alk_buffer in, out;
    alk_agent_wanted_fn wanted;
    agent_keys_fn on_keys;
    agent_signature_fn on_signature;
    void *user;
    bool wants_keys;
};

void agent_talk_free(struct agent_talk *talk)
{
    if (talk == NULL)
        return;
    alk_dial_cancel(talk->dial);
    alk_stream_close(talk->stream);
    alk_timer_free(talk->timer);
    alk_buffer_free(&talk->in);
    alk_buffer_free(&talk->out);
    free(talk);
}

/* Tells whoever waits that it will not come; later requests fail at once. */
static void fail(struct agent_talk *talk, int status)
{
    agent_signature_fn on_signature = talk->on_signature;

    alk_stream_close(talk->stream);
    talk->stream = NULL;
    alk_timer_clear(talk->timer);
    talk->on_signature = NULL;
    if (talk->wants_keys) {
        talk->wants_keys = false;
        talk->on_keys(talk->user, status, NULL, 0);
    } else if (on_signature != NULL) {
        on_signature(talk->user, status, NULL, 0);
    }
}

static void on_timer(void *user)
{
    fail(user, ALK_E_TIMEOUT);
}

static void handle(struct agent_talk *talk, const uint8_t *message, size_t len)
{
    struct alk_agent_identity keys[ALK_AGENT_KEYS_MAX];
    agent_signature_fn on_signature = talk->on_signature;

    alk_timer_clear(talk->timer);
    if (talk->wants_keys) {
        int count = alk_agent_parse_identities(message, len, talk->wanted, talk->user, keys,
                                               ALK_AGENT_KEYS_MAX);
        talk->wants_keys = false;
        talk->on_keys(talk->user, count < 0 ? count : ALK_OK, keys, count < 0 ? 0 : (size_t)count);
    } else if (on_signature != NULL) {
        const uint8_t *signature = NULL;
        size_t signature_len = 0;
        int status = alk_agent_parse_signature(message, len, &signature, &signature_len);
        talk->on_signature = NULL;
        on_signature(talk->user, status, signature, signature_len);
    }
}

static bool send_rest(struct agent_talk *talk)
{
    size_t len = alk_buffer_len(&talk->out);
    ssize_t n = len == 0 ? 0 : alk_stream_write(talk->stream, alk_buffer_head(&talk->out), len);

    if (n < 0 && n != ALK_E_AGAIN)
        return false;
    if (n > 0)
        alk_buffer_consume(&talk->out, (size_t)n);
    alk_stream_watch(talk->stream,
                     ALK_READABLE | (alk_buffer_len(&talk->out) > 0 ? ALK_WRITABLE : 0));
    return true;
}

static void on_ready(struct alk_stream *stream, unsigned ready, void *user)
{
    struct agent_talk *talk = user;
    uint8_t *at = alk_buffer_reserve(&talk->in, 4096);

    (void)ready;
    ssize_t n = at == NULL ? ALK_E_LIMIT : alk_stream_read(stream, at, 4096);
    if (n > 0)
        alk_buffer_commit(&talk->in, (size_t)n);
    ssize_t whole = alk_agent_message_length(alk_buffer_head(&talk->in), alk_buffer_len(&talk->in));
    if ((n <= 0 && n != ALK_E_AGAIN) || whole < 0 || !send_rest(talk)) {
        fail(talk, ALK_E_CLOSED);
        return;
    }
    if (whole > 0) {
        struct alk_buffer in = talk->in; /* the callback may free the talk */
        talk->in = alk_buffer(ALK_AGENT_MESSAGE_MAX + 8192);
        handle(talk, alk_buffer_head(&in), (size_t)whole);
        alk_buffer_free(&in);
    }
}

static void on_dialled(void *user, int status, struct alk_stream *stream, const char *cause)
{
    struct agent_talk *talk = user;

    (void)cause;
    talk->dial = NULL;
    talk->stream = stream;
    if (status != ALK_OK) {
        fail(talk, status);
        return;
    }
    alk_stream_set_handler(stream, on_ready, talk);
    if (!send_rest(talk))
        fail(talk, ALK_E_CLOSED);
}

int agent_talk_start(struct agent_talk **out, struct alk_loop *loop, const char *path,
                     alk_agent_wanted_fn wanted, agent_keys_fn fn, void *user)
{
    struct alk_dial_options target = {.path = path, .timeout_ms = 5000};
    struct agent_talk *talk = calloc(1, sizeof(*talk));
    uint8_t request[5];

    if (talk == NULL)
        return ALK_E_NOMEM;
    talk->loop = loop;
    talk->wanted = wanted;
    talk->on_keys = fn;
    talk->user = user;
    talk->wants_keys = true;
    talk->in = talk->out = alk_buffer(ALK_AGENT_MESSAGE_MAX + 8192);
    int status = alk_buffer_append(&talk->out, request, alk_agent_request_identities(request));
    if (status == ALK_OK)
        status = alk_timer_new(&talk->timer, loop, on_timer, talk);
    if (status == ALK_OK)
        status = alk_dial_start(&talk->dial, loop, &target, on_dialled, talk);
    if (status != ALK_OK) {
        agent_talk_free(talk);
        return status;
    }
    alk_timer_set(talk->timer, AGENT_TIMEOUT_MS);
    *out = talk;
    return ALK_OK;
}

int agent_talk_sign(struct agent_talk *talk, const uint8_t *blob, size_t blob_len,
                    const uint8_t *data, size_t len, agent_signature_fn fn)
{
    uint8_t request[16 * 1024];

    if (talk == NULL || talk->stream == NULL)
        return ALK_E_CLOSED;
    ssize_t size = alk_agent_request_signature(blob, blob_len, data, len, request, sizeof(request));
    if (size < 0)
        return (int)size;
    int status = alk_buffer_append(&talk->out, request, (size_t)size);
    if (status != ALK_OK)
        return status;
    talk->on_signature = fn;
    alk_timer_set(talk->timer, AGENT_TIMEOUT_MS);
    return send_rest(talk) ? ALK_OK : ALK_E_CLOSED;
}
