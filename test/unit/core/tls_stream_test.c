/* TLS streams on a loop, over two ends of a socket. */
#include "support/net.h"
#include "support/pki.h"
#include "transport/fd_stream.h"
#include "transport/tls.h"
#include "transport/tls_stream.h"

#include <alk/loop.h>
#include <alk/status.h>
#include <alk/stream.h>

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { LONG_MS = 60000 };

struct side {
    struct alk_tls_handshake *handshake;
    struct alk_stream *stream;
    int status; /* of the handshake */
    bool told;
    uint8_t *got;
    size_t len, room, piece; /* read so far; at most so many at a time */
    ssize_t last;            /* what the last read gave */
    bool full, ended;
};

struct fixture {
    struct alk_loop *loop;
    struct side client, server;
};

static struct pki_pair pair;
static struct alk_tls_context *server_context, *client_context;

static void on_handshake(void *user, int status, struct alk_stream *stream, const char *why)
{
    struct side *side = user;

    assert_false(side->told);
    assert_int_equal(status == ALK_OK, stream != NULL);
    assert_int_equal(status == ALK_OK, why[0] == '\0');
    side->handshake = NULL;
    side->stream = stream;
    side->status = status;
    side->told = true;
}

static struct alk_stream *lower(struct fixture *f, int fd)
{
    struct alk_stream *stream = NULL;

    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(alk_fd_stream_new(&stream, f->loop, fd, "unix"), ALK_OK);
    return stream;
}

static void begin(struct fixture *f, struct side *side, bool server, int fd, uint64_t timeout_ms)
{
    assert_int_equal(alk_tls_handshake_start(
                         &side->handshake, lower(f, fd), server ? server_context : client_context,
                         server ? NULL : "a.test", timeout_ms, on_handshake, side),
                     ALK_OK);
    assert_false(side->told);
}

static void make(struct fixture *f)
{
    memset(f, 0, sizeof(*f));
    assert_int_equal(alk_loop_new(&f->loop), ALK_OK);
}

static void join(struct fixture *f)
{
    int fds[2];

    make(f);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    begin(f, &f->client, false, fds[0], LONG_MS);
    begin(f, &f->server, true, fds[1], LONG_MS);
    net_run_until(f->loop, &f->client.told);
    net_run_until(f->loop, &f->server.told);
    assert_int_equal(f->client.status, ALK_OK);
    assert_int_equal(f->server.status, ALK_OK);
    assert_string_equal(f->server.stream->ops->transport, "tls");
}

static void part(struct fixture *f)
{
    struct side *sides[] = {&f->client, &f->server};

    for (int i = 0; i < 2; i++) {
        alk_tls_handshake_cancel(sides[i]->handshake);
        alk_stream_close(sides[i]->stream);
        free(sides[i]->got);
    }
    alk_loop_free(f->loop);
}

/* One read for each time that it is called, as the session does. */
static void on_ready(struct alk_stream *stream, unsigned ready, void *user)
{
    struct side *side = user;
    size_t want = side->room - side->len < side->piece ? side->room - side->len : side->piece;
    uint8_t more;

    assert_int_equal(ready, ALK_READABLE);
    side->last =
        alk_stream_read(stream, want > 0 ? side->got + side->len : &more, want > 0 ? want : 1);
    assert_true(want > 0 || side->last <= 0);
    if (side->last > 0)
        side->len += (size_t)side->last;
    side->full = side->len == side->room;
    if (side->last <= 0 && side->last != ALK_E_AGAIN) {
        side->ended = true;
        alk_stream_watch(stream, 0);
    }
}

static void collect(struct side *side, size_t room, size_t piece)
{
    side->got = malloc(room + 1);
    side->room = room;
    side->piece = piece;
    alk_stream_set_handler(side->stream, on_ready, side);
    alk_stream_watch(side->stream, ALK_READABLE);
}

