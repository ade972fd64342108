#include "transport/dial.h"
#include "transport/address.h"
#include "transport/fd_stream.h"
#include "transport/proxy.h"
#include "transport/proxy_talk.h"
#include "transport/resolver.h"
#include "transport/socket.h"

#include <alk/loop.h>
#include <alk/status.h>
#include <alk/stream.h>

#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    ATTEMPT_DELAY_MS = 250, /* RFC 8305 section 5 */
    BUSY_DELAY_MS = 20,     /* a Unix listener whose backlog is full says EAGAIN */
    DEFAULT_TIMEOUT_MS = 30000,
};

static const uint64_t NEVER = UINT64_MAX;

/* One address, and the attempt to connect to it once it has begun. */
struct attempt {
    struct alk_dial *dial;
    int fd; /* -1: not begun, or failed */
    struct alk_address address;
    struct event writable; /* in the loop while fd >= 0 */
};

/* The host behind a proxy, and the talk with the proxy once it is connected. */
struct behind {
    struct alk_proxy_talk *talk; /* NULL when none is under way */
    uint16_t port;
    char host[ALK_HOST_MAX + 1];
};

/* A numeric host or a path has one attempt, a name room for all. */
struct alk_dial {
    struct alk_loop *loop;
    alk_dial_fn fn;
    void *user;
    struct alk_dial_options options; /* host and path are not kept */
    struct alk_lookup *lookup;       /* NULL when none is under way */
    struct behind *behind;           /* NULL: directly */
    struct event tick;               /* the next of deadline and next_start */
    uint64_t deadline, next_start;
    int status; /* of the failure worth telling */
    const char *cause;
    size_t room, count, begun, open; /* attempts */
    struct attempt attempts[];
};

static void close_attempt(struct attempt *attempt)
{
    if (attempt->fd < 0)
        return;
    event_del(&attempt->writable);
    close(attempt->fd);
    attempt->fd = -1;
    attempt->dial->open--;
}

void alk_dial_cancel(struct alk_dial *dial)
{
    if (dial == NULL)
        return;
    alk_lookup_cancel(dial->lookup);
    if (dial->behind != NULL)
        alk_proxy_talk_cancel(dial->behind->talk);
    free(dial->behind);
    for (size_t i = 0; i < dial->begun; i++)
        close_attempt(&dial->attempts[i]);
    event_del(&dial->tick);
    free(dial);
}

static void finish(struct alk_dial *dial, int status, struct alk_stream *stream, const char *cause)
{
    alk_dial_fn fn = dial->fn;
    void *user = dial->user;

    alk_dial_cancel(dial);
    fn(user, status, stream, cause);
}

/* Several addresses fail for several reasons: the first one says most, unless it
 * is only that its family has no route here. */
static void note_failure(struct alk_dial *dial, int status, const char *cause)
{
    if (dial->status != ALK_OK && dial->status != ALK_E_UNREACHABLE)
        return;
    dial->status = status;
    dial->cause = cause;
}

static void note_errno(struct alk_dial *dial, int number)
{
    note_failure(dial, alk_status_from_errno(number), alk_socket_cause(number));
}

static void tell_proxy_failed(const struct alk_dial *dial, int status, const char *cause)
{
    if (dial->options.proxy_failed != NULL)
        dial->options.proxy_failed(dial->options.proxy_user, status, cause);
}

/* A dial to a proxy fails for other reasons than one to the host. */
static void finish_failed(struct alk_dial *dial, int status, const char *cause)
{
    char text[128];

    if (dial->behind != NULL) {
        tell_proxy_failed(dial, status, cause);
        snprintf(text, sizeof(text), "the proxy cannot be reached: %s", cause);
        finish(dial, status == ALK_E_TIMEOUT ? status : ALK_E_PROXY, NULL, text);
    } else {
        finish(dial, status, NULL, cause);
    }
}

static void set_tick(struct alk_dial *dial)
{
    uint64_t now = alk_loop_now(dial->loop);
    uint64_t at = dial->next_start < dial->deadline ? dial->next_start : dial->deadline;
    uint64_t after = at > now ? at - now : 0;
    struct timeval tv = {(time_t)(after / 1000), (suseconds_t)(after % 1000 * 1000)};

    if (event_add(&dial->tick, &tv) != 0)
        event_active(&dial->tick, EV_TIMEOUT, 1);
}

static void on_talked(void *user, int status, struct alk_stream *stream, const char *cause)
{
    struct alk_dial *dial = user;

    dial->behind->talk = NULL;
    if (status == ALK_E_AUTH) { /* to who dials it is one of many troubles with the proxy */
        tell_proxy_failed(dial, status, cause);
        status = ALK_E_PROXY;
    }
    finish(dial, status, stream, cause);
}

