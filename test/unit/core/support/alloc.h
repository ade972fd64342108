/*
 * The allocator as the library under test sees it: it can be told to fail, counts what is
 * allocated, and shows what is freed. Only calls from our own objects come here (the linker
 * wraps them, see link-flags), not those from inside other libraries.
 */
#ifndef TEST_ALLOC_H
#define TEST_ALLOC_H

#include <stdbool.h>
#include <stddef.h>

/* From now on the n-th call fails (1 = the next), and with `on` all after it; 0 = none. */
void alloc_fail_at(unsigned n, bool on);

/* Did a call fail since then? */
bool alloc_failed(void);

/* Blocks that are allocated now. */
long alloc_live(void);

/* Called with each block before it is freed; NULL = no longer. */
void alloc_watch_free(void (*watch)(const void *block, size_t size));

#endif
