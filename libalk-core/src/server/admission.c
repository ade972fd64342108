#include "server/admission.h"

#include "auth/pattern.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

/* Addresses hash into chains; the hash is keyed so that nobody can choose to collide. */
enum {
    CHAINS = 4096,
    MINUTE_US = 60000000,
    SWEEP = 2, /* forgotten ones freed with each new connection: more than come */
};

struct origin {
    struct origin *next;
    TAILQ_ENTRY(origin) idle; /* while live is 0 */
    uint8_t prefix[16];       /* IPv4 as mapped IPv6; IPv6: the /64, rest zero */
    unsigned live, unauthenticated;
    unsigned failures;
    uint64_t failed_at, shut_until;
    uint64_t rate_us; /* when the next connection is due, at the permitted rate */
};

struct alk_admission {
    pthread_mutex_t lock;
    struct alk_limits limits;
    char *exempt;
    unsigned unauthenticated, sessions;
    uint8_t hash_key[crypto_shorthash_KEYBYTES];
    struct origin *chains[CHAINS];
    TAILQ_HEAD(, origin) idle; /* the longest untouched first */
    unsigned idle_count;
};

int alk_admission_new(struct alk_admission **out)
{
    struct alk_admission *a = calloc(1, sizeof(*a));

    if (a == NULL)
        return ALK_E_NOMEM;
    pthread_mutex_init(&a->lock, NULL);
    TAILQ_INIT(&a->idle);
    randombytes_buf(a->hash_key, sizeof(a->hash_key));
    *out = a;
    return ALK_OK;
}

void alk_admission_free(struct alk_admission *admission)
{
    if (admission == NULL)
        return;
    for (int i = 0; i < CHAINS; i++) {
        while (admission->chains[i] != NULL) {
            struct origin *origin = admission->chains[i];
            admission->chains[i] = origin->next;
            free(origin);
        }
    }
    pthread_mutex_destroy(&admission->lock);
    free(admission->exempt);
    free(admission);
}

int alk_admission_limit(struct alk_admission *admission, const struct alk_limits *limits)
{
    char *exempt = limits->penalty_exempt != NULL ? strdup(limits->penalty_exempt) : NULL;

    if (exempt == NULL && limits->penalty_exempt != NULL)
        return ALK_E_NOMEM;
    pthread_mutex_lock(&admission->lock);
    char *old = admission->exempt;
    admission->limits = *limits;
    admission->exempt = exempt;
    pthread_mutex_unlock(&admission->lock);
    free(old);
    return ALK_OK;
}

/* ---- the table ---- */

static bool prefix_of(const char *address, uint8_t prefix[16])
{
    memset(prefix, 0, 16);
    if (inet_pton(AF_INET, address, prefix + 12) == 1) {
        prefix[10] = prefix[11] = 0xff;
        return true;
    }
    if (inet_pton(AF_INET6, address, prefix) != 1)
        return false;
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (memcmp(prefix, mapped, sizeof(mapped)) != 0)
        memset(prefix + 8, 0, 8); /* one customer usually has a whole /64 */
    return true;
}

static void prefix_text(const uint8_t prefix[16], char out[64])
{
    if (prefix[10] == 0xff && prefix[11] == 0xff) {
        inet_ntop(AF_INET, prefix + 12, out, 64);
        return;
    }
    inet_ntop(AF_INET6, prefix, out, 64);
    strcat(out, "/64"); /* NOLINT: INET6_ADDRSTRLEN leaves room */
}

/* Where the origin is, or would be, linked in. */
static struct origin **find(struct alk_admission *a, const uint8_t prefix[16])
{
    uint64_t hash;

    crypto_shorthash((uint8_t *)&hash, prefix, 16, a->hash_key);
    struct origin **at = &a->chains[hash % CHAINS];
    while (*at != NULL && memcmp((*at)->prefix, prefix, 16) != 0)
        at = &(*at)->next;
    return at;
}

