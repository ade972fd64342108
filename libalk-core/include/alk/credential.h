/*
 * What we present to others: sets of credentials, and the providers that hand them out.
 *
 * A provider is asked for the credentials of a service by name ("backup-store") and answers at
 * once or later, from any thread, as in alk/identity.h. The opposite direction, who calls us, is
 * there.
 */
#ifndef ALK_CREDENTIAL_H
#define ALK_CREDENTIAL_H

#include <alk/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct alk_loop;

/* The fields of each kind; those in brackets may be left out, others are refused. */
enum alk_credential_kind {
    ALK_CREDENTIAL_API_KEY, /* key [header] */
    ALK_CREDENTIAL_BASIC,   /* username password */
    ALK_CREDENTIAL_BEARER,  /* token */
    ALK_CREDENTIAL_S3,      /* access_key_id secret_access_key [session_token region endpoint] */
    ALK_CREDENTIAL_OIDC,    /* issuer client_id [client_secret refresh_token scope] */
    ALK_CREDENTIAL_CUSTOM,  /* any */
};

enum {
    ALK_CREDENTIAL_NAME_MAX = 128,   /* bytes of a service's or a field's name */
    ALK_CREDENTIAL_FIELDS_MAX = 32,  /* of one set */
    ALK_CREDENTIAL_VALUE_MAX = 8192, /* bytes of all values of one set together */
    ALK_CREDENTIAL_CHAIN_MAX = 16,
};

/* "api-key", "basic", ...; ALK_E_INVAL for no such kind. */
int alk_credential_kind_parse(const char *text, enum alk_credential_kind *kind);
const char *alk_credential_kind_text(enum alk_credential_kind kind);

struct alk_credential_kind_field {
    const char *name;
    bool needed;
    bool secret; /* the others may be shown */
};

/* The index-th field of the kind, those that are needed first; NULL beyond the last, and for
 * ALK_CREDENTIAL_CUSTOM. */
const struct alk_credential_kind_field *alk_credential_kind_field(enum alk_credential_kind kind,
                                                                  size_t index);

/* ---- credential sets ---- */

struct alk_credential_field {
    const char *name;  /* lower-case letters, digits, - and _ */
    const char *value; /* a secret */
};

/* What a set is made of. */
struct alk_credential {
    enum alk_credential_kind kind;
    const struct alk_credential_field *fields;
    size_t field_count;
    uint64_t expires; /* Unix seconds; 0 = not known */
};

/* An immutable set, reference-counted; any thread. Its values are in guarded memory that is
 * wiped with the last reference. */
struct alk_credential_set;

/* Copies. ALK_E_INVAL for a field that is missing, unknown, empty or there twice, with a sentence
 * that names it and never a value; ALK_E_LIMIT; ALK_E_NOMEM. */
int alk_credential_set_new(struct alk_credential_set **out, const struct alk_credential *credential,
                           struct alk_error *error);
struct alk_credential_set *alk_credential_set_ref(struct alk_credential_set *set);
void alk_credential_set_unref(struct alk_credential_set *set); /* NULL is fine */

enum alk_credential_kind alk_credential_set_kind(const struct alk_credential_set *set);
uint64_t alk_credential_set_expires(const struct alk_credential_set *set);

/* The value of a field, or NULL. Borrowed from the set; not to be copied without need. */
const char *alk_credential_set_get(const struct alk_credential_set *set, const char *name);

/* The name of the index-th field, or NULL. */
const char *alk_credential_set_field(const struct alk_credential_set *set, size_t index);

/* ---- questions and providers: as in alk/identity.h ---- */

struct alk_credential_request {
    const char *service;
    uint64_t now;          /* Unix seconds; a set that has expired is not handed out */
    struct alk_loop *loop; /* where the answer is wanted; NULL: on whatever thread gives it */
};

