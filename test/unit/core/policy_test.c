/* What the policy decides, case by case. */
#include <alk/policy.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define ALLOW   ALK_POLICY_ALLOWED
#define DENY    ALK_POLICY_DENIED
#define DEPENDS ALK_POLICY_DEPENDS

enum { RULES_MOST = 8 };

struct decision {
    const char *target;
    const char *resolves_to; /* NULL: not known */
    const char *scope;       /* besides the identity "SHA256:abc" */
    const char *transport;   /* NULL: "tcp" */
    enum alk_policy_outcome want;
    unsigned rule; /* from 1; 0: a default */
};

struct policy_case {
    const char *rules[RULES_MOST];
    struct alk_policy_defaults defaults;
    struct decision decisions[48];
};

#define ALLOW_ALL                                                                                  \
    {                                                                                              \
        .action = ALK_POLICY_ALLOW                                                                 \
    }
#define DENY_ALL                                                                                   \
    {                                                                                              \
        .action = ALK_POLICY_DENY                                                                  \
    }

static const struct policy_case
    cases[] =
        {
            {.rules = {NULL}, /* nothing configured */
             .decisions =
                 {
                     {"example.com:443", NULL, NULL, NULL, DEPENDS, 0},
                     {"example.com:443", "192.0.2.1", NULL, NULL, ALLOW, 0},
                     {"example.com:443", "127.0.0.1", NULL, NULL, ALLOW, 0},
                     {"example.com:443", "169.254.169.254", NULL, NULL, DENY, 0},
                     {"example.com:443", "fe80::1", NULL, NULL, DENY, 0},
                     {"example.com:443", "fd00:ec2::254", NULL, NULL, DENY, 0},
                     {"127.0.0.1:80", NULL, NULL, NULL, ALLOW, 0},
                     {"[::1]:80", NULL, NULL, NULL, ALLOW, 0},
                     {"0.0.0.0:80", NULL, NULL, NULL, ALLOW, 0},
                     {"169.254.169.254:80", NULL, NULL, NULL, DENY, 0},
                     {"169.254.0.1:80", NULL, NULL, NULL, DENY, 0},
                     {"169.253.255.255:80", NULL, NULL, NULL, ALLOW, 0},
                     {"169.255.0.0:80", NULL, NULL, NULL, ALLOW, 0},
                     {"[fe80::1]:80", NULL, NULL, NULL, DENY, 0},
                     {"[fe80::1%lo]:80", NULL, NULL, NULL, DENY, 0},
                     {"[febf::1]:80", NULL, NULL, NULL, DENY, 0},
                     {"[fec0::1]:80", NULL, NULL, NULL, ALLOW, 0},
                     {"[::ffff:169.254.169.254]:80", NULL, NULL, NULL, DENY, 0},
                     {"[64:ff9b::169.254.169.254]:80", NULL, NULL, NULL, DENY, 0},
                     {"[2002:a9fe:a9fe::]:80", NULL, NULL, NULL, DENY, 0},
                     {"2852039166:80", NULL, NULL, NULL, DENY, 0},
                     {"0xa9fea9fe:80", NULL, NULL, NULL, DENY, 0},
                     {"0251.0376.0251.0376:80", NULL, NULL, NULL, DENY, 0},
                     {"169.254.43518:80", NULL, NULL, NULL, DENY, 0},
                     {"unix:/run/app.sock", NULL, NULL, NULL, ALLOW, 0},
                     {"alknet-control", NULL, NULL, NULL, ALLOW, 0},
                     {"listen:127.0.0.1:8080", NULL, NULL, NULL, ALLOW, 0},
                     {"listen:[::1]:1024", NULL, NULL, NULL, ALLOW, 0},
                     {"listen:127.0.0.1:0", NULL, NULL, NULL, ALLOW, 0},
                     {"listen:127.0.0.1:1023", NULL, NULL, NULL, DENY, 0},
                     {"listen:0.0.0.0:8080", NULL, NULL, NULL, DENY, 0},
                     {"listen:[::]:8080", NULL, NULL, NULL, DENY, 0},
                     {"listen:192.0.2.1:8080", NULL, NULL, NULL, DENY, 0},
                     {"listen:unix:/run/app.sock", NULL, NULL, NULL, ALLOW, 0},
                 }},
            {.rules = {NULL}, /* default deny: nothing */
             .defaults = DENY_ALL,
             .decisions =
                 {
                     {"example.com:443", NULL, NULL, NULL, DENY, 0},
                     {"example.com:443", "192.0.2.1", NULL, NULL, DENY, 0},
                     {"localhost:443", NULL, NULL, NULL, DENY, 0},
                     {"127.0.0.1:80", NULL, NULL, NULL, DENY, 0},
                     {"169.254.169.254:80", NULL, NULL, NULL, DENY, 0},
                     {"unix:/run/app.sock", NULL, NULL, NULL, DENY, 0},
                     {"alknet-control", NULL, NULL, NULL, DENY, 0},
                     {"listen:127.0.0.1:8080", NULL, NULL, NULL, DENY, 0},
                     {"listen:unix:/run/app.sock", NULL, NULL, NULL, DENY, 0},
                 }},
            {.rules = {NULL}, /* the switches */
             .defaults = {ALK_POLICY_DENY, ALK_POLICY_ALLOW, ALK_POLICY_UNSET},
             .decisions =
                 {
                     {"127.0.0.1:80", NULL, NULL, NULL, ALLOW, 0},
                     {"127.1:80", NULL, NULL, NULL, ALLOW, 0},
                     {"0:80", NULL, NULL, NULL, ALLOW, 0},
                     {"[::]:80", NULL, NULL, NULL, ALLOW, 0},
                     {"192.0.2.1:80", NULL, NULL, NULL, DENY, 0},
                     {"localhost:80", NULL, NULL, NULL, DEPENDS, 0},
                     {"localhost:80", "::1", NULL, NULL, ALLOW, 0},
                     {"localhost:80", "192.0.2.1", NULL, NULL, DENY, 0},
                     {"169.254.1.1:80", NULL, NULL, NULL, DENY, 0},
                 }},
            {.rules = {NULL},
             .defaults = {ALK_POLICY_ALLOW, ALK_POLICY_DENY, ALK_POLICY_ALLOW},
             .decisions =
                 {
                     {"127.0.0.1:80", NULL, NULL, NULL, DENY, 0},
                     {"127.255.255.255:80", NULL, NULL, NULL, DENY, 0},
                     {"[::1]:80", NULL, NULL, NULL, DENY, 0},
                     {"[::ffff:127.0.0.1]:80", NULL, NULL, NULL, DENY, 0},
                     {"[::ffff:7f00:1]:80", NULL, NULL, NULL, DENY, 0},
                     {"0.0.0.0:80", NULL, NULL, NULL, DENY, 0},
                     {"[::]:80", NULL, NULL, NULL, DENY, 0},
                     {"0x7f.1:80", NULL, NULL, NULL, DENY, 0},
                     {"0X7F000001:80", NULL, NULL, NULL, DENY, 0},
                     {"2130706433:80", NULL, NULL, NULL, DENY, 0},
                     {"017700000001:80", NULL, NULL, NULL, DENY, 0},
                     {"127.0.0.1.:80", NULL, NULL, NULL, DENY, 0},
                     {"localhost:80", "127.0.0.1", NULL, NULL, DENY, 0},
                     {"LOCALHOST.:80", "127.0.0.1", NULL, NULL, DENY, 0},
                     {"example.com:80", "0.0.0.0", NULL, NULL, DENY, 0},
                     {"example.com:80", "::ffff:127.0.0.1", NULL, NULL, DENY, 0},
                     {"128.0.0.1:80", NULL, NULL, NULL, ALLOW, 0},
                     {"169.254.169.254:80", NULL, NULL, NULL, ALLOW, 0},
                 }},
            {.rules = {"allow localhost:*",
                       "allow *.internal.example:443 principals=ops transports=tls,tcp",
                       "deny 10.0.0.0/8"}, /* the example of the manual */
             .defaults = DENY_ALL,
             .decisions =
                 {
                     {"localhost:80", NULL, NULL, NULL, DEPENDS, 1},
                     {"localhost:80", "127.0.0.1", NULL, NULL, ALLOW, 1},
                     {"LocalHost.:65535", "::1", NULL, NULL, ALLOW, 1},
                     {"127.0.0.1:80", NULL, NULL, NULL, DENY, 0},
                     {"a.internal.example:443", "10.1.1.1", "ops", NULL, ALLOW, 2},
                     {"a.internal.example:443", "10.1.1.1", "ops", "tls", ALLOW, 2},
                     {"a.internal.example:443", "10.1.1.1", "ops", "iroh", DENY, 3},
                     {"a.internal.example:443", "192.0.2.1", "ops", "unix", DENY, 0},
                     {"a.internal.example:443", "10.1.1.1", "dev", NULL, DENY, 3},
                     {"a.internal.example:443", NULL, NULL, NULL, DENY, 0},
                     {"A.B.C.INTERNAL.Example.:443", "192.0.2.1", "ops", NULL, ALLOW, 2},
                     {"internal.example:443", "192.0.2.1", "ops", NULL, DENY, 0},
                     {"xinternal.example:443", "192.0.2.1", "ops", NULL, DENY, 0},
                     {"a.internal.example.evil.org:443", "192.0.2.1", "ops", NULL, DENY, 0},
                     {"a.internal.example:444", "192.0.2.1", "ops", NULL, DENY, 0},
                     {"a.internal.example:443", "169.254.169.254", "ops", NULL, DENY, 0},
                     {"a.internal.example:443", "127.0.0.1", "ops", NULL, DENY, 0},
                     {"localhost:80", "169.254.169.254", NULL, NULL, DENY, 0},
                 }},
            {.rules = {"allow [64:ff9b::]/96:80", "deny 10.0.0.0/8", "allow *:443"},
             .defaults = ALLOW_ALL,
             .decisions =
                 {
                     {"[64:ff9b::a01:203]:80", NULL, NULL, NULL, ALLOW, 1}, /* it stands before */
                     {"[64:ff9b::a01:203]:443", NULL, NULL, NULL, DENY, 2},
                     {"[64:ff9b::a9fe:a9fe]:80", NULL, NULL, NULL, ALLOW, 1},
                     {"[64:ff9b::a9fe:a9fe]:443", NULL, NULL, NULL, DENY, 0},
                     {"[2002:a01:203::9]:80", NULL, NULL, NULL, DENY, 2},
                 }},
            {.rules = {"allow 10.0.0.0/8"}, /* a gateway opens nothing */
             .defaults = DENY_ALL,
             .decisions =
                 {
                     {"10.1.2.3:80", NULL, NULL, NULL, ALLOW, 1},
                     {"[64:ff9b::a01:203]:80", NULL, NULL, NULL, DENY, 0},
                 }},
            {.rules = {"deny 10.0.0.0/8", "deny [2001:db8::]/32", "allow 10.0.0.1:80",
                       "deny 192.0.2.0/25:25", "deny blocked.example.com", "deny *.bad.example"},
             .defaults = ALLOW_ALL,
             .decisions =
                 {
                     {"10.0.0.1:80", NULL, NULL, NULL, DENY, 1}, /* the first match wins */
                     {"10.255.255.255:1", NULL, NULL, NULL, DENY, 1},
                     {"9.255.255.255:1", NULL, NULL, NULL, ALLOW, 0},
                     {"11.0.0.0:1", NULL, NULL, NULL, ALLOW, 0},
                     {"[::ffff:10.1.2.3]:80", NULL, NULL, NULL, DENY, 1},
                     {"[::ffff:a01:203]:80", NULL, NULL, NULL, DENY, 1},
                     {"[64:ff9b::a01:203]:80", NULL, NULL, NULL, DENY, 1}, /* by a gateway */
                     {"[2002:a01:203::9]:80", NULL, NULL, NULL, DENY, 1},
                     {"[::10.1.2.3]:80", NULL, NULL, NULL, DENY, 1},
                     {"evil.example.com:80", "64:ff9b::a01:203", NULL, NULL, DENY, 1},
                     {"[64:ff9b::b01:203]:80", NULL, NULL, NULL, ALLOW, 0},
                     {"[64:ff9c::a01:203]:80", NULL, NULL, NULL, ALLOW, 0},
                     {"[2003:a01:203::9]:80", NULL, NULL, NULL, ALLOW, 0},
                     {"167837955:80", NULL, NULL, NULL, DENY, 1},
                     {"0xa.1:80", NULL, NULL, NULL, DENY, 1},
                     {"012.0.0.1:80", NULL, NULL, NULL, DENY, 1},
                     {"10.1:80", NULL, NULL, NULL, DENY, 1},
                     {"evil.example.com:80", "10.0.0.9", NULL, NULL, DENY, 1},
                     {"evil.example.com:80", "::ffff:10.0.0.9", NULL, NULL, DENY, 1},
                     {"evil.example.com:80", "2001:db8::5", NULL, NULL, DENY, 2},
                     {"evil.example.com:80", "2001:db9::5", NULL, NULL, ALLOW, 0},
                     {"evil.example.com:80", NULL, NULL, NULL, DEPENDS, 0},
                     {"[2001:db8:ffff::1]:443", NULL, NULL, NULL, DENY, 2},
                     {"[2001:DB8::]:443", NULL, NULL, NULL, DENY, 2},
                     {"[2001:db7:ffff::1]:443", NULL, NULL, NULL, ALLOW, 0},
                     {"192.0.2.127:25", NULL, NULL, NULL, DENY, 4},
                     {"192.0.2.128:25", NULL, NULL, NULL, ALLOW, 0},
                     {"192.0.2.127:26", NULL, NULL, NULL, ALLOW, 0},
                     {"blocked.example.com:1", NULL, NULL, NULL, DEPENDS, 5},
                     {"blocked.example.com:1", "192.0.2.200", NULL, NULL, DENY, 5},
                     {"Blocked.Example.COM.:1", "192.0.2.200", NULL, NULL, DENY, 5},
                     {"a.blocked.example.com:1", "192.0.2.200", NULL, NULL, ALLOW, 0},
                     {"bad.example:1", "192.0.2.200", NULL, NULL, ALLOW, 0},
                     {"x.bad.example:1", "192.0.2.200", NULL, NULL, DENY, 6},
                     {"x.y.BAD.example.:1", "192.0.2.200", NULL, NULL, DENY, 6},
                 }},
            {.rules = {"allow db.example.com:5432", "deny 10.0.0.0/8",
                       "allow 10.9.0.0/16"}, /* order */
             .defaults = DENY_ALL,
             .decisions =
                 {
                     {"db.example.com:5432", "10.1.1.1", NULL, NULL, ALLOW, 1},
                     {"db.example.com:5432", "127.0.0.1", NULL, NULL, DENY, 0},
                     {"db.example.com:5432", "::1", NULL, NULL, DENY, 0},
                     {"db.example.com:5432", "169.254.169.254", NULL, NULL, DENY, 0},
                     {"db.example.com:5433", "10.1.1.1", NULL, NULL, DENY, 2},
                     {"other.example.com:1", "10.9.1.1", NULL, NULL, DENY, 2},
                     {"other.example.com:1", NULL, NULL, NULL, DEPENDS, 0},
                 }},
            {.rules = {"allow 10.9.0.0/16:8000-8010", "allow [fd00::]/8:*", "allow 127.0.0.1:5000",
                       "allow 169.254.10.0/24:80", "allow *:443"},
             .defaults = DENY_ALL,
             .decisions =
                 {
                     {"10.9.255.255:8000", NULL, NULL, NULL, ALLOW, 1},
                     {"10.9.0.0:8010", NULL, NULL, NULL, ALLOW, 1},
                     {"10.9.0.0:7999", NULL, NULL, NULL, DENY, 0},
                     {"10.9.0.0:8011", NULL, NULL, NULL, DENY, 0},
                     {"app.example.com:8005", "10.9.1.1", NULL, NULL, ALLOW, 1},
                     {"app.example.com:8005", "10.8.1.1", NULL, NULL, DENY, 0},
                     {"[fdff::1]:1", NULL, NULL, NULL, ALLOW, 2},
                     {"[fe00::1]:1", NULL, NULL, NULL, DENY, 0},
                     {"127.0.0.1:5000", NULL, NULL, NULL, ALLOW, 3},
                     {"evil.example.com:5000", "127.0.0.1", NULL, NULL, ALLOW, 3},
                     {"127.0.0.2:5000", NULL, NULL, NULL, DENY, 0},
                     {"0.0.0.0:5000", NULL, NULL, NULL, ALLOW, 3},
                     {"x.example.com:5000", "0.0.0.0", NULL, NULL, ALLOW, 3},
                     {"169.254.10.9:80", NULL, NULL, NULL, ALLOW, 4},
                     {"x.example.com:80", "169.254.10.9", NULL, NULL, ALLOW, 4},
                     {"169.254.169.254:443", NULL, NULL, NULL, DENY, 0},
                     {"127.0.0.1:443", NULL, NULL, NULL, ALLOW, 5},
                     {"x.example.com:443", "127.0.0.1", NULL, NULL, ALLOW, 5},
                     {"x.example.com:443", "169.254.169.254", NULL, NULL, DENY, 0},
                     {"[2001:db8::1]:443", NULL, NULL, NULL, ALLOW, 5},
                     {"unix:/run/app.sock", NULL, NULL, NULL, DENY, 0},
                     {"alknet-control", NULL, NULL, NULL, DENY, 0},
                     {"listen:127.0.0.1:443", NULL, NULL, NULL, DENY, 0},
                 }},
            {.rules = {"deny unix:/run/app/admin.sock", "allow unix:/run/app/*.sock",
                       "allow unix:/run/user/?00*/*/s", "allow alknet-control", "deny alknet-*",
                       "allow * principals=SHA256:abc"},
             .defaults = DENY_ALL,
             .decisions =
                 {
                     {"unix:/run/app/admin.sock", NULL, NULL, NULL, DENY, 1},
                     {"unix:/run/app/web.sock", NULL, NULL, NULL, ALLOW, 2},
                     {"unix:/run/app/.sock", NULL, NULL, NULL, ALLOW, 2},
                     {"unix:/run/app/Admin.sock", NULL, NULL, NULL, ALLOW,
                      2},                                                    /* paths have a case */
                     {"unix:/run/app/a/b.sock", NULL, NULL, NULL, ALLOW, 6}, /* not rule 2 */
                     {"unix:/run/user/1000/x/s", NULL, NULL, NULL, ALLOW, 3},
                     {"unix:/run/user/100/x/y/s", NULL, NULL, NULL, ALLOW, 6},
                     {"alknet-control", NULL, NULL, NULL, ALLOW, 4},
                     {"ALKNET-Control", NULL, NULL, NULL, ALLOW, 4},
                     {"alknet-other", NULL, NULL, NULL, DENY, 5},
                     {"192.0.2.1:80", NULL, NULL, NULL, ALLOW, 6},
                     {"127.0.0.1:80", NULL, NULL, NULL, ALLOW, 6},
                     {"169.254.169.254:80", NULL, NULL, NULL, DENY, 0},
                     {"listen:127.0.0.1:443", NULL, NULL, NULL, DENY, 0},
                 }},
            {.rules = {"allow listen:0.0.0.0:8080", "allow listen:localhost:9000-9001",
                       "allow listen:192.0.2.0/24", "allow listen:unix:/run/app/*",
                       "deny listen:*:22", "allow listen:*:22 principals=ops", "deny *"},
             .defaults = ALLOW_ALL,
             .decisions =
                 {
                     {"listen:0.0.0.0:8080", NULL, NULL, NULL, ALLOW, 1},
                     {"listen:*:8080", NULL, NULL, NULL, ALLOW, 1},
                     {"listen:0.0.0.0:8081", NULL, NULL, NULL, DENY, 0},
                     {"listen:127.0.0.1:9000", NULL, NULL, NULL, ALLOW, 2},
                     {"listen:[::1]:9001", NULL, NULL, NULL, ALLOW, 2},
                     {"listen:localhost:9001", NULL, NULL, NULL, ALLOW, 2},
                     {"listen:0.0.0.0:9001", NULL, NULL, NULL, DENY, 0},
                     {"listen:192.0.2.9:1", NULL, NULL, NULL, ALLOW, 3},
                     {"listen:[::ffff:192.0.2.9]:1", NULL, NULL, NULL, ALLOW, 3},
                     {"listen:unix:/run/app/x", NULL, NULL, NULL, ALLOW, 4},
                     {"listen:unix:/run/other/x", NULL, NULL, NULL, ALLOW, 0},
                     {"listen:127.0.0.1:22", NULL, "ops", NULL, DENY, 5},
                     {"127.0.0.1:80", NULL, NULL, NULL, DENY, 7},
                     {"example.com:80", NULL, NULL, NULL, DENY, 7},
                     {"unix:/x", NULL, NULL, NULL, DENY, 7},
                     {"alknet-x", NULL, NULL, NULL, DENY, 7},
                 }},
            {.rules = {"ALLOW a.example PRINCIPALS=ops,dev INTERFACES=ssh",
                       "allow a.example interfaces=raw", "allow b.example\ttransports=IROH",
                       "allow [::ffff:192.0.2.0]/120", "allow 0.0.0.0/0:53", "allow [::]/0:54"},
             .defaults = DENY_ALL,
             .decisions =
                 {
                     {"a.example:1", "192.0.3.1", "dev", NULL, ALLOW, 1},
                     {"a.example:1", "192.0.3.1", "DEV", NULL, DENY,
                      0}, /* principals have a case */
                     {"a.example:1", "192.0.3.1", "de", NULL, DENY, 0},
                     {"b.example:1", "192.0.3.1", NULL, "iroh", ALLOW, 3},
                     {"b.example:1", "192.0.3.1", NULL, NULL, DENY, 0},
                     {"192.0.2.255:9", NULL, NULL, NULL, ALLOW, 4},
                     {"[::ffff:192.0.2.255]:9", NULL, NULL, NULL, ALLOW, 4},
                     {"8.8.8.8:53", NULL, NULL, NULL, ALLOW, 5},
                     {"[2001:db8::1]:53", NULL, NULL, NULL, DENY, 0},
                     {"[2001:db8::1]:54", NULL, NULL, NULL, ALLOW, 6},
                     {"8.8.8.8:54", NULL, NULL, NULL, DENY, 0},
                 }},
};

