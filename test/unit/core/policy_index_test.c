/* The compiled matcher beside one that reads the rules from first to last. */
#include "policy/rule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { ROUNDS = 300, RULES = 60, QUESTIONS = 100, TEXT = 200 };

static unsigned seed;

static unsigned pick(unsigned count)
{
    return (unsigned)rand_r(&seed) % count;
}

/* ---- random rules and questions, from few words, so that they meet often ---- */

static const char *const labels[] = {"a", "b", "example", "com"};
static const char *const networks[] = {
    "10.0.0.0/8",  "10.1.0.0/16",    "10.1.2.0/23",          "10.1.2.3",      "0.0.0.0/0",
    "127.0.0.0/8", "169.254.0.0/16", "[2001:db8::]/32",      "[2001:db8::1]", "[::1]",
    "[fe80::]/10", "[::]/0",         "[::ffff:10.1.2.0]/120"};
static const char *const addresses[] = {
    "10.1.2.3", "10.1.3.3",    "10.9.9.9",    "127.0.0.1", "192.0.2.1",      "169.254.169.254",
    "::1",      "2001:db8::1", "2001:db8::2", "fe80::5",   "::ffff:10.1.2.3"};
static const char *const paths[] = {"/run/a",        "/run/b",        "/run/a/x.sock",
                                    "/run/b/x.sock", "/run/a/y.sock", "/srv/x"};
static const char *const globs[] = {"/run/a",        "/run/*", "/run/*/x.sock",
                                    "/run/?/*.sock", "/*/x",   "/run/a/*.sock"};
static const char *const principals[] = {"SHA256:me", "ops", "dev", "nobody"};

#define ONE_OF(list) list[pick(sizeof(list) / sizeof(list[0]))]

static void random_name(char *out)
{
    unsigned count = 1 + pick(3);

    out[0] = '\0';
    for (unsigned i = 0; i < count; i++)
        sprintf(out + strlen(out), "%s%s", i > 0 ? "." : "", ONE_OF(labels));
}

static void random_port(char *out)
{
    static const char *const ports[] = {"", "", ":*", ":80", ":443", ":80-90", ":1-65535", ":85"};

    strcat(out, ONE_OF(ports));
}

static void random_rule(char *out)
{
    sprintf(out, "%s %s", pick(2) ? "allow" : "deny", pick(8) == 0 ? "listen:" : "");
    bool listen = strchr(out, ':') != NULL;
    switch (pick(listen ? 4 : 7)) {
    case 0:
        strcat(out, "*");
        random_port(out);
        break;
    case 1:
    case 2:
        strcat(out, ONE_OF(networks));
        random_port(out);
        break;
    case 3:
        strcat(strcat(out, "unix:"), ONE_OF(globs));
        break;
    case 4:
        strcat(out, pick(2) ? "alknet-*" : "alknet-x");
        break;
    default:
        strcat(out, pick(2) ? "*." : "");
        random_name(out + strlen(out));
        random_port(out);
    }
    if (pick(3) == 0)
        sprintf(out + strlen(out), " principals=%s%s", ONE_OF(principals), pick(2) ? ",ops" : "");
    if (pick(6) == 0)
        strcat(out, pick(2) ? " transports=tls,iroh" : " interfaces=raw");
}

static void random_target(struct alk_policy_target *out)
{
    static const unsigned ports[] = {80, 85, 443, 22};
    char name[TEXT];
    int status;

    switch (pick(6)) {
    case 0:
        status = alk_policy_target_path(out, ONE_OF(paths));
        break;
    case 1:
        status = alk_policy_target_host(out, pick(2) ? "alknet-x" : "alknet-y", 0);
        break;
    case 2:
        status = alk_policy_target_listen(out, ONE_OF(addresses), ONE_OF(ports));
        break;
    case 3:
        status = alk_policy_target_host(out, ONE_OF(addresses), ONE_OF(ports));
        break;
    default:
        random_name(name);
        status = alk_policy_target_host(out, name, ONE_OF(ports));
    }
    assert_int_equal(status, ALK_OK);
}

/* ---- the plain way ---- */

static bool in_network(const struct policy_rule *rule, const struct alk_policy_address *address)
{
    if (address == NULL || rule->network.v6 != address->v6)
        return false;
    for (unsigned i = 0; i < rule->bits; i++) {
        if ((rule->network.bytes[i / 8] ^ address->bytes[i / 8]) & (0x80 >> i % 8))
            return false;
    }
    return true;
}

