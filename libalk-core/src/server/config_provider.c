/*
 * The identity provider that a server is by itself: it answers at once, from the snapshot in
 * force. A key, a certificate and an AuthToken pass the same judge, alk_grant_judge.
 *
 * The grant travels inside the identity, with the snapshot that it borrows from, so that the
 * restrictions of a key reach the connection through whatever chain the answer came.
 */
#include "auth/identity.h"
#include "auth/token_index.h"
#include "server/internal.h"

#include <stdlib.h>
#include <string.h>

struct attached {
    struct snapshot *snapshot;
    struct alk_grant grant; /* borrows from the snapshot */
};

static void drop(void *attachment)
{
    struct attached *attached = attachment;

    alk_grant_clear(&attached->grant);
    snapshot_release(attached->snapshot);
    free(attached);
}

const struct alk_grant *config_provider_grant(const struct alk_identity *identity)
{
    const struct attached *attached = alk_identity_attachment(identity, drop);

    return attached != NULL ? &attached->grant : NULL;
}

/* ---- answers ---- */

static struct alk_identity_answer refuse(int status, const char *reason)
{
    return (struct alk_identity_answer){.status = status, .reason = reason};
}

static struct alk_identity_answer admit(struct attached *attached)
{
    const struct alk_grant *grant = &attached->grant;
    struct alk_identity data = {
        .id = grant->id,
        .scopes = grant->scopes,
        .scope_count = grant->scope_count,
        .resources = grant->resources,
        .resource_count = grant->resource_count,
    };
    struct alk_identity_answer answer = {.status = ALK_OK};

    answer.status = alk_identity_new_attached(&answer.identity, &data, attached, drop);
    if (answer.status != ALK_OK)
        answer.reason = answer.status == ALK_E_NOMEM ? "out-of-memory" : "unusable-identity";
    return answer;
}

static struct alk_identity_answer judge_login(struct snapshot *snapshot,
                                              const struct alk_authorized_keys *keys,
                                              const struct alk_login *login)
{
    struct alk_trust trust = {
        .keys = keys, .authorities = snapshot->authorities, .revoked = snapshot->revoked};
    struct attached *attached = calloc(1, sizeof(*attached));

    if (attached == NULL)
        return refuse(ALK_E_NOMEM, "out-of-memory");
    attached->snapshot = snapshot_hold(snapshot);
    const char *why = alk_grant_judge(&trust, login, &attached->grant);
    if (why == NULL)
        return admit(attached);
    drop(attached);
    bool unknown = strcmp(why, "unknown-key") == 0 || strcmp(why, "unknown-authority") == 0;
    return refuse(unknown ? ALK_E_NOTFOUND : ALK_E_AUTH, why);
}

/* ---- keys ---- */

static struct alk_identity_answer by_key(struct snapshot *snapshot,
                                         const struct alk_identity_request *request)
{
    struct alk_login login = {
        .blob = request->blob,
        .blob_len = request->blob_len,
        .user = request->login != NULL ? request->login : "",
        .address = request->address != NULL ? request->address : "",
        .now_unix = request->now,
        .proven = request->proven,
        .presence = {.touched = request->touched, .verified = request->verified},
    };

    return judge_login(snapshot, snapshot->keys, &login);
}

/* ---- tokens ---- */

static struct alk_identity_answer by_api_key(const struct snapshot *snapshot,
                                             const struct alk_identity_request *request)
{
    struct alk_identity_answer answer = {.status = ALK_OK};
    enum alk_api_key_verdict verdict = alk_api_keys_judge(
        snapshot->api_keys, request->token, strlen(request->token), request->now, &answer.identity);

    if (verdict == ALK_API_KEY_GOOD)
        return answer;
    int status = verdict == ALK_API_KEY_UNKNOWN     ? ALK_E_NOTFOUND
                 : verdict == ALK_API_KEY_NO_MEMORY ? ALK_E_NOMEM
                                                    : ALK_E_AUTH;
    return refuse(status, alk_api_key_verdict_text(verdict));
}