static struct alk_policy *compile(const char *const *texts, size_t most,
                                  const struct alk_policy_defaults *defaults)
{
    struct alk_policy_rule_text rules[RULES_MOST];
    struct alk_policy *policy;
    struct alk_error error;
    size_t count = 0;

    while (count < most && texts[count] != NULL) {
        rules[count] = (struct alk_policy_rule_text){.text = texts[count]};
        count++;
    }
    if (alk_policy_new(&policy, rules, count, defaults, &error) != ALK_OK)
        fail_msg("%s", error.text);
    return policy;
}

static void check(const struct alk_policy *policy, const struct decision *d, size_t number)
{
    struct alk_policy_target target;
    struct alk_policy_address address;
    struct alk_error error;
    const char *scopes[] = {"relay:connect", d->scope};
    struct alk_policy_subject subject = {.id = "SHA256:abc",
                                         .scopes = scopes,
                                         .scope_count = d->scope != NULL ? 2 : 1,
                                         .transport = d->transport != NULL ? d->transport : "tcp",
                                         .interface = "ssh"};

    if (alk_policy_target_parse(&target, d->target, &error) != ALK_OK)
        fail_msg("%s", error.text);
    if (d->resolves_to != NULL)
        assert_true(alk_policy_address_parse(&address, d->resolves_to));
    struct alk_policy_verdict v =
        alk_policy_judge(policy, &subject, &target, d->resolves_to != NULL ? &address : NULL);
    size_t rule = v.rule == ALK_POLICY_NO_RULE ? 0 : v.rule + 1;
    if (v.outcome != d->want || rule != d->rule || (v.reason == ALK_POLICY_BY_RULE) != (rule != 0))
        fail_msg("case %zu, %s (%s): expected %d by rule %u, got %d by rule %zu", number, d->target,
                 d->resolves_to != NULL ? d->resolves_to : "-", d->want, d->rule, v.outcome, rule);
}

