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
    if (line == 0 || (strncmp(sentence, "authorized_keys line ", 21) != 0 &&
                      strncmp(sentence, "cert_authority line ", 20) != 0))
        abort();
    *total += strlen(sentence);
}

static void judge_names(const struct alk_authorized_key *key)
{
    if (key->principals != NULL && !key->cert_authority)
        abort();
    for (size_t i = 0; i < key->principal_count; i++) {
        if (key->principals[i][0] == '\0' || strchr(key->principals[i], ',') != NULL)
            abort();
    }
    if (key->scopes == NULL || key->scope_count > 64 || key->resource_count > 256)
        abort();
    for (size_t i = 0; i < key->scope_count; i++) {
        if (key->scopes[i][0] == '\0' || strpbrk(key->scopes[i], ", \t\"=") != NULL)
            abort();
    }
    for (size_t i = 0; i < key->resource_count; i++) {
        if (key->resources[i].type[0] == '\0' || key->resources[i].name[0] == '\0')
            abort();
    }
}

/* What every line of a set must keep to, and that it is found by its key. */
static void judge_set(const struct alk_authorized_keys *set, bool authorities)
{
    for (size_t i = 0; i < alk_authorized_keys_count(set); i++) {
        const struct alk_authorized_key *key = alk_authorized_keys_at(set, i);
        const struct alk_authorized_key *admitted =
            alk_authorized_keys_admit(set, key->blob, key->blob_len, "192.0.2.1", 1900000000);
        if (alk_authorized_keys_find(set, key->blob, key->blob_len) == NULL ||
            (authorities && !key->cert_authority) ||
            (key->cert_authority && key->blob_len != ALK_KEY_BLOB_SIZE) ||
            (admitted != NULL && admitted->cert_authority))
            abort();
    }
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
    judge_names(key);
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
    judge_set(set, false);
    alk_authorized_keys_free(set);
    if (alk_authorities_parse(&set, (const char *)data, size, take_note, &total) != ALK_OK)
        abort();
    judge_set(set, true);
    alk_authorized_keys_free(set);
    return 0;
}
