/*
 * Rules by what they name: for every target a rule can name there is a node, for every (node,
 * principal, port) a list of rules in their order. Made once, then only read.
 */
#ifndef ALK_POLICY_INDEX_H
#define ALK_POLICY_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INDEX_NONE UINT32_MAX /* more than an enumeration may hold */
enum {
    INDEX_ANYBODY = 0,     /* the principal of a rule that names none */
    INDEX_PORTS = 0x10000, /* the port of a rule that names several */
};

struct index_node {
    uint64_t hash;
    const uint8_t *key; /* kind, then bytes */
    uint32_t key_len, next;
    uint32_t first_rule;
};

struct index_entry {
    uint32_t node, principal, port, next;
    uint32_t head, tail; /* of links */
};

struct index_link {
    uint32_t rule, next;
};

struct policy_index {
    struct index_node *nodes;
    struct index_entry *entries;
    struct index_link *links;
    uint32_t *node_buckets, *entry_buckets;
    uint32_t node_count, entry_count, link_count;
    uint32_t node_mask, entry_mask;
};

/* Room for as many nodes and links. False when memory is short. */
bool index_init(struct policy_index *index, size_t nodes, size_t links);
void index_free(struct policy_index *index);

/* The node with this key, or INDEX_NONE. */
uint32_t index_find(const struct policy_index *index, unsigned kind, const void *bytes, size_t len);

/* The same, made if there is none; key (kind, then bytes) must outlive the index. */
uint32_t index_node(struct policy_index *index, const uint8_t *key, size_t key_len);

/* Rules are added in their order. */
void index_add(struct policy_index *index, uint32_t node, uint32_t principal, uint32_t port,
               uint32_t rule);

/* The first link of the list, or INDEX_NONE. */
uint32_t index_list(const struct policy_index *index, uint32_t node, uint32_t principal,
                    uint32_t port);

#endif
