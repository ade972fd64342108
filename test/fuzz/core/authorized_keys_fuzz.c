/* authorized_keys files; the keys of the seeds are looked up and judged. */
#include "auth/key_internal.h"

#include <alk/authorized_keys.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t blobs[2][ALK_KEY_BLOB_SIZE];

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static const char a[] = "AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea";
    static const char b[] = "AAAAC3NzaC1lZDI1NTE5AAAAID1AF8PoQ4lakrcKp00bfrycmCzPLsSWjMDNVfEq9GYM";

    (void)argc;
    (void)argv;
    if (alk_crypto_init() != ALK_OK || alk_key_decode_blob(a, strlen(a), blobs[0]) != NULL ||
        alk_key_decode_blob(b, strlen(b), blobs[1]) != NULL)
        abort();
    return 0;
}

static void take_note(unsigned line, bool skipped, const char *sentence, void *user)
{
    size_t *total = user;

    (void)skipped;
    if (line == 0 || strncmp(sentence, "authorized_keys line ", 21) != 0)
        abort();
    *total += strlen(sentence);
}

static void judge(const struct alk_authorized_key *key)
{
    static const char *const hosts[] = {"", "a", "localhost", "::1", "/run/socket"};
    static const char *const addresses[] = {"", "192.0.2.1", "::ffff:10.0.0.1", "2001:db8::1"};

    for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++)
        alk_authorized_key_admits(key, addresses[i], 1900000000);
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        bool open = alk_authorized_key_may_open(key, hosts[i], 80);
        bool listen = alk_authorized_key_may_listen(key, hosts[i], 0);
        if ((open || listen) && !key->port_forwarding)
            abort();
    }
    if (strlen(key->comment) > 65536 || key->line == 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct alk_authorized_keys *set;
    size_t total = 0;

    if (alk_authorized_keys_parse(&set, (const char *)data, size, take_note, &total) != ALK_OK)
        abort();
    for (size_t i = 0; i < 2; i++) {
        const struct alk_authorized_key *key =
            alk_authorized_keys_find(set, blobs[i], ALK_KEY_BLOB_SIZE);
        for (unsigned line = 0; key != NULL; key = alk_authorized_keys_next(set, key)) {
            if (key->line <= line || memcmp(key->blob, blobs[i], ALK_KEY_BLOB_SIZE) != 0)
                abort();
            line = key->line;
            judge(key);
        }
    }
    alk_authorized_keys_find(set, data, size);
    alk_authorized_keys_free(set);
    return 0;
}
