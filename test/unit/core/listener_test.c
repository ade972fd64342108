#include "support/net.h"
#include "transport/address.h"
#include "transport/listener.h"

#include <alk/loop.h>
#include <alk/status.h>
#include <alk/stream.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    struct alk_loop *loop;
    struct alk_listener *listener;
    char dir[32], path[64];
    bool accepted, enough;
    unsigned count, wanted;
    bool close_listener;
    char peer[64];
    unsigned peer_port;
    const char *transport;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    if (f == NULL || alk_loop_new(&f->loop) != 0)
        return -1;
    strcpy(f->dir, "/tmp/alk-listener-XXXXXX");
    if (mkdtemp(f->dir) == NULL)
        return -1;
    snprintf(f->path, sizeof(f->path), "%s/socket", f->dir);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    alk_listener_close(f->listener);
    unlink(f->path);
    int r = rmdir(f->dir);
    alk_loop_free(f->loop);
    free(f);
    return r;
}

static void on_accept(void *user, struct alk_stream *stream)
{
    struct fixture *f = user;

    f->accepted = true;
    f->enough = ++f->count >= f->wanted;
    memcpy(f->peer, stream->peer, sizeof(f->peer));
    f->peer_port = stream->peer_port;
    f->transport = stream->ops->transport;
    alk_stream_close(stream);
    if (f->close_listener) {
        alk_listener_close(f->listener);
        f->listener = NULL;
    }
}

static void listen_on(struct fixture *f, const char *spec)
{
    struct alk_address address;
    struct alk_error error = {0};

    assert_int_equal(alk_address_parse_listen(spec, &address, &error), 0);
    if (alk_listener_new(&f->listener, &address, NULL, &error) != 0)
        fail_msg("%s", error.text);
    assert_int_equal(alk_listener_start(f->listener, f->loop, on_accept, f), 0);
}

static void tcp_streams_know_their_peer(void **state)
{
    static const char *const specs[][2] = {{"127.0.0.1:0", "127.0.0.1"}, {"[::1]:0", "::1"}};

    for (size_t i = 0; i < 2; i++) {
        struct fixture *f = *state;
        struct alk_address self = {.len = sizeof(self.sa)};
        listen_on(f, specs[i][0]);
        assert_int_not_equal(alk_address_port(alk_listener_address(f->listener)), 0);
        int fd = net_connect(alk_listener_address(f->listener));
        assert_int_equal(getsockname(fd, &self.sa.any, &self.len), 0);
        f->accepted = false;
        net_run_until(f->loop, &f->accepted);
        assert_string_equal(f->peer, specs[i][1]);
        assert_int_equal(f->peer_port, alk_address_port(&self));
        assert_string_equal(f->transport, "tcp");
        close(fd);
        alk_listener_close(f->listener);
        f->listener = NULL;
    }
}

static void check_options(void *user, struct alk_stream *stream)
{
    struct fixture *f = user;
    struct alk_address self;
    int fd, nodelay = 0, keepalive = 0, found = 0;

    /* the stream hides its descriptor: find it by its peer */
    for (fd = 3; fd < 256 && !found; fd++) {
        socklen_t len = sizeof(nodelay);
        self.len = sizeof(self.sa);
        if (getpeername(fd, &self.sa.any, &self.len) != 0 ||
            alk_address_port(&self) != stream->peer_port)
            continue;
        found = 1;
        assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &nodelay, &len), 0);
        assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &keepalive, &len), 0);
        assert_int_equal(fcntl(fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
        assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
    }
    assert_int_equal(found, 1);
    assert_int_not_equal(nodelay, 0);
    assert_int_not_equal(keepalive, 0);
    f->accepted = true;
    alk_stream_close(stream);
}

static void accepted_sockets_inherit_nodelay_and_keepalive(void **state)
{
    struct fixture *f = *state;
    struct alk_address address;

    assert_int_equal(alk_address_parse_listen("127.0.0.1:0", &address, NULL), 0);
    assert_int_equal(alk_listener_new(&f->listener, &address, NULL, NULL), 0);
    assert_int_equal(alk_listener_start(f->listener, f->loop, check_options, f), 0);
    int fd = net_connect(alk_listener_address(f->listener));
    net_run_until(f->loop, &f->accepted);
    close(fd);
}

