#include "support/net.h"
#include "transport/address.h"
#include "transport/dial.h"
#include "transport/resolver.h"

#include <alk/loop.h>
#include <alk/status.h>
#include <alk/stream.h>

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct outcome {
    bool called;
    int status;
    char cause[64];
    struct alk_stream *stream;
};

static struct alk_loop *loop;
static struct alk_resolver *resolver;
static int fds_before;

/* What the system's resolver says, and how connect behaves, in the running test. */
static struct {
    struct alk_address addresses[ALK_LOOKUP_ADDRESSES];
    size_t count;
} names;

static struct {
    struct alk_address seen[ALK_LOOKUP_ADDRESSES];
    size_t count;
    size_t black_holes; /* so many first attempts never get an answer */
    int full;           /* a socket that is never writable */
    size_t refused;     /* else so many first ones go to `closed` instead */
    struct alk_address closed;
    int fail_with;     /* else every attempt fails so */
    int fail_first[2]; /* or these two */
} net;

static int fake_resolve(const char *host, struct alk_address *out, const char **cause)
{
    (void)host;
    *cause = "the name has no address";
    memcpy(out, names.addresses, names.count * sizeof(out[0]));
    return (int)names.count;
}

/* A socket whose buffer is full is what a connection without answer looks like. */
static int full_socket(void)
{
    static char block[65536];
    int pair[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
    while (write(pair[0], block, sizeof(block)) > 0)
        ;
    while (write(pair[0], block, 1) > 0)
        ;
    net.full = pair[1]; /* stays open, unread */
    return pair[0];
}

static int fake_connect(int fd, const struct sockaddr *address, socklen_t len)
{
    size_t turn = net.count++;

    memcpy(&net.seen[turn].sa, address, len);
    net.seen[turn].len = len;
    if (turn < net.black_holes) {
        int full = full_socket();
        assert_int_equal(dup2(full, fd), fd);
        close(full);
        errno = EINPROGRESS;
        return -1;
    }
    if (turn < net.refused)
        return connect(fd, &net.closed.sa.any, net.closed.len);
    int number = turn < 2 && net.fail_first[turn] != 0 ? net.fail_first[turn] : net.fail_with;
    if (number != 0) {
        errno = number;
        return -1;
    }
    return connect(fd, address, len);
}

static int setup(void **state)
{
    struct alk_resolver_options options = {.threads = 1, .resolve = fake_resolve};

    (void)state;
    memset(&names, 0, sizeof(names));
    memset(&net, 0, sizeof(net));
    net.full = -1;
    fds_before = net_open_fds();
    return alk_loop_new(&loop) != 0 || alk_resolver_new(&resolver, &options) != 0;
}

static int teardown(void **state)
{
    (void)state;
    alk_resolver_free(resolver);
    alk_loop_free(loop);
    if (net.full >= 0)
        close(net.full);
    if (net_open_fds() == fds_before)
        return 0;
    fprintf(stderr, "expected %d open descriptors, got %d\n", fds_before, net_open_fds());
    return -1;
}

static void on_dialled(void *user, int status, struct alk_stream *stream, const char *cause)
{
    struct outcome *outcome = user;

    assert_false(outcome->called);
    outcome->called = true;
    outcome->status = status;
    outcome->stream = stream;
    snprintf(outcome->cause, sizeof(outcome->cause), "%s", cause);
}

static void dial(struct outcome *outcome, const struct alk_dial_options *options)
{
    struct alk_dial *handle;

    memset(outcome, 0, sizeof(*outcome));
    assert_int_equal(alk_dial_start(&handle, loop, options, on_dialled, outcome), 0);
    assert_false(outcome->called); /* never from within the call */
    net_run_until(loop, &outcome->called);
}

static void add_name(const struct alk_address *address)
{
    names.addresses[names.count++] = *address;
}

static struct alk_dial_options by_name(const struct alk_address *address)
{
    return (struct alk_dial_options){.host = "host.test",
                                     .port = alk_address_port(address),
                                     .resolver = resolver,
                                     .connect = fake_connect};
}

static void expect_failure(const struct outcome *outcome, int status, const char *cause)
{
    assert_int_equal(outcome->status, status);
    assert_string_equal(outcome->cause, cause);
    assert_null(outcome->stream);
}

static void expect_peer(struct outcome *outcome, const char *peer)
{
    if (outcome->status != ALK_OK)
        fail_msg("expected a stream, got: %s", outcome->cause);
    assert_string_equal(outcome->stream->peer, peer);
    alk_stream_close(outcome->stream);
}

static void numeric_hosts_connect_and_carry_data(void **state)
{
    for (int v6 = 0; v6 < 2; v6++) {
        struct alk_address address;
        struct outcome outcome;
        char data[4];

        (void)state;
        int listener = net_listen(v6, &address);
        struct alk_dial_options options = {.host = v6 ? "::1" : "127.0.0.1",
                                           .port = alk_address_port(&address)};
        dial(&outcome, &options);
        int peer = accept(listener, NULL, NULL);
        assert_int_equal(alk_stream_write(outcome.stream, "data", 4), 4);
        assert_int_equal(recv(peer, data, 4, MSG_WAITALL), 4);
        assert_int_equal(outcome.stream->peer_port, alk_address_port(&address));
        expect_peer(&outcome, v6 ? "::1" : "127.0.0.1");
        close(peer);
        close(listener);
    }
}

static void failures_are_told_apart(void **state)
{
    static const struct {
        int number, status;
        const char *cause;
    } rows[] = {
        {ECONNREFUSED, ALK_E_REFUSED, "connection refused"},
        {EHOSTUNREACH, ALK_E_UNREACHABLE, "no route to the host"},
        {ENETUNREACH, ALK_E_UNREACHABLE, "network unreachable"},
        {ETIMEDOUT, ALK_E_TIMEOUT, "timed out"},
        {EACCES, ALK_E_DENIED, "permission denied"},
    };
    struct outcome outcome;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct alk_dial_options options = {.host = "127.0.0.1", .port = 9, .connect = fake_connect};
        net.count = 0;
        net.fail_with = rows[i].number;
        dial(&outcome, &options);
        expect_failure(&outcome, rows[i].status, rows[i].cause);
    }
}

