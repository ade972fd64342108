#include "transport/resolver.h"
#include "transport/address.h"

#include <alk/loop.h>
#include <alk/status.h>

#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

enum {
    DEFAULT_THREADS = 4,
    MAX_THREADS = 64,
    DEFAULT_QUEUE = 256,
};

/* A look-up belongs to whom its state says; every move is made under the resolver's
 * lock. */
enum state {
    WAITING,  /* in the queue, the requester's */
    RUNNING,  /* a thread's, which frees it if it finds it cancelled */
    ANSWERED, /* the loop's: its mailbox holds deliver() */
    LOST,     /* answered, but the mailbox had no memory: the requester's */
};

struct alk_lookup {
    TAILQ_ENTRY(alk_lookup) link;
    struct alk_resolver *resolver;
    struct alk_loop *loop;
    const void *owner;
    alk_lookup_fn fn; /* NULL once cancelled */
    void *user;
    enum state state;
    uint16_t port;
    int status;
    size_t count;
    const char *cause;
    struct alk_address *addresses; /* `count` of them */
    char host[];
};

struct worker {
    pthread_t thread;
    bool busy;         /* in the system's resolver */
    const void *owner; /* of what it works on */
};

struct alk_resolver {
    pthread_mutex_t lock;
    pthread_cond_t work;
    TAILQ_HEAD(, alk_lookup) queue;
    unsigned queued, queue_max;
    unsigned threads, threads_max, idle;
    unsigned users; /* the owner, each thread, each look-up: the last one frees */
    bool stopping;
    alk_resolve_fn resolve;
    struct worker workers[];
};

/* Called with the lock held, gives it back. */
static void unlock_and_release(struct alk_resolver *resolver, unsigned users)
{
    resolver->users -= users;
    bool last = resolver->users == 0;
    pthread_mutex_unlock(&resolver->lock);
    if (!last)
        return;
    pthread_cond_destroy(&resolver->work);
    pthread_mutex_destroy(&resolver->lock);
    free(resolver);
}

static void lookup_free(struct alk_lookup *lookup)
{
    free(lookup->addresses);
    free(lookup);
}

static int resolve_by_system(const char *host, struct alk_address *out, const char **cause)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    int count = 0;
    int r = getaddrinfo(host, NULL, &hints, &list);

    if (r != 0) {
        *cause = r == EAI_AGAIN ? "the name server does not answer" : "the name has no address";
        return r == EAI_MEMORY ? ALK_E_NOMEM : ALK_E_RESOLVE;
    }
    for (struct addrinfo *a = list; a != NULL && count < ALK_LOOKUP_ADDRESSES; a = a->ai_next) {
        if (a->ai_family != AF_INET && a->ai_family != AF_INET6)
            continue;
        memset(&out[count], 0, sizeof(out[count]));
        memcpy(&out[count].sa, a->ai_addr, a->ai_addrlen);
        out[count++].len = a->ai_addrlen;
    }
    freeaddrinfo(list);
    return count;
}

static void store_result(struct alk_lookup *lookup, const struct alk_address *found, int count,
                         const char *cause)
{
    lookup->status = count > 0 ? ALK_OK : count == 0 ? ALK_E_RESOLVE : count;
    lookup->cause = cause;
    if (count <= 0)
        return;
    lookup->addresses = calloc((size_t)count, sizeof(*found));
    if (lookup->addresses == NULL) {
        lookup->status = ALK_E_NOMEM;
        lookup->cause = alk_status_text(ALK_E_NOMEM);
        return;
    }
    memcpy(lookup->addresses, found, (size_t)count * sizeof(*found));
    lookup->count = (size_t)count;
    for (size_t i = 0; i < lookup->count; i++) {
        alk_address_set_port(&lookup->addresses[i], lookup->port);
        alk_address_unmap(&lookup->addresses[i]);
    }
}

/* On the loop's thread. */
static void deliver(void *user)
{
    struct alk_lookup *lookup = user;
    struct alk_resolver *resolver = lookup->resolver;

    pthread_mutex_lock(&resolver->lock);
    alk_lookup_fn fn = lookup->fn;
    unlock_and_release(resolver, 1);
    if (fn != NULL)
        fn(lookup->user, lookup->status, lookup->addresses, lookup->count, lookup->cause);
    lookup_free(lookup);
}

