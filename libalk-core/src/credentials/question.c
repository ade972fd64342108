/* Asking for credentials: the typed face of base/question.h. */
#include "base/question.h"

#include <alk/credential.h>

#include <stdlib.h>
#include <string.h>

struct alk_credential_question {
    struct alk_question base; /* first */
    struct alk_credential_request request;
    alk_credential_answer_fn fn;
    void *user;
    char service[ALK_CREDENTIAL_NAME_MAX + 1];
};

static struct alk_credential_question *of(struct alk_question *question)
{
    return (struct alk_credential_question *)question;
}

/* ---- the type ---- */

static void retain(void *object)
{
    alk_credential_set_ref(object);
}

static void release(void *object)
{
    alk_credential_set_unref(object);
}

static void resolve(const void *provider, struct alk_question *question)
{
    const struct alk_credential_provider *p = provider;

    p->ops->resolve(p->user, of(question));
}

static void cancelled(const void *provider, struct alk_question *question)
{
    const struct alk_credential_provider *p = provider;

    if (p->ops->cancelled != NULL)
        p->ops->cancelled(p->user, of(question));
}

static void destroy(struct alk_question *question)
{
    alk_question_finish(question);
    free(question);
}

static struct alk_question *fresh(const struct alk_credential_request *request);

static struct alk_question *again(const struct alk_question *question)
{
    return fresh(&((const struct alk_credential_question *)question)->request);
}

static const struct alk_question_type type = {
    .retain = retain,
    .release = release,
    .resolve = resolve,
    .cancelled = cancelled,
    .again = again,
    .destroy = destroy,
};

static bool within_bounds(const struct alk_credential_request *request)
{
    return strnlen(request->service, ALK_CREDENTIAL_NAME_MAX + 1) <= ALK_CREDENTIAL_NAME_MAX;
}

static struct alk_question *fresh(const struct alk_credential_request *request)
{
    struct alk_credential_question *question = calloc(1, sizeof(*question));

    if (question == NULL || alk_question_init(&question->base, &type, request->loop) != ALK_OK) {
        free(question);
        return NULL;
    }
    question->request = *request;
    strcpy(question->service, request->service);
    question->request.service = question->service;
    return &question->base;
}

/* ---- what callers use ---- */

const struct alk_credential_request *
alk_credential_question_request(const struct alk_credential_question *question)
{
    return &question->request;
}

void alk_credential_question_set_work(struct alk_credential_question *question, void *work)
{
    question->base.work = work;
}

void *alk_credential_question_work(const struct alk_credential_question *question)
{
    return question->base.work;
}

void alk_credential_question_answer(struct alk_credential_question *question,
                                    const struct alk_credential_answer *answer)
{
    struct alk_answer plain = {.status = answer->status, .object = answer->set};

    /* yes without a set, or no with one, is no yes; nor is a set that has expired */
    if ((answer->status == ALK_OK) != (answer->set != NULL)) {
        alk_credential_set_unref(answer->set);
        plain = (struct alk_answer){.status = ALK_E_INVAL};
    } else if (answer->set != NULL && alk_credential_set_expires(answer->set) != 0 &&
               question->request.now >= alk_credential_set_expires(answer->set)) {
        alk_credential_set_unref(answer->set);
        plain = (struct alk_answer){.status = ALK_E_LIMIT};
    }
    alk_question_answer(&question->base, &plain);
}

static void tell(void *user, const struct alk_answer *answer)
{
    struct alk_credential_question *question = user;
    struct alk_credential_answer typed = {.status = answer->status, .set = answer->object};

    question->fn(question->user, &typed);
}

void alk_credential_ask(struct alk_credential_question **pending,
                        const struct alk_credential_provider *provider,
                        const struct alk_credential_request *request, alk_credential_answer_fn fn,
                        void *user)
{
    static const struct alk_credential_answer unknown = {.status = ALK_E_NOTFOUND};
    static const struct alk_credential_answer no_memory = {.status = ALK_E_NOMEM};
    struct alk_question *question = within_bounds(request) ? fresh(request) : NULL;
    struct alk_question *later;

    *pending = NULL;
    if (question == NULL) {
        fn(user, within_bounds(request) ? &no_memory : &unknown);
        return;
    }
    of(question)->fn = fn;
    of(question)->user = user;
    alk_question_ask(&later, question, provider, tell, question);
    if (later != NULL)
        *pending = of(later);
}

void alk_credential_cancel(struct alk_credential_question *pending)
{
    alk_question_cancel(pending != NULL ? &pending->base : NULL);
}

/* ---- chains ---- */

struct alk_credential_chain {
    struct alk_credential_provider provider;
    struct alk_question_chain *links;
};

static void chain_resolve(void *user, struct alk_credential_question *question)
{
    const struct alk_credential_chain *chain = user;

    alk_question_chain_resolve(chain->links, &question->base);
}

static void chain_cancelled(void *user, struct alk_credential_question *question)
{
    (void)user;
    alk_question_chain_cancelled(&question->base);
}

int alk_credential_chain_new(struct alk_credential_chain **out,
                             const struct alk_credential_provider *const *providers, size_t count)
{
    static const struct alk_credential_provider_ops ops = {
        .resolve = chain_resolve,
        .cancelled = chain_cancelled,
    };
    const void *links[ALK_CREDENTIAL_CHAIN_MAX];
    struct alk_credential_chain *chain = calloc(1, sizeof(*chain));

    *out = NULL;
    if (chain == NULL)
        return ALK_E_NOMEM;
    for (size_t i = 0; i < count && i < ALK_CREDENTIAL_CHAIN_MAX; i++)
        links[i] = providers[i];
    int status = alk_question_chain_new(&chain->links, links, count, ALK_CREDENTIAL_CHAIN_MAX);
    if (status != ALK_OK) {
        free(chain);
        return status;
    }
    chain->provider = (struct alk_credential_provider){.ops = &ops, .user = chain};
    *out = chain;
    return ALK_OK;
}

void alk_credential_chain_free(struct alk_credential_chain *chain)
{
    if (chain == NULL)
        return;
    free(chain->links);
    free(chain);
}

const struct alk_credential_provider *
alk_credential_chain_provider(const struct alk_credential_chain *chain)
{
    return &chain->provider;
}
