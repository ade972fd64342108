/* The set of keys: reading a whole file, and finding a key by hash. */
#include "auth/authorized_keys_line.h"
#include "auth/key_internal.h"
#include "base/read_file.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    FILE_MAX = 64 * 1024 * 1024,
    /* Proving that a key is a point takes some 50 us, which would make large files slow to
     * load. alk_key_verify refuses bad points in any case; here the proof only serves to
     * report them, which is worth it for files of human size. */
    POINTS_CHECKED = 2048,
};

struct entry {
    struct alk_authorized_key key; /* first: callers hold pointers to it */
    uint32_t next;                 /* next line with this key, as index + 1; 0 = none */
};

struct alk_authorized_keys {
    struct entry *entries; /* in the order of the lines */
    size_t count, room;
    uint32_t *slots; /* open addressing; index + 1 of the first line with a key, 0 = free */
    size_t slot_mask;
    uint8_t hash_key[crypto_shorthash_KEYBYTES]; /* random: nobody can aim at one slot */
    struct alk_arena arena;
};

static size_t slot_of(const struct alk_authorized_keys *set, const uint8_t *blob, size_t len)
{
    uint8_t hash[crypto_shorthash_BYTES];
    uint64_t value;

    crypto_shorthash(hash, blob, len, set->hash_key);
    memcpy(&value, hash, sizeof(value));
    return (size_t)value & set->slot_mask;
}

static bool is_key(const struct alk_authorized_key *key, const uint8_t *blob, size_t len)
{
    return key->blob_len == len && memcmp(key->blob, blob, len) == 0;
}

/* The slot that holds this key, or the free one where it belongs. At most half are taken. */
static uint32_t *find_slot(const struct alk_authorized_keys *set, const uint8_t *blob, size_t len)
{
    size_t at = slot_of(set, blob, len);

    while (set->slots[at] != 0 && !is_key(&set->entries[set->slots[at] - 1].key, blob, len))
        at = (at + 1) & set->slot_mask;
    return &set->slots[at];
}

static int build_index(struct alk_authorized_keys *set)
{
    size_t slots = 2;

    while (slots < 2 * set->count)
        slots *= 2;
    set->slots = calloc(slots, sizeof(*set->slots));
    if (set->slots == NULL)
        return ALK_E_NOMEM;
    set->slot_mask = slots - 1;
    /* from the last line to the first, so that lines with one key chain in their order */
    for (size_t i = set->count; i > 0; i--) {
        const struct alk_authorized_key *key = &set->entries[i - 1].key;
        uint32_t *slot = find_slot(set, key->blob, key->blob_len);
        set->entries[i - 1].next = *slot;
        *slot = (uint32_t)i;
    }
    return ALK_OK;
}

static int add_entry(struct alk_authorized_keys *set, const struct alk_authorized_key *key)
{
    if (set->count == set->room) {
        size_t room = set->room > 0 ? set->room * 2 : 16;
        struct entry *entries = realloc(set->entries, room * sizeof(*entries));
        if (entries == NULL)
            return ALK_E_NOMEM;
        set->entries = entries;
        set->room = room;
    }
    set->entries[set->count++] = (struct entry){.key = *key};
    return ALK_OK;
}

static int parse_lines(struct alk_authorized_keys *set, const char *text, size_t len,
                       struct alk_authorized_line *line)
{
    const char *at = text, *end = text + len;
    size_t seen = 0; /* lines with a key, good or bad */

    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *line_end = newline != NULL ? newline : end;
        struct alk_authorized_key key;
        enum alk_line_kind kind;

        line->number++;
        line->check_point = seen < POINTS_CHECKED;
        kind = alk_authorized_line_parse(line, at, (size_t)(line_end - at), &key);
        seen += kind != ALK_LINE_EMPTY;
        if (kind == ALK_LINE_NOMEM || (kind == ALK_LINE_KEY && add_entry(set, &key) != ALK_OK))
            return ALK_E_NOMEM;
        at = newline != NULL ? newline + 1 : end;
    }
    return ALK_OK;
}

