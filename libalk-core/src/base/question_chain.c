/* Several providers as one: each is asked when those before it do not know. */
#include "base/question.h"

#include <alk/status.h>

#include <stdlib.h>
#include <string.h>

/* A question on its way through a chain. */
struct passage {
    const struct alk_question_chain *chain;
    struct alk_question *outer; /* ours to answer */
    struct alk_question *inner; /* pending at providers[index] */
    size_t index;
};

int alk_question_chain_new(struct alk_question_chain **out, const void *const *providers,
                           size_t count, size_t max)
{
    struct alk_question_chain *chain;

    *out = NULL;
    if (count == 0)
        return ALK_E_INVAL;
    if (count > max)
        return ALK_E_LIMIT;
    chain = malloc(sizeof(*chain) + count * sizeof(chain->providers[0]));
    if (chain == NULL)
        return ALK_E_NOMEM;
    chain->count = count;
    memcpy(chain->providers, providers, count * sizeof(chain->providers[0]));
    *out = chain;
    return ALK_OK;
}

static void on_inner(void *user, const struct alk_answer *answer);

/* The passage may be gone afterwards. */
static void ask_present(struct passage *passage)
{
    const struct alk_question *outer = passage->outer;

    alk_question_ask(&passage->inner, outer->type->again(outer),
                     passage->chain->providers[passage->index], on_inner, passage);
}

static void on_inner(void *user, const struct alk_answer *answer)
{
    struct passage *passage = user;
    struct alk_question *outer = passage->outer;

    if (answer->status == ALK_E_NOTFOUND && passage->index + 1 < passage->chain->count) {
        passage->index++;
        ask_present(passage);
        return;
    }
    free(passage);
    outer->work = NULL;
    if (answer->object != NULL)
        outer->type->retain(answer->object);
    alk_question_answer(outer, answer);
}

void alk_question_chain_resolve(const struct alk_question_chain *chain,
                                struct alk_question *question)
{
    static const struct alk_answer no_memory = {.status = ALK_E_NOMEM, .reason = "out-of-memory"};
    struct passage *passage = calloc(1, sizeof(*passage));

    if (passage == NULL) {
        alk_question_answer(question, &no_memory);
        return;
    }
    passage->chain = chain;
    passage->outer = question;
    question->work = passage;
    ask_present(passage);
}

void alk_question_chain_cancelled(struct alk_question *question)
{
    static const struct alk_answer given_up = {.status = ALK_E_CLOSED};
    struct passage *passage = question->work;

    alk_question_cancel(passage->inner);
    free(passage);
    alk_question_answer(question, &given_up);
}
