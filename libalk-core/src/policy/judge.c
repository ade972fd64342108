/* The first rule that matches: candidates come from the index, few in number however many rules
 * there are; of each list only what stands before the best found so far is looked at. */
#include "policy/compiled.h"

#include <string.h>

enum { ASKERS_MAX = ALK_POLICY_LIST_MAX + 2, PRIVILEGED_PORTS = 1024 };

struct question {
    const struct alk_policy *policy;
    const struct alk_policy_target *target;
    const struct alk_policy_address *address; /* of a number, or what a name resolved to */
    uint32_t askers[ASKERS_MAX];              /* principals that the rules know, and anybody */
    unsigned asker_count;
    unsigned transport, interface;       /* bits; 0 = unknown */
    bool shut_loopback, shut_link_local; /* the address is one, and the default denies it */
    uint32_t best;
};

/* ---- addresses with a default of their own ---- */

static bool is_any(const struct alk_policy_address *a)
{
    static const uint8_t none[16];

    return memcmp(a->bytes, none, sizeof(none)) == 0;
}

/* Connecting to "any address" reaches loopback. */
static bool is_loopback(const struct alk_policy_address *a)
{
    static const uint8_t one[16] = {[15] = 1};

    if (is_any(a))
        return true;
    return a->v6 ? memcmp(a->bytes, one, sizeof(one)) == 0 : a->bytes[0] == 127;
}

static bool is_link_local(const struct alk_policy_address *a)
{
    static const uint8_t metadata_v6[16] = {0xfd, 0x00, 0x0e, 0xc2, [14] = 0x02, [15] = 0x54};

    if (a->v6)
        return (a->bytes[0] == 0xfe && (a->bytes[1] & 0xc0) == 0x80) ||
               memcmp(a->bytes, metadata_v6, 16) == 0;
    return a->bytes[0] == 169 && a->bytes[1] == 254;
}

static bool is_localhost(const char *name)
{
    static const char localhost[] = "localhost";
    size_t len = strlen(name), own = sizeof(localhost) - 1;

    return len >= own && strcmp(name + len - own, localhost) == 0 &&
           (len == own || name[len - own - 1] == '.');
}

/* An allow rule opens what the defaults shut only if it names the address; for loopback it is
 * enough to name everything, or localhost. */
static bool opens(const struct question *q, const struct compiled_rule *rule)
{
    if (rule->kind == RULE_NETWORK)
        return true;
    if (q->shut_link_local)
        return false;
    return !q->shut_loopback || rule->kind == RULE_ANY ||
           (q->target->kind == ALK_POLICY_NAME && is_localhost(q->target->host));
}

/* ---- one list of rules ---- */

static bool applies(const struct question *q, const struct compiled_rule *rule)
{
    const struct alk_policy_target *target = q->target;

    if (target->port < rule->first || target->port > rule->last)
        return false;
    if (rule->transports != 0 && (rule->transports & q->transport) == 0)
        return false;
    if (rule->interfaces != 0 && (rule->interfaces & q->interface) == 0)
        return false;
    if (rule->glob != NULL && !policy_glob_matches(rule->glob, target->host))
        return false;
    return !rule->allow || opens(q, rule);
}

static void look_at(struct question *q, uint32_t node, uint32_t asker, uint32_t port)
{
    const struct policy_index *index = &q->policy->index;
    uint32_t at = index_list(index, node, asker, port);

    while (at != INDEX_NONE && index->links[at].rule < q->best) {
        if (applies(q, &q->policy->rules[index->links[at].rule])) {
            q->best = index->links[at].rule;
            return;
        }
        at = index->links[at].next;
    }
}

static void consider(struct question *q, unsigned kind, const void *bytes, size_t len)
{
    const struct policy_index *index = &q->policy->index;
    uint32_t node = index_find(index, kind | (q->target->listen ? NODE_LISTEN : 0), bytes, len);

    if (node == INDEX_NONE || index->nodes[node].first_rule >= q->best)
        return;
    for (unsigned i = 0; i < q->asker_count; i++) {
        look_at(q, node, q->askers[i], q->target->port);
        look_at(q, node, q->askers[i], INDEX_PORTS);
    }
}

/* ---- the nodes that a target has ---- */