static void a_closed_port_is_refused(void **state)
{
    struct alk_address address;
    struct outcome outcome;

    (void)state;
    int bound = net_refusing(false, &address);
    struct alk_dial_options options = {.host = "127.0.0.1", .port = alk_address_port(&address)};
    dial(&outcome, &options);
    expect_failure(&outcome, ALK_E_REFUSED, "connection refused");
    close(bound);
}

static void names_without_address_are_told(void **state)
{
    struct alk_dial_options options = {.host = "no.test", .port = 1, .resolver = resolver};
    struct outcome outcome;

    (void)state;
    dial(&outcome, &options);
    expect_failure(&outcome, ALK_E_RESOLVE, "the name has no address");
}

static void a_black_hole_loses_to_the_next_address(void **state)
{
    struct alk_address v6, v4;
    struct outcome outcome;

    (void)state;
    int listener = net_listen(false, &v4);
    assert_true(alk_address_numeric("::1", 0, &v6));
    add_name(&v6);
    add_name(&v4);
    net.black_holes = 1;
    struct alk_dial_options options = by_name(&v4);
    uint64_t start = alk_loop_now(loop);
    dial(&outcome, &options);
    assert_true(alk_loop_now(loop) - start >= 250); /* not before the attempt delay */
    assert_int_equal(net.count, 2);
    expect_peer(&outcome, "127.0.0.1");
    close(listener);
}

static void a_refusal_starts_the_next_attempt_at_once(void **state)
{
    struct alk_address address;
    struct outcome outcome;

    (void)state;
    int listener = net_listen(false, &address);
    int bound = net_refusing(false, &net.closed);
    net.refused = ALK_DIAL_ADDRESSES - 1;
    for (size_t i = 0; i < ALK_DIAL_ADDRESSES; i++)
        add_name(&address);
    struct alk_dial_options options = by_name(&address);
    options.timeout_ms = 250 * net.refused - 50; /* too short for that many delays */
    dial(&outcome, &options);
    assert_int_equal(net.count, ALK_DIAL_ADDRESSES);
    expect_peer(&outcome, "127.0.0.1");
    close(bound);
    close(listener);
}

static void a_refusal_says_more_than_a_missing_route(void **state)
{
    static const int orders[][2] = {{ENETUNREACH, ECONNREFUSED}, {ECONNREFUSED, ENETUNREACH}};
    struct alk_address v6, v4;
    struct outcome outcome;

    (void)state;
    assert_true(alk_address_numeric("2001:db8::1", 7, &v6));
    assert_true(alk_address_numeric("192.0.2.1", 7, &v4));
    add_name(&v6);
    add_name(&v4);
    for (size_t i = 0; i < 2; i++) {
        struct alk_dial_options options = by_name(&v4);
        net.count = 0;
        memcpy(net.fail_first, orders[i], sizeof(net.fail_first));
        dial(&outcome, &options);
        expect_failure(&outcome, ALK_E_REFUSED, "connection refused");
    }
}

