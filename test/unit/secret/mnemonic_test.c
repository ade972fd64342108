/* BIP39: the official vectors, normalisation, and what is refused. */
#include "support/test.h"

#include <alk/secret_mnemonic.h>

#include <sodium.h>

static void official_vectors(void **state)
{
    FILE *file = vectors_open("bip39.txt");
    struct vector v = {0};
    unsigned n = 0;

    (void)state;
    for (; vectors_next(file, &v); n++) {
        uint8_t entropy[ALK_MNEMONIC_ENTROPY_MAX], back[ALK_MNEMONIC_ENTROPY_MAX];
        uint8_t seed[ALK_SEED_SIZE];
        char words[ALK_MNEMONIC_SIZE];
        size_t len = from_hex(v.field[0], entropy, sizeof entropy), back_len = 0;
        expect_code("from entropy", alk_mnemonic_from_entropy(entropy, len, words, sizeof words),
                    0);
        expect_text(&v, "mnemonic", words, v.field[1]);
        expect_code("to entropy", alk_mnemonic_to_entropy(words, back, &back_len, NULL), 0);
        expect_hex(&v, "entropy", back, back_len, v.field[0]);
        expect_code("to seed", alk_mnemonic_to_seed(v.field[1], "TREZOR", seed, NULL), 0);
        expect_hex(&v, "seed", seed, sizeof seed, v.field[2]);
    }
    fclose(file);
    assert_int_equal(n, 24);
}

static void generated_ones_are_valid_and_differ(void **state)
{
    static const unsigned counts[] = {12, 15, 18, 21, 24};
    char first[ALK_MNEMONIC_SIZE], second[ALK_MNEMONIC_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        expect_code("generate", alk_mnemonic_generate(counts[i], first, sizeof first), 0);
        expect_code("generate", alk_mnemonic_generate(counts[i], second, sizeof second), 0);
        expect_code(first, alk_mnemonic_validate(first, NULL), (int)counts[i]);
        assert_string_not_equal(first, second);
    }
    expect_code("13 words", alk_mnemonic_generate(13, first, sizeof first),
                ALK_SECRET_E_WORD_COUNT);
    expect_code("27 words", alk_mnemonic_generate(27, first, sizeof first),
                ALK_SECRET_E_WORD_COUNT);
    expect_code("no room", alk_mnemonic_generate(24, first, 40), ALK_SECRET_E_SPACE);
}

static void expect_seed(const char *what, const char *mnemonic, const char *passphrase,
                        const char *expected)
{
    struct alk_secret_error error = {""};
    struct vector v = {0};
    uint8_t seed[ALK_SEED_SIZE] = {0};

    expect_code(what, alk_mnemonic_to_seed(mnemonic, passphrase, seed, &error), 0);
    expect_hex(&v, what, seed, sizeof seed, expected);
}

/* Expected seeds computed with python3-mnemonic 0.19. */
static void normalisation(void **state)
{
    static const char plain[] = "5eb00bbddcf069084889a8ab9155568165f5c453ccb85e70811aaed6f6da5fc19a"
                                "5ac40b389cd370d086206dec8aa6c43daea6690f20ad3d8d48b2d2ce9e38e4";
    static const char accents[] =
        "6285a9bf63dcef66003bae7eff1aee2b16a12e97307a2f108177121bde2adc59e7870c003d510d6c1b371b8421"
        "4a27e9f043ade33dcf587b16bb68a3a3b235d8";

    (void)state;
    expect_seed("plain", ABANDON, "", plain);
    expect_seed("no passphrase", ABANDON, NULL, plain);
    expect_seed("wide blanks",
                "abandon\u3000abandon\u3000abandon\u3000abandon\u3000abandon\u3000abandon\u3000"
                "abandon\u3000abandon\u3000abandon\u3000abandon\u3000abandon\u3000about",
                "", plain);
    expect_seed("full-width letters",
                "\uff41\uff42\uff41\uff4e\uff44\uff4f\uff4e abandon abandon abandon abandon "
                "abandon abandon abandon abandon abandon abandon about",
                "", plain);
    expect_seed("line ends and runs of blanks",
                "\n abandon abandon  abandon abandon\tabandon abandon abandon\nabandon abandon "
                "abandon abandon about\r\n",
                "", plain);
    expect_seed("composed", ABANDON, "caf\u00e9 \ufb01 \U0001f511\u3000\u1e9b\u0323", accents);
    expect_seed("decomposed", ABANDON, "cafe\u0301 fi \U0001f511 s\u0323\u0307", accents);
}

/* U+FDFA, one letter for a whole sentence, becomes 18 code points: no text grows more. The
 * expected seed is hashlib's PBKDF2 of what unicodedata makes of it. */