static void parts_arrive_however_they_are_read(void **state)
{
    static const size_t pieces[] = {1, 7, 5000, 100000};
    struct iovec parts[40];
    char text[40][8], whole[400] = "";

    (void)state;
    for (int i = 0; i < 40; i++) {
        snprintf(text[i], sizeof(text[i]), "%d,", i * i * i);
        strcat(whole, text[i]);
        parts[i] = (struct iovec){.iov_base = text[i], .iov_len = strlen(text[i])};
    }
    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        struct fixture f;
        join(&f);
        collect(&f.server, strlen(whole), pieces[i]);
        assert_int_equal(alk_stream_writev(f.client.stream, parts, 40), strlen(whole));
        net_run_until(f.loop, &f.server.full);
        assert_memory_equal(f.server.got, whole, strlen(whole));
        part(&f);
    }
}

/* More than the socket and the stream hold: the rest is refused; what was taken still comes when
 * the stream is closed at once, and then the farewell. */
static void closing_lets_what_was_written_go_out(void **state)
{
    static uint8_t data[1 << 20];
    struct fixture f;
    size_t taken = 0;
    ssize_t n;

    (void)state;
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(i * 31 + i / 1000);
    join(&f);
    while ((n = alk_stream_write(f.client.stream, data + taken, sizeof(data) - taken)) > 0)
        taken += (size_t)n;
    assert_int_equal(n, ALK_E_AGAIN);
    assert_true(taken < sizeof(data));
    alk_stream_close(f.client.stream);
    f.client.stream = NULL;
    collect(&f.server, taken, 100000);
    net_run_until(f.loop, &f.server.ended);
    assert_int_equal(f.server.last, 0);
    assert_int_equal(f.server.len, taken);
    assert_memory_equal(f.server.got, data, taken);
    part(&f);
}

/* One small read, and then not interested for a while. */
static void read_and_rest(struct alk_stream *stream, unsigned ready, void *user)
{
    struct side *side = user;

    assert_int_equal(ready, ALK_READABLE);
    side->last = alk_stream_read(stream, side->got + side->len, 4);
    assert_int_equal(side->last, 4);
    side->len += 4;
    side->full = true;
    alk_stream_watch(stream, 0);
}

/* What is here already is told of whenever it is wanted. */
static void readiness_is_not_lost_while_nobody_wants_it(void **state)
{
    struct fixture f;

    (void)state;
    join(&f);
    assert_int_equal(alk_stream_write(f.client.stream, "0123456789ab", 12), 12);
    f.server.got = malloc(12);
    alk_stream_set_handler(f.server.stream, read_and_rest, &f.server);
    while (f.server.len < 12) {
        f.server.full = false;
        alk_stream_watch(f.server.stream, ALK_READABLE);
        net_run_until(f.loop, &f.server.full);
        net_run_ready(f.loop);
        net_run_ready(f.loop);
    }
    assert_memory_equal(f.server.got, "0123456789ab", 12);
    part(&f);
}

/* As through a proxy that is reached over TLS itself. */
static void tls_runs_over_tls(void **state)
{
    static uint8_t data[300000];
    struct fixture f;
    struct side client = {0}, server = {0};
    size_t taken = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(i * 13 + i / 777);
    join(&f);
    assert_int_equal(alk_tls_handshake_start(&client.handshake, f.client.stream, client_context,
                                             "a.test", LONG_MS, on_handshake, &client),
                     ALK_OK);
    assert_int_equal(alk_tls_handshake_start(&server.handshake, f.server.stream, server_context,
                                             NULL, LONG_MS, on_handshake, &server),
                     ALK_OK);
    f.client.stream = f.server.stream = NULL; /* they belong to the new ones */
    net_run_until(f.loop, &client.told);
    net_run_until(f.loop, &server.told);
    assert_int_equal(client.status, ALK_OK);
    assert_int_equal(server.status, ALK_OK);
    collect(&server, sizeof(data), 50000);
    while (taken < sizeof(data)) {
        ssize_t n = alk_stream_write(client.stream, data + taken, sizeof(data) - taken);
        assert_true(n > 0 || n == ALK_E_AGAIN);
        taken += n > 0 ? (size_t)n : 0;
        net_run_ready(f.loop);
    }
    net_run_until(f.loop, &server.full);
    assert_memory_equal(server.got, data, sizeof(data));
    f.client.stream = client.stream;
    f.server.stream = server.stream;
    free(server.got);
    part(&f);
}

