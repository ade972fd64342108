#include "base/guest.h"
#include "base/task.h"

#include <alk/loop.h>
#include <alk/status.h>

#include <event2/event.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum {
    LINGER_US = 100,       /* look on for so long before falling asleep */
    CONTESTED_US = 150,    /* giving way for longer than this: the processor is wanted by others */
    CONTESTED_FOR = 20000, /* and then it is left to them for so many microseconds */
};

struct alk_task {
    struct alk_task *next;
    alk_task_fn fn;
    void *user;
};

struct alk_loop {
    struct event_base *base;
    struct event *wake;
    int wake_fd;
    uint64_t asleep_since; /* microseconds; 0 once a stream was ready again */
    bool traffic;          /* a stream was ready since this was cleared */
    bool brisk;            /* the last sleep was a very short one */
    uint64_t contested;    /* until when not to look on; microseconds */
    LIST_HEAD(, alk_loop_guest) guests;
    pthread_mutex_t lock; /* guards what follows */
    struct alk_task *first, **last;
    bool stop;
};

struct alk_timer {
    struct event *event;
    alk_task_fn fn;
    void *user;
};

static struct alk_task *take_tasks(struct alk_loop *loop, bool *stop)
{
    pthread_mutex_lock(&loop->lock);
    struct alk_task *tasks = loop->first;
    loop->first = NULL;
    loop->last = &loop->first;
    *stop = loop->stop;
    pthread_mutex_unlock(&loop->lock);
    return tasks;
}

static bool run_tasks(struct alk_loop *loop, bool *stop)
{
    struct alk_task *task = take_tasks(loop, stop);
    bool any = task != NULL;

    while (task != NULL) {
        struct alk_task *next = task->next;
        task->fn(task->user);
        free(task);
        task = next;
    }
    return any;
}

static void on_wake(evutil_socket_t fd, short what, void *user)
{
    struct alk_loop *loop = user;
    uint64_t count;
    bool stop;

    (void)what;
    ssize_t ignored = read(fd, &count, sizeof(count));
    (void)ignored;
    run_tasks(loop, &stop);
    if (stop)
        event_base_loopbreak(loop->base);
}

static struct event_base *new_base(void)
{
    struct event_config *config = event_config_new();
    if (config == NULL)
        return NULL;
    /* A loop is entered by one thread and woken through its own eventfd. */
    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
    event_config_set_flag(config, EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST);
    struct event_base *base = event_base_new_with_config(config);
    event_config_free(config);
    return base;
}

int alk_loop_new(struct alk_loop **out)
{
    struct alk_loop *loop = calloc(1, sizeof(*loop));

    if (loop == NULL)
        return ALK_E_NOMEM;
    loop->last = &loop->first;
    LIST_INIT(&loop->guests);
    pthread_mutex_init(&loop->lock, NULL);
    loop->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    loop->base = new_base();
    if (loop->base != NULL && loop->wake_fd >= 0)
        loop->wake = event_new(loop->base, loop->wake_fd, EV_READ | EV_PERSIST, on_wake, loop);
    if (loop->wake == NULL || event_add(loop->wake, NULL) != 0) {
        alk_loop_free(loop);
        return ALK_E_IO;
    }
    *out = loop;
    return ALK_OK;
}

void alk_loop_free(struct alk_loop *loop)
{
    bool stop;

    if (loop == NULL)
        return;
    while (run_tasks(loop, &stop))
        ;
    while (!LIST_EMPTY(&loop->guests))
        LIST_FIRST(&loop->guests)->end(LIST_FIRST(&loop->guests));
    if (loop->wake != NULL)
        event_free(loop->wake);
    if (loop->base != NULL)
        event_base_free(loop->base);
    if (loop->wake_fd >= 0)
        close(loop->wake_fd);
    pthread_mutex_destroy(&loop->lock);
    free(loop);
}

static uint64_t now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

void alk_loop_note_traffic(struct alk_loop *loop)
{
    loop->traffic = true;
    if (loop->asleep_since == 0)
        return;
    loop->brisk = now_us() - loop->asleep_since <= LINGER_US;
    loop->asleep_since = 0;
}

/* One round of the loop; false when it has to end, then with *status set. */
static bool turn(struct alk_loop *loop, int flags, int *status)
{
    *status = event_base_loop(loop->base, flags | EVLOOP_NO_EXIT_ON_EMPTY) < 0 ? ALK_E_IO : ALK_OK;
    return *status == ALK_OK && !event_base_got_break(loop->base);
}

/* Lets others run; false when there was somebody who took his time. */
static bool give_way(struct alk_loop *loop, uint64_t now)
{
    sched_yield();
    uint64_t back = now_us();
    if (back - now > CONTESTED_US)
        loop->contested = back + CONTESTED_FOR;
    return back - now <= CONTESTED_US;
}

/* To fall asleep and be woken takes longer than many a message takes to be answered. So
 * after a sleep that was hardly worth it, the loop looks on for a moment while nobody else
 * wants the processor; when nothing came, it sleeps as usual. */