static void forget(struct alk_admission *a, struct origin *origin)
{
    struct origin **at = find(a, origin->prefix);

    *at = origin->next;
    TAILQ_REMOVE(&a->idle, origin, idle);
    a->idle_count--;
    free(origin);
}

static bool failures_are_forgotten(const struct alk_admission *a, const struct origin *origin,
                                   uint64_t now)
{
    uint64_t since =
        origin->shut_until > origin->failed_at ? origin->shut_until : origin->failed_at;

    return origin->failures == 0 || now >= since + a->limits.penalty_max_s * UINT64_C(1000);
}

static bool matters(const struct alk_admission *a, const struct origin *origin, uint64_t now)
{
    return origin->rate_us > now * 1000 || !failures_are_forgotten(a, origin, now);
}

/* The last connection is gone, or none was let in. */
static void set_idle(struct alk_admission *a, struct origin *origin, uint64_t now)
{
    TAILQ_INSERT_TAIL(&a->idle, origin, idle);
    a->idle_count++;
    if (!matters(a, origin, now))
        forget(a, origin);
    else if (a->idle_count > ALK_ADMISSION_IDLE_MAX)
        forget(a, TAILQ_FIRST(&a->idle));
}

static void sweep(struct alk_admission *a, uint64_t now)
{
    for (int i = 0; i < SWEEP && !TAILQ_EMPTY(&a->idle); i++) {
        struct origin *oldest = TAILQ_FIRST(&a->idle);
        if (!matters(a, oldest, now)) {
            forget(a, oldest);
        } else { /* look at the next ones next time */
            TAILQ_REMOVE(&a->idle, oldest, idle);
            TAILQ_INSERT_TAIL(&a->idle, oldest, idle);
        }
    }
}

static struct origin *origin_of(struct alk_admission *a, const uint8_t prefix[16])
{
    struct origin **at = find(a, prefix);
    struct origin *origin = *at;

    if (origin == NULL) {
        origin = calloc(1, sizeof(*origin));
        if (origin == NULL)
            return NULL;
        memcpy(origin->prefix, prefix, 16);
        *at = origin;
    } else if (origin->live == 0) {
        TAILQ_REMOVE(&a->idle, origin, idle);
        a->idle_count--;
    }
    return origin;
}

/* ---- coming ---- */

static bool reached(unsigned count, unsigned limit)
{
    return limit != ALK_LIMIT_NONE && count >= limit;
}

/* As many a minute as permitted may come at once, after that one by one. */
static bool too_fast(const struct alk_admission *a, struct origin *origin, uint64_t now)
{
    unsigned rate = a->limits.connection_rate_per_ip;
    uint64_t now_us = now * 1000;
    uint64_t due = origin->rate_us > now_us ? origin->rate_us : now_us;

    if (rate == ALK_LIMIT_NONE)
        return false;
    if (rate == 0 || due + MINUTE_US / rate > now_us + MINUTE_US)
        return true;
    origin->rate_us = due + MINUTE_US / rate;
    return false;
}

static bool is_exempt(const struct alk_admission *a, const char *address)
{
    return a->limits.login_failures == ALK_LIMIT_NONE ||
           (a->exempt != NULL && alk_address_list_admits(a->exempt, address));
}

static const char *judge_origin(const struct alk_admission *a, struct origin *origin,
                                const char *address, uint64_t now)
{
    if (now < origin->shut_until && !is_exempt(a, address))
        return "penalty";
    if (reached(origin->live, a->limits.max_connections_per_ip))
        return "max-connections-per-ip";
    if (reached(origin->unauthenticated, a->limits.max_unauthenticated_per_ip))
        return "max-unauthenticated-per-ip";
    return too_fast(a, origin, now) ? "connection-rate-per-ip" : NULL;
}

static const char *enter_origin(struct alk_admission *a, const uint8_t prefix[16],
                                const char *address, uint64_t now)
{
    struct origin *origin = origin_of(a, prefix);

    if (origin == NULL)
        return "out-of-memory";
    const char *why = judge_origin(a, origin, address, now);
    if (why == NULL) {
        origin->live++;
        origin->unauthenticated++;
    } else if (origin->live == 0) {
        set_idle(a, origin, now);
    }
    return why;
}

