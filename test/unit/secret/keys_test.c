/* SLIP-0010 and BIP32 against the vectors of their standards. */
#include "support/test.h"

#include <alk/secret_keys.h>

static void slip10_vectors(void **state)
{
    FILE *file = vectors_open("slip10.txt");
    struct vector v = {0};
    unsigned n = 0;

    (void)state;
    for (; vectors_next(file, &v); n++) {
        struct alk_slip10_key key;
        struct alk_secret_path path;
        uint8_t seed[64], public_key[32];
        size_t len = from_hex(v.field[0], seed, sizeof seed);
        expect_code(v.field[1], alk_secret_path_parse(v.field[1], &path, NULL), 0);
        expect_code(v.field[1], alk_slip10_derive(seed, len, &path, &key), 0);
        expect_code(v.field[1], alk_slip10_public(&key, public_key), 0);
        expect_hex(&v, "chain code", key.chain_code, 32, v.field[2]);
        expect_hex(&v, "private key", key.secret, 32, v.field[3]);
        expect_hex(&v, "public key", public_key, 32, v.field[4]);
    }
    fclose(file);
    assert_int_equal(n, 12);
}

static void slip10_refuses(void **state)
{
    static const struct alk_slip10_key zero;
    struct alk_slip10_key key;
    struct alk_secret_path path = {.depth = 2, .index = {ALK_SECRET_HARDENED, 1}};
    uint8_t seed[65] = {0};

    (void)state;
    memset(&key, 0xaa, sizeof key);
    expect_code("unhardened", alk_slip10_derive(seed, 64, &path, &key), ALK_SECRET_E_HARDENED);
    assert_memory_equal(&key, &zero, sizeof key);
    path.depth = 0;
    expect_code("short seed", alk_slip10_derive(seed, 15, &path, &key), ALK_SECRET_E_ARGUMENT);
    expect_code("long seed", alk_slip10_derive(seed, 65, &path, &key), ALK_SECRET_E_ARGUMENT);
}

static void expect_same_text(const struct vector *v, const char *text, bool secret)
{
    struct alk_bip32_key key;
    char out[ALK_BIP32_TEXT_SIZE];

    expect_code(text, alk_bip32_parse(text, &key), 0);
    assert_int_equal(key.has_secret, secret);
    expect_code(text, alk_bip32_format(&key, secret, out), 0);
    expect_text(v, "read and written again", out, text);
    if (!secret)
        expect_code("xprv of an xpub", alk_bip32_format(&key, true, out), ALK_SECRET_E_KEY);
}

static void bip32_vectors(void **state)
{
    FILE *file = vectors_open("bip32.txt");
    struct vector v = {0};
    unsigned n = 0;

    (void)state;
    for (; vectors_next(file, &v); n++) {
        struct alk_bip32_key key;
        struct alk_secret_path path;
        uint8_t seed[64];
        char text[ALK_BIP32_TEXT_SIZE];
        size_t len = from_hex(v.field[0], seed, sizeof seed);
        expect_code(v.field[1], alk_secret_path_parse(v.field[1], &path, NULL), 0);
        expect_code(v.field[1], alk_bip32_derive(seed, len, &path, &key), 0);
        alk_bip32_format(&key, false, text);
        expect_text(&v, "xpub", text, v.field[2]);
        alk_bip32_format(&key, true, text);
        expect_text(&v, "xprv", text, v.field[3]);
        expect_same_text(&v, v.field[2], false);
        expect_same_text(&v, v.field[3], true);
    }
    fclose(file);
    assert_int_equal(n, 17);
}

static void bip32_invalid_keys(void **state)
{
    static const struct alk_bip32_key zero;
    static const char *const others[] = {"", "1", "xprv", "0", "xpub661MyMwAqRbc!"};
    FILE *file = vectors_open("bip32_invalid.txt");
    struct vector v = {0};
    struct alk_bip32_key key;
    char long_one[4096];
    unsigned n = 0;

    (void)state;
    for (; vectors_next(file, &v); n++) {
        expect_code(v.field[1], alk_bip32_parse(v.field[0], &key), ALK_SECRET_E_KEY);
        assert_memory_equal(&key, &zero, sizeof key);
    }
    fclose(file);
    assert_int_equal(n, 16);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        expect_code(others[i], alk_bip32_parse(others[i], &key), ALK_SECRET_E_KEY);
    memset(long_one, 'z', sizeof long_one - 1);
    long_one[sizeof long_one - 1] = '\0';
    expect_code("4095 digits", alk_bip32_parse(long_one, &key), ALK_SECRET_E_KEY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slip10_vectors),
        cmocka_unit_test(slip10_refuses),
        cmocka_unit_test(bip32_vectors),
        cmocka_unit_test(bip32_invalid_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
