/* What an agent may answer. */
#include "auth/agent.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Looks at what it is asked about. */
static bool is_wanted(const void *user, const uint8_t *blob, size_t len)
{
    (void)user;
    return len == 0 || (blob[0] ^ blob[len - 1]) != 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct alk_agent_identity found[ALK_AGENT_KEYS_MAX];
    const uint8_t *signature;
    size_t signature_len, bytes = 0;
    ssize_t whole = alk_agent_message_length(data, size);
    size_t len = whole > 0 ? (size_t)whole : size;
    int count = alk_agent_parse_identities(data, len, is_wanted, NULL, found,
                                           size % (ALK_AGENT_KEYS_MAX + 1));

    if (len > size || count > ALK_AGENT_KEYS_MAX)
        abort();
    for (int i = 0; i < count; i++) {
        if (strlen(found[i].comment) >= ALK_KEY_COMMENT_MAX)
            abort();
        for (size_t at = 0; at < found[i].blob_len; at++)
            bytes += found[i].blob[at]; /* they must lie inside */
    }
    if (alk_agent_parse_signature(data, len, &signature, &signature_len) == ALK_OK)
        bytes += signature[signature_len - 1];
    if (bytes == SIZE_MAX)
        abort();
    return 0;
}
