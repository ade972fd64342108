/* Searching the memory of this process, or a core file, for secrets that the searcher itself
 * never holds: it knows them only masked, and compares masked. */
#ifndef TEST_SEARCH_H
#define TEST_SEARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SEARCH_MASK     0x5a
#define SEARCH_FRAGMENT 16 /* bytes that count as a leak */
#define SEARCH_NAME     32

struct search_hits {
    unsigned guarded; /* in pages that are locked and left out of core dumps */
    unsigned open;    /* anywhere else */
    char where[160];  /* the first open hit */
};

/* Adds a secret, each byte XOR SEARCH_MASK: all its 16-byte fragments, also with the bytes of
 * 32-bit and 64-bit words reversed as hash functions hold them. */
void search_add(const char *name, const uint8_t *masked, size_t len);

/* The same for a text, and its code points as 32-bit words. */
void search_add_text(const char *name, const uint8_t *masked, size_t len);

/* Searches every readable mapping of this process. */
struct search_hits search_memory(void);

/* Searches a file. All hits count as open. */
struct search_hits search_file(const char *path);

#endif
