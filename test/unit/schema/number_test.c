/* Exact numbers: comparison across integers and reals, and decimal multiples. */
#include "number.h"
#include "value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static json_t *parse(const char *text)
{
    json_error_t error;
    json_t *value = json_loads(text, JSON_DECODE_ANY, &error);
    if (!value)
        fail_msg("%s: %s", text, error.text);
    return value;
}

static void test_multiples(void **state)
{
    (void)state;
    static const struct {
        const char *value, *divisor;
        bool expected;
    } cases[] = {
        {"0.0075", "0.0001", true},
        {"0.00751", "0.0001", false},
        {"0.00751", "0.00001", true},
        {"1e308", "0.123456789", false},
        {"1e308", "0.5", true},
        {"1e308", "1e-300", true},
        {"1e308", "3", false},
        {"0.3", "0.1", true},
        {"1.1", "0.1", true},
        {"4.35", "0.01", true},
        {"19.99", "0.01", true},
        {"19.995", "0.01", false},
        {"-4.5", "1.5", true},
        {"0", "7", true},
        {"0.0", "7.5", true},
        {"9007199254740993", "3", true},
        {"9007199254740993", "2", false},
        {"9223372036854775807", "7", true},
        {"9223372036854775807", "9223372036854775806", false},
        {"-9223372036854775808", "2", true},
        {"-9223372036854775808", "3", false},
        {"12.0", "4", true},
        {"10", "2.5", true},
        {"10", "2.6", false},
        {"100", "1e2", true},
        {"150", "1e2", false},
        {"5e-324", "5e-324", true},
        {"1.7976931348623157e308", "1e292", true},
        {"1.7976931348623157e308", "1e293", false},
        {"123456789012345678", "10", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_t *value = parse(cases[i].value), *divisor = parse(cases[i].divisor);
        bool got = decimal_is_multiple(decimal_of(value), decimal_of(divisor));
        if (got != cases[i].expected)
            fail_msg("%s multiple of %s: expected %d, got %d", cases[i].value, cases[i].divisor,
                     cases[i].expected, got);
        json_decref(value);
        json_decref(divisor);
    }
}

static void test_comparison(void **state)
{
    (void)state;
    /* ascending; neighbours marked '=' are equal to the one before */
    static const char *const order[] = {"-1e300",
                                        "-9223372036854775808",
                                        "=-9223372036854775808.0",
                                        "-9223372036854775807",
                                        "-2.5",
                                        "-2",
                                        "=-2.0",
                                        "0",
                                        "=-0.0",
                                        "5e-324",
                                        "0.5",
                                        "1",
                                        "1.5",
                                        "9007199254740992",
                                        "=9007199254740992.0",
                                        "9007199254740993",
                                        "9007199254740994",
                                        "9223372036854775807",
                                        "9223372036854775808.0",
                                        "1e308"};
    size_t n = sizeof order / sizeof *order;
    int rank[32] = {0};
    for (size_t i = 1; i < n; i++)
        rank[i] = rank[i - 1] + (order[i][0] != '=');
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n; j++) {
            json_t *a = parse(order[i] + (order[i][0] == '='));
            json_t *b = parse(order[j] + (order[j][0] == '='));
            int expected = (rank[i] > rank[j]) - (rank[i] < rank[j]);
            if (number_compare(a, b) != expected)
                fail_msg("%s and %s: expected %d, got %d", order[i], order[j], expected,
                         number_compare(a, b));
            json_decref(a);
            json_decref(b);
        }
    }
}

static void test_integers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool integer;
    } cases[] = {{"1", true},
                 {"1.0", true},
                 {"1.5", false},
                 {"1e300", true},
                 {"-0.0", true},
                 {"1e-1", false},
                 {"9223372036854775807", true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_t *value = parse(cases[i].text);
        if (number_is_integer(value) != cases[i].integer)
            fail_msg("%s: expected %d", cases[i].text, cases[i].integer);
        json_decref(value);
    }
}

/* The sorting way (more than 8 items) and the pairwise way must agree. */
static void test_unique_items(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int expected;
    } cases[] = {
        {"[1,2,3,4,5,6,7,8,9,10]", 1},
        {"[1,2,3,4,5,6,7,8,9,1.0]", 0},
        {"[1,2,3,1.0]", 0},
        {"[{\"a\":1,\"b\":2},{\"b\":2,\"a\":1}]", 0},
        {"[1,2,3,4,5,6,7,8,{\"a\":1,\"b\":2},{\"b\":2,\"a\":1.0}]", 0},
        {"[1,2,3,4,5,6,7,8,{\"a\":1,\"b\":2},{\"b\":2,\"a\":2}]", 1},
        {"[1,true,0,false,null,\"\",[],{},\"0\",[0],[false]]", 1},
        {"[[1,2],[2,1],[1],[1,2,3],[],[[]],[[[]]],[{}],[0],[1,2]]", 0},
        {"[\"a\",\"b\",\"ab\",\"ba\",\"aa\",\"bb\",\"c\",\"d\",\"e\",\"ab\"]", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_t *value = parse(cases[i].text);
        int got = value_items_unique(value, 100);
        if (got != cases[i].expected)
            fail_msg("%s: expected %d, got %d", cases[i].text, cases[i].expected, got);
        json_decref(value);
    }
    json_t *deep = parse("[[[[[1]]]],[[[[1]]]]]");
    assert_true(value_items_unique(deep, 3) < 0);
    json_decref(deep);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_multiples),
        cmocka_unit_test(test_comparison),
        cmocka_unit_test(test_integers),
        cmocka_unit_test(test_unique_items),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
