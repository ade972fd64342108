#include "ssh/wire.h"

#include <string.h>

struct alk_bytes alk_get_bytes(struct alk_reader *r, size_t len)
{
    if (r->broken || len > (size_t)(r->end - r->at)) {
        r->broken = true;
        return (struct alk_bytes){.data = r->end, .len = 0};
    }
    struct alk_bytes bytes = {.data = r->at, .len = len};
    r->at += len;
    return bytes;
}

uint8_t alk_get_u8(struct alk_reader *r)
{
    struct alk_bytes b = alk_get_bytes(r, 1);
    return b.len == 1 ? b.data[0] : 0;
}

bool alk_get_bool(struct alk_reader *r)
{
    return alk_get_u8(r) != 0;
}

uint32_t alk_get_u32(struct alk_reader *r)
{
    struct alk_bytes b = alk_get_bytes(r, 4);
    if (b.len != 4)
        return 0;
    return (uint32_t)b.data[0] << 24 | (uint32_t)b.data[1] << 16 | (uint32_t)b.data[2] << 8 |
           b.data[3];
}

uint64_t alk_get_u64(struct alk_reader *r)
{
    uint64_t high = alk_get_u32(r);
    return high << 32 | alk_get_u32(r);
}

struct alk_bytes alk_get_string(struct alk_reader *r)
{
    return alk_get_bytes(r, alk_get_u32(r));
}

void alk_get_text(struct alk_reader *r, char *out, size_t size)
{
    struct alk_bytes b = alk_get_string(r);

    out[0] = '\0';
    if (b.len >= size || memchr(b.data, '\0', b.len) != NULL) {
        r->broken = true;
        return;
    }
    memcpy(out, b.data, b.len);
    out[b.len] = '\0';
}

bool alk_reader_ok(const struct alk_reader *r)
{
    return !r->broken;
}

bool alk_reader_done(const struct alk_reader *r)
{
    return !r->broken && r->at == r->end;
}

bool alk_bytes_equal(struct alk_bytes a, const char *text)
{
    return a.len == strlen(text) && memcmp(a.data, text, a.len) == 0;
}

static uint8_t *room(struct alk_writer *w, size_t len)
{
    if (w->broken || len > (size_t)(w->end - w->at)) {
        w->broken = true;
        return NULL;
    }
    uint8_t *at = w->at;
    w->at += len;
    return at;
}

void alk_put_u8(struct alk_writer *w, uint8_t value)
{
    uint8_t *at = room(w, 1);
    if (at != NULL)
        at[0] = value;
}

void alk_put_u32(struct alk_writer *w, uint32_t value)
{
    uint8_t *at = room(w, 4);
    if (at == NULL)
        return;
    at[0] = (uint8_t)(value >> 24);
    at[1] = (uint8_t)(value >> 16);
    at[2] = (uint8_t)(value >> 8);
    at[3] = (uint8_t)value;
}

void alk_put_u64(struct alk_writer *w, uint64_t value)
{
    alk_put_u32(w, (uint32_t)(value >> 32));
    alk_put_u32(w, (uint32_t)value);
}

void alk_put_bytes(struct alk_writer *w, const void *data, size_t len)
{
    uint8_t *at = room(w, len);
    if (at != NULL && len > 0)
        memcpy(at, data, len);
}

void alk_put_string(struct alk_writer *w, const void *data, size_t len)
{
    if (len > UINT32_MAX) {
        w->broken = true;
        return;
    }
    alk_put_u32(w, (uint32_t)len);
    alk_put_bytes(w, data, len);
}

void alk_put_text(struct alk_writer *w, const char *text)
{
    alk_put_string(w, text, strlen(text));
}

void alk_put_mpint(struct alk_writer *w, const uint8_t *magnitude, size_t len)
{
    while (len > 0 && magnitude[0] == 0) {
        magnitude++;
        len--;
    }
    /* a set top bit would read as negative */
    bool pad = len > 0 && (magnitude[0] & 0x80) != 0;
    alk_put_u32(w, (uint32_t)(len + pad));
    if (pad)
        alk_put_u8(w, 0);
    alk_put_bytes(w, magnitude, len);
}