static void the_loop_may_end_before_the_last_bytes_are_out(void **state)
{
    static uint8_t data[1 << 20];
    struct fixture f;

    (void)state;
    join(&f);
    while (alk_stream_write(f.client.stream, data, sizeof(data)) > 0)
        ;
    part(&f); /* closes both, and frees the loop: the sanitizers see what is left */
}

static void one_direction_ends_before_the_other(void **state)
{
    struct fixture f;

    (void)state;
    join(&f);
    collect(&f.server, 4, 100);
    assert_int_equal(alk_stream_write(f.client.stream, "last", 4), 4);
    assert_int_equal(alk_stream_finish(f.client.stream), ALK_OK);
    assert_int_equal(alk_stream_write(f.client.stream, "more", 4), ALK_E_INVAL);
    net_run_until(f.loop, &f.server.ended);
    assert_int_equal(f.server.last, 0);
    assert_int_equal(f.server.len, 4);
    collect(&f.client, 6, 100);
    assert_int_equal(alk_stream_write(f.server.stream, "answer", 6), 6);
    net_run_until(f.loop, &f.client.full);
    part(&f);
}

static void a_peer_that_vanishes_said_no_farewell(void **state)
{
    struct fixture f;

    (void)state;
    join(&f);
    collect(&f.server, 1, 100);
    alk_stream_abort(f.client.stream);
    f.client.stream = NULL;
    net_run_until(f.loop, &f.server.ended);
    assert_int_equal(f.server.last, ALK_E_CLOSED);
    part(&f);
}

static void handshakes_fail_once_and_say_why(void **state)
{
    struct fixture f;
    int fds[2];

    (void)state;
    /* in time */
    make(&f);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    begin(&f, &f.server, true, fds[0], 20);
    net_run_until(f.loop, &f.server.told);
    assert_int_equal(f.server.status, ALK_E_TIMEOUT);
    assert_int_equal(read(fds[1], &f, 1), 0);
    close(fds[1]);
    part(&f);
    /* by garbage; the peer is told by an alert */
    make(&f);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    begin(&f, &f.server, true, fds[0], LONG_MS);
    assert_int_equal(write(fds[1], "SSH-2.0-nobody\r\n", 16), 16);
    net_run_until(f.loop, &f.server.told);
    assert_int_equal(f.server.status, ALK_E_PROTO);
    close(fds[1]);
    part(&f);
    /* by cancelling, at once and under way */
    for (int turns = 0; turns < 3; turns++) {
        make(&f);
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
        begin(&f, &f.client, false, fds[0], LONG_MS);
        begin(&f, &f.server, true, fds[1], LONG_MS);
        for (int i = 0; i < turns; i++)
            net_run_ready(f.loop);
        if (f.server.handshake != NULL) {
            alk_tls_handshake_cancel(f.server.handshake);
            f.server.handshake = NULL;
            net_run_until(f.loop, &f.client.told);
            /* it may have been done already, being the first of the two */
            assert_true(f.client.status == ALK_E_CLOSED || f.client.stream != NULL);
        }
        part(&f);
    }
}

static int make_contexts(void **state)
{
    (void)state;
    pki_make(&pair, "a.test", 30);
    const struct alk_tls_pem chain = {"chain", pair.cert, strlen(pair.cert)};
    const struct alk_tls_pem key = {"key", pair.key, strlen(pair.key)};
    const struct alk_tls_trust trust = {.authorities = &chain};
    return alk_tls_server_context(&server_context, &chain, &key, NULL) != ALK_OK ||
           alk_tls_client_context(&client_context, &trust, NULL) != ALK_OK;
}

static int drop_contexts(void **state)
{
    (void)state;
    alk_tls_context_release(server_context);
    alk_tls_context_release(client_context);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_arrive_however_they_are_read),
        cmocka_unit_test(closing_lets_what_was_written_go_out),
        cmocka_unit_test(readiness_is_not_lost_while_nobody_wants_it),
        cmocka_unit_test(tls_runs_over_tls),
        cmocka_unit_test(the_loop_may_end_before_the_last_bytes_are_out),
        cmocka_unit_test(one_direction_ends_before_the_other),
        cmocka_unit_test(a_peer_that_vanishes_said_no_farewell),
        cmocka_unit_test(handshakes_fail_once_and_say_why),
    };
    return cmocka_run_group_tests(tests, make_contexts, drop_contexts);
}
