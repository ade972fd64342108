/* Certificates and revocation lists that ssh-keygen makes, and what becomes of damaged ones. */
#include "auth/grant.h"
#include "auth/key_internal.h"
#include "support/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NOW = 1750000000 }; /* 2025-06-15 */

/* A user's key, its authority and whatever is trusted, in a folder. */
struct lab {
    struct scratch *scratch;
    char user[256], ca[256]; /* public key lines */
};

static void make_key(struct scratch *scratch, const char *name, char line[256])
{
    char file[64];

    scratch_run(scratch, NULL, 0,
                ARGV("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", name));
    snprintf(file, sizeof(file), "%s.pub", name);
    char *text = scratch_read(scratch, file, NULL);
    text[strcspn(text, "\n")] = '\0';
    snprintf(line, 256, "%s", text);
    free(text);
}

static struct lab make_lab(void **state)
{
    struct lab lab = {.scratch = *state};

    make_key(lab.scratch, "user", lab.user);
    make_key(lab.scratch, "ca", lab.ca);
    return lab;
}

/* Signs the user's key with these arguments (words, split at blanks); *blob is the caller's. */
static void certify(struct lab *lab, const char *args, uint8_t **blob, size_t *len)
{
    const char *argv[32] = {"ssh-keygen", "-q", "-s", "ca", "-I", "bob's laptop"};
    char words[256];
    size_t count = 6;
    struct alk_error error;

    snprintf(words, sizeof(words), "%s", args);
    for (char *at = words, *word; (word = strtok_r(at, " ", &at)) != NULL;)
        argv[count++] = word;
    argv[count] = "user.pub";
    setenv("TZ", "UTC", 1);
    scratch_run(lab->scratch, NULL, 0, argv);
    assert_int_equal(
        alk_user_certificate_load(blob, len, scratch_path(lab->scratch, "user-cert.pub"), &error),
        ALK_OK);
}

struct trust {
    struct alk_trust trust;
    struct alk_authorized_keys *keys, *authorities;
    struct alk_revocations *revoked;
};

static struct trust make_trust(const char *keys, const char *authorities, const void *revoked,
                               size_t revoked_len)
{
    struct trust t = {0};
    struct alk_error error;

    assert_int_equal(alk_authorized_keys_parse(&t.keys, keys, strlen(keys), NULL, NULL), ALK_OK);
    if (authorities != NULL)
        assert_int_equal(
            alk_authorities_parse(&t.authorities, authorities, strlen(authorities), NULL, NULL),
            ALK_OK);
    if (revoked != NULL &&
        alk_revocations_parse(&t.revoked, "list", revoked, revoked_len, &error) != ALK_OK)
        fail_msg("%s", error.text);
    t.trust =
        (struct alk_trust){.keys = t.keys, .authorities = t.authorities, .revoked = t.revoked};
    return t;
}

static void free_trust(struct trust *t)
{
    alk_authorized_keys_free(t->keys);
    alk_authorized_keys_free(t->authorities);
    alk_revocations_free(t->revoked);
}

static struct alk_login login_with(const uint8_t *blob, size_t len)
{
    return (struct alk_login){.blob = blob,
                              .blob_len = len,
                              .user = "bob",
                              .address = "192.0.2.7",
                              .now_unix = NOW,
                              .proven = true};
}

