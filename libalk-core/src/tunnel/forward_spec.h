/*
 * Forwards as people write them on the command line, in OpenSSH's form:
 *
 *   [BIND:]PORT:HOST:PORT    [BIND:]PORT:/PATH    /PATH:HOST:PORT    /PATH:/PATH
 *
 * The left side listens, the right side is connected to; which machine is which
 * depends on the direction. IPv6 addresses stand in brackets. A path on the left
 * ends at the first colon.
 */
#ifndef ALK_TUNNEL_FORWARD_SPEC_H
#define ALK_TUNNEL_FORWARD_SPEC_H

#include "transport/address.h"

struct alk_error;

enum alk_forward_direction {
    ALK_FORWARD_LOCAL,  /* -L: we listen, the server connects */
    ALK_FORWARD_REMOTE, /* -R: the server listens, we connect */
};

struct alk_forward_spec {
    /* listen.host: "" when no BIND was given (loopback), "*" for all addresses (also
     * for an empty BIND), else a name or a numeric address. listen.port 0, for -R
     * only: the server chooses. */
    struct alk_endpoint listen;
    struct alk_endpoint target;
};

/* ALK_E_PARSE with one sentence that quotes the text. */
int alk_forward_spec_parse(const char *text, enum alk_forward_direction direction,
                           struct alk_forward_spec *out, struct alk_error *error);

#endif
