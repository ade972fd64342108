/* Revocation lists, both forms; what they hold is asked for afterwards. */
#include "auth/revocation_set.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    if (alk_crypto_init() != ALK_OK)
        abort();
    return 0;
}

/* Every span is found at its ends where its bits say so, and nowhere behind all of them. */
static void ask_serials(const struct spans *serials)
{
    for (size_t i = 0; i < serials->count && i < 64; i++) {
        const struct span *span = &serials->items[i];
        bool first = spans_hold(serials, span->first), last = spans_hold(serials, span->last);
        if (span->bits == NULL && (!first || !last || span->first == 0))
            abort();
        if (span->bits != NULL && (span->bits[span->len - 1] & 1) != 0 && !first)
            abort();
        if (span->last < span->first || (i > 0 && span[-1].first > span->first))
            abort();
    }
    if (serials->count > 0) {
        uint64_t reach = serials->items[serials->count - 1].reach;
        if (reach != UINT64_MAX && spans_hold(serials, reach + 1))
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct alk_revocations *list;
    struct alk_error error;
    int status = alk_revocations_parse(&list, "list", data, size, &error);

    if (status != ALK_OK) {
        if (list != NULL || strncmp(error.text, "list", 4) != 0)
            abort();
        return 0;
    }
    for (size_t i = 0; i < list->authority_count; i++)
        ask_serials(&list->authorities[i].serials);
    for (size_t i = 0; i < list->sha256.count; i++) {
        if (!digests_hold(&list->sha256, list->sha256.items + i * list->sha256.size))
            abort();
    }
    alk_revoked_key(list, data, size);
    alk_revocations_free(list);
    return 0;
}