const char *alk_admission_enter(struct alk_admission *admission, const char *address, uint64_t now)
{
    uint8_t prefix[16];
    const char *why = NULL;

    pthread_mutex_lock(&admission->lock);
    sweep(admission, now);
    if (reached(admission->sessions, admission->limits.max_sessions))
        why = "max-sessions";
    else if (reached(admission->unauthenticated, admission->limits.max_unauthenticated))
        why = "max-unauthenticated";
    else if (prefix_of(address, prefix))
        why = enter_origin(admission, prefix, address, now);
    if (why == NULL)
        admission->unauthenticated++;
    pthread_mutex_unlock(&admission->lock);
    return why;
}

/* ---- logging in and leaving ---- */

/* The origin of a live connection, or NULL for one without an address. */
static struct origin *live_origin(struct alk_admission *admission, const char *address)
{
    uint8_t prefix[16];

    return prefix_of(address, prefix) ? *find(admission, prefix) : NULL;
}

const char *alk_admission_authenticated(struct alk_admission *admission, const char *address)
{
    pthread_mutex_lock(&admission->lock);
    struct origin *origin = live_origin(admission, address);
    bool full = reached(admission->sessions, admission->limits.max_sessions);
    admission->unauthenticated--;
    admission->sessions++;
    if (origin != NULL)
        origin->unauthenticated--;
    pthread_mutex_unlock(&admission->lock);
    return full ? "max-sessions" : NULL;
}

static void punish(const struct alk_admission *a, struct origin *origin, const char *address,
                   uint64_t now)
{
    const struct alk_limits *limits = &a->limits;

    if (is_exempt(a, address))
        return;
    if (failures_are_forgotten(a, origin, now))
        origin->failures = 0;
    origin->failures++;
    origin->failed_at = now;
    if (origin->failures <= limits->login_failures)
        return;
    unsigned doublings = origin->failures - limits->login_failures - 1;
    uint64_t pause = limits->penalty_max_s;
    if (doublings < 32 && (uint64_t)limits->penalty_s << doublings < pause)
        pause = (uint64_t)limits->penalty_s << doublings;
    origin->shut_until = now + pause * 1000;
}

void alk_admission_leave(struct alk_admission *admission, const char *address, bool authenticated,
                         bool failed, uint64_t now)
{
    pthread_mutex_lock(&admission->lock);
    struct origin *origin = live_origin(admission, address);
    if (authenticated)
        admission->sessions--;
    else
        admission->unauthenticated--;
    if (origin != NULL) {
        if (!authenticated)
            origin->unauthenticated--;
        if (failed)
            punish(admission, origin, address, now);
        if (--origin->live == 0)
            set_idle(admission, origin, now);
    }
    pthread_mutex_unlock(&admission->lock);
}

/* ---- for people ---- */

size_t alk_admission_penalties(struct alk_admission *admission, struct alk_penalty *out,
                               size_t room, uint64_t now)
{
    size_t count = 0;

    pthread_mutex_lock(&admission->lock);
    for (int i = 0; i < CHAINS; i++) {
        for (const struct origin *o = admission->chains[i]; o != NULL; o = o->next) {
            if (failures_are_forgotten(admission, o, now))
                continue;
            if (count < room) {
                prefix_text(o->prefix, out[count].address);
                out[count].failures = o->failures;
                out[count].left_s =
                    o->shut_until > now ? (unsigned)((o->shut_until - now + 999) / 1000) : 0;
            }
            count++;
        }
    }
    pthread_mutex_unlock(&admission->lock);
    return count;
}

void alk_admission_count(struct alk_admission *admission, unsigned *unauthenticated,
                         unsigned *sessions)
{
    pthread_mutex_lock(&admission->lock);
    *unauthenticated = admission->unauthenticated;
    *sessions = admission->sessions;
    pthread_mutex_unlock(&admission->lock);
}
