#include "auth/grant.h"

#include "auth/authorized_keys_line.h"

#include <string.h>

/* ---- security keys ---- */

/* NULL, or what the signature lacks. */
static const char *judge_presence(const struct alk_login *login, bool security_key, bool touch,
                                  bool verify)
{
    if (!security_key) /* nothing can attest what verify-required asks for */
        return verify ? "user-not-verified" : NULL;
    if (!login->proven)
        return NULL;
    if (touch && !login->presence.touched)
        return "user-not-present";
    return verify && !login->presence.verified ? "user-not-verified" : NULL;
}

/* ---- keys ---- */

static void fill(struct alk_grant *grant, const struct alk_authorized_key *line)
{
    grant->line = line;
    grant->scopes = line->scopes;
    grant->scope_count = line->scope_count;
    grant->resources = line->resources;
    grant->resource_count = line->resource_count;
    grant->port_forwarding = line->port_forwarding;
    grant->expiry = line->expiry != 0 ? line->expiry + 1 : 0; /* the second itself still counts */
}

/* As in sshd the first line that admits the key decides. */
static const char *judge_key(const struct alk_trust *trust, const struct alk_login *login,
                             const struct alk_user_key *key, struct alk_grant *grant)
{
    const struct alk_authorized_key *line =
        alk_authorized_keys_find(trust->keys, login->blob, login->blob_len);
    const char *why = "unknown-key";

    if (alk_revoked_key(trust->revoked, login->blob, login->blob_len))
        return "revoked";
    for (; line != NULL; line = alk_authorized_keys_next(trust->keys, line)) {
        if (line->cert_authority)
            continue;
        why = "not-admitted";
        if (alk_authorized_key_admits(line, login->address, login->now_unix)) {
            why = judge_presence(login, key->application != NULL, line->touch_required,
                                 line->verify_required);
            if (why == NULL) {
                fill(grant, line);
                return NULL;
            }
        }
    }
    return why;
}

/* ---- certificates ---- */

/* principals= on the authority's line replaces the login name; "*" in it lets in whoever the
 * authority has signed, and is the only way in for a certificate without principals. */
static bool principal_admitted(const struct alk_certificate *certificate,
                               const struct alk_authorized_key *line, const char *user)
{
    if (line->principals == NULL)
        return alk_certificate_names(certificate, user);
    for (size_t i = 0; i < line->principal_count; i++) {
        if (strcmp(line->principals[i], "*") == 0 ||
            alk_certificate_names(certificate, line->principals[i]))
            return true;
    }
    return false;
}

static const char *judge_authority(const struct alk_login *login, const struct alk_certificate *c,
                                   const struct alk_authorized_key *line)
{
    if (!principal_admitted(c, line, login->user))
        return c->principal_count == 0 ? "no-principals" : "wrong-principal";
    if (!alk_authorized_key_admits(line, login->address, login->now_unix))
        return "not-admitted";
    return judge_presence(login, c->key.application != NULL,
                          line->touch_required || !c->no_touch_required,
                          line->verify_required || c->verify_required);
}

/* The first line of the set that trusts the certificate's authority and lets it in. *why is left
 * alone when the authority is not there. */
static const struct alk_authorized_key *find_authority(const struct alk_authorized_keys *set,
                                                       const struct alk_login *login,
                                                       const struct alk_certificate *c,
                                                       const char **why)
{
    const struct alk_authorized_key *line =
        set == NULL ? NULL : alk_authorized_keys_find(set, c->authority.data, c->authority.len);

    for (; line != NULL; line = alk_authorized_keys_next(set, line)) {
        if (!line->cert_authority)
            continue;
        *why = judge_authority(login, c, line);
        if (*why == NULL)
            return line;
    }
    return NULL;
}

static const char *fill_certified(struct alk_grant *grant, const struct alk_certificate *c,
                                  const struct alk_authorized_key *line)
{
    fill(grant, line);
    grant->certified = true;
    grant->serial = c->serial;
    grant->port_forwarding = line->port_forwarding && c->port_forwarding && !c->force_command;
    if (c->valid_before != UINT64_MAX && (grant->expiry == 0 || c->valid_before < grant->expiry))
        grant->expiry = c->valid_before;
    if (c->scoped && alk_scopes_parse(&grant->own, (const char *)c->scopes.data, c->scopes.len,
                                      &grant->scopes, &grant->scope_count) != ALK_OK)
        return "certificate-option-malformed";
    return NULL;
}

static const char *judge_certificate(const struct alk_trust *trust, const struct alk_login *login,
                                     struct alk_grant *grant)
{
    const struct alk_authorized_key *line;
    struct alk_certificate c;
    const char *why = "unknown-authority";

    if (alk_certificate_parse(login->blob, login->blob_len, &c) != ALK_OK)
        return "certificate-malformed";
    line = find_authority(trust->authorities, login, &c, &why);
    if (line == NULL)
        line = find_authority(trust->keys, login, &c, &why);
    if (line == NULL)
        return why;
    if (!alk_certificate_signed(&c))
        return "certificate-not-signed";
    if (alk_revoked_certificate(trust->revoked, &c))
        return "revoked";
    why = alk_certificate_judge(&c, login->address, login->now_unix);
    return why != NULL ? why : fill_certified(grant, &c, line);
}

/* ---- the grant ---- */

const char *alk_grant_judge(const struct alk_trust *trust, const struct alk_login *login,
                            struct alk_grant *grant)
{
    struct alk_user_key key;
    const char *why;

    *grant = (struct alk_grant){0};
    if (!alk_user_key_parse(login->blob, login->blob_len, &key))
        return "unknown-key";
    why = key.certified ? judge_certificate(trust, login, grant)
                        : judge_key(trust, login, &key, grant);
    if (why != NULL)
        alk_grant_clear(grant);
    else
        alk_user_key_fingerprint(login->blob, login->blob_len, grant->id);
    return why;
}

void alk_grant_clear(struct alk_grant *grant)
{
    alk_arena_free(&grant->own);
    *grant = (struct alk_grant){0};
}

bool alk_grant_has_scope(const struct alk_grant *grant, const char *scope)
{
    for (size_t i = 0; i < grant->scope_count; i++) {
        if (strcmp(grant->scopes[i], scope) == 0)
            return true;
    }
    return false;
}

static bool may_connect(const struct alk_grant *grant)
{
    return grant->port_forwarding && alk_grant_has_scope(grant, ALK_SCOPE_CONNECT);
}

bool alk_grant_may_open(const struct alk_grant *grant, const char *host, unsigned port)
{
    return may_connect(grant) &&
           (grant->line == NULL || alk_authorized_key_may_open(grant->line, host, port));
}

bool alk_grant_may_listen(const struct alk_grant *grant, const char *host, unsigned port)
{
    return may_connect(grant) &&
           (grant->line == NULL || alk_authorized_key_may_listen(grant->line, host, port));
}
