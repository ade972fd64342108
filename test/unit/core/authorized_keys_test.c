/* authorized_keys files: which lines count, what they permit, and what is said of the rest. */
#include "auth/key_internal.h"
#include "auth/pattern.h"
#include "auth/timespec.h"
#include "support/scratch.h"

#include <alk/authorized_keys.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* the keys of RFC 8032's first two tests */
#define A "AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea"
#define B "AAAAC3NzaC1lZDI1NTE5AAAAID1AF8PoQ4lakrcKp00bfrycmCzPLsSWjMDNVfEq9GYM"

static uint8_t blob_a[ALK_KEY_BLOB_SIZE], blob_b[ALK_KEY_BLOB_SIZE];

struct notes {
    unsigned count, skipped, last_line;
    char last[512];
};

static void take_note(unsigned line, bool skipped, const char *sentence, void *user)
{
    struct notes *notes = user;

    notes->count++;
    notes->skipped += skipped;
    notes->last_line = line;
    snprintf(notes->last, sizeof(notes->last), "%s", sentence);
}

static struct alk_authorized_keys *parse(const char *text, struct notes *notes)
{
    struct alk_authorized_keys *set;

    memset(notes, 0, sizeof(*notes));
    assert_int_equal(alk_authorized_keys_parse(&set, text, strlen(text), take_note, notes), ALK_OK);
    return set;
}

static const struct alk_authorized_key *find_a(const struct alk_authorized_keys *set)
{
    return alk_authorized_keys_find(set, blob_a, sizeof(blob_a));
}

static void reads_lines_as_sshd(void **state)
{
    static const struct {
        const char *text, *comment;
        unsigned line;
    } files[] = {
        {"ssh-ed25519 " A, "", 1},
        {"ssh-ed25519 " A "\n", "", 1},
        {"ssh-ed25519 " A "\r\n", "", 1},
        {"\n\n  # comment\n\t ssh-ed25519\t \t" A "  bob at home \t\r\n", "bob at home", 4},
        {"#ssh-ed25519 " B "\nssh-ed25519 " A " x", "x", 2},
        {"restrict ssh-ed25519 " A " x", "x", 1},
        {"  no-pty,no-X11-FORWARDING,No-User-rc,no-agent-forwarding \t ssh-ed25519 " A " x", "x",
         1},
        {"from=\"*\",environment=\"A=ssh-rsa , B\" ssh-ed25519 " A " x", "x", 1},
        {"command=\"say \\\"ssh-rsa AAAA\\\"\" ssh-ed25519 " A " x", "x", 1},
        {"\r\n\r\nssh-ed25519 " A, "", 3},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        struct notes notes;
        struct alk_authorized_keys *set = parse(files[i].text, &notes);
        const struct alk_authorized_key *key = find_a(set);

        if (key == NULL || alk_authorized_keys_count(set) != 1)
            fail_msg("%s: expected one key, got %zu; %s", files[i].text,
                     alk_authorized_keys_count(set), notes.last);
        assert_string_equal(key->comment, files[i].comment);
        assert_int_equal(key->line, files[i].line);
        assert_memory_equal(key->blob, blob_a, sizeof(blob_a));
        assert_null(alk_authorized_keys_find(set, blob_b, sizeof(blob_b)));
        assert_null(alk_authorized_keys_find(set, blob_a, sizeof(blob_a) - 1));
        assert_int_equal(notes.skipped, 0);
        alk_authorized_keys_free(set);
    }
}

