#include "server/internal.h"

#include <stdio.h>
#include <stdlib.h>

static void note(unsigned line, bool skipped, const char *sentence, void *user)
{
    char number[16];

    snprintf(number, sizeof(number), "%u", line);
    alk_log(user, skipped ? ALK_LOG_WARN : ALK_LOG_INFO, "authorized_keys", "line", number,
            "skipped", skipped ? "yes" : "no", "note", sentence, NULL);
}

int key_set_load(struct key_set **out, const char *path, const struct alk_log *log,
                 struct alk_error *error)
{
    union { /* note takes void *, and only reads */
        const struct alk_log *in;
        void *out;
    } user = {.in = log};
    struct key_set *set = calloc(1, sizeof(*set));

    if (set == NULL)
        return alk_error_set(error, ALK_E_NOMEM, "out of memory");
    int status = alk_authorized_keys_load(&set->keys, path, note, user.out, error);
    if (status != ALK_OK) {
        free(set);
        return status;
    }
    atomic_init(&set->references, 1);
    *out = set;
    return ALK_OK;
}

void key_set_release(struct key_set *set)
{
    if (set == NULL || atomic_fetch_sub(&set->references, 1) != 1)
        return;
    alk_authorized_keys_free(set->keys);
    free(set);
}
