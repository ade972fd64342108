#include "auth/token_index.h"
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

/* What the tokens of other interfaces are judged by. */
static int prepare_tokens(struct snapshot *snapshot, const struct snapshot *previous,
                          struct alk_error *error)
{
    const struct alk_server_options *o = &snapshot->options;
    int status = alk_api_keys_new(&snapshot->api_keys, o->api_keys, o->api_key_count,
                                  previous != NULL ? previous->api_keys : NULL, error);

    if (status != ALK_OK)
        return status;
    if (o->token.max_age_s > ALK_TOKEN_AGE_LIMIT_S)
        return alk_error_set(error, ALK_E_LIMIT, "tokens may be at most %d s old, not %u",
                             ALK_TOKEN_AGE_LIMIT_S, o->token.max_age_s);
    if (o->token.enabled)
        status = alk_token_index_new(&snapshot->token_keys, snapshot->keys);
    return status == ALK_OK ? ALK_OK : alk_error_set(error, status, "out of memory");
}

static const char *copy(struct alk_arena *arena, const char *text, bool *ok)
{
    char *out = text != NULL ? alk_arena_text(arena, text, strlen(text)) : NULL;

    *ok = *ok && (out != NULL || text == NULL);
    return out;
}

static void copy_api_keys(struct snapshot *snapshot, const struct alk_server_options *options,
                          bool *ok)
{
    size_t count = options->api_key_count;
    struct alk_api_key *keys = alk_arena_alloc(&snapshot->strings, (count + 1) * sizeof(*keys));

    *ok = *ok && keys != NULL;
    for (size_t i = 0; i < count && *ok; i++) {
        const struct alk_api_key *key = &options->api_keys[i];
        keys[i] = *key;
        keys[i].name = copy(&snapshot->strings, key->name, ok);
        keys[i].hash = copy(&snapshot->strings, key->hash, ok);
        keys[i].scopes = copy(&snapshot->strings, key->scopes, ok);
        keys[i].resources = copy(&snapshot->strings, key->resources, ok);
        keys[i].description = copy(&snapshot->strings, key->description, ok);
    }
    snapshot->options.api_keys = keys;
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
    copy_api_keys(snapshot, options, &ok);
    return ok ? ALK_OK : alk_error_set(error, ALK_E_NOMEM, "out of memory");
}

int snapshot_build(struct snapshot **out, const struct alk_server_options *options,
                   const struct snapshot *previous, struct alk_error *error)
{
    struct snapshot *snapshot = calloc(1, sizeof(*snapshot));

    if (snapshot == NULL)
        return alk_error_set(error, ALK_E_NOMEM, "out of memory");
    atomic_init(&snapshot->references, 1);
    int status = copy_options(snapshot, options, error);
    if (status == ALK_OK)
        status = load_keys(snapshot, options, error);
    if (status == ALK_OK)
        status = prepare_tokens(snapshot, previous, error);
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
    alk_token_index_free(snapshot->token_keys);
    alk_api_keys_free(snapshot->api_keys);
    alk_authorized_keys_free(snapshot->keys);
    alk_authorized_keys_free(snapshot->authorities);
    alk_revocations_free(snapshot->revoked);
    alk_arena_free(&snapshot->strings);
    free(snapshot);
}
