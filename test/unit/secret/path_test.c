/* Derivation paths: what is read, what is refused, the fixed ones. */
#include "support/test.h"

#include <alk/secret_path.h>

static void expect_round_trip(const char *text, const char *formatted)
{
    struct alk_secret_path path;
    struct vector v = {0};
    char out[ALK_SECRET_PATH_SIZE];

    expect_code(text, alk_secret_path_parse(text, &path, NULL), 0);
    expect_code(text, alk_secret_path_format(&path, out, sizeof out), 0);
    expect_text(&v, text, out, formatted);
}

static void good_ones(void **state)
{
    char deep[ALK_SECRET_PATH_SIZE] = "m";

    (void)state;
    expect_round_trip("m", "m");
    expect_round_trip("m/0", "m/0");
    expect_round_trip("m/74'/0h/0H/0'", "m/74'/0'/0'/0'");
    expect_round_trip("m/44'/60'/0'/0/0", "m/44'/60'/0'/0/0");
    expect_round_trip("m/2147483647'/2147483647", "m/2147483647'/2147483647");
    for (int i = 0; i < ALK_SECRET_PATH_DEPTH; i++)
        strcat(deep, "/2147483647'");
    expect_round_trip(deep, deep);
}

static void bad_ones(void **state)
{
    static const struct {
        const char *text;
        int code;
    } bad[] = {
        {"", ALK_SECRET_E_PATH},
        {"M/0", ALK_SECRET_E_PATH},
        {"0/1", ALK_SECRET_E_PATH},
        {"m/", ALK_SECRET_E_PATH},
        {"m//0", ALK_SECRET_E_PATH},
        {"m/0/", ALK_SECRET_E_PATH},
        {"m0", ALK_SECRET_E_PATH},
        {"m/0''", ALK_SECRET_E_PATH},
        {"m/'", ALK_SECRET_E_PATH},
        {"m/-1", ALK_SECRET_E_PATH},
        {"m/+1", ALK_SECRET_E_PATH},
        {"m/ 1", ALK_SECRET_E_PATH},
        {"m/1 ", ALK_SECRET_E_PATH},
        {"m/0x1", ALK_SECRET_E_PATH},
        {"m/01", ALK_SECRET_E_PATH},
        {"m/2147483648", ALK_SECRET_E_INDEX},
        {"m/2147483648'", ALK_SECRET_E_INDEX},
        {"m/4294967296", ALK_SECRET_E_INDEX},
        {"m/99999999999999999999999999999999999999", ALK_SECRET_E_INDEX},
        {"m/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0", ALK_SECRET_E_DEPTH},
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct alk_secret_path path = {.depth = 77};
        struct alk_secret_error error = {""};
        expect_code(bad[i].text, alk_secret_path_parse(bad[i].text, &path, &error), bad[i].code);
        assert_int_equal(path.depth, 77);
        assert_true(error.text[0] != '\0');
    }
    expect_code("none", alk_secret_path_parse(NULL, &(struct alk_secret_path){0}, NULL),
                ALK_SECRET_E_ARGUMENT);
}

static void made_ones(void **state)
{
    struct alk_secret_path path;
    struct vector v = {0};
    char out[ALK_SECRET_PATH_SIZE];

    (void)state;
    expect_code("device", alk_secret_path_device(7, &path), 0);
    alk_secret_path_format(&path, out, sizeof out);
    expect_text(&v, "device 7", out, "m/74'/0'/0'/7'");
    expect_code("device", alk_secret_path_device(ALK_SECRET_HARDENED, &path), ALK_SECRET_E_INDEX);
    expect_code("version 1", alk_secret_path_encryption(1, &path), 0);
    alk_secret_path_format(&path, out, sizeof out);
    expect_text(&v, "version 1", out, ALK_SECRET_PATH_ENCRYPTION);
    expect_code("last version", alk_secret_path_encryption(ALK_SECRET_HARDENED, &path), 0);
    alk_secret_path_format(&path, out, sizeof out);
    expect_text(&v, "last version", out, "m/74'/2'/0'/2147483647'");
    expect_code("version 0", alk_secret_path_encryption(0, &path), ALK_SECRET_E_VERSION);
    expect_code("too high", alk_secret_path_encryption(ALK_SECRET_HARDENED + 1, &path),
                ALK_SECRET_E_VERSION);
    /* sha256("example.org") as Python's hashlib gives it */
    expect_code("site", alk_secret_path_site("example.org", &path), 0);
    alk_secret_path_format(&path, out, sizeof out);
    expect_text(&v, "site", out, "m/74'/1'/0'/1068221300'");
    expect_code("no site", alk_secret_path_site("", &path), ALK_SECRET_E_ARGUMENT);
    expect_code("no room", alk_secret_path_format(&path, out, 5), ALK_SECRET_E_SPACE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_ones),
        cmocka_unit_test(bad_ones),
        cmocka_unit_test(made_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
