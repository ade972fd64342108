/* The way through other SSH servers: a client logs in at each, and lends its session to the next. */
#include "client/internal.h"

#include <stdio.h>
#include <string.h>

/* The server is connected to what the jump host has connected us to, or it is not. */
static void on_opened(void *user, int status, struct alk_stream *stream, const char *cause)
{
    struct alk_client *client = user;
    char text[ALK_HOST_MAX + 128];

    client->jump.opening = NULL;
    if (status == ALK_E_CLOSED) /* the jump host is lost, and about to tell why */
        return;
    snprintf(text, sizeof(text), "jump host %s: %s", client->jump.host->host, cause);
    link_dialled(client, status, stream, text);
}

static void go_on(struct alk_client *client)
{
    struct alk_client *host = client->jump.host;
    int status =
        alk_channel_stream_open(&client->jump.opening, &host->users, host->session, client->host,
                                client->options.port, link_time_left(client), on_opened, client);

    if (status != ALK_OK)
        link_dialled(client, status, NULL, alk_status_text(status));
}

/* Names the host, unless it is one before it that has been named. */
static void host_failed(struct alk_client *client, int status, const char *sentence)
{
    const struct alk_client *host = client->jump.host;
    struct alk_error error;

    if (client->session != NULL && client->trouble.code != 0)
        return;
    client->jump.blamed = true;
    if (host->jump.blamed)
        alk_error_set(&error, status, "%s", sentence);
    else
        alk_error_set(&error, status, "jump host %s: %s", host->host, sentence);
    if (client->session != NULL) { /* it ends because its stream has */
        client->trouble = error;
        return;
    }
    client->jump.used = false;
    link_cancel(client);
    link_lost(client, error.code, error.text);
}

static void on_state(void *user, enum alk_client_state state, int status, const char *sentence)
{
    struct alk_client *client = user;

    if (!client->jump.used) /* it is only leaving */
        return;
    if (state == ALK_CLIENT_ONLINE)
        go_on(client);
    else if (state == ALK_CLIENT_FAILED)
        host_failed(client, status, sentence);
}

/* Of this host, or of one before it. */
static void on_banner(void *user, const char *jump, const char *text, size_t len)
{
    const struct alk_client_options *options = &((const struct alk_client *)user)->options;

    if (options->on_banner != NULL)
        options->on_banner(options->user_data, jump, text, len);
}

int jump_new(struct alk_client *client, const struct alk_client_options *options,
             struct alk_error *error)
{
    const struct alk_client_jump *last = &options->jumps[options->jump_count - 1];
    struct alk_client_options host = *options;

    host.host = last->host;
    host.port = last->port;
    host.user = last->user;
    host.jump_count--;
    host.transport = ALK_TRANSPORT_TCP;
    host.tls_ca = host.tls_pin = host.tls_server_name = host.fingerprint = NULL;
    host.on_state = on_state;
    host.on_remote = NULL;
    host.on_banner = on_banner;
    host.user_data = client;
    return client_new(&client->jump.host, &host, client, error);
}

void jump_start(struct alk_client *client)
{
    struct alk_client *host = client->jump.host;

    link_discard(host); /* it may still be saying goodbye */
    client->jump.used = true;
    client->jump.blamed = false;
    host->began = client->began;
    link_attempt(host);
}

void jump_leave(struct alk_client *client)
{
    struct alk_client *host = client->jump.host;

    if (!client->jump.used)
        return;
    client->jump.used = false;
    if (host->session != NULL) /* when that has ended, it leaves those before it */
        alk_session_end(host->session, ALK_SSH_BY_APPLICATION, "the client is leaving");
}

bool jump_stop(struct alk_client *client)
{
    struct alk_client *host = client->jump.host;

    if (host != NULL && !host->stopping) {
        host->stopping = true;
        link_stop(host);
        return true;
    }
    return client->jump.beyond != NULL && jump_stop(client->jump.beyond);
}

unsigned jump_depth(const struct alk_client *client)
{
    unsigned depth = 0;

    while ((client = client->jump.host) != NULL)
        depth++;
    return depth;
}
