/* Rules, one a line, and in the first line a target: what is refused is refused in words, and a
 * verdict that needs no address is the verdict for every address. */
#include <alk/policy.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { RULES = 32 };

static void judge(const struct alk_policy *policy, const char *text)
{
    static const char *const scopes[] = {"relay:connect", "ops"};
    static const char *const addresses[] = {"10.0.0.1", "127.0.0.1", "169.254.169.254", "::1",
                                            "fe80::1",  "0.0.0.0",   "2001:db8::1"};
    struct alk_policy_subject subject = {
        .id = "me", .scopes = scopes, .scope_count = 2, .transport = "tcp", .interface = "ssh"};
    struct alk_policy_target target;
    struct alk_policy_address address;
    struct alk_error error;

    if (alk_policy_target_parse(&target, text, &error) != ALK_OK) {
        if (error.text[0] == '\0')
            abort();
        return;
    }
    struct alk_policy_verdict v = alk_policy_judge(policy, &subject, &target, NULL);
    if ((v.outcome == ALK_POLICY_DEPENDS && target.kind != ALK_POLICY_NAME) ||
        (v.rule != ALK_POLICY_NO_RULE && alk_policy_rule(policy, v.rule) == NULL))
        abort();
    for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
        alk_policy_address_parse(&address, addresses[i]);
        struct alk_policy_verdict one = alk_policy_judge(policy, &subject, &target, &address);
        if (one.outcome == ALK_POLICY_DEPENDS ||
            (v.outcome != ALK_POLICY_DEPENDS && one.outcome != v.outcome))
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct alk_policy_rule_text rules[RULES] = {{0}};
    struct alk_policy_defaults defaults = {.action = size % 2 ? ALK_POLICY_DENY : ALK_POLICY_ALLOW};
    struct alk_policy *policy;
    struct alk_error error;
    size_t count = 0;

    if (size > 8192)
        return 0;
    char *text = malloc(size + 1);
    if (text == NULL)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    char *rest = text, *target = strsep(&rest, "\n"), *line;
    while (count < RULES && (line = strsep(&rest, "\n")) != NULL)
        rules[count++].text = line;
    int status = alk_policy_new(&policy, rules, count, &defaults, &error);
    if (status == ALK_OK) {
        judge(policy, target);
        alk_policy_free(policy);
    } else if (status != ALK_E_PARSE || error.text[0] == '\0') {
        abort();
    }
    free(text);
    return 0;
}
