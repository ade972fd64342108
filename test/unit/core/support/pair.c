#include "support/pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static uint32_t next_random(struct pair *pair)
{
    pair->random = pair->random * 1664525U + 1013904223U;
    return pair->random >> 8;
}

void pair_init(struct pair *pair, struct alk_ssh_options server, struct alk_ssh_options client)
{
    pair_init_with(pair, server, client, &alk_engine_native);
}

void pair_init_with(struct pair *pair, struct alk_ssh_options server, struct alk_ssh_options client,
                    const struct alk_engine *engine)
{
    memset(pair, 0, sizeof(*pair));
    pair->random = 12345;
    pair->now = 1000;
    assert_int_equal(alk_crypto_init(), 0);
    assert_int_equal(alk_key_generate(&pair->host_key), 0);
    assert_int_equal(alk_key_generate(&pair->user_key), 0);
    server.role = ALK_SSH_SERVER;
    server.host_key = pair->host_key;
    client.role = ALK_SSH_CLIENT;
    pair->server.engine = &alk_engine_native;
    pair->client.engine = engine;
    assert_int_equal(alk_ssh_new(&pair->server.ssh, &server, pair->now), 0);
    assert_int_equal(engine->create(&pair->client.ssh, &client, pair->now), 0);
}

void pair_free(struct pair *pair)
{
    alk_ssh_free(pair->server.ssh);
    pair->client.engine->destroy(pair->client.ssh);
    alk_key_free(pair->host_key);
    alk_key_free(pair->user_key);
}

static void sign_in(struct pair *pair, struct pair_end *end)
{
    uint8_t signature[ALK_SIGNATURE_BLOB_SIZE];
    const uint8_t *data;
    size_t len;

    assert_int_equal(end->engine->auth_to_sign(end->ssh, "user", alk_key_blob(pair->user_key),
                                               ALK_KEY_BLOB_SIZE, &data, &len),
                     0);
    alk_key_sign(pair->user_key, data, len, signature);
    assert_int_equal(end->engine->auth_signed(end->ssh, signature, sizeof(signature)), 0);
}

static void log_in(struct pair *pair, struct pair_end *end)
{
    if (end->engine->probes_first)
        end->engine->auth_probe(end->ssh, "user", alk_key_blob(pair->user_key), ALK_KEY_BLOB_SIZE);
    else
        sign_in(pair, end);
}

static void take_data(struct pair_end *end, struct alk_ssh_event *event)
{
    for (size_t i = 0; i < event->len; i++)
        end->sum = end->sum * 31 + event->data[i];
    end->received += event->len;
    if (end->hold)
        end->held += event->len;
    else
        end->engine->channel_consumed(end->ssh, event->channel, event->len);
}

static void handle(struct pair *pair, struct pair_end *end, struct alk_ssh_event *event)
{
    end->events[event->type]++;
    end->last = *event;
    if (event->host != NULL)
        snprintf(end->host, sizeof(end->host), "%s", event->host);
    if (end->on_event != NULL)
        end->on_event(end, event);
    switch (event->type) {
    case ALK_SSH_HOST_KEY:
        end->engine->host_key_accept(end->ssh);
        break;
    case ALK_SSH_AUTH_READY:
        log_in(pair, end);
        break;
    case ALK_SSH_AUTH_KEY_OK:
        if (end->engine->probes_first)
            sign_in(pair, end);
        break;
    case ALK_SSH_AUTH_REQUEST:
        alk_ssh_auth_reply(
            end->ssh, memcmp(event->data, alk_key_blob(pair->user_key), ALK_KEY_BLOB_SIZE) == 0);
        break;
    case ALK_SSH_CHANNEL_REQUEST:
        end->engine->channel_accept(end->ssh, event->channel);
        end->channels[end->channel_count++ % PAIR_CHANNELS] = event->channel;
        break;
    case ALK_SSH_CHANNEL_OPENED:
        end->channels[end->channel_count++ % PAIR_CHANNELS] = event->channel;
        break;
    case ALK_SSH_CHANNEL_FAILED:
        end->failed++;
        break;
    case ALK_SSH_CHANNEL_DATA:
        take_data(end, event);
        break;
    case ALK_SSH_CHANNEL_EOF:
        end->eofs++;
        break;
    case ALK_SSH_CHANNEL_CLOSED:
        end->closed++;
        break;
    case ALK_SSH_FORWARD_REQUEST:
        alk_ssh_forward_reply(end->ssh, true, 4242);
        break;
    default:
        break;
    }
}

static bool take_events(struct pair *pair, struct pair_end *end)
{
    struct alk_ssh_event event;
    bool any = false;

    while ((end->status = end->engine->next(end->ssh, &event)) > 0) {
        handle(pair, end, &event);
        any = true;
    }
    return any;
}

/* As much as the engine takes. */
static size_t feed(struct pair_end *end, const uint8_t *bytes, size_t len, uint64_t now)
{
    uint8_t *at;
    size_t space = end->engine->input_space(end->ssh, &at);

    if (len > space)
        len = space;
    if (len > 0) {
        memcpy(at, bytes, len);
        end->engine->input_commit(end->ssh, len, now);
    }
    return len;
}

static bool move_bytes(struct pair *pair, struct pair_end *from, struct pair_end *to)
{
    uint8_t copy[70000];
    const uint8_t *bytes;
    size_t len = from->engine->output(from->ssh, &bytes);

    if (len > sizeof(copy))
        len = sizeof(copy);
    if (pair->piece_max > 0 && len > 0)
        len = 1 + next_random(pair) % (len < pair->piece_max ? len : pair->piece_max);
    if (len == 0)
        return false;
    memcpy(copy, bytes, len);
    if (pair->on_wire != NULL)
        pair->on_wire(pair, to == &pair->server, copy, len);
    size_t taken = feed(to, copy, len, pair->now);
    if (to->status < 0)
        taken = len; /* the reader is gone */
    from->engine->output_done(from->ssh, taken);
    return taken > 0;
}

void pair_run(struct pair *pair)
{
    bool moved = true;

    while (moved) {
        moved = take_events(pair, &pair->server);
        moved |= take_events(pair, &pair->client);
        if (!pair->to_client_held)
            moved |= move_bytes(pair, &pair->server, &pair->client);
        moved |= move_bytes(pair, &pair->client, &pair->server);
    }
}

void pair_login(struct pair *pair)
{
    struct alk_ssh_options options = ALK_SSH_OPTIONS_INIT;

    pair_init(pair, options, options);
    pair_run(pair);
    assert_true(alk_ssh_authenticated(pair->server.ssh));
    assert_true(alk_ssh_authenticated(pair->client.ssh));
}

void pair_open(struct pair *pair)
{
    struct alk_ssh_channel *channel;
    unsigned before = pair->server.channel_count;

    assert_int_equal(pair->client.engine->channel_open(pair->client.ssh, ALK_SSH_DIRECT_TCPIP,
                                                       "target.test", 80, NULL, 0, &channel),
                     0);
    pair_run(pair);
    assert_int_equal(pair->server.channel_count, before + 1);
}
