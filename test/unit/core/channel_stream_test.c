/* A channel of a live session as a stream: two sessions on one loop, joined by a socket pair. What is
 * before the stream reads and writes as anybody would; behind it a server takes and sends. */
#include "interface/session.h"
#include "support/net.h"
#include "transport/fd_stream.h"
#include "tunnel/channel_stream.h"

#include <alk/key.h>
#include <event2/event.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <cmocka.h>

enum {
    PIECE = 8192,
    SECONDS = 20,
    IDLE = 50 /* rounds in which nothing is ready: nothing comes */
};

struct fixture {
    struct alk_loop *loop;
    struct alk_key *host_key, *user_key;
    const struct alk_engine *engine; /* of the client */
    struct alk_session *client, *server;
    struct alk_channel_users users;
    bool online;
    unsigned client_ends;

    struct alk_ssh_channel *remote; /* the channel at the server; NULL: none, or closed */
    enum { ACCEPT, REFUSE, SILENT } answer;
    bool takes;   /* the server lets its window reopen */
    size_t taken; /* by the server, and what is not confirmed of it */
    size_t held;
    uint64_t taken_sum;
    size_t sent; /* by the server */
    uint64_t sent_sum;
    unsigned eofs, closes;

    struct alk_channel_opening *opening;
    struct alk_stream *stream;
    unsigned answers;
    int status;
    unsigned watched, ready, calls; /* what on_ready was told */
    bool closes_itself;             /* from within on_ready */
};

static uint64_t sum_of(uint64_t sum, const uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i++)
        sum = sum * 31 + data[i];
    return sum;
}

static void fill(uint8_t data[PIECE], size_t at)
{
    for (size_t i = 0; i < PIECE; i++)
        data[i] = (uint8_t)((at + i) * 7 + ((at + i) >> 13));
}

/* ---- the server ---- */

static void server_event(void *user, const struct alk_ssh_event *event)
{
    struct fixture *f = user;
    struct alk_ssh *ssh = alk_session_ssh(f->server);

    switch (event->type) {
    case ALK_SSH_AUTH_REQUEST:
        alk_ssh_auth_reply(ssh, true);
        break;
    case ALK_SSH_CHANNEL_REQUEST:
        assert_string_equal(event->host, "target.test");
        assert_int_equal(event->port, 443);
        f->remote = event->channel;
        if (f->answer == ACCEPT)
            alk_ssh_channel_accept(ssh, event->channel);
        else if (f->answer == REFUSE)
            alk_ssh_channel_reject(ssh, event->channel, ALK_SSH_OPEN_PROHIBITED, "no");
        break;
    case ALK_SSH_CHANNEL_DATA:
        f->taken += event->len;
        f->taken_sum = sum_of(f->taken_sum, event->data, event->len);
        if (f->takes)
            alk_ssh_channel_consumed(ssh, event->channel, event->len);
        else
            f->held += event->len;
        break;
    case ALK_SSH_CHANNEL_EOF:
        f->eofs++;
        break;
    case ALK_SSH_CHANNEL_CLOSED:
        f->closes++;
        f->remote = NULL;
        break;
    default:
        break;
    }
    alk_session_touch(f->server);
}

static void server_end(void *user, int status, const char *why)
{
    (void)user;
    (void)status;
    (void)why;
}

/* Sends up to len bytes, as many as the windows allow. */
static size_t server_sends(struct fixture *f, size_t len)
{
    uint8_t data[PIECE];
    size_t before = f->sent;

    while (f->sent - before < len) {
        size_t piece = len - (f->sent - before) < PIECE ? len - (f->sent - before) : PIECE;
        fill(data, f->sent);
        size_t n = alk_ssh_channel_write(alk_session_ssh(f->server), f->remote, data, piece);
        f->sent += n;
        f->sent_sum = sum_of(f->sent_sum, data, n);
        if (n < piece)
            break;
    }
    alk_session_touch(f->server);
    return f->sent - before;
}

static void server_lets_go_on(struct fixture *f)
{
    f->takes = true;
    alk_ssh_channel_consumed(alk_session_ssh(f->server), f->remote, f->held);
    f->held = 0;
    alk_session_touch(f->server);
}

/* ---- the client ---- */