/* Under the lock, so that after a cancellation nobody touches the loop any more. */
static void answer(struct alk_lookup *lookup)
{
    if (lookup->fn == NULL) {
        lookup->resolver->users--; /* the calling thread holds another */
        lookup_free(lookup);
        return;
    }
    lookup->state = ANSWERED;
    if (alk_loop_post(lookup->loop, deliver, lookup) != ALK_OK)
        lookup->state = LOST;
}

static void work_on(struct alk_resolver *resolver, struct worker *self, struct alk_lookup *lookup)
{
    struct alk_address found[ALK_LOOKUP_ADDRESSES];
    const char *cause = "the name has no address";

    lookup->state = RUNNING;
    self->busy = true;
    self->owner = lookup->owner;
    pthread_mutex_unlock(&resolver->lock);
    int count = resolver->resolve(lookup->host, found, &cause);
    store_result(lookup, found, count, cause);
    pthread_mutex_lock(&resolver->lock);
    self->busy = false;
    answer(lookup);
}

/* ---- one owner's share ---- */

static unsigned half(unsigned count)
{
    return count > 1 ? count / 2 : 1;
}

/* Under the lock, like those below. */
static bool may_run(const struct alk_resolver *resolver, const void *owner)
{
    unsigned running = 0;

    for (unsigned i = 0; owner != NULL && i < resolver->threads; i++)
        running += resolver->workers[i].busy && resolver->workers[i].owner == owner;
    return running < half(resolver->threads_max);
}

static bool may_wait(const struct alk_resolver *resolver, const void *owner)
{
    const struct alk_lookup *lookup;
    unsigned waiting = 0;

    if (resolver->queued >= resolver->queue_max)
        return false;
    if (owner == NULL)
        return true;
    TAILQ_FOREACH(lookup, &resolver->queue, link)
    waiting += lookup->owner == owner;
    return waiting < half(resolver->queue_max);
}

/* The first whose owner has threads left; it is taken from the queue. */
static struct alk_lookup *take_next(struct alk_resolver *resolver)
{
    struct alk_lookup *lookup;

    TAILQ_FOREACH(lookup, &resolver->queue, link)
    {
        if (!may_run(resolver, lookup->owner))
            continue;
        TAILQ_REMOVE(&resolver->queue, lookup, link);
        resolver->queued--;
        return lookup;
    }
    return NULL;
}

struct start {
    struct alk_resolver *resolver;
    struct worker *self;
};

static void *run_worker(void *user)
{
    struct start start = *(struct start *)user;
    struct alk_resolver *resolver = start.resolver;

    free(user);
    pthread_mutex_lock(&resolver->lock);
    while (!resolver->stopping) {
        struct alk_lookup *lookup = take_next(resolver);
        if (lookup != NULL) {
            work_on(resolver, start.self, lookup);
            continue;
        }
        resolver->idle++;
        pthread_cond_wait(&resolver->work, &resolver->lock);
        resolver->idle--;
    }
    unlock_and_release(resolver, 1);
    return NULL;
}

/* Under the lock. False when there is no thread and none can be had. */
static bool start_worker(struct alk_resolver *resolver)
{
    struct worker *worker = &resolver->workers[resolver->threads];
    struct start *start = malloc(sizeof(*start));
    sigset_t all, before;

    if (start == NULL)
        return resolver->threads > 0;
    *start = (struct start){.resolver = resolver, .self = worker};
    sigfillset(&all); /* signals are for the program's own threads */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int r = pthread_create(&worker->thread, NULL, run_worker, start);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (r != 0) {
        free(start);
        return resolver->threads > 0;
    }
    resolver->threads++;
    resolver->users++;
    return true;
}