/* The proxy is connected: it is told where to go, within the time that is left. */
static void talk_to_proxy(struct alk_dial *dial, struct alk_stream *stream)
{
    struct behind *behind = dial->behind;

    for (size_t i = 0; i < dial->begun; i++)
        close_attempt(&dial->attempts[i]);
    int r = alk_proxy_talk_start(&behind->talk, stream, dial->options.proxy, behind->host,
                                 behind->port, on_talked, dial);
    if (r != ALK_OK) {
        alk_stream_close(stream);
        finish(dial, r, NULL,
               r == ALK_E_INVAL ? "a proxy cannot be told such an address" : alk_status_text(r));
        return;
    }
    dial->next_start = NEVER;
    set_tick(dial);
}

static void connected(struct attempt *attempt)
{
    struct alk_dial *dial = attempt->dial;
    struct alk_stream *stream;
    int fd = attempt->fd;

    event_del(&attempt->writable);
    attempt->fd = -1;
    dial->open--;
    int r = alk_fd_stream_adopt(&stream, dial->loop, fd, &attempt->address);
    if (r != ALK_OK) {
        close(fd);
        finish(dial, r, NULL, alk_status_text(r));
    } else if (dial->behind != NULL) {
        talk_to_proxy(dial, stream);
    } else {
        finish(dial, ALK_OK, stream, "");
    }
}

static void begin_next(struct alk_dial *dial);

static void on_writable(evutil_socket_t fd, short what, void *user)
{
    struct attempt *attempt = user;
    struct alk_dial *dial = attempt->dial;
    int number = 0;
    socklen_t len = sizeof(number);

    (void)what;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &number, &len) != 0)
        number = errno;
    if (number == 0) {
        connected(attempt);
        return;
    }
    close_attempt(attempt);
    note_errno(dial, number);
    begin_next(dial);
}

static int bind_local(int fd, const struct alk_address *local)
{
    int on = 1;

    if (local == NULL)
        return 0;
    /* take the port at connect time, when the peer is known (ip(7)) */
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
    return bind(fd, &local->sa.any, local->len);
}

/* 0 when the attempt is under way, else errno. */
static int begin(struct attempt *attempt)
{
    struct alk_dial *dial = attempt->dial;
    const struct alk_address *to = &attempt->address;
    int fd = alk_socket_open(to);

    if (fd < 0)
        return errno;
    if (to->sa.any.sa_family != AF_UNIX)
        alk_socket_tune_tcp(fd, to);
    /* A connection that stands at once is writable at once: the loop tells. */
    if (bind_local(fd, dial->options.local) != 0 ||
        (dial->options.connect(fd, &to->sa.any, to->len) != 0 && errno != EINPROGRESS)) {
        int number = errno;
        close(fd);
        return number;
    }
    event_assign(&attempt->writable, alk_loop_base(dial->loop), fd, EV_WRITE | EV_PERSIST,
                 on_writable, attempt);
    if (event_add(&attempt->writable, NULL) != 0) {
        close(fd);
        return ENOMEM;
    }
    attempt->fd = fd;
    dial->open++;
    return 0;
}

/* Begins the next attempt that does not fail at once and sets the tick. When all
 * have failed the tick comes immediately, so that the callback is always called from
 * the loop. */
static void begin_next(struct alk_dial *dial)
{
    uint64_t delay = ATTEMPT_DELAY_MS;

    while (dial->begun < dial->count) {
        int number = begin(&dial->attempts[dial->begun]);
        if (number == EAGAIN) {
            delay = BUSY_DELAY_MS;
            break;
        }
        dial->begun++;
        if (number == 0)
            break;
        note_errno(dial, number);
    }
    if (dial->begun < dial->count)
        dial->next_start = alk_loop_now(dial->loop) + delay;
    else
        dial->next_start = dial->open > 0 ? NEVER : 0;
    set_tick(dial);
}

static void on_tick(evutil_socket_t fd, short what, void *user)
{
    struct alk_dial *dial = user;
    uint64_t now = alk_loop_now(dial->loop);

    (void)fd;
    (void)what;
    bool talking = dial->behind != NULL && dial->behind->talk != NULL;

    if (talking && now >= dial->deadline)
        finish(dial, ALK_E_TIMEOUT, NULL, "timed out: the proxy did not answer");
    else if (!talking && dial->lookup == NULL && dial->open == 0 && dial->begun == dial->count)
        finish_failed(dial, dial->status, dial->cause);
    else if (now >= dial->deadline)
        finish_failed(dial, ALK_E_TIMEOUT,
                      dial->lookup != NULL ? "the name look-up timed out" : "timed out");
    else if (now >= dial->next_start)
        begin_next(dial);
    else
        set_tick(dial);
}