static void sign_in(struct fixture *f)
{
    struct alk_ssh *ssh = alk_session_ssh(f->client);
    const uint8_t *blob = alk_key_blob(f->user_key), *data;
    uint8_t signature[ALK_SIGNATURE_BLOB_SIZE];
    size_t len;

    assert_int_equal(f->engine->auth_to_sign(ssh, "user", blob, ALK_KEY_BLOB_SIZE, &data, &len), 0);
    alk_key_sign(f->user_key, data, len, signature);
    assert_int_equal(f->engine->auth_signed(ssh, signature, sizeof(signature)), 0);
}

static void client_event(void *user, const struct alk_ssh_event *event)
{
    struct fixture *f = user;
    struct alk_ssh *ssh = alk_session_ssh(f->client);

    switch (event->type) {
    case ALK_SSH_HOST_KEY:
        f->engine->host_key_accept(ssh);
        break;
    case ALK_SSH_AUTH_READY:
        if (f->engine->probes_first)
            f->engine->auth_probe(ssh, "user", alk_key_blob(f->user_key), ALK_KEY_BLOB_SIZE);
        else
            sign_in(f);
        break;
    case ALK_SSH_AUTH_KEY_OK:
        if (f->engine->probes_first)
            sign_in(f);
        break;
    case ALK_SSH_AUTHENTICATED:
        f->online = true;
        break;
    case ALK_SSH_CHANNEL_OPENED:
    case ALK_SSH_CHANNEL_FAILED:
    case ALK_SSH_CHANNEL_DATA:
    case ALK_SSH_CHANNEL_EOF:
    case ALK_SSH_CHANNEL_CLOSED:
    case ALK_SSH_CHANNEL_ROOM:
        alk_channel_dispatch(event);
        break;
    default:
        break;
    }
    alk_session_touch(f->client);
}

static void client_end(void *user, int status, const char *why)
{
    struct fixture *f = user;

    (void)status;
    (void)why;
    f->client_ends++;
    alk_channel_users_end(&f->users);
}

static void on_ready(struct alk_stream *stream, unsigned ready, void *user)
{
    struct fixture *f = user;

    assert_ptr_equal(stream, f->stream);
    f->ready = ready;
    f->calls++;
    if (f->closes_itself) {
        alk_stream_close(stream);
        f->stream = NULL;
    }
}

static void on_answer(void *user, int status, struct alk_stream *stream, const char *cause)
{
    struct fixture *f = user;

    (void)cause;
    f->opening = NULL;
    f->answers++;
    f->status = status;
    f->stream = stream;
    if (stream != NULL)
        alk_stream_set_handler(stream, on_ready, f);
}

/* ---- the test's turn ---- */

typedef bool (*condition_fn)(const struct fixture *f);

static void on_guard(void *user)
{
    *(bool *)user = true;
}

static void run_until(struct fixture *f, condition_fn condition)
{
    bool late = false;
    struct alk_timer *guard;

    assert_int_equal(alk_timer_new(&guard, f->loop, on_guard, &late), 0);
    assert_int_equal(alk_timer_set(guard, SECONDS * 1000), 0);
    while (!condition(f) && !late)
        event_base_loop(alk_loop_base(f->loop), EVLOOP_ONCE);
    alk_timer_free(guard);
    if (late)
        fail_msg("what was waited for has not come within %d s", SECONDS);
}

static bool is_online(const struct fixture *f)
{
    return f->online;
}

static bool is_answered(const struct fixture *f)
{
    return f->answers > 0;
}

static bool is_asked(const struct fixture *f)
{
    return f->remote != NULL;
}

static bool is_ready(const struct fixture *f)
{
    return f->calls > 0;
}

static bool has_eof(const struct fixture *f)
{
    return f->eofs > 0;
}

static bool is_closed(const struct fixture *f)
{
    return f->closes > 0;
}

static bool has_client_ended(const struct fixture *f)
{
    return f->client_ends > 0;
}

static bool is_broken(const struct fixture *f)
{
    return alk_stream_write(f->stream, "x", 1) == ALK_E_CLOSED;
}

/* Readable or writable, as it is told from now on. */
static void wait_for(struct fixture *f, unsigned readiness)
{
    f->calls = 0;
    alk_stream_watch(f->stream, readiness);
    run_until(f, is_ready);
    assert_int_equal(f->ready, readiness);
    alk_stream_watch(f->stream, 0);
}

