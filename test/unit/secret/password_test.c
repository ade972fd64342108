/* Site passwords: the documented vectors, the classes, the bounds. */
#include "support/test.h"

#include "password.h"

#include <alk/secret_service.h>

static void vectors(void **state)
{
    FILE *file = vectors_open("password.txt");
    struct vector v = {0};
    unsigned n = 0;

    (void)state;
    for (; vectors_next(file, &v); n++) {
        uint8_t key[32];
        char out[ALK_SECRET_PASSWORD_MAX + 1];
        char *expected = v.field[2];
        from_hex(v.field[0], key, sizeof key);
        for (unsigned i = 3; i < v.count; i++) /* a "|" in the password */
            v.field[i][-1] = '|';
        expect_code(expected, alk_secret_password_make(key, (size_t)atoi(v.field[1]), out), 0);
        expect_text(&v, "password", out, expected);
    }
    fclose(file);
    assert_int_equal(n, 18);
}

static bool contains(const char *text, const char *set)
{
    return strpbrk(text, set) != NULL;
}

static void each_class_is_there(void **state)
{
    static const char symbols[] = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

    (void)state;
    for (unsigned i = 0; i < 2000; i++) {
        uint8_t key[32] = {(uint8_t)i, (uint8_t)(i >> 8)};
        char out[9];
        expect_code("make", alk_secret_password_make(key, 8, out), 0);
        if (strlen(out) != 8 || !contains(out, "abcdefghijklmnopqrstuvwxyz") ||
            !contains(out, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") || !contains(out, "0123456789") ||
            !contains(out, symbols))
            fail_msg("key %u: a class is missing in %s", i, out);
    }
}

static void bounds(void **state)
{
    uint8_t key[32] = {0};
    char out[ALK_SECRET_PASSWORD_MAX + 2];

    (void)state;
    expect_code("7", alk_secret_password_make(key, 7, out), ALK_SECRET_E_ARGUMENT);
    expect_code("129", alk_secret_password_make(key, 129, out), ALK_SECRET_E_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors),
        cmocka_unit_test(each_class_is_there),
        cmocka_unit_test(bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
