/* First byte: whether over TLS, and how the input is split; the split must change neither what is
 * answered nor when the connection ends, the answer to half a body excepted. */
#include "interface/decoy.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct result {
    enum alk_decoy_end end;
    size_t answers;
};

static struct result talk(const uint8_t *data, size_t size, bool secure, size_t piece)
{
    struct alk_decoy *decoy;
    struct alk_buffer out = alk_buffer(ALK_DECOY_RESPONSE_MAX);
    struct result result = {ALK_DECOY_OPEN, 0};
    size_t taken = 0;

    if (alk_decoy_new(&decoy, ALK_DECOY_SERVER, secure, 1) != 0)
        abort();
    while (taken < size && alk_decoy_end(decoy) == ALK_DECOY_OPEN) {
        size_t len = size - taken < piece ? size - taken : piece;
        size_t n = alk_decoy_feed(decoy, data + taken, len, 1, 0, &out);
        if (n == 0 || n > len)
            abort();
        taken += n;
        result.answers += alk_buffer_len(&out) > 0;
        alk_buffer_consume(&out, alk_buffer_len(&out));
    }
    result.end = alk_decoy_end(decoy);
    if ((result.end == ALK_DECOY_OPEN) != (alk_decoy_deadline(decoy) != UINT64_MAX))
        abort();
    alk_decoy_tick(decoy, alk_decoy_deadline(decoy));
    if (alk_decoy_end(decoy) == ALK_DECOY_OPEN)
        abort();
    alk_decoy_free(decoy);
    alk_buffer_free(&out);
    return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    bool secure = (data[0] & 1) != 0;
    struct result whole = talk(data + 1, size - 1, secure, size);
    struct result parts = talk(data + 1, size - 1, secure, (data[0] >> 1) + 1U);
    if (whole.answers == 0 && parts.answers != 0)
        abort();
    if (whole.answers != 0 && parts.answers == 0)
        abort();
    return 0;
}
