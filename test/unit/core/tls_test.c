/* TLS in memory: a client and a server joined by two pipes that move as little as one byte. */
#include "support/pki.h"
#include "transport/tls.h"

#include <alk/status.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { PIPE_MAX = 1 << 20, TURNS = 200000 };

/* One way. */
struct pipe {
    uint8_t *data;
    size_t head, tail;
    size_t step; /* most bytes of one call */
    size_t left; /* bytes until the pipe is cut */
    bool ended;
};

struct joint {
    struct pipe up, down; /* from the client, from the server */
    struct end {
        struct alk_tls *tls;
        struct pipe *in, *out;
    } client, server;
    int client_status, server_status; /* of the handshakes */
};

static struct pki_pair pair;
static struct alk_tls_context *server_context;

static ssize_t receive(void *user, void *data, size_t len)
{
    struct pipe *in = ((struct end *)user)->in;
    size_t n = in->tail - in->head;

    n = n < len ? n : len;
    n = n < in->step ? n : in->step;
    if (n == 0)
        return in->ended ? 0 : ALK_E_AGAIN;
    memcpy(data, in->data + in->head, n);
    in->head += n;
    return (ssize_t)n;
}

static ssize_t send_bytes(void *user, const void *data, size_t len)
{
    struct pipe *out = ((struct end *)user)->out;
    size_t kept = len < out->left ? len : out->left;

    assert_true(out->tail + kept <= PIPE_MAX);
    memcpy(out->data + out->tail, data, kept);
    out->tail += kept;
    out->left -= kept;
    out->ended |= out->left == 0;
    return (ssize_t)len;
}

static void make_pipe(struct pipe *pipe, size_t step)
{
    *pipe = (struct pipe){.data = malloc(PIPE_MAX), .step = step, .left = PIPE_MAX};
    assert_non_null(pipe->data);
}

static struct alk_tls_context *client_context(const char *pins, bool trust, bool insecure)
{
    const struct alk_tls_pem pem = {.name = "ca", .text = pair.cert, .len = strlen(pair.cert)};
    struct alk_tls_trust t = {.pins = pins, .insecure = insecure};
    struct alk_tls_context *context = NULL;

    if (trust)
        t.authorities = &pem;
    assert_int_equal(alk_tls_client_context(&context, &t, NULL), ALK_OK);
    return context;
}

static void join(struct joint *j, struct alk_tls_context *client, const char *name, size_t step)
{
    const struct alk_tls_io c = {receive, send_bytes, &j->client};
    const struct alk_tls_io s = {receive, send_bytes, &j->server};

    memset(j, 0, sizeof(*j));
    make_pipe(&j->up, step);
    make_pipe(&j->down, step);
    j->client.in = j->server.out = &j->down;
    j->client.out = j->server.in = &j->up;
    assert_int_equal(alk_tls_new(&j->client.tls, client, name, &c), ALK_OK);
    assert_int_equal(alk_tls_new(&j->server.tls, server_context, NULL, &s), ALK_OK);
    j->client_status = j->server_status = ALK_E_AGAIN;
}

static void part(struct joint *j)
{
    alk_tls_free(j->client.tls);
    alk_tls_free(j->server.tls);
    free(j->up.data);
    free(j->down.data);
}

/* Until both sides are done, or nothing moves any more. */
static void shake_hands(struct joint *j)
{
    for (int i = 0; i < TURNS; i++) {
        size_t before = j->up.head + j->up.tail + j->down.head + j->down.tail;
        int client = j->client_status, server = j->server_status;
        if (j->client_status == ALK_E_AGAIN)
            j->client_status = alk_tls_handshake(j->client.tls);
        if (j->server_status == ALK_E_AGAIN)
            j->server_status = alk_tls_handshake(j->server.tls);
        if (before == j->up.head + j->up.tail + j->down.head + j->down.tail &&
            client == j->client_status && server == j->server_status)
            return;
    }
    fail_msg("the handshake does not end");
}

static void move(struct end *from, struct end *to, size_t len)
{
    uint8_t *sent = malloc(len), *got = malloc(len);
    size_t at = 0, have = 0;

    for (size_t i = 0; i < len; i++)
        sent[i] = (uint8_t)(i * 7 + i / 251);
    while (at < len) {
        ssize_t n = alk_tls_write(from->tls, sent + at, len - at);
        assert_true(n > 0);
        at += (size_t)n;
    }
    for (int i = 0; have < len && i < TURNS; i++) {
        ssize_t n = alk_tls_read(to->tls, got + have, len - have);
        assert_true(n > 0 || n == ALK_E_AGAIN);
        have += n > 0 ? (size_t)n : 0;
    }
    assert_int_equal(have, len);
    assert_memory_equal(sent, got, len);
    free(sent);
    free(got);
}

