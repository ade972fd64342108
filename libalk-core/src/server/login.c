/*
 * Who is let in: a login is put to the identity provider, which answers now or later, and again
 * after each reload. Meanwhile the engine handles nothing further of this client.
 */
#include "server/internal.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* What was presented: it is judged, and judged again after a reload. */
struct login_memory {
    bool proven;
    struct alk_presence presence;
    char user[ALK_SSH_USER_MAX + 1];
    size_t blob_len;
    uint8_t blob[]; /* blob_len bytes */
};

static const struct alk_log *log_of(const struct connection *c)
{
    return c->worker->server->options.log;
}

static struct login_memory *remember(const struct alk_ssh_event *event)
{
    struct login_memory *memory = calloc(1, sizeof(*memory) + event->len);

    if (memory == NULL)
        return NULL;
    memory->proven = event->proven;
    memory->presence = event->presence;
    memory->blob_len = event->len;
    memcpy(memory->blob, event->data, event->len);
    strncpy(memory->user, event->user, sizeof(memory->user) - 1);
    return memory;
}

static void ask(struct connection *c, alk_identity_answer_fn fn)
{
    struct alk_server *server = c->worker->server;
    const struct login_memory *login = c->login;
    struct alk_identity_request request = {
        .kind = ALK_IDENTITY_BY_KEY,
        .blob = login->blob,
        .blob_len = login->blob_len,
        .proven = login->proven,
        .touched = login->presence.touched,
        .verified = login->presence.verified,
        .login = login->user,
        .address = c->address,
        .now = (uint64_t)time(NULL),
        .loop = c->worker->loop,
    };

    alk_identity_cancel(c->question);
    alk_identity_ask(&c->question, server->identity_provider, &request, fn, c);
}

static void log_attempt(const struct connection *c, const char *why)
{
    const struct login_memory *login = c->login;
    char fingerprint[ALK_FINGERPRINT_SIZE];
    const char *result = why != NULL ? "reject" : login->proven ? "accept" : "probe";

    alk_user_key_fingerprint(login->blob, login->blob_len, fingerprint);
    alk_log(log_of(c), why == NULL && !login->proven ? ALK_LOG_DEBUG : ALK_LOG_INFO, "auth attempt",
            "remote_addr", c->address, "user", login->user, "key_fingerprint", fingerprint,
            "method", "publickey", "result", result, "reason", why, NULL);
}

/* What the session may do from now on. Restrictions come with an identity that was resolved from
 * the server's own files; any other provider grants by scopes alone. */
static void take(struct connection *c, struct alk_identity *identity)
{
    const struct alk_grant *grant = config_provider_grant(identity);
    struct alk_identity *before = c->identity;

    c->identity = alk_identity_ref(identity);
    if (grant != NULL) {
        c->grant = *grant;
        c->grant.own = (struct alk_arena){0}; /* the identity's to free */
    } else {
        c->grant = (struct alk_grant){
            .scopes = identity->scopes,
            .scope_count = identity->scope_count,
            .resources = identity->resources,
            .resource_count = identity->resource_count,
            .port_forwarding = true,
        };
        strncpy(c->grant.id, identity->id, sizeof(c->grant.id) - 1);
    }
    alk_identity_unref(before);
}

/* ---- logging in ---- */

static const char *reason_of(const struct alk_identity_answer *answer)
{
    if (answer->status == ALK_OK)
        return NULL;
    return answer->reason != NULL ? answer->reason : "refused";
}

/* It has logged in, and now counts for its identity. */
static void begin_session(struct connection *c)
{
    const char *why = accounts_enter(c);

    if (why == NULL)
        return;
    alk_log(log_of(c), ALK_LOG_WARN, "session refused", "remote_addr", c->address, "reason", why,
            NULL);
    alk_session_end(c->session, ALK_SSH_BY_TOO_MANY, why);
}

static void on_login_answer(void *user, const struct alk_identity_answer *answer)
{
    struct connection *c = user;
    struct alk_ssh *ssh = alk_session_ssh(c->session);
    const char *why = reason_of(answer);

    c->question = NULL;
    c->failed = c->failed || why != NULL;
    log_attempt(c, why);
    alk_ssh_auth_reply(ssh, why == NULL);
    c->authenticated = why == NULL && c->login->proven && alk_ssh_authenticated(ssh);
    if (c->authenticated) {
        take(c, answer->identity);
        begin_session(c);
    } else {
        free(c->login);
        c->login = NULL;
    }
    alk_session_touch(c->session); /* the answer may have come from outside an event */
}

void login_request(struct connection *c, const struct alk_ssh_event *event)
{
    free(c->login);
    c->login = remember(event);
    if (c->login != NULL)
        ask(c, on_login_answer);
    else
        alk_ssh_auth_reply(alk_session_ssh(c->session), false);
}

void login_refused(struct connection *c, const struct alk_ssh_event *event)
{
    bool key = strcmp(event->text, "publickey") == 0;

    c->failed = true;
    alk_log(log_of(c), ALK_LOG_INFO, "auth attempt", "remote_addr", c->address, "user", event->user,
            "method", event->text, "result", "reject", "reason",
            key ? "unsupported-key" : "method-not-offered", NULL);
}

/* ---- after a reload ---- */

/* A provider that could not find out says nothing about the key: such a session stays.
 * alk_session_end may be asked twice: what ends already is only told once more. */
static void on_rejudged(void *user, const struct alk_identity_answer *answer)
{
    struct connection *c = user;
    bool refused = answer->status == ALK_E_NOTFOUND || answer->status == ALK_E_AUTH;

    c->question = NULL;
    if (answer->status == ALK_OK) {
        take(c, answer->identity); /* its restrictions judge the next channel */
        return;
    }
    struct snapshot *snapshot = server_snapshot(c->worker->server);
    bool kept = snapshot->options.keep_revoked;
    snapshot_release(snapshot);
    if (!refused || kept)
        return;
    alk_log(log_of(c), ALK_LOG_INFO, "session revoked", "remote_addr", c->address,
            "key_fingerprint", c->grant.id, "reason", reason_of(answer), NULL);
    connection_end(c, "this key may no longer log in");
}

void login_rejudge(struct connection *c)
{
    if (c->authenticated)
        ask(c, on_rejudged);
}

void login_forget(struct connection *c)
{
    alk_identity_cancel(c->question);
    alk_identity_unref(c->identity);
    free(c->login);
    c->question = NULL;
    c->identity = NULL;
    c->login = NULL;
    c->grant = (struct alk_grant){0};
}
