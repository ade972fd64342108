/*
 * Names to addresses on a few threads, so that no loop ever waits for DNS.
 *
 * One resolver serves all loops of a program. Threads start when first needed.
 */
#ifndef ALK_TRANSPORT_RESOLVER_H
#define ALK_TRANSPORT_RESOLVER_H

#include <stddef.h>
#include <stdint.h>

struct alk_address;
struct alk_loop;
struct alk_lookup;
struct alk_resolver;

enum { ALK_LOOKUP_ADDRESSES = 16 }; /* at most so many of a name are used */

/* Blocking look-up of TCP addresses, by default getaddrinfo(3); tests put their own
 * in. Runs on a thread of the resolver. Fills at most ALK_LOOKUP_ADDRESSES, the
 * port excepted, and returns the count, 0 when there are none. A negative return
 * (ALK_E_RESOLVE or ALK_E_NOMEM) may set *cause to a static text. */
typedef int (*alk_resolve_fn)(const char *host, struct alk_address *out, const char **cause);

struct alk_resolver_options {
    unsigned threads;       /* at most so many look-ups at a time; 0: 4 */
    unsigned queue;         /* look-ups that may wait; 0: 256 */
    alk_resolve_fn resolve; /* NULL: getaddrinfo */
};

/* options may be NULL. */
int alk_resolver_new(struct alk_resolver **out, const struct alk_resolver_options *options);

/* Any thread. Look-ups that have not answered by now never will: their owners must
 * have cancelled them. A thread that sits in the system's resolver is left behind
 * and ends by itself; the call does not wait for it. */
void alk_resolver_free(struct alk_resolver *resolver);

/* status ALK_OK: addresses (borrowed for the call, port set, unmapped, in the system's order of
 * preference); otherwise ALK_E_RESOLVE or ALK_E_NOMEM with a cause in a few words,
 * static text without the name. */
typedef void (*alk_lookup_fn)(void *user, int status, const struct alk_address *addresses,
                              size_t count, const char *cause);

/* Starts a look-up; called on loop's thread, where fn runs later, never from within
 * this call. A numeric host is answered without a thread. Only a return of ALK_OK
 * leads to the callback; *out is invalid once that has begun.
 * owner (only compared; NULL: nobody) is for whom: the look-ups of one owner take at most half of
 * the threads and half of the queue, so that one who asks for dead names holds up nobody else.
 * ALK_E_LIMIT too many are waiting, ALK_E_INVAL no valid host, ALK_E_NOMEM. */
int alk_lookup_start(struct alk_lookup **out, struct alk_resolver *resolver, struct alk_loop *loop,
                     const void *owner, const char *host, uint16_t port, alk_lookup_fn fn,
                     void *user);

/* On the same thread, at any time before the callback: it will not be called, and
 * the loop and the resolver may then be freed. NULL is allowed. */
void alk_lookup_cancel(struct alk_lookup *lookup);

#endif
