/* What is accepted is within its bounds, and says what its own text says again. */
#include "tunnel/forward_spec.h"

#include <alk/status.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void format(const struct alk_endpoint *side, char *out, size_t size)
{
    if (side->is_path)
        snprintf(out, size, "%s", side->path);
    else if (side->host[0] == '\0')
        snprintf(out, size, "%u", side->port);
    else if (strchr(side->host, ':') != NULL)
        snprintf(out, size, "[%s]:%u", side->host, side->port);
    else
        snprintf(out, size, "%s:%u", side->host, side->port);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char text[2048], again[2048], listen[512], target[512];
    static struct alk_forward_spec first, second;
    struct alk_error error;

    if (size >= sizeof(text))
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    int r = alk_forward_spec_parse(text, ALK_FORWARD_REMOTE, &first, &error);
    if (r != ALK_OK) {
        if (r != ALK_E_PARSE || error.text[0] == '\0')
            abort();
        return 0;
    }
    format(&first.listen, listen, sizeof(listen));
    format(&first.target, target, sizeof(target));
    snprintf(again, sizeof(again), "%s:%s", listen, target);
    if (alk_forward_spec_parse(again, ALK_FORWARD_REMOTE, &second, NULL) != ALK_OK ||
        memcmp(&first.target, &second.target, sizeof(first.target)) != 0 ||
        strcmp(first.listen.host, second.listen.host) != 0 ||
        first.listen.port != second.listen.port)
        abort();
    return 0;
}
