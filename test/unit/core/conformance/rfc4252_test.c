/* RFC 4252, the login. The server's verdict on keys: ssh_auth_test.c and the end-to-end tests. */
#include "support/must.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

/* ---- signatures over something else ---- */

struct signed_text {
    const char *user, *service, *method, *algorithm;
    bool other_session, no_flag, other_key;
};

/* A login whose signature covers what `text` says. */
static void login_signing(struct script *s, const struct signed_text *text)
{
    uint8_t covered[1024], payload[1024], signature[ALK_SIGNATURE_BLOB_SIZE];
    struct alk_writer c = alk_writer(covered, sizeof(covered)),
                      w = alk_writer(payload, sizeof(payload));
    const struct alk_key *key = text->other_key ? s->host_key : s->user_key;
    uint8_t id[SCRIPT_HASH];

    memcpy(id, s->session_id, sizeof(id));
    id[0] ^= text->other_session;
    alk_put_string(&c, id, sizeof(id));
    alk_put_u8(&c, SSH_MSG_USERAUTH_REQUEST);
    alk_put_text(&c, text->user != NULL ? text->user : "user");
    alk_put_text(&c, text->service != NULL ? text->service : "ssh-connection");
    alk_put_text(&c, text->method != NULL ? text->method : "publickey");
    alk_put_u8(&c, !text->no_flag);
    alk_put_text(&c, text->algorithm != NULL ? text->algorithm : "ssh-ed25519");
    alk_put_string(&c, alk_key_blob(s->user_key), ALK_KEY_BLOB_SIZE);
    alk_key_sign(key, covered, alk_writer_len(&c), signature);
    alk_put_u8(&w, SSH_MSG_USERAUTH_REQUEST);
    alk_put_text(&w, "user");
    alk_put_text(&w, "ssh-connection");
    alk_put_text(&w, "publickey");
    alk_put_u8(&w, 1);
    alk_put_text(&w, "ssh-ed25519");
    alk_put_string(&w, alk_key_blob(s->user_key), ALK_KEY_BLOB_SIZE);
    alk_put_string(&w, signature, sizeof(signature));
    script_send_writer(s, &w);
}

static void over_all_of_it(struct script *s)
{
    login_signing(s, &(struct signed_text){0});
}
static void other_session(struct script *s)
{
    login_signing(s, &(struct signed_text){.other_session = true});
}
static void other_user(struct script *s)
{
    login_signing(s, &(struct signed_text){.user = "root"});
}
static void other_service(struct script *s)
{
    login_signing(s, &(struct signed_text){.service = "ssh-other"});
}
static void other_method(struct script *s)
{
    login_signing(s, &(struct signed_text){.method = "hostbased"});
}
static void other_algorithm(struct script *s)
{
    login_signing(s, &(struct signed_text){.algorithm = "ssh-rsa"});
}
static void no_flag(struct script *s)
{
    login_signing(s, &(struct signed_text){.no_flag = true});
}
static void other_key(struct script *s)
{
    login_signing(s, &(struct signed_text){.other_key = true});
}

/* ---- keys ---- */

static void put_key_request(struct script *s, struct alk_writer *w, const char *algorithm)
{
    alk_put_u8(w, SSH_MSG_USERAUTH_REQUEST);
    alk_put_text(w, "user");
    alk_put_text(w, "ssh-connection");
    alk_put_text(w, "publickey");
    alk_put_u8(w, 0);
    alk_put_text(w, algorithm);
    alk_put_string(w, alk_key_blob(s->user_key), ALK_KEY_BLOB_SIZE);
}

static void probe(struct script *s)
{
    uint8_t payload[512], expected[512];
    struct alk_writer w = alk_writer(payload, sizeof(payload)),
                      e = alk_writer(expected, sizeof(expected));

    put_key_request(s, &w, "ssh-ed25519");
    script_send_writer(s, &w);
    alk_put_u8(&e, SSH_MSG_USERAUTH_PK_OK);
    alk_put_text(&e, "ssh-ed25519");
    alk_put_string(&e, alk_key_blob(s->user_key), ALK_KEY_BLOB_SIZE);
    assert_true(script_next(s));
    assert_int_equal(s->len, alk_writer_len(&e));
    assert_memory_equal(s->payload, expected, s->len);
}