static const struct {
    const char *line, *says;
} refused[] = {
    {"ssh-rsa AAAAB3NzaC1yc2E= bob",
     "authorized_keys line 2: unsupported key type ssh-rsa; alknet accepts ssh-ed25519"},
    {"restrict ssh-dss AAAA", "unsupported key type ssh-dss"},
    {"sk-ecdsa-sha2-nistp256@openssh.com AAAA", "unsupported key type sk-ecdsa"},
    {"sk-ssh-ed25519@openssh.com AAAA", "the key is cut short, or of another type"},
    {"sk-ssh-ed25519@openssh.com " A, "the key is cut short, or of another type"},
    {"sk-ssh-ed25519@openssh.com AA!A", "the key is not valid base64"},
    {"ssh-ed25519-cert-v01@openssh.com AAAA", "unsupported key type ssh-ed25519-cert-v01"},
    {"ssh-ed25519", "cut short"},
    {"ssh-ed25519 AAAA!", "not valid base64"},
    {"ssh-ed25519 " A "A", "too long"},
    {"ssh-ed25519 AAAAB3NzaC1yc2EAAAADAQABAAAAIAAA", "another type"},
    {"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAH/8=", "cut short or has the wrong length"},
    {"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
     "not a valid Ed25519 point"},
    {"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
     "not a valid Ed25519 point"},
    {"hello", "no key found"},
    {"hello world", "no key found"},
    {"restrict", "no key found"},
    {"command=\"x ssh-ed25519 " A, "quote in the options is not closed"},
    {"retsrict ssh-ed25519 " A, "unknown option \"retsrict\""},
    {"restrict,,pty ssh-ed25519 " A, "unknown option \"\""},
    {"restrict, ssh-ed25519 " A, "unknown option \"\""},
    {",restrict ssh-ed25519 " A, "unknown option \"\""},
    {"restrict=\"yes\" ssh-ed25519 " A, "restrict takes no value"},
    {"restrict\"\" ssh-ed25519 " A, "restrict is not followed by a comma"},
    {"command ssh-ed25519 " A, "command= needs a value"},
    {"command=ls ssh-ed25519 " A, "command= needs a value in double quotes"},
    {"command=\"ls\"x ssh-ed25519 " A, "command= is not followed by a comma or a blank"},
    {"cert-authority ssh-rsa AAAA",
     "unsupported key type ssh-rsa of a certificate authority; alknet accepts ssh-ed25519"},
    {"cert-authority sk-ssh-ed25519@openssh.com AAAA", "of a certificate authority"},
    {"cert-authority=\"yes\" ssh-ed25519 " A, "cert-authority takes no value"},
    {"principals=\"bob\" ssh-ed25519 " A, "principals= is for certificate authorities"},
    {"cert-authority,principals=\"a\",principals=\"b\" ssh-ed25519 " A,
     "principals= appears twice"},
    {"cert-authority,principals=\"a,,b\" ssh-ed25519 " A, "principals= is not a list of names"},
    {"verify-required ssh-ed25519 " A, "verify-required is for security keys"},
    {"alk-scopes=\"a b\" ssh-ed25519 " A, "alk-scopes= is not a list of scopes"},
    {"alk-scopes=\"a,\" ssh-ed25519 " A, "alk-scopes= is not a list of scopes"},
    {"alk-scopes=\"a\",alk-scopes=\"b\" ssh-ed25519 " A, "alk-scopes= appears twice"},
    {"alk-scopes ssh-ed25519 " A, "alk-scopes= needs a value"},
    {"alk-resources=\"gitea\" ssh-ed25519 " A, "alk-resources= is not a list of type:name"},
    {"alk-resources=\":gitea\" ssh-ed25519 " A, "alk-resources= is not a list of type:name"},
    {"alk-resources=\"service:\" ssh-ed25519 " A, "alk-resources= is not a list of type:name"},
    {"alk-resources=\"a:b\",alk-resources=\"a:b\" ssh-ed25519 " A, "alk-resources= appears twice"},
    {"from=\"10.0.0.0/33\" ssh-ed25519 " A, "from= has a malformed address block"},
    {"from=\"10.0.0.1/8\" ssh-ed25519 " A, "from= has a malformed address block"},
    {"from=\"10.0.0.0/\" ssh-ed25519 " A, "from= has a malformed address block"},
    {"from=\"*.example.com/8\" ssh-ed25519 " A, "from= has a malformed address block"},
    {"from=\"10.0.0.1,,::1\" ssh-ed25519 " A, "from= has an empty entry"},
    {"from=\"\" ssh-ed25519 " A, "from= has an empty entry"},
    {"from=\"*,!evil.example.com\" ssh-ed25519 " A, "from= excludes a host name"},
    {"from=\"*\",from=\"*\" ssh-ed25519 " A, "from= appears twice"},
    {"expiry-time=\"20301301\" ssh-ed25519 " A, "expiry-time= is not a time"},
    {"expiry-time=\"19700101Z\" ssh-ed25519 " A, "expiry-time= is not a time"},
    {"environment=\"A\" ssh-ed25519 " A, "environment= is not NAME=value"},
    {"environment=\"\" ssh-ed25519 " A, "environment= is not NAME=value"},
    {"environment=\"=b\" ssh-ed25519 " A, "environment= is not NAME=value"},
    {"environment=\"A-B=c\" ssh-ed25519 " A, "environment= is not NAME=value"},
    {"tunnel=\"\" ssh-ed25519 " A, "tunnel= is not the number of a device"},
    {"tunnel=\"tun\" ssh-ed25519 " A, "tunnel= is not the number of a device"},
    {"tunnel=\"-1\" ssh-ed25519 " A, "tunnel= is not the number of a device"},
    {"tunnel=\"1:2\" ssh-ed25519 " A, "tunnel= is not the number of a device"},
    {"tunnel=\"2147483646\" ssh-ed25519 " A, "tunnel= is not the number of a device"},
    {"permitopen=\"host\" ssh-ed25519 " A, "permitopen= is not host:port"},
    {"permitopen=\"80\" ssh-ed25519 " A, "permitopen= is not host:port"},
    {"permitopen=\"host:0\" ssh-ed25519 " A, "permitopen= is not host:port"},
    {"permitopen=\"host:65536\" ssh-ed25519 " A, "permitopen= is not host:port"},
    {"permitopen=\"host:4294967376\" ssh-ed25519 " A, "permitopen= is not host:port"},
    {"permitopen=\"host:80x\" ssh-ed25519 " A, "permitopen= is not host:port"},
    {"permitopen=\"::1:80\" ssh-ed25519 " A, "permitopen= is not host:port"},
    {"permitopen=\"[::1:80\" ssh-ed25519 " A, "permitopen= is not host:port"},
    {"permitopen=\"host:-1\" ssh-ed25519 " A, "permitopen= is not host:port"},
    {"permitopen=\"host:80 \" ssh-ed25519 " A, "permitopen= is not host:port"},
    {"permitopen=\"host:99999999999999999980\" ssh-ed25519 " A, "permitopen= is not host:port"},
    {"permitopen=\"host:no-such-service\" ssh-ed25519 " A, "permitopen= is not host:port"},
    {"permitopen=\"::1/80\" ssh-ed25519 " A, "permitopen= is not host:port"},
    {"permitopen=\"/run/app:80\" ssh-ed25519 " A, "permitopen= is not host:port"},
    {"permitopen=\"[a]b]:80\" ssh-ed25519 " A, "permitopen= is not host:port"},
    {"permitlisten=\"x\" ssh-ed25519 " A, "permitlisten= is not [host:]port"},
    {"permitlisten=\"\" ssh-ed25519 " A, "permitlisten= is not [host:]port"},
};

