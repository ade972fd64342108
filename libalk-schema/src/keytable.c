#include "keytable.h"

uint64_t keytable_middle(uint64_t seed, const char *key, size_t length)
{
    for (size_t i = 8; i + 8 < length; i += 8)
        seed = keytable_fold(seed ^ keytable_load(key + i), 0xe7037ed1a0b428dbu);
    return seed;
}

/* The slot that the key has, or may have. */
static struct keytable_slot *probe(const struct keytable *table, const char *key, size_t length)
{
    for (uint64_t i = keytable_hash(table->seed, key, length, keytable_head(key, length));; i++) {
        struct keytable_slot *slot = &table->slots[i & table->mask];
        if (!slot->key || (slot->length == length && memcmp(slot->key, key, length) == 0))
            return slot;
    }
}

static bool set_size(struct keytable *table, struct arena *arena, size_t size)
{
    struct keytable_slot *slots =
        size <= UINT32_MAX / 2 ? arena_array(arena, size, sizeof *slots) : NULL;
    if (!slots)
        return false;
    table->slots = slots;
    table->seed = (uintptr_t)slots * 0x9e3779b97f4a7c15u; /* nobody knows where the table lies */
    table->mask = (uint32_t)size - 1;
    return true;
}

bool keytable_init(struct keytable *table, struct arena *arena, size_t count)
{
    size_t size = 4;
    while (size < count * 4)
        size *= 2;
    table->count = 0;
    return set_size(table, arena, size);
}

static bool grow(struct keytable *table, struct arena *arena)
{
    const struct keytable_slot *old = table->slots, *end = old + (size_t)table->mask + 1;
    if (!set_size(table, arena, ((size_t)table->mask + 1) * 2))
        return false;
    for (; old < end; old++)
        if (old->key)
            *probe(table, old->key, old->length) = *old;
    return true;
}

uint32_t keytable_add(struct keytable *table, struct arena *arena, const char *key, size_t length,
                      uint32_t value)
{
    struct keytable_slot *slot = probe(table, key, length);
    if (slot->key)
        return slot->value;
    if (table->count * 4 > table->mask) {
        if (!grow(table, arena))
            return KEYTABLE_NONE;
        slot = probe(table, key, length);
    }
    *slot = (struct keytable_slot){key, length, keytable_head(key, length), value};
    table->count++;
    return value;
}
