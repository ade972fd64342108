/* Identities: one block of memory each, immutable but for the count of references. */
#include "auth/identity.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct block {
    struct alk_identity face; /* first: callers hold pointers to it */
    atomic_uint references;
    void *attachment;
    alk_attachment_drop_fn drop;
    /* the array of scopes, the array of resources and all text follow */
};

/* ---- what may be in one ---- */

static bool is_text(const char *text, size_t max)
{
    static const char characters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                     "0123456789._:-+=@/";
    size_t len = strnlen(text, max + 1);

    return len >= 1 && len <= max && strspn(text, characters) == len;
}

static bool is_resource(const struct alk_resource *resource)
{
    return is_text(resource->type, ALK_IDENTITY_NAME_MAX) &&
           is_text(resource->name, ALK_IDENTITY_NAME_MAX) && strchr(resource->type, ':') == NULL &&
           strlen(resource->type) + 1 + strlen(resource->name) <= ALK_IDENTITY_NAME_MAX;
}

static int check(const struct alk_identity *data)
{
    if (data->scope_count > ALK_IDENTITY_SCOPES_MAX ||
        data->resource_count > ALK_IDENTITY_RESOURCES_MAX)
        return ALK_E_LIMIT;
    if (!is_text(data->id, ALK_IDENTITY_ID_MAX))
        return ALK_E_INVAL;
    for (size_t i = 0; i < data->scope_count; i++) {
        if (!is_text(data->scopes[i], ALK_IDENTITY_NAME_MAX))
            return ALK_E_INVAL;
    }
    for (size_t i = 0; i < data->resource_count; i++) {
        if (!is_resource(&data->resources[i]))
            return ALK_E_INVAL;
    }
    return ALK_OK;
}

/* ---- making ---- */

static size_t text_size(const struct alk_identity *data)
{
    size_t size = strlen(data->id) + 1;

    for (size_t i = 0; i < data->scope_count; i++)
        size += strlen(data->scopes[i]) + 1;
    for (size_t i = 0; i < data->resource_count; i++)
        size += strlen(data->resources[i].type) + 1 + strlen(data->resources[i].name) + 1;
    return size;
}

static const char *put(char **at, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = memcpy(*at, text, size);

    *at += size;
    return copy;
}

static struct block *copy(const struct alk_identity *data)
{
    size_t arrays = data->scope_count * sizeof(data->scopes[0]) +
                    data->resource_count * sizeof(data->resources[0]);
    struct block *block = malloc(sizeof(*block) + arrays + text_size(data));

    if (block == NULL)
        return NULL;
    struct alk_resource *resources = (struct alk_resource *)(block + 1);
    const char **scopes = (const char **)(resources + data->resource_count);
    char *at = (char *)(scopes + data->scope_count);
    block->face = (struct alk_identity){
        .id = put(&at, data->id),
        .scopes = scopes,
        .scope_count = data->scope_count,
        .resources = resources,
        .resource_count = data->resource_count,
    };
    for (size_t i = 0; i < data->scope_count; i++)
        scopes[i] = put(&at, data->scopes[i]);
    for (size_t i = 0; i < data->resource_count; i++) {
        resources[i].type = put(&at, data->resources[i].type);
        resources[i].name = put(&at, data->resources[i].name);
    }
    return block;
}

int alk_identity_new_attached(struct alk_identity **out, const struct alk_identity *data,
                              void *attachment, alk_attachment_drop_fn drop)
{
    int status = check(data);
    struct block *block = status == ALK_OK ? copy(data) : NULL;

    *out = NULL;
    if (block == NULL) {
        if (drop != NULL)
            drop(attachment);
        return status == ALK_OK ? ALK_E_NOMEM : status;
    }
    atomic_init(&block->references, 1);
    block->attachment = attachment;
    block->drop = drop;
    *out = &block->face;
    return ALK_OK;
}

int alk_identity_new(struct alk_identity **out, const struct alk_identity *data)
{
    return alk_identity_new_attached(out, data, NULL, NULL);
}

void *alk_identity_attachment(const struct alk_identity *identity, alk_attachment_drop_fn drop)
{
    const struct block *block = (const struct block *)identity;

    return identity != NULL && block->drop == drop ? block->attachment : NULL;
}

struct alk_identity *alk_identity_ref(struct alk_identity *identity)
{
    if (identity != NULL)
        atomic_fetch_add(&((struct block *)identity)->references, 1);
    return identity;
}

void alk_identity_unref(struct alk_identity *identity)
{
    struct block *block = (struct block *)identity;

    if (block == NULL || atomic_fetch_sub(&block->references, 1) != 1)
        return;
    if (block->drop != NULL)
        block->drop(block->attachment);
    free(block);
}

/* ---- looking at one ---- */

bool alk_identity_has_scope(const struct alk_identity *identity, const char *scope)
{
    for (size_t i = 0; i < identity->scope_count; i++) {
        if (strcmp(identity->scopes[i], scope) == 0)
            return true;
    }
    return false;
}

bool alk_identity_may_use(const struct alk_identity *identity, const char *type, const char *name)
{
    for (size_t i = 0; i < identity->resource_count; i++) {
        const struct alk_resource *held = &identity->resources[i];
        if (strcmp(held->type, type) == 0 && strcmp(held->name, name) == 0)
            return true;
    }
    return false;
}

static bool scopes_within(const struct alk_identity *a, const struct alk_identity *b)
{
    for (size_t i = 0; i < a->scope_count; i++) {
        size_t j = 0;
        while (j < b->scope_count && strcmp(a->scopes[i], b->scopes[j]) != 0)
            j++;
        if (j == b->scope_count)
            return false;
    }
    return true;
}

static bool resources_within(const struct alk_identity *a, const struct alk_identity *b)
{
    for (size_t i = 0; i < a->resource_count; i++) {
        size_t j = 0;
        while (j < b->resource_count && (strcmp(a->resources[i].type, b->resources[j].type) != 0 ||
                                         strcmp(a->resources[i].name, b->resources[j].name) != 0))
            j++;
        if (j == b->resource_count)
            return false;
    }
    return true;
}

bool alk_identity_equal(const struct alk_identity *a, const struct alk_identity *b)
{
    return strcmp(a->id, b->id) == 0 && scopes_within(a, b) && scopes_within(b, a) &&
           resources_within(a, b) && resources_within(b, a);
}
