#include "interface/decoy_internal.h"

/* Of a chunked body (RFC 9112 section 7.1). */
enum {
    SIZE_START,
    SIZE,
    EXTENSION,
    SIZE_ALMOST_DONE,
    DATA,
    AFTER_DATA,
    AFTER_DATA_ALMOST_DONE,
    TRAILER,
    TRAILER_LINE,
    TRAILER_LINE_ALMOST_DONE,
    ALMOST_DONE,
    DONE,
    BAD,
};

static int hex(unsigned char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int after_size(const struct decoy_body *b)
{
    return b->left > 0 ? DATA : TRAILER;
}

static int size_next(struct decoy_body *b, unsigned char c)
{
    int digit = b->state == EXTENSION ? -1 : hex(c);

    if (digit >= 0) {
        if (b->left > INT64_MAX / 16)
            return BAD;
        b->left = b->left * 16 + (unsigned)digit;
        return SIZE;
    }
    if (b->state == SIZE_START)
        return BAD;
    if (c == '\r')
        return SIZE_ALMOST_DONE;
    if (c == '\n')
        return after_size(b);
    return b->state == EXTENSION || c == ';' || c == ' ' || c == '\t' ? EXTENSION : BAD;
}

static int next(struct decoy_body *b, unsigned char c)
{
    switch (b->state) {
    case SIZE_START:
    case SIZE:
    case EXTENSION:
        return size_next(b, c);
    case SIZE_ALMOST_DONE:
        return c == '\n' ? after_size(b) : BAD;
    case DATA:
        return --b->left > 0 ? DATA : AFTER_DATA;
    case AFTER_DATA:
        return c == '\r' ? AFTER_DATA_ALMOST_DONE : c == '\n' ? SIZE_START : BAD;
    case AFTER_DATA_ALMOST_DONE:
        return c == '\n' ? SIZE_START : BAD;
    case TRAILER:
        return c == '\r' ? ALMOST_DONE : c == '\n' ? DONE : TRAILER_LINE;
    case TRAILER_LINE:
        return c == '\r' ? TRAILER_LINE_ALMOST_DONE : c == '\n' ? TRAILER : TRAILER_LINE;
    case TRAILER_LINE_ALMOST_DONE:
        return c == '\n' ? TRAILER : BAD;
    default:
        return c == '\n' ? DONE : BAD;
    }
}

enum decoy_body_outcome decoy_body_take(struct decoy_body *b, const unsigned char *data, size_t len,
                                        size_t *taken)
{
    *taken = 0;
    if (!b->chunked) {
        *taken = len < b->left ? len : (size_t)b->left;
        b->left -= *taken;
        return b->left > 0 ? DECOY_BODY_MORE : DECOY_BODY_DONE;
    }
    while (*taken < len && b->state != DONE && b->state != BAD)
        b->state = next(b, data[(*taken)++]);
    return b->state == BAD ? DECOY_BODY_BAD : b->state == DONE ? DECOY_BODY_DONE : DECOY_BODY_MORE;
}
