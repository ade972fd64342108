/* A policy made ready: what policy.c builds and judge.c asks. */
#ifndef ALK_POLICY_COMPILED_H
#define ALK_POLICY_COMPILED_H

#include "base/arena.h"
#include "policy/index.h"
#include "policy/rule.h"

/* What a node stands for; listeners have nodes of their own. */
enum node_kind {
    NODE_EVERYTHING,
    NODE_HOSTS,
    NODE_NAME,
    NODE_SUFFIX,
    NODE_V4, /* length, then the address */
    NODE_V6,
    NODE_PATH,
    NODE_GLOB, /* what stands before the first wildcard */
    NODE_INTERNAL,
    NODE_INTERNAL_ANY,
    NODE_PRINCIPAL,     /* no target: a name among principals= */
    NODE_LISTEN = 0x80, /* or-ed to the others */
};

/* What is left of a rule once it is indexed. */
struct compiled_rule {
    struct alk_policy_rule_text text;
    const char *glob; /* of RULE_GLOB */
    enum rule_kind kind;
    uint16_t first, last;
    uint8_t transports, interfaces;
    bool allow;
};

struct alk_policy {
    struct alk_arena arena;
    struct policy_index index;
    struct compiled_rule *rules;
    size_t count;
    bool allow, allow_loopback, allow_link_local; /* the defaults, none unset */
    bool denies_addresses;     /* loopback or link-local, by a default that was set */
    uint32_t first_network[2]; /* the first rule that denies [0] or allows [1] an address */
    uint64_t lengths_v6[3], lengths_v4; /* which lengths networks have, as sets */
    uint64_t glob_lengths[4];           /* and what stands before wildcards */
};

static inline void set_add(uint64_t *set, unsigned i)
{
    set[i / 64] |= UINT64_C(1) << i % 64;
}

static inline bool set_has(const uint64_t *set, unsigned i)
{
    return set[i / 64] >> i % 64 & 1;
}

#endif
