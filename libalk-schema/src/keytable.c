#include "keytable.h"

#include <string.h>

/*
 * Both ends of the key. Only the author of a schema chooses the keys in the table,
 * so a document cannot make long probe sequences, and the hash may be plain.
 */
static uint32_t key_hash(const char *key, size_t length, uint64_t head)
{
    uint64_t tail = length > 8 ? keytable_load(key + length - 8) : 0;
    uint64_t mixed = (head ^ (tail << 21 | tail >> 43) ^ length) * 0x9e3779b97f4a7c15u;
    return (uint32_t)(mixed >> 32);
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
                                   uint64_t head)
{
    for (uint32_t i = key_hash(key, length, head);; i++) {
        struct keytable_slot *slot = &table->slots[i & table->mask];
        if (!slot->key)
            return slot;
        if (slot->head == head && slot->length == length &&
            (length <= 8 || memcmp(slot->key, key, length) == 0))
            return slot;
    }
}

uint32_t keytable_add(struct keytable *table, const char *key, size_t length, uint32_t value)
{
    uint64_t head = keytable_head(key, length);
    struct keytable_slot *slot = probe(table, key, length, head);
    if (!slot->key)
        *slot = (struct keytable_slot){key, head, (uint32_t)length, value};
    return slot->value;
}

uint32_t keytable_find(const struct keytable *table, const char *key, size_t length)
{
    const struct keytable_slot *slot = probe(table, key, length, keytable_head(key, length));
    return slot->key ? slot->value : KEYTABLE_NONE;
}