static int parse(struct alk_authorized_keys **out, const char *text, size_t len,
                 struct alk_authorized_line *line)
{
    struct alk_authorized_keys *set;
    int rc;

    *out = NULL;
    if (len > FILE_MAX)
        return ALK_E_LIMIT;
    set = calloc(1, sizeof(*set));
    if (set == NULL)
        return ALK_E_NOMEM;
    crypto_shorthash_keygen(set->hash_key);
    line->arena = &set->arena;
    rc = parse_lines(set, text, len, line);
    if (rc == ALK_OK)
        rc = build_index(set);
    if (rc != ALK_OK) {
        alk_authorized_keys_free(set);
        return rc;
    }
    *out = set;
    return ALK_OK;
}

int alk_authorized_keys_parse(struct alk_authorized_keys **out, const char *text, size_t len,
                              alk_authorized_note_fn note, void *user)
{
    struct alk_authorized_line line = {.file = "authorized_keys", .note = note, .user = user};

    return parse(out, text, len, &line);
}

int alk_authorities_parse(struct alk_authorized_keys **out, const char *text, size_t len,
                          alk_authorized_note_fn note, void *user)
{
    struct alk_authorized_line line = {
        .file = "cert_authority", .authorities = true, .note = note, .user = user};

    return parse(out, text, len, &line);
}

typedef int (*parse_fn)(struct alk_authorized_keys **out, const char *text, size_t len,
                        alk_authorized_note_fn note, void *user);

static int load(struct alk_authorized_keys **out, const char *path, parse_fn parse_text,
                alk_authorized_note_fn note, void *user, struct alk_error *error)
{
    char *text;
    size_t len;
    int rc;

    *out = NULL;
    rc = alk_file_load(path, FILE_MAX, S_IWGRP | S_IWOTH, &text, &len, error);
    if (rc != ALK_OK)
        return rc;
    rc = parse_text(out, text, len, note, user);
    free(text);
    if (rc != ALK_OK)
        alk_error_set(error, rc, "cannot read %s: %s", path, alk_status_text(rc));
    return rc;
}

int alk_authorized_keys_load(struct alk_authorized_keys **out, const char *path,
                             alk_authorized_note_fn note, void *user, struct alk_error *error)
{
    return load(out, path, alk_authorized_keys_parse, note, user, error);
}

int alk_authorities_load(struct alk_authorized_keys **out, const char *path,
                         alk_authorized_note_fn note, void *user, struct alk_error *error)
{
    return load(out, path, alk_authorities_parse, note, user, error);
}

void alk_authorized_keys_free(struct alk_authorized_keys *set)
{
    if (set == NULL)
        return;
    alk_arena_free(&set->arena);
    free(set->slots);
    free(set->entries);
    free(set);
}

size_t alk_authorized_keys_count(const struct alk_authorized_keys *set)
{
    return set->count;
}

const struct alk_authorized_key *alk_authorized_keys_at(const struct alk_authorized_keys *set,
                                                        size_t index)
{
    return &set->entries[index].key;
}

static const struct alk_authorized_key *entry_key(const struct alk_authorized_keys *set,
                                                  uint32_t number)
{
    return number != 0 ? &set->entries[number - 1].key : NULL;
}

const struct alk_authorized_key *alk_authorized_keys_find(const struct alk_authorized_keys *set,
                                                          const uint8_t *blob, size_t blob_len)
{
    return entry_key(set, *find_slot(set, blob, blob_len));
}

const struct alk_authorized_key *alk_authorized_keys_next(const struct alk_authorized_keys *set,
                                                          const struct alk_authorized_key *key)
{
    const struct entry *entry = (const struct entry *)key;

    return entry_key(set, entry->next);
}

const struct alk_authorized_key *alk_authorized_keys_admit(const struct alk_authorized_keys *set,
                                                           const uint8_t *blob, size_t blob_len,
                                                           const char *address, uint64_t now_unix)
{
    const struct alk_authorized_key *key = alk_authorized_keys_find(set, blob, blob_len);

    while (key != NULL &&
           (key->cert_authority || !alk_authorized_key_admits(key, address, now_unix)))
        key = alk_authorized_keys_next(set, key);
    return key;
}
