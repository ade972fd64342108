/*
 * A byte queue with a ceiling: append at the tail, consume at the head.
 *
 * The storage is one block, so the content is always contiguous. The content never
 * passes `max` bytes: the peer does not choose how much memory we take. (The block may
 * be twice that, so that appending to a long queue rarely moves it.) Freeing wipes it, since the bytes of a session may be secret.
 */
#ifndef ALK_BASE_BUFFER_H
#define ALK_BASE_BUFFER_H

#include <stddef.h>
#include <stdint.h>

struct alk_buffer {
    uint8_t *data;
    size_t head, tail; /* content is data[head..tail) */
    size_t capacity, max;
};

static inline struct alk_buffer alk_buffer(size_t max)
{
    return (struct alk_buffer){.max = max};
}

static inline size_t alk_buffer_len(const struct alk_buffer *b)
{
    return b->tail - b->head;
}

static inline uint8_t *alk_buffer_head(const struct alk_buffer *b)
{
    return b->data == NULL ? NULL : b->data + b->head; /* an offset to NULL is undefined */
}

/* Room for len more bytes at the tail, or NULL when that passes the ceiling or
 * memory is short. May move the content. */
uint8_t *alk_buffer_reserve(struct alk_buffer *b, size_t len);

/* Bytes that fit behind the tail without moving or growing. */
static inline size_t alk_buffer_room(const struct alk_buffer *b)
{
    return b->capacity - b->tail;
}

/* Makes len reserved bytes part of the content. */
void alk_buffer_commit(struct alk_buffer *b, size_t len);

/* Drops len bytes at the head. */
void alk_buffer_consume(struct alk_buffer *b, size_t len);

/* Reserve, copy, commit. ALK_E_LIMIT when it does not fit. */
int alk_buffer_append(struct alk_buffer *b, const void *data, size_t len);

/* Gives the storage back when the buffer is empty. */
void alk_buffer_trim(struct alk_buffer *b);

/* Wipes and frees; the buffer is empty and usable afterwards. */
void alk_buffer_free(struct alk_buffer *b);

#endif
