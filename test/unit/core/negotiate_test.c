/* Name lists of KEXINIT. */
#include "ssh/negotiate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static struct alk_bytes list(const char *text)
{
    return (struct alk_bytes){.data = (const uint8_t *)text, .len = strlen(text)};
}

#define NAME_64 "0123456789012345678901234567890123456789012345678901234567890123"

static void test_first_common_name(void **state)
{
    static const struct {
        const char *client, *server, *chosen; /* NULL = none */
    } table[] = {
        {"a", "a", "a"},
        {"a,b", "b,a", "a"}, /* the client's order counts */
        {"x,b,a", "a,b", "b"},
        {"a", "b", NULL},
        {"", "", NULL},
        {"", "a", NULL},
        {"a", "", NULL},
        {",", ",", NULL}, /* an empty name is none */
        {",,a,", ",a", "a"},
        {"a,", "a", "a"},
        {"ab", "a,b", NULL}, /* whole names only */
        {"a", "ab", NULL},
        {"aes256-ctr", "aes256-ctr2,aes256-ct", NULL},
        {"A", "a", NULL},
        {NAME_64, "x," NAME_64, NAME_64},
        {NAME_64 "0,b", "b," NAME_64 "0", "b"}, /* longer than a name may be */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        char name[ALK_NAME_MAX + 1] = "untouched";
        bool found = alk_negotiate(list(table[i].client), list(table[i].server), name);
        if (found != (table[i].chosen != NULL))
            fail_msg("'%s' and '%s': got '%s'", table[i].client, table[i].server, name);
        assert_string_equal(name, found ? table[i].chosen : "");
    }
}

static void test_lists_need_no_terminator(void **state)
{
    static const char text[] = {'a', ',', 'b', 'X'};
    struct alk_bytes cut = {.data = (const uint8_t *)text, .len = 3};
    char name[ALK_NAME_MAX + 1];

    (void)state;
    assert_true(alk_negotiate(list("bX,b"), cut, name));
    assert_string_equal(name, "b");
    assert_false(alk_list_has(cut, "bX"));
    assert_true(alk_list_has(cut, "b"));
    assert_false(alk_list_has(cut, ""));
}

static void test_same_first(void **state)
{
    (void)state;
    assert_true(alk_list_same_first(list("a,b"), list("a")));
    assert_false(alk_list_same_first(list("a,b"), list("b,a")));
    assert_false(alk_list_same_first(list(""), list("")));
    assert_false(alk_list_same_first(list("a"), list("")));
    assert_false(alk_list_same_first(list("a"), list("ab")));
}

static void test_parse(void **state)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz";
    uint8_t message[200] = {0};
    struct alk_writer w = alk_writer(message + 16, sizeof(message) - 16);
    struct kexinit init;

    (void)state;
    for (int i = 0; i < LIST_COUNT; i++)
        alk_put_string(&w, &letters[i], (size_t)i);
    alk_put_u8(&w, 1);
    alk_put_u32(&w, 0);
    size_t whole = 16 + alk_writer_len(&w);
    for (size_t len = 0; len <= whole; len++) {
        struct alk_reader r = alk_reader(message, len);
        alk_kexinit_parse(&r, &init);
        assert_int_equal(alk_reader_done(&r), len == whole);
        for (int i = 0; i < LIST_COUNT; i++) /* never beyond what is there */
            assert_true(init.list[i].data + init.list[i].len <= message + len);
    }
    assert_true(init.guess_follows);
    assert_int_equal(init.list[LIST_LANGUAGE_S2C].len, 9);
    assert_memory_equal(init.list[LIST_HOST_KEY].data, "b", 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_common_name),
        cmocka_unit_test(test_lists_need_no_terminator),
        cmocka_unit_test(test_same_first),
        cmocka_unit_test(test_parse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
