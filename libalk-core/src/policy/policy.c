#include "policy/compiled.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The key of the node that the rule hangs on. */
struct key {
    uint8_t bytes[ALK_POLICY_HOST_MAX + 2];
    size_t len;
};

static void key_add(struct key *key, const void *bytes, size_t len)
{
    memcpy(key->bytes + key->len, bytes, len);
    key->len += len;
}

static void network_key(struct alk_policy *policy, const struct policy_rule *rule, struct key *key)
{
    uint8_t bits = (uint8_t)rule->bits;

    key_add(key, &bits, 1);
    key_add(key, rule->network.bytes, (bits + 7U) / 8);
    set_add(rule->network.v6 ? policy->lengths_v6 : &policy->lengths_v4, bits);
}

static enum node_kind node_kind(const struct policy_rule *rule)
{
    switch (rule->kind) {
    case RULE_ANY:
        return rule->has_port ? NODE_HOSTS : NODE_EVERYTHING;
    case RULE_NAME:
        return NODE_NAME;
    case RULE_SUFFIX:
        return NODE_SUFFIX;
    case RULE_NETWORK:
        return rule->network.v6 ? NODE_V6 : NODE_V4;
    case RULE_PATH:
        return NODE_PATH;
    case RULE_GLOB:
        return NODE_GLOB;
    case RULE_INTERNAL:
        return NODE_INTERNAL;
    default:
        return NODE_INTERNAL_ANY;
    }
}

static void make_key(struct alk_policy *policy, const struct policy_rule *rule, struct key *key)
{
    uint8_t kind = (uint8_t)(node_kind(rule) | (rule->listen ? NODE_LISTEN : 0));

    key->len = 0;
    key_add(key, &kind, 1);
    if (rule->kind == RULE_NETWORK) {
        network_key(policy, rule, key);
    } else if (rule->kind == RULE_GLOB) {
        size_t len = strcspn(rule->name, "*?");
        key_add(key, rule->name, len);
        set_add(policy->glob_lengths, (unsigned)len);
    } else if (rule->kind != RULE_ANY && rule->kind != RULE_INTERNAL_ANY) {
        key_add(key, rule->name, strlen(rule->name));
    }
}

/* The node with this key, made if need be; INDEX_NONE when memory is short. */
static uint32_t node_of(struct alk_policy *policy, const uint8_t *key, size_t len)
{
    uint32_t node = index_find(&policy->index, key[0], key + 1, len - 1);

    if (node != INDEX_NONE)
        return node;
    uint8_t *kept = alk_arena_bytes(&policy->arena, len);
    if (kept == NULL)
        return INDEX_NONE;
    memcpy(kept, key, len);
    return index_node(&policy->index, kept, len);
}

static uint32_t principal_node(struct alk_policy *policy, struct rule_word name)
{
    uint8_t *key = alk_arena_bytes(&policy->arena, name.len + 1);

    if (key == NULL)
        return INDEX_NONE;
    key[0] = NODE_PRINCIPAL;
    memcpy(key + 1, name.at, name.len);
    return index_node(&policy->index, key, name.len + 1);
}

static int hang(struct alk_policy *policy, const struct policy_rule *rule, uint32_t number)
{
    struct key key;
    uint32_t port = rule->first == rule->last ? rule->first : INDEX_PORTS;

    make_key(policy, rule, &key);
    uint32_t node = node_of(policy, key.bytes, key.len);
    if (node == INDEX_NONE)
        return ALK_E_NOMEM;
    if (rule->principal_count == 0)
        index_add(&policy->index, node, INDEX_ANYBODY, port, number);
    for (size_t i = 0; i < rule->principal_count; i++) {
        uint32_t principal = principal_node(policy, rule->principals[i]);
        if (principal == INDEX_NONE)
            return ALK_E_NOMEM;
        index_add(&policy->index, node, principal + 1, port, number);
    }
    if (rule->kind == RULE_NETWORK && !rule->listen && number < policy->first_network[rule->allow])
        policy->first_network[rule->allow] = number;
    return ALK_OK;
}

