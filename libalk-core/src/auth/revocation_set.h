/*
 * What a revocation list is made of: sets of digests, and per authority sets of serials and key
 * ids. They are filled first, then sorted once, then only asked.
 */
#ifndef ALK_AUTH_REVOCATION_SET_H
#define ALK_AUTH_REVOCATION_SET_H

#include "auth/revocation.h"

#include <sodium.h>

enum { SHA1_SIZE = 20 };

/* Digests of one size, one behind the other; sorted for look-up. */
struct digests {
    size_t size;
    uint8_t *items;
    size_t count, room;
};

/* Serials first..last, all of them, or those whose bit is set (big-endian, the last byte holds
 * the lowest ones). */
struct span {
    uint64_t first, last;
    uint64_t reach; /* the greatest `last` of this one and all before it */
    const uint8_t *bits;
    size_t len;
};

struct spans {
    struct span *items;
    size_t count, room;
};

struct authority {
    uint8_t *blob; /* NULL = any authority */
    size_t blob_len;
    struct spans serials;
    struct digests ids; /* SHA-256 of key ids */
};

struct alk_revocations {
    struct digests sha256, sha1; /* of key blobs */
    struct authority *authorities;
    size_t authority_count;
    struct alk_arena arena; /* bitmaps and blobs */
};

/* ALK_OK or ALK_E_NOMEM. */
int digests_add(struct digests *set, const uint8_t *digest);
void digests_sort(struct digests *set);
bool digests_hold(const struct digests *set, const uint8_t *digest);

int spans_add(struct spans *set, struct span span);
void spans_sort(struct spans *set);
bool spans_hold(const struct spans *set, uint64_t serial);

/* The blob of a key, by its SHA-256. */
int revocation_add_blob(struct alk_revocations *list, const uint8_t *blob, size_t len);

/* Parses the binary form into *list. */
int revocation_parse_krl(struct alk_revocations *list, const char *what, const uint8_t *data,
                         size_t len, struct alk_error *error);

#endif
