/*
 * Memory for many small pieces that are freed together, never one by one.
 * A zeroed struct alk_arena is an empty one.
 */
#ifndef ALK_BASE_ARENA_H
#define ALK_BASE_ARENA_H

#include <stddef.h>

struct alk_arena_chunk;

struct alk_arena {
    struct alk_arena_chunk *chunks; /* the newest first */
};

/* size bytes without alignment (for text and bytes), or NULL. */
void *alk_arena_bytes(struct alk_arena *arena, size_t size);

/* size bytes aligned for any pointer or integer, or NULL. */
void *alk_arena_alloc(struct alk_arena *arena, size_t size);

/* A copy of len bytes with a NUL behind them, or NULL. */
char *alk_arena_text(struct alk_arena *arena, const char *text, size_t len);

void alk_arena_free(struct alk_arena *arena);

#endif
