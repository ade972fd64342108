/*
 * Microseconds that the forwarding rules of --config FILE take to judge a channel: what it asks for
 * is read, and judged, for a name also with the address that it has. The slower of an address and a
 * name counts; neither meets a rule before the last.
 */
#include "tool.h"

#include <alk/config.h>
#include <alk/key.h>

#include <stdio.h>

enum { TIMES = 20000 };

static double judge(const struct alk_policy *policy, const char *host, const char *resolved)
{
    static const char *const scopes[] = {"relay:connect", "ops"};
    const struct alk_policy_subject subject = {.id = "SHA256:someone",
                                               .scopes = scopes,
                                               .scope_count = 2,
                                               .transport = "tcp",
                                               .interface = "ssh"};
    struct alk_policy_address address;
    unsigned allowed = 0;

    if (resolved != NULL && !alk_policy_address_parse(&address, resolved))
        tool_die("%s is no address", resolved);
    uint64_t start = tool_now();
    for (unsigned i = 0; i < TIMES; i++) {
        struct alk_policy_target target;
        if (alk_policy_target_host(&target, host, 20000 + i % 1000) != ALK_OK)
            tool_die("%s is no target", host);
        struct alk_policy_verdict verdict = alk_policy_judge(policy, &subject, &target, NULL);
        if (verdict.outcome == ALK_POLICY_DEPENDS && resolved != NULL)
            verdict = alk_policy_judge(policy, &subject, &target, &address);
        allowed += verdict.outcome == ALK_POLICY_ALLOWED;
    }
    if (allowed != TIMES)
        tool_die("%s is not allowed", host);
    return (double)(tool_now() - start) / 1e3 / TIMES;
}

int main(int argc, char **argv)
{
    const char *path = "";
    const struct tool_option options[] = {{"--config", TOOL_TEXT, &path}, {NULL, TOOL_FLAG, NULL}};
    struct alk_config *config;
    struct alk_policy *policy;
    struct alk_error error;

    tool_start();
    tool_options(argc, argv, options);
    if (alk_crypto_init() != ALK_OK)
        tool_die("the crypto library could not be set up");
    if (alk_config_load(&config, ALK_CONFIG_SERVER, path, NULL, &error) != ALK_OK)
        tool_die("%s", error.text);
    const struct alk_server_options *o = &alk_config_server(config)->options;
    if (alk_policy_new(&policy, o->rules, o->rule_count, &o->forwarding, &error) != ALK_OK)
        tool_die("%s", error.text);
    double numeric = judge(policy, "127.0.0.1", NULL);
    double name = judge(policy, "a.b.c.service.elsewhere.example", "127.0.0.1");
    printf("{\"judge_us\": %.3f, \"rules\": %zu}\n", numeric > name ? numeric : name,
           o->rule_count);
    alk_policy_free(policy);
    alk_config_free(config);
    return 0;
}
