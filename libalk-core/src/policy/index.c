#include "policy/index.h"

#include <stdlib.h>
#include <string.h>

enum { FEWEST_BUCKETS = 16 };

static uint32_t buckets_for(size_t count)
{
    uint32_t buckets = FEWEST_BUCKETS;

    while (buckets < count)
        buckets *= 2;
    return buckets;
}

static uint32_t *new_buckets(uint32_t count)
{
    uint32_t *buckets = malloc(count * sizeof(*buckets));

    if (buckets != NULL)
        memset(buckets, 0xff, count * sizeof(*buckets)); /* INDEX_NONE */
    return buckets;
}

bool index_init(struct policy_index *index, size_t nodes, size_t links)
{
    uint32_t node_buckets = buckets_for(nodes), entry_buckets = buckets_for(links);

    memset(index, 0, sizeof(*index));
    index->node_mask = node_buckets - 1;
    index->entry_mask = entry_buckets - 1;
    index->nodes = calloc(nodes + 1, sizeof(*index->nodes));
    index->entries = calloc(links + 1, sizeof(*index->entries));
    index->links = calloc(links + 1, sizeof(*index->links));
    index->node_buckets = new_buckets(node_buckets);
    index->entry_buckets = new_buckets(entry_buckets);
    return index->nodes != NULL && index->entries != NULL && index->links != NULL &&
           index->node_buckets != NULL && index->entry_buckets != NULL;
}

void index_free(struct policy_index *index)
{
    free(index->nodes);
    free(index->entries);
    free(index->links);
    free(index->node_buckets);
    free(index->entry_buckets);
}

/* FNV-1a. The keys are the operator's, so nobody can make them collide; what strangers ask for is
 * only looked for among them. */
static uint64_t hash_of(unsigned kind, const uint8_t *bytes, size_t len)
{
    uint64_t hash = (0xcbf29ce484222325 ^ kind) * 0x100000001b3;

    for (size_t i = 0; i < len; i++)
        hash = (hash ^ bytes[i]) * 0x100000001b3;
    return hash ^ hash >> 32;
}

static uint32_t entry_hash(uint32_t node, uint32_t principal, uint32_t port)
{
    uint64_t hash = node * UINT64_C(0x9e3779b97f4a7c15) ^ principal * UINT64_C(0xc2b2ae3d27d4eb4f) ^
                    port * UINT64_C(0x165667b19e3779f9);

    return (uint32_t)(hash ^ hash >> 29 ^ hash >> 47);
}

uint32_t index_find(const struct policy_index *index, unsigned kind, const void *bytes, size_t len)
{
    uint64_t hash = hash_of(kind, bytes, len);
    uint32_t at = index->node_buckets[hash & index->node_mask];

    while (at != INDEX_NONE) {
        const struct index_node *node = &index->nodes[at];
        if (node->hash == hash && node->key_len == len + 1 && node->key[0] == kind &&
            (len == 0 || memcmp(node->key + 1, bytes, len) == 0))
            return at;
        at = node->next;
    }
    return INDEX_NONE;
}

uint32_t index_node(struct policy_index *index, const uint8_t *key, size_t key_len)
{
    uint32_t at = index_find(index, key[0], key + 1, key_len - 1);

    if (at != INDEX_NONE)
        return at;
    at = index->node_count++;
    uint64_t hash = hash_of(key[0], key + 1, key_len - 1);
    uint32_t *bucket = &index->node_buckets[hash & index->node_mask];
    index->nodes[at] = (struct index_node){
        .hash = hash,
        .key = key,
        .key_len = (uint32_t)key_len,
        .next = *bucket,
        .first_rule = INDEX_NONE,
    };
    *bucket = at;
    return at;
}

static uint32_t find_entry(const struct policy_index *index, uint32_t node, uint32_t principal,
                           uint32_t port)
{
    uint32_t at = index->entry_buckets[entry_hash(node, principal, port) & index->entry_mask];

    while (at != INDEX_NONE) {
        const struct index_entry *entry = &index->entries[at];
        if (entry->node == node && entry->principal == principal && entry->port == port)
            return at;
        at = entry->next;
    }
    return INDEX_NONE;
}

static uint32_t new_entry(struct policy_index *index, uint32_t node, uint32_t principal,
                          uint32_t port)
{
    uint32_t at = index->entry_count++;
    uint32_t *bucket = &index->entry_buckets[entry_hash(node, principal, port) & index->entry_mask];

    index->entries[at] = (struct index_entry){.node = node,
                                              .principal = principal,
                                              .port = port,
                                              .next = *bucket,
                                              .head = INDEX_NONE,
                                              .tail = INDEX_NONE};
    *bucket = at;
    return at;
}

void index_add(struct policy_index *index, uint32_t node, uint32_t principal, uint32_t port,
               uint32_t rule)
{
    uint32_t at = find_entry(index, node, principal, port);

    if (at == INDEX_NONE)
        at = new_entry(index, node, principal, port);
    struct index_entry *entry = &index->entries[at];
    uint32_t link = index->link_count++;
    index->links[link] = (struct index_link){.rule = rule, .next = INDEX_NONE};
    if (entry->head == INDEX_NONE)
        entry->head = link;
    else
        index->links[entry->tail].next = link;
    entry->tail = link;
    if (rule < index->nodes[node].first_rule)
        index->nodes[node].first_rule = rule;
}

uint32_t index_list(const struct policy_index *index, uint32_t node, uint32_t principal,
                    uint32_t port)
{
    uint32_t at = find_entry(index, node, principal, port);

    return at == INDEX_NONE ? INDEX_NONE : index->entries[at].head;
}
