/* The credentials that a configuration holds, as a provider that answers at once. */
#include <alk/credential.h>

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

static void resolve(void *user, struct alk_credential_question *question)
{
    const struct alk_credential_store *store = user;
    const struct entry *entry = find(store, alk_credential_question_request(question)->service);
    struct alk_credential_answer answer = {.status = ALK_E_NOTFOUND};

    if (entry != NULL) {
        answer.status = ALK_OK;
        answer.set = alk_credential_set_ref(entry->set);
    }
    alk_credential_question_answer(question, &answer);
}

static int add(struct alk_credential_store *store, const struct alk_credential_entry *entry,
               struct alk_error *error)
{
    size_t len = strnlen(entry->service, ALK_CREDENTIAL_NAME_MAX + 1);
    struct alk_error why;

    if (len == 0 || len > ALK_CREDENTIAL_NAME_MAX)
        return alk_error_set(error, ALK_E_INVAL,
                             "the service of a credential has no name, or one longer than %d bytes",
                             ALK_CREDENTIAL_NAME_MAX);
    if (find(store, entry->service) != NULL)
        return alk_error_set(error, ALK_E_EXISTS, "the credential %s is there twice",
                             entry->service);
    struct entry *kept = &store->entries[store->count];
    int status = alk_credential_set_new(&kept->set, &entry->credential, &why);
    if (status != ALK_OK)
        return alk_error_set(error, status, "credential %s: %s", entry->service, why.text);
    memcpy(kept->service, entry->service, len + 1);
    store->count++;
    return ALK_OK;
}

int alk_credential_store_new(struct alk_credential_store **out,
                             const struct alk_credential_entry *entries, size_t count,
                             struct alk_error *error)
{
    static const struct alk_credential_provider_ops ops = {.resolve = resolve};
    struct alk_credential_store *store;

    *out = NULL;
    if (count > SIZE_MAX / sizeof(struct entry) - 1)
        return alk_error_set(error, ALK_E_LIMIT, "too many credentials");
    store = calloc(1, sizeof(*store) + count * sizeof(store->entries[0]));
    if (store == NULL)
        return alk_error_set(error, ALK_E_NOMEM, "out of memory");
    store->provider = (struct alk_credential_provider){.ops = &ops, .user = store};
    for (size_t i = 0; i < count; i++) {
        int status = add(store, &entries[i], error);
        if (status != ALK_OK) {
            alk_credential_store_free(store);
            return status;
        }
    }
    *out = store;
    return ALK_OK;
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
