/* Certificates, judged for a login whose authority is trusted: signatures count as good here. */
#include "auth/grant.h"
#include "auth/key_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* the key of RFC 8032's first test, which the seeds name as their authority */
#define CA "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea"

static struct alk_authorized_keys *keys, *authorities;
static struct alk_revocations *revoked;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static const char lines[] = "cert-authority,principals=\"ops,*\",alk-scopes=\"a\" " CA "\n";
    struct alk_error error;

    (void)argc;
    (void)argv;
    if (alk_crypto_init() != ALK_OK ||
        alk_authorized_keys_parse(&keys, lines, sizeof(lines) - 1, NULL, NULL) != ALK_OK ||
        alk_authorities_parse(&authorities, CA, sizeof(CA) - 1, NULL, NULL) != ALK_OK ||
        alk_revocations_parse(&revoked, "list", "", 0, &error) != ALK_OK)
        abort();
    return 0;
}

static void judge(const struct alk_trust *trust, const uint8_t *data, size_t size)
{
    static const char *const users[] = {"root", "bob", ""};
    static const char *const addresses[] = {"", "127.0.0.1", "2001:db8::1"};
    struct alk_certificate certificate;

    for (size_t i = 0; i < 9; i++) {
        struct alk_login login = {.blob = data,
                                  .blob_len = size,
                                  .user = users[i % 3],
                                  .address = addresses[i / 3],
                                  .now_unix = 1750000000,
                                  .proven = i % 2 == 0};
        struct alk_grant grant;
        if (alk_grant_judge(trust, &login, &grant) != NULL) {
            if (grant.line != NULL || alk_grant_may_open(&grant, "a", 1))
                abort();
            continue;
        }
        if (alk_certificate_parse(data, size, &certificate) != ALK_OK || !grant.certified ||
            certificate.type != 1 || certificate.valid_before <= login.now_unix ||
            certificate.valid_after > login.now_unix ||
            (grant.line->principals == NULL && !alk_certificate_names(&certificate, login.user)))
            abort();
        if (alk_grant_may_open(&grant, "a", 1) &&
            (certificate.force_command || !certificate.port_forwarding))
            abort();
        alk_grant_clear(&grant);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct alk_trust by_file = {.keys = keys, .authorities = authorities, .revoked = revoked};
    struct alk_trust by_line = {.keys = keys};
    char fingerprint[ALK_FINGERPRINT_SIZE];

    alk_user_key_fingerprint(data, size, fingerprint);
    judge(&by_file, data, size);
    judge(&by_line, data, size);
    return 0;
}
