/* A decision never changes with what follows, and comes within ALK_PEEK_MAX bytes. */
#include "transport/peek.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(enum alk_peeked (*peek)(const uint8_t *, size_t), const uint8_t *data,
                  size_t size)
{
    enum alk_peeked decided = ALK_PEEKED_MORE;

    for (size_t len = 0; len <= size; len++) {
        enum alk_peeked now = peek(data, len);
        if (decided != ALK_PEEKED_MORE && now != decided)
            abort();
        decided = now;
    }
    if (size >= ALK_PEEK_MAX && decided == ALK_PEEKED_MORE)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check(alk_peek_ssh, data, size);
    check(alk_peek_tls, data, size);
    return 0;
}
