/* A fixed set of strings, looked up without allocation: properties and enumerations. */
#ifndef ALK_SCHEMA_KEYTABLE_H
#define ALK_SCHEMA_KEYTABLE_H

#include "arena.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct keytable_slot {
    const char *key; /* NULL in a free slot */
    uint64_t head;   /* the first bytes; all of them up to a length of 8 */
    uint32_t length, value;
};

struct keytable {
    struct keytable_slot *slots;
    uint32_t mask;
};

#define KEYTABLE_NONE UINT32_MAX

/* Room for `count` keys. Keys are borrowed and must outlive the table. */
bool keytable_init(struct keytable *table, struct arena *arena, size_t count);

/* Add a key, or answer the value that it already has. */
uint32_t keytable_add(struct keytable *table, const char *key, size_t length, uint32_t value);

/* The key's value, or KEYTABLE_NONE. */
uint32_t keytable_find(const struct keytable *table, const char *key, size_t length);

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

#endif
