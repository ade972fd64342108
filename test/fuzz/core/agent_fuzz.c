/* What an agent may answer. */
#include "auth/agent.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct alk_agent_identity found[ALK_AGENT_KEYS_MAX];
    uint8_t signature[ALK_SIGNATURE_BLOB_SIZE];
    ssize_t whole = alk_agent_message_length(data, size);
    size_t len = whole > 0 ? (size_t)whole : size;
    int count = alk_agent_parse_identities(data, len, found, size % (ALK_AGENT_KEYS_MAX + 1));

    if (len > size || count > ALK_AGENT_KEYS_MAX)
        abort();
    for (int i = 0; i < count; i++) {
        if (strlen(found[i].comment) >= ALK_KEY_COMMENT_MAX)
            abort();
    }
    alk_agent_parse_signature(data, len, signature);
    return 0;
}
