/* ECMA 262 patterns on PCRE2: what matches, what is refused, and what is bounded. */
#include "regex.h"

#include "alk/schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int match_within(const char *pattern, const char *text, uint32_t limit)
{
    struct regex regex;
    char problem[160];
    pcre2_match_data *scratch = NULL;
    int status = regex_compile(&regex, pattern, strlen(pattern), limit, problem);
    if (status)
        return status;
    int found = regex_match(&regex, text, strlen(text), &scratch);
    pcre2_match_data_free(scratch);
    regex_free(&regex);
    return found;
}

static int match(const char *pattern, const char *text)
{
    return match_within(pattern, text, 100000);
}

static void test_matches(void **state)
{
    (void)state;
    /* expected results as `new RegExp(pattern, "u").test(text)` gives them */
    static const struct {
        const char *pattern, *text;
        int expected;
    } cases[] = {
        {"^\\d$", "5", 1},
        {"^\\d$", "\u0665", 0}, /* ARABIC-INDIC DIGIT FIVE */
        {"^\\w$", "\u00e9", 0},
        {"^\\W$", "\u00e9", 1},
        {"^[\\W]$", "_", 0},
        {"^[^\\D]$", "7", 1},
        {"^\\s$", "\ufeff", 1},
        {"^\\s$", "\u2029", 1},
        {"^\\s$", "\v", 1},
        {"^[\\S]$", "\u00a0", 0},
        {"^\\S$", "\u200b", 1},
        {"^abc$", "abc\n", 0},
        {"^.$", "\u2028", 0},
        {"^.$", "\U0001f432", 1},
        {"^\\u{1f432}$", "\U0001f432", 1},
        {"^\\ud83d\\udc32$", "\U0001f432", 1},
        {"^[\\ud83d\\udc32-\\u{1f433}]$", "\U0001f433", 1},
        {"^\\cI$", "\t", 1},
        {"^\\x41\\0?$", "A", 1},
        {"^[\\b]$", "\b", 1},
        {"a\\b", "a b", 1},
        {"^\\p{Letter}+$", "\u00e9\u4e2d", 1},
        {"^\\p{L}\\p{Nd}$", "a5", 1},
        {"^\\P{Lu}$", "a", 1},
        {"^\\p{Assigned}[\\P{Assigned}]$", "a\u0378", 1},
        {"^\\p{gc=Uppercase_Letter}$", "A", 1},
        {"^\\p{Script=Greek}$", "\u03b1", 1},
        {"^[\\p{Decimal_Number}_]+$", "5_", 1},
        {"^[^]$", "\n", 1},
        {"[]", "a", 0},
        {"^[[:alpha:]]$", "a]", 1},
        {"^[[:alpha:]]$", "b", 0},
        {"^(?<y>a)\\k<y>$", "aa", 1},
        {"^(a)|\\1b$", "b", 1}, /* a group that did not take part matches nothing */
        {"^(a)?\\1{2}b$", "b", 1},
        {"^(?<y>a)?\\k<y>+b$", "b", 1},
        {"^a{,3}$", "a{,3}", 1},
        {"^a{2}$", "aa", 1},
        {"^x{2,}?y$", "xxxy", 1},
        {"^]$", "]", 1},
        {"^(?=a)(?!b)a(?<=a)(?<!b)$", "a", 1},
        {"^a#b c$", "a#b c", 1},
        {"^\\/\\-\\$$", "/-$", 1},
        {"^[a\\-z]$", "b", 0},
        {"^[x\\d-]$", "-", 1},
        {"caf\u00e9+$", "caf\u00e9\u00e9", 1},
        {"^\\v$", "\n", 0}, /* PCRE2's own \v is a class */
        {"^\\Bb", "b", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int got = match(cases[i].pattern, cases[i].text);
        if (got != cases[i].expected)
            fail_msg("/%s/ on \"%s\": expected %d, got %d", cases[i].pattern, cases[i].text,
                     cases[i].expected, got);
    }
}

/* What is read as plain, and matches as PCRE2 matches the same with a group that means nothing. */
static void test_plain(void **state)
{
    (void)state;
    static const struct {
        const char *pattern;
        bool plain;
    } cases[] = {
        {"^", true},
        {"^$", true},
        {"^x-", true},
        {"^[a-c]+$", true},
        {"^a[bc]*a?$", true},
        {"^a{2}b{1,}$", true},
        {"^a{1,2}b?-$", true},
        {"^\\d\\w?$", true},
        {"^\\w+-\\d$", true},
        {"^[]$", true},
        {"^[]*$", true},
        {"^[a-]b$", true},
        {"^[-a]+$", true},
        {"^[\\d-]+a$", true},
        {"^\\.a$", true},
        {"^a{3}a{1,2}$", true},
        {"^a+a$", false},
        {"^[ab]*b$", false},
        {"^a?b?a$", false},
        {"^a*b*-?$", true},
        {"a$", true},
        {"-\\d$", true},
        {"a{2}b$", true},
        {"$", true},
        {"a", false},
        {"[ab]+$", false},
        {"aa?$", false},
        {"^(a)$", false},
        {"^a|b$", false},
        {"^.$", false},
        {"^[^a]$", false},
        {"^a+?$", false},
        {"^\\s$", false},
        {"^\u00e9$", false},
        {"^a{,2}$", false},
        {"^a$b", false},
        {"^\\u0061$", false},
        {"^[\\b]$", false},
        {"^\\^\\$$", true},
        {"^aaaaaaaaaaaaaaaa$", true},
        {"^aaaaaaaaaaaaaaaaa$", false},
    };
    static const char letters[] = "ab-1.^$";
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct regex plain, full;
        char problem[160], longer[64], text[8];
        pcre2_match_data *scratch = NULL;
        snprintf(longer, sizeof longer, "%s(?:)", cases[i].pattern);
        assert_int_equal(
            regex_compile(&plain, cases[i].pattern, strlen(cases[i].pattern), 1000, problem), 0);
        assert_int_equal(regex_compile(&full, longer, strlen(longer), 1000, problem), 0);
        if (plain.is_plain != cases[i].plain || full.is_plain)
            fail_msg("/%s/ is %splain", cases[i].pattern, plain.is_plain ? "" : "not ");
        /* all texts of up to five letters */
        for (unsigned number = 0; number < 7 * 7 * 7 * 7 * 7; number++) {
            size_t length = 0;
            for (unsigned rest = number; rest; rest /= 7)
                text[length++] = letters[rest % 7];
            int found = regex_match(&plain, text, length, &scratch);
            if (found != regex_match(&full, text, length, &scratch))
                fail_msg("/%s/ on \"%.*s\": %d", cases[i].pattern, (int)length, text, found);
        }
        assert_int_equal(regex_match(&plain, "a\u00e9", 3, &scratch),
                         regex_match(&full, "a\u00e9", 3, &scratch));
        pcre2_match_data_free(scratch);
        regex_free(&plain);
        regex_free(&full);
    }
}

