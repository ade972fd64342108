/*
 * Judging who may log in: authorised keys, certificates, revocations. One pure function for
 * whatever way a key is presented; it yields a grant, which says what the session may do.
 */
#ifndef ALK_AUTH_GRANT_H
#define ALK_AUTH_GRANT_H

#include "auth/revocation.h"
#include "base/arena.h"

#include <alk/authorized_keys.h>

/* What a key is judged by; the sets stay the caller's. */
struct alk_trust {
    const struct alk_authorized_keys *keys;
    const struct alk_authorized_keys *authorities; /* or NULL */
    const struct alk_revocations *revoked;         /* or NULL */
};

/* What is presented. */
struct alk_login {
    const uint8_t *blob; /* key or certificate */
    size_t blob_len;
    const char *user;    /* the login name, for certificates */
    const char *address; /* numeric; "" when not known */
    uint64_t now_unix;
    bool proven;                  /* a signature of the key holds: presence is known */
    struct alk_presence presence; /* what it says of a security key */
};

/* What it is allowed. Borrows from the sets of the trust that judged it. */
struct alk_grant {
    char id[ALK_IDENTITY_ID_MAX + 1];      /* fingerprint of the key, without its certificate */
    const struct alk_authorized_key *line; /* of the key or the authority; NULL: of neither */
    const char *const *scopes;
    size_t scope_count;
    const struct alk_resource *resources;
    size_t resource_count;
    bool port_forwarding; /* by the line and by the certificate */
    uint64_t expiry;      /* first Unix second in which it no longer holds; 0 = never */
    bool certified;       /* by a certificate, of this serial */
    uint64_t serial;
    struct alk_arena own; /* scopes that come from a certificate */
};

/* NULL and *grant filled, or why not, as a word for the log; then *grant is empty. An unproven
 * login is judged as if the signature were to tell all that is asked for. */
const char *alk_grant_judge(const struct alk_trust *trust, const struct alk_login *login,
                            struct alk_grant *grant);
void alk_grant_clear(struct alk_grant *grant);

bool alk_grant_has_scope(const struct alk_grant *grant, const char *scope);

/* May it open a channel to / listen on host:port? (scope, certificate and line; as
 * alk_authorized_key_may_open and _listen.) */
bool alk_grant_may_open(const struct alk_grant *grant, const char *host, unsigned port);
bool alk_grant_may_listen(const struct alk_grant *grant, const char *host, unsigned port);

#endif
