/* The channels that a client asks for: what the key, the policy and the limits say of them. */
#include "server/internal.h"

#include "transport/address.h"
#include "transport/dial.h"
#include "tunnel/outlet.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* Closed channels of one session whose last bytes their targets have not taken: with more of
 * them, no further channel is opened. */
enum { REMNANTS_MAX = 64 };

enum { PROXY_LINE_EVERY_MS = 60 * 1000 };

/* A name that is being resolved: each of its addresses is judged before it is dialled. */
struct name_in_question {
    struct connection *connection;
    struct alk_policy_target target;
};

struct alk_policy_subject channel_subject(const struct connection *connection)
{
    return (struct alk_policy_subject){
        .id = connection->grant.id,
        .scopes = connection->grant.scopes,
        .scope_count = connection->grant.scope_count,
        .transport = connection->transport,
        .interface = "ssh",
    };
}

static void refuse(struct connection *c, const struct alk_ssh_event *event,
                   enum alk_ssh_open_failure reason, const char *text)
{
    alk_ssh_channel_reject(alk_session_ssh(c->session), event->channel, reason, text);
}

static struct alk_policy_address policy_address(const struct alk_address *address)
{
    struct alk_policy_address out = {.v6 = address->sa.any.sa_family == AF_INET6};

    if (out.v6)
        memcpy(out.bytes, &address->sa.v6.sin6_addr, 16);
    else
        memcpy(out.bytes, &address->sa.v4.sin_addr, 4);
    return out;
}

/* Asked by the dial; the rules are those of this moment. */
static bool permit(void *user, const struct alk_address *address)
{
    const struct name_in_question *name = user;
    const struct snapshot *snapshot = worker_snapshot(name->connection->worker);
    struct alk_policy_subject subject = channel_subject(name->connection);
    struct alk_policy_address resolved = policy_address(address);

    return alk_policy_judge(snapshot->policy, &subject, &name->target, &resolved).outcome ==
           ALK_POLICY_ALLOWED;
}

/* The target as it is judged and dialled; false when it is none. */
static bool read_target(struct alk_policy_target *target, const struct alk_ssh_event *event)
{
    if (event->kind == ALK_SSH_DIRECT_UNIX)
        return alk_policy_target_path(target, event->host) == ALK_OK;
    return alk_policy_target_host(target, event->host, event->port) == ALK_OK;
}

/* A host that a proxy reaches, whose addresses are the proxy's to find. */
static bool is_behind_proxy(const struct connection *c, const struct alk_policy_target *target)
{
    return c->worker->server->proxy.kind != ALK_PROXY_NONE && target->kind != ALK_POLICY_PATH;
}

static bool is_allowed(struct connection *c, const struct alk_policy_target *target)
{
    struct alk_policy_subject subject = channel_subject(c);
    const struct snapshot *snapshot = worker_snapshot(c->worker);

    if (is_behind_proxy(c, target))
        return alk_policy_judge_unseen(snapshot->policy, &subject, target).outcome ==
               ALK_POLICY_ALLOWED;
    return alk_policy_judge(snapshot->policy, &subject, target, NULL).outcome != ALK_POLICY_DENIED;
}

/* Where a path leads, which is dialled then: a symbolic link, such as /var/run, opens nothing that an
 * earlier rule denies under its own name. What is not there is for the dial to tell. */
static bool follow_links(struct connection *c, struct alk_policy_target *target)
{
    struct alk_policy_subject subject = channel_subject(c);
    const struct alk_policy *policy = worker_snapshot(c->worker)->policy;
    struct alk_policy_target place;
    char path[PATH_MAX];

    if (realpath(target->host, path) == NULL || strcmp(path, target->host) == 0)
        return true;
    if (alk_policy_target_path(&place, path) != ALK_OK)
        return false;
    struct alk_policy_verdict written = alk_policy_judge(policy, &subject, target, NULL);
    struct alk_policy_verdict there = alk_policy_judge(policy, &subject, &place, NULL);
    *target = place;
    return there.outcome != ALK_POLICY_DENIED || there.reason != ALK_POLICY_BY_RULE ||
           there.rule > written.rule;
}

/* One line for the person who runs the server, however many channels fail. */
static void tell_proxy_failed(void *user, int status, const char *cause)
{
    struct worker *worker = user;
    struct alk_server *server = worker->server;
    uint64_t now = alk_loop_now(worker->loop);
    uint_least64_t due = atomic_load(&server->proxy_line_due);

    if (now >= due &&
        atomic_compare_exchange_strong(&server->proxy_line_due, &due, now + PROXY_LINE_EVERY_MS))
        alk_log(server->options.log, ALK_LOG_WARN,
                status == ALK_E_AUTH ? "proxy refuses the login" : "proxy cannot be reached",
                "reason", cause, NULL);
}

static void dial(struct connection *c, const struct alk_ssh_event *event,
                 const struct alk_policy_target *target)
{
    struct alk_server *server = c->worker->server;
    struct name_in_question *name = NULL;
    bool path = target->kind == ALK_POLICY_PATH;
    struct alk_dial_options options = {
        .host = path ? NULL : target->host,
        .port = (uint16_t)target->port,
        .path = path ? target->host : NULL,
        .timeout_ms = server->options.connect_timeout_s * 1000ULL,
        .resolver = server->resolver,
        .owner = c->account, /* all its sessions together */
        .proxy = &server->proxy,
        .proxy_failed = tell_proxy_failed,
        .proxy_user = c->worker,
    };

    if (target->kind == ALK_POLICY_NAME && !is_behind_proxy(c, target)) {
        name = malloc(sizeof(*name));
        if (name == NULL) {
            refuse(c, event, ALK_SSH_OPEN_SHORTAGE, "out of memory");
            return;
        }
        name->connection = c;
        name->target = *target;
        options.permit = permit;
        options.permit_user = name;
    }
    alk_outlet_start(&c->users, c->session, event->channel, &options, name);
}

void channel_request(struct connection *c, const struct alk_ssh_event *event)
{
    struct alk_policy_target target;

    if (c->account == NULL || !read_target(&target, event) ||
        target.kind == ALK_POLICY_INTERNAL || /* there are none yet */
        !alk_grant_may_open(&c->grant, event->host, event->port) || !is_allowed(c, &target) ||
        (target.kind == ALK_POLICY_PATH && !follow_links(c, &target)))
        refuse(c, event, ALK_SSH_OPEN_PROHIBITED, "administratively prohibited");
    else if (!accounts_admit_channel(c))
        refuse(c, event, ALK_SSH_OPEN_SHORTAGE, "too many channels are open");
    else if (!accounts_have_room_for_channel(c))
        refuse(c, event, ALK_SSH_OPEN_SHORTAGE, "the server is short of memory");
    else if (alk_session_remnants(c->session) >= REMNANTS_MAX)
        refuse(c, event, ALK_SSH_OPEN_SHORTAGE,
               "too many closed channels still have data for their targets");
    else
        dial(c, event, &target);
}
