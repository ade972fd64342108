/* The link to the server: dial, shake hands, stay, lose it, try again. */
#include "client/internal.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum {
    HANDSHAKE_MS = 10000,
    BACKOFF_FIRST_MS = 1000,
    BACKOFF_LAST_MS = 30000,
    TICK_MS = 1000,
    BANNERS_MAX = 8,         /* of one login; nobody reads more */
    OFFLINE_WAIT_MS = 10000, /* how long an application waits for the link to come back */
};

static void tell(struct alk_client *client, enum alk_client_state state, int status,
                 const char *sentence)
{
    if (client->options.on_state != NULL)
        client->options.on_state(client->options.user_data, state, status, sentence);
}

/* ---- losing it ---- */

/* What trying again soon will not mend. */
static bool is_stubborn(int status)
{
    return status == ALK_E_AUTH || status == ALK_E_HOSTKEY || status == ALK_E_CERT ||
           status == ALK_E_UNSUPPORTED;
}

/* 1, 2, 4 ... 30 s, each made longer or shorter by up to a quarter, so that many clients of a
 * server that restarts do not come back all at once. */
static uint64_t backoff_ms(unsigned attempts, int status)
{
    uint64_t ms = BACKOFF_LAST_MS;

    if (attempts < 5 && !is_stubborn(status))
        ms = (uint64_t)BACKOFF_FIRST_MS << attempts;
    return ms * 3 / 4 + randombytes_uniform((uint32_t)(ms / 2));
}

static void try_later(struct alk_client *client, int status, const char *sentence)
{
    char seconds[16];
    uint64_t ms = backoff_ms(client->attempts++, status);

    snprintf(seconds, sizeof(seconds), "%.1f", (double)ms / 1000);
    alk_log(client->options.log, ALK_LOG_WARN, "offline", "reason", sentence, "retry_s", seconds,
            NULL);
    alk_timer_set(client->retry, ms);
    tell(client, ALK_CLIENT_OFFLINE, status, sentence);
}

/* Nothing is left to say goodbye to. */
static void stopped(struct alk_client *client)
{
    if (!jump_stop(client))
        alk_loop_stop(client->loop);
}

void link_lost(struct alk_client *client, int status, const char *sentence)
{
    bool is_jump = client->jump.beyond != NULL; /* that is tried again from there */

    if (client->stopping) {
        stopped(client);
        return;
    }
    jump_leave(client);
    if (!is_jump && (client->was_online || client->options.keep_trying))
        try_later(client, status, sentence);
    else
        tell(client, ALK_CLIENT_FAILED, status, sentence);
}

static void count(struct alk_client *client, unsigned channels)
{
    struct alk_session_traffic now = alk_session_traffic(client->session);

    atomic_store_explicit(&client->channel_count, channels, memory_order_relaxed);
    atomic_fetch_add_explicit(&client->bytes_up, now.from_streams - client->counted.from_streams,
                              memory_order_relaxed);
    atomic_fetch_add_explicit(&client->bytes_down, now.to_streams - client->counted.to_streams,
                              memory_order_relaxed);
    client->counted = now;
}

static void drop_session(struct alk_client *client)
{
    client->online = false;
    login_clear(client);
    remotes_lost(client);
    alk_channel_users_end(&client->users);
    count(client, 0);
    client->counted = (struct alk_session_traffic){.to_streams = 0};
    alk_session_free(client->session);
    client->session = NULL;
}

static void on_end(void *user, int status, const char *why)
{
    struct alk_client *client = user;
    struct alk_error trouble = client->trouble;

    if (trouble.code == 0 && !client->online && login_blames_keys(client, why))
        trouble = client->trouble;
    else if (trouble.code == 0 && client->online) /* why goes with the session */
        alk_error_set(&trouble, status, "%s", why);
    else if (trouble.code == 0)
        alk_error_set(&trouble, status, "no login at %s port %u: %s%s", client->host,
                      client->options.port, why,
                      status == ALK_E_CLOSED ? "; is it an SSH server, and not at its limit?" : "");
    drop_session(client);
    link_lost(client, trouble.code, trouble.text);
}

/* ---- having it ---- */

