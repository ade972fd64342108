/*
 * Who may connect at all: live connections, their rate and failed logins per address, and the
 * server's totals. The one table that the loops of a server share; any thread. Times are
 * milliseconds of one monotonic clock, passed in.
 *
 * An address without a live connection stays in the table only while its rate or its failures
 * matter, and of those the longest untouched goes when they are too many.
 */
#ifndef ALK_SERVER_ADMISSION_H
#define ALK_SERVER_ADMISSION_H

#include <alk/limits.h>
#include <alk/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct alk_admission;

enum { ALK_ADMISSION_IDLE_MAX = 65536 }; /* addresses remembered without a connection */

int alk_admission_new(struct alk_admission **out);
void alk_admission_free(struct alk_admission *admission);

/* Puts limits in force. Every number counts as it stands: ALK_LIMIT_NONE is unlimited, 0 is none
 * at all. Copied. ALK_E_NOMEM: the old ones stay. */
int alk_admission_limit(struct alk_admission *admission, const struct alk_limits *limits);

/* Counts a new connection from a numeric address ("" counts in all only). NULL when it may
 * stay, else why not; then it is not counted. */
const char *alk_admission_enter(struct alk_admission *admission, const char *address, uint64_t now);

/* It has logged in. NULL when the session may stay, else why not; it counts as one until it
 * leaves in any case. */
const char *alk_admission_authenticated(struct alk_admission *admission, const char *address);

/* It has gone: logged in or not; failed: it had tried to log in, and failed. */
void alk_admission_leave(struct alk_admission *admission, const char *address, bool authenticated,
                         bool failed, uint64_t now);

/* Fills out with addresses that have failures; returns how many there are (which may be more than
 * fit). */
size_t alk_admission_penalties(struct alk_admission *admission, struct alk_penalty *out,
                               size_t room, uint64_t now);

/* How many are connected that have not logged in, and how many have. */
void alk_admission_count(struct alk_admission *admission, unsigned *unauthenticated,
                         unsigned *sessions);

#endif
