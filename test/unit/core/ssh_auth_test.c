/* User authentication, both sides, against a scripted peer (RFC 4252). */
#include "support/script.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* A publickey request with every part open to change; NULL or 0 = as it should be. */
struct request {
    const char *user, *service, *method, *algorithm;
    const struct alk_key *key, *signer; /* NULL = the authorised one */
    const char *signed_user, *signed_algorithm, *signature_type;
    bool probe, other_session, trailing;
    int blob_len, signature_len; /* 0 = whole */
};

static const char * or (const char *text, const char *other)
{
    return text != NULL ? text : other;
}

static void put_head(struct alk_writer *w, const struct request *q, const char *user,
                     const char *algorithm, const struct alk_key *key)
{
    alk_put_u8(w, SSH_MSG_USERAUTH_REQUEST);
    alk_put_text(w, user);
    alk_put_text(w, or (q->service, "ssh-connection"));
    alk_put_text(w, or (q->method, "publickey"));
    alk_put_u8(w, !q->probe);
    alk_put_text(w, algorithm);
    alk_put_string(w, alk_key_blob(key),
                   q->blob_len != 0 ? (size_t)q->blob_len : ALK_KEY_BLOB_SIZE);
}

static void put_signature(struct script *s, struct alk_writer *w, const struct request *q,
                          const struct alk_key *key)
{
    uint8_t text[1024], signature[ALK_SIGNATURE_BLOB_SIZE];
    struct alk_writer t = alk_writer(text, sizeof(text));
    uint8_t id[SCRIPT_HASH];

    memcpy(id, s->session_id, sizeof(id));
    id[31] ^= q->other_session;
    alk_put_string(&t, id, sizeof(id));
    put_head(&t, q, or (q->signed_user, or (q->user, "user")),
             or (q->signed_algorithm, or (q->algorithm, "ssh-ed25519")), key);
    alk_key_sign(q->signer != NULL ? q->signer : key, text, alk_writer_len(&t), signature);
    if (q->signature_type != NULL)
        memcpy(signature + 4, q->signature_type, 11);
    alk_put_string(w, signature,
                   q->signature_len != 0 ? (size_t)q->signature_len : sizeof(signature));
}

static void send_request(struct script *s, const struct request *q)
{
    uint8_t payload[2048];
    struct alk_writer w = alk_writer(payload, sizeof(payload));
    const struct alk_key *key = q->key != NULL ? q->key : s->user_key;

    put_head(&w, q, or (q->user, "user"), or (q->algorithm, "ssh-ed25519"), key);
    if (!q->probe)
        put_signature(s, &w, q, key);
    if (q->trailing)
        alk_put_u8(&w, 0);
    script_send_writer(s, &w);
}

/* The type of the one answer, 0 = none. */
static uint8_t answer(struct script *s)
{
    uint8_t type = script_next(s) ? s->payload[0] : 0;

    assert_false(script_next(s));
    return type;
}

static struct script s; /* each test begins and frees it */

static void test_first_none_is_free(void **state)
{
    struct alk_ssh_options options = ALK_SSH_OPTIONS_INIT;

    (void)state;
    options.max_auth_attempts = 2;
    script_start(&s, ALK_SSH_SERVER, &options);
    script_to(&s, AT_AUTH);
    struct request none = {.method = "none"};
    send_request(&s, &none);
    struct alk_reader r = script_take(&s, SSH_MSG_USERAUTH_FAILURE);
    assert_true(alk_bytes_equal(alk_get_string(&r), "publickey"));
    assert_false(alk_get_bool(&r));
    assert_true(alk_reader_done(&r));
    send_request(&s, &none);
    assert_int_equal(answer(&s), SSH_MSG_USERAUTH_FAILURE);
    send_request(&s, &none);
    script_ended(&s, ALK_E_AUTH, ALK_SSH_BY_NO_MORE_METHODS);
    assert_int_equal(s.events[ALK_SSH_AUTH_REQUEST], 0);
    script_free(&s);
}

