#include "auth/token_index.h"
#include "server/internal.h"

#include "auth/pattern.h"
#include "transport/tls_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Lines told of one file: somebody may have named another by mistake, with thousands of them. */
enum { NOTES_MAX = 20 };

struct notes {
    const struct alk_log *log;
    const char *file; /* what it is, in words */
    unsigned skipped, others;
};

static void note(unsigned line, bool skipped, const char *sentence, void *user)
{
    struct notes *notes = user;
    unsigned *count = skipped ? &notes->skipped : &notes->others;
    char number[16];

    if (++*count > NOTES_MAX)
        return;
    snprintf(number, sizeof(number), "%u", line);
    alk_log(notes->log, skipped ? ALK_LOG_WARN : ALK_LOG_INFO, notes->file, "line", number,
            "skipped", skipped ? "yes" : "no", "note", sentence, NULL);
}

static void tell_more(const struct notes *notes, bool skipped)
{
    unsigned count = skipped ? notes->skipped : notes->others;
    char more[16];

    if (count <= NOTES_MAX)
        return;
    snprintf(more, sizeof(more), "%u", count - NOTES_MAX);
    alk_log(notes->log, skipped ? ALK_LOG_WARN : ALK_LOG_INFO, notes->file, "more_lines", more,
            "skipped", skipped ? "yes" : "no", NULL);
}

typedef int (*load_fn)(struct alk_authorized_keys **out, const char *path,
                       alk_authorized_note_fn note, void *user, struct alk_error *error);

static int load_file(struct alk_authorized_keys **out, const char *path, load_fn load,
                     const char *what, const struct alk_log *log, struct alk_error *error)
{
    struct notes notes = {.log = log, .file = what};
    int status = load(out, path, note, &notes, error);

    tell_more(&notes, true);
    tell_more(&notes, false);
    return status;
}

static int load_keys(struct snapshot *snapshot, const struct alk_server_options *options,
                     struct alk_error *error)
{
    const struct alk_log *log = options->log;
    int status = load_file(&snapshot->keys, options->authorized_keys, alk_authorized_keys_load,
                           "authorized_keys", log, error);

    if (status == ALK_OK && options->cert_authority != NULL)
        status = load_file(&snapshot->authorities, options->cert_authority, alk_authorities_load,
                           "cert_authority", log, error);
    if (status == ALK_OK && options->revoked_keys != NULL)
        status = alk_revocations_load(&snapshot->revoked, options->revoked_keys, error);
    if (status == ALK_OK && options->token_keys != NULL)
        status = load_file(&snapshot->own_token_keys, options->token_keys, alk_authorized_keys_load,
                           "key_source", log, error);
    return status;
}

const struct alk_authorized_keys *snapshot_token_keys(const struct snapshot *snapshot)
{
    return snapshot->own_token_keys != NULL ? snapshot->own_token_keys : snapshot->keys;
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
        status = alk_token_index_new(&snapshot->token_index, snapshot_token_keys(snapshot));
    return status == ALK_OK ? ALK_OK : alk_error_set(error, status, "out of memory");
}

/* A certificate that is out of date is served all the same, and told of: to serve none would help
 * nobody. Who only checks is told that it is wrong. */
static int load_tls(struct snapshot *snapshot, const struct alk_server_options *options,
                    struct alk_error *error)
{
    struct alk_error stale;

