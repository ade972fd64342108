/* known_hosts files, with ssh-keygen as the judge of what matches and as the maker of hashes. */
#include "auth/key_internal.h"
#include "support/scratch.h"

#include <alk/known_hosts.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define A "AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea"
#define B "AAAAC3NzaC1lZDI1NTE5AAAAID1AF8PoQ4lakrcKp00bfrycmCzPLsSWjMDNVfEq9GYM"

static uint8_t blob_a[ALK_KEY_BLOB_SIZE], blob_b[ALK_KEY_BLOB_SIZE];

static struct alk_known_hosts *parse(const char *text)
{
    struct alk_known_hosts *hosts;

    assert_int_equal(alk_known_hosts_parse(&hosts, text, strlen(text)), ALK_OK);
    return hosts;
}

static void judges_host_keys(void **state)
{
    static const struct {
        const char *text, *host;
        unsigned port;
        enum alk_host_trust expected;
        unsigned line;
    } cases[] = {
        {"", "a", 22, ALK_HOST_UNKNOWN, 0},
        {"a ssh-ed25519 " A, "a", 22, ALK_HOST_KNOWN, 1},
        {"a ssh-ed25519 " A "\r\n", "a", 22, ALK_HOST_KNOWN, 1},
        {"# x\n\n \ta \t ssh-ed25519\t" A " comment\n", "a", 22, ALK_HOST_KNOWN, 3},
        {"#a ssh-ed25519 " A, "a", 22, ALK_HOST_UNKNOWN, 0},
        {"A.Example ssh-ed25519 " A, "a.eXAMPLE", 22, ALK_HOST_KNOWN, 1},
        {"b ssh-ed25519 " A, "a", 22, ALK_HOST_UNKNOWN, 0},
        {"a ssh-ed25519 " B, "a", 22, ALK_HOST_CHANGED, 1},
        {"a ssh-ed25519 " B "\na ssh-ed25519 " A, "a", 22, ALK_HOST_KNOWN, 2},
        {"a ssh-ed25519 " A "\na ssh-ed25519 " B "\na ssh-ed25519 " A, "a", 22, ALK_HOST_KNOWN, 1},
        {"a ssh-ed25519 " B "\na,b ssh-ed25519 " B, "a", 22, ALK_HOST_CHANGED, 1},
        {"a ssh-rsa AAAAB3NzaC1yc2E=\n", "a", 22, ALK_HOST_UNKNOWN, 0},
        {"a ssh-ed25519 " A, "a", 2222, ALK_HOST_UNKNOWN, 0},
        {"[a]:2222 ssh-ed25519 " A, "a", 2222, ALK_HOST_KNOWN, 1},
        {"[a]:2222 ssh-ed25519 " A, "a", 22, ALK_HOST_UNKNOWN, 0},
        {"[a]:2222 ssh-ed25519 " A, "a", 222, ALK_HOST_UNKNOWN, 0},
        {"[a]:2222 ssh-ed25519 " B, "a", 2222, ALK_HOST_CHANGED, 1},
        {"::1 ssh-ed25519 " A, "::1", 22, ALK_HOST_KNOWN, 1},
        {"[::1]:2222 ssh-ed25519 " A, "::1", 2222, ALK_HOST_KNOWN, 1},
        {"x,a,y ssh-ed25519 " A, "a", 22, ALK_HOST_KNOWN, 1},
        {"*.example,!b.example ssh-ed25519 " A, "a.example", 22, ALK_HOST_KNOWN, 1},
        {"*.example,!b.example ssh-ed25519 " A, "b.example", 22, ALK_HOST_UNKNOWN, 0},
        {"!b.example,*.example ssh-ed25519 " A, "b.example", 22, ALK_HOST_UNKNOWN, 0},
        {"!b.example ssh-ed25519 " A, "a.example", 22, ALK_HOST_UNKNOWN, 0},
        {"host? ssh-ed25519 " A, "host1", 22, ALK_HOST_KNOWN, 1},
        {"host? ssh-ed25519 " A, "host12", 22, ALK_HOST_UNKNOWN, 0},
        {"* ssh-ed25519 " A, "a", 2222, ALK_HOST_KNOWN, 1},
        {"@revoked a ssh-ed25519 " A, "a", 22, ALK_HOST_REVOKED, 1},
        {"@revoked * ssh-ed25519 " A, "a", 2222, ALK_HOST_REVOKED, 1},
        {"a ssh-ed25519 " A "\n@revoked * ssh-ed25519 " A, "a", 22, ALK_HOST_REVOKED, 2},
        {"@revoked * ssh-ed25519 " B "\na ssh-ed25519 " A, "a", 22, ALK_HOST_KNOWN, 2},
        {"@revoked b ssh-ed25519 " A, "a", 22, ALK_HOST_UNKNOWN, 0},
        {"@revoked * ssh-ed25519 " B, "a", 22, ALK_HOST_UNKNOWN, 0},
        {"@cert-authority * ssh-ed25519 " A, "a", 22, ALK_HOST_UNKNOWN, 0},
        {"@cert-authority * ssh-ed25519 " B "\na ssh-ed25519 " A, "a", 22, ALK_HOST_KNOWN, 2},
        {"@unknown a ssh-ed25519 " A, "a", 22, ALK_HOST_UNKNOWN, 0},
        {"@a ssh-ed25519 " A, "@a", 22, ALK_HOST_UNKNOWN, 0},
        {"a", "a", 22, ALK_HOST_UNKNOWN, 0},
        {"a ssh-ed25519", "a", 22, ALK_HOST_UNKNOWN, 0},
        {"a ssh-ed25519 AAAA", "a", 22, ALK_HOST_UNKNOWN, 0},
        {"@revoked", "a", 22, ALK_HOST_UNKNOWN, 0},
        {"|1|x ssh-ed25519 " A, "a", 22, ALK_HOST_UNKNOWN, 0},
        {"|1|AAAA|AAAA ssh-ed25519 " A, "a", 22, ALK_HOST_UNKNOWN, 0},
        {"|2|a ssh-ed25519 " A, "a", 22, ALK_HOST_UNKNOWN, 0},
        {"* ssh-ed25519 " A, "", 22, ALK_HOST_UNKNOWN, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct alk_known_hosts *hosts = parse(cases[i].text);
        unsigned line = 99;
        enum alk_host_trust got = alk_known_hosts_check(hosts, cases[i].host, cases[i].port, blob_a,
                                                        sizeof(blob_a), &line);
        if (got != cases[i].expected || line != cases[i].line)
            fail_msg("\"%s\" port %u in \"%s\": expected verdict %d by line %u, got %d by line %u",
                     cases[i].host, cases[i].port, cases[i].text, cases[i].expected, cases[i].line,
                     got, line);
        alk_known_hosts_free(hosts);
    }
    alk_known_hosts_free(NULL);
}

static void a_malformed_key_is_never_known(void **state)
{
    struct alk_known_hosts *hosts = parse("a ssh-ed25519 " A);

    (void)state;
    assert_int_equal(alk_known_hosts_check(hosts, "a", 22, blob_a, 50, NULL), ALK_HOST_CHANGED);
    assert_int_equal(alk_known_hosts_check(hosts, "a", 22, blob_a, 0, NULL), ALK_HOST_CHANGED);
    alk_known_hosts_free(hosts);
}

/* A host may have a key of each type; only those of the type that it showed are compared. */
static void types_do_not_mix(void **state)
{
    static const uint8_t rsa[] = "\0\0\0\x07ssh-rsa\0\0\0\x01\x03\0\0\0\x01\x05";
    static const uint8_t other[] = "\0\0\0\x07ssh-rsa\0\0\0\x01\x03\0\0\0\x01\x07";
    static const char line[] = "ssh-rsa AAAAB3NzaC1yc2EAAAABAwAAAAEF";
    struct alk_known_hosts *hosts;
    char text[512];
    size_t len = sizeof(rsa) - 1;

    (void)state;
    snprintf(text, sizeof(text),
             "a ssh-ed25519 " A "\na %s\nb %s\n@revoked c %s\nd ssh-ed25519 AAAAB3NzaC1yc2E=\n",
             line, line, line);
    hosts = parse(text);
    assert_int_equal(alk_known_hosts_check(hosts, "a", 22, rsa, len, NULL), ALK_HOST_KNOWN);
    assert_int_equal(alk_known_hosts_check(hosts, "a", 22, other, len, NULL), ALK_HOST_CHANGED);
    assert_int_equal(alk_known_hosts_check(hosts, "a", 22, blob_a, sizeof(blob_a), NULL),
                     ALK_HOST_KNOWN);
    assert_int_equal(alk_known_hosts_check(hosts, "b", 22, blob_a, sizeof(blob_a), NULL),
                     ALK_HOST_UNKNOWN);
    assert_int_equal(alk_known_hosts_check(hosts, "c", 22, rsa, len, NULL), ALK_HOST_REVOKED);
    assert_int_equal(alk_known_hosts_check(hosts, "d", 22, rsa, len, NULL), ALK_HOST_UNKNOWN);
    assert_true(alk_known_hosts_has_type(hosts, "a", 22, "ssh-rsa"));
    assert_true(alk_known_hosts_has_type(hosts, "a", 22, "ssh-ed25519"));
    assert_false(alk_known_hosts_has_type(hosts, "b", 22, "ssh-ed25519"));
    assert_false(alk_known_hosts_has_type(hosts, "b", 2222, "ssh-rsa"));
    assert_false(alk_known_hosts_has_type(hosts, "c", 22, "ssh-rsa"));
    alk_known_hosts_free(hosts);
}

static void ignores_lines_with_nul(void **state)
{
    static const char text[] = "a\0b ssh-ed25519 " A "\nb ssh-ed25519 " A "\n";
    struct alk_known_hosts *hosts;

    (void)state;
    assert_int_equal(alk_known_hosts_parse(&hosts, text, sizeof(text) - 1), ALK_OK);
    assert_int_equal(alk_known_hosts_check(hosts, "a", 22, blob_a, sizeof(blob_a), NULL),
                     ALK_HOST_UNKNOWN);
    assert_int_equal(alk_known_hosts_check(hosts, "b", 22, blob_a, sizeof(blob_a), NULL),
                     ALK_HOST_KNOWN);
    alk_known_hosts_free(hosts);
}

/* Every host is asked of ssh-keygen -F and of us; both must find the same. */
static void compare_with_ssh_keygen(struct scratch *scratch)
{
    static const char *const queries[] = {
        "plain",         "second",     "192.0.2.7",  "192.0.2.77", "x.example", "b.example",
        "example",       "[port]:222", "[port]:223", "port",       "::1",       "[::1]:2222",
        "mixed.example", "missing",    "host1",      "host12",
    };
    struct alk_known_hosts *hosts;
    struct alk_error error = {0};

    if (alk_known_hosts_load(&hosts, scratch_path(scratch, "kh"), &error) != ALK_OK)
        fail_msg("%s", error.text);
    for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
        char host[64], out[1024];
        unsigned port = 22, line;

        if (sscanf(queries[i], "[%63[^]]]:%u", host, &port) != 2)
            strcpy(host, queries[i]);
        bool expected = scratch_try(scratch, out, sizeof(out),
                                    ARGV("ssh-keygen", "-F", queries[i], "-f", "kh")) == 0;
        bool got = alk_known_hosts_check(hosts, host, port, blob_a, sizeof(blob_a), &line) ==
                   ALK_HOST_KNOWN;
        if (got != expected)
            fail_msg("%s: ssh-keygen -F %s it, alknet %s", queries[i],
                     expected ? "finds" : "does not find", got ? "does" : "does not");
        char place[32];
        snprintf(place, sizeof(place), "line %u ", line);
        if (got && strstr(out, place) == NULL)
            fail_msg("%s: expected the line of \"%s\", got %s", queries[i], out, place);
    }
    alk_known_hosts_free(hosts);
}