static void consider_networks(struct question *q, const struct alk_policy_address *address)
{
    const uint64_t *lengths = address->v6 ? q->policy->lengths_v6 : &q->policy->lengths_v4;
    unsigned most = address->v6 ? 128 : 32;
    uint8_t key[17];

    for (unsigned bits = 0; bits <= most; bits++) {
        if (!set_has(lengths, bits))
            continue;
        size_t len = (bits + 7U) / 8;
        key[0] = (uint8_t)bits;
        memcpy(key + 1, address->bytes, len);
        if (bits % 8 != 0)
            key[len] &= (uint8_t)(0xff << (8 - bits % 8));
        consider(q, address->v6 ? NODE_V6 : NODE_V4, key, len + 1);
    }
}

static void consider_name(struct question *q, const char *name)
{
    consider(q, NODE_NAME, name, strlen(name));
    for (const char *dot = strchr(name, '.'); dot != NULL; dot = strchr(dot + 1, '.'))
        consider(q, NODE_SUFFIX, dot + 1, strlen(dot + 1));
}

static void consider_path(struct question *q, const char *path)
{
    size_t len = strlen(path);

    consider(q, NODE_PATH, path, len);
    for (unsigned i = 0; i <= len; i++) {
        if (set_has(q->policy->glob_lengths, i))
            consider(q, NODE_GLOB, path, i);
    }
}

static void consider_all(struct question *q)
{
    const struct alk_policy_target *target = q->target;

    consider(q, NODE_EVERYTHING, "", 0);
    if (target->kind == ALK_POLICY_NAME || target->kind == ALK_POLICY_NUMERIC)
        consider(q, NODE_HOSTS, "", 0);
    if (q->address != NULL)
        consider_networks(q, q->address);
    if (target->kind == ALK_POLICY_NAME)
        consider_name(q, target->host);
    else if (target->kind == ALK_POLICY_PATH)
        consider_path(q, target->host);
    else if (target->kind == ALK_POLICY_NUMERIC && target->listen && is_loopback(q->address) &&
             !is_any(q->address))
        consider(q, NODE_NAME, "localhost", strlen("localhost"));
    if (target->kind == ALK_POLICY_INTERNAL) {
        consider(q, NODE_INTERNAL, target->host, strlen(target->host));
        consider(q, NODE_INTERNAL_ANY, "", 0);
    }
}

/* ---- the verdict ---- */

static void add_asker(struct question *q, const char *name)
{
    uint32_t node = name == NULL || q->asker_count == ASKERS_MAX
                        ? INDEX_NONE
                        : index_find(&q->policy->index, NODE_PRINCIPAL, name, strlen(name));

    if (node != INDEX_NONE)
        q->askers[q->asker_count++] = node + 1;
}

static void ask(struct question *q, const struct alk_policy_subject *s)
{
    q->askers[q->asker_count++] = INDEX_ANYBODY;
    add_asker(q, s->id);
    for (size_t i = 0; i < s->scope_count && i < ALK_POLICY_LIST_MAX; i++)
        add_asker(q, s->scopes[i]);
    if (s->transport != NULL)
        q->transport = policy_transport_bit(s->transport, strlen(s->transport));
    if (s->interface != NULL)
        q->interface = policy_interface_bit(s->interface, strlen(s->interface));
}

/* Listeners that others can reach, or that take a port which sshd keeps for root. */
static bool needs_rule(const struct question *q)
{
    unsigned port = q->target->port;

    return is_any(q->address) || !is_loopback(q->address) || (port > 0 && port < PRIVILEGED_PORTS);
}

static struct alk_policy_verdict by_default(const struct question *q)
{
    const struct alk_policy *policy = q->policy;
    struct alk_policy_verdict verdict = {.reason = ALK_POLICY_BY_DEFAULT,
                                         .rule = ALK_POLICY_NO_RULE};
    bool allow = policy->allow;

    if (q->target->kind == ALK_POLICY_NUMERIC && q->target->listen && needs_rule(q)) {
        verdict.reason = ALK_POLICY_BY_LISTENER;
        allow = false;
    } else if (q->address != NULL && !q->target->listen) {
        if (is_link_local(q->address)) {
            verdict.reason = ALK_POLICY_BY_LINK_LOCAL;
            allow = policy->allow_link_local;
        } else if (is_loopback(q->address)) {
            verdict.reason = ALK_POLICY_BY_LOOPBACK;
            allow = policy->allow_loopback;
        }
    }
    verdict.outcome = allow ? ALK_POLICY_ALLOWED : ALK_POLICY_DENIED;
    return verdict;
}

