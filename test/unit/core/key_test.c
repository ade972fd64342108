/* Signatures, fingerprints and public key lines, against RFC 8032 and ssh-keygen. */
#include "auth/key_internal.h"
#include "ssh/wire.h"
#include "support/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* RFC 8032 section 7.1, TEST 1, 2, 3 and SHA(abc) */
struct vector {
    const char *seed, *public_key, *message, *signature;
};

static const struct vector vectors[] = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b"
     "4"
     "6bd25bf5f0595bbe24655141438e7a100b"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11"
     "d"
     "8c387b2eaeb4302aeeb00d291612bb0c00"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc"
     "6"
     "594a7c15e9716ed28dc027beceea1ec40a"},
    {"833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
     "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
     "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3fee"
     "b"
     "bd454d4423643ce80e2a9ac94fa54ca49f",
     "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e"
     "0"
     "303dca179c138ac17ad9bef1177331a704"},
};

static size_t unhex(const char *hex, uint8_t *out, size_t size)
{
    size_t len;

    assert_int_equal(sodium_hex2bin(out, size, hex, strlen(hex), NULL, &len, NULL), 0);
    return len;
}

static struct alk_key *key_from_hex(const char *hex)
{
    uint8_t seed[ALK_KEY_SEED_SIZE];
    struct alk_key *key;

    assert_int_equal(unhex(hex, seed, sizeof(seed)), sizeof(seed));
    assert_int_equal(alk_key_from_seed(&key, seed), ALK_OK);
    return key;
}

static void signs_as_rfc8032(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        uint8_t public_key[32], message[64], expected[64];
        uint8_t signature[ALK_SIGNATURE_BLOB_SIZE];
        struct alk_key *key = key_from_hex(vectors[i].seed);
        size_t len = unhex(vectors[i].message, message, sizeof(message));

        unhex(vectors[i].public_key, public_key, sizeof(public_key));
        unhex(vectors[i].signature, expected, sizeof(expected));
        assert_memory_equal(alk_key_blob(key), "\0\0\0\x0bssh-ed25519\0\0\0\x20", 19);
        assert_memory_equal(alk_key_blob(key) + 19, public_key, 32);
        alk_key_sign(key, message, len, signature);
        assert_memory_equal(signature, "\0\0\0\x0bssh-ed25519\0\0\0\x40", 19);
        assert_memory_equal(signature + 19, expected, 64);
        assert_int_equal(alk_key_verify(alk_key_blob(key), ALK_KEY_BLOB_SIZE, message, len,
                                        signature, sizeof(signature)),
                         ALK_OK);
        alk_key_free(key);
    }
}