/* NULL when it was not used before, else why it is refused. */
static const char *guard_replay(struct alk_server *server, const struct alk_token_rules *rules,
                                const struct alk_token *token, uint64_t now)
{
    if (!rules->deny_replay)
        return NULL;
    switch (alk_replay_guard_enter(server->replay_guard, token, rules->max_age_s, now)) {
    case ALK_OK:
        return NULL;
    case ALK_E_EXISTS:
        return "replayed";
    case ALK_E_LIMIT:
        return "replay-table-full";
    default:
        return "out-of-memory";
    }
}

static struct alk_identity_answer admit_token(struct alk_server *server, struct snapshot *snapshot,
                                              const struct alk_identity_request *request,
                                              const struct alk_token *token, const uint8_t *blob)
{
    struct alk_login login = {
        .blob = blob,
        .blob_len = ALK_KEY_BLOB_SIZE,
        .user = "",
        .address = request->address != NULL ? request->address : "",
        .now_unix = request->now,
        .proven = true,
    };
    struct alk_identity_answer answer =
        judge_login(snapshot, snapshot_token_keys(snapshot), &login);
    const char *why = answer.status == ALK_OK
                          ? guard_replay(server, &snapshot->options.token, token, request->now)
                          : NULL;

    if (why == NULL)
        return answer;
    alk_identity_unref(answer.identity);
    return refuse(ALK_E_AUTH, why);
}

static struct alk_identity_answer by_auth_token(struct alk_server *server,
                                                struct snapshot *snapshot,
                                                const struct alk_identity_request *request)
{
    const uint8_t *audience = request->audience != NULL ? request->audience : server->audience;
    struct alk_token token;

    if (!snapshot->options.token.enabled)
        return refuse(ALK_E_NOTFOUND, "tokens-disabled");
    if (alk_token_decode(&token, request->token, strlen(request->token)) != ALK_OK)
        return refuse(ALK_E_NOTFOUND, "malformed-token");
    const uint8_t *blob = alk_token_index_find(snapshot->token_index, token.key_id);
    enum alk_token_verdict verdict =
        alk_token_judge(&token, &snapshot->options.token, audience, blob, request->now);
    if (verdict == ALK_TOKEN_GOOD)
        return admit_token(server, snapshot, request, &token, blob);
    /* without the key nobody can tell an unknown one from a known one, in a chain neither */
    bool proven = verdict != ALK_TOKEN_UNKNOWN_KEY && verdict != ALK_TOKEN_BAD_SIGNATURE;
    return refuse(proven ? ALK_E_AUTH : ALK_E_NOTFOUND, alk_token_verdict_text(verdict));
}

static struct alk_identity_answer by_token(struct alk_server *server, struct snapshot *snapshot,
                                           const struct alk_identity_request *request)
{
    if (request->token == NULL)
        return refuse(ALK_E_NOTFOUND, "malformed-token");
    if (alk_api_key_is(request->token, strlen(request->token)))
        return by_api_key(snapshot, request);
    return by_auth_token(server, snapshot, request);
}

/* ---- the provider ---- */

static void resolve(void *user, struct alk_identity_question *question)
{
    struct alk_server *server = user;
    const struct alk_identity_request *request = alk_identity_question_request(question);
    struct snapshot *snapshot = server_snapshot(server);
    struct alk_identity_answer answer = request->kind == ALK_IDENTITY_BY_KEY
                                            ? by_key(snapshot, request)
                                            : by_token(server, snapshot, request);

    snapshot_release(snapshot);
    alk_identity_question_answer(question, &answer);
}

void config_provider_init(struct alk_server *server)
{
    static const struct alk_identity_provider_ops ops = {.resolve = resolve};

    server->config_provider = (struct alk_identity_provider){.ops = &ops, .user = server};
    alk_token_audience(alk_key_blob(server->options.host_key), ALK_KEY_BLOB_SIZE, server->audience);
}
