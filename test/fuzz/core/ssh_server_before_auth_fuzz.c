/* The server's engine from the first byte to the login and beyond, against any peer. */
#include "support/ssh_login.h"
#include "support/ssh_mutator.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return login_run(ALK_SSH_SERVER, data, size);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    return mutate_stream(data, size, max, seed, LOGIN_HEAD);
}