static void families_take_turns(void **state)
{
    static const char *const given[] = {"2001:db8::1", "2001:db8::2", "2001:db8::3", "192.0.2.1",
                                        "192.0.2.2"};
    static const char *const tried[] = {"2001:db8::1", "192.0.2.1", "2001:db8::2", "192.0.2.2",
                                        "2001:db8::3"};
    struct alk_address address;
    struct outcome outcome;
    char host[64];

    (void)state;
    for (size_t i = 0; i < 5; i++) {
        assert_true(alk_address_numeric(given[i], 0, &address));
        add_name(&address);
    }
    alk_address_set_port(&address, 7);
    net.fail_with = ENETUNREACH;
    struct alk_dial_options options = by_name(&address);
    dial(&outcome, &options);
    expect_failure(&outcome, ALK_E_UNREACHABLE, "network unreachable");
    assert_int_equal(net.count, 5);
    for (size_t i = 0; i < 5; i++) {
        alk_address_host(&net.seen[i], host, sizeof(host));
        assert_string_equal(host, tried[i]);
        assert_int_equal(alk_address_port(&net.seen[i]), 7);
    }
}

static void only_so_many_addresses_are_tried(void **state)
{
    struct alk_address address;
    struct outcome outcome;

    (void)state;
    assert_true(alk_address_numeric("192.0.2.1", 7, &address));
    for (size_t i = 0; i < ALK_LOOKUP_ADDRESSES; i++)
        add_name(&address);
    net.fail_with = ECONNREFUSED;
    struct alk_dial_options options = by_name(&address);
    dial(&outcome, &options);
    expect_failure(&outcome, ALK_E_REFUSED, "connection refused");
    assert_int_equal(net.count, ALK_DIAL_ADDRESSES);
}

static void no_answer_times_out(void **state)
{
    struct alk_dial_options options = {
        .host = "127.0.0.1", .port = 9, .timeout_ms = 20, .connect = fake_connect};
    struct outcome outcome;

    (void)state;
    net.black_holes = 1;
    dial(&outcome, &options);
    expect_failure(&outcome, ALK_E_TIMEOUT, "timed out");
}

static bool permit_v4(void *user, const struct alk_address *address)
{
    ++*(unsigned *)user;
    return address->sa.any.sa_family == AF_INET;
}

static void addresses_that_are_not_permitted_are_never_dialled(void **state)
{
    struct alk_address v6, v4;
    struct outcome outcome;
    unsigned asked = 0;

    (void)state;
    int listener = net_listen(false, &v4);
    assert_true(alk_address_numeric("::1", 0, &v6));
    add_name(&v6);
    add_name(&v4);
    struct alk_dial_options options = by_name(&v4);
    options.permit = permit_v4;
    options.permit_user = &asked;
    dial(&outcome, &options);
    assert_int_equal(asked, 2);
    assert_int_equal(net.count, 1);
    expect_peer(&outcome, "127.0.0.1");
    options.host = "::1";
    dial(&outcome, &options);
    expect_failure(&outcome, ALK_E_DENIED, "not permitted");
    assert_int_equal(net.count, 1);
    close(listener);
}

/* A name server that tells the judge one address and whoever asks again another. */
static unsigned rebinding_asked;

static int rebinding_resolve(const char *host, struct alk_address *out, const char **cause)
{
    (void)host;
    (void)cause;
    return alk_address_numeric(rebinding_asked++ == 0 ? "127.0.0.1" : "127.0.0.66", 0, out);
}

static bool permit_first_address(void *user, const struct alk_address *address)
{
    char host[64];

    ++*(unsigned *)user;
    alk_address_host(address, host, sizeof(host));
    return strcmp(host, "127.0.0.1") == 0;
}

static void the_address_that_was_judged_is_the_one_that_is_dialled(void **state)
{
    struct alk_resolver_options resolver_options = {.resolve = rebinding_resolve};
    struct alk_resolver *changing;
    struct alk_address address;
    struct outcome outcome;
    unsigned asked = 0;

    (void)state;
    rebinding_asked = 0;
    int listener = net_listen(false, &address);
    assert_int_equal(alk_resolver_new(&changing, &resolver_options), 0);
    struct alk_dial_options options = by_name(&address);
    options.resolver = changing;
    options.permit = permit_first_address;
    options.permit_user = &asked;
    dial(&outcome, &options);
    assert_int_equal(rebinding_asked, 1); /* no second look-up */
    assert_int_equal(asked, 1);
    expect_peer(&outcome, "127.0.0.1");
    dial(&outcome, &options); /* now the name has the other address */
    assert_int_equal(rebinding_asked, 2);
    expect_failure(&outcome, ALK_E_DENIED, "not permitted");
    alk_resolver_free(changing);
    close(listener);
}

