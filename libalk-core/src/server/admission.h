/*
 * Who may connect at all: counts of live connections, in all and per address. The one table
 * that the loops of a server share; any thread.
 */
#ifndef ALK_SERVER_ADMISSION_H
#define ALK_SERVER_ADMISSION_H

#include <stdbool.h>
#include <stdint.h>

struct alk_admission;

struct alk_admission_limits { /* 0 = unlimited */
    unsigned per_ip;
    unsigned unauthenticated;
    unsigned unauthenticated_per_ip;
};

int alk_admission_new(struct alk_admission **out, const struct alk_admission_limits *limits);
void alk_admission_free(struct alk_admission *admission);

/* Counts a new connection from a numeric address ("" counts in all only). NULL when it may
 * stay, else why not; then it is not counted. */
const char *alk_admission_enter(struct alk_admission *admission, const char *address);

/* It has logged in / it has gone (logged in or not). */
void alk_admission_authenticated(struct alk_admission *admission, const char *address);
void alk_admission_leave(struct alk_admission *admission, const char *address, bool authenticated);

#endif
