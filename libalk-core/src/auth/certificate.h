/*
 * OpenSSH user certificates (PROTOCOL.certkeys): ssh-ed25519-cert-v01@openssh.com and the same of
 * security keys. Pure functions; whether the authority is trusted is the caller's to know.
 */
#ifndef ALK_AUTH_CERTIFICATE_H
#define ALK_AUTH_CERTIFICATE_H

#include "base/arena.h"
#include "ssh/wire.h"

#include <alk/user_key.h>

enum { ALK_PRINCIPALS_MAX = 256 };

/* A view into the blob, which it borrows. */
struct alk_certificate {
    struct alk_user_key key;
    uint64_t serial;
    uint32_t type; /* 1 user, 2 host */
    struct alk_bytes id;
    struct alk_bytes principals; /* a sequence of strings */
    size_t principal_count;
    uint64_t valid_after, valid_before; /* Unix seconds; valid before the second */
    struct alk_bytes authority;         /* the blob of the key that signed */
    struct alk_bytes signed_part, signature;

    /* what the critical options and extensions say */
    const char
        *problem; /* why they cannot be honoured, as a word for the log; NULL when they can */
    bool force_command, verify_required, no_touch_required, port_forwarding;
    bool limited_source;     /* source-address is there */
    struct alk_bytes source; /* its list of addresses and blocks */
    bool scoped;             /* alk-scopes@alknet is there */
    struct alk_bytes scopes;
};

/* ALK_OK or ALK_E_PARSE. The signature is not checked. */
int alk_certificate_parse(const uint8_t *blob, size_t len, struct alk_certificate *certificate);

/* Has the authority's key signed it? Only an Ed25519 authority's signature can be checked. */
bool alk_certificate_signed(const struct alk_certificate *certificate);

bool alk_certificate_names(const struct alk_certificate *certificate, const char *principal);

/* Everything but trust, signature and principals: NULL when the certificate may be used to log in
 * from this numeric address at this time, else why not, as a word for the log. */
const char *alk_certificate_judge(const struct alk_certificate *certificate, const char *address,
                                  uint64_t now_unix);

#endif