static void decisions_are_as_the_table_says(void **state)
{
    size_t total = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct alk_policy *policy = compile(cases[i].rules, RULES_MOST, &cases[i].defaults);
        for (const struct decision *d = cases[i].decisions; d->target != NULL; d++, total++)
            check(policy, d, i);
        alk_policy_free(policy);
    }
    assert_true(total >= 150);
}

static void targets_that_no_rule_can_judge_are_refused(void **state)
{
    static const char *const hosts[] = {
        "",      ".",        "a..b",  ".a",         "a..",      "256.1.1.1",   "1.2.3.4.5",
        "08",    "1.2.3.0x", "0x",    "a.b.0x1g.7", "host.123", "a b",         "a\tb",
        "a\x7f", "[::1]",    "::1::", "fe80::1:x%", "a:b",      "127.0.0.1..", "4294967296"};
    static const char *const paths[] = {"",    "a",    "./a",  "a/b",   "/",   "/a/../b",
                                        "/..", "/a/.", "/./a", "/a//b", "/a/", "../a"};
    struct alk_policy_target target;
    char longest[ALK_POLICY_HOST_MAX + 3];

    (void)state;
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        if (alk_policy_target_host(&target, hosts[i], 80) != ALK_E_INVAL)
            fail_msg("the host \"%s\" was taken as %s", hosts[i], target.host);
    }
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        if (alk_policy_target_path(&target, paths[i]) != ALK_E_INVAL ||
            alk_policy_target_listen_path(&target, paths[i]) != ALK_E_INVAL)
            fail_msg("the path \"%s\" was taken", paths[i]);
    }
    assert_int_equal(alk_policy_target_host(&target, "a", 65536), ALK_E_INVAL);
    assert_int_equal(alk_policy_target_host(&target, "a", 65535), ALK_OK);
    assert_int_equal(alk_policy_target_listen(&target, "example.com", 80), ALK_E_INVAL);
    memset(longest, 'a', sizeof(longest));
    longest[ALK_POLICY_HOST_MAX + 1] = '\0';
    assert_int_equal(alk_policy_target_host(&target, longest, 80), ALK_E_INVAL);
    longest[0] = '/';
    assert_int_equal(alk_policy_target_path(&target, longest), ALK_E_INVAL);
    longest[ALK_POLICY_HOST_MAX] = '\0';
    assert_int_equal(alk_policy_target_path(&target, longest), ALK_OK);
}