static void the_ipv6_wildcard_leaves_ipv4_alone(void **state)
{
    struct fixture *f = *state;
    struct alk_listener *other;
    struct alk_address v4;

    /* another program may hold the same port for IPv4: then another port tells as well */
    int status = ALK_E_EXISTS;
    for (int i = 0; i < 20 && status == ALK_E_EXISTS; i++) {
        alk_listener_close(f->listener);
        f->listener = NULL;
        listen_on(f, "[::]:0");
        assert_true(alk_address_numeric("0.0.0.0",
                                        alk_address_port(alk_listener_address(f->listener)), &v4));
        status = alk_listener_new(&other, &v4, NULL, NULL);
    }
    assert_int_equal(status, 0);
    alk_listener_close(other);
}

static void a_port_in_use_is_refused_with_its_name(void **state)
{
    struct fixture *f = *state;
    struct alk_listener *other[2];
    struct alk_error error = {0};
    char text[ALK_ADDRESS_TEXT], expected[200];
    size_t two = 2;
    struct alk_address address;

    listen_on(f, "127.0.0.1:0");
    address = *alk_listener_address(f->listener);
    alk_address_text(&address, text);
    snprintf(expected, sizeof(expected), "cannot listen on %s: address already in use", text);
    assert_int_equal(alk_listener_new(&other[0], &address, NULL, &error), ALK_E_EXISTS);
    assert_string_equal(error.text, expected);
    assert_int_equal(alk_listener_new_group(other, &two, &address, NULL, NULL), ALK_E_EXISTS);
}

static void foreign_addresses_and_privileged_ports_are_explained(void **state)
{
    struct alk_listener *listener;
    struct alk_error error = {0};
    struct alk_address address;

    (void)state;
    assert_true(alk_address_numeric("192.0.2.77", 0, &address));
    assert_int_equal(alk_listener_new(&listener, &address, NULL, &error), ALK_E_UNREACHABLE);
    assert_string_equal(error.text,
                        "cannot listen on 192.0.2.77:0: address not available on this machine");
    if (seteuid(65534) != 0) /* only root can try the other case */
        return;
    assert_true(alk_address_numeric("127.0.0.1", 1, &address));
    int r = alk_listener_new(&listener, &address, NULL, &error);
    assert_int_equal(seteuid(0), 0);
    assert_int_equal(r, ALK_E_DENIED);
    assert_string_equal(error.text, "cannot listen on 127.0.0.1:1: permission denied; ports below "
                                    "1024 need root or the capability CAP_NET_BIND_SERVICE");
}

static void a_group_shares_one_port(void **state)
{
    enum { LISTENERS = 3, CLIENTS = 60 };
    struct fixture *f = *state;
    struct fixture each[LISTENERS];
    struct alk_listener *group[LISTENERS], *stranger[2];
    struct alk_address address;
    size_t count = LISTENERS, two = 2;
    int fds[CLIENTS];

    assert_true(alk_address_numeric("127.0.0.1", 0, &address));
    assert_int_equal(alk_listener_new_group(group, &count, &address, NULL, NULL), 0);
    assert_int_equal(count, LISTENERS);
    memset(each, 0, sizeof(each));
    for (size_t i = 0; i < LISTENERS; i++)
        assert_int_equal(alk_listener_start(group[i], f->loop, on_accept, &each[i]), 0);
    address = *alk_listener_address(group[2]);
    assert_int_equal(alk_address_port(&address), alk_address_port(alk_listener_address(group[0])));
    for (size_t i = 0; i < CLIENTS; i++)
        fds[i] = net_connect(&address);
    for (int turns = 0; turns < 100; turns++)
        net_run_ready(f->loop);
    assert_int_equal(each[0].count + each[1].count + each[2].count, CLIENTS);
    /* one in 3^60 runs leaves one of them without any */
    assert_true(each[0].count > 0 && each[1].count > 0 && each[2].count > 0);
    assert_int_equal(alk_listener_new_group(stranger, &two, &address, NULL, NULL), ALK_E_EXISTS);
    for (size_t i = 0; i < CLIENTS; i++)
        close(fds[i]);
    for (size_t i = 0; i < LISTENERS; i++)
        alk_listener_close(group[i]);
}

static void the_callback_may_close_the_listener(void **state)
{
    struct fixture *f = *state;
    int fds[4];

    listen_on(f, "127.0.0.1:0");
    for (size_t i = 0; i < 4; i++)
        fds[i] = net_connect(alk_listener_address(f->listener));
    f->close_listener = true;
    net_run_until(f->loop, &f->accepted);
    assert_int_equal(f->count, 1);
    for (size_t i = 0; i < 4; i++)
        close(fds[i]);
}

