/*
 * SSH's data types (RFC 4251 section 5), read from and written to memory.
 *
 * A reader never moves past its end: after the first short or oversized field it
 * is broken, every later read yields zeros or empty strings, and alk_reader_ok
 * says so once at the end. A writer behaves the same towards its capacity.
 */
#ifndef ALK_SSH_WIRE_H
#define ALK_SSH_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct alk_bytes { /* borrowed */
    const uint8_t *data;
    size_t len;
};

struct alk_reader {
    const uint8_t *at, *end;
    bool broken;
};

static inline struct alk_reader alk_reader(const void *data, size_t len)
{
    const uint8_t *at = data;
    return (struct alk_reader){.at = at, .end = at + len, .broken = false};
}

uint8_t alk_get_u8(struct alk_reader *r);
bool alk_get_bool(struct alk_reader *r);
uint32_t alk_get_u32(struct alk_reader *r);
uint64_t alk_get_u64(struct alk_reader *r);
struct alk_bytes alk_get_bytes(struct alk_reader *r, size_t len); /* without length */
struct alk_bytes alk_get_string(struct alk_reader *r);

/* Copies a string field into out as C text. Breaks the reader when it is longer
 * than size - 1 or holds a NUL. */
void alk_get_text(struct alk_reader *r, char *out, size_t size);

/* Everything was there; alk_reader_done: and nothing is left over. */
bool alk_reader_ok(const struct alk_reader *r);
bool alk_reader_done(const struct alk_reader *r);

bool alk_bytes_equal(struct alk_bytes a, const char *text);

struct alk_writer {
    uint8_t *start, *at, *end;
    bool broken;
};

static inline struct alk_writer alk_writer(void *data, size_t size)
{
    uint8_t *at = data;
    return (struct alk_writer){.start = at, .at = at, .end = at + size, .broken = false};
}

void alk_put_u8(struct alk_writer *w, uint8_t value);
void alk_put_u32(struct alk_writer *w, uint32_t value);
void alk_put_u64(struct alk_writer *w, uint64_t value);
void alk_put_bytes(struct alk_writer *w, const void *data, size_t len); /* without length */
void alk_put_string(struct alk_writer *w, const void *data, size_t len);
void alk_put_text(struct alk_writer *w, const char *text);
void alk_put_mpint(struct alk_writer *w, const uint8_t *magnitude, size_t len); /* big-endian */

static inline size_t alk_writer_len(const struct alk_writer *w)
{
    return (size_t)(w->at - w->start);
}

#endif
