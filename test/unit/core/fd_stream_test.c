#include "support/net.h"
#include "transport/address.h"
#include "transport/fd_stream.h"

#include <alk/loop.h>
#include <alk/status.h>
#include <alk/stream.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    struct alk_loop *loop;
    struct alk_stream *stream;
    int peer; /* blocking */
    bool called;
    unsigned ready, calls;
};

static void pair(struct fixture *f, bool tcp)
{
    int fds[2];

    memset(f, 0, sizeof(*f));
    assert_int_equal(alk_loop_new(&f->loop), 0);
    if (tcp) {
        struct alk_address address;
        int listener = net_listen(false, &address);
        fds[0] = net_connect(&address);
        fds[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        close(listener);
    } else {
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    }
    f->peer = fds[0];
    assert_int_equal(fcntl(fds[1], F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(alk_fd_stream_new(&f->stream, f->loop, fds[1], tcp ? "tcp" : "unix"), 0);
}

static void end(struct fixture *f)
{
    alk_stream_close(f->stream);
    if (f->peer >= 0)
        close(f->peer);
    alk_loop_free(f->loop);
}

static void note(struct alk_stream *stream, unsigned ready, void *user)
{
    struct fixture *f = user;

    assert_ptr_equal(stream, f->stream);
    f->called = true;
    f->ready = ready;
    f->calls++;
}

static void reading_tells_data_again_and_end(void **state)
{
    for (int tcp = 0; tcp < 2; tcp++) {
        struct fixture f;
        char data[8];

        (void)state;
        pair(&f, tcp);
        assert_int_equal(alk_stream_read(f.stream, data, sizeof(data)), ALK_E_AGAIN);
        assert_int_equal(alk_stream_read(f.stream, data, 0), ALK_E_INVAL);
        assert_int_equal(write(f.peer, "hello", 5), 5);
        alk_stream_set_handler(f.stream, note, &f);
        alk_stream_watch(f.stream, ALK_READABLE);
        net_run_until(f.loop, &f.called);
        assert_int_equal(f.ready, ALK_READABLE);
        assert_int_equal(alk_stream_read(f.stream, data, sizeof(data)), 5);
        assert_memory_equal(data, "hello", 5);
        assert_int_equal(shutdown(f.peer, SHUT_WR), 0);
        f.called = false;
        net_run_until(f.loop, &f.called);
        assert_int_equal(alk_stream_read(f.stream, data, sizeof(data)), 0);
        end(&f);
    }
}

static void readiness_is_level_triggered_and_stops_when_unwatched(void **state)
{
    struct fixture f;

    (void)state;
    pair(&f, false);
    alk_stream_set_handler(f.stream, note, &f);
    assert_int_equal(write(f.peer, "x", 1), 1);
    net_run_ready(f.loop);
    assert_int_equal(f.calls, 0); /* nothing watched yet */
    alk_stream_watch(f.stream, ALK_READABLE | ALK_WRITABLE);
    alk_stream_watch(f.stream, ALK_READABLE | ALK_WRITABLE);
    net_run_ready(f.loop);
    assert_int_equal(f.calls, 1);
    assert_int_equal(f.ready, ALK_READABLE | ALK_WRITABLE);
    net_run_ready(f.loop);
    assert_int_equal(f.calls, 2); /* not taken: told again */
    alk_stream_watch(f.stream, ALK_WRITABLE);
    net_run_ready(f.loop);
    assert_int_equal(f.ready, ALK_WRITABLE);
    alk_stream_watch(f.stream, 0);
    f.calls = 0;
    net_run_ready(f.loop);
    assert_int_equal(f.calls, 0);
    alk_stream_watch(f.stream, ALK_READABLE);
    net_run_ready(f.loop);
    assert_int_equal(f.ready, ALK_READABLE);
    end(&f);
}

static void parts_are_gathered_up_to_the_systems_limit(void **state)
{
    static struct iovec parts[IOV_MAX + 7];
    struct fixture f;
    char one = 'a', data[IOV_MAX + 7];

    (void)state;
    pair(&f, false);
    for (size_t i = 0; i < IOV_MAX + 7; i++)
        parts[i] = (struct iovec){.iov_base = &one, .iov_len = 1};
    assert_int_equal(alk_stream_writev(f.stream, parts, IOV_MAX + 7), IOV_MAX);
    assert_int_equal(recv(f.peer, data, IOV_MAX, MSG_WAITALL), IOV_MAX);
    assert_int_equal(alk_stream_writev(f.stream, parts, 0), 0);
    assert_int_equal(alk_stream_write(f.stream, "xyz", 3), 3);
    assert_int_equal(alk_stream_finish(f.stream), ALK_OK);
    assert_int_equal(recv(f.peer, data, 4, MSG_WAITALL), 3);
    end(&f);
}

static void a_full_socket_says_again(void **state)
{
    static char block[1 << 20];
    struct fixture f;
    ssize_t n;

    (void)state;
    pair(&f, true);
    while ((n = alk_stream_write(f.stream, block, sizeof(block))) > 0)
        ;
    assert_int_equal(n, ALK_E_AGAIN);
    end(&f);
}

static void writing_to_a_closed_peer_raises_no_signal(void **state)
{
    for (int tcp = 0; tcp < 2; tcp++) {
        struct fixture f;
        struct linger reset = {1, 0};

        (void)state;
        pair(&f, tcp);
        setsockopt(f.peer, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
        close(f.peer);
        f.peer = -1;
        /* the first write after a reset may get ECONNRESET, the second EPIPE */
        assert_int_equal(alk_stream_write(f.stream, "x", 1), ALK_E_CLOSED);
        assert_int_equal(alk_stream_write(f.stream, "x", 1), ALK_E_CLOSED);
        end(&f);
    }
}

static int reads_after(bool abort)
{
    struct fixture f;
    char data[4];

    pair(&f, true);
    if (abort)
        alk_stream_abort(f.stream);
    else
        alk_stream_close(f.stream);
    f.stream = NULL;
    int n = (int)recv(f.peer, data, sizeof(data), 0);
    int result = n < 0 ? -errno : n;
    end(&f);
    return result;
}

static void abort_resets_and_close_ends(void **state)
{
    (void)state;
    assert_int_equal(reads_after(false), 0);
    assert_int_equal(reads_after(true), -ECONNRESET);
}

static void close_in_handler(struct alk_stream *stream, unsigned ready, void *user)
{
    struct fixture *f = user;

    (void)ready;
    f->called = true;
    f->stream = NULL;
    alk_stream_close(stream);
}

static void a_stream_may_close_in_its_handler(void **state)
{
    struct fixture f;

    (void)state;
    int before = net_open_fds();
    pair(&f, true);
    alk_stream_set_handler(f.stream, close_in_handler, &f);
    alk_stream_watch(f.stream, ALK_WRITABLE);
    net_run_until(f.loop, &f.called);
    end(&f);
    assert_int_equal(net_open_fds(), before);
}

static void the_peer_and_the_options_are_set(void **state)
{
    struct fixture f;
    struct alk_address self = {.len = sizeof(self.sa)};

    (void)state;
    pair(&f, true);
    assert_int_equal(getsockname(f.peer, &self.sa.any, &self.len), 0);
    assert_string_equal(f.stream->peer, "127.0.0.1");
    assert_int_equal(f.stream->peer_port, alk_address_port(&self));
    assert_string_equal(f.stream->ops->transport, "tcp");
    end(&f);
    pair(&f, false);
    assert_string_equal(f.stream->peer, "");
    assert_string_equal(f.stream->ops->transport, "unix");
    assert_int_equal(alk_fd_stream_new(&f.stream, f.loop, f.peer, "pigeon"), ALK_E_INVAL);
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reading_tells_data_again_and_end),
        cmocka_unit_test(readiness_is_level_triggered_and_stops_when_unwatched),
        cmocka_unit_test(parts_are_gathered_up_to_the_systems_limit),
        cmocka_unit_test(a_full_socket_says_again),
        cmocka_unit_test(writing_to_a_closed_peer_raises_no_signal),
        cmocka_unit_test(abort_resets_and_close_ends),
        cmocka_unit_test(a_stream_may_close_in_its_handler),
        cmocka_unit_test(the_peer_and_the_options_are_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
