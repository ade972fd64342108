#include "ssh/negotiate.h"

#include <string.h>

void alk_kexinit_parse(struct alk_reader *r, struct kexinit *init)
{
    alk_get_bytes(r, 16); /* cookie */
    for (int i = 0; i < LIST_COUNT; i++)
        init->list[i] = alk_get_string(r);
    init->guess_follows = alk_get_bool(r);
    alk_get_u32(r); /* reserved */
}

/* Cuts the first name off a comma list. */
static bool next_name(struct alk_bytes *list, struct alk_bytes *name)
{
    if (list->len == 0)
        return false;
    const uint8_t *comma = memchr(list->data, ',', list->len);
    size_t len = comma == NULL ? list->len : (size_t)(comma - list->data);
    size_t step = comma == NULL ? len : len + 1;

    *name = (struct alk_bytes){.data = list->data, .len = len};
    list->data += step;
    list->len -= step;
    return true;
}

static bool equal(struct alk_bytes a, struct alk_bytes b)
{
    return a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

static bool has(struct alk_bytes list, struct alk_bytes wanted)
{
    struct alk_bytes name;

    while (next_name(&list, &name)) {
        if (equal(name, wanted))
            return true;
    }
    return false;
}

bool alk_negotiate(struct alk_bytes client, struct alk_bytes server, char name[ALK_NAME_MAX + 1])
{
    struct alk_bytes candidate;

    while (next_name(&client, &candidate)) {
        if (candidate.len == 0 || candidate.len > ALK_NAME_MAX || !has(server, candidate))
            continue;
        memcpy(name, candidate.data, candidate.len);
        name[candidate.len] = '\0';
        return true;
    }
    name[0] = '\0';
    return false;
}

bool alk_list_has(struct alk_bytes list, const char *name)
{
    return has(list, (struct alk_bytes){.data = (const uint8_t *)name, .len = strlen(name)});
}

bool alk_list_same_first(struct alk_bytes a, struct alk_bytes b)
{
    struct alk_bytes first_a, first_b;

    return next_name(&a, &first_a) && next_name(&b, &first_b) && equal(first_a, first_b);
}