static const struct {
    const char *args, *options; /* options NULL: the file of authorities names it */
    const char *why;            /* NULL: let in */
    bool forwards;
} cases[] = {
    {"-n bob", NULL, NULL, true},
    {"-n bob", "cert-authority", NULL, true},
    {"-n alice,bob", "cert-authority", NULL, true},
    {"-n bob -V 20250601:20250701", NULL, NULL, true},
    {"-n bob -V 20250615:20250616", NULL, NULL, true},
    {"-n bob -V 20240601:20250601", NULL, "certificate-expired", false},
    {"-n bob -V 20250614150640:20250615150640", NULL, "certificate-expired", false},
    {"-n bob -V 20250614150640:20250615150641", NULL, NULL, true},
    {"-n bob -V 20250615150640:20250616", NULL, NULL, true},
    {"-n bob -V 20250615150641:20250616", NULL, "certificate-not-yet-valid", false},
    {"-n alice", NULL, "wrong-principal", false},
    {"-n bobby", NULL, "wrong-principal", false},
    {"-n bob*", NULL, "wrong-principal", false},
    {"", NULL, "no-principals", false},
    {"", "cert-authority", "no-principals", false},
    {"", "cert-authority,principals=\"bob\"", "no-principals", false},
    {"", "cert-authority,principals=\"*\"", NULL, true},
    {"-n ops", "cert-authority,principals=\"dev,ops\"", NULL, true},
    {"-n bob", "cert-authority,principals=\"dev,ops\"", "wrong-principal", false},
    {"-h -n bob", NULL, "host-certificate", false},
    {"-n bob", "no-pty", "unknown-authority", false},
    {"-n bob", "# ", "unknown-authority", false},
    {"-n bob -O source-address=192.0.2.0/24", NULL, NULL, true},
    {"-n bob -O source-address=198.51.100.0/24", NULL, "source-address", false},
    {"-n bob -O critical:source-address=192.0.2.*", NULL, "certificate-option-malformed", false},
    {"-n bob -O critical:source-address=!10.0.0.0/8,192.0.2.7", NULL,
     "certificate-option-malformed", false},
    {"-n bob -O critical:unknown=x", NULL, "unknown-critical-option", false},
    {"-n bob -O critical:permit-port-forwarding", NULL, "unknown-critical-option", false},
    {"-n bob -O force-command=ls", NULL, NULL, false},
    {"-n bob -O clear", NULL, NULL, false},
    {"-n bob -O clear -O permit-port-forwarding", NULL, NULL, true},
    {"-n bob -O extension:unknown=x", NULL, NULL, true},
    {"-n bob -O verify-required", NULL, "user-not-verified", false},
    {"-n bob", "restrict,cert-authority", NULL, false},
    {"-n bob", "from=\"10.0.0.0/8\",cert-authority", "not-admitted", false},
    {"-n bob", "cert-authority,expiry-time=\"20200101\"", "not-admitted", false},
    {"-n bob", "cert-authority,permitopen=\"other:1\",permitlisten=\"1\"", NULL, false},
    {"-n bob", "cert-authority,alk-scopes=\"metrics:read\"", NULL, false},
    {"-n bob -O extension:alk-scopes@alknet=relay:connect",
     "cert-authority,alk-scopes=\"metrics:read\"", NULL, true},
    {"-n bob -O extension:alk-scopes@alknet=metrics:read", NULL, NULL, false},
    {"-n bob -O extension:alk-scopes@alknet=", NULL, NULL, false},
    {"-n bob -O extension:alk-scopes@alknet=a,,b", NULL, "certificate-option-malformed", false},
};

static void judges_what_ssh_keygen_signs(void **state)
{
    struct lab lab = make_lab(state);

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char line[512] = "";
        struct alk_grant grant;
        uint8_t *blob;
        size_t len;

        certify(&lab, cases[i].args, &blob, &len);
        if (cases[i].options != NULL)
            snprintf(line, sizeof(line), "%s %s\n", cases[i].options, lab.ca);
        struct trust t = make_trust(line, cases[i].options == NULL ? lab.ca : NULL, NULL, 0);
        struct alk_login login = login_with(blob, len);
        const char *why = alk_grant_judge(&t.trust, &login, &grant);
        if ((why == NULL) != (cases[i].why == NULL) ||
            (why != NULL && strcmp(why, cases[i].why) != 0))
            fail_msg("%s, %s: expected %s, got %s", cases[i].args, cases[i].options, cases[i].why,
                     why);
        if (alk_grant_may_open(&grant, "host", 80) != cases[i].forwards ||
            alk_grant_may_listen(&grant, "host", 80) != cases[i].forwards)
            fail_msg("%s, %s: expected forwarding %d", cases[i].args, cases[i].options,
                     cases[i].forwards);
        alk_grant_clear(&grant);
        free_trust(&t);
        free(blob);
    }
}

static void a_grant_says_who_and_until_when(void **state)
{
    struct lab lab = make_lab(state);
    char line[512], fingerprint[ALK_FINGERPRINT_SIZE];
    uint8_t plain[ALK_KEY_BLOB_SIZE], *blob;
    struct alk_grant grant;
    size_t len;

    certify(&lab, "-n bob -z 77 -V 20250601:20250701 -O extension:alk-scopes@alknet=a,b:c", &blob,
            &len);
    assert_int_equal(alk_key_parse_public(lab.user, plain, NULL, NULL), ALK_OK);
    alk_key_fingerprint(plain, sizeof(plain), fingerprint);
    snprintf(line, sizeof(line), "cert-authority,alk-resources=\"service:git\" %s", lab.ca);
    struct trust t = make_trust(line, NULL, NULL, 0);
    struct alk_login login = login_with(blob, len);
    assert_null(alk_grant_judge(&t.trust, &login, &grant));
    assert_string_equal(grant.id, fingerprint);
    assert_true(grant.certified);
    assert_int_equal(grant.serial, 77);
    assert_int_equal(grant.expiry, 1751328000);
    assert_int_equal(grant.scope_count, 2);
    assert_true(alk_grant_has_scope(&grant, "a") && alk_grant_has_scope(&grant, "b:c"));
    assert_false(alk_grant_has_scope(&grant, "relay:connect"));
    assert_int_equal(grant.resource_count, 1);
    alk_grant_clear(&grant);
    free_trust(&t);
    free(blob);
}

