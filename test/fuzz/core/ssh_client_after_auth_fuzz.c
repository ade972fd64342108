/* The client's engine after the login: channels, forwards and key exchanges, with a program
 * behind it that acts too. */
#include "support/ssh_mutator.h"
#include "support/ssh_open.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return open_run(ALK_SSH_CLIENT, data, size);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    return mutate_records(data, size, max, seed, OPEN_HEAD);
}