/* Reads until that many bytes have come. */
static uint64_t read_all(struct fixture *f, size_t len, uint64_t sum)
{
    uint8_t data[3000];

    while (len > 0) {
        ssize_t n = alk_stream_read(f->stream, data, len < sizeof(data) ? len : sizeof(data));
        if (n == ALK_E_AGAIN) {
            wait_for(f, ALK_READABLE);
            continue;
        }
        assert_true(n > 0);
        sum = sum_of(sum, data, (size_t)n);
        len -= (size_t)n;
    }
    return sum;
}

/* The server sends len bytes in all, and each is read; returns their sum behind this one. */
static uint64_t pass_on(struct fixture *f, size_t len, uint64_t sum)
{
    size_t end = f->sent + len, n = 1;

    for (unsigned idle = 0; f->sent < end; idle = n == 0 ? idle + 1 : 0) {
        n = server_sends(f, end - f->sent);
        sum = read_all(f, n, sum);
        net_run_ready(f->loop);
        if (idle == IDLE)
            fail_msg("the window is not opened any more");
    }
    return sum;
}

/* Writes len bytes, or as many as are taken without waiting. */
static size_t write_all(struct fixture *f, size_t at, size_t len, bool waits, uint64_t *sum)
{
    uint8_t data[PIECE];
    size_t done = 0;

    while (done < len) {
        fill(data, at + done);
        size_t piece = len - done < PIECE ? len - done : PIECE;
        ssize_t n = alk_stream_write(f->stream, data, piece);
        if (n == ALK_E_AGAIN && !waits)
            break;
        if (n == ALK_E_AGAIN) {
            wait_for(f, ALK_WRITABLE);
            continue;
        }
        assert_true(n > 0);
        *sum = sum_of(*sum, data, (size_t)n);
        done += (size_t)n;
    }
    return done;
}

/* ---- life ---- */

static void begin(struct fixture *f, const struct alk_engine *engine)
{
    static const struct alk_session_handler server = {.on_event = server_event,
                                                      .on_end = server_end};
    static const struct alk_session_handler client = {.on_event = client_event,
                                                      .on_end = client_end};
    struct alk_ssh_options of_server = ALK_SSH_OPTIONS_INIT, of_client = ALK_SSH_OPTIONS_INIT;
    struct alk_stream *ends[2];
    int fds[2];

    *f = (struct fixture){.engine = engine, .takes = true};
    LIST_INIT(&f->users);
    assert_int_equal(alk_loop_new(&f->loop), 0);
    assert_int_equal(alk_key_generate(&f->host_key), 0);
    assert_int_equal(alk_key_generate(&f->user_key), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(alk_fd_stream_new(&ends[i], f->loop, fds[i], "unix"), 0);
    of_server.role = ALK_SSH_SERVER;
    of_server.host_key = f->host_key;
    of_client.role = ALK_SSH_CLIENT;
    assert_int_equal(
        alk_session_new(&f->server, f->loop, ends[0], &alk_engine_native, &of_server, &server, f),
        0);
    assert_int_equal(alk_session_new(&f->client, f->loop, ends[1], engine, &of_client, &client, f),
                     0);
    run_until(f, is_online);
}

static void end(struct fixture *f)
{
    alk_stream_close(f->stream);
    assert_true(LIST_EMPTY(&f->users));
    alk_session_free(f->client);
    alk_session_free(f->server);
    alk_key_free(f->host_key);
    alk_key_free(f->user_key);
    alk_loop_free(f->loop);
}

static void ask(struct fixture *f, uint64_t timeout_ms)
{
    assert_int_equal(alk_channel_stream_open(&f->opening, &f->users, f->client, "target.test", 443,
                                             timeout_ms, on_answer, f),
                     0);
    assert_int_equal(f->answers, 0);
}

static void begin_open(struct fixture *f, const struct alk_engine *engine)
{
    begin(f, engine);
    ask(f, SECONDS * 1000);
    run_until(f, is_answered);
    assert_int_equal(f->status, ALK_OK);
    assert_string_equal(f->stream->ops->transport, "channel");
}

static const struct alk_engine *const engines[] = {&alk_engine_native, &alk_engine_libssh2};

/* ---- tests ---- */

static void carries_both_ways_and_ends_each_by_itself(void **state)
{
    enum { MUCH = 12 * 1024 * 1024 };

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct fixture f;
        uint8_t byte;
        uint64_t written = 0;
        begin_open(&f, engines[i]);
        assert_int_equal(alk_stream_read(f.stream, &byte, 1), ALK_E_AGAIN);
        assert_int_equal(alk_stream_read(f.stream, &byte, 0), ALK_E_INVAL);
        assert_int_equal(alk_stream_write(f.stream, &byte, 0), 0);
        assert_int_equal(write_all(&f, 0, MUCH, true, &written), MUCH);
        assert_int_equal(alk_stream_finish(f.stream), ALK_OK);
        run_until(&f, has_eof);
        assert_int_equal(f.taken, MUCH);
        assert_true(f.taken_sum == written);
        /* the other way still goes */
        assert_true(pass_on(&f, MUCH, 0) == f.sent_sum);
        alk_ssh_channel_eof(alk_session_ssh(f.server), f.remote);
        alk_session_touch(f.server);
        wait_for(&f, ALK_READABLE);
        assert_int_equal(alk_stream_read(f.stream, &byte, 1), 0);
        assert_int_equal(alk_stream_read(f.stream, &byte, 1), 0);
        assert_int_equal(f.closes, 0);
        alk_stream_close(f.stream);
        f.stream = NULL;
        run_until(&f, is_closed);
        end(&f);
    }
}