static void an_authority_does_not_log_in(void **state)
{
    struct lab lab = make_lab(state);
    uint8_t ca[ALK_KEY_BLOB_SIZE];
    struct alk_grant grant;
    char lines[1024];

    assert_int_equal(alk_key_parse_public(lab.ca, ca, NULL, NULL), ALK_OK);
    struct alk_login login = login_with(ca, sizeof(ca));
    snprintf(lines, sizeof(lines), "cert-authority %s\n", lab.ca);
    struct trust t = make_trust(lines, lab.ca, NULL, 0);
    assert_string_equal(alk_grant_judge(&t.trust, &login, &grant), "unknown-key");
    free_trust(&t);
    snprintf(lines, sizeof(lines), "cert-authority %s\n%s\n", lab.ca, lab.ca);
    t = make_trust(lines, NULL, NULL, 0);
    assert_null(alk_grant_judge(&t.trust, &login, &grant)); /* a line of its own says so */
    assert_int_equal(grant.line->line, 2);
    free_trust(&t);
}

/* Nothing but the certificate itself is let in: not cut, not lengthened, no bit turned. */
static void a_damaged_certificate_is_refused(void **state)
{
    struct lab lab = make_lab(state);
    struct trust t = make_trust("", lab.ca, NULL, 0);
    struct alk_grant grant;
    uint8_t *blob, copy[ALK_USER_KEY_MAX];
    size_t len;

    certify(&lab, "-n bob,alice -O source-address=192.0.2.0/24", &blob, &len);
    memcpy(copy, blob, len);
    struct alk_login login = login_with(copy, len);
    assert_null(alk_grant_judge(&t.trust, &login, &grant));
    alk_grant_clear(&grant);
    for (size_t bit = 0; bit < len * 8; bit++) {
        copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
        if (alk_grant_judge(&t.trust, &login, &grant) == NULL)
            fail_msg("let in with bit %zu turned", bit);
        copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    copy[len] = 0;
    for (login.blob_len = 0; login.blob_len <= len + 1; login.blob_len++) {
        if (login.blob_len != len && alk_grant_judge(&t.trust, &login, &grant) == NULL)
            fail_msg("let in with %zu bytes of %zu", login.blob_len, len);
    }
    free_trust(&t);
    free(blob);
}

/* ---- revocation ---- */

static char *make_krl(struct lab *lab, const char *specification, size_t *len)
{
    scratch_text(lab->scratch, "spec", specification);
    scratch_run(lab->scratch, NULL, 0,
                ARGV("ssh-keygen", "-q", "-k", "-f", "krl", "-s", "ca.pub", "spec"));
    return scratch_read(lab->scratch, "krl", len);
}

static bool is_revoked(struct lab *lab, const struct alk_revocations *list, const char *args)
{
    struct alk_certificate certificate;
    uint8_t *blob;
    size_t len;

    certify(lab, args, &blob, &len);
    assert_int_equal(alk_certificate_parse(blob, len, &certificate), ALK_OK);
    bool revoked = alk_revoked_certificate(list, &certificate);
    /* ssh-keygen -Q exits with 1 for what is revoked */
    int code =
        scratch_try(lab->scratch, NULL, 0, ARGV("ssh-keygen", "-Q", "-f", "krl", "user-cert.pub"));
    if ((code != 0) != revoked)
        fail_msg("%s: ssh-keygen says %d, alknet %d", args, code != 0, revoked);
    free(blob);
    return revoked;
}

static void revocation_lists_mean_what_ssh_keygen_says(void **state)
{
    static const struct {
        const char *specification, *hit, *miss; /* arguments of ssh-keygen -s */
    } lists[] = {
        {"serial: 5\n", "-z 5", "-z 6"},
        {"serial: 100-200\n", "-z 100", "-z 99"},
        {"serial: 100-200\n", "-z 200", "-z 201"},
        {"serial: 3\nserial: 5\nserial: 7\nserial: 9\nserial: 11\nserial: 33\n", "-z 33", "-z 4"},
        {"serial: 3\nserial: 5\nserial: 7\nserial: 9\nserial: 11\nserial: 33\n", "-z 3", "-z 2"},
        {"serial: 1000\nserial: 1001\nserial: 1004\nserial: 1013\nserial: 70000-80000\n", "-z 1013",
         "-z 1012"},
        {"serial: 18446744073709551615\n", "-z 18446744073709551615", "-z 1"},
        {"id: bob's laptop\n", "-n bob", NULL},
        {"id: bob\n", NULL, "-n bob"},
        {"serial: 5\nid: other\n", NULL, "-n bob"},
    };
    struct lab lab = make_lab(state);
    struct alk_error error;

    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        struct alk_revocations *list;
        size_t len;
        char *krl = make_krl(&lab, lists[i].specification, &len);
        if (alk_revocations_parse(&list, "krl", krl, len, &error) != ALK_OK)
            fail_msg("%s: %s", lists[i].specification, error.text);
        if (lists[i].hit != NULL && !is_revoked(&lab, list, lists[i].hit))
            fail_msg("%s: %s is not revoked", lists[i].specification, lists[i].hit);
        if (lists[i].miss != NULL && is_revoked(&lab, list, lists[i].miss))
            fail_msg("%s: %s is revoked", lists[i].specification, lists[i].miss);
        alk_revocations_free(list);
        free(krl);
    }
}

