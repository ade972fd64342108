#include "base/buffer.h"

#include <alk/status.h>

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { SMALLEST = 512 };

static int grow(struct alk_buffer *b, size_t need)
{
    size_t capacity = b->capacity < SMALLEST ? SMALLEST : b->capacity;

    while (capacity < need)
        capacity *= 2;
    if (capacity / 2 > b->max) /* twice the ceiling, so that moving stays rare */
        capacity = b->max * 2;
    uint8_t *data = malloc(capacity);
    if (data == NULL)
        return ALK_E_NOMEM;
    size_t len = alk_buffer_len(b), max = b->max;
    if (len > 0)
        memcpy(data, alk_buffer_head(b), len);
    alk_buffer_free(b);
    *b = (struct alk_buffer){.data = data, .tail = len, .capacity = capacity, .max = max};
    return ALK_OK;
}

uint8_t *alk_buffer_reserve(struct alk_buffer *b, size_t len)
{
    size_t used = alk_buffer_len(b);

    if (used > b->max || len > b->max - used)
        return NULL;
    if (len <= alk_buffer_room(b) && b->data != NULL)
        return b->data + b->tail;
    /* Moving is worth it when it frees at least as much as it moves: so a queue that stays
     * long costs one copy per byte, not one per append. */
    size_t wanted = 2 * used + len;
    if (b->data == NULL || (b->capacity < wanted && b->capacity / 2 < b->max)) {
        if (grow(b, wanted) != ALK_OK)
            return NULL;
    } else {
        memmove(b->data, alk_buffer_head(b), used);
        b->head = 0;
        b->tail = used;
    }
    return b->data + b->tail;
}

void alk_buffer_commit(struct alk_buffer *b, size_t len)
{
    b->tail += len;
}

void alk_buffer_consume(struct alk_buffer *b, size_t len)
{
    b->head += len;
    if (b->head == b->tail)
        b->head = b->tail = 0;
}

int alk_buffer_append(struct alk_buffer *b, const void *data, size_t len)
{
    if (len == 0)
        return ALK_OK;
    uint8_t *at = alk_buffer_reserve(b, len);
    if (at == NULL)
        return ALK_E_LIMIT;
    memcpy(at, data, len);
    alk_buffer_commit(b, len);
    return ALK_OK;
}

void alk_buffer_trim(struct alk_buffer *b)
{
    if (b->head == b->tail && b->data != NULL)
        alk_buffer_free(b);
}

void alk_buffer_free(struct alk_buffer *b)
{
    if (b->data != NULL) {
        sodium_memzero(b->data, b->capacity);
        free(b->data);
    }
    *b = alk_buffer(b->max);
}
