#include "auth/token_index.h"

#include "auth/token.h"

#include <stdlib.h>
#include <string.h>

struct entry {
    uint8_t id[ALK_TOKEN_ID_SIZE];
    const uint8_t *blob;
};

struct alk_token_index {
    size_t count;
    struct entry entries[]; /* by id; they are no secrets, and found by halving */
};

static int compare(const void *a, const void *b)
{
    const struct entry *left = a, *right = b;

    return memcmp(left->id, right->id, sizeof(left->id));
}

int alk_token_index_new(struct alk_token_index **out, const struct alk_authorized_keys *keys)
{
    size_t count = alk_authorized_keys_count(keys);
    struct alk_token_index *index;

    *out = NULL;
    index = malloc(sizeof(*index) + count * sizeof(index->entries[0]));
    if (index == NULL)
        return ALK_E_NOMEM;
    index->count = 0;
    for (size_t i = 0; i < count; i++) {
        const struct alk_authorized_key *line = alk_authorized_keys_at(keys, i);
        struct entry *entry = &index->entries[index->count];
        if (line->cert_authority || line->blob_len != ALK_KEY_BLOB_SIZE ||
            !alk_token_key_id(line->blob, line->blob_len, entry->id))
            continue;
        entry->blob = line->blob;
        index->count++;
    }
    qsort(index->entries, index->count, sizeof(index->entries[0]), compare);
    *out = index;
    return ALK_OK;
}

void alk_token_index_free(struct alk_token_index *index)
{
    free(index);
}

const uint8_t *alk_token_index_find(const struct alk_token_index *index,
                                    const uint8_t id[ALK_TOKEN_ID_SIZE])
{
    struct entry wanted;

    memcpy(wanted.id, id, sizeof(wanted.id));
    const struct entry *found =
        bsearch(&wanted, index->entries, index->count, sizeof(index->entries[0]), compare);
    return found != NULL ? found->blob : NULL;
}
