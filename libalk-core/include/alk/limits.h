/*
 * How much anybody may take: of one address, of one identity, and of a server in all.
 *
 * Numbers that are 0 take the default named beside them; ALK_LIMIT_NONE is "without bound"
 * where the default is one. All may change while a server runs: what is already there stays, what
 * comes next is judged by the new ones; rates change at once.
 */
#ifndef ALK_LIMITS_H
#define ALK_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

#define ALK_LIMIT_NONE UINT32_MAX

struct alk_limits {
    /* Of one address: an IPv4 address, or the /64 that an IPv6 address is in. Clients of a Unix
     * socket have none, and count in the totals only. */
    unsigned max_connections_per_ip;     /* live connections; unlimited */
    unsigned connection_rate_per_ip;     /* new connections a minute; unlimited */
    unsigned max_unauthenticated_per_ip; /* 16 that have not logged in */

    /* A connection that ends without a login after a key of it was refused is a failed login. An
     * address may have so many; each further one shuts it out, first for penalty_s, then twice as
     * long each time, at most penalty_max_s. Its failures are forgotten when penalty_max_s have
     * passed since the last one and the end of its penalty. A login that succeeds never counts against the address. */
    unsigned login_failures;    /* 10; ALK_LIMIT_NONE: no penalties */
    unsigned penalty_s;         /* 5 */
    unsigned penalty_max_s;     /* 600 */
    const char *penalty_exempt; /* addresses and CIDR networks by comma; NULL: nobody */

    /* Of one connection */
    unsigned max_auth_attempts; /* 10 refused keys, then it ends */
    unsigned max_channels;      /* 1024 open at once */

    /* Of one identity, over all its sessions */
    unsigned max_sessions_per_identity; /* unlimited */
    unsigned max_channels_per_identity; /* unlimited; open at once */
    uint64_t rate_up;                   /* bytes a second from its channels to targets; unlimited */
    uint64_t rate_down;                 /* and from targets to its channels; unlimited */

    /* Of the server */
    unsigned max_sessions;        /* logged in at once; unlimited */
    unsigned max_unauthenticated; /* 128 at once that have not logged in */
    uint64_t memory; /* bytes that sessions hold, in buffers and else, from which on no further
                        session or channel is taken; unlimited. Channels that are open may
                        still fill their windows. */
};

/* An address that is, or was lately, shut out. Times in seconds. */
struct alk_penalty {
    char address[64];  /* "192.0.2.7" or "2001:db8::/64" */
    unsigned failures; /* that count at present */
    unsigned left_s;   /* it is shut out for so long from now; 0: not at present */
};

#endif