struct alk_credential_answer {
    /* ALK_OK with a set; ALK_E_NOTFOUND: unknown here, a chain asks the next provider; anything
     * else is final: ALK_E_LIMIT (expired), ALK_E_DENIED, ALK_E_IO, ... */
    int status;
    struct alk_credential_set *set; /* a reference that the answer owns */
};

struct alk_credential_question;

const struct alk_credential_request *
alk_credential_question_request(const struct alk_credential_question *question);
void alk_credential_question_set_work(struct alk_credential_question *question, void *work);
void *alk_credential_question_work(const struct alk_credential_question *question);

/* Once for each question, also for one that was cancelled; any thread. Takes the reference. */
void alk_credential_question_answer(struct alk_credential_question *question,
                                    const struct alk_credential_answer *answer);

struct alk_credential_provider_ops {
    void (*resolve)(void *user, struct alk_credential_question *question);
    void (*cancelled)(void *user, struct alk_credential_question *question); /* may be NULL */
};

struct alk_credential_provider {
    const struct alk_credential_provider_ops *ops;
    void *user;
};

/* The answer; its set is borrowed: alk_credential_set_ref keeps it. */
typedef void (*alk_credential_answer_fn)(void *user, const struct alk_credential_answer *answer);

void alk_credential_ask(struct alk_credential_question **pending,
                        const struct alk_credential_provider *provider,
                        const struct alk_credential_request *request, alk_credential_answer_fn fn,
                        void *user);
void alk_credential_cancel(struct alk_credential_question *pending);

/* Asks the providers in their order; as alk_identity_chain_new. */
struct alk_credential_chain;
int alk_credential_chain_new(struct alk_credential_chain **out,
                             const struct alk_credential_provider *const *providers, size_t count);
void alk_credential_chain_free(struct alk_credential_chain *chain);
const struct alk_credential_provider *
alk_credential_chain_provider(const struct alk_credential_chain *chain);

/* ---- the provider of what the configuration holds ---- */

/* What it holds for one service. */
struct alk_credential_entry {
    const char *service;
    struct alk_credential credential;
};

struct alk_credential_store;

/* A provider that answers at once from these entries, which it copies. Errors as
 * alk_credential_set_new, and ALK_E_EXISTS for a service that is there twice; the sentence names
 * the service. Immutable; any thread. */
int alk_credential_store_new(struct alk_credential_store **out,
                             const struct alk_credential_entry *entries, size_t count,
                             struct alk_error *error);
void alk_credential_store_free(struct alk_credential_store *store);

/* The set of a service, or NULL; expired ones, too. The caller owns the reference. */
struct alk_credential_set *alk_credential_store_get(const struct alk_credential_store *store,
                                                    const char *service);

const struct alk_credential_provider *
alk_credential_store_provider(const struct alk_credential_store *store);

/* ---- values that are in files, so that no configuration holds a secret ---- */

/* A field, and either its value or the file that holds it. */
struct alk_credential_place {
    const char *name;
    const char *value; /* NULL when there is a path */
    const char *path;  /* the value is all of the file but one line end */
    unsigned line;     /* of the configuration, for messages; 0 = not known */
};

struct alk_credential_source {
    const char *service;
    enum alk_credential_kind kind;
    const struct alk_credential_place *places;
    size_t place_count;
    uint64_t expires; /* as in struct alk_credential */
    const char *file; /* the configuration, for messages; or NULL */
    unsigned line;
};

/* Reads the files and makes a store as alk_credential_store_new. A file must be a regular one that
 * others cannot read, nor its group when this user owns it: else ALK_E_DENIED. Also what
 * opening and reading may yield, ALK_E_PARSE for a value with a NUL. The sentence names the
 * configuration's line and the file, never a value. */
int alk_credential_store_load(struct alk_credential_store **out,
                              const struct alk_credential_source *sources, size_t count,
                              struct alk_error *error);

/* Whether the file of a value is as alk_credential_store_load wants it. */
int alk_credential_check_file(const char *path, struct alk_error *error);

#endif