void link_need_tick(struct alk_client *client)
{
    if (client->ticking) /* setting it again would put it off, and it might never come */
        return;
    client->ticking = true;
    alk_timer_set(client->tick, TICK_MS);
}

static void on_tick(void *user)
{
    struct alk_client *client = user;

    client->ticking = false;
    alk_inlets_expire(&client->inlets, OFFLINE_WAIT_MS);
    remotes_request(client);
    if (!LIST_EMPTY(&client->inlets) || (client->online && remotes_missing(client)))
        link_need_tick(client);
}

static void come_online(struct alk_client *client)
{
    client->online = client->was_online = true;
    client->attempts = 0;
    login_clear(client);
    alk_log(client->options.log, client->jump.beyond == NULL ? ALK_LOG_INFO : ALK_LOG_DEBUG,
            client->jump.beyond == NULL ? "online" : "jump host reached", "cipher",
            alk_session_engine(client->session)->cipher_name(alk_session_ssh(client->session)),
            NULL);
    remotes_request(client);
    alk_inlets_retry(&client->inlets);
    tell(client, ALK_CLIENT_ONLINE, ALK_OK, "");
}

static void on_host_key(struct alk_client *client, const struct alk_ssh_event *event)
{
    if (trust_judge(client, event->data, event->len, &client->trouble) == ALK_OK)
        alk_session_engine(client->session)->host_key_accept(alk_session_ssh(client->session));
    else
        alk_session_end(client->session, ALK_SSH_BY_HOST_KEY, "host key not trusted");
}

static void on_banner(struct alk_client *client, const char *text, size_t len)
{
    const struct alk_client_options *options = &client->options;
    const char *jump = client->jump.beyond != NULL ? client->host : NULL;

    if (options->on_banner != NULL && client->login.banners++ < BANNERS_MAX)
        options->on_banner(options->user_data, jump, text, len);
}

static void on_event(void *user, const struct alk_ssh_event *event)
{
    struct alk_client *client = user;

    switch (event->type) {
    case ALK_SSH_HOST_KEY:
        on_host_key(client, event);
        break;
    case ALK_SSH_AUTH_BANNER:
        on_banner(client, (const char *)event->data, event->len);
        break;
    case ALK_SSH_AUTH_READY:
        login_begin(client);
        break;
    case ALK_SSH_AUTH_FAILED:
        login_next(client);
        break;
    case ALK_SSH_AUTH_KEY_OK:
        login_sign(client);
        break;
    case ALK_SSH_AUTHENTICATED:
        come_online(client);
        break;
    case ALK_SSH_CHANNEL_REQUEST:
        remote_on_channel(client, event);
        break;
    case ALK_SSH_FORWARD_REPLY:
        remote_on_reply(event);
        break;
    case ALK_SSH_CHANNEL_OPENED:
    case ALK_SSH_CHANNEL_FAILED:
    case ALK_SSH_CHANNEL_DATA:
    case ALK_SSH_CHANNEL_EOF:
    case ALK_SSH_CHANNEL_CLOSED:
    case ALK_SSH_CHANNEL_ROOM:
        alk_channel_dispatch(event);
        break;
    default:
        break;
    }
}

static void on_turn(void *user)
{
    struct alk_client *client = user;

    count(client, alk_ssh_channel_count(alk_session_ssh(client->session)));
}

static const struct alk_session_handler handler = {
    .on_event = on_event,
    .on_end = on_end,
    .on_turn = on_turn,
};

/* ---- getting it ---- */

uint64_t link_time_left(const struct alk_client *client)
{
    uint64_t all = client->options.connect_timeout_s * 1000ULL;
    uint64_t gone = alk_loop_now(client->loop) - client->began;

    return gone < all ? all - gone : 1;
}

static void shake_hands(struct alk_client *client, struct alk_stream *stream)
{
    struct alk_ssh_options options = ALK_SSH_OPTIONS_INIT;
    bool libssh2 = client->options.engine == ALK_CLIENT_LIBSSH2;
    char types[TRUST_TYPES_SIZE];

    options.role = ALK_SSH_CLIENT;
    options.grace_ms = link_time_left(client);
    /* of a chain, the host that has died is noticed first */
    options.keepalive_ms = client->options.keepalive_s * 125ULL * (8 + jump_depth(client));
    options.rekey_ms = client->options.rekey_s * 1000ULL;
    options.max_channels = client->options.max_channels;
    memset(&client->trouble, 0, sizeof(client->trouble));
    if (libssh2) {
        trust_known_types(client, types);
        options.host_key_types = types;
    }
    int status = alk_session_new(&client->session, client->loop, stream,
                                 libssh2 ? &alk_engine_libssh2 : &alk_engine_native, &options,
                                 &handler, client);
    if (status != ALK_OK)
        link_lost(client, status, alk_status_text(status));
}

