#include "tunnel/open_failure.h"

#include <alk/ssh.h>
#include <string.h>

/* What a server says of a failed open, as far as texts differ between servers. */
int alk_open_failure_status(uint32_t reason, const char *text)
{
    static const struct {
        const char *part;
        int status;
    } parts[] = {
        {"the proxy cannot", ALK_E_PROXY}, {"refused", ALK_E_REFUSED},
        {"timed out", ALK_E_TIMEOUT},      {"unreachable", ALK_E_UNREACHABLE},
        {"no route", ALK_E_UNREACHABLE},   {"resolve", ALK_E_RESOLVE},
        {"unknown host", ALK_E_RESOLVE},   {"no address", ALK_E_RESOLVE},
        {"name", ALK_E_RESOLVE},           {"no such", ALK_E_NOTFOUND},
    };

    if (reason == ALK_SSH_OPEN_PROHIBITED)
        return ALK_E_DENIED;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (strcasestr(text, parts[i].part) != NULL)
            return parts[i].status;
    }
    return reason == ALK_SSH_OPEN_CONNECT_FAILED ? ALK_E_UNREACHABLE : ALK_E_LIMIT;
}