static bool below(const char *name, const char *domain)
{
    size_t n = strlen(name), d = strlen(domain);

    return n > d + 1 && name[n - d - 1] == '.' && strcmp(name + n - d, domain) == 0;
}

static bool names_target(const struct policy_rule *rule, const struct alk_policy_target *t,
                         const struct alk_policy_address *address)
{
    bool host = t->kind == ALK_POLICY_NAME || t->kind == ALK_POLICY_NUMERIC;

    switch (rule->kind) {
    case RULE_ANY:
        return host || !rule->has_port;
    case RULE_NAME:
        return t->kind == ALK_POLICY_NAME && strcmp(t->host, rule->name) == 0;
    case RULE_SUFFIX:
        return t->kind == ALK_POLICY_NAME && below(t->host, rule->name);
    case RULE_NETWORK:
        return host && in_network(rule, address);
    case RULE_PATH:
    case RULE_GLOB:
        return t->kind == ALK_POLICY_PATH && policy_glob_matches(rule->name, t->host);
    case RULE_INTERNAL:
        return t->kind == ALK_POLICY_INTERNAL && strcmp(t->host, rule->name) == 0;
    default:
        return t->kind == ALK_POLICY_INTERNAL;
    }
}

static bool asked_by(const struct policy_rule *rule, const struct alk_policy_subject *s)
{
    for (size_t i = 0; i < rule->principal_count; i++) {
        for (size_t j = 0; j <= s->scope_count; j++) {
            const char *name = j < s->scope_count ? s->scopes[j] : s->id;
            if (strlen(name) == rule->principals[i].len &&
                memcmp(name, rule->principals[i].at, rule->principals[i].len) == 0)
                return true;
        }
    }
    return rule->principal_count == 0;
}

/* Loopback and link-local addresses are shut by default in these rounds. */
static bool may_open(const struct policy_rule *rule, const struct alk_policy_target *t,
                     const struct alk_policy_address *a)
{
    static const uint8_t one[16] = {[15] = 1};

    if (t->listen || a == NULL || rule->kind == RULE_NETWORK || !rule->allow)
        return true;
    if (a->v6 ? a->bytes[0] == 0xfe && (a->bytes[1] & 0xc0) == 0x80
              : a->bytes[0] == 169 && a->bytes[1] == 254)
        return false;
    bool loopback = a->v6 ? memcmp(a->bytes, one, 16) == 0 : a->bytes[0] == 127;
    return !loopback || rule->kind == RULE_ANY;
}

static size_t first_match(char rules[RULES][TEXT], const struct alk_policy_subject *s,
                          const struct alk_policy_target *t,
                          const struct alk_policy_address *resolved)
{
    const struct alk_policy_address *address =
        t->kind == ALK_POLICY_NUMERIC ? &t->address : resolved;
    struct policy_rule rule;
    char why[256];

    for (size_t i = 0; i < RULES; i++) {
        assert_null(policy_rule_parse(&rule, rules[i], why));
        if (rule.listen == t->listen && t->port >= rule.first && t->port <= rule.last &&
            (rule.transports == 0 || (rule.transports & policy_transport_bit("tls", 3))) &&
            (rule.interfaces == 0 || (rule.interfaces & policy_interface_bit("ssh", 3))) &&
            asked_by(&rule, s) && names_target(&rule, t, address) && may_open(&rule, t, address))
            return i;
    }
    return ALK_POLICY_NO_RULE;
}

/* ---- both ---- */

static void ask_both(const struct alk_policy *policy, char rules[RULES][TEXT])
{
    const char *scopes[] = {pick(2) ? "ops" : "dev"};
    struct alk_policy_subject subject = {.id = "SHA256:me",
                                         .scopes = scopes,
                                         .scope_count = 1,
                                         .transport = "tls",
                                         .interface = "ssh"};
    struct alk_policy_target target;
    struct alk_policy_address resolved;

    random_target(&target);
    assert_true(alk_policy_address_parse(&resolved, ONE_OF(addresses)));
    bool name = target.kind == ALK_POLICY_NAME;
    struct alk_policy_verdict got =
        alk_policy_judge(policy, &subject, &target, name ? &resolved : NULL);
    size_t want = first_match(rules, &subject, &target, name ? &resolved : NULL);
    if (got.rule != want)
        fail_msg("%s%s:%u: the index says rule %zd, reading says %zd",
                 target.listen ? "listen:" : "", target.host, target.port, (ssize_t)got.rule,
                 (ssize_t)want);
    struct alk_policy_verdict before = alk_policy_judge(policy, &subject, &target, NULL);
    if (name && before.outcome != ALK_POLICY_DEPENDS)
        assert_int_equal(before.outcome, got.outcome); /* no address changes it */
}

