/* Strings with a number each, looked up without allocation: names of members, enumerations. */
#ifndef ALK_SCHEMA_KEYTABLE_H
#define ALK_SCHEMA_KEYTABLE_H

#include "arena.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct keytable_slot {
    const char *key; /* NULL in a free slot */
    size_t length;
    uint64_t head; /* the first bytes; all of them up to a length of 8 */
    uint32_t value;
};

struct keytable {
    struct keytable_slot *slots;
    uint64_t seed;
    uint32_t mask, count;
};

#define KEYTABLE_NONE UINT32_MAX

/* Room for `count` keys; it grows when there are more. */
bool keytable_init(struct keytable *table, struct arena *arena, size_t count);

/*
 * Add a key, or find the value that it already has: KEYTABLE_NONE when memory is out. Keys are
 * borrowed and must outlive the table.
 */
uint32_t keytable_add(struct keytable *table, struct arena *arena, const char *key, size_t length,
                      uint32_t value);

/* ---- looking up, in line since every member of a document is looked up ---------------- */

__extension__ typedef unsigned __int128 keytable_product;

static inline uint64_t keytable_load(const char *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

/* With the length this is the whole key, if the key has no more than 8 bytes. */
static inline uint64_t keytable_head(const char *key, size_t length)
{
    const unsigned char *bytes = (const unsigned char *)key;
    uint32_t low, high;
    if (length >= 8)
        return keytable_load(key);
    if (length >= 4) {
        memcpy(&low, key, 4);
        memcpy(&high, key + length - 4, 4);
        return low | (uint64_t)high << 32;
    }
    if (length == 0)
        return 0;
    return bytes[0] | (uint64_t)bytes[length / 2] << 8 | (uint64_t)bytes[length - 1] << 16;
}

/* The last bytes of what is longer. Head, tail and length are the whole key up to 16 bytes. */
static inline uint64_t keytable_tail(const char *key, size_t length)
{
    return length > 8 ? keytable_load(key + length - 8) : 0;
}

static inline uint64_t keytable_fold(uint64_t a, uint64_t b)
{
    keytable_product product = (keytable_product)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* For the bytes between the first and the last eight. */
uint64_t keytable_middle(uint64_t seed, const char *key, size_t length);

/* All bytes count, and so does the seed: nobody can write a schema or a document whose keys end up
 * in one place. */
static inline uint64_t keytable_hash(uint64_t seed, const char *key, size_t length, uint64_t head)
{
    uint64_t tail = length ^ keytable_tail(key, length);
    if (length > 16)
        seed = keytable_middle(seed, key, length);
    return keytable_fold(seed ^ head, tail ^ 0xa0761d6478bd642fu);
}

/* The value of a key with that head, or KEYTABLE_NONE. */
static inline uint32_t keytable_find_headed(const struct keytable *table, const char *key,
                                            size_t length, uint64_t head)
{
    for (uint64_t i = keytable_hash(table->seed, key, length, head);; i++) {
        const struct keytable_slot *slot = &table->slots[i & table->mask];
        if (!slot->key)
            return KEYTABLE_NONE;
        if (slot->head == head && slot->length == length &&
            (length <= 8 || memcmp(slot->key, key, length) == 0))
            return slot->value;
    }
}

static inline uint32_t keytable_find(const struct keytable *table, const char *key, size_t length)
{
    return keytable_find_headed(table, key, length, keytable_head(key, length));
}

#endif