static void test_what_no_signature_opens(void **state)
{
    struct alk_key *other;
    static const struct request table[] = {
        {.other_session = true},
        {.signed_user = "root"},
        {.signed_algorithm = "ssh-rsa"},
        {.signature_type = "ssh-ed25518"},
        {.signature_len = ALK_SIGNATURE_BLOB_SIZE - 1},
        {.signature_len = 19},
        {.signature_len = 1},
        {.algorithm = "ssh-rsa"},
        {.algorithm = "ssh-ed25519-cert-v01@openssh.com"},
        {.algorithm = ""},
        {.blob_len = ALK_KEY_BLOB_SIZE - 1},
        {.blob_len = 4},
        {.method = "password"},
        {.method = "hostbased"},
        {.method = ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        script_begin(&s, ALK_SSH_SERVER, AT_AUTH);
        send_request(&s, &table[i]);
        if (answer(&s) != SSH_MSG_USERAUTH_FAILURE)
            fail_msg("request %zu was not refused", i);
        assert_false(alk_ssh_authenticated(s.ssh));
        assert_false(s.last.proven);
        script_to(&s, AT_OPEN); /* and the right one still works */
        script_free(&s);
    }
    /* signed by another key than the one shown */
    assert_int_equal(alk_key_generate(&other), 0);
    script_begin(&s, ALK_SSH_SERVER, AT_AUTH);
    send_request(&s, &(struct request){.signer = other});
    assert_int_equal(answer(&s), SSH_MSG_USERAUTH_FAILURE);
    assert_int_equal(s.events[ALK_SSH_AUTH_REQUEST], 1); /* the caller judged all the same */
    alk_key_free(other);
    script_free(&s);
}

static void test_what_is_refused_without_asking_is_told(void **state)
{
    static const struct {
        struct request request;
        const char *method;
    } table[] = {
        {{.method = "password"}, "password"},
        {{.method = "keyboard-interactive"}, "keyboard-interactive"},
        {{.method = "pass\nword"}, "other"},
        {{.method = ""}, "other"},
        {{.algorithm = "ssh-rsa"}, "publickey"},
        {{.blob_len = 4}, "publickey"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        script_begin(&s, ALK_SSH_SERVER, AT_AUTH);
        send_request(&s, &table[i].request);
        assert_int_equal(answer(&s), SSH_MSG_USERAUTH_FAILURE);
        assert_int_equal(s.events[ALK_SSH_AUTH_REFUSED], 1);
        assert_string_equal(s.last.text, table[i].method);
        script_free(&s);
    }
    script_begin(&s, ALK_SSH_SERVER, AT_AUTH);
    send_request(&s, &(struct request){.method = "none"}); /* is a question */
    assert_int_equal(answer(&s), SSH_MSG_USERAUTH_FAILURE);
    assert_int_equal(s.events[ALK_SSH_AUTH_REFUSED], 0);
    script_free(&s);
}

static void test_the_service_may_be_asked_for_again(void **state)
{
    uint8_t payload[64];

    (void)state;
    script_begin(&s, ALK_SSH_SERVER, AT_AUTH);
    for (int i = 0; i < 3; i++) {
        struct alk_writer w = alk_writer(payload, sizeof(payload));
        alk_put_u8(&w, SSH_MSG_SERVICE_REQUEST);
        alk_put_text(&w, "ssh-userauth");
        script_send_writer(&s, &w);
        script_take(&s, SSH_MSG_SERVICE_ACCEPT);
        send_request(&s, &(struct request){.method = "password"});
        assert_int_equal(answer(&s), SSH_MSG_USERAUTH_FAILURE);
    }
    script_to(&s, AT_OPEN);
    script_free(&s);
}

static void test_what_ends_the_session(void **state)
{
    static char long_user[ALK_SSH_USER_MAX + 2];
    memset(long_user, 'u', sizeof(long_user) - 1);
    const struct {
        struct request request;
        int status;
        uint32_t reason;
    } table[] = {
        {{.probe = true, .trailing = true}, ALK_E_PROTO, ALK_SSH_BY_PROTOCOL_ERROR},
        {{.trailing = true}, ALK_E_PROTO, ALK_SSH_BY_PROTOCOL_ERROR},
        {{.user = long_user}, ALK_E_PROTO, ALK_SSH_BY_PROTOCOL_ERROR},
        {{.service = "ssh-userauth"}, ALK_E_PROTO, ALK_SSH_BY_SERVICE_NOT_AVAILABLE},
        {{.service = ""}, ALK_E_PROTO, ALK_SSH_BY_SERVICE_NOT_AVAILABLE},
        {{.service = "ssh-connection2"}, ALK_E_PROTO, ALK_SSH_BY_SERVICE_NOT_AVAILABLE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        script_begin(&s, ALK_SSH_SERVER, AT_AUTH);
        send_request(&s, &table[i].request);
        script_ended(&s, table[i].status, table[i].reason);
        assert_int_equal(s.events[ALK_SSH_AUTH_REQUEST], 0);
        script_free(&s);
    }
}

static void test_user_names(void **state)
{
    static char longest[ALK_SSH_USER_MAX + 1];
    uint8_t payload[128];
    struct alk_writer w = alk_writer(payload, sizeof(payload));

    (void)state;
    memset(longest, 'u', ALK_SSH_USER_MAX);
    script_begin(&s, ALK_SSH_SERVER, AT_AUTH);
    send_request(&s, &(struct request){.user = longest, .probe = true});
    assert_string_equal(s.user, longest);
    send_request(&s, &(struct request){.user = "", .probe = true});
    assert_string_equal(s.user, "");
    alk_put_u8(&w, SSH_MSG_USERAUTH_REQUEST);
    alk_put_string(&w, "a\0b", 3);
    alk_put_text(&w, "ssh-connection");
    alk_put_text(&w, "none");
    script_send_writer(&s, &w);
    script_ended(&s, ALK_E_PROTO, ALK_SSH_BY_PROTOCOL_ERROR);
    script_free(&s);
}

static void test_probe_leaves_nothing_behind(void **state)
{
    struct alk_key *stranger;

    (void)state;
    assert_int_equal(alk_key_generate(&stranger), 0);
    script_begin(&s, ALK_SSH_SERVER, AT_AUTH);
    send_request(&s, &(struct request){.probe = true});
    struct alk_reader r = script_take(&s, SSH_MSG_USERAUTH_PK_OK);
    assert_true(alk_bytes_equal(alk_get_string(&r), "ssh-ed25519"));
    assert_memory_equal(alk_get_string(&r).data, alk_key_blob(s.user_key), ALK_KEY_BLOB_SIZE);
    assert_false(alk_ssh_authenticated(s.ssh));
    /* the authorised key was asked about; a stranger's signs, or signs for it */
    send_request(&s, &(struct request){.key = stranger});
    assert_int_equal(answer(&s), SSH_MSG_USERAUTH_FAILURE);
    send_request(&s, &(struct request){.signer = stranger});
    assert_int_equal(answer(&s), SSH_MSG_USERAUTH_FAILURE);
    assert_false(alk_ssh_authenticated(s.ssh));
    alk_key_free(stranger);
    script_free(&s);
}

static void test_caller_cannot_accept_what_is_not_proven(void **state)
{
    struct alk_key *stranger;

    (void)state;
    assert_int_equal(alk_key_generate(&stranger), 0);
    script_begin(&s, ALK_SSH_SERVER, AT_AUTH);
    s.ask = true;
    send_request(&s, &(struct request){.signer = stranger});
    assert_false(s.last.proven);
    alk_ssh_auth_reply(s.ssh, true);
    script_run(&s);
    assert_int_equal(answer(&s), SSH_MSG_USERAUTH_FAILURE);
    assert_false(alk_ssh_authenticated(s.ssh));
    alk_ssh_auth_reply(s.ssh, true); /* a second answer to one question */
    script_run(&s);
    assert_int_equal(answer(&s), 0);
    alk_key_free(stranger);
    script_free(&s);
}

static void test_two_users_in_turn(void **state)
{
    struct alk_key *stranger;

    (void)state;
    assert_int_equal(alk_key_generate(&stranger), 0);
    script_begin(&s, ALK_SSH_SERVER, AT_AUTH);
    send_request(&s, &(struct request){.user = "alice", .key = stranger});
    assert_string_equal(s.user, "alice");
    assert_int_equal(answer(&s), SSH_MSG_USERAUTH_FAILURE);
    send_request(&s, &(struct request){.user = "bob"});
    assert_string_equal(s.user, "bob");
    assert_int_equal(answer(&s), SSH_MSG_USERAUTH_SUCCESS);
    assert_true(alk_ssh_authenticated(s.ssh));
    /* later requests are not even answered */
    send_request(&s, &(struct request){.user = "root"});
    send_request(&s, &(struct request){.method = "none"});
    assert_int_equal(answer(&s), 0);
    assert_int_equal(s.events[ALK_SSH_AUTH_REQUEST], 2);
    script_alive(&s);
    alk_key_free(stranger);
    script_free(&s);
}

static void test_attempts_are_counted(void **state)
{
    struct alk_key *stranger;
    struct alk_ssh_options options = ALK_SSH_OPTIONS_INIT;

    (void)state;
    assert_int_equal(alk_key_generate(&stranger), 0);
    const struct request tries[] = {
        {.key = stranger, .probe = true}, {.key = stranger},    {.method = "password"},
        {.algorithm = "ssh-rsa"},         {.signer = stranger},
    };
    options.max_auth_attempts = 5;
    script_start(&s, ALK_SSH_SERVER, &options);
    script_to(&s, AT_AUTH);
    for (int i = 0; i < 20; i++) { /* a probe that succeeds is no attempt */
        send_request(&s, &(struct request){.probe = true});
        assert_int_equal(answer(&s), SSH_MSG_USERAUTH_PK_OK);
    }
    for (int i = 0; i < 4; i++) {
        send_request(&s, &tries[i]);
        assert_int_equal(answer(&s), SSH_MSG_USERAUTH_FAILURE);
    }
    send_request(&s, &tries[4]);
    script_ended(&s, ALK_E_AUTH, ALK_SSH_BY_NO_MORE_METHODS);
    alk_key_free(stranger);
    script_free(&s);
}

/* Requests that were sent before the first was answered are answered one by one, in order. */
static void test_pipelined_requests(void **state)
{
    struct alk_key *stranger;

    (void)state;
    assert_int_equal(alk_key_generate(&stranger), 0);
    script_begin(&s, ALK_SSH_SERVER, AT_AUTH);
    s.ask = true;
    send_request(&s, &(struct request){.method = "none"});
    send_request(&s, &(struct request){.key = stranger, .user = "first"});
    send_request(&s, &(struct request){.user = "second"});
    assert_int_equal(s.events[ALK_SSH_AUTH_REQUEST], 1);
    assert_string_equal(s.user, "first");
    alk_ssh_auth_reply(s.ssh, false);
    script_run(&s);
    assert_int_equal(s.events[ALK_SSH_AUTH_REQUEST], 2);
    assert_string_equal(s.user, "second");
    assert_true(s.last.proven);
    assert_false(alk_ssh_authenticated(s.ssh));
    alk_ssh_auth_reply(s.ssh, true);
    script_run(&s);
    script_take(&s, SSH_MSG_USERAUTH_SUCCESS);
    alk_key_free(stranger);
    script_free(&s);
}

static void test_service_names(void **state)
{
    static const char *const names[] = {"ssh-connection", "", "ssh-userauth2", "ssh-useraut"};
    uint8_t payload[64];

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        for (int client = 0; client < 2; client++) {
            struct alk_writer w = alk_writer(payload, sizeof(payload));
            script_begin(&s, client ? ALK_SSH_CLIENT : ALK_SSH_SERVER, AT_SERVICE);
            alk_put_u8(&w, client ? SSH_MSG_SERVICE_ACCEPT : SSH_MSG_SERVICE_REQUEST);
            alk_put_text(&w, names[i]);
            script_send_writer(&s, &w);
            script_ended(&s, ALK_E_PROTO,
                         client ? ALK_SSH_BY_PROTOCOL_ERROR : ALK_SSH_BY_SERVICE_NOT_AVAILABLE);
            script_free(&s);
        }
    }
}

/* ---- the client against a hostile server ---- */

static bool probe_only(struct script *script, const struct alk_ssh_event *event)
{
    if (event->type == ALK_SSH_AUTH_READY)
        alk_ssh_auth_probe(script->ssh, "user", alk_key_blob(script->user_key), ALK_KEY_BLOB_SIZE);
    return event->type == ALK_SSH_AUTH_READY;
}

static bool say_nothing(struct script *script, const struct alk_ssh_event *event)
{
    (void)script;
    return event->type == ALK_SSH_AUTH_READY;
}

static void send_pk_ok(const char *algorithm, const uint8_t *blob, size_t len)
{
    uint8_t payload[256];
    struct alk_writer w = alk_writer(payload, sizeof(payload));

    alk_put_u8(&w, SSH_MSG_USERAUTH_PK_OK);
    alk_put_text(&w, algorithm);
    alk_put_string(&w, blob, len);
    script_send_writer(&s, &w);
}

static void test_client_checks_which_key_was_accepted(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++) {
        script_start(&s, ALK_SSH_CLIENT, NULL);
        s.on_event = probe_only;
        script_to(&s, AT_AUTH);
        const uint8_t *mine = alk_key_blob(s.user_key), *other = alk_key_blob(s.host_key);
        send_pk_ok(i == 1 ? "ssh-rsa" : "ssh-ed25519", i == 2 ? other : mine,
                   i == 3 ? 50 : ALK_KEY_BLOB_SIZE);
        if (i == 4) /* the right answer, but twice */
            send_pk_ok("ssh-ed25519", mine, ALK_KEY_BLOB_SIZE);
        if (i == 0) {
            script_alive(&s);
            assert_int_equal(s.events[ALK_SSH_AUTH_KEY_OK], 1);
        } else {
            script_ended(&s, ALK_E_PROTO, ALK_SSH_BY_PROTOCOL_ERROR);
        }
        script_free(&s);
    }
}

static void test_client_takes_no_answer_unasked(void **state)
{
    static const uint8_t answers[][7] = {{SSH_MSG_USERAUTH_SUCCESS},
                                         {SSH_MSG_USERAUTH_FAILURE, 0, 0, 0, 1, 'x', 0}};

    (void)state;
    for (int i = 0; i < 2; i++) {
        script_start(&s, ALK_SSH_CLIENT, NULL);
        s.on_event = say_nothing;
        script_to(&s, AT_AUTH);
        script_send(&s, answers[i], i == 0 ? 1 : 7);
        script_ended(&s, ALK_E_PROTO, ALK_SSH_BY_PROTOCOL_ERROR);
        assert_int_equal(s.events[ALK_SSH_AUTHENTICATED] + s.events[ALK_SSH_AUTH_FAILED], 0);
        script_free(&s);
        /* one answer to one request; a second would be taken for that to the next */
        script_begin(&s, ALK_SSH_CLIENT, AT_AUTH);
        script_send(&s, answers[1], 7);
        script_alive(&s);
        script_send(&s, answers[i], i == 0 ? 1 : 7);
        script_ended(&s, ALK_E_PROTO, ALK_SSH_BY_PROTOCOL_ERROR);
        script_free(&s);
    }
}

static void test_disconnect_text_is_made_plain(void **state)
{
    uint8_t payload[600];
    struct alk_writer w = alk_writer(payload, sizeof(payload));
    char text[400];

    (void)state;
    memset(text, 'x', sizeof(text));
    memcpy(text, "\033[2Jyou\nwere\0\x9b\xff hacked", 20);
    alk_put_u8(&w, SSH_MSG_DISCONNECT);
    alk_put_u32(&w, 2);
    alk_put_string(&w, text, sizeof(text));
    alk_put_text(&w, "");
    script_begin(&s, ALK_SSH_CLIENT, AT_AUTH);
    script_send_writer(&s, &w);
    script_ended(&s, ALK_E_CLOSED, 0);
    const char *said = alk_ssh_error(s.ssh)->text;
    assert_non_null(strstr(said, "?[2Jyou?were??? h"));
    for (const char *c = said; *c != '\0'; c++)
        assert_in_range(*c, ' ', '~');
    assert_in_range(strlen(said), 100, 300);
    script_free(&s);
}

static void test_login_in_time(void **state)
{
    struct alk_ssh_options options = ALK_SSH_OPTIONS_INIT;
    static const uint64_t graces[] = {0, 500, UINT64_MAX};
    static const uint64_t waits[] = {30000, 500, 1ULL << 50};

    (void)state;
    for (int i = 0; i < 3; i++) {
        options.grace_ms = graces[i];
        script_start(&s, ALK_SSH_SERVER, &options);
        script_to(&s, AT_AUTH);
        alk_ssh_tick(s.ssh, s.now + waits[i] - 1);
        script_run(&s);
        script_alive(&s);
        alk_ssh_tick(s.ssh, s.now + waits[i]);
        script_run(&s);
        if (i == 2)
            script_alive(&s);
        else
            script_ended(&s, ALK_E_TIMEOUT, ALK_SSH_BY_APPLICATION);
        script_free(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_none_is_free),
        cmocka_unit_test(test_what_no_signature_opens),
        cmocka_unit_test(test_what_is_refused_without_asking_is_told),
        cmocka_unit_test(test_the_service_may_be_asked_for_again),
        cmocka_unit_test(test_what_ends_the_session),
        cmocka_unit_test(test_user_names),
        cmocka_unit_test(test_probe_leaves_nothing_behind),
        cmocka_unit_test(test_caller_cannot_accept_what_is_not_proven),
        cmocka_unit_test(test_two_users_in_turn),
        cmocka_unit_test(test_attempts_are_counted),
        cmocka_unit_test(test_pipelined_requests),
        cmocka_unit_test(test_service_names),
        cmocka_unit_test(test_client_checks_which_key_was_accepted),
        cmocka_unit_test(test_client_takes_no_answer_unasked),
        cmocka_unit_test(test_disconnect_text_is_made_plain),
        cmocka_unit_test(test_login_in_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
