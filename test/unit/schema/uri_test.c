/* RFC 3986 section 5.4: every example of reference resolution, and some edges. */
#include "uri.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void expect(const char *base, const char *reference, const char *expected)
{
    char *got = uri_resolve(base, reference);
    if (!got || strcmp(got, expected) != 0)
        fail_msg("<%s> against <%s>: expected <%s>, got <%s>", reference, base, expected,
                 got ? got : "NULL");
    free(got);
}

static void test_rfc_examples(void **state)
{
    (void)state;
    static const char *const examples[][2] = {
        {"g:h", "g:h"},
        {"g", "http://a/b/c/g"},
        {"./g", "http://a/b/c/g"},
        {"g/", "http://a/b/c/g/"},
        {"/g", "http://a/g"},
        {"//g", "http://g"},
        {"?y", "http://a/b/c/d;p?y"},
        {"g?y", "http://a/b/c/g?y"},
        {"#s", "http://a/b/c/d;p?q#s"},
        {"g#s", "http://a/b/c/g#s"},
        {"g?y#s", "http://a/b/c/g?y#s"},
        {";x", "http://a/b/c/;x"},
        {"g;x", "http://a/b/c/g;x"},
        {"g;x?y#s", "http://a/b/c/g;x?y#s"},
        {"", "http://a/b/c/d;p?q"},
        {".", "http://a/b/c/"},
        {"./", "http://a/b/c/"},
        {"..", "http://a/b/"},
        {"../", "http://a/b/"},
        {"../g", "http://a/b/g"},
        {"../..", "http://a/"},
        {"../../", "http://a/"},
        {"../../g", "http://a/g"},
        {"../../../g", "http://a/g"},
        {"../../../../g", "http://a/g"},
        {"/./g", "http://a/g"},
        {"/../g", "http://a/g"},
        {"g.", "http://a/b/c/g."},
        {".g", "http://a/b/c/.g"},
        {"g..", "http://a/b/c/g.."},
        {"..g", "http://a/b/c/..g"},
        {"./../g", "http://a/b/g"},
        {"./g/.", "http://a/b/c/g/"},
        {"g/./h", "http://a/b/c/g/h"},
        {"g/../h", "http://a/b/c/h"},
        {"g;x=1/./y", "http://a/b/c/g;x=1/y"},
        {"g;x=1/../y", "http://a/b/c/y"},
        {"g?y/./x", "http://a/b/c/g?y/./x"},
        {"g?y/../x", "http://a/b/c/g?y/../x"},
        {"g#s/./x", "http://a/b/c/g#s/./x"},
        {"g#s/../x", "http://a/b/c/g#s/../x"},
        {"http:g", "http:g"},
    };
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++)
        expect("http://a/b/c/d;p?q", examples[i][0], examples[i][1]);
}

static void test_edges(void **state)
{
    (void)state;
    expect("", "foo.json", "foo.json");
    expect("", "#/a/b", "#/a/b");
    expect("urn:uuid:1-2", "#x", "urn:uuid:1-2#x");
    expect("http://host", "x", "http://host/x");
    expect("a/b", "c", "a/c");
    expect("a/b#old", "#new", "a/b#new");

    char good[] = "a%20b%7E", cut[] = "a%2", nul[] = "a%00b", bad[] = "%zz";
    assert_true(uri_percent_decode(good));
    assert_string_equal(good, "a b~");
    assert_false(uri_percent_decode(cut));
    assert_false(uri_percent_decode(nul));
    assert_false(uri_percent_decode(bad));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rfc_examples),
        cmocka_unit_test(test_edges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
