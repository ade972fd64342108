/* known_hosts files: the first line is the host to look up, the rest the file. */
#include "auth/key_internal.h"

#include <alk/known_hosts.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t blob[ALK_KEY_BLOB_SIZE];

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static const char a[] = "AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea";

    (void)argc;
    (void)argv;
    if (alk_crypto_init() != ALK_OK || alk_key_decode_blob(a, strlen(a), blob) != NULL)
        abort();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *newline = size > 0 ? memchr(data, '\n', size) : NULL;
    struct alk_known_hosts *hosts;
    size_t host_len;
    unsigned line;
    char *host;

    if (newline == NULL)
        return 0;
    host_len = (size_t)(newline - data);
    host = malloc(host_len + 1);
    memcpy(host, data, host_len);
    host[host_len] = '\0';
    if (alk_known_hosts_parse(&hosts, (const char *)newline + 1, size - host_len - 1) != ALK_OK)
        abort();
    for (unsigned port = 22; port <= 23; port++) {
        enum alk_host_trust trust =
            alk_known_hosts_check(hosts, host, port, blob, sizeof(blob), &line);
        if ((trust == ALK_HOST_UNKNOWN) != (line == 0))
            abort();
    }
    alk_known_hosts_free(hosts);
    free(host);
    return 0;
}
