/* The same random inputs to this library and to @scure/bip39, @scure/bip32 and
 * micro-key-producer: phrases of every length, passphrases that normalise, deep paths.
 *
 * `make npm` installs them into build/npm. A failure names the seed of its inputs;
 * ALK_TEST_SEED=… runs them again.
 */
#include "support/test.h"

#include "password.h"

#include <alk/secret_keys.h>
#include <alk/secret_mnemonic.h>
#include <alk/secret_service.h>

#include <sodium.h>
#include <unistd.h>

#define MODULES "build/npm/node_modules"
#define CASES   1000

static void compare_seed(const struct vector *v, uint8_t seed[ALK_SEED_SIZE])
{
    char passphrase[ALK_MNEMONIC_INPUT_MAX + 1];
    size_t len = from_hex(v->field[1], (uint8_t *)passphrase, sizeof passphrase - 1);

    passphrase[len] = '\0';
    expect_code(v->field[0], alk_mnemonic_to_seed(v->field[0], passphrase, seed, NULL), 0);
    expect_hex(v, "seed", seed, ALK_SEED_SIZE, v->field[2]);
}

static void compare_ed25519(const struct vector *v, const uint8_t seed[ALK_SEED_SIZE])
{
    struct alk_secret_path path;
    struct alk_slip10_key key;
    uint8_t public_key[32];
    char password[ALK_SECRET_PASSWORD_MAX + 1];
    size_t length = (size_t)atoi(v->field[10]);

    expect_code(v->field[3], alk_secret_path_parse(v->field[3], &path, NULL), 0);
    expect_code(v->field[3], alk_slip10_derive(seed, ALK_SEED_SIZE, &path, &key), 0);
    expect_code(v->field[3], alk_slip10_public(&key, public_key), 0);
    expect_hex(v, "Ed25519 secret", key.secret, 32, v->field[4]);
    expect_hex(v, "chain code", key.chain_code, 32, v->field[5]);
    expect_hex(v, "Ed25519 public key", public_key, 32, v->field[6]);
    expect_code(v->field[10], alk_secret_password_make(key.secret, length, password), 0);
    expect_hex(v, "password", (const uint8_t *)password, length, v->field[11]);
}

static void compare_secp256k1(const struct vector *v, const uint8_t seed[ALK_SEED_SIZE])
{
    struct alk_secret_path path;
    struct alk_bip32_key key;
    char text[ALK_BIP32_TEXT_SIZE];

    expect_code(v->field[7], alk_secret_path_parse(v->field[7], &path, NULL), 0);
    expect_code(v->field[7], alk_bip32_derive(seed, ALK_SEED_SIZE, &path, &key), 0);
    alk_bip32_format(&key, true, text);
    expect_text(v, "xprv", text, v->field[8]);
    alk_bip32_format(&key, false, text);
    expect_text(v, "xpub", text, v->field[9]);
}

static void same_answers_as_the_peers(void **state)
{
    const char *chosen = getenv("ALK_TEST_SEED");
    char command[256];
    struct vector v = {0};
    unsigned run_seed = 0, n = 0;
    FILE *peers;

    (void)state;
    if (access(MODULES "/@scure/bip39", R_OK) != 0 || access(MODULES "/@scure/bip32", R_OK) != 0 ||
        access(MODULES "/micro-key-producer", R_OK) != 0)
        fail_msg("no npm packages in " MODULES ": run `make npm`");
    assert_true(sodium_init() >= 0);
    run_seed = chosen != NULL ? (unsigned)strtoul(chosen, NULL, 10) : randombytes_random();
    snprintf(command, sizeof command, "node test/unit/secret/peers.mjs %s %u %d", MODULES, run_seed,
             CASES);
    peers = popen(command, "r");
    assert_non_null(peers);
    print_message("ALK_TEST_SEED=%u\n", run_seed);
    for (; vectors_next(peers, &v); n++) {
        uint8_t seed[ALK_SEED_SIZE];
        assert_int_equal(v.count, 12);
        compare_seed(&v, seed);
        compare_ed25519(&v, seed);
        compare_secp256k1(&v, seed);
    }
    assert_int_equal(pclose(peers), 0);
    assert_int_equal(n, CASES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_answers_as_the_peers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