static void agrees_with_ssh_keygen(void **state)
{
    struct scratch *scratch = *state;

    scratch_text(scratch, "kh",
                 "plain,second ssh-ed25519 " A "\n"
                 "# a comment\n"
                 "192.0.2.? ssh-ed25519 " A "\n"
                 "*.example,!b.example ssh-ed25519 " A "\n"
                 "[port]:222 ssh-ed25519 " A "\n"
                 "::1,[::1]:2222 ssh-ed25519 " A "\n"
                 "Mixed.Example ssh-ed25519 " A "\n"
                 "host? ssh-ed25519 " A " comment here\n");
    compare_with_ssh_keygen(scratch);
}

static void agrees_with_ssh_keygen_on_hashed_names(void **state)
{
    struct scratch *scratch = *state;
    struct alk_known_hosts *hosts;

    scratch_text(scratch, "kh",
                 "plain,second ssh-ed25519 " A "\n"
                 "192.0.2.7 ssh-ed25519 " A "\n"
                 "[port]:222 ssh-ed25519 " A "\n"
                 "::1,[::1]:2222 ssh-ed25519 " A "\n"
                 "mixed.example ssh-ed25519 " A "\n");
    scratch_run(scratch, NULL, 0, ARGV("ssh-keygen", "-H", "-f", "kh"));
    char *hashed = scratch_read(scratch, "kh", NULL);
    assert_null(strstr(hashed, "plain"));
    assert_memory_equal(hashed, "|1|", 3);
    free(hashed);
    compare_with_ssh_keygen(scratch);
    /* ssh itself turns names to lower case before it hashes them; ssh-keygen -F does not */
    assert_int_equal(alk_known_hosts_load(&hosts, scratch_path(scratch, "kh"), NULL), ALK_OK);
    assert_int_equal(alk_known_hosts_check(hosts, "PLAIN", 22, blob_a, sizeof(blob_a), NULL),
                     ALK_HOST_KNOWN);
    alk_known_hosts_free(hosts);
}

