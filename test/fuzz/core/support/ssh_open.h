/* A session after its login: DRIVER_POLICY bytes that say how to answer, then records
 * (operation, 16 bits of length, bytes): messages of the peer and acts of the program. */
#ifndef FUZZ_SSH_OPEN_H
#define FUZZ_SSH_OPEN_H

#include "support/ssh_driver.h"

enum { OPEN_HEAD = DRIVER_POLICY };

enum open_operation {
    OPEN_MESSAGE, /* and every number below OPEN_RAW: a payload from the peer */
    OPEN_RAW = 8, /* bytes from the peer, as they are */
    OPEN_WRITE,
    OPEN_EOF,
    OPEN_CLOSE,
    OPEN_CHANNEL,
    OPEN_FORWARD,
    OPEN_CONSUME,
    OPEN_ANSWER,
    OPEN_TICK,
    OPEN_DRAIN,
    OPEN_REKEY,
    OPEN_FLOOD, /* the body many times over */
    OPEN_DATA,  /* much data from the peer */
    OPEN_COUNT,
};

int open_run(enum alk_ssh_role role, const uint8_t *data, size_t size);

#endif