static void the_local_address_is_used(void **state)
{
    struct alk_address address, local, peer = {.len = sizeof(peer.sa)};
    struct outcome outcome;
    char host[64];

    (void)state;
    int listener = net_listen(false, &address);
    assert_true(alk_address_numeric("127.0.0.9", 0, &local));
    struct alk_dial_options options = {
        .host = "127.0.0.1", .port = alk_address_port(&address), .local = &local};
    dial(&outcome, &options);
    int fd = accept(listener, &peer.sa.any, &peer.len);
    alk_address_host(&peer, host, sizeof(host));
    assert_string_equal(host, "127.0.0.9");
    expect_peer(&outcome, "127.0.0.1");
    options.host = "::1";
    dial(&outcome, &options);
    expect_failure(&outcome, ALK_E_UNREACHABLE, "no address of the family to dial from");
    close(fd);
    close(listener);
}

static void unix_sockets_are_dialled(void **state)
{
    char dir[] = "/tmp/alk-dial-XXXXXX", path[64];
    struct alk_address address;
    struct alk_dial_options options = {.path = path};
    struct outcome outcome;

    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/socket", dir);
    dial(&outcome, &options);
    expect_failure(&outcome, ALK_E_NOTFOUND, "no such file or directory");
    assert_int_equal(alk_address_unix(path, &address), 0);
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listener, &address.sa.any, address.len), 0);
    dial(&outcome, &options);
    expect_failure(&outcome, ALK_E_REFUSED, "connection refused");
    assert_int_equal(listen(listener, 0), 0);
    dial(&outcome, &options);
    assert_string_equal(outcome.stream->ops->transport, "unix");
    expect_peer(&outcome, "");
    close(listener);
    unlink(path);
    rmdir(dir);
}

/* The backlog of one is taken; a place frees up after a while. */
static int accept_after_busy(int fd, const struct sockaddr *address, socklen_t len)
{
    int r = connect(fd, address, len);

    if (r != 0 && errno == EAGAIN && net.count++ == 1) {
        close(accept(net.full, NULL, NULL)); /* net.full: the listener */
        errno = EAGAIN;
    }
    return r;
}

static void a_busy_unix_listener_is_asked_again(void **state)
{
    char dir[] = "/tmp/alk-dial-XXXXXX", path[64];
    struct alk_address address;
    struct alk_dial_options options = {.path = path, .connect = accept_after_busy};
    struct outcome outcome;

    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/socket", dir);
    assert_int_equal(alk_address_unix(path, &address), 0);
    net.full = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(net.full, &address.sa.any, address.len), 0);
    assert_int_equal(listen(net.full, 0), 0);
    int first = net_connect(&address);
    dial(&outcome, &options);
    assert_int_equal(net.count, 2); /* twice busy */
    expect_peer(&outcome, "");
    close(first);
    unlink(path);
    rmdir(dir);
}

static void what_cannot_begin_is_refused_at_once(void **state)
{
    struct alk_dial *handle;
    struct outcome never = {0};
    struct alk_dial_options nothing = {0}, no_path = {.path = ""},
                            no_resolver = {.host = "host.test", .port = 1},
                            bad_name = {.host = "a b", .port = 1, .resolver = resolver};
    const struct alk_dial_options *const rows[] = {&nothing, &no_path, &no_resolver, &bad_name};

    (void)state;
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(alk_dial_start(&handle, loop, rows[i], on_dialled, &never), ALK_E_INVAL);
    net_run_ready(loop);
    assert_false(never.called);
}

static void a_cancelled_dial_is_silent(void **state)
{
    struct alk_address address;
    struct alk_dial *handle;
    struct outcome never = {0};

    (void)state;
    int listener = net_listen(false, &address);
    struct alk_dial_options numeric = {.host = "127.0.0.1", .port = alk_address_port(&address)};
    struct alk_dial_options refused = {.path = "/nonexistent/socket"};
    add_name(&address);
    struct alk_dial_options name = by_name(&address);
    const struct alk_dial_options *const rows[] = {&numeric, &refused, &name};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(alk_dial_start(&handle, loop, rows[i], on_dialled, &never), 0);
        alk_dial_cancel(handle);
    }
    net_run_ready(loop);
    assert_false(never.called);
    close(listener);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(numeric_hosts_connect_and_carry_data),
        TEST(failures_are_told_apart),
        TEST(a_closed_port_is_refused),
        TEST(names_without_address_are_told),
        TEST(a_black_hole_loses_to_the_next_address),
        TEST(a_refusal_starts_the_next_attempt_at_once),
        TEST(a_refusal_says_more_than_a_missing_route),
        TEST(families_take_turns),
        TEST(only_so_many_addresses_are_tried),
        TEST(no_answer_times_out),
        TEST(addresses_that_are_not_permitted_are_never_dialled),
        TEST(the_address_that_was_judged_is_the_one_that_is_dialled),
        TEST(the_local_address_is_used),
        TEST(unix_sockets_are_dialled),
        TEST(a_busy_unix_listener_is_asked_again),
        TEST(what_cannot_begin_is_refused_at_once),
        TEST(a_cancelled_dial_is_silent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