static void bytes_pass_in_any_pieces(void **state)
{
    static const size_t steps[] = {1, 2, 5, 100, 1460, PIPE_MAX};
    struct alk_tls_context *client = client_context(NULL, true, false);

    (void)state;
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        struct joint j;
        join(&j, client, "a.test", steps[i]);
        shake_hands(&j);
        assert_int_equal(j.client_status, ALK_OK);
        assert_int_equal(j.server_status, ALK_OK);
        assert_string_equal(alk_tls_version(j.server.tls), "TLSv1.3");
        move(&j.client, &j.server, 1);
        move(&j.server, &j.client, 100000);
        move(&j.client, &j.server, 3 * ALK_TLS_RECORD + 1);
        part(&j);
    }
    alk_tls_context_release(client);
}

static void a_farewell_is_told_from_a_cut(void **state)
{
    struct alk_tls_context *client = client_context(NULL, true, false);
    struct joint j;
    char data[16];

    (void)state;
    join(&j, client, "a.test", PIPE_MAX);
    shake_hands(&j);
    assert_int_equal(alk_tls_read(j.server.tls, data, sizeof(data)), ALK_E_AGAIN);
    assert_int_equal(alk_tls_write(j.client.tls, "last", 4), 4);
    assert_int_equal(alk_tls_finish(j.client.tls), ALK_OK);
    assert_int_equal(alk_tls_read(j.server.tls, data, sizeof(data)), 4);
    assert_int_equal(alk_tls_read(j.server.tls, data, sizeof(data)), 0);
    assert_int_equal(alk_tls_read(j.server.tls, data, sizeof(data)), 0);
    /* the other direction is still open, */
    assert_int_equal(alk_tls_write(j.server.tls, "answer", 6), 6);
    assert_int_equal(alk_tls_read(j.client.tls, data, sizeof(data)), 6);
    /* and is cut */
    j.down.ended = true;
    assert_int_equal(alk_tls_read(j.client.tls, data, sizeof(data)), ALK_E_CLOSED);
    assert_int_equal(alk_tls_read(j.client.tls, data, sizeof(data)), ALK_E_CLOSED);
    part(&j);
    alk_tls_context_release(client);
}

/* The wire is cut after every possible byte of the client's: the server always notices, and never
 * takes what it has for the whole. */
static void cut_at_every_byte(void **state)
{
    struct alk_tls_context *client = client_context(NULL, true, true);
    struct joint j;
    char data[64];

    (void)state;
    join(&j, client, "a.test", PIPE_MAX);
    shake_hands(&j);
    assert_int_equal(alk_tls_write(j.client.tls, "0123456789", 10), 10);
    size_t whole = j.up.tail;
    part(&j);
    for (size_t cut = 1; cut < whole; cut++) {
        join(&j, client, "a.test", PIPE_MAX);
        j.up.left = cut;
        shake_hands(&j);
        if (j.server_status == ALK_OK) {
            (void)alk_tls_write(j.client.tls, "0123456789", 10);
            j.server_status = (int)alk_tls_read(j.server.tls, data, sizeof(data));
        }
        /* handshakes differ in length by a byte or three: the last cuts may leave all of it */
        if (j.server_status != 10 || cut + 8 < whole)
            assert_int_equal(j.server_status, ALK_E_CLOSED);
        part(&j);
    }
    alk_tls_context_release(client);
}

/* Each byte that the server sends while shaking hands is changed once: whatever comes of it, the
 * client does not end up with a connection that the server has not. */
static void a_changed_byte_is_noticed(void **state)
{
    struct alk_tls_context *client = client_context(NULL, true, false);

    (void)state;
    for (size_t at = 0; at < 900; at += 7) {
        struct joint j;
        join(&j, client, "a.test", PIPE_MAX);
        assert_int_equal(alk_tls_handshake(j.client.tls), ALK_E_AGAIN);
        assert_int_equal(alk_tls_handshake(j.server.tls), ALK_E_AGAIN);
        if (at < j.down.tail) {
            j.down.data[at] ^= 0x20;
            shake_hands(&j);
            assert_true(j.client_status < 0);
            assert_true(j.server_status != ALK_OK);
        }
        part(&j);
    }
    alk_tls_context_release(client);
}

static void tickets_resume_sessions(void **state)
{
    struct alk_tls_context *client = client_context(NULL, true, false);
    char data[4];

    (void)state;
    for (int i = 0; i < 3; i++) {
        struct joint j;
        join(&j, client, "a.test", PIPE_MAX);
        shake_hands(&j);
        assert_int_equal(j.client_status, ALK_OK);
        assert_int_equal(alk_tls_resumed(j.server.tls), i > 0);
        assert_int_equal(alk_tls_read(j.client.tls, data, sizeof(data)), ALK_E_AGAIN);
        part(&j);
    }
    alk_tls_context_release(client);
}