static void who_does_not_read_stops_who_sends(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct fixture f;
        size_t n;
        begin_open(&f, engines[i]);
        /* until nothing is sent any more: the window is used up */
        for (int idle = 0; idle < IDLE; idle = n == 0 ? idle + 1 : 0) {
            n = server_sends(&f, 1 << 20);
            net_run_ready(f.loop);
            assert_true(f.sent < 32 << 20);
        }
        uint64_t sum = read_all(&f, f.sent, 0);
        assert_true(pass_on(&f, 4 << 20, sum) == f.sent_sum);
        end(&f);
    }
}

static void who_does_not_take_stops_who_writes(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct fixture f;
        uint64_t sum = 0;
        size_t done = 0, n;
        begin_open(&f, engines[i]);
        f.takes = false;
        for (int idle = 0; idle < IDLE; idle = n == 0 ? idle + 1 : 0) {
            n = write_all(&f, done, 1 << 20, false, &sum);
            done += n;
            net_run_ready(f.loop);
            assert_true(done < 64 << 20);
        }
        f.calls = 0;
        alk_stream_watch(f.stream, ALK_WRITABLE);
        for (int round = 0; round < IDLE; round++)
            net_run_ready(f.loop);
        assert_int_equal(f.calls, 0);
        server_lets_go_on(&f);
        run_until(&f, is_ready);
        assert_int_equal(f.ready, ALK_WRITABLE);
        assert_int_equal(write_all(&f, done, 4 << 20, true, &sum), 4 << 20);
        assert_int_equal(alk_stream_finish(f.stream), ALK_OK);
        run_until(&f, has_eof);
        assert_int_equal(f.taken, done + (4 << 20));
        assert_true(f.taken_sum == sum);
        end(&f);
    }
}

static void readiness_is_told_until_it_is_taken(void **state)
{
    struct fixture f;
    uint8_t data[8];

    (void)state;
    begin_open(&f, &alk_engine_native);
    alk_stream_watch(f.stream, ALK_READABLE);
    for (int round = 0; round < IDLE; round++)
        net_run_ready(f.loop);
    assert_int_equal(f.calls, 0);
    assert_int_equal(server_sends(&f, 3), 3);
    run_until(&f, is_ready);
    for (int round = 0; round < IDLE; round++)
        net_run_ready(f.loop);
    assert_true(f.calls >= 5);
    assert_int_equal(alk_stream_read(f.stream, data, sizeof(data)), 3);
    f.calls = 0;
    for (int round = 0; round < IDLE; round++)
        net_run_ready(f.loop);
    assert_int_equal(f.calls, 0);
    f.closes_itself = true;
    alk_stream_watch(f.stream, ALK_WRITABLE);
    run_until(&f, is_closed);
    assert_int_equal(f.calls, 1);
    end(&f);
}