int alk_resolver_new(struct alk_resolver **out, const struct alk_resolver_options *options)
{
    static const struct alk_resolver_options defaults;
    const struct alk_resolver_options *o = options != NULL ? options : &defaults;
    unsigned threads = o->threads > 0 ? o->threads : DEFAULT_THREADS;

    if (threads > MAX_THREADS)
        threads = MAX_THREADS;
    struct alk_resolver *resolver =
        calloc(1, sizeof(*resolver) + threads * sizeof(resolver->workers[0]));
    if (resolver == NULL)
        return ALK_E_NOMEM;
    pthread_mutex_init(&resolver->lock, NULL);
    pthread_cond_init(&resolver->work, NULL);
    TAILQ_INIT(&resolver->queue);
    resolver->queue_max = o->queue > 0 ? o->queue : DEFAULT_QUEUE;
    resolver->threads_max = threads;
    resolver->users = 1;
    resolver->resolve = o->resolve != NULL ? o->resolve : resolve_by_system;
    *out = resolver;
    return ALK_OK;
}

void alk_resolver_free(struct alk_resolver *resolver)
{
    pthread_t idle[MAX_THREADS];
    unsigned count = 0;

    if (resolver == NULL)
        return;
    pthread_mutex_lock(&resolver->lock);
    resolver->stopping = true;
    pthread_cond_broadcast(&resolver->work);
    for (unsigned i = 0; i < resolver->threads; i++) {
        if (resolver->workers[i].busy)
            pthread_detach(resolver->workers[i].thread);
        else
            idle[count++] = resolver->workers[i].thread;
    }
    unlock_and_release(resolver, 1);
    while (count > 0)
        pthread_join(idle[--count], NULL);
}

/* Under the lock: gives the look-up to a thread, or to the loop when it is numeric. */
static int enqueue(struct alk_resolver *resolver, struct alk_lookup *lookup)
{
    struct alk_address address;

    if (alk_address_numeric(lookup->host, lookup->port, &address)) {
        store_result(lookup, &address, 1, NULL);
        lookup->state = ANSWERED;
        return alk_loop_post(lookup->loop, deliver, lookup);
    }
    if (resolver->stopping || !may_wait(resolver, lookup->owner))
        return ALK_E_LIMIT;
    if (resolver->idle <= resolver->queued && resolver->threads < resolver->threads_max &&
        !start_worker(resolver))
        return ALK_E_NOMEM;
    lookup->state = WAITING;
    TAILQ_INSERT_TAIL(&resolver->queue, lookup, link);
    resolver->queued++;
    pthread_cond_signal(&resolver->work);
    return ALK_OK;
}

int alk_lookup_start(struct alk_lookup **out, struct alk_resolver *resolver, struct alk_loop *loop,
                     const void *owner, const char *host, uint16_t port, alk_lookup_fn fn,
                     void *user)
{
    size_t len = strlen(host);

    if (!alk_host_valid(host, len))
        return ALK_E_INVAL;
    struct alk_lookup *lookup = calloc(1, sizeof(*lookup) + len + 1);
    if (lookup == NULL)
        return ALK_E_NOMEM;
    lookup->resolver = resolver;
    lookup->loop = loop;
    lookup->owner = owner;
    lookup->fn = fn;
    lookup->user = user;
    lookup->port = port;
    memcpy(lookup->host, host, len + 1);

    pthread_mutex_lock(&resolver->lock);
    int r = enqueue(resolver, lookup);
    if (r == ALK_OK)
        resolver->users++;
    pthread_mutex_unlock(&resolver->lock);
    if (r != ALK_OK) {
        lookup_free(lookup);
        return r;
    }
    *out = lookup;
    return ALK_OK;
}

void alk_lookup_cancel(struct alk_lookup *lookup)
{
    if (lookup == NULL)
        return;
    struct alk_resolver *resolver = lookup->resolver;

    pthread_mutex_lock(&resolver->lock);
    lookup->fn = NULL;
    if (lookup->state == RUNNING || lookup->state == ANSWERED) {
        pthread_mutex_unlock(&resolver->lock); /* its holder frees it */
        return;
    }
    if (lookup->state == WAITING) {
        TAILQ_REMOVE(&resolver->queue, lookup, link);
        resolver->queued--;
    }
    unlock_and_release(resolver, 1);
    lookup_free(lookup);
}