static void probe_other_algorithm(struct script *s)
{
    uint8_t payload[512];
    struct alk_writer w = alk_writer(payload, sizeof(payload));

    put_key_request(s, &w, "rsa-sha2-256");
    script_send_writer(s, &w);
}

static void probe_is_no_login(struct script *s)
{
    probe(s);
    must_say(s, "90 s:direct-tcpip u:5 u:1 u:1 s:h u:1 s:o u:1");
}

static void every_attempt(struct script *s)
{
    for (int i = 0; i < 9; i++) {
        must_say(s, "50 s:user s:ssh-connection s:password 0 s:secret");
        must_have_said(s, "51 s:publickey 0");
    }
    must_say(s, "50 s:user s:ssh-connection s:password 0 s:secret");
}

static void login_and_open(struct script *s)
{
    uint8_t bytes[2048], login[1024],
        open[] = {SSH_MSG_CHANNEL_OPEN, 0, 0, 0, 1, 'x', 0, 0, 0, 5, 0, 0, 0, 1, 0, 0, 0, 1};
    struct alk_writer w = alk_writer(login, sizeof(login));

    script_put_login(s, &w, "user", s->user_key);
    size_t len = script_seal(s, login, alk_writer_len(&w), 0, bytes);
    len += script_seal(s, open, sizeof(open), 0, bytes + len);
    script_bytes(s, bytes, len);
}

static void login_twice(struct script *s)
{
    must_say(s, "@login; @login");
    assert_int_equal(s->events[ALK_SSH_AUTH_REQUEST], 1);
}

/* Messages for what runs after the login: each of them ends the session. */
static void each_from_80(struct script *s)
{
    for (unsigned type = 80; type < 128; type++) {
        static struct script each;

        script_begin(&each, s->role, AT_AUTH);
        script_send_type(&each, (uint8_t)type);
        if (each.status != ALK_E_PROTO)
            fail_msg("message %u before the login: status %d", type, each.status);
        assert_int_equal(script_reason(&each), ALK_SSH_BY_PROTOCOL_ERROR);
        script_free(&each);
    }
}

static void no_login_in_time(struct script *s)
{
    s->now += 30000;
    alk_ssh_tick(s->ssh, s->now);
    script_run(s);
}

static void banner_is_told(struct script *s)
{
    must_say(s, "53 s:hello s:en");
    assert_int_equal(s->events[ALK_SSH_AUTH_BANNER], 1);
}

static void success_is_told_once(struct script *s)
{
    must_say(s, "52");
    assert_int_equal(s->events[ALK_SSH_AUTHENTICATED], 1);
    must_say(s, "52");
}

static void partial_success(struct script *s)
{
    must_say(s, "51 s:publickey,password 1");
    assert_int_equal(s->events[ALK_SSH_AUTH_FAILED], 1);
    assert_true(s->last.ok);
}

static void two_failures(struct script *s)
{
    must_say(s, "51 s:publickey 0");
    assert_int_equal(s->events[ALK_SSH_AUTH_FAILED], 1);
    must_say(s, "51 s:publickey 0");
}