static void the_index_says_what_reading_says(void **state)
{
    static char rules[RULES][TEXT];
    struct alk_policy_rule_text texts[RULES];
    struct alk_policy_defaults defaults = {.action = ALK_POLICY_DENY};
    struct alk_policy *policy;
    struct alk_error error;

    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < RULES; i++) {
            random_rule(rules[i]);
            texts[i] = (struct alk_policy_rule_text){.text = rules[i]};
        }
        if (alk_policy_new(&policy, texts, RULES, &defaults, &error) != ALK_OK)
            fail_msg("%s", error.text);
        for (int i = 0; i < QUESTIONS; i++)
            ask_both(policy, rules);
        alk_policy_free(policy);
    }
}

static void write_rule(char out[64], unsigned i)
{
    unsigned high = i >> 8, low = i & 255;

    switch (i % 5) {
    case 0:
        snprintf(out, 64, "allow 10.%u.%u.0/24:80", high, low);
        break;
    case 1:
        snprintf(out, 64, "allow h%u-%u.example", high, low);
        break;
    case 2:
        snprintf(out, 64, "allow *.s%u-%u.example:1-9", high, low);
        break;
    case 3:
        snprintf(out, 64, "allow unix:/run/%u/%u/*.sock", high, low);
        break;
    default:
        snprintf(out, 64, "allow 192.0.2.1:%u principals=key-%u", i, i);
    }
}

/* Many rules of each kind; those that matter are the last. */
static void many_rules_are_told_apart(void **state)
{
    enum { MANY = 20000 };
    static char lines[MANY + 4][64];
    static struct alk_policy_rule_text texts[MANY + 4];
    struct alk_policy_defaults defaults = {.action = ALK_POLICY_DENY};
    struct alk_policy_subject subject = {.id = "key-4321", .transport = "tcp", .interface = "ssh"};
    struct alk_policy_target target;
    struct alk_policy *policy;

    (void)state;
    for (unsigned i = 0; i < MANY; i++) {
        write_rule(lines[i], i);
        texts[i].text = lines[i];
    }
    assert_int_equal(alk_policy_new(&policy, texts, MANY, &defaults, NULL), ALK_OK);
    assert_int_equal(alk_policy_target_host(&target, "192.0.2.1", 4324), ALK_OK);
    subject.id = "key-4324";
    assert_int_equal(alk_policy_judge(policy, &subject, &target, NULL).rule, 4324);
    subject.id = "key-4329";
    assert_int_equal(alk_policy_judge(policy, &subject, &target, NULL).rule, ALK_POLICY_NO_RULE);
    assert_int_equal(alk_policy_target_host(&target, "x.y.s77-15.example", 9), ALK_OK);
    assert_int_equal(alk_policy_judge(policy, &subject, &target, NULL).rule, (77 << 8) + 15);
    assert_int_equal(alk_policy_target_path(&target, "/run/77/16/x.sock"), ALK_OK);
    assert_int_equal(alk_policy_judge(policy, &subject, &target, NULL).rule, (77 << 8) + 16);
    alk_policy_free(policy);
    texts[MANY / 2].text = "allow";
    assert_int_equal(alk_policy_new(&policy, texts, MANY, &defaults, NULL), ALK_E_PARSE);
    assert_int_equal(alk_policy_new(&policy, texts, ALK_POLICY_RULES_MAX + 1, &defaults, NULL),
                     ALK_E_LIMIT);
}

int main(void)
{
    const char *given = getenv("ALK_SEED");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_index_says_what_reading_says),
        cmocka_unit_test(many_rules_are_told_apart),
    };

    seed = given != NULL ? (unsigned)strtoul(given, NULL, 10) : (unsigned)time(NULL);
    printf("ALK_SEED=%u\n", seed);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