/* A name whose addresses are not known: could one of them change the verdict? */
static bool may_differ(const struct question *q, const struct alk_policy_verdict *verdict)
{
    const struct alk_policy *policy = q->policy;
    bool allowed = verdict->outcome == ALK_POLICY_ALLOWED;
    bool by_rule = verdict->reason == ALK_POLICY_BY_RULE;

    if (policy->first_network[!allowed] < q->best)
        return true;
    if (allowed)
        return !policy->allow_loopback || !policy->allow_link_local;
    return !by_rule && (policy->allow_loopback || policy->allow_link_local);
}

static struct alk_policy_verdict judge(struct question *q, const struct alk_policy_subject *subject)
{
    struct alk_policy_verdict verdict;

    ask(q, subject);
    consider_all(q);
    if (q->best == INDEX_NONE)
        return by_default(q);
    verdict.outcome = q->policy->rules[q->best].allow ? ALK_POLICY_ALLOWED : ALK_POLICY_DENIED;
    verdict.reason = ALK_POLICY_BY_RULE;
    verdict.rule = q->best;
    return verdict;
}

static struct question question_about(const struct alk_policy *policy,
                                      const struct alk_policy_target *target,
                                      const struct alk_policy_address *address)
{
    struct question q = {
        .policy = policy, .target = target, .address = address, .best = INDEX_NONE};

    if (address != NULL && !target->listen) {
        q.shut_link_local = is_link_local(address) && !policy->allow_link_local;
        q.shut_loopback = is_loopback(address) && !policy->allow_loopback;
    }
    return q;
}

/* What must not be reached by IPv4 must not be reached by the detour over a gateway either; a
 * gateway opens nothing. As ever the earlier rule decides, and a rule about the network of the
 * gateway goes before the defaults for link-local and loopback. */
static struct alk_policy_verdict judge_detour(const struct question *direct,
                                              const struct alk_policy_subject *subject,
                                              struct alk_policy_verdict verdict)
{
    const struct compiled_rule *rules = direct->policy->rules;
    struct alk_policy_address v4;

    if (verdict.outcome != ALK_POLICY_ALLOWED || direct->target->listen ||
        direct->address == NULL || !policy_embedded_v4(direct->address, &v4))
        return verdict;
    struct question q = question_about(direct->policy, direct->target, &v4);
    struct alk_policy_verdict detour = judge(&q, subject);
    bool earlier = detour.reason == ALK_POLICY_BY_RULE && detour.rule < verdict.rule;
    bool shut =
        (detour.reason == ALK_POLICY_BY_LINK_LOCAL || detour.reason == ALK_POLICY_BY_LOOPBACK) &&
        (verdict.reason != ALK_POLICY_BY_RULE || rules[verdict.rule].kind != RULE_NETWORK);
    return detour.outcome == ALK_POLICY_DENIED && (earlier || shut) ? detour : verdict;
}

struct alk_policy_verdict alk_policy_judge(const struct alk_policy *policy,
                                           const struct alk_policy_subject *subject,
                                           const struct alk_policy_target *target,
                                           const struct alk_policy_address *resolved)
{
    const struct alk_policy_address *address = NULL;
    struct alk_policy_address dialled;

    if (target->kind == ALK_POLICY_NUMERIC) {
        address = &target->address;
    } else if (target->kind == ALK_POLICY_NAME && resolved != NULL) {
        dialled = *resolved;
        policy_any_to_loopback(&dialled);
        address = &dialled;
    }
    struct question q = question_about(policy, target, address);
    struct alk_policy_verdict verdict = judge_detour(&q, subject, judge(&q, subject));
    if (target->kind == ALK_POLICY_NAME && resolved == NULL && may_differ(&q, &verdict))
        verdict.outcome = ALK_POLICY_DEPENDS;
    return verdict;
}

struct alk_policy_verdict alk_policy_judge_unseen(const struct alk_policy *policy,
                                                  const struct alk_policy_subject *subject,
                                                  const struct alk_policy_target *target)
{
    static const struct alk_policy_address v4 = {.bytes = {127, 0, 0, 1}};
    static const struct alk_policy_address v6 = {.v6 = true, .bytes = {[15] = 1}};
    struct question q = {.policy = policy, .target = target, .best = INDEX_NONE};

    struct alk_policy_verdict verdict;

    if (target->kind != ALK_POLICY_NAME || is_localhost(target->host)) {
        verdict = alk_policy_judge(policy, subject, target, &v4);
        return verdict.outcome == ALK_POLICY_ALLOWED
                   ? alk_policy_judge(policy, subject, target, &v6)
                   : verdict;
    }
    verdict = judge(&q, subject);
    if (policy->denies_addresses || policy->first_network[0] < q.best)
        verdict.outcome = ALK_POLICY_DENIED;
    return verdict;
}