static void add_address(struct alk_dial *dial, const struct alk_address *address)
{
    const struct alk_dial_options *o = &dial->options;
    struct attempt *attempt = &dial->attempts[dial->count];

    if (dial->count == dial->room)
        return;
    if (o->permit != NULL && !o->permit(o->permit_user, address)) {
        note_failure(dial, ALK_E_DENIED, "not permitted");
        return;
    }
    if (o->local != NULL && o->local->sa.any.sa_family != address->sa.any.sa_family) {
        note_failure(dial, ALK_E_UNREACHABLE, "no address of the family to dial from");
        return;
    }
    attempt->dial = dial;
    attempt->fd = -1;
    attempt->address = *address;
    dial->count++;
}

/* The addresses in the order to try them: families in turn, starting with that of the
 * first (RFC 8305 section 4), each in the given order. */
static void add_interleaved(struct alk_dial *dial, const struct alk_address *addresses,
                            size_t count)
{
    sa_family_t first = addresses[0].sa.any.sa_family;
    size_t next[2] = {0, 0}; /* of the first family, of the other */

    for (size_t turn = 0; next[0] < count || next[1] < count; turn++) {
        size_t *at = &next[turn % 2];
        bool same = turn % 2 == 0;
        while (*at < count && (addresses[*at].sa.any.sa_family == first) != same)
            ++*at;
        if (*at < count)
            add_address(dial, &addresses[(*at)++]);
    }
}

static void on_lookup(void *user, int status, const struct alk_address *addresses, size_t count,
                      const char *cause)
{
    struct alk_dial *dial = user;

    dial->lookup = NULL;
    if (status != ALK_OK) {
        finish_failed(dial, status, cause);
        return;
    }
    add_interleaved(dial, addresses, count);
    begin_next(dial);
}

static struct alk_dial *new_dial(struct alk_loop *loop, const struct alk_dial_options *options,
                                 size_t room)
{
    struct alk_dial *dial = malloc(sizeof(*dial) + room * sizeof(dial->attempts[0]));

    if (dial == NULL)
        return NULL;
    memset(dial, 0, sizeof(*dial)); /* attempts are filled as they are added */
    dial->loop = loop;
    dial->options = *options;
    dial->options.host = dial->options.path = NULL;
    if (dial->options.connect == NULL)
        dial->options.connect = connect;
    dial->room = room;
    dial->next_start = NEVER;
    dial->deadline =
        alk_loop_now(loop) + (options->timeout_ms != 0 ? options->timeout_ms : DEFAULT_TIMEOUT_MS);
    event_assign(&dial->tick, alk_loop_base(loop), -1, 0, on_tick, dial);
    return dial;
}

static int start(struct alk_dial **out, struct alk_loop *loop,
                 const struct alk_dial_options *options, alk_dial_fn fn, void *user)
{
    struct alk_address address;
    bool is_path = options->host == NULL;
    bool known = !is_path && alk_address_numeric(options->host, options->port, &address);
    int r = ALK_OK;

    if (is_path && (options->path == NULL || alk_address_unix(options->path, &address) != ALK_OK))
        return ALK_E_INVAL;
    if (!is_path && !known && options->resolver == NULL)
        return ALK_E_INVAL;
    struct alk_dial *dial = new_dial(loop, options, is_path || known ? 1 : ALK_DIAL_ADDRESSES);
    if (dial == NULL)
        return ALK_E_NOMEM;
    dial->fn = fn;
    dial->user = user;
    if (is_path) /* permit and local are about hosts */
        dial->options.permit = NULL, dial->options.local = NULL;
    if (is_path || known) {
        add_address(dial, &address);
        begin_next(dial);
    } else {
        r = alk_lookup_start(&dial->lookup, options->resolver, loop, options->owner, options->host,
                             options->port, on_lookup, dial);
        if (r != ALK_OK) {
            dial->lookup = NULL;
            alk_dial_cancel(dial);
            return r;
        }
        set_tick(dial);
    }
    *out = dial;
    return ALK_OK;
}

int alk_dial_start(struct alk_dial **out, struct alk_loop *loop,
                   const struct alk_dial_options *options, alk_dial_fn fn, void *user)
{
    const struct alk_proxy *proxy = options->proxy;
    struct alk_dial_options to_proxy = *options;

    if (proxy == NULL || proxy->kind == ALK_PROXY_NONE || options->host == NULL)
        return start(out, loop, options, fn, user);
    if (!alk_host_valid(options->host, strlen(options->host)))
        return ALK_E_INVAL;
    struct behind *behind = calloc(1, sizeof(*behind));
    if (behind == NULL)
        return ALK_E_NOMEM;
    snprintf(behind->host, sizeof(behind->host), "%s", options->host);
    behind->port = options->port;
    to_proxy.host = proxy->host;
    to_proxy.port = proxy->port;
    to_proxy.permit = NULL;
    int r = start(out, loop, &to_proxy, fn, user);
    if (r == ALK_OK)
        (*out)->behind = behind;
    else
        free(behind);
    return r;
}