static void a_unix_socket_is_private_and_goes_with_its_listener(void **state)
{
    struct fixture *f = *state;
    struct stat st;
    char spec[80];

    snprintf(spec, sizeof(spec), "unix:%s", f->path);
    listen_on(f, spec);
    assert_int_equal(stat(f->path, &st), 0);
    assert_int_equal(st.st_mode, S_IFSOCK | 0600);
    int fd = net_connect(alk_listener_address(f->listener));
    net_run_until(f->loop, &f->accepted);
    assert_string_equal(f->peer, "");
    assert_string_equal(f->transport, "unix");
    close(fd);
    alk_listener_close(f->listener);
    f->listener = NULL;
    assert_int_equal(stat(f->path, &st), -1);
}

static void only_a_stale_unix_socket_is_replaced(void **state)
{
    struct fixture *f = *state;
    struct alk_listener *other;
    struct alk_address address;
    struct alk_error error = {0};
    struct stat st;

    assert_int_equal(alk_address_unix(f->path, &address), 0);
    /* a socket that nobody listens on: left by a program that died */
    int dead = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(dead, &address.sa.any, address.len), 0);
    close(dead);
    assert_int_equal(alk_listener_new(&f->listener, &address, NULL, &error), 0);
    /* one that is served */
    assert_int_equal(alk_listener_new(&other, &address, NULL, &error), ALK_E_EXISTS);
    assert_non_null(strstr(error.text, f->path));
    /* somebody else's file in its place survives the close */
    assert_int_equal(unlink(f->path), 0);
    close(open(f->path, O_CREAT | O_WRONLY, 0600));
    alk_listener_close(f->listener);
    f->listener = NULL;
    assert_int_equal(stat(f->path, &st), 0);
    /* and is not a socket to be replaced */
    assert_int_equal(alk_listener_new(&other, &address, NULL, &error), ALK_E_EXISTS);
    assert_int_equal(stat(f->path, &st), 0);
}

static void a_busy_unix_socket_is_not_stolen(void **state)
{
    struct fixture *f = *state;
    struct alk_listener *other;
    struct alk_address address;

    assert_int_equal(alk_address_unix(f->path, &address), 0);
    int busy = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(busy, &address.sa.any, address.len), 0);
    assert_int_equal(listen(busy, 0), 0);
    int first = net_connect(&address); /* its backlog is full now */
    assert_int_equal(alk_listener_new(&other, &address, NULL, NULL), ALK_E_EXISTS);
    close(first);
    close(busy);
}

/* Takes all descriptors but `left`, so that accept4 gets EMFILE. */
static void use_up_descriptors(struct rlimit *before)
{
    struct rlimit now;
    int next = dup(0);

    assert_true(next >= 0);
    close(next);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, before), 0);
    now = *before;
    now.rlim_cur = (rlim_t)next;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &now), 0);
}

static void without_descriptors_clients_are_dropped_and_later_served(void **state)
{
    struct fixture *f = *state;
    struct rlimit before;
    char byte;

    listen_on(f, "127.0.0.1:0");
    int first = net_connect(alk_listener_address(f->listener));
    use_up_descriptors(&before);
    net_run_ready(f->loop);
    assert_int_equal(f->count, 0);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    /* told at once, not left waiting */
    ssize_t n = recv(first, &byte, 1, MSG_DONTWAIT);
    assert_true(n == 0 || (n < 0 && errno == ECONNRESET));
    close(first);
    int second = net_connect(alk_listener_address(f->listener));
    net_run_ready(f->loop);
    assert_int_equal(f->count, 0); /* still in its pause */
    net_run_until(f->loop, &f->accepted);
    assert_int_equal(f->count, 1);
    close(second);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(tcp_streams_know_their_peer),
        TEST(accepted_sockets_inherit_nodelay_and_keepalive),
        TEST(the_ipv6_wildcard_leaves_ipv4_alone),
        TEST(a_port_in_use_is_refused_with_its_name),
        TEST(foreign_addresses_and_privileged_ports_are_explained),
        TEST(a_group_shares_one_port),
        TEST(the_callback_may_close_the_listener),
        TEST(a_unix_socket_is_private_and_goes_with_its_listener),
        TEST(only_a_stale_unix_socket_is_replaced),
        TEST(a_busy_unix_socket_is_not_stolen),
        TEST(without_descriptors_clients_are_dropped_and_later_served),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
