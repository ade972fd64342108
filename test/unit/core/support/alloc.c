#include "support/alloc.h"

#include <malloc.h>
#include <stdatomic.h>
#include <stdlib.h>

/* what the linker makes of the names of the C library */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t len);
void __real_free(void *block);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t len);
void __wrap_free(void *block);

/* Some tests have threads. */
static atomic_uint countdown;
static atomic_bool goes_on, failed;
static atomic_long live;
static void (*_Atomic free_watch)(const void *block, size_t size);

void alloc_fail_at(unsigned n, bool on)
{
    countdown = n;
    goes_on = on;
    failed = false;
}

bool alloc_failed(void)
{
    return failed;
}

long alloc_live(void)
{
    return live;
}

void alloc_watch_free(void (*watch)(const void *block, size_t size))
{
    free_watch = watch;
}

static bool fails(void)
{
    if (countdown == 0 || (countdown > 1 && countdown-- > 1))
        return false;
    if (!goes_on)
        countdown = 0;
    failed = true;
    return true;
}

static void *counted(void *block)
{
    live += block != NULL;
    return block;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : counted(__real_malloc(size));
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : counted(__real_calloc(count, size));
}

void *__wrap_realloc(void *block, size_t size)
{
    if (fails())
        return NULL;
    return block == NULL ? counted(__real_realloc(block, size)) : __real_realloc(block, size);
}

char *__wrap_strdup(const char *text)
{
    return fails() ? NULL : counted(__real_strdup(text));
}

char *__wrap_strndup(const char *text, size_t len)
{
    return fails() ? NULL : counted(__real_strndup(text, len));
}

void __wrap_free(void *block)
{
    void (*watch)(const void *, size_t) = free_watch;

    if (block == NULL)
        return;
    if (watch != NULL)
        watch(block, malloc_usable_size(block));
    live--;
    __real_free(block);
}
