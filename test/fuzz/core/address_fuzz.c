/* A listen address that was read is read the same from its own text. */
#include "transport/address.h"

#include <alk/status.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char text[1024], shown[ALK_ADDRESS_TEXT], again[ALK_ADDRESS_TEXT];
    struct alk_address address, second;
    struct alk_endpoint endpoint;
    struct alk_error error;

    if (size >= sizeof(text))
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    if (alk_endpoint_parse(text, &endpoint, &error) == ALK_OK && !endpoint.is_path &&
        (!alk_host_valid(endpoint.host, strlen(endpoint.host)) || endpoint.port == 0))
        abort();
    if (alk_address_parse_listen(text, &address, &error) != ALK_OK)
        return 0;
    alk_address_text(&address, shown);
    if (alk_address_parse_listen(shown, &second, NULL) != ALK_OK)
        abort();
    alk_address_text(&second, again);
    if (strcmp(shown, again) != 0)
        abort();
    return 0;
}
