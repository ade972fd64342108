#include "keytable.h"

#include <string.h>

/*
 * Only the author of a schema chooses the keys in the table, so a document cannot
 * make long probe sequences, and the hash may be plain.
 */
static uint32_t hash_bytes(const char *key, size_t length)
{
    const uint64_t mix = 0x9e3779b97f4a7c15u;
    uint64_t hash = length * mix, word;
    for (; length >= 8; key += 8, length -= 8) {
        memcpy(&word, key, 8);
        hash = (hash ^ word) * mix;
        hash ^= hash >> 32;
    }
    if (length) {
        word = 0;
        for (size_t i = 0; i < length; i++)
            word |= (uint64_t)(unsigned char)key[i] << (8 * i);
        hash = (hash ^ word) * mix;
    }
    return (uint32_t)(hash >> 32);
}

bool keytable_init(struct keytable *table, struct arena *arena, size_t count)
{
    size_t size = 4;
    while (size < count * 2)
        size *= 2;
    if (size > UINT32_MAX / 2)
        return false;
    table->slots = arena_array(arena, size, sizeof *table->slots);
    table->mask = (uint32_t)size - 1;
    return table->slots != NULL;
}

static struct keytable_slot *probe(const struct keytable *table, const char *key, size_t length,
                                   uint32_t hash)
{
    for (uint32_t i = hash;; i++) {
        struct keytable_slot *slot = &table->slots[i & table->mask];
        if (!slot->key)
            return slot;
        if (slot->hash == hash && slot->length == length && memcmp(slot->key, key, length) == 0)
            return slot;
    }
}

uint32_t keytable_add(struct keytable *table, const char *key, size_t length, uint32_t value)
{
    uint32_t hash = hash_bytes(key, length);
    struct keytable_slot *slot = probe(table, key, length, hash);
    if (!slot->key)
        *slot = (struct keytable_slot){key, (uint32_t)length, hash, value};
    return slot->value;
}

uint32_t keytable_find(const struct keytable *table, const char *key, size_t length)
{
    const struct keytable_slot *slot = probe(table, key, length, hash_bytes(key, length));
    return slot->key ? slot->value : KEYTABLE_NONE;
}