static void expect_refusal(struct alk_tls_context *client, const char *name, const char *says)
{
    struct joint j;

    join(&j, client, name, PIPE_MAX);
    shake_hands(&j);
    assert_int_equal(j.client_status, ALK_E_CERT);
    if (strstr(alk_tls_error(j.client.tls), says) == NULL)
        fail_msg("'%s' does not say '%s'", alk_tls_error(j.client.tls), says);
    assert_true(j.server_status == ALK_E_PROTO);
    assert_non_null(strstr(alk_tls_error(j.server.tls), "the peer refused"));
    /* what has failed stays so */
    assert_int_equal(alk_tls_read(j.client.tls, &j, 1), ALK_E_CERT);
    assert_int_equal(alk_tls_write(j.client.tls, "x", 1), ALK_E_CERT);
    part(&j);
    alk_tls_context_release(client);
}

static void servers_that_are_not_trusted(void **state)
{
    static const char pin[] = "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

    (void)state;
    expect_refusal(client_context(NULL, true, false), "b.test", "is for a.test, not for b.test");
    expect_refusal(client_context(NULL, true, false), "127.0.0.1", "not for 127.0.0.1");
    expect_refusal(client_context(NULL, false, false), "a.test", "self-signed");
    expect_refusal(client_context(pin, false, false), "a.test", "not the pinned one");
    expect_refusal(client_context(pin, false, true), "a.test", "not the pinned one");
}

/* Other protocols, and a hello that holds nothing. */
static void what_is_no_hello_is_refused(void **state)
{
    static const char *const inputs[] = {"GET / HTTP/1.0\r\n\r\n", "SSH-2.0-x\r\n",
                                         "\x16\x03\x01\x00\x02\x01\x00\x00\x00"};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct alk_tls_context *client = client_context(NULL, true, false);
        struct joint j;
        join(&j, client, "a.test", 1);
        memcpy(j.up.data, inputs[i], strlen(inputs[i]) + 2 * (i == 2));
        j.up.tail = strlen(inputs[i]) + 2 * (i == 2);
        j.up.ended = true;
        for (int turn = 0; turn < 100 && j.server_status == ALK_E_AGAIN; turn++)
            j.server_status = alk_tls_handshake(j.server.tls);
        assert_true(j.server_status == ALK_E_PROTO || j.server_status == ALK_E_CLOSED);
        assert_string_not_equal(alk_tls_error(j.server.tls), "");
        assert_int_equal(alk_tls_handshake(j.server.tls), j.server_status);
        part(&j);
        alk_tls_context_release(client);
    }
}

static void pins_are_read_as_curl_writes_them(void **state)
{
    static const char one[] = "sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    static const char *const bad[] = {"",
                                      ";",
                                      "sha256//",
                                      "sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
                                      "sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU",
                                      "sha256//47DEQpj8HBSa-_TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
                                      "sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=;"};
    uint8_t pins[ALK_TLS_PINS_MAX][ALK_TLS_PIN_SIZE];
    char text[ALK_TLS_PIN_TEXT], many[17 * sizeof(one)] = "";

    (void)state;
    assert_int_equal(alk_tls_pins_parse(one, pins, NULL), 1);
    alk_tls_pin_text(pins[0], text);
    assert_string_equal(text, one);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(alk_tls_pins_parse(bad[i], pins, NULL), ALK_E_PARSE);
    for (int i = 0; i < 17; i++)
        strcat(strcat(many, i > 0 ? ";" : ""), one);
    assert_int_equal(alk_tls_pins_parse(many, pins, NULL), ALK_E_PARSE);
    many[16 * sizeof(one) - 1] = '\0';
    assert_int_equal(alk_tls_pins_parse(many, pins, NULL), 16);
}

static int make(void **state)
{
    (void)state;
    pki_make(&pair, "a.test", 30);
    const struct alk_tls_pem chain = {"chain", pair.cert, strlen(pair.cert)};
    const struct alk_tls_pem key = {"key", pair.key, strlen(pair.key)};
    return alk_tls_server_context(&server_context, &chain, &key, NULL);
}

static int drop(void **state)
{
    (void)state;
    alk_tls_context_release(server_context);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_pass_in_any_pieces),
        cmocka_unit_test(a_farewell_is_told_from_a_cut),
        cmocka_unit_test(cut_at_every_byte),
        cmocka_unit_test(a_changed_byte_is_noticed),
        cmocka_unit_test(tickets_resume_sessions),
        cmocka_unit_test(servers_that_are_not_trusted),
        cmocka_unit_test(what_is_no_hello_is_refused),
        cmocka_unit_test(pins_are_read_as_curl_writes_them),
    };
    return cmocka_run_group_tests(tests, make, drop);
}