static void refuses_every_changed_bit(void **state)
{
    struct alk_key *key = key_from_hex(vectors[2].seed);
    uint8_t signature[ALK_SIGNATURE_BLOB_SIZE];
    uint8_t blob[ALK_KEY_BLOB_SIZE];
    uint8_t data[] = "a message";

    (void)state;
    memcpy(blob, alk_key_blob(key), sizeof(blob));
    alk_key_sign(key, data, sizeof(data), signature);
    for (size_t bit = 0; bit < 8 * sizeof(signature); bit++) {
        signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
        if (alk_key_verify(blob, sizeof(blob), data, sizeof(data), signature, sizeof(signature)) !=
            ALK_E_CRYPTO)
            fail_msg("signature with bit %zu changed: expected ALK_E_CRYPTO", bit);
        signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t bit = 0; bit < 8 * sizeof(blob); bit++) {
        blob[bit / 8] ^= (uint8_t)(1 << bit % 8);
        if (alk_key_verify(blob, sizeof(blob), data, sizeof(data), signature, sizeof(signature)) !=
            ALK_E_CRYPTO)
            fail_msg("key with bit %zu changed: expected ALK_E_CRYPTO", bit);
        blob[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    data[0] ^= 1;
    assert_int_equal(
        alk_key_verify(blob, sizeof(blob), data, sizeof(data), signature, sizeof(signature)),
        ALK_E_CRYPTO);
    data[0] ^= 1;
    assert_int_equal(
        alk_key_verify(blob, sizeof(blob), data, sizeof(data), signature, sizeof(signature)),
        ALK_OK);
    alk_key_free(key);
}

static void refuses_every_length_but_the_right_one(void **state)
{
    struct alk_key *key = key_from_hex(vectors[0].seed);
    uint8_t signature[ALK_SIGNATURE_BLOB_SIZE + 1] = {0};
    uint8_t blob[ALK_KEY_BLOB_SIZE + 1] = {0};

    (void)state;
    memcpy(blob, alk_key_blob(key), ALK_KEY_BLOB_SIZE);
    alk_key_sign(key, "x", 1, signature);
    for (size_t len = 0; len <= sizeof(signature); len++)
        assert_int_equal(alk_key_verify(blob, ALK_KEY_BLOB_SIZE, "x", 1, signature, len),
                         len == ALK_SIGNATURE_BLOB_SIZE ? ALK_OK : ALK_E_CRYPTO);
    for (size_t len = 0; len <= sizeof(blob); len++)
        assert_int_equal(alk_key_verify(blob, len, "x", 1, signature, ALK_SIGNATURE_BLOB_SIZE),
                         len == ALK_KEY_BLOB_SIZE ? ALK_OK : ALK_E_CRYPTO);
    alk_key_free(key);
}

/* With the neutral element as key, S = 0 and R = neutral satisfy the equation for any message. */
static void refuses_the_key_anybody_can_sign_for(void **state)
{
    uint8_t raw[32] = {1};
    uint8_t blob[ALK_KEY_BLOB_SIZE];
    uint8_t signature[ALK_SIGNATURE_BLOB_SIZE] = "\0\0\0\x0bssh-ed25519\0\0\0\x40\x01";

    (void)state;
    alk_key_make_blob(raw, blob);
    assert_int_equal(alk_key_verify(blob, sizeof(blob), "x", 1, signature, sizeof(signature)),
                     ALK_E_CRYPTO);
    assert_false(alk_key_point_valid(raw));
}

static void generates_different_keys(void **state)
{
    struct alk_key *a, *b;

    (void)state;
    assert_int_equal(alk_key_generate(&a), ALK_OK);
    assert_int_equal(alk_key_generate(&b), ALK_OK);
    assert_memory_not_equal(alk_key_blob(a), alk_key_blob(b), ALK_KEY_BLOB_SIZE);
    assert_true(alk_key_point_valid(alk_key_blob_raw(alk_key_blob(a), ALK_KEY_BLOB_SIZE)));
    alk_key_free(a);
    alk_key_free(b);
    alk_key_free(NULL);
}

static void agrees_with_ssh_keygen_on_public_lines(void **state)
{
    struct scratch *scratch = *state;
    char out[512], expected[512], line[512], comment[ALK_KEY_COMMENT_MAX];
    char fingerprint[ALK_FINGERPRINT_SIZE];
    uint8_t blob[ALK_KEY_BLOB_SIZE];
    struct alk_error error = {0};

    scratch_run(
        scratch, NULL, 0,
        ARGV("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "bob at home", "-f", "k"));
    scratch_run(scratch, out, sizeof(out), ARGV("ssh-keygen", "-l", "-f", "k.pub"));
    char *public_line = scratch_read(scratch, "k.pub", NULL);
    if (alk_key_parse_public(public_line, blob, comment, &error) != ALK_OK)
        fail_msg("%s", error.text);
    assert_string_equal(comment, "bob at home");
    alk_key_fingerprint(blob, sizeof(blob), fingerprint);
    snprintf(expected, sizeof(expected), "256 %s bob at home (ED25519)\n", fingerprint);
    assert_string_equal(out, expected);
    assert_int_equal(alk_key_format_public(blob, sizeof(blob), comment, line, sizeof(line)),
                     ALK_OK);
    public_line[strcspn(public_line, "\n")] = '\0';
    assert_string_equal(line, public_line);
    free(public_line);
}

#define B64 "AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea"

static const struct {
    const char *line;
    int code;
    const char *text; /* part of the error, or the comment */
} lines[] = {
    {"ssh-ed25519 " B64, ALK_OK, ""},
    {"ssh-ed25519 " B64 "\r\n", ALK_OK, ""},
    {" \tssh-ed25519\t " B64 "  a  b \r\n", ALK_OK, "a  b"},
    {"", ALK_E_PARSE, "not a public key line"},
    {"ssh-ed2551 " B64, ALK_E_PARSE, "not a public key line"},
    {"SSH-ED25519 " B64, ALK_E_PARSE, "not a public key line"},
    {"ssh-rsa AAAAB3NzaC1yc2E=", ALK_E_UNSUPPORTED, "unsupported key type ssh-rsa"},
    {"sk-ssh-ed25519@openssh.com AAAA", ALK_E_UNSUPPORTED, "sk-ssh-ed25519@openssh.com"},
    {"ssh-ed25519", ALK_E_PARSE, "cut short"},
    {"ssh-ed25519 AAAA", ALK_E_PARSE, "cut short"},
    {"ssh-ed25519 A", ALK_E_PARSE, "not valid base64"},
    {"ssh-ed25519 " B64 "=", ALK_E_PARSE, "too long"},
    {"ssh-ed25519 " B64 "AAAA", ALK_E_PARSE, "too long"},
    {"ssh-ed25519 AAAA*3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea",
     ALK_E_PARSE, "not valid base64"},
    {"ssh-ed25519 AAAAB3NzaC1yc2EAAAADAQABAAAAIAAA", ALK_E_PARSE, "another type"},
    /* all zero; the neutral element; y = 2, which is on no curve point */
    {"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
     ALK_E_PARSE, "valid Ed25519 point"},
    {"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
     ALK_E_PARSE, "valid Ed25519 point"},
    {"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
     ALK_E_PARSE, "valid Ed25519 point"},
    {"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIP//////////////////////////////////////////",
     ALK_E_PARSE, "valid Ed25519 point"},
};

static void reads_public_lines(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        uint8_t blob[ALK_KEY_BLOB_SIZE];
        char comment[ALK_KEY_COMMENT_MAX] = "";
        struct alk_error error = {0};
        int rc = alk_key_parse_public(lines[i].line, blob, comment, &error);

        if (rc != lines[i].code)
            fail_msg("\"%s\": expected %d, got %d (%s)", lines[i].line, lines[i].code, rc,
                     error.text);
        if (rc == ALK_OK)
            assert_string_equal(comment, lines[i].text);
        else if (strstr(error.text, lines[i].text) == NULL)
            fail_msg("\"%s\": expected an error with \"%s\", got \"%s\"", lines[i].line,
                     lines[i].text, error.text);
    }
}

static void cuts_a_long_comment(void **state)
{
    char line[1024] = "ssh-ed25519 " B64 " ";
    char comment[ALK_KEY_COMMENT_MAX];
    uint8_t blob[ALK_KEY_BLOB_SIZE];

    (void)state;
    memset(line + strlen(line), 'c', 600);
    assert_int_equal(alk_key_parse_public(line, blob, comment, NULL), ALK_OK);
    assert_int_equal(strlen(comment), ALK_KEY_COMMENT_MAX - 1);
}

static void formats_within_bounds(void **state)
{
    static const char expected[] = "ssh-ed25519 " B64 " me";
    uint8_t blob[ALK_KEY_BLOB_SIZE];
    char out[sizeof(expected)];

    (void)state;
    assert_int_equal(alk_key_parse_public(expected, blob, NULL, NULL), ALK_OK);
    for (size_t size = 0; size < sizeof(out); size++)
        assert_int_equal(alk_key_format_public(blob, sizeof(blob), "me", out, size), ALK_E_LIMIT);
    assert_int_equal(alk_key_format_public(blob, sizeof(blob), "me", out, sizeof(out)), ALK_OK);
    assert_string_equal(out, expected);
    assert_int_equal(alk_key_format_public(blob, sizeof(blob), "", out, sizeof(out)), ALK_OK);
    assert_string_equal(out, "ssh-ed25519 " B64);
    assert_int_equal(alk_key_format_public(blob, 3, "me", out, sizeof(out)), ALK_E_INVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signs_as_rfc8032),
        cmocka_unit_test(refuses_every_changed_bit),
        cmocka_unit_test(refuses_every_length_but_the_right_one),
        cmocka_unit_test(refuses_the_key_anybody_can_sign_for),
        cmocka_unit_test(generates_different_keys),
        cmocka_unit_test_setup_teardown(agrees_with_ssh_keygen_on_public_lines, scratch_make,
                                        scratch_remove),
        cmocka_unit_test(reads_public_lines),
        cmocka_unit_test(cuts_a_long_comment),
        cmocka_unit_test(formats_within_bounds),
    };

    if (alk_crypto_init() != ALK_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