static void the_longest_normal_form(void **state)
{
    static const char expected[] =
        "8ecf08dfa402a2e04557a939574c9efa0087298664f14cb1dcfb2d57210ca2d2e498f24596dbb2c9f4394216d6"
        "61c7cf0348415f9fa440dd0c859e0c6aaf7bd3";
    char passphrase[ALK_MNEMONIC_INPUT_MAX + 1];
    size_t len = 0;

    (void)state;
    for (; len + 3 < sizeof passphrase; len += 3)
        memcpy(passphrase + len, "\ufdfa", 3);
    passphrase[len] = '\0';
    assert_int_equal(len, 341 * 3);
    expect_seed("341 times U+FDFA", ABANDON, passphrase, expected);
}

static void expect_refused(const char *mnemonic, int code, const char *text)
{
    static const uint8_t untouched[ALK_SEED_SIZE] = {0};
    struct alk_secret_error error = {""};
    struct vector v = {0};
    uint8_t seed[ALK_SEED_SIZE] = {0};

    expect_code(mnemonic, alk_mnemonic_to_seed(mnemonic, "", seed, &error), code);
    expect_text(&v, mnemonic, error.text, text);
    assert_memory_equal(seed, untouched, sizeof seed);
    expect_code(mnemonic, alk_mnemonic_validate(mnemonic, NULL), code);
}

static void bad_ones_are_refused(void **state)
{
    char long_one[ALK_MNEMONIC_INPUT_MAX + 2];

    (void)state;
    expect_refused("", ALK_SECRET_E_WORD_COUNT,
                   "the mnemonic has 0 words; it must have 12, 15, 18, 21 or 24");
    expect_refused("abandon abandon", ALK_SECRET_E_WORD_COUNT,
                   "the mnemonic has 2 words; it must have 12, 15, 18, 21 or 24");
    expect_refused(ABANDON " " ABANDON " " ABANDON, ALK_SECRET_E_WORD_COUNT,
                   "the mnemonic has 36 words; it must have 12, 15, 18, 21 or 24");
    expect_refused("abandon abandon abandon abandon abandon abandon abandon abandon abandon "
                   "abandon abandon abandon",
                   ALK_SECRET_E_CHECKSUM,
                   "the checksum of the mnemonic is wrong; check the words and their order");
    expect_refused("abandon abandno abandon abandon abandon abandon abandon abandon abandon "
                   "abandon abandon about",
                   ALK_SECRET_E_WORD,
                   "word 2 is not in the English BIP39 list; is it \"abandon\"?");
    expect_refused("abandon abandon abandon abandon abandon abandon abandon abandon abandon "
                   "abandon abandon ABOUT",
                   ALK_SECRET_E_WORD, "word 12 is not in the English BIP39 list; is it \"about\"?");
    expect_refused("legal winner thank year wave sausage worth usefully legal winner thank yellow",
                   ALK_SECRET_E_WORD, "word 8 is not in the English BIP39 list; is it \"useful\"?");
    expect_refused("abandonment", ALK_SECRET_E_WORD,
                   "word 1 is not in the English BIP39 list; is it \"abandon\"?");
    expect_refused("abandon xqzwvkjxqz", ALK_SECRET_E_WORD,
                   "word 2 is not in the English BIP39 list; check its spelling");
    expect_refused("abandon \xff\xfe", ALK_SECRET_E_UTF8, alk_secret_strerror(ALK_SECRET_E_UTF8));
    expect_refused("abandon \xed\xa0\x80", ALK_SECRET_E_UTF8,
                   alk_secret_strerror(ALK_SECRET_E_UTF8));
    memset(long_one, 'a', sizeof long_one - 1);
    long_one[sizeof long_one - 1] = '\0';
    expect_refused(long_one, ALK_SECRET_E_TOO_LONG, "the mnemonic is longer than 1024 bytes");
}

static void bad_passphrases_are_refused(void **state)
{
    struct alk_secret_error error;
    uint8_t seed[ALK_SEED_SIZE];
    char long_one[ALK_MNEMONIC_INPUT_MAX + 2];

    (void)state;
    memset(long_one, 'a', sizeof long_one - 1);
    long_one[sizeof long_one - 1] = '\0';
    expect_code("long", alk_mnemonic_to_seed(ABANDON, long_one, seed, &error),
                ALK_SECRET_E_TOO_LONG);
    assert_string_equal(error.text, "the passphrase is longer than 1024 bytes");
    expect_code("none", alk_mnemonic_to_seed(NULL, "", seed, &error), ALK_SECRET_E_ARGUMENT);
    expect_code("not UTF-8", alk_mnemonic_to_seed(ABANDON, "\xc3", seed, &error),
                ALK_SECRET_E_UTF8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(official_vectors),
        cmocka_unit_test(generated_ones_are_valid_and_differ),
        cmocka_unit_test(normalisation),
        cmocka_unit_test(the_longest_normal_form),
        cmocka_unit_test(bad_ones_are_refused),
        cmocka_unit_test(bad_passphrases_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
