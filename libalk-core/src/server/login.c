/* Who is let in: a login is judged by the snapshot in force, and again after each reload. */
#include "server/internal.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* What a session was let in with. */
struct login_memory {
    struct alk_login login; /* its texts and blob lie in this block, or in the connection */
    char user[ALK_SSH_USER_MAX + 1];
    uint8_t blob[]; /* blob_len bytes */
};

static const struct alk_log *log_of(const struct connection *c)
{
    return c->worker->server->options.log;
}

static const char *judge(const struct alk_login *login, const struct snapshot *snapshot,
                         struct alk_grant *grant)
{
    struct alk_trust trust = {
        .keys = snapshot->keys, .authorities = snapshot->authorities, .revoked = snapshot->revoked};

    return alk_grant_judge(&trust, login, grant);
}

static void log_attempt(const struct connection *c, const struct alk_ssh_event *event,
                        const char *why)
{
    char fingerprint[ALK_FINGERPRINT_SIZE];
    const char *result = why != NULL ? "reject" : event->proven ? "accept" : "probe";

    alk_user_key_fingerprint(event->data, event->len, fingerprint);
    alk_log(log_of(c), why == NULL && !event->proven ? ALK_LOG_DEBUG : ALK_LOG_INFO, "auth attempt",
            "remote_addr", c->address, "user", event->user, "key_fingerprint", fingerprint,
            "method", "publickey", "result", result, "reason", why, NULL);
}

static struct login_memory *remember(const struct alk_login *login)
{
    struct login_memory *memory = calloc(1, sizeof(*memory) + login->blob_len);

    if (memory == NULL)
        return NULL;
    memory->login = *login;
    memcpy(memory->blob, login->blob, login->blob_len);
    strncpy(memory->user, login->user, sizeof(memory->user) - 1);
    memory->login.blob = memory->blob;
    memory->login.user = memory->user;
    return memory;
}

void login_request(struct connection *c, const struct alk_ssh_event *event)
{
    struct alk_ssh *ssh = alk_session_ssh(c->session);
    struct snapshot *snapshot = server_snapshot(c->worker->server);
    struct alk_login login = {
        .blob = event->data,
        .blob_len = event->len,
        .user = event->user,
        .address = c->address,
        .now_unix = (uint64_t)time(NULL),
        .proven = event->proven,
        .presence = event->presence,
    };
    struct alk_grant grant;
    const char *why = judge(&login, snapshot, &grant);

    if (why == NULL && event->proven) {
        c->login = remember(&login);
        why = c->login == NULL ? "out-of-memory" : NULL;
    }
    log_attempt(c, event, why);
    alk_ssh_auth_reply(ssh, why == NULL);
    c->authenticated = why == NULL && event->proven && alk_ssh_authenticated(ssh);
    if (c->authenticated) {
        c->grant = grant;
        c->admitted_by = snapshot; /* what the grant borrows from stays as long as the session */
        alk_admission_authenticated(c->worker->server->admission, c->address);
    } else {
        free(c->login);
        c->login = NULL;
        alk_grant_clear(&grant);
        snapshot_release(snapshot);
    }
}

/* alk_session_end may be asked twice: what ends already is only told once more. */
void login_rejudge(struct connection *c, struct snapshot *snapshot)
{
    struct alk_grant grant;
    const char *why;

    if (!c->authenticated || c->admitted_by == snapshot)
        return;
    c->login->login.now_unix = (uint64_t)time(NULL);
    why = judge(&c->login->login, snapshot, &grant);
    if (why != NULL && snapshot->options.keep_revoked)
        return;
    if (why != NULL) {
        alk_log(log_of(c), ALK_LOG_INFO, "session revoked", "remote_addr", c->address,
                "key_fingerprint", c->grant.id, "reason", why, NULL);
        connection_end(c, "this key may no longer log in");
        return;
    }
    alk_grant_clear(&c->grant);
    snapshot_release(c->admitted_by);
    c->grant = grant; /* its restrictions judge the next channel */
    c->admitted_by = snapshot_hold(snapshot);
}

void login_forget(struct connection *c)
{
    alk_grant_clear(&c->grant);
    snapshot_release(c->admitted_by);
    free(c->login);
    c->admitted_by = NULL;
    c->login = NULL;
}