/* clang-format off */
static const struct must rows[] = {
    {"4", "a login that takes too long is ended", "never logs in", OF_BOTH, AT_AUTH, .act = no_login_in_time, .ends = ALK_SSH_BY_APPLICATION},
    {"4", "attempts are counted, and too many end the session", "fails ten times", OF_SERVER, AT_AUTH, .act = every_attempt, .ends = ALK_SSH_BY_NO_MORE_METHODS},
    {"5", "a service that is not there is never granted", "asks for another service", OF_SERVER, AT_AUTH, .says = "50 s:user s:ssh-nothing s:none", .ends = ALK_SSH_BY_SERVICE_NOT_AVAILABLE},
    {"5", "a method that is not known is refused", "asks for one", OF_SERVER, AT_AUTH, .says = "50 s:user s:ssh-connection s:unknown@example.org z:9", .answer = "51 s:publickey 0"},
    {"5", "when the user changes, what went before is forgotten", .elsewhere = "ssh_auth_test.c, test_two_users_in_turn"},
    {"5", "a login has its fields", "cuts it short", OF_SERVER, AT_AUTH, .says = "50 s:user s:ssh-connection", .ends = ALK_SSH_BY_PROTOCOL_ERROR},
    {"5", "a user name is text", "puts a null character into it", OF_SERVER, AT_AUTH, .says = "50 n:3 s:ssh-connection s:none", .ends = ALK_SSH_BY_PROTOCOL_ERROR},
    {"5.1", "a refusal names the methods that may go on", "fails", OF_SERVER, AT_AUTH, .says = "50 s:user s:ssh-connection s:password 0 s:x", .answer = "51 s:publickey 0"},
    {"5.1", "requests are answered one by one, in order", "sends three at once", OF_SERVER, AT_AUTH, .says = "50 s:a s:ssh-connection s:none; 50 s:b s:ssh-connection s:none; 50 s:c s:ssh-connection s:none", .answer = "51 *; 51 *; 51 *"},
    {"5.1", "SUCCESS is sent once, and what is asked after it is ignored", "logs in twice", OF_SERVER, AT_AUTH, .act = login_twice, .answer = "52"},
    {"5.1", "what is asked after SUCCESS is ignored", "asks with another method", OF_SERVER, AT_OPEN, .says = "50 s:user s:ssh-connection s:none", .answer = ""},
    {"5.1", "SUCCESS comes once", "says it twice", OF_CLIENT, AT_AUTH, .act = success_is_told_once, .ends = ALK_SSH_BY_PROTOCOL_ERROR},
    {"5.1", "one answer for one request", "refuses twice", OF_CLIENT, AT_AUTH, .act = two_failures, .ends = ALK_SSH_BY_PROTOCOL_ERROR},
    {"5.1", "partial success is told apart", "asks for a second method", OF_CLIENT, AT_AUTH, .act = partial_success},
    {"5.1", "only a server answers", "answers as a client", OF_SERVER, AT_AUTH, .says = "51 s:publickey 0", .ends = ALK_SSH_BY_PROTOCOL_ERROR},
    {"5.1", "only a server answers", "lets the server in", OF_SERVER, AT_AUTH, .says = "52", .ends = ALK_SSH_BY_PROTOCOL_ERROR},
    {"5.1", "only a client asks", "asks as a server", OF_CLIENT, AT_AUTH, .says = "50 s:user s:ssh-connection s:none", .ends = ALK_SSH_BY_PROTOCOL_ERROR},
    {"5.2", "\"none\" is refused, and never among the methods", "asks for it", OF_SERVER, AT_AUTH, .says = "50 s:user s:ssh-connection s:none", .answer = "51 s:publickey 0"},
    {"5.3", "what follows the last request is for the service", "opens a channel in the same breath", OF_SERVER, AT_AUTH, .act = login_and_open, .answer = "52; 92 u:5 u:3 *"},
    {"5.4", "a banner may come at any time before the end of the login", "sends one", OF_CLIENT, AT_AUTH, .act = banner_is_told, .answer = ""},
    {"5.4", "a banner may come at any time before the end of the login", "sends one after it", OF_CLIENT, AT_OPEN, .says = "53 s:hello s:en", .ends = ALK_SSH_BY_PROTOCOL_ERROR},
    {"5.4", "control characters of a banner are filtered", .elsewhere = "test/e2e/test_identity.py, test_banner_of_the_server_is_shown_and_tamed"},
    {"5.4", "a client sends none", "sends one", OF_SERVER, AT_AUTH, .says = "53 s:hello s:en", .ends = ALK_SSH_BY_PROTOCOL_ERROR},
    {"6", "a message from 80 on before the login ends the session", "sends each", OF_BOTH, AT_AUTH, .act = each_from_80},
    {"6", "nothing of the login comes before its service", "logs in at once", OF_SERVER, AT_SERVICE, .says = "50 s:user s:ssh-connection s:none", .ends = ALK_SSH_BY_PROTOCOL_ERROR},
    {"6", "nothing of the login comes before its service", "lets in at once", OF_CLIENT, AT_SERVICE, .says = "52", .ends = ALK_SSH_BY_PROTOCOL_ERROR},
    {"7", "publickey is spoken", "logs in", OF_SERVER, AT_AUTH, .act = over_all_of_it, .answer = "52"},
    {"7", "a key that would do is answered with itself", "asks about it", OF_SERVER, AT_AUTH, .act = probe, .answer = ""},
    {"7", "asking about a key lets nobody in", "opens a channel then", OF_SERVER, AT_AUTH, .act = probe_is_no_login, .ends = ALK_SSH_BY_PROTOCOL_ERROR},
    {"7", "a key's algorithm is its own", "names rsa-sha2-256 with an Ed25519 key", OF_SERVER, AT_AUTH, .act = probe_other_algorithm, .answer = "51 s:publickey 0"},
    {"7", "a key of an unknown type is refused", "asks with one", OF_SERVER, AT_AUTH, .says = "50 s:user s:ssh-connection s:publickey 0 s:ssh-dss n:40", .answer = "51 s:publickey 0"},
    {"7", "the signature covers the session", "signs for another", OF_SERVER, AT_AUTH, .act = other_session, .answer = "51 s:publickey 0"},
    {"7", "the signature covers the user", "signs for another", OF_SERVER, AT_AUTH, .act = other_user, .answer = "51 s:publickey 0"},
    {"7", "the signature covers the service", "signs for another", OF_SERVER, AT_AUTH, .act = other_service, .answer = "51 s:publickey 0"},
    {"7", "the signature covers the method", "signs for another", OF_SERVER, AT_AUTH, .act = other_method, .answer = "51 s:publickey 0"},
    {"7", "the signature covers the flag", "signs without it", OF_SERVER, AT_AUTH, .act = no_flag, .answer = "51 s:publickey 0"},
    {"7", "the signature covers the algorithm", "signs for another", OF_SERVER, AT_AUTH, .act = other_algorithm, .answer = "51 s:publickey 0"},
    {"7", "the signature is the key's", "signs with another", OF_SERVER, AT_AUTH, .act = other_key, .answer = "51 s:publickey 0"},
    {"7", "a request that says that it is signed has a signature", "leaves it out", OF_SERVER, AT_AUTH, .says = "50 s:user s:ssh-connection s:publickey 1 s:ssh-ed25519 n:51", .ends = ALK_SSH_BY_PROTOCOL_ERROR},
    {"7", "PK_OK names the key that was asked about", "names another", OF_CLIENT, AT_AUTH, .says = "60 s:ssh-ed25519 n:51", .ends = ALK_SSH_BY_PROTOCOL_ERROR},
    {"8", "password: no plain text, changing it", .does_not_apply = "alknet has no passwords"},
    {"8", "a password is refused", "sends one", OF_SERVER, AT_AUTH, .says = "50 s:user s:ssh-connection s:password 0 s:secret", .answer = "51 s:publickey 0"},
    {"9", "hostbased", .does_not_apply = "it is not offered"},
    {"9", "hostbased is refused", "asks for it", OF_SERVER, AT_AUTH, .says = "50 s:user s:ssh-connection s:hostbased s:ssh-ed25519 n:51 s:host s:me n:83", .answer = "51 s:publickey 0"},
};
/* clang-format on */

int main(int argc, char **argv)
{
    return must_main(argc, argv, "RFC 4252", rows, sizeof(rows) / sizeof(rows[0]));
}
