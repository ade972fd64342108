#include "search.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define FRAGMENTS_MAX 4096
#define PAGE          4096
#define BUFFER        (1024 * 1024)

#define LONGEST 32

struct fragment {
    char name[SEARCH_NAME];
    size_t len;
    uint8_t masked[LONGEST];
};

static struct fragment fragments[FRAGMENTS_MAX];
static size_t fragment_count;
static uint8_t starts[65536]; /* whether some fragment starts with these two masked bytes */

static void add(const char *name, const char *form, const uint8_t *masked, size_t len)
{
    struct fragment *f = &fragments[fragment_count];

    if (fragment_count == FRAGMENTS_MAX)
        return;
    fragment_count++;
    snprintf(f->name, sizeof f->name, "%s%s", name, form);
    f->len = len;
    memcpy(f->masked, masked, len);
    starts[masked[0] << 8 | masked[1]] = 1;
}

static void add_reversed(const char *name, const char *form, const uint8_t *masked, size_t word)
{
    uint8_t reversed[SEARCH_FRAGMENT];

    for (size_t i = 0; i < SEARCH_FRAGMENT; i++)
        reversed[i] = masked[i / word * word + word - 1 - i % word];
    add(name, form, reversed, sizeof reversed);
}

void search_add(const char *name, const uint8_t *masked, size_t len)
{
    for (size_t at = 0; at + SEARCH_FRAGMENT <= len; at += 8) {
        add(name, "", masked + at, SEARCH_FRAGMENT);
        add_reversed(name, " (32)", masked + at, 4);
        add_reversed(name, " (64)", masked + at, 8);
    }
}

void search_add_text(const char *name, const uint8_t *masked, size_t len)
{
    for (size_t at = 0; at + SEARCH_FRAGMENT <= len; at++) {
        add(name, "", masked + at, SEARCH_FRAGMENT);
        add_reversed(name, " (64)", masked + at, 8);
    }
    for (size_t at = 0; at + LONGEST / 4 <= len; at++) {
        uint8_t points[LONGEST]; /* eight code points of four bytes */
        memset(points, SEARCH_MASK, sizeof points);
        for (size_t i = 0; i < LONGEST / 4; i++)
            points[4 * i] = masked[at + i];
        add(name, " (UTF-32)", points, sizeof points);
    }
}

static const struct fragment *match(const uint8_t *at)
{
    for (size_t i = 0; i < fragment_count; i++) {
        size_t j = 0;
        while (j < fragments[i].len && (at[j] ^ SEARCH_MASK) == fragments[i].masked[j])
            j++;
        if (j == fragments[i].len)
            return &fragments[i];
    }
    return NULL;
}

/* Counts the fragments that begin in the first `starting` bytes of a buffer, which is readable
 * a longest one further. */
static void scan(const uint8_t *buffer, size_t starting, uintptr_t address, bool guarded,
                 const char *mapping, struct search_hits *hits)
{
    for (size_t i = 0; i < starting; i++) {
        const struct fragment *found;
        if (!starts[(buffer[i] ^ SEARCH_MASK) << 8 | (buffer[i + 1] ^ SEARCH_MASK)])
            continue;
        found = match(buffer + i);
        if (found == NULL)
            continue;
        if (guarded) {
            hits->guarded++;
        } else if (hits->open++ == 0) {
            snprintf(hits->where, sizeof hits->where, "%s at %lx in %.100s", found->name,
                     (unsigned long)(address + i), mapping);
        }
    }
}

/* A buffer between inaccessible pages, so that it is a mapping of its own. */
static uint8_t *buffer_new(void)
{
    uint8_t *at = mmap(NULL, BUFFER + 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (at == MAP_FAILED || mprotect(at + PAGE, BUFFER, PROT_READ | PROT_WRITE) != 0)
        return NULL;
    return at + PAGE;
}

static void scan_range(int fd, uint8_t *buffer, uintptr_t from, uintptr_t to, bool guarded,
                       const char *mapping, struct search_hits *hits)
{
    while (from < to) {
        size_t want = to - from < BUFFER - PAGE ? to - from : BUFFER - PAGE;
        ssize_t got = pread(fd, buffer, want, (off_t)from);
        bool last = from + want == to;
        size_t overlap = last ? SEARCH_FRAGMENT : LONGEST;
        if (got != (ssize_t)want || want < overlap)
            return;
        memset(buffer + want, 0, LONGEST);
        scan(buffer, want - overlap + 1, from, guarded, mapping, hits);
        if (last)
            return;
        from += want - LONGEST + 1;
    }
}

struct search_hits search_memory(void)
{
    struct search_hits hits = {0};
    uint8_t *buffer = buffer_new();
    FILE *maps = fopen("/proc/self/smaps", "r");
    int fd = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    unsigned long from = 0, to = 0;
    char line[512], mapping[512] = "", mode[8] = "";

    if (buffer == NULL || maps == NULL || fd < 0) {
        hits.open = 1;
        snprintf(hits.where, sizeof hits.where, "cannot read the memory of this process");
        goto out;
    }
    while (fgets(line, sizeof line, maps) != NULL) {
        unsigned long a, b;
        char m[8];
        if (sscanf(line, "%lx-%lx %7s", &a, &b, m) == 3) {
            from = a, to = b;
            memcpy(mode, m, sizeof mode);
            memcpy(mapping, line, sizeof mapping);
            mapping[strcspn(mapping, "\n")] = '\0';
        } else if (strncmp(line, "VmFlags:", 8) == 0 && mode[0] == 'r' &&
                   from != (unsigned long)(uintptr_t)buffer) {
            bool guarded = strstr(line, " dd") != NULL && strstr(line, " lo") != NULL;
            scan_range(fd, buffer, from, to, guarded, mapping, &hits);
        }
    }
out:
    if (maps != NULL)
        fclose(maps);
    if (fd >= 0)
        close(fd);
    if (buffer != NULL)
        munmap(buffer - PAGE, BUFFER + 2 * PAGE);
    return hits;
}

struct search_hits search_file(const char *path)
{
    struct search_hits hits = {0};
    uint8_t *buffer = buffer_new();
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    off_t size = fd >= 0 ? lseek(fd, 0, SEEK_END) : 0;

    if (buffer == NULL || size <= 0) {
        hits.open = 1;
        snprintf(hits.where, sizeof hits.where, "cannot read %s", path);
    } else {
        scan_range(fd, buffer, 0, (uintptr_t)size, false, path, &hits);
    }
    if (fd >= 0)
        close(fd);
    if (buffer != NULL)
        munmap(buffer - PAGE, BUFFER + 2 * PAGE);
    return hits;
}