static void on_tls(void *user, int status, struct alk_stream *stream, const char *why)
{
    struct alk_client *client = user;
    struct alk_error error;

    client->handshake = NULL;
    if (status == ALK_OK) {
        shake_hands(client, stream);
        return;
    }
    bool odd = status == ALK_E_PROTO || status == ALK_E_CLOSED;
    alk_error_set(&error, status, "no TLS connection with %s port %u: %s%s", client->host,
                  client->options.port, why, odd ? "; is it a TLS server?" : "");
    link_lost(client, status, error.text);
}

static void start_tls(struct alk_client *client, struct alk_stream *stream)
{
    int status = alk_tls_handshake_start(&client->handshake, stream, client->tls,
                                         client->tls_server_name, HANDSHAKE_MS, on_tls, client);

    if (status == ALK_OK)
        return;
    alk_stream_close(stream);
    link_lost(client, status, alk_status_text(status));
}

void link_dialled(void *user, int status, struct alk_stream *stream, const char *cause)
{
    struct alk_client *client = user;
    struct alk_error error;

    client->dial = NULL;
    if (status == ALK_OK) {
        if (client->tls != NULL)
            start_tls(client, stream);
        else
            shake_hands(client, stream);
        return;
    }
    alk_error_set(&error, status, "cannot reach %s port %u: %s", client->host, client->options.port,
                  status == ALK_E_DENIED && client->options.family != 0
                      ? "no address of the family that was asked for"
                      : cause);
    link_lost(client, status, error.text);
}

static bool is_of_family(void *user, const struct alk_address *address)
{
    const struct alk_client *client = user;

    return client->options.family == 0 || client->options.family == address->sa.any.sa_family;
}

static void dial(struct alk_client *client)
{
    struct alk_dial_options target = {
        .host = client->host,
        .port = client->options.port,
        .proxy = &client->proxy,
        .timeout_ms = link_time_left(client),
        .resolver = client->resolver,
        .local = client->local.len > 0 ? &client->local : NULL,
        .permit = is_of_family,
        .permit_user = client,
    };

    int status = alk_dial_start(&client->dial, client->loop, &target, link_dialled, client);
    if (status != ALK_OK)
        link_lost(client, status, alk_status_text(status));
}

void link_attempt(struct alk_client *client)
{
    if (client->jump.host != NULL)
        jump_start(client);
    else
        dial(client);
}

static void try(void *user)
{
    struct alk_client *client = user;

    client->began = alk_loop_now(client->loop);
    tell(client, ALK_CLIENT_CONNECTING, ALK_OK, "");
    link_attempt(client);
}

int link_init(struct alk_client *client)
{
    int status = alk_timer_new(&client->retry, client->loop, try, client);

    return status == ALK_OK ? alk_timer_new(&client->tick, client->loop, on_tick, client) : status;
}

void link_start(struct alk_client *client)
{
    try(client);
}

void link_cancel(struct alk_client *client)
{
    alk_dial_cancel(client->dial);
    client->dial = NULL;
    alk_channel_opening_cancel(client->jump.opening);
    client->jump.opening = NULL;
    alk_tls_handshake_cancel(client->handshake);
    client->handshake = NULL;
}

void link_discard(struct alk_client *client)
{
    link_cancel(client);
    if (client->session != NULL)
        drop_session(client);
    if (client->jump.host != NULL)
        link_discard(client->jump.host);
}

void link_stop(struct alk_client *client)
{
    link_cancel(client);
    alk_timer_clear(client->retry);
    alk_timer_clear(client->tick);
    alk_inlets_close(&client->inlets);
    if (client->session != NULL)
        alk_session_end(client->session, ALK_SSH_BY_APPLICATION, "the client is shutting down");
    else
        stopped(client);
}
