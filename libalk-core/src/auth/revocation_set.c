#include "auth/revocation_set.h"

#include <stdlib.h>
#include <string.h>

/* Room for one item more in an array that doubles. */
static void *grow(void *items, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return items;
    size_t more = *room > 0 ? *room * 2 : 16;
    void *grown = reallocarray(items, more, size);
    if (grown != NULL)
        *room = more;
    return grown;
}

/* ---- digests ---- */

int digests_add(struct digests *set, const uint8_t *digest)
{
    uint8_t *items = grow(set->items, set->count, &set->room, set->size);

    if (items == NULL)
        return ALK_E_NOMEM;
    set->items = items;
    memcpy(items + set->count++ * set->size, digest, set->size);
    return ALK_OK;
}

static int compare_sha1(const void *a, const void *b)
{
    return memcmp(a, b, SHA1_SIZE);
}

static int compare_sha256(const void *a, const void *b)
{
    return memcmp(a, b, crypto_hash_sha256_BYTES);
}

static int (*comparison(const struct digests *set))(const void *a, const void *b)
{
    return set->size == SHA1_SIZE ? compare_sha1 : compare_sha256;
}

void digests_sort(struct digests *set)
{
    if (set->count > 0)
        qsort(set->items, set->count, set->size, comparison(set));
}

bool digests_hold(const struct digests *set, const uint8_t *digest)
{
    return set->count > 0 &&
           bsearch(digest, set->items, set->count, set->size, comparison(set)) != NULL;
}

/* ---- spans ---- */

int spans_add(struct spans *set, struct span span)
{
    struct span *items = grow(set->items, set->count, &set->room, sizeof(*items));

    if (items == NULL)
        return ALK_E_NOMEM;
    set->items = items;
    items[set->count++] = span;
    return ALK_OK;
}

static int compare_spans(const void *a, const void *b)
{
    const struct span *x = a, *y = b;

    return (x->first > y->first) - (x->first < y->first);
}

void spans_sort(struct spans *set)
{
    if (set->count == 0)
        return;
    qsort(set->items, set->count, sizeof(*set->items), compare_spans);
    for (size_t i = 0; i < set->count; i++) {
        struct span *span = &set->items[i];
        span->reach = span->last;
        if (i > 0 && span[-1].reach > span->reach)
            span->reach = span[-1].reach;
    }
}

static bool span_holds(const struct span *span, uint64_t serial)
{
    if (serial < span->first || serial > span->last)
        return false;
    if (span->bits == NULL)
        return true;
    uint64_t bit = serial - span->first;
    return (span->bits[span->len - 1 - bit / 8] >> bit % 8 & 1) != 0;
}

bool spans_hold(const struct spans *set, uint64_t serial)
{
    size_t low = 0, high = set->count;

    while (low < high) { /* the first one that begins behind the serial */
        size_t middle = low + (high - low) / 2;
        if (set->items[middle].first <= serial)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low > 0 && set->items[low - 1].reach >= serial; low--) {
        if (span_holds(&set->items[low - 1], serial))
            return true;
    }
    return false;
}
