#include "server/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void note(const char *file, unsigned line, bool skipped, const char *sentence, void *user)
{
    char number[16];

    snprintf(number, sizeof(number), "%u", line);
    alk_log(user, skipped ? ALK_LOG_WARN : ALK_LOG_INFO, file, "line", number, "skipped",
            skipped ? "yes" : "no", "note", sentence, NULL);
}

static void note_key(unsigned line, bool skipped, const char *sentence, void *user)
{
    note("authorized_keys", line, skipped, sentence, user);
}

static void note_authority(unsigned line, bool skipped, const char *sentence, void *user)
{
    note("cert_authority", line, skipped, sentence, user);
}

static int load_keys(struct snapshot *snapshot, const struct alk_server_options *options,
                     struct alk_error *error)
{
    union { /* note takes void *, and only reads */
        const struct alk_log *in;
        void *out;
    } user = {.in = options->log};

    int status = alk_authorized_keys_load(&snapshot->keys, options->authorized_keys, note_key,
                                          user.out, error);
    if (status == ALK_OK && options->cert_authority != NULL)
        status = alk_authorities_load(&snapshot->authorities, options->cert_authority,
                                      note_authority, user.out, error);
    if (status == ALK_OK && options->revoked_keys != NULL)
        status = alk_revocations_load(&snapshot->revoked, options->revoked_keys, error);
    return status;
}

static const char *copy(struct alk_arena *arena, const char *text, bool *ok)
{
    char *out = text != NULL ? alk_arena_text(arena, text, strlen(text)) : NULL;

    *ok = *ok && (out != NULL || text == NULL);
    return out;
}

/* What the options point to belongs to the caller: a snapshot outlives the call. */
static int copy_options(struct snapshot *snapshot, const struct alk_server_options *options,
                        struct alk_error *error)
{
    struct alk_server_options *o = &snapshot->options;
    bool ok = true;

    *o = *options;
    o->authorized_keys = copy(&snapshot->strings, options->authorized_keys, &ok);
    o->cert_authority = copy(&snapshot->strings, options->cert_authority, &ok);
    o->revoked_keys = copy(&snapshot->strings, options->revoked_keys, &ok);
    return ok ? ALK_OK : alk_error_set(error, ALK_E_NOMEM, "out of memory");
}

int snapshot_build(struct snapshot **out, const struct alk_server_options *options,
                   struct alk_error *error)
{
    struct snapshot *snapshot = calloc(1, sizeof(*snapshot));

    if (snapshot == NULL)
        return alk_error_set(error, ALK_E_NOMEM, "out of memory");
    atomic_init(&snapshot->references, 1);
    int status = copy_options(snapshot, options, error);
    if (status == ALK_OK)
        status = load_keys(snapshot, options, error);
    if (status != ALK_OK) {
        snapshot_release(snapshot);
        return status;
    }
    *out = snapshot;
    return ALK_OK;
}

struct snapshot *snapshot_hold(struct snapshot *snapshot)
{
    atomic_fetch_add(&snapshot->references, 1);
    return snapshot;
}

void snapshot_release(struct snapshot *snapshot)
{
    if (snapshot == NULL || atomic_fetch_sub(&snapshot->references, 1) != 1)
        return;
    alk_authorized_keys_free(snapshot->keys);
    alk_authorized_keys_free(snapshot->authorities);
    alk_revocations_free(snapshot->revoked);
    alk_arena_free(&snapshot->strings);
    free(snapshot);
}