static void the_only_spelling_is_what_is_dialled(void **state)
{
    static const char *const spellings[][2] = {
        {"0x7f.1", "127.0.0.1"},
        {"2130706433", "127.0.0.1"},
        {"010.1", "8.0.0.1"},
        {"127.0.0.1.", "127.0.0.1"},
        {"0.0.0.0", "127.0.0.1"},
        {"::", "::1"},
        {"::ffff:192.0.2.1", "192.0.2.1"},
        {"2001:DB8:0:0::1", "2001:db8::1"},
        {"fe80::1%eth0", "fe80::1%eth0"},
        {"Example.COM.", "example.com"},
        {"_srv.example.com", "_srv.example.com"},
        {"123.example", "123.example"},
    };
    struct alk_policy_target target;

    (void)state;
    for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++) {
        assert_int_equal(alk_policy_target_host(&target, spellings[i][0], 1), ALK_OK);
        assert_string_equal(target.host, spellings[i][1]);
    }
}

/* Each with a word that the sentence must have. */
static const char *const bad_rules[][2] = {
    {"", "allow or deny"},
    {"permit *", "allow or deny"},
    {"allow", "missing"},
    {"allow   ", "missing"},
    {"allow a b", "\"b\""},
    {"allow a principal=x", "principal=x"},
    {"allow a principals=", "empty name"},
    {"allow a principals=x,,y", "empty name"},
    {"allow a principals=x principals=y", "twice"},
    {"allow a transports=udp", "tcp, tls"},
    {"allow a transports=", "tcp, tls"},
    {"allow a transports=tcp transports=tls", "twice"},
    {"allow a interfaces=sssh", "ssh, raw"},
    {"allow a:0", "port"},
    {"allow a:65536", "port"},
    {"allow a:999999", "port"},
    {"allow a:", "port"},
    {"allow a:80-", "port"},
    {"allow a:-80", "port"},
    {"allow a:80-79", "smaller one first"},
    {"allow a:80,81", "port"},
    {"allow a:http", "port"},
    {"allow :80", "none of"},
    {"allow 2001:db8::1:80", "brackets"},
    {"allow [2001:db8::1", "not closed"},
    {"allow [10.0.0.1]:80", "no IPv6"},
    {"allow [2001:db8::1]x", "none of"},
    {"allow [2001:db8::]/129", "0 to 128"},
    {"allow [2001:db8::1]/32", "bits set"},
    {"allow [::ffff:10.0.0.0]/95", "96 bits"},
    {"allow 10.0.0.0/33", "0 to 32"},
    {"allow 10.0.0.0/", "0 to 32"},
    {"allow 10.0.0.1/8", "bits set"},
    {"allow 10.0.0.0/8/8", "none of"},
    {"allow 10.0.0/8", "four decimal"},
    {"allow 0x7f.1", "four decimal"},
    {"allow 2130706433", "four decimal"},
    {"allow 1.2.3.4.5", "four decimal"},
    {"allow example.com/8", "none of"},
    {"allow *example.com", "whole labels"},
    {"allow a.*.com", "whole labels"},
    {"allow *.*.com", "whole labels"},
    {"allow *.", "empty part"},
    {"allow a..b", "empty part"},
    {"allow b\xc3\xbc"
     "cher.example",
     "xn--"},
    {"allow unix:run/app", "absolute"},
    {"allow unix:/run/../app", "absolute"},
    {"allow unix:", "absolute"},
    {"allow alknet-", "alknet-NAME"},
    {"allow alknet-x:80", "alknet-NAME"},
    {"allow listen:example.com", "listen: takes"},
    {"allow listen:*.example.com", "listen: takes"},
    {"allow listen:alknet-x", "nobody listens"},
    {"allow listen:", "none of"},
};

