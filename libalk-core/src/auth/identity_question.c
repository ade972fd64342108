/* Asking who somebody is: the typed face of base/question.h. */
#include "base/question.h"

#include <alk/identity.h>

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { PRESENTED_MAX = 64 * 1024 }; /* bytes of a key, a token or a name */

struct alk_identity_question {
    struct alk_question base; /* first */
    struct alk_identity_request request;
    alk_identity_answer_fn fn;
    void *user;
    size_t size; /* of what follows: copies of all that the request points to */
    uint8_t bytes[];
};

static struct alk_identity_question *of(struct alk_question *question)
{
    return (struct alk_identity_question *)question;
}

/* ---- the type ---- */

static void retain(void *object)
{
    alk_identity_ref(object);
}

static void release(void *object)
{
    alk_identity_unref(object);
}

static void resolve(const void *provider, struct alk_question *question)
{
    const struct alk_identity_provider *p = provider;

    p->ops->resolve(p->user, of(question));
}

static void cancelled(const void *provider, struct alk_question *question)
{
    const struct alk_identity_provider *p = provider;

    if (p->ops->cancelled != NULL)
        p->ops->cancelled(p->user, of(question));
}

static void destroy(struct alk_question *question)
{
    alk_question_finish(question);
    sodium_memzero(of(question)->bytes, of(question)->size); /* a token may be in it */
    free(question);
}

static struct alk_question *fresh(const struct alk_identity_request *request);

static struct alk_question *again(const struct alk_question *question)
{
    return fresh(&((const struct alk_identity_question *)question)->request);
}

static const struct alk_question_type type = {
    .retain = retain,
    .release = release,
    .resolve = resolve,
    .cancelled = cancelled,
    .again = again,
    .destroy = destroy,
};

/* ---- copies of requests ---- */

static size_t size_of_text(const char *text)
{
    return text != NULL ? strlen(text) + 1 : 0;
}

static void *keep(uint8_t **at, const void *bytes, size_t size)
{
    if (bytes == NULL)
        return NULL;
    void *copy = memcpy(*at, bytes, size);
    *at += size;
    return copy;
}

enum { AUDIENCE_SIZE = 32 };

static bool within_bounds(const struct alk_identity_request *r)
{
    return r->blob_len <= PRESENTED_MAX && size_of_text(r->login) <= PRESENTED_MAX &&
           size_of_text(r->token) <= PRESENTED_MAX && size_of_text(r->address) <= PRESENTED_MAX;
}

static struct alk_question *fresh(const struct alk_identity_request *r)
{
    size_t audience_size = r->audience != NULL ? AUDIENCE_SIZE : 0;
    size_t size = r->blob_len + audience_size + size_of_text(r->login) + size_of_text(r->token) +
                  size_of_text(r->address);
    struct alk_identity_question *q = calloc(1, sizeof(*q) + size);

    if (q == NULL || alk_question_init(&q->base, &type, r->loop) != ALK_OK) {
        free(q);
        return NULL;
    }
    uint8_t *at = q->bytes;
    q->size = size;
    q->request = *r;
    q->request.blob = keep(&at, r->blob, r->blob_len);
    q->request.audience = keep(&at, r->audience, audience_size);
    q->request.login = keep(&at, r->login, size_of_text(r->login));
    q->request.token = keep(&at, r->token, size_of_text(r->token));
    q->request.address = keep(&at, r->address, size_of_text(r->address));
    return &q->base;
}

/* ---- what callers use ---- */

const struct alk_identity_request *
alk_identity_question_request(const struct alk_identity_question *question)
{
    return &question->request;
}

void alk_identity_question_set_work(struct alk_identity_question *question, void *work)
{
    question->base.work = work;
}

void *alk_identity_question_work(const struct alk_identity_question *question)
{
    return question->base.work;
}

void alk_identity_question_answer(struct alk_identity_question *question,
                                  const struct alk_identity_answer *answer)
{
    struct alk_answer plain = {
        .status = answer->status,
        .reason = answer->reason,
        .object = answer->identity,
    };

    /* a provider that says yes without an identity, or no with one, has not said yes */
    if ((answer->status == ALK_OK) != (answer->identity != NULL)) {
        alk_identity_unref(answer->identity);
        plain = (struct alk_answer){.status = ALK_E_INVAL, .reason = "provider-fault"};
    }
    alk_question_answer(&question->base, &plain);
}

static void tell(void *user, const struct alk_answer *answer)
{
    struct alk_identity_question *question = user;
    struct alk_identity_answer typed = {
        .status = answer->status,
        .identity = answer->object,
        .reason = answer->reason,
    };

    question->fn(question->user, &typed);
}

void alk_identity_ask(struct alk_identity_question **pending,
                      const struct alk_identity_provider *provider,
                      const struct alk_identity_request *request, alk_identity_answer_fn fn,
                      void *user)
{
    static const struct alk_identity_answer too_long = {.status = ALK_E_LIMIT,
                                                        .reason = "too-long"};
    static const struct alk_identity_answer no_memory = {.status = ALK_E_NOMEM,
                                                         .reason = "out-of-memory"};
    struct alk_question *question = within_bounds(request) ? fresh(request) : NULL;
    struct alk_question *later;

    *pending = NULL;
    if (question == NULL) {
        fn(user, within_bounds(request) ? &no_memory : &too_long);
        return;
    }
    of(question)->fn = fn;
    of(question)->user = user;
    alk_question_ask(&later, question, provider, tell, question);
    if (later != NULL)
        *pending = of(later);
}

void alk_identity_cancel(struct alk_identity_question *pending)
{
    alk_question_cancel(pending != NULL ? &pending->base : NULL);
}

/* ---- chains ---- */

struct alk_identity_chain {
    struct alk_identity_provider provider;
    struct alk_question_chain *links;
};

static void chain_resolve(void *user, struct alk_identity_question *question)
{
    const struct alk_identity_chain *chain = user;

    alk_question_chain_resolve(chain->links, &question->base);
}

static void chain_cancelled(void *user, struct alk_identity_question *question)
{
    (void)user;
    alk_question_chain_cancelled(&question->base);
}

int alk_identity_chain_new(struct alk_identity_chain **out,
                           const struct alk_identity_provider *const *providers, size_t count)
{
    static const struct alk_identity_provider_ops ops = {
        .resolve = chain_resolve,
        .cancelled = chain_cancelled,
    };
    const void *links[ALK_IDENTITY_CHAIN_MAX];
    struct alk_identity_chain *chain = calloc(1, sizeof(*chain));

    *out = NULL;
    if (chain == NULL)
        return ALK_E_NOMEM;
    for (size_t i = 0; i < count && i < ALK_IDENTITY_CHAIN_MAX; i++)
        links[i] = providers[i];
    int status = alk_question_chain_new(&chain->links, links, count, ALK_IDENTITY_CHAIN_MAX);
    if (status != ALK_OK) {
        free(chain);
        return status;
    }
    chain->provider = (struct alk_identity_provider){.ops = &ops, .user = chain};
    *out = chain;
    return ALK_OK;
}

void alk_identity_chain_free(struct alk_identity_chain *chain)
{
    if (chain == NULL)
        return;
    free(chain->links);
    free(chain);
}

const struct alk_identity_provider *
alk_identity_chain_provider(const struct alk_identity_chain *chain)
{
    return &chain->provider;
}
