#include "base/question.h"

#include "base/task.h"

#include <alk/status.h>

#include <stdlib.h>

void alk_question_finish(struct alk_question *question)
{
    alk_task_free(question->task);
    pthread_mutex_destroy(&question->lock);
}

static void unref(struct alk_question *question)
{
    if (atomic_fetch_sub(&question->references, 1) == 1)
        question->type->destroy(question);
}

/* Moves on to `to` if the question stands at `from`. */
static bool move(struct alk_question *question, enum alk_question_state from,
                 enum alk_question_state to)
{
    pthread_mutex_lock(&question->lock);
    bool moved = question->state == from;
    if (moved)
        question->state = to;
    pthread_mutex_unlock(&question->lock);
    return moved;
}

/* The answer is there; on the asker's loop. Drops the asker's reference if it still waits. */
static void hear(struct alk_question *question)
{
    bool waits = move(question, ALK_QUESTION_ANSWERED, ALK_QUESTION_OVER);

    if (waits)
        question->fn(question->user, &question->answer);
    question->type->release(question->answer.object);
    if (waits)
        unref(question);
}

/* The task that an answer from elsewhere posts: it carries the provider's reference. */
static void arrive(void *user)
{
    struct alk_question *question = user;

    hear(question);
    unref(question);
}

int alk_question_init(struct alk_question *question, const struct alk_question_type *type,
                      struct alk_loop *loop)
{
    question->type = type;
    question->loop = loop;
    question->state = ALK_QUESTION_ASKING;
    if (loop != NULL && alk_task_new(&question->task, arrive, question) != ALK_OK)
        return ALK_E_NOMEM;
    if (pthread_mutex_init(&question->lock, NULL) != 0) {
        alk_task_free(question->task);
        return ALK_E_NOMEM;
    }
    atomic_init(&question->references, 2); /* the asker's and the provider's */
    return ALK_OK;
}

void alk_question_ask(struct alk_question **pending, struct alk_question *question,
                      const void *provider, alk_answer_fn fn, void *user)
{
    static const struct alk_answer no_memory = {.status = ALK_E_NOMEM, .reason = "out-of-memory"};

    *pending = NULL;
    if (question == NULL) {
        fn(user, &no_memory);
        return;
    }
    question->provider = provider;
    question->fn = fn;
    question->user = user;
    question->type->resolve(provider, question);
    pthread_mutex_lock(&question->lock);
    bool later = question->state == ALK_QUESTION_ASKING;
    if (later) {
        question->state = ALK_QUESTION_PENDING;
        *pending = question;
    }
    pthread_mutex_unlock(&question->lock);
    if (!later)
        hear(question);
}

void alk_question_answer(struct alk_question *question, const struct alk_answer *answer)
{
    pthread_mutex_lock(&question->lock);
    enum alk_question_state before = question->state;
    if (before != ALK_QUESTION_OVER) {
        question->answer = *answer;
        question->state = ALK_QUESTION_ANSWERED;
    }
    /* under the lock: once the asker has cancelled, its loop is not touched */
    if (before == ALK_QUESTION_PENDING && question->loop != NULL) {
        struct alk_task *task = question->task;
        question->task = NULL;
        alk_task_post(task, question->loop);
    }
    pthread_mutex_unlock(&question->lock);
    if (before == ALK_QUESTION_OVER)
        question->type->release(answer->object);
    else if (before == ALK_QUESTION_PENDING && question->loop == NULL)
        hear(question);
    else if (before == ALK_QUESTION_PENDING)
        return; /* the task has the reference */
    unref(question);
}

void alk_question_cancel(struct alk_question *question)
{
    if (question == NULL)
        return;
    if (move(question, ALK_QUESTION_PENDING, ALK_QUESTION_OVER))
        question->type->cancelled(question->provider, question);
    else
        move(question, ALK_QUESTION_ANSWERED, ALK_QUESTION_OVER);
    unref(question);
}