static bool linger(struct alk_loop *loop, int *status)
{
    uint64_t now = now_us(), until = now + LINGER_US;

    while (now < until && now >= loop->contested && give_way(loop, now)) {
        loop->traffic = false;
        if (!turn(loop, EVLOOP_NONBLOCK, status))
            return false;
        now = now_us();
        if (loop->traffic)
            until = now + LINGER_US;
    }
    loop->brisk = false;
    return true;
}

int alk_loop_run(struct alk_loop *loop)
{
    int status = ALK_OK;

    pthread_mutex_lock(&loop->lock);
    bool stop = loop->stop;
    pthread_mutex_unlock(&loop->lock);
    if (stop)
        return ALK_OK;
    do {
        loop->asleep_since = now_us();
    } while (turn(loop, EVLOOP_ONCE, &status) && (!loop->brisk || linger(loop, &status)));
    return status;
}

static void wake(struct alk_loop *loop)
{
    uint64_t one = 1;
    ssize_t ignored = write(loop->wake_fd, &one, sizeof(one));
    (void)ignored; /* a full eventfd is awake already */
}

void alk_loop_stop(struct alk_loop *loop)
{
    pthread_mutex_lock(&loop->lock);
    loop->stop = true;
    pthread_mutex_unlock(&loop->lock);
    wake(loop);
}

int alk_task_new(struct alk_task **out, alk_task_fn fn, void *user)
{
    struct alk_task *task = malloc(sizeof(*task));

    if (task == NULL)
        return ALK_E_NOMEM;
    *task = (struct alk_task){.next = NULL, .fn = fn, .user = user};
    *out = task;
    return ALK_OK;
}

void alk_task_free(struct alk_task *task)
{
    free(task);
}

void alk_task_post(struct alk_task *task, struct alk_loop *loop)
{
    pthread_mutex_lock(&loop->lock);
    bool was_empty = loop->first == NULL;
    *loop->last = task;
    loop->last = &task->next;
    pthread_mutex_unlock(&loop->lock);
    if (was_empty)
        wake(loop);
}

int alk_loop_post(struct alk_loop *loop, alk_task_fn fn, void *user)
{
    struct alk_task *task;
    int status = alk_task_new(&task, fn, user);

    if (status == ALK_OK)
        alk_task_post(task, loop);
    return status;
}

void alk_loop_take_in(struct alk_loop *loop, struct alk_loop_guest *guest)
{
    LIST_INSERT_HEAD(&loop->guests, guest, entry);
}

void alk_loop_see_off(struct alk_loop_guest *guest)
{
    LIST_REMOVE(guest, entry);
}

uint64_t alk_loop_now(const struct alk_loop *loop)
{
    struct timespec now;

    (void)loop;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

struct event_base *alk_loop_base(struct alk_loop *loop)
{
    return loop->base;
}

static void on_timer(evutil_socket_t fd, short what, void *user)
{
    struct alk_timer *timer = user;

    (void)fd;
    (void)what;
    timer->fn(timer->user);
}

int alk_timer_new(struct alk_timer **out, struct alk_loop *loop, alk_task_fn fn, void *user)
{
    struct alk_timer *timer = malloc(sizeof(*timer));

    if (timer == NULL)
        return ALK_E_NOMEM;
    timer->fn = fn;
    timer->user = user;
    timer->event = event_new(loop->base, -1, 0, on_timer, timer);
    if (timer->event == NULL) {
        free(timer);
        return ALK_E_NOMEM;
    }
    *out = timer;
    return ALK_OK;
}

void alk_timer_free(struct alk_timer *timer)
{
    if (timer == NULL)
        return;
    event_free(timer->event);
    free(timer);
}

int alk_timer_set(struct alk_timer *timer, uint64_t after_ms)
{
    struct timeval after = {(time_t)(after_ms / 1000), (suseconds_t)(after_ms % 1000 * 1000)};

    return event_add(timer->event, &after) == 0 ? ALK_OK : ALK_E_NOMEM;
}

void alk_timer_clear(struct alk_timer *timer)
{
    event_del(timer->event);
}

struct alk_deferred {
    struct event *event;
    alk_task_fn fn;
    void *user;
};

static void on_deferred(evutil_socket_t fd, short what, void *user)
{
    struct alk_deferred *deferred = user;

    (void)fd;
    (void)what;
    deferred->fn(deferred->user);
}

int alk_deferred_new(struct alk_deferred **out, struct alk_loop *loop, alk_task_fn fn, void *user)
{
    struct alk_deferred *deferred = malloc(sizeof(*deferred));

    if (deferred == NULL)
        return ALK_E_NOMEM;
    deferred->fn = fn;
    deferred->user = user;
    deferred->event = event_new(loop->base, -1, 0, on_deferred, deferred);
    if (deferred->event == NULL) {
        free(deferred);
        return ALK_E_NOMEM;
    }
    *out = deferred;
    return ALK_OK;
}

void alk_deferred_free(struct alk_deferred *deferred)
{
    if (deferred == NULL)
        return;
    event_free(deferred->event);
    free(deferred);
}

void alk_deferred_schedule(struct alk_deferred *deferred)
{
    event_active(deferred->event, EV_TIMEOUT, 0); /* harmless when it is active already */
}