static void adds_what_ssh_keygen_finds(void **state)
{
    struct scratch *scratch = *state;
    const char *path = scratch_path(scratch, "a/b/kh");
    struct alk_error error = {0};
    struct alk_known_hosts *hosts;
    struct stat st;

    assert_int_equal(alk_known_hosts_load(&hosts, path, &error), ALK_OK);
    assert_string_equal(error.text, "");
    assert_int_equal(alk_known_hosts_check(hosts, "h", 22, blob_a, sizeof(blob_a), NULL),
                     ALK_HOST_UNKNOWN);
    alk_known_hosts_free(hosts);

    assert_int_equal(alk_known_hosts_add(path, "H", 22, blob_a, sizeof(blob_a), &error), ALK_OK);
    assert_int_equal(alk_known_hosts_add(path, "h", 2222, blob_b, sizeof(blob_b), &error), ALK_OK);
    assert_int_equal(alk_known_hosts_add(path, "::1", 22, blob_a, sizeof(blob_a), &error), ALK_OK);
    char *text = scratch_read(scratch, "a/b/kh", NULL);
    assert_string_equal(text,
                        "h ssh-ed25519 " A "\n[h]:2222 ssh-ed25519 " B "\n::1 ssh-ed25519 " A "\n");
    free(text);
    assert_int_equal(stat(scratch_path(scratch, "a/b/kh"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(stat(scratch_path(scratch, "a"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    scratch_run(scratch, NULL, 0, ARGV("ssh-keygen", "-F", "h", "-f", "a/b/kh"));
    scratch_run(scratch, NULL, 0, ARGV("ssh-keygen", "-F", "[h]:2222", "-f", "a/b/kh"));
    scratch_run(scratch, NULL, 0, ARGV("ssh-keygen", "-F", "::1", "-f", "a/b/kh"));

    assert_int_equal(alk_known_hosts_load(&hosts, scratch_path(scratch, "a/b/kh"), &error), ALK_OK);
    assert_int_equal(alk_known_hosts_check(hosts, "h", 2222, blob_b, sizeof(blob_b), NULL),
                     ALK_HOST_KNOWN);
    assert_int_equal(alk_known_hosts_check(hosts, "h", 2222, blob_a, sizeof(blob_a), NULL),
                     ALK_HOST_CHANGED);
    alk_known_hosts_free(hosts);
}

static void adds_behind_an_unfinished_line(void **state)
{
    struct scratch *scratch = *state;

    scratch_text(scratch, "kh", "old ssh-ed25519 " B);
    assert_int_equal(
        alk_known_hosts_add(scratch_path(scratch, "kh"), "h", 22, blob_a, sizeof(blob_a), NULL),
        ALK_OK);
    char *text = scratch_read(scratch, "kh", NULL);
    assert_string_equal(text, "old ssh-ed25519 " B "\nh ssh-ed25519 " A "\n");
    free(text);
}

static void refuses_names_that_mean_something_else(void **state)
{
    static const char *const names[] = {"",   "a b", "a\tb",  "a\nb",  "a,b",
                                        "*",  "h?",  "!h",    "|1|",   "#h",
                                        "@h", "a\"", "[h]:1", "h\x7f", "h\x01"};
    struct scratch *scratch = *state;
    char longest[1100];
    struct stat st;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        int rc = alk_known_hosts_add(scratch_path(scratch, "kh"), names[i], 22, blob_a,
                                     sizeof(blob_a), NULL);
        if (rc != ALK_E_INVAL)
            fail_msg("name \"%s\": expected ALK_E_INVAL, got %d", names[i], rc);
    }
    memset(longest, 'x', sizeof(longest));
    longest[1025] = '\0';
    assert_int_equal(alk_known_hosts_add(scratch_path(scratch, "kh"), longest, 65535, blob_a,
                                         sizeof(blob_a), NULL),
                     ALK_E_INVAL);
    assert_int_equal(alk_known_hosts_add(scratch_path(scratch, "kh"), "h", 22, blob_a, 50, NULL),
                     ALK_E_INVAL);
    assert_int_not_equal(stat(scratch_path(scratch, "kh"), &st), 0);
    longest[1024] = '\0';
    assert_int_equal(alk_known_hosts_add(scratch_path(scratch, "kh"), longest, 65535, blob_a,
                                         sizeof(blob_a), NULL),
                     ALK_OK);
    char *text = scratch_read(scratch, "kh", NULL);
    assert_int_equal(strlen(text), 1024 + strlen("[]:65535 ssh-ed25519 " A "\n"));
    free(text);
}

static void names_what_is_wrong_with_the_file(void **state)
{
    struct scratch *scratch = *state;
    struct alk_error error = {0};
    struct alk_known_hosts *hosts;

    assert_int_equal(alk_known_hosts_load(&hosts, scratch->dir, &error), ALK_E_INVAL);
    assert_non_null(strstr(error.text, "is a folder"));
    assert_int_equal(mkfifo(scratch_path(scratch, "fifo"), 0600), 0);
    assert_int_equal(alk_known_hosts_load(&hosts, scratch_path(scratch, "fifo"), &error),
                     ALK_E_INVAL);
    assert_null(hosts);
    assert_int_equal(alk_known_hosts_add(scratch->dir, "h", 22, blob_a, sizeof(blob_a), &error),
                     ALK_E_IO);
    assert_int_equal(
        alk_known_hosts_add(scratch_path(scratch, "fifo"), "h", 22, blob_a, sizeof(blob_a), &error),
        ALK_E_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judges_host_keys),
        cmocka_unit_test(a_malformed_key_is_never_known),
        cmocka_unit_test(types_do_not_mix),
        cmocka_unit_test(ignores_lines_with_nul),
        cmocka_unit_test_setup_teardown(agrees_with_ssh_keygen, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(agrees_with_ssh_keygen_on_hashed_names, scratch_make,
                                        scratch_remove),
        cmocka_unit_test_setup_teardown(adds_what_ssh_keygen_finds, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(adds_behind_an_unfinished_line, scratch_make,
                                        scratch_remove),
        cmocka_unit_test_setup_teardown(refuses_names_that_mean_something_else, scratch_make,
                                        scratch_remove),
        cmocka_unit_test_setup_teardown(names_what_is_wrong_with_the_file, scratch_make,
                                        scratch_remove),
    };

    if (alk_crypto_init() != ALK_OK || alk_key_decode_blob(A, strlen(A), blob_a) != NULL ||
        alk_key_decode_blob(B, strlen(B), blob_b) != NULL)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
