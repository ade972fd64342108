#include "base/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_SIZE = 64 * 1024, ALIGNMENT = 8 };

struct alk_arena_chunk {
    struct alk_arena_chunk *next;
    size_t used, size;
    char data[];
};

static struct alk_arena_chunk *chunk_with_room(struct alk_arena *arena, size_t size)
{
    struct alk_arena_chunk *chunk = arena->chunks;
    size_t chunk_size = size > CHUNK_SIZE ? size : CHUNK_SIZE;

    if (chunk != NULL && size <= chunk->size - chunk->used)
        return chunk;
    if (chunk_size > SIZE_MAX - sizeof(*chunk))
        return NULL;
    chunk = malloc(sizeof(*chunk) + chunk_size);
    if (chunk == NULL)
        return NULL;
    chunk->next = arena->chunks;
    chunk->used = 0;
    chunk->size = chunk_size;
    arena->chunks = chunk;
    return chunk;
}

void *alk_arena_bytes(struct alk_arena *arena, size_t size)
{
    struct alk_arena_chunk *chunk = chunk_with_room(arena, size);

    if (chunk == NULL)
        return NULL;
    chunk->used += size;
    return chunk->data + chunk->used - size;
}

void *alk_arena_alloc(struct alk_arena *arena, size_t size)
{
    char *at;

    if (size > SIZE_MAX - (ALIGNMENT - 1))
        return NULL;
    at = alk_arena_bytes(arena, size + ALIGNMENT - 1);
    return at != NULL ? at + (-(uintptr_t)at & (ALIGNMENT - 1)) : NULL;
}

char *alk_arena_text(struct alk_arena *arena, const char *text, size_t len)
{
    char *copy = len < SIZE_MAX ? alk_arena_bytes(arena, len + 1) : NULL;

    if (copy == NULL)
        return NULL;
    memcpy(copy, text, len);
    copy[len] = '\0';
    return copy;
}

void alk_arena_free(struct alk_arena *arena)
{
    while (arena->chunks != NULL) {
        struct alk_arena_chunk *next = arena->chunks->next;
        free(arena->chunks);
        arena->chunks = next;
    }
}
