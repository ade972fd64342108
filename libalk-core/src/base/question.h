/*
 * A question that is put to a provider and answered now or later, from any thread; the asker
 * hears the answer once, on its own loop, unless it cancels first. Identities and credentials
 * are resolved through it; what they are is the business of a question's type.
 *
 * A question has two owners, who drop their references independently: the asker until it has
 * heard the answer or has cancelled, the provider until it has answered.
 */
#ifndef ALK_BASE_QUESTION_H
#define ALK_BASE_QUESTION_H

#include <alk/loop.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct alk_question;
struct alk_task;

struct alk_answer {
    int status;
    const char *reason; /* static storage, or NULL */
    void *object;       /* a reference; NULL when there is none */
};

struct alk_question_type {
    void (*retain)(void *object);
    void (*release)(void *object); /* NULL is fine */
    /* the provider's functions */
    void (*resolve)(const void *provider, struct alk_question *question);
    void (*cancelled)(const void *provider, struct alk_question *question);
    /* A fresh question with the same request, or NULL; and its end. */
    struct alk_question *(*again)(const struct alk_question *question);
    void (*destroy)(struct alk_question *question);
};

/* The answer's object is borrowed. */
typedef void (*alk_answer_fn)(void *user, const struct alk_answer *answer);

enum alk_question_state {
    ALK_QUESTION_ASKING,   /* within resolve */
    ALK_QUESTION_PENDING,  /* the provider answers later */
    ALK_QUESTION_ANSWERED, /* the asker has not heard of it yet */
    ALK_QUESTION_OVER,     /* heard or cancelled */
};

/* Embed it as the first member of a question of some type. */
struct alk_question {
    const struct alk_question_type *type;
    pthread_mutex_t lock; /* guards state and answer */
    atomic_uint references;
    enum alk_question_state state;
    struct alk_answer answer;
    const void *provider;
    struct alk_loop *loop;
    struct alk_task *task; /* brings the answer to the loop; made before it is needed */
    alk_answer_fn fn;
    void *user;
    void *work; /* the provider's */
};

/* Prepares a fresh question, whose type and loop are set. */
int alk_question_init(struct alk_question *question, const struct alk_question_type *type,
                      struct alk_loop *loop);

/* For destroy, of one that was prepared. */
void alk_question_finish(struct alk_question *question);

/* Asks, and takes over the question; NULL stands for one that found no memory. *pending is set
 * when the answer is to come later. When it comes at once, fn is called from here, after *pending
 * was set to NULL. */
void alk_question_ask(struct alk_question **pending, struct alk_question *question,
                      const void *provider, alk_answer_fn fn, void *user);
void alk_question_answer(struct alk_question *question, const struct alk_answer *answer);
void alk_question_cancel(struct alk_question *question); /* NULL is fine */

/* ---- several providers, one after the other ---- */

struct alk_question_chain {
    size_t count;
    const void *providers[];
};

/* ALK_E_INVAL without providers, ALK_E_LIMIT beyond max. free() it. */
int alk_question_chain_new(struct alk_question_chain **out, const void *const *providers,
                           size_t count, size_t max);

/* The functions of the provider that the chain is. */
void alk_question_chain_resolve(const struct alk_question_chain *chain,
                                struct alk_question *question);
void alk_question_chain_cancelled(struct alk_question *question);

#endif
