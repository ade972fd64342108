/* Remote forwards: the server listens, we connect what it accepts to a target of ours. */
#include "client/internal.h"

#include "tunnel/outlet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { AGAIN_FIRST_MS = 1000, AGAIN_LAST_MS = 30000 }; /* after a refusal */

static enum alk_ssh_channel_kind kind_of(const struct remote *remote)
{
    return remote->spec->listen.is_path ? ALK_SSH_FORWARDED_UNIX : ALK_SSH_FORWARDED_TCPIP;
}

/* The address as RFC 4254 section 7.1 writes it: "localhost" and "" have a meaning there. */
static const char *listen_host(const struct remote *remote)
{
    const struct alk_endpoint *listen = &remote->spec->listen;

    if (listen->is_path)
        return listen->path;
    if (listen->host[0] == '\0')
        return "localhost";
    return strcmp(listen->host, "*") == 0 ? "" : listen->host;
}

int alk_client_add_remote_forward(struct alk_client *client, const char *spec,
                                  struct alk_error *error)
{
    struct remote *remote = calloc(1, sizeof(*remote));
    struct remote **list =
        realloc(client->remotes, (client->remote_count + 1) * sizeof(struct remote *));

    if (list != NULL)
        client->remotes = list;
    if (remote != NULL) {
        remote->client = client;
        remote->text = strdup(spec);
        remote->spec = calloc(1, sizeof(*remote->spec));
    }
    int status = ALK_E_NOMEM;
    if (list == NULL || remote == NULL || remote->text == NULL || remote->spec == NULL)
        alk_error_set(error, status, "out of memory");
    else
        status = alk_forward_spec_parse(spec, ALK_FORWARD_REMOTE, remote->spec, error);
    if (status == ALK_OK && remote->spec->listen.is_path &&
        client->options.engine == ALK_CLIENT_LIBSSH2)
        status = alk_error_set(error, ALK_E_UNSUPPORTED,
                               "libssh2 cannot ask a server to listen on a Unix socket; use the "
                               "native engine");
    if (status == ALK_OK) {
        list[client->remote_count++] = remote;
        return ALK_OK;
    }
    if (remote != NULL) {
        free(remote->text);
        free(remote->spec);
    }
    free(remote);
    return status;
}

void remotes_free(struct alk_client *client)
{
    for (unsigned i = 0; i < client->remote_count; i++) {
        free(client->remotes[i]->text);
        free(client->remotes[i]->spec);
        free(client->remotes[i]);
    }
    free(client->remotes);
}

void remotes_request(struct alk_client *client)
{
    if (!client->online)
        return;
    for (unsigned i = 0; i < client->remote_count; i++) {
        struct remote *remote = client->remotes[i];
        if (remote->up || remote->asked || alk_loop_now(client->loop) < remote->again)
            continue;
        if (alk_session_engine(client->session)
                ->forward_request(alk_session_ssh(client->session), kind_of(remote), false,
                                  listen_host(remote), remote->spec->listen.port, remote) == ALK_OK)
            remote->asked = true;
    }
    alk_session_touch(client->session);
}

void remotes_lost(struct alk_client *client)
{
    for (unsigned i = 0; i < client->remote_count; i++) {
        struct remote *remote = client->remotes[i];
        remote->up = remote->asked = remote->told = false;
        remote->refusals = 0;
        remote->again = 0;
    }
}

bool remotes_missing(const struct alk_client *client)
{
    for (unsigned i = 0; i < client->remote_count; i++) {
        if (!client->remotes[i]->up)
            return true;
    }
    return false;
}

/* Tells of the first refusal and of every success; the tries between are silent. */
static void tell(struct remote *remote, bool ok)
{
    const struct alk_client_options *options = &remote->client->options;

    if (!ok && remote->told)
        return;
    remote->told = !ok;
    if (options->on_remote != NULL)
        options->on_remote(options->user_data, remote->text, ok, remote->port);
}

void remote_on_reply(const struct alk_ssh_event *event)
{
    struct remote *remote = event->tag;

    remote->asked = false;
    remote->up = event->ok;
    remote->port =
        remote->spec->listen.port != 0 ? remote->spec->listen.port : (uint16_t)event->port;
    tell(remote, event->ok);
    if (event->ok) {
        remote->refusals = 0;
        return;
    }
    /* the answer may take a server long, and meanwhile it may stand still for us */
    uint64_t wait =
        remote->refusals < 5 ? (uint64_t)AGAIN_FIRST_MS << remote->refusals++ : AGAIN_LAST_MS;
    remote->again = alk_loop_now(remote->client->loop) + wait;
    link_need_tick(remote->client);
}

/* Which remote forward a channel belongs to. Servers differ in the address that they give
 * back, so the port decides, and the address only between equals. */
static struct remote *find(struct alk_client *client, const struct alk_ssh_event *event)
{
    struct remote *found = NULL;

    for (unsigned i = 0; i < client->remote_count; i++) {
        struct remote *remote = client->remotes[i];
        if (!remote->up || kind_of(remote) != event->kind)
            continue;
        bool same_host = strcmp(listen_host(remote), event->host) == 0;
        bool matches =
            event->kind == ALK_SSH_FORWARDED_UNIX ? same_host : remote->port == event->port;
        if (matches && (found == NULL || same_host))
            found = remote;
    }
    return found;
}

void remote_on_channel(struct alk_client *client, const struct alk_ssh_event *event)
{
    struct remote *remote = find(client, event);

    if (remote == NULL) {
        alk_session_engine(client->session)
            ->channel_reject(alk_session_ssh(client->session), event->channel,
                             ALK_SSH_OPEN_PROHIBITED, "nothing was forwarded from there");
        return;
    }
    const struct alk_endpoint *to = &remote->spec->target;
    struct alk_dial_options target = {
        .host = to->is_path ? NULL : to->host,
        .port = to->port,
        .path = to->is_path ? to->path : NULL,
        .timeout_ms = client->options.connect_timeout_s * 1000ULL,
        .resolver = client->resolver,
    };
    alk_outlet_start(&client->users, client->session, event->channel, &target, NULL);
}
