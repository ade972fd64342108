/* A fixed set of strings, looked up without allocation: properties and enumerations. */
#ifndef ALK_SCHEMA_KEYTABLE_H
#define ALK_SCHEMA_KEYTABLE_H

#include "arena.h"

#include <stdbool.h>
#include <stdint.h>

struct keytable_slot {
    const char *key; /* NULL in a free slot */
    uint32_t length, hash;
    uint32_t value;
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

#endif
