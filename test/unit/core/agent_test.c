/* The agent codec against a real ssh-agent, and against malformed answers. */
#include "auth/agent.h"
#include "auth/key_internal.h"
#include "ssh/wire.h"
#include "support/scratch.h"

#include <alk/agent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static bool any(const void *user, const uint8_t *blob, size_t len)
{
    (void)user;
    (void)blob;
    (void)len;
    return true;
}

/* ---- a real agent --------------------------------------------------------------------- */

struct agent {
    pid_t pid;
    int fd;
};

static struct agent running = {.pid = -1, .fd = -1};

/* In the teardown, so that a test that fails leaves no agent behind. */
static int stop_agent(void **state)
{
    if (running.fd >= 0)
        close(running.fd);
    if (running.pid > 0) {
        kill(running.pid, SIGTERM);
        waitpid(running.pid, NULL, 0);
    }
    unsetenv("SSH_AUTH_SOCK");
    return scratch_remove(state);
}

/* ssh-agent prints how to reach it once it listens: waiting for that line is enough. */
static struct agent start_agent(struct scratch *scratch)
{
    const char *path = scratch_path(scratch, "agent");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct agent agent;
    int out[2];
    char line[256];

    assert_int_equal(pipe(out), 0);
    agent.pid = running.pid = fork();
    if (agent.pid == 0) {
        dup2(out[1], 1);
        close(out[0]);
        execlp("ssh-agent", "ssh-agent", "-D", "-s", "-a", path, (char *)NULL);
        _exit(127);
    }
    close(out[1]);
    if (read(out[0], line, sizeof(line)) <= 0)
        fail_msg("ssh-agent did not start");
    close(out[0]);
    strcpy(address.sun_path, path);
    agent.fd = running.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(agent.fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        fail_msg("cannot connect to ssh-agent: %s", strerror(errno));
    return agent;
}

/* Sends a request; reads byte by byte until the codec sees a whole message. */
static size_t exchange(struct agent agent, const uint8_t *request, size_t len, uint8_t *answer,
                       size_t size)
{
    size_t have = 0;
    ssize_t whole = 0;

    assert_int_equal(write(agent.fd, request, len), len);
    while (whole == 0) {
        assert_true(have < size);
        assert_int_equal(read(agent.fd, answer + have, 1), 1);
        have++;
        whole = alk_agent_message_length(answer, have);
    }
    assert_int_equal(whole, have);
    return have;
}

static void lists_and_signs_with_ssh_agent(void **state)
{
    struct scratch *scratch = *state;
    struct agent agent = start_agent(scratch);
    struct alk_agent_identity found[ALK_AGENT_KEYS_MAX];
    uint8_t request[512], answer[8192];
    const uint8_t *signature;
    size_t signature_len;
    char comment[ALK_KEY_COMMENT_MAX];
    static const char data[] = "what is to be signed";
    uint8_t blob[ALK_KEY_BLOB_SIZE];

    size_t len = alk_agent_request_identities(request);
    size_t got = exchange(agent, request, len, answer, sizeof(answer));
    assert_int_equal(alk_agent_parse_identities(answer, got, any, NULL, found, ALK_AGENT_KEYS_MAX),
                     0);

    setenv("SSH_AUTH_SOCK", scratch_path(scratch, "agent"), 1);
    scratch_run(scratch, NULL, 0,
                ARGV("ssh-keygen", "-q", "-t", "rsa", "-b", "1024", "-N", "", "-f", "rsa"));
    scratch_run(
        scratch, NULL, 0,
        ARGV("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "bob at home", "-f", "k"));
    scratch_run(scratch, NULL, 0, ARGV("ssh-add", "-q", "rsa"));
    scratch_run(scratch, NULL, 0, ARGV("ssh-add", "-q", "k"));
    got = exchange(agent, request, len, answer, sizeof(answer));
    assert_int_equal(alk_agent_parse_identities(answer, got, any, NULL, found, ALK_AGENT_KEYS_MAX),
                     2);
    assert_string_equal(found[1].comment, "bob at home");
    char *line = scratch_read(scratch, "k.pub", NULL);
    assert_int_equal(alk_key_parse_public(line, blob, comment, NULL), ALK_OK);
    free(line);
    assert_int_equal(found[1].blob_len, sizeof(blob));
    assert_memory_equal(found[1].blob, blob, sizeof(blob));
    assert_int_equal(alk_agent_holds(scratch_path(scratch, "agent"), blob), ALK_OK);

    ssize_t size = alk_agent_request_signature(blob, sizeof(blob), data, sizeof(data), request,
                                               sizeof(request));
    assert_true(size > 0);
    got = exchange(agent, request, (size_t)size, answer, sizeof(answer));
    assert_int_equal(alk_agent_parse_signature(answer, got, &signature, &signature_len), ALK_OK);
    assert_int_equal(
        alk_key_verify(blob, sizeof(blob), data, sizeof(data), signature, signature_len), ALK_OK);

    /* a key that the agent does not hold */
    scratch_run(scratch, NULL, 0, ARGV("ssh-add", "-q", "-D"));
    assert_int_equal(alk_agent_holds(scratch_path(scratch, "agent"), blob), ALK_E_NOTFOUND);
    assert_int_equal(alk_agent_holds(scratch_path(scratch, "nobody"), blob), ALK_E_IO);
    got = exchange(agent, request, (size_t)size, answer, sizeof(answer));
    assert_int_equal(alk_agent_parse_signature(answer, got, &signature, &signature_len),
                     ALK_E_DENIED);
}

/* What a login signs names the algorithm, and the agent signs by it. */
static void signs_with_an_rsa_key_as_the_login_says(void **state)
{
    static const char *const algorithms[] = {"rsa-sha2-256", "rsa-sha2-512"};
    struct scratch *scratch = *state;
    struct agent agent = start_agent(scratch);
    struct alk_agent_identity found[1];
    uint8_t request[4096], answer[8192], asked[8192];

    setenv("SSH_AUTH_SOCK", scratch_path(scratch, "agent"), 1);
    scratch_run(scratch, NULL, 0,
                ARGV("ssh-keygen", "-q", "-t", "rsa", "-b", "1024", "-N", "", "-f", "rsa"));
    scratch_run(scratch, NULL, 0, ARGV("ssh-add", "-q", "rsa"));
    size_t len = alk_agent_request_identities(request);
    size_t got = exchange(agent, request, len, answer, sizeof(answer));
    assert_int_equal(alk_agent_parse_identities(answer, got, any, NULL, found, 1), 1);
    for (size_t i = 0; i < 2; i++) {
        uint8_t data[1024];
        struct alk_writer w = alk_writer(data, sizeof(data));
        alk_put_text(&w, "the session");
        alk_put_u8(&w, 50);
        alk_put_text(&w, "user");
        alk_put_text(&w, "ssh-connection");
        alk_put_text(&w, "publickey");
        alk_put_u8(&w, 1);
        alk_put_text(&w, algorithms[i]);
        alk_put_string(&w, found[0].blob, found[0].blob_len);
        ssize_t size = alk_agent_request_signature(found[0].blob, found[0].blob_len, data,
                                                   alk_writer_len(&w), request, sizeof(request));
        assert_true(size > 0);
        const uint8_t *signature;
        size_t signature_len;
        got = exchange(agent, request, (size_t)size, asked, sizeof(asked));
        assert_int_equal(alk_agent_parse_signature(asked, got, &signature, &signature_len), ALK_OK);
        struct alk_reader r = alk_reader(signature, signature_len);
        assert_true(alk_bytes_equal(alk_get_string(&r), algorithms[i]));
    }
}

/* ---- without an agent ------------------------------------------------------------------- */

/* Puts the length in front of what the writer holds behind its first four bytes. */
static size_t finish(struct alk_writer *w)
{
    struct alk_writer length = alk_writer(w->start, 4);

    assert_false(w->broken);
    alk_put_u32(&length, (uint32_t)(alk_writer_len(w) - 4));
    return alk_writer_len(w);
}

static void measures_messages(void **state)
{
    uint8_t data[16] = {0, 0, 0, 3, 1, 2, 3, 9};

    (void)state;
    for (size_t len = 0; len < 7; len++)
        assert_int_equal(alk_agent_message_length(data, len), 0);
    assert_int_equal(alk_agent_message_length(data, 7), 7);
    assert_int_equal(alk_agent_message_length(data, 8), 7);
    memcpy(data, "\0\x03\xff\xfc", 4); /* 256 KiB with the length */
    assert_int_equal(alk_agent_message_length(data, 4), 0);
    memcpy(data, "\0\x03\xff\xfd", 4);
    assert_int_equal(alk_agent_message_length(data, 4), ALK_E_LIMIT);
    memcpy(data, "\xff\xff\xff\xff", 4);
    assert_int_equal(alk_agent_message_length(data, 16), ALK_E_LIMIT);
}

static void put_identity(struct alk_writer *w, const uint8_t *blob, size_t len, const char *comment)
{
    alk_put_string(w, blob, len);
    alk_put_text(w, comment);
}

static struct alk_writer identities(uint8_t *data, size_t size, uint32_t count)
{
    struct alk_writer w = alk_writer(data, size);

    alk_put_u32(&w, 0);
    alk_put_u8(&w, 12);
    alk_put_u32(&w, count);
    return w;
}

static void keeps_what_fits(void **state)
{
    static uint8_t data[64 * 1024];
    struct alk_agent_identity found[ALK_AGENT_KEYS_MAX];
    uint8_t raw[32], blob[ALK_KEY_BLOB_SIZE];
    struct alk_writer w = identities(data, sizeof(data), 100);
    char comment[400];

    (void)state;
    memset(comment, 'c', sizeof(comment));
    comment[sizeof(comment) - 1] = '\0';
    for (int i = 0; i < 100; i++) {
        memset(raw, i, sizeof(raw));
        alk_key_make_blob(raw, blob);
        put_identity(&w, blob, sizeof(blob), i == 1 ? comment : "x");
    }
    size_t len = finish(&w);
    assert_int_equal(alk_agent_parse_identities(data, len, any, NULL, found, 2), 2);
    assert_int_equal(alk_agent_parse_identities(data, len, any, NULL, found, 1000),
                     ALK_AGENT_KEYS_MAX);
    assert_int_equal(strlen(found[1].comment), ALK_KEY_COMMENT_MAX - 1);
    assert_int_equal(found[63].blob[50], 63);
    assert_int_equal(alk_agent_parse_identities(data, len, any, NULL, found, 0), 0);
}

static bool is_same(const void *user, const uint8_t *blob, size_t len)
{
    return len == ALK_KEY_BLOB_SIZE && memcmp(blob, user, len) == 0;
}

/* As many as an answer can hold, and the last one is the only one that is wanted. */
static void finds_what_is_wanted_behind_any_number(void **state)
{
    uint8_t *data = malloc(ALK_AGENT_MESSAGE_MAX), raw[32] = {0}, blob[ALK_KEY_BLOB_SIZE];
    enum { EACH = 4 + ALK_KEY_BLOB_SIZE + 4, COUNT = (ALK_AGENT_MESSAGE_MAX - 9) / EACH };
    struct alk_agent_identity found[2];

    (void)state;
    assert_non_null(data);
    struct alk_writer w = identities(data, ALK_AGENT_MESSAGE_MAX, COUNT);
    for (int i = 0; i < COUNT; i++) {
        memcpy(raw, &i, sizeof(i));
        alk_key_make_blob(raw, blob);
        put_identity(&w, blob, sizeof(blob), "");
    }
    size_t len = finish(&w);
    assert_int_equal(alk_agent_parse_identities(data, len, is_same, blob, found, 2), 1);
    assert_ptr_equal(found[0].blob, data + 9 + (COUNT - 1) * EACH + 4);
    raw[31] = 1;
    alk_key_make_blob(raw, blob);
    assert_int_equal(alk_agent_parse_identities(data, len, is_same, blob, found, 2), 0);
    free(data);
}

static void keeps_keys_of_all_types(void **state)
{
    uint8_t data[1024], raw[32] = {7}, blob[ALK_KEY_BLOB_SIZE];
    struct alk_agent_identity found[4];
    struct alk_writer w = identities(data, sizeof(data), 4);

    (void)state;
    alk_key_make_blob(raw, blob);
    put_identity(&w, (const uint8_t *)"\0\0\0\x07ssh-rsa\0\0\0\0", 15, "rsa");
    put_identity(&w, NULL, 0, "");
    put_identity(&w, blob, sizeof(blob) - 1, "short");
    put_identity(&w, blob, sizeof(blob), "right");
    assert_int_equal(alk_agent_parse_identities(data, finish(&w), any, NULL, found, 4), 4);
    assert_int_equal(found[0].blob_len, 15);
    assert_int_equal(found[1].blob_len, 0);
    assert_int_equal(found[2].blob_len, sizeof(blob) - 1);
    assert_string_equal(found[3].comment, "right");
    assert_memory_equal(found[3].blob, blob, sizeof(blob));
}

static void refuses_malformed_lists(void **state)
{
    uint8_t data[256], raw[32] = {7}, blob[ALK_KEY_BLOB_SIZE];
    struct alk_agent_identity found[4];
    struct alk_writer w = identities(data, sizeof(data), 1);

    (void)state;
    alk_key_make_blob(raw, blob);
    put_identity(&w, blob, sizeof(blob), "x");
    size_t len = finish(&w);
    assert_int_equal(alk_agent_parse_identities(data, len, any, NULL, found, 4), 1);
    for (size_t cut = 0; cut < len; cut++) {
        assert_int_equal(alk_agent_parse_identities(data, cut, any, NULL, found, 4), ALK_E_PROTO);
        /* the same with a length that agrees */
        uint8_t copy[256];
        memcpy(copy, data, len);
        struct alk_writer length = alk_writer(copy, 4);
        alk_put_u32(&length, (uint32_t)(cut < 4 ? 0 : cut - 4));
        assert_int_equal(alk_agent_parse_identities(copy, cut, any, NULL, found, 4), ALK_E_PROTO);
    }
    data[3]++; /* one byte more than there are keys for */
    assert_int_equal(alk_agent_parse_identities(data, len + 1, any, NULL, found, 4), ALK_E_PROTO);
    data[3]--;
    data[8] = 2; /* two announced, one there */
    assert_int_equal(alk_agent_parse_identities(data, len, any, NULL, found, 4), ALK_E_PROTO);
    data[8] = 1;
    data[4] = 14;
    assert_int_equal(alk_agent_parse_identities(data, len, any, NULL, found, 4), ALK_E_PROTO);
    memcpy(data, "\0\0\0\x01\x05", 5);
    assert_int_equal(alk_agent_parse_identities(data, 5, any, NULL, found, 4), ALK_E_DENIED);
    memcpy(data, "\0\0\0\x05\x0c\xff\xff\xff\xff", 9); /* must end at once */
    assert_int_equal(alk_agent_parse_identities(data, 9, any, NULL, found, 4), ALK_E_PROTO);
}

static size_t signature_answer(uint8_t *data, size_t size, const char *type, size_t signature_len,
                               size_t inner_extra, size_t outer_extra)
{
    uint8_t zeros[128] = {0}, blob[256];
    struct alk_writer inner = alk_writer(blob, sizeof(blob));
    struct alk_writer w = alk_writer(data, size);

    alk_put_text(&inner, type);
    alk_put_string(&inner, zeros, signature_len);
    alk_put_bytes(&inner, zeros, inner_extra);
    alk_put_u32(&w, 0);
    alk_put_u8(&w, 14);
    alk_put_string(&w, blob, alk_writer_len(&inner));
    alk_put_bytes(&w, zeros, outer_extra);
    return finish(&w);
}

static void refuses_malformed_signatures(void **state)
{
    static const struct {
        const char *type;
        size_t signature_len, inner_extra, outer_extra;
        int expected;
    } cases[] = {
        {"ssh-ed25519", 64, 0, 0, ALK_OK},      {"ssh-ed25519", 63, 0, 0, ALK_E_PROTO},
        {"ssh-ed25519", 65, 0, 0, ALK_E_PROTO}, {"", 64, 0, 0, ALK_E_PROTO},
        {"ssh-rsa", 64, 0, 0, ALK_OK},          {"ssh-rsa", 0, 0, 0, ALK_E_PROTO},
        {"ssh-rsa", 64, 4, 0, ALK_E_PROTO},     {"ssh-ed25519", 64, 1, 0, ALK_E_PROTO},
        {"ssh-ed25519", 64, 0, 1, ALK_E_PROTO}, {"ssh-ed25519", 0, 64, 0, ALK_E_PROTO},
    };
    uint8_t data[512];
    const uint8_t *signature;
    size_t signature_len;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t len = signature_answer(data, sizeof(data), cases[i].type, cases[i].signature_len,
                                      cases[i].inner_extra, cases[i].outer_extra);
        int rc = alk_agent_parse_signature(data, len, &signature, &signature_len);
        if (rc != cases[i].expected)
            fail_msg("case %zu: expected %d, got %d", i, cases[i].expected, rc);
    }
    size_t len = signature_answer(data, sizeof(data), "ssh-ed25519", 64, 0, 0);
    for (size_t cut = 0; cut < len; cut++)
        assert_int_equal(alk_agent_parse_signature(data, cut, &signature, &signature_len),
                         ALK_E_PROTO);
}

static void bounds_signature_requests(void **state)
{
    enum { FIXED = 4 + 1 + 4 + ALK_KEY_BLOB_SIZE + 4 + 4 };
    uint8_t *out = malloc(ALK_AGENT_MESSAGE_MAX + 16);
    uint8_t *data = calloc(1, ALK_AGENT_MESSAGE_MAX);
    uint8_t blob[ALK_KEY_BLOB_SIZE] = {0};

    (void)state;
    assert_int_equal(alk_agent_request_signature(blob, SIZE_MAX, data, 10, out, FIXED + 10),
                     ALK_E_LIMIT);
    assert_int_equal(alk_agent_request_signature(blob, sizeof(blob), data, 10, out, FIXED + 9),
                     ALK_E_LIMIT);
    assert_int_equal(alk_agent_request_signature(blob, sizeof(blob), data, 10, out, FIXED + 10),
                     FIXED + 10);
    assert_int_equal(alk_agent_message_length(out, FIXED + 10), FIXED + 10);
    size_t most = ALK_AGENT_MESSAGE_MAX - FIXED;
    assert_int_equal(alk_agent_request_signature(blob, sizeof(blob), data, most, out,
                                                 ALK_AGENT_MESSAGE_MAX + 16),
                     ALK_AGENT_MESSAGE_MAX);
    assert_int_equal(alk_agent_request_signature(blob, sizeof(blob), data, most + 1, out,
                                                 ALK_AGENT_MESSAGE_MAX + 16),
                     ALK_E_LIMIT);
    assert_int_equal(alk_agent_request_signature(blob, sizeof(blob), data, SIZE_MAX, out,
                                                 ALK_AGENT_MESSAGE_MAX + 16),
                     ALK_E_LIMIT);
    free(out);
    free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lists_and_signs_with_ssh_agent, scratch_make, stop_agent),
        cmocka_unit_test_setup_teardown(signs_with_an_rsa_key_as_the_login_says, scratch_make,
                                        stop_agent),
        cmocka_unit_test(measures_messages),
        cmocka_unit_test(keeps_what_fits),
        cmocka_unit_test(finds_what_is_wanted_behind_any_number),
        cmocka_unit_test(keeps_keys_of_all_types),
        cmocka_unit_test(refuses_malformed_lists),
        cmocka_unit_test(refuses_malformed_signatures),
        cmocka_unit_test(bounds_signature_requests),
    };

    if (alk_crypto_init() != ALK_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
