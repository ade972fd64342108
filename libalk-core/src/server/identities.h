/*
 * What each identity has open, over all its sessions on all loops. Any thread.
 */
#ifndef ALK_SERVER_IDENTITIES_H
#define ALK_SERVER_IDENTITIES_H

#include "interface/rate.h"

#include <alk/limits.h>
#include <alk/server.h>
#include <alk/status.h>
#include <stdatomic.h>

struct alk_identities;

/* There as long as one of its sessions is. */
struct alk_identity_account {
    struct alk_identity_account *next;
    unsigned sessions;                          /* guarded by the table's lock */
    atomic_uint channels;                       /* open or being opened */
    atomic_uint_least64_t bytes_up, bytes_down; /* to targets and from them, so far */
    struct alk_rate up, down;
    char id[]; /* as the identity's */
};

int alk_identities_new(struct alk_identities **out);
void alk_identities_free(struct alk_identities *identities);

/* Limits from now on; rates change for those that are there. ALK_LIMIT_NONE is unlimited, a rate
 * of 0 too. */
void alk_identities_limit(struct alk_identities *identities, const struct alk_limits *limits);

/* A session of this identity begins. ALK_E_LIMIT when it has as many as it may, ALK_E_NOMEM. */
int alk_identities_enter(struct alk_identities *identities, const char *id,
                         struct alk_identity_account **out);
void alk_identities_leave(struct alk_identities *identities, struct alk_identity_account *account);

/* Fills out with those that are there; returns how many there are (which may be more than fit). */
size_t alk_identities_list(struct alk_identities *identities, struct alk_identity_use *out,
                           size_t room);

#endif