static void reports_and_skips_bad_lines(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        char text[1024];
        struct notes notes;

        snprintf(text, sizeof(text), "# first\n%s\nssh-ed25519 " B "\n", refused[i].line);
        struct alk_authorized_keys *set = parse(text, &notes);
        if (notes.skipped != 1 || notes.count != 1 || notes.last_line != 2 ||
            strncmp(notes.last, "authorized_keys line 2: ", 24) != 0 ||
            strstr(notes.last, refused[i].says) == NULL)
            fail_msg("%s: expected one note with \"%s\", got %u, the last \"%s\"", refused[i].line,
                     refused[i].says, notes.count, notes.last);
        assert_null(find_a(set));
        assert_int_equal(alk_authorized_keys_count(set), 1);
        assert_int_equal(alk_authorized_keys_find(set, blob_b, sizeof(blob_b))->line, 3);
        alk_authorized_keys_free(set);
    }
}

static void refuses_nul_and_overlong_lines(void **state)
{
    static const char nul[] = "ssh-ed25519 " A " a\0b\nssh-ed25519 " B "\n";
    enum { LONG = 64 * 1024 };
    struct alk_authorized_keys *set;
    struct notes notes = {0};
    char *text = malloc(LONG + 256);

    (void)state;
    assert_int_equal(alk_authorized_keys_parse(&set, nul, sizeof(nul) - 1, take_note, &notes),
                     ALK_OK);
    assert_null(find_a(set));
    assert_int_equal(alk_authorized_keys_count(set), 1);
    assert_non_null(strstr(notes.last, "line 1: the line holds a NUL byte"));
    alk_authorized_keys_free(set);

    for (int over = 0; over <= 1; over++) {
        size_t len = (size_t)sprintf(text, "ssh-ed25519 " A " ");
        memset(text + len, 'c', LONG + (size_t)over - len);
        strcpy(text + LONG + over, "\nssh-ed25519 " B);
        set = parse(text, &notes);
        assert_int_equal(alk_authorized_keys_count(set), 2 - over);
        assert_int_equal(notes.skipped, over);
        if (over)
            assert_string_equal(notes.last,
                                "authorized_keys line 1: the line is longer than 65536 bytes");
        alk_authorized_keys_free(set);
    }
    free(text);
}

