/*
 * Who calls us: identities, and the providers that resolve what a caller presents into one.
 *
 * A provider is asked about a key (an SSH login) or a token (an AuthToken or an API key) and
 * answers with an identity or a refusal, at once or later, from any thread. Providers are a
 * small table of functions; a chain asks several, one after the other.
 *
 * A question knows the loop of whoever asks. The answer arrives on that loop, exactly once, or
 * not at all when the question is cancelled first. So a provider needs to know nothing about
 * sessions that end while it looks something up.
 *
 * The opposite direction, what we present to others, is alk/credential.h.
 */
#ifndef ALK_IDENTITY_H
#define ALK_IDENTITY_H

#include <alk/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct alk_loop;

/* The scope without which a session opens no channel and no remote listener. */
#define ALK_SCOPE_CONNECT "relay:connect"

enum {
    ALK_IDENTITY_ID_MAX = 255,    /* bytes of an id */
    ALK_IDENTITY_NAME_MAX = 128,  /* bytes of a scope, or of "type:name" */
    ALK_IDENTITY_SCOPES_MAX = 64, /* of one identity */
    ALK_IDENTITY_RESOURCES_MAX = 256,
    ALK_IDENTITY_CHAIN_MAX = 16, /* providers in a chain */
};

/* ---- identities ---- */

struct alk_resource { /* "service:gitea" */
    const char *type, *name;
};

/* Immutable and reference-counted; any thread. id is the fingerprint of a key ("SHA256:..."), the
 * id of an API key, or that of an account. */
struct alk_identity {
    const char *id;
    const char *const *scopes;
    size_t scope_count;
    const struct alk_resource *resources;
    size_t resource_count;
};

/* Copies everything. ALK_E_NOMEM; ALK_E_INVAL for an empty or overlong id or name, or one with
 * other characters than letters, digits and "._:-+=@/"; ALK_E_LIMIT for too many. */
int alk_identity_new(struct alk_identity **out, const struct alk_identity *data);

/* From lists by comma, as files write them: "relay:connect, metrics:read" and "service:gitea".
 * Either may be NULL: none. Errors as above and ALK_E_PARSE, with a sentence. */
int alk_identity_parse(struct alk_identity **out, const char *id, const char *scopes,
                       const char *resources, struct alk_error *error);

/* One more reference to the same identity, which is returned; and one less. NULL is fine. */
struct alk_identity *alk_identity_ref(struct alk_identity *identity);
void alk_identity_unref(struct alk_identity *identity);

/* Both mean the very name: there are no patterns. */
bool alk_identity_has_scope(const struct alk_identity *identity, const char *scope);
bool alk_identity_may_use(const struct alk_identity *identity, const char *type, const char *name);

/* The same id, the same set of scopes and the same set of resources, in any order. */
bool alk_identity_equal(const struct alk_identity *a, const struct alk_identity *b);

/* ---- questions ---- */

enum alk_identity_kind {
    ALK_IDENTITY_BY_KEY,   /* blob and login are set */
    ALK_IDENTITY_BY_TOKEN, /* token and audience are set */
};

/* What is presented. Borrowed from the caller while it asks, from the question while a provider
 * holds it. Texts may be NULL where nothing is known. */
struct alk_identity_request {
    enum alk_identity_kind kind;
    const uint8_t *blob; /* public key or certificate, as in SSH */
    size_t blob_len;
    bool proven;       /* a signature of the key has been verified; else it is only asked about */
    bool touched;      /* what a security key's signature says: somebody was present */
    bool verified;     /* and has proven who they are */
    const char *login; /* the user name of the SSH login */
    const char *token; /* AuthToken or API key, as text; a secret */
    const uint8_t *audience; /* 32 bytes: which server it was presented to (alk/token.h); or NULL */
    const char *address;     /* numeric address of the caller; "" when not known */
    uint64_t now;            /* Unix seconds */
    struct alk_loop *loop;   /* where the answer is wanted; NULL: on whatever thread gives it */
};

/* What a provider says. */
struct alk_identity_answer {
    /* ALK_OK with an identity; ALK_E_NOTFOUND: unknown here, a chain asks the next provider;
     * ALK_E_AUTH: known and refused; anything else: it could not be found out. The latter two are
     * final, so that a provider which is out of order lets nobody past its revocations. */
    int status;
    struct alk_identity *identity; /* a reference that the answer owns; NULL without ALK_OK */
    const char *reason;            /* a word for the log ("unknown-key"), static storage; or NULL */
};

struct alk_identity_question;

/* What a provider is asked; borrowed until it answers. */
const struct alk_identity_request *
alk_identity_question_request(const struct alk_identity_question *question);

/* The provider's own notes on a question; NULL at first. */
void alk_identity_question_set_work(struct alk_identity_question *question, void *work);
void *alk_identity_question_work(const struct alk_identity_question *question);

/* Answers, once for each question, also for one that was cancelled; any thread, also from within
 * resolve. Takes the reference to the identity. The question is not to be used any more. */
void alk_identity_question_answer(struct alk_identity_question *question,
                                  const struct alk_identity_answer *answer);

/* ---- providers ---- */

/* The functions may be called on any thread, and on several at once. */
struct alk_identity_provider_ops {
    /* Called once per question. Answer now or later. */
    void (*resolve)(void *user, struct alk_identity_question *question);
    /* The question was cancelled: nobody waits for the answer, which must still be given. On the
     * thread that cancels, never together with resolve. A provider that answers from another
     * thread must be ready to have answered already: then this does not come. May be NULL. */
    void (*cancelled)(void *user, struct alk_identity_question *question);
};

struct alk_identity_provider {
    const struct alk_identity_provider_ops *ops;
    void *user;
};

/* The answer; its identity is borrowed: alk_identity_ref keeps it. */
typedef void (*alk_identity_answer_fn)(void *user, const struct alk_identity_answer *answer);

/* Asks. fn is called exactly once, unless the question is cancelled: from within this call when
 * the provider answers at once (then *pending is NULL before fn is called), else later on
 * request->loop, and *pending is good until then. The request is copied. */
void alk_identity_ask(struct alk_identity_question **pending,
                      const struct alk_identity_provider *provider,
                      const struct alk_identity_request *request, alk_identity_answer_fn fn,
                      void *user);

/* fn will not be called any more. On the loop's thread; NULL is fine. */
void alk_identity_cancel(struct alk_identity_question *pending);

/* ---- chains ---- */

struct alk_identity_chain;

/* Asks the providers in their order until one knows the caller. They are borrowed, the array is
 * copied. ALK_E_LIMIT beyond ALK_IDENTITY_CHAIN_MAX, ALK_E_INVAL for none. Free it when no question
 * is pending. */
int alk_identity_chain_new(struct alk_identity_chain **out,
                           const struct alk_identity_provider *const *providers, size_t count);
void alk_identity_chain_free(struct alk_identity_chain *chain);
const struct alk_identity_provider *
alk_identity_chain_provider(const struct alk_identity_chain *chain);

#endif