static int keep(struct alk_policy *policy, const struct alk_policy_rule_text *source,
                const struct policy_rule *rule)
{
    struct compiled_rule *out = &policy->rules[policy->count];
    bool has_file = source->file != NULL;

    out->text.line = source->line;
    out->text.text = alk_arena_text(&policy->arena, source->text, strlen(source->text));
    out->text.file =
        has_file ? alk_arena_text(&policy->arena, source->file, strlen(source->file)) : NULL;
    out->glob = rule->kind != RULE_GLOB
                    ? NULL
                    : alk_arena_text(&policy->arena, rule->name, strlen(rule->name));
    out->kind = rule->kind;
    out->first = (uint16_t)rule->first;
    out->last = (uint16_t)rule->last;
    out->transports = (uint8_t)rule->transports;
    out->interfaces = (uint8_t)rule->interfaces;
    out->allow = rule->allow;
    if (out->text.text == NULL || (has_file && out->text.file == NULL) ||
        (rule->kind == RULE_GLOB && out->glob == NULL))
        return ALK_E_NOMEM;
    return hang(policy, rule, (uint32_t)policy->count++);
}

static int refuse(const struct alk_policy_rule_text *source, size_t number, const char *wrong,
                  struct alk_error *error)
{
    if (source->file != NULL)
        return alk_error_set(error, ALK_E_PARSE, "%s:%u: rule \"%.100s\": %s", source->file,
                             source->line, source->text, wrong);
    return alk_error_set(error, ALK_E_PARSE, "rule %zu, \"%.100s\": %s", number + 1, source->text,
                         wrong);
}

static int compile(struct alk_policy *policy, const struct alk_policy_rule_text *rules,
                   size_t count, struct policy_rule *scratch, struct alk_error *error)
{
    char why[256];

    for (size_t i = 0; i < count; i++) {
        const char *wrong = policy_rule_parse(scratch, rules[i].text, why);
        if (wrong != NULL)
            return refuse(&rules[i], i, wrong, error);
        int status = keep(policy, &rules[i], scratch);
        if (status != ALK_OK)
            return alk_error_set(error, status, "out of memory");
    }
    return ALK_OK;
}

static void set_defaults(struct alk_policy *policy, const struct alk_policy_defaults *defaults)
{
    static const struct alk_policy_defaults none;
    const struct alk_policy_defaults *d = defaults != NULL ? defaults : &none;

    policy->allow = d->action != ALK_POLICY_DENY;
    policy->allow_loopback =
        d->loopback == ALK_POLICY_UNSET ? policy->allow : d->loopback == ALK_POLICY_ALLOW;
    policy->allow_link_local = d->link_local == ALK_POLICY_ALLOW;
    policy->denies_addresses = d->loopback == ALK_POLICY_DENY || d->link_local == ALK_POLICY_DENY;
    policy->first_network[0] = policy->first_network[1] = INDEX_NONE;
}

/* How many principals the rules name at most: a list has one more item than commas. */
static size_t count_links(const struct alk_policy_rule_text *rules, size_t count)
{
    size_t links = 0;

    for (size_t i = 0; i < count; i++) {
        links++;
        for (const char *c = rules[i].text; *c != '\0'; c++)
            links += *c == ',';
    }
    return links;
}

int alk_policy_new(struct alk_policy **out, const struct alk_policy_rule_text *rules, size_t count,
                   const struct alk_policy_defaults *defaults, struct alk_error *error)
{
    if (count > ALK_POLICY_RULES_MAX)
        return alk_error_set(error, ALK_E_LIMIT, "there are %zu forwarding rules; %d are possible",
                             count, (int)ALK_POLICY_RULES_MAX);
    struct alk_policy *policy = calloc(1, sizeof(*policy));
    struct policy_rule *scratch = malloc(sizeof(*scratch));
    size_t links = count_links(rules, count);
    int status = ALK_E_NOMEM;

    if (policy != NULL) {
        set_defaults(policy, defaults);
        policy->rules = calloc(count + 1, sizeof(*policy->rules));
    }
    /* a node for each rule's target and each principal */
    if (policy == NULL || scratch == NULL || policy->rules == NULL ||
        !index_init(&policy->index, count + links, links))
        alk_error_set(error, status, "out of memory");
    else
        status = compile(policy, rules, count, scratch, error);
    free(scratch);
    if (status != ALK_OK) {
        alk_policy_free(policy);
        return status;
    }
    *out = policy;
    return ALK_OK;
}

void alk_policy_free(struct alk_policy *policy)
{
    if (policy == NULL)
        return;
    index_free(&policy->index);
    free(policy->rules);
    alk_arena_free(&policy->arena);
    free(policy);
}

size_t alk_policy_rule_count(const struct alk_policy *policy)
{
    return policy->count;
}

const struct alk_policy_rule_text *alk_policy_rule(const struct alk_policy *policy, size_t index)
{
    return index < policy->count ? &policy->rules[index].text : NULL;
}