static void notes_options_without_meaning(void **state)
{
    static const struct {
        const char *options, *says;
    } cases[] = {
        {"pty", "pty has no meaning here"},
        {"AGENT-forwarding", "agent-forwarding has no meaning here"},
        {"x11-forwarding", "X11-forwarding has no meaning here"},
        {"user-rc", "user-rc has no meaning here"},
        {"tunnel=\"0\"", "tunnel= has no meaning here"},
        {"environment=\"A=b\"", "environment= has no meaning here"},
        {"command=\"ls\"", "command= runs nothing here; the key gets no forwarding"},
        {"from=\"*.example.com\"", "from= has a host name, which never matches"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[512];
        struct notes notes;

        snprintf(text, sizeof(text), "%s ssh-ed25519 " A, cases[i].options);
        struct alk_authorized_keys *set = parse(text, &notes);
        if (find_a(set) == NULL || notes.count != 1 || notes.skipped != 0 ||
            strstr(notes.last, cases[i].says) == NULL)
            fail_msg("%s: expected the key and a note \"%s\", got %u, \"%s\"", cases[i].options,
                     cases[i].says, notes.count, notes.last);
        alk_authorized_keys_free(set);
    }
}

static void forwarding_follows_the_options_in_order(void **state)
{
    static const struct {
        const char *options;
        bool expected;
    } cases[] = {
        {"no-pty", true},
        {"no-port-forwarding", false},
        {"NO-Port-Forwarding", false},
        {"restrict", false},
        {"restrict,port-forwarding", true},
        {"port-forwarding,restrict", false},
        {"no-port-forwarding,port-forwarding", true},
        {"command=\"ls\"", false},
        {"command=\"ls\",port-forwarding", false},
        {"port-forwarding,command=\"ls\",port-forwarding", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[512];
        struct notes notes;

        snprintf(text, sizeof(text), "%s ssh-ed25519 " A, cases[i].options);
        struct alk_authorized_keys *set = parse(text, &notes);
        const struct alk_authorized_key *key = find_a(set);
        assert_non_null(key);
        if (key->port_forwarding != cases[i].expected ||
            alk_authorized_key_may_open(key, "h", 80) != cases[i].expected ||
            alk_authorized_key_may_listen(key, "h", 80) != cases[i].expected)
            fail_msg("%s: expected port_forwarding %d", cases[i].options, cases[i].expected);
        alk_authorized_keys_free(set);
    }
}

static void reads_scopes_and_resources(void **state)
{
    struct notes notes;
    const struct alk_authorized_key *key;

    (void)state;
    struct alk_authorized_keys *set = parse("ssh-ed25519 " A "\n"
                                            "Alk-Scopes=\"\" ssh-ed25519 " A "\n"
                                            "alk-scopes=\"metrics:read,relay:connect\","
                                            "alk-resources=\"service:gitea,db:a:b\" ssh-ed25519 " A,
                                            &notes);
    key = find_a(set);
    assert_int_equal(notes.count, 0);
    assert_int_equal(key->scope_count, 1);
    assert_string_equal(key->scopes[0], "relay:connect");
    assert_int_equal(key->resource_count, 0);
    key = alk_authorized_keys_next(set, key);
    assert_int_equal(key->scope_count, 0);
    key = alk_authorized_keys_next(set, key);
    assert_int_equal(key->scope_count, 2);
    assert_string_equal(key->scopes[0], "metrics:read");
    assert_string_equal(key->scopes[1], "relay:connect");
    assert_int_equal(key->resource_count, 2);
    assert_string_equal(key->resources[0].type, "service");
    assert_string_equal(key->resources[0].name, "gitea");
    assert_string_equal(key->resources[1].type, "db");
    assert_string_equal(key->resources[1].name, "a:b");
    alk_authorized_keys_free(set);
}

static void reads_authorities(void **state)
{
    static const char text[] = "# ours\nssh-ed25519 " A " main\n"
                               "restrict,principals=\"bob,ops\" ssh-ed25519 " B "\nssh-rsa AAAA\n";
    struct alk_authorized_keys *set;
    struct notes notes = {0};

    (void)state;
    assert_int_equal(alk_authorities_parse(&set, text, sizeof(text) - 1, take_note, &notes),
                     ALK_OK);
    assert_int_equal(alk_authorized_keys_count(set), 2);
    assert_true(find_a(set)->cert_authority);
    assert_null(find_a(set)->principals);
    const struct alk_authorized_key *b = alk_authorized_keys_at(set, 1);
    assert_memory_equal(b->blob, blob_b, sizeof(blob_b));
    assert_int_equal(b->principal_count, 2);
    assert_string_equal(b->principals[1], "ops");
    assert_false(b->port_forwarding);
    assert_int_equal(notes.count, 1);
    assert_non_null(strstr(notes.last, "cert_authority line 4: unsupported key type ssh-rsa"));
    /* nor do they log in themselves */
    assert_null(alk_authorized_keys_admit(set, blob_a, sizeof(blob_a), "192.0.2.1", 1));
    alk_authorized_keys_free(set);
}

static void reads_security_keys(void **state)
{
#define SK                                                                                         \
    "AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAINdamAGCsQq31Uv+"                                 \
    "08lkBzoO4XLz2qYjJa8CGmj3B1EaAAAABHNzaDo="
    struct notes notes;
    struct alk_authorized_keys *set =
        parse("no-touch-required,verify-required sk-ssh-ed25519@openssh.com " SK " mine", &notes);
    const struct alk_authorized_key *key = alk_authorized_keys_at(set, 0);

    (void)state;
    assert_int_equal(notes.count, 0);
    assert_int_equal(key->blob_len, 4 + 26 + 4 + 32 + 4 + 4);
    assert_ptr_equal(alk_authorized_keys_find(set, key->blob, key->blob_len), key);
    assert_false(key->touch_required);
    assert_true(key->verify_required);
    assert_string_equal(key->comment, "mine");
    assert_null(find_a(set)); /* another key, though the same point */
    alk_authorized_keys_free(set);
}

static void from_admits_addresses(void **state)
{
    static const struct {
        const char *from, *address;
        bool expected;
    } cases[] = {
        {"192.0.2.1", "192.0.2.1", true},
        {"192.0.2.1", "192.0.2.10", false},
        {"192.0.2.1", "::ffff:192.0.2.1", true},
        {"::ffff:192.0.2.1", "192.0.2.1", true},
        {"::ffff:192.0.2.0/120", "192.0.2.77", true},
        {"::ffff:192.0.2.0/120", "192.0.3.77", false},
        {"10.0.0.0/8", "10.255.1.2", true},
        {"10.0.0.0/8", "11.0.0.1", false},
        {"10.0.0.0/8", "::ffff:10.0.0.1", true},
        {"10.0.0.128/25", "10.0.0.127", false},
        {"10.0.0.128/25", "10.0.0.128", true},
        {"10.0.0.128/25", "10.0.0.255", true},
        {"0.0.0.0/0", "203.0.113.9", true},
        {"0.0.0.0/0", "2001:db8::1", false},
        {"::/0", "2001:db8::1", true},
        {"::/0", "192.0.2.1", false},
        {"2001:db8::/32", "2001:db8:ffff::1", true},
        {"2001:db8::/33", "2001:db8:8000::1", false},
        {"2001:DB8:0::1", "2001:db8::1", true},
        {"fe80::/10", "fe80::1%eth0", true},
        {"fe80::%eth0/10", "fe80::1%eth0", true},
        {"fe80::1%eth0", "fe80::1%eth1", false},
        {"fe80::1%eth", "fe80::1%eth0", false},
        {"::1%lo", "::1", false},
        {"*,!fe80::1%eth0", "fe80::1%eth0", false},
        /* what is no other address, but written otherwise */
        {"127.1", "127.0.0.1", true},
        {"*,!127.1", "127.0.0.1", false},
        {"*,!2130706433", "127.0.0.1", false},
        {"*,!0x7f.0.0.1", "127.0.0.1", false},
        {"*,!127.000.000.001", "127.0.0.1", false},
        {"127.1/32", "127.0.0.1", true},
        {"192.0.2.?", "192.0.2.7", true},
        {"192.0.2.?", "192.0.2.77", false},
        {"192.0.*", "192.0.2.77", true},
        {"2001:db8:*", "2001:DB8::1", true},
        {"*", "192.0.2.1", true},
        {"*", "::1", true},
        {"!192.0.2.1,*", "192.0.2.1", false},
        {"*,!192.0.2.1", "192.0.2.1", false},
        {"*,!192.0.2.0/24", "::ffff:192.0.2.1", false},
        {"*,!192.0.2.0/24", "192.0.3.1", true},
        {"!192.0.2.1", "192.0.2.2", false},
        {"10.0.0.1,192.0.2.1", "192.0.2.1", true},
        {"*.example.com", "192.0.2.1", false},
        {"*", "", false},
        {"*", "localhost", false},
        {"*", "192.0.2.1%eth0", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[512];
        struct notes notes;

        snprintf(text, sizeof(text), "from=\"%s\" ssh-ed25519 " A, cases[i].from);
        struct alk_authorized_keys *set = parse(text, &notes);
        const struct alk_authorized_key *key = find_a(set);
        assert_non_null(key);
        assert_string_equal(key->from, cases[i].from);
        if (alk_authorized_key_admits(key, cases[i].address, 1) != cases[i].expected)
            fail_msg("from=\"%s\", address \"%s\": expected %d", cases[i].from, cases[i].address,
                     cases[i].expected);
        alk_authorized_keys_free(set);
    }
}

static void expiry_is_enforced(void **state)
{
    /* date -u -d '2030-06-15 12:34:56' +%s */
    enum { T = 1907757296 };
    struct notes notes;
    struct alk_authorized_keys *set =
        parse("expiry-time=\"20300615123456Z\",expiry-time=\"2031Z\" ssh-ed25519 " A, &notes);

    (void)state;
    assert_null(find_a(set));
    alk_authorized_keys_free(set);
    set =
        parse("expiry-time=\"20310101Z\",expiry-time=\"20300615123456Z\",expiry-time=\"20320101Z\" "
              "ssh-ed25519 " A,
              &notes);
    assert_int_equal(find_a(set)->expiry, T);
    assert_true(alk_authorized_key_admits(find_a(set), "192.0.2.1", T - 1));
    assert_true(alk_authorized_key_admits(find_a(set), "192.0.2.1", T));
    assert_false(alk_authorized_key_admits(find_a(set), "192.0.2.1", T + 1));
    assert_true(alk_authorized_key_admits(find_a(set), "", T));
    alk_authorized_keys_free(set);
}

static void reads_points_in_time(void **state)
{
    static const struct {
        const char *zone, *text;
        uint64_t expected; /* 0: refused */
    } cases[] = {
        {"UTC", "20300615Z", 1907712000},
        {"America/New_York", "20300615Z", 1907712000},
        {"America/New_York", "20300615", 1907726400},
        {"America/New_York", "203001151200", 1894726800},
        {"Asia/Tokyo", "20300615123456", 1907724896},
        {"Asia/Tokyo", "20300615123456z", 1907757296},
        {"Asia/Tokyo", "20300615123456UTC", 1907757296},
        {"UTC", "20280229", 1835395200},
        {"UTC", "19700102Z", 86400},
        {"UTC", "19700101Z", 0},
        {"UTC", "19691231Z", 0},
        {"UTC", "00000101Z", 0},
        {"UTC", "20300229", 0},
        {"UTC", "20301301", 0},
        {"UTC", "20300001", 0},
        {"UTC", "20300100", 0},
        {"UTC", "20300132", 0},
        {"UTC", "203001012400", 0},
        {"UTC", "203001010060", 0},
        {"UTC", "20300101000061", 0},
        {"UTC", "", 0},
        {"UTC", "Z", 0},
        {"UTC", "2030", 0},
        {"UTC", "203001011", 0},
        {"UTC", "20300101 ", 0},
        {"UTC", "20300101ZZ", 0},
        {"UTC", "-2030010", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t got = 0;
        setenv("TZ", cases[i].zone, 1);
        tzset();
        bool ok = alk_timespec_parse(cases[i].text, &got);
        if (ok != (cases[i].expected != 0) || (ok && got != cases[i].expected))
            fail_msg("\"%s\" in %s: expected %llu, got %llu", cases[i].text, cases[i].zone,
                     (unsigned long long)cases[i].expected, ok ? (unsigned long long)got : 0);
    }
    unsetenv("TZ");
    tzset();
}

static void permits_name_destinations(void **state)
{
    static const struct {
        const char *options, *host;
        unsigned port;
        bool open, listen;
    } cases[] = {
        {"permitopen=\"db.example:5432\"", "db.example", 5432, true, true},
        {"permitopen=\"db.example:5432\"", "DB.Example", 5432, true, true},
        {"permitopen=\"db.example:5432\"", "db.example", 5433, false, true},
        {"permitopen=\"db.example:5432\"", "db.example.", 5432, false, true},
        {"permitopen=\"db.example:5432\"", "db.exampl", 5432, false, true},
        {"permitopen=\"db.example:5432\"", "db.example", 0, false, true},
        {"permitopen=\"a:1\",permitopen=\"b:2\"", "b", 2, true, true},
        {"permitopen=\"a:1\",permitopen=\"b:2\"", "b", 1, false, true},
        {"permitopen=\"a:*\"", "a", 9999, true, true},
        {"permitopen=\"*:80\"", "anything", 80, true, true},
        {"permitopen=\"*:80\"", "anything", 81, false, true},
        {"permitopen=\"*:*\"", "/run/socket", 0, true, true}, /* everything, as in sshd */
        {"permitopen=\"*:80\"", "/run/socket", 0, false, true},
        {"permitopen=\"a:*\"", "a", 0, false, true},
        {"permitopen=\"a/81\"", "a", 81, true, true},
        {"permitopen=\"[::1]/81\"", "::1", 81, true, true},
        {"permitopen=\"a:+081\"", "a", 81, true, true},
        {"permitopen=\"a:ssh\"", "a", 22, true, true},
        {"permitopen=\"a:ssh\"", "a", 23, false, true},
        {"permitopen=\":80\"", "a", 80, false, true},
        {"permitopen=\"[]:80\"", "a", 80, false, true},
        {"permitlisten=\":80\"", "", 80, true, true},
        {"permitlisten=\":80\"", "a", 80, true, false},
        {"permitlisten=\"ssh\"", "a", 22, true, true},
        {"permitlisten=\" 080\"", "a", 80, true, true},
        {"permitopen=\"*.example:80\"", "a.example", 80, false, true}, /* literal */
        {"permitopen=\"[::1]:80\"", "::1", 80, true, true},
        {"permitopen=\"[2001:db8::1]:*\"", "2001:DB8::1", 80, true, true},
        {"permitopen=\"none:1\",restrict", "none", 1, false, false},
        {"permitlisten=\"8080\"", "0.0.0.0", 8080, true, true},
        {"permitlisten=\"8080\"", "", 8080, true, true},
        {"permitlisten=\"8080\"", "", 0, true, false},
        {"permitlisten=\"localhost:8080\"", "LOCALHOST", 8080, true, true},
        {"permitlisten=\"localhost:8080\"", "127.0.0.1", 8080, true, false},
        {"permitlisten=\"127.0.0.*:8080\"", "127.0.0.5", 8080, true, true},
        {"permitlisten=\"[::1]:*\"", "::1", 0, true, true},
        {"permitlisten=\"*\"", "any", 7, true, true},
        {"permitlisten=\"*\"", "/run/socket", 0, true, false},
        {"permitlisten=\"*:7\"", "any", 8, true, false},
        {"no-pty", "/run/socket", 0, true, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[512];
        struct notes notes;

        snprintf(text, sizeof(text), "%s ssh-ed25519 " A, cases[i].options);
        struct alk_authorized_keys *set = parse(text, &notes);
        const struct alk_authorized_key *key = find_a(set);
        if (key == NULL)
            fail_msg("%s: %s", cases[i].options, notes.last);
        bool open = alk_authorized_key_may_open(key, cases[i].host, cases[i].port);
        bool listen = alk_authorized_key_may_listen(key, cases[i].host, cases[i].port);
        if (open != cases[i].open || listen != cases[i].listen)
            fail_msg("%s, %s:%u: expected open %d listen %d, got %d %d", cases[i].options,
                     cases[i].host, cases[i].port, cases[i].open, cases[i].listen, open, listen);
        alk_authorized_keys_free(set);
    }
}

static void the_first_admitting_line_of_a_key_wins(void **state)
{
    struct notes notes;
    struct alk_authorized_keys *set = parse("from=\"10.0.0.0/8\" ssh-ed25519 " A " one\n"
                                            "ssh-ed25519 " B " other\n"
                                            "from=\"192.0.2.0/24\" ssh-ed25519 " A " two\n"
                                            "from=\"192.0.2.1\" ssh-ed25519 " A " three\n",
                                            &notes);
    const struct alk_authorized_key *key = find_a(set);

    (void)state;
    assert_string_equal(key->comment, "one");
    key = alk_authorized_keys_next(set, key);
    assert_string_equal(key->comment, "two");
    key = alk_authorized_keys_next(set, key);
    assert_string_equal(key->comment, "three");
    assert_null(alk_authorized_keys_next(set, key));
    key = alk_authorized_keys_admit(set, blob_a, sizeof(blob_a), "192.0.2.1", 1);
    assert_string_equal(key->comment, "two");
    assert_null(alk_authorized_keys_admit(set, blob_a, sizeof(blob_a), "203.0.113.1", 1));
    assert_null(
        alk_authorized_keys_next(set, alk_authorized_keys_find(set, blob_b, sizeof(blob_b))));
    alk_authorized_keys_free(set);
}

static void loads_files_with_safe_modes(void **state)
{
    struct scratch *scratch = *state;
    struct alk_authorized_keys *set;
    struct alk_error error = {0};

    scratch_run(scratch, NULL, 0,
                ARGV("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "bob", "-f", "k"));
    const char *path = scratch_path(scratch, "k.pub");
    assert_int_equal(alk_authorized_keys_load(&set, path, NULL, NULL, &error), ALK_OK);
    assert_int_equal(alk_authorized_keys_count(set), 1);
    alk_authorized_keys_free(set);
    alk_authorized_keys_free(NULL);

    assert_int_equal(chmod(path, 0664), 0);
    assert_int_equal(alk_authorized_keys_load(&set, path, NULL, NULL, &error), ALK_E_DENIED);
    assert_non_null(strstr(error.text, "can be written by others; run: chmod go-w /tmp/"));
    assert_null(set);
    path = scratch_path(scratch, "none");
    assert_int_equal(alk_authorized_keys_load(&set, path, NULL, NULL, &error), ALK_E_NOTFOUND);
    path = scratch_path(scratch, "fifo");
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(alk_authorized_keys_load(&set, path, NULL, NULL, &error), ALK_E_INVAL);
    assert_int_equal(alk_authorized_keys_load(&set, scratch->dir, NULL, NULL, &error), ALK_E_INVAL);
}

/* Many keys: each is found, on its own line, and nothing else. */
static void finds_each_of_many_keys(void **state)
{
    enum { KEYS = 20000 };
    char *text = malloc(KEYS * 96);
    struct alk_authorized_keys *set;
    char *at = text;
    uint8_t blob[ALK_KEY_BLOB_SIZE];
    uint8_t raw[32] = {0};

    (void)state;
    for (unsigned i = 0; i < KEYS; i++) {
        /* real points first, where they are checked; then any bytes serve */
        if (i < 2048) {
            uint8_t seed[32] = {(uint8_t)i, (uint8_t)(i >> 8)}, secret[64];
            crypto_sign_seed_keypair(raw, secret, seed);
        } else {
            crypto_generichash(raw, sizeof(raw), (const uint8_t *)&i, sizeof(i), NULL, 0);
        }
        alk_key_make_blob(raw, blob);
        assert_int_equal(alk_key_format_public(blob, sizeof(blob), NULL, at, 95), ALK_OK);
        at += strlen(at);
        *at++ = '\n';
    }
    assert_int_equal(alk_authorized_keys_parse(&set, text, (size_t)(at - text), NULL, NULL),
                     ALK_OK);
    assert_int_equal(alk_authorized_keys_count(set), KEYS);
    for (unsigned i = 2048; i < KEYS; i++) {
        crypto_generichash(raw, sizeof(raw), (const uint8_t *)&i, sizeof(i), NULL, 0);
        alk_key_make_blob(raw, blob);
        const struct alk_authorized_key *key = alk_authorized_keys_find(set, blob, sizeof(blob));
        if (key == NULL || key->line != i + 1)
            fail_msg("key %u: expected line %u, got %u", i, i + 1, key != NULL ? key->line : 0);
        blob[50] ^= 1;
        assert_null(alk_authorized_keys_find(set, blob, sizeof(blob)));
    }
    alk_authorized_keys_free(set);
    free(text);
}

static void matches_patterns(void **state)
{
    static const struct {
        const char *pattern, *text;
        bool expected;
    } cases[] = {
        {"", "", true},
        {"", "a", false},
        {"*", "", true},
        {"?", "", false},
        {"a*b*c", "aXbYc", true},
        {"a*b*c", "aXcYb", false},
        {"*a", "bba", true},
        {"*ab", "aab", true},
        {"*?b", "b", false},
        {"**", "x", true},
        {"A?c", "abC", true},
        {"*.co.uk", "x.co.uk", true},
        {"*.co.uk", "co.uk", false},
        /* exponential for a careless matcher */
        {"*a*a*a*a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        bool got = alk_pattern_matches(cases[i].pattern, strlen(cases[i].pattern), cases[i].text);
        if (got != cases[i].expected)
            fail_msg("\"%s\" on \"%s\": expected %d", cases[i].pattern, cases[i].text,
                     cases[i].expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_lines_as_sshd),
        cmocka_unit_test(reports_and_skips_bad_lines),
        cmocka_unit_test(refuses_nul_and_overlong_lines),
        cmocka_unit_test(notes_options_without_meaning),
        cmocka_unit_test(forwarding_follows_the_options_in_order),
        cmocka_unit_test(reads_scopes_and_resources),
        cmocka_unit_test(reads_authorities),
        cmocka_unit_test(reads_security_keys),
        cmocka_unit_test(from_admits_addresses),
        cmocka_unit_test(expiry_is_enforced),
        cmocka_unit_test(reads_points_in_time),
        cmocka_unit_test(permits_name_destinations),
        cmocka_unit_test(the_first_admitting_line_of_a_key_wins),
        cmocka_unit_test_setup_teardown(loads_files_with_safe_modes, scratch_make, scratch_remove),
        cmocka_unit_test(finds_each_of_many_keys),
        cmocka_unit_test(matches_patterns),
    };

    if (alk_crypto_init() != ALK_OK || alk_key_decode_blob(A, strlen(A), blob_a) != NULL ||
        alk_key_decode_blob(B, strlen(B), blob_b) != NULL)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