    if (options->tls_cert == NULL && options->tls_key == NULL)
        return ALK_OK;
    if (options->tls_cert == NULL || options->tls_key == NULL)
        return alk_error_set(error, ALK_E_INVAL,
                             "a TLS certificate and its key go together: name "
                             "both, or none");
    int status = alk_tls_server_load(&snapshot->tls, options->tls_cert, options->tls_key, error);
    if (status != ALK_OK ||
        alk_tls_check_validity(snapshot->tls, options->tls_cert, time(NULL), &stale) == ALK_OK)
        return status;
    if (options->dry_run)
        return alk_error_set(error, stale.code, "%s", stale.text);
    alk_log(options->log, ALK_LOG_WARN, "tls certificate", "note", stale.text, NULL);
    return ALK_OK;
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

static const struct alk_credential_place *
copy_places(struct alk_arena *arena, const struct alk_credential_source *source, bool *ok)
{
    struct alk_credential_place *out =
        alk_arena_alloc(arena, (source->place_count + 1) * sizeof(*out));

    *ok = *ok && out != NULL;
    for (size_t i = 0; i < source->place_count && *ok; i++) {
        out[i] = source->places[i];
        out[i].name = copy(arena, out[i].name, ok);
        out[i].value = copy(arena, out[i].value, ok);
        out[i].path = copy(arena, out[i].path, ok);
    }
    return out;
}

/* Where the secrets are, that is; a reload reads them again. */
static const struct alk_credential_source *
copy_credentials(struct alk_arena *arena, const struct alk_server_options *options, bool *ok)
{
    size_t count = options->credential_count;
    struct alk_credential_source *out = alk_arena_alloc(arena, (count + 1) * sizeof(*out));

    *ok = *ok && out != NULL;
    for (size_t i = 0; i < count && *ok; i++) {
        out[i] = options->credentials[i];
        out[i].service = copy(arena, out[i].service, ok);
        out[i].file = copy(arena, out[i].file, ok);
        out[i].places = copy_places(arena, &options->credentials[i], ok);
    }
    return out;
}

static const struct alk_policy_rule_text *
copy_rules(struct alk_arena *arena, const struct alk_server_options *options, bool *ok)
{
    size_t count = options->rule_count;
    struct alk_policy_rule_text *out =
        count > 0 ? alk_arena_alloc(arena, count * sizeof(*out)) : NULL;

    *ok = *ok && (out != NULL || count == 0);
    for (size_t i = 0; out != NULL && i < count && *ok; i++) {
        out[i].text = copy(arena, options->rules[i].text, ok);
        out[i].file = copy(arena, options->rules[i].file, ok);
        out[i].line = options->rules[i].line;
    }
    return out;
}

static void use_default(unsigned *limit, unsigned otherwise)
{
    if (*limit == 0)
        *limit = otherwise;
}

static void use_default_limits(struct alk_limits *l)
{
    use_default(&l->max_connections_per_ip, ALK_LIMIT_NONE);
    use_default(&l->connection_rate_per_ip, ALK_LIMIT_NONE);
    use_default(&l->max_unauthenticated_per_ip, 16);
    use_default(&l->login_failures, 10);
    use_default(&l->penalty_s, 5);
    use_default(&l->penalty_max_s, 600);
    use_default(&l->max_auth_attempts, 10);
    use_default(&l->max_channels, 1024);
    use_default(&l->max_sessions_per_identity, ALK_LIMIT_NONE);
    use_default(&l->max_channels_per_identity, ALK_LIMIT_NONE);
    use_default(&l->max_sessions, ALK_LIMIT_NONE);
    use_default(&l->max_unauthenticated, 128);
    if (l->memory == 0)
        l->memory = UINT64_MAX;
}

static int check_limits(const struct alk_limits *limits, struct alk_error *error)
{
    const char *exempt = limits->penalty_exempt;
    bool names = false;
    const char *problem = exempt != NULL ? alk_address_list_problem(exempt, &names) : NULL;

    if (problem == NULL && !names)
        return ALK_OK;
    return alk_error_set(
        error, ALK_E_PARSE, "the addresses exempt from penalties, \"%.200s\": %s", exempt,
        problem != NULL ? problem : "write numeric addresses and networks, not names");
}

/* What the options point to belongs to the caller: a snapshot outlives the call. */
static int copy_options(struct snapshot *snapshot, const struct alk_server_options *options,
                        struct alk_error *error)
{
    struct alk_server_options *o = &snapshot->options;
    bool ok = true;

    *o = *options;
    o->authorized_keys = copy(&snapshot->strings, options->authorized_keys, &ok);
    o->rules = copy_rules(&snapshot->strings, options, &ok);
    o->limits.penalty_exempt = copy(&snapshot->strings, options->limits.penalty_exempt, &ok);
    use_default_limits(&o->limits);
    o->cert_authority = copy(&snapshot->strings, options->cert_authority, &ok);
    o->revoked_keys = copy(&snapshot->strings, options->revoked_keys, &ok);
    o->token_keys = copy(&snapshot->strings, options->token_keys, &ok);
    o->tls_cert = copy(&snapshot->strings, options->tls_cert, &ok);
    o->tls_key = copy(&snapshot->strings, options->tls_key, &ok);
    copy_api_keys(snapshot, options, &ok);
    o->credentials = copy_credentials(&snapshot->strings, options, &ok);
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
        status = check_limits(&options->limits, error);
    if (status == ALK_OK)
        status = alk_policy_new(&snapshot->policy, options->rules, options->rule_count,
                                &options->forwarding, error);
    if (status == ALK_OK)
        status = load_keys(snapshot, options, error);
    if (status == ALK_OK)
        status = prepare_tokens(snapshot, previous, error);
    if (status == ALK_OK)
        status = load_tls(snapshot, options, error);
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
    alk_tls_context_release(snapshot->tls);
    alk_token_index_free(snapshot->token_index);
    alk_authorized_keys_free(snapshot->own_token_keys);
    alk_api_keys_free(snapshot->api_keys);
    alk_authorized_keys_free(snapshot->keys);
    alk_policy_free(snapshot->policy);
    alk_authorized_keys_free(snapshot->authorities);
    alk_revocations_free(snapshot->revoked);
    alk_arena_free(&snapshot->strings);
    free(snapshot);
}