static void keys_are_revoked_in_every_way(void **state)
{
    static const char *const kinds[] = {"key", "sha1", "sha256"};
    struct lab lab = make_lab(state);
    uint8_t user[ALK_KEY_BLOB_SIZE], *blob;
    struct alk_grant grant;
    size_t len, size;

    assert_int_equal(alk_key_parse_public(lab.user, user, NULL, NULL), ALK_OK);
    certify(&lab, "-n bob", &blob, &len);
    for (size_t i = 0; i < 8; i++) { /* the key, then its authority; at last plain lists */
        char text[1024];
        const char *key = i % 2 == 0 ? lab.user : lab.ca;
        char *list = NULL;
        if (i < 6) {
            snprintf(text, sizeof(text), "%s: %s\n", kinds[i / 2], key);
            list = make_krl(&lab, text, &size);
        } else {
            snprintf(text, sizeof(text), "# lost\r\n\n \t%s\r\nssh-rsa AAAAB3NzaC1yc2E= x", key);
            size = strlen(text);
        }
        struct trust t = make_trust(lab.user, lab.ca, list != NULL ? list : text, size);
        struct alk_login certified = login_with(blob, len), plain = login_with(user, sizeof(user));
        const char *why = alk_grant_judge(&t.trust, &certified, &grant);
        if (why == NULL || strcmp(why, "revoked") != 0)
            fail_msg("list %zu: the certificate is judged %s", i, why);
        why = alk_grant_judge(&t.trust, &plain, &grant);
        if ((why != NULL) != (i % 2 == 0))
            fail_msg("list %zu: the plain key is judged %s", i, why);
        free_trust(&t);
        free(list);
    }
    free(blob);
}

static void a_list_counts_as_a_whole_or_not_at_all(void **state)
{
    struct lab lab = make_lab(state);
    struct alk_revocations *list;
    struct alk_error error;
    size_t len;
    char specification[1024];

    snprintf(specification, sizeof(specification), "serial: 1-9\nid: x\nkey: %s\nsha256: %s\n",
             lab.user, lab.ca);
    char *krl = make_krl(&lab, specification, &len);
    for (size_t cut = 8; cut < len; cut++) {
        int status = alk_revocations_parse(&list, "krl", krl, cut, &error);
        if (status == ALK_OK) { /* between two sections */
            alk_revocations_free(list);
            continue;
        }
        assert_int_equal(status, ALK_E_PARSE);
        assert_non_null(strstr(error.text, "krl is not a usable key revocation list"));
    }
    krl[11] = 2; /* the format's version */
    assert_int_equal(alk_revocations_parse(&list, "krl", krl, len, &error), ALK_E_PARSE);
    free(krl);
    static const char *const bad[] = {"hello\n", "ssh-ed25519 AAAA\n", "ssh-ed25519 A!\n",
                                      "SSHKRL\n", "restrict ssh-ed25519 AAAA"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char text[512];
        snprintf(text, sizeof(text), "%s\n%s", lab.user, bad[i]);
        assert_int_equal(alk_revocations_parse(&list, "list", text, strlen(text), &error),
                         ALK_E_PARSE);
        assert_non_null(strstr(error.text, "list: line 2 "));
    }
}