static void when_the_channel_is_closed_what_came_can_be_read(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct fixture f;
        uint8_t data[8];
        begin_open(&f, engines[i]);
        assert_int_equal(server_sends(&f, 5), 5);
        alk_ssh_channel_close(alk_session_ssh(f.server), f.remote);
        run_until(&f, is_closed);
        wait_for(&f, ALK_READABLE);
        assert_int_equal(alk_stream_read(f.stream, data, sizeof(data)), 5);
        run_until(&f, is_broken);
        ssize_t n = alk_stream_read(f.stream, data, sizeof(data));
        assert_true(n == 0 || n == ALK_E_CLOSED);
        assert_int_equal(alk_stream_write(f.stream, "x", 1), ALK_E_CLOSED);
        assert_int_equal(alk_stream_finish(f.stream), ALK_E_CLOSED);
        end(&f);
    }
}

static void when_the_session_ends_what_came_can_be_read(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct fixture f;
        uint8_t data[8];
        begin_open(&f, engines[i]);
        assert_int_equal(server_sends(&f, 5), 5);
        wait_for(&f, ALK_READABLE);
        alk_session_end(f.server, ALK_SSH_BY_APPLICATION, "enough");
        run_until(&f, has_client_ended);
        alk_session_free(f.client); /* the stream outlives it */
        f.client = NULL;
        wait_for(&f, ALK_READABLE | ALK_WRITABLE);
        assert_int_equal(alk_stream_read(f.stream, data, sizeof(data)), 5);
        assert_int_equal(alk_stream_read(f.stream, data, sizeof(data)), ALK_E_CLOSED);
        assert_int_equal(alk_stream_write(f.stream, "x", 1), ALK_E_CLOSED);
        assert_int_equal(alk_stream_finish(f.stream), ALK_E_CLOSED);
        end(&f);
    }
}

static void a_refusal_is_told(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct fixture f;
        begin(&f, engines[i]);
        f.answer = REFUSE;
        ask(&f, SECONDS * 1000);
        run_until(&f, is_answered);
        assert_int_equal(f.status, ALK_E_DENIED);
        assert_null(f.stream);
        end(&f);
    }
}

static void an_answer_that_does_not_come_is_not_waited_for(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct fixture f;
        begin(&f, engines[i]);
        f.answer = SILENT;
        ask(&f, 1);
        run_until(&f, is_answered);
        assert_int_equal(f.status, ALK_E_TIMEOUT);
        assert_int_equal(f.answers, 1);
        end(&f);
    }
}

/* The server opens it after all: it is closed there, and nobody here hears of it. */
static void an_opening_can_be_cancelled(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct fixture f;
        begin(&f, engines[i]);
        f.answer = SILENT;
        ask(&f, SECONDS * 1000);
        run_until(&f, is_asked);
        alk_channel_opening_cancel(f.opening);
        alk_channel_opening_cancel(NULL);
        alk_ssh_channel_accept(alk_session_ssh(f.server), f.remote);
        alk_session_touch(f.server);
        run_until(&f, is_closed);
        assert_int_equal(f.answers, 0);
        end(&f);
    }
}

static void an_opening_ends_with_its_session(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct fixture f;
        begin(&f, engines[i]);
        f.answer = SILENT;
        ask(&f, SECONDS * 1000);
        run_until(&f, is_asked);
        alk_session_end(f.server, ALK_SSH_BY_APPLICATION, "enough");
        run_until(&f, is_answered);
        assert_int_equal(f.status, ALK_E_CLOSED);
        assert_int_equal(f.answers, 1);
        end(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(carries_both_ways_and_ends_each_by_itself),
        cmocka_unit_test(who_does_not_read_stops_who_sends),
        cmocka_unit_test(who_does_not_take_stops_who_writes),
        cmocka_unit_test(readiness_is_told_until_it_is_taken),
        cmocka_unit_test(when_the_channel_is_closed_what_came_can_be_read),
        cmocka_unit_test(when_the_session_ends_what_came_can_be_read),
        cmocka_unit_test(a_refusal_is_told),
        cmocka_unit_test(an_answer_that_does_not_come_is_not_waited_for),
        cmocka_unit_test(an_opening_can_be_cancelled),
        cmocka_unit_test(an_opening_ends_with_its_session),
    };

    if (alk_crypto_init() != ALK_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
