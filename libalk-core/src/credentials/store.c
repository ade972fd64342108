/* The credentials that a configuration holds, as a provider that answers at once. */
#include "credentials/reading.h"

#include <stdlib.h>
#include <string.h>

struct entry {
    char service[ALK_CREDENTIAL_NAME_MAX + 1];
    struct alk_credential_set *set;
};

struct alk_credential_store {
    struct alk_credential_provider provider;
    size_t count;
    struct entry entries[];
};

static const struct entry *find(const struct alk_credential_store *store, const char *service)
{
    for (size_t i = 0; i < store->count; i++) {
        if (strcmp(store->entries[i].service, service) == 0)
            return &store->entries[i];
    }
    return NULL;
}

struct alk_credential_set *alk_credential_store_get(const struct alk_credential_store *store,
                                                    const char *service)
{
    const struct entry *entry = find(store, service);

    return entry != NULL ? alk_credential_set_ref(entry->set) : NULL;
}

static void resolve(void *user, struct alk_credential_question *question)
{
    struct alk_credential_answer answer = {
        .set = alk_credential_store_get(user, alk_credential_question_request(question)->service)};

    answer.status = answer.set != NULL ? ALK_OK : ALK_E_NOTFOUND;
    alk_credential_question_answer(question, &answer);
}

/* The sentence does not name the service: that is the caller's to do. */
static int add(struct alk_credential_store *store, const struct alk_credential_entry *entry,
               struct alk_error *error)
{
    size_t len = strnlen(entry->service, ALK_CREDENTIAL_NAME_MAX + 1);

    if (len == 0 || len > ALK_CREDENTIAL_NAME_MAX)
        return alk_error_set(error, ALK_E_INVAL,
                             "the service has no name, or one longer than %d bytes",
                             ALK_CREDENTIAL_NAME_MAX);
    if (find(store, entry->service) != NULL)
        return alk_error_set(error, ALK_E_EXISTS, "the service is there twice");
    struct entry *kept = &store->entries[store->count];
    int status = alk_credential_set_new(&kept->set, &entry->credential, error);
    if (status != ALK_OK)
        return status;
    memcpy(kept->service, entry->service, len + 1);
    store->count++;
    return ALK_OK;
}

/* An empty one with room for count. */
static int make(struct alk_credential_store **out, size_t count, struct alk_error *error)
{
    static const struct alk_credential_provider_ops ops = {.resolve = resolve};
    struct alk_credential_store *store;

    if (count > SIZE_MAX / sizeof(struct entry) - 1)
        return alk_error_set(error, ALK_E_LIMIT, "too many credentials");
    store = calloc(1, sizeof(*store) + count * sizeof(store->entries[0]));
    if (store == NULL)
        return alk_error_set(error, ALK_E_NOMEM, "out of memory");
    store->provider = (struct alk_credential_provider){.ops = &ops, .user = store};
    *out = store;
    return ALK_OK;
}

/* The store, if it could be filled. */
static int finish(struct alk_credential_store **out, struct alk_credential_store *store, int status)
{
    if (status == ALK_OK)
        *out = store;
    else
        alk_credential_store_free(store);
    return status;
}

int alk_credential_store_new(struct alk_credential_store **out,
                             const struct alk_credential_entry *entries, size_t count,
                             struct alk_error *error)
{
    struct alk_credential_store *store = NULL;
    struct alk_error why;
    int status = make(&store, count, error);

    *out = NULL;
    for (size_t i = 0; i < count && status == ALK_OK; i++) {
        status = add(store, &entries[i], &why);
        if (status != ALK_OK)
            alk_error_set(error, status, "credential %.*s: %s", ALK_CREDENTIAL_NAME_MAX,
                          entries[i].service, why.text);
    }
    return finish(out, store, status);
}

int alk_credential_store_load(struct alk_credential_store **out,
                              const struct alk_credential_source *sources, size_t count,
                              struct alk_error *error)
{
    struct alk_credential_store *store = NULL;
    int status = make(&store, count, error);

    *out = NULL;
    for (size_t i = 0; i < count && status == ALK_OK; i++) {
        struct credential_reading reading;
        struct alk_error why;
        status = credential_read(&reading, &sources[i], error);
        if (status == ALK_OK && (status = add(store, &reading.entry, &why)) != ALK_OK)
            credential_tell(&sources[i], sources[i].line, status, why.text, error);
        credential_reading_wipe(&reading);
    }
    return finish(out, store, status);
}

void alk_credential_store_free(struct alk_credential_store *store)
{
    if (store == NULL)
        return;
    for (size_t i = 0; i < store->count; i++)
        alk_credential_set_unref(store->entries[i].set);
    free(store);
}

const struct alk_credential_provider *
alk_credential_store_provider(const struct alk_credential_store *store)
{
    return &store->provider;
}