static void test_refused(void **state)
{
    (void)state;
    static const char *const patterns[] = {
        "\\a",       "\\Z",     "\\Qx\\E",
        "\\e",       "\\C",     "\\X",
        "\\h",       "\\1",     "\\01",
        "\\x4",      "\\u12",   "\\u{110000}",
        "\\u{}",     "\\ud800", "\\c1",
        "\\p{Nope}", "\\pL",    "\\p{L",
        "(?i)a",     "(?>a)",   "(?#c)",
        "(?P<n>a)",  "(?|a)",   "(?R)",
        "(*UTF)a",   "[\\d-x]", "(*LIMIT_MATCH=1)a",
        "a**",       "a++",     "a{1}{2}",
        "*a",        "(",       ")",
        "(a",        "[a",      "[z-a]",
        "[\\d-\\w]", "a\\",     "(?<1>a)",
        "\\k<x",     "(?<a",    "^*",
        "(?",        "[\\b-",   "\\N",
        "\\K",       "\\G",     "\\R",
    };
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++)
        if (match(patterns[i], "") != ALK_SCHEMA_E_SCHEMA)
            fail_msg("/%s/: expected a refusal, got %d", patterns[i], match(patterns[i], ""));
}

static void test_bounded(void **state)
{
    (void)state;
    char text[40];
    memset(text, 'a', sizeof text);
    strcpy(text + 36, "!");
    assert_int_equal(match("^(a+)+$", text), ALK_SCHEMA_E_LIMIT);
    assert_int_equal(match("^(a|aa)+$", text), ALK_SCHEMA_E_LIMIT);
    assert_int_equal(match("^(a|a?)+$", text), ALK_SCHEMA_E_LIMIT);

    /* the limit is the one that was asked for */
    assert_int_equal(match_within("^(a+)+$", "aaaaaaaaaaa!", 1000000), 0);
    assert_int_equal(match_within("^(a+)+$", "aaaaaaaaaaa!", 50), ALK_SCHEMA_E_LIMIT);

    size_t size = 70000;
    char *pattern = malloc(size + 1);
    memset(pattern, 'a', size);
    pattern[size] = '\0';
    assert_int_equal(match(pattern, ""), ALK_SCHEMA_E_SCHEMA);
    memset(pattern, '(', size);
    pattern[5000] = '\0';
    assert_int_equal(match(pattern, ""), ALK_SCHEMA_E_SCHEMA);
    free(pattern);
    assert_int_equal(match("((a{1000}){1000}){1000}", ""), ALK_SCHEMA_E_SCHEMA);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_matches),
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
