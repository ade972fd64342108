#include "transport/proxy.h"

#include <alk/status.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct alk_proxy proxy;
    struct alk_error error;
    char *url = malloc(size + 1);

    if (url == NULL)
        return 0;
    memcpy(url, data, size);
    url[size] = '\0';
    int status = alk_proxy_parse(url, &proxy, &error);
    if (status == ALK_OK && proxy.kind != ALK_PROXY_NONE &&
        (proxy.host[0] == '\0' || proxy.port == 0 || (proxy.login && proxy.user[0] == '\0')))
        abort();
    if (status != ALK_OK && proxy.kind != ALK_PROXY_NONE)
        abort();
    free(url);
    return 0;
}