/* ---- security keys: an authenticator of software ---- */

static void security_keys_attest_presence(void **state)
{
    enum { TOUCHED = 1, VERIFIED = 4 };
    static const struct {
        const char *options;
        uint8_t flags;
        const char *why;
    } attempts[] = {
        {"", TOUCHED, NULL},
        {"", 0, "user-not-present"},
        {"", VERIFIED, "user-not-present"},
        {"no-touch-required", 0, NULL},
        {"verify-required", TOUCHED, "user-not-verified"},
        {"verify-required", TOUCHED | VERIFIED, NULL},
        {"no-touch-required,verify-required", VERIFIED, NULL},
    };
    uint8_t raw[crypto_sign_PUBLICKEYBYTES], secret[crypto_sign_SECRETKEYBYTES];
    uint8_t blob[256], text[69], signature[256], bare[crypto_sign_BYTES];
    struct alk_writer w = alk_writer(blob, sizeof(blob));
    char line[1024];

    (void)state;
    crypto_sign_keypair(raw, secret);
    alk_put_text(&w, "sk-ssh-ed25519@openssh.com");
    alk_put_string(&w, raw, sizeof(raw));
    alk_put_text(&w, "ssh:test");
    size_t blob_len = alk_writer_len(&w);
    for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++) {
        struct alk_presence presence;
        struct alk_grant grant;
        crypto_hash_sha256(text, (const uint8_t *)"ssh:test", 8);
        memcpy(text + 32, (uint8_t[]){attempts[i].flags, 0, 0, 0, 9}, 5);
        crypto_hash_sha256(text + 37, (const uint8_t *)"message", 7);
        crypto_sign_detached(bare, NULL, text, sizeof(text), secret);
        struct alk_writer s = alk_writer(signature, sizeof(signature));
        alk_put_text(&s, "sk-ssh-ed25519@openssh.com");
        alk_put_string(&s, bare, sizeof(bare));
        alk_put_bytes(&s, text + 32, 5);
        size_t len = alk_writer_len(&s);
        assert_int_equal(
            alk_user_key_verify(blob, blob_len, "message", 7, signature, len, &presence), ALK_OK);
        assert_int_equal(alk_user_key_verify(blob, blob_len, "massage", 7, signature, len, NULL),
                         ALK_E_CRYPTO);
        assert_int_equal(
            alk_user_key_verify(blob, blob_len, "message", 7, signature, len - 1, NULL),
            ALK_E_CRYPTO);
        signature[len - 5] ^= TOUCHED; /* what it saw is signed too */
        assert_int_equal(alk_user_key_verify(blob, blob_len, "message", 7, signature, len, NULL),
                         ALK_E_CRYPTO);
        char base64[512];
        sodium_bin2base64(base64, sizeof(base64), blob, blob_len, sodium_base64_VARIANT_ORIGINAL);
        snprintf(line, sizeof(line), "%s sk-ssh-ed25519@openssh.com %s", attempts[i].options,
                 base64);
        struct trust t = make_trust(line, NULL, NULL, 0);
        struct alk_login login = login_with(blob, blob_len);
        login.presence = presence;
        const char *why = alk_grant_judge(&t.trust, &login, &grant);
        if ((why == NULL) != (attempts[i].why == NULL) ||
            (why != NULL && strcmp(why, attempts[i].why) != 0))
            fail_msg("%s, flags %d: %s", attempts[i].options, attempts[i].flags, why);
        login.proven = false; /* when only asked about, nobody was to touch it yet */
        assert_null(alk_grant_judge(&t.trust, &login, &grant));
        free_trust(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define WITH_SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_make, scratch_remove)
        WITH_SCRATCH(judges_what_ssh_keygen_signs),
        WITH_SCRATCH(a_grant_says_who_and_until_when),
        WITH_SCRATCH(an_authority_does_not_log_in),
        WITH_SCRATCH(a_damaged_certificate_is_refused),
        WITH_SCRATCH(revocation_lists_mean_what_ssh_keygen_says),
        WITH_SCRATCH(keys_are_revoked_in_every_way),
        WITH_SCRATCH(a_list_counts_as_a_whole_or_not_at_all),
        cmocka_unit_test(security_keys_attest_presence),
    };

    if (alk_crypto_init() != ALK_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