static void bad_rules_are_told_in_one_clear_sentence(void **state)
{
    struct alk_policy *policy;
    struct alk_error error;

    (void)state;
    for (size_t i = 0; i < sizeof(bad_rules) / sizeof(bad_rules[0]); i++) {
        struct alk_policy_rule_text rules[] = {
            {"allow *", "/etc/alknet/server.conf", 6},
            {bad_rules[i][0], "/etc/alknet/server.conf", 7},
        };
        if (alk_policy_new(&policy, rules, 2, NULL, &error) != ALK_E_PARSE)
            fail_msg("\"%s\" was taken", bad_rules[i][0]);
        if (strstr(error.text, bad_rules[i][1]) == NULL || strchr(error.text, '\n') != NULL ||
            strncmp(error.text, "/etc/alknet/server.conf:7: ", 27) != 0)
            fail_msg("\"%s\": %s", bad_rules[i][0], error.text);
    }
    struct alk_policy_rule_text flag = {.text = "allow"};
    assert_int_equal(alk_policy_new(&policy, &flag, 1, NULL, &error), ALK_E_PARSE);
    assert_non_null(strstr(error.text, "rule 1"));
}

static void rules_are_kept_as_written(void **state)
{
    char text[] = "allow Example.COM:80  principals=a";
    struct alk_policy_rule_text rule = {text, "f", 3};
    struct alk_policy *policy;

    (void)state;
    assert_int_equal(alk_policy_new(&policy, &rule, 1, NULL, NULL), ALK_OK);
    memset(text, 'x', sizeof(text) - 1);
    assert_int_equal(alk_policy_rule_count(policy), 1);
    assert_string_equal(alk_policy_rule(policy, 0)->text, "allow Example.COM:80  principals=a");
    assert_string_equal(alk_policy_rule(policy, 0)->file, "f");
    assert_null(alk_policy_rule(policy, 1));
    alk_policy_free(policy);
}

static void without_a_transport_only_rules_for_all_apply(void **state)
{
    static const char *const rules[] = {"allow 192.0.2.1 transports=tcp,tls,iroh,unix", NULL};
    struct alk_policy_defaults defaults = DENY_ALL;
    struct alk_policy *policy = compile(rules, 1, &defaults);
    struct alk_policy_subject nobody = {.id = NULL};
    struct alk_policy_target target;

    (void)state;
    assert_int_equal(alk_policy_target_host(&target, "192.0.2.1", 1), ALK_OK);
    assert_int_equal(alk_policy_judge(policy, &nobody, &target, NULL).outcome, DENY);
    nobody.transport = "unix";
    assert_int_equal(alk_policy_judge(policy, &nobody, &target, NULL).outcome, ALLOW);
    alk_policy_free(policy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decisions_are_as_the_table_says),
        cmocka_unit_test(targets_that_no_rule_can_judge_are_refused),
        cmocka_unit_test(the_only_spelling_is_what_is_dialled),
        cmocka_unit_test(bad_rules_are_told_in_one_clear_sentence),
        cmocka_unit_test(rules_are_kept_as_written),
        cmocka_unit_test(without_a_transport_only_rules_for_all_apply),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
