/* A session from its first byte, with the peer played by the fuzzer: DRIVER_POLICY bytes that
 * say how to answer, one for the size of the pieces, then the peer's bytes. */
#ifndef FUZZ_SSH_LOGIN_H
#define FUZZ_SSH_LOGIN_H

#include "support/ssh_driver.h"

enum { LOGIN_HEAD = DRIVER_POLICY + 1 };

int login_run(enum alk_ssh_role role, const uint8_t *data, size_t size);

#endif
