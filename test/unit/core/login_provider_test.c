/* Logins of a real client through identity providers that answer at once, late, never or with a
 * refusal; and what the server's own provider says to keys and tokens. */
#include "support/alloc.h"
#include "support/net.h"
#include "support/scratch.h"
#include "support/work.h"
#include "transport/address.h"

#include <alk/client.h>
#include <alk/server.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_S = 20 };

/* ---- something that threads tell each other ---- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

static void set(int *value, int to)
{
    pthread_mutex_lock(&lock);
    *value = to;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

/* Waits until *value is another than `from`, and returns it. */
static int wait_change(const int *value, int from)
{
    struct timespec end;
    int got, rc = 0;

    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += PATIENCE_S;
    pthread_mutex_lock(&lock);
    while (*value == from && rc == 0)
        rc = pthread_cond_timedwait(&changed, &lock, &end);
    got = *value;
    pthread_mutex_unlock(&lock);
    if (got == from)
        fail_msg("nothing happened in %d seconds", PATIENCE_S);
    return got;
}

/* ---- a provider that answers from its own thread, or not at all ---- */

enum { QUESTIONS = 8 };

struct slow {
    struct alk_identity_provider provider;
    struct alk_identity_question *questions[QUESTIONS];
    int asked, taken, cancelled;
    int status;         /* what it answers */
    const char *scopes; /* with ALK_OK */
    bool stop, started;
    pthread_t thread;
};

static void slow_resolve(void *user, struct alk_identity_question *question)
{
    struct slow *s = user;

    pthread_mutex_lock(&lock);
    if (s->asked == QUESTIONS)
        abort();
    s->questions[s->asked++] = question;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static void slow_cancelled(void *user, struct alk_identity_question *question)
{
    struct slow *s = user;

    (void)question; /* it is answered in the end, all the same */
    pthread_mutex_lock(&lock);
    s->cancelled++;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static void give(const struct slow *s, struct alk_identity_question *question)
{
    struct alk_identity_answer answer = {.status = s->status, .reason = "scripted"};

    if (s->status == ALK_OK &&
        alk_identity_parse(&answer.identity, "account-7", s->scopes, NULL, NULL) != ALK_OK)
        abort();
    alk_identity_question_answer(question, &answer);
}

static void *answer_all(void *user)
{
    struct slow *s = user;

    pthread_mutex_lock(&lock);
    while (!s->stop) {
        if (s->taken == s->asked) {
            pthread_cond_wait(&changed, &lock);
            continue;
        }
        struct alk_identity_question *question = s->questions[s->taken++];
        pthread_mutex_unlock(&lock);
        give(s, question);
        pthread_mutex_lock(&lock);
    }
    pthread_mutex_unlock(&lock);
    return NULL;
}

static struct slow *slow_init(struct slow *s, int status, const char *scopes)
{
    static const struct alk_identity_provider_ops ops = {.resolve = slow_resolve,
                                                         .cancelled = slow_cancelled};

    *s = (struct slow){.status = status, .scopes = scopes};
    s->provider = (struct alk_identity_provider){.ops = &ops, .user = s};
    return s;
}

static void slow_answers(struct slow *s)
{
    s->started = true;
    assert_int_equal(pthread_create(&s->thread, NULL, answer_all, s), 0);
}

/* The rest is answered after everybody who asked has gone. */
static void slow_end(struct slow *s)
{
    if (s->started) {
        pthread_mutex_lock(&lock);
        s->stop = true;
        pthread_cond_broadcast(&changed);
        pthread_mutex_unlock(&lock);
        pthread_join(s->thread, NULL);
    }
    while (s->taken < s->asked)
        give(s, s->questions[s->taken++]);
}

/* ---- a server and a client ---- */

struct pair {
    struct scratch *scratch;
    struct alk_key *host, *user;
    struct alk_server *server;
    struct alk_client *client;
    int state; /* of the client */
    int status;
    char fingerprint[ALK_FINGERPRINT_SIZE];
};

/* options_of_line come before the user's key in authorized_keys; NULL: it is not there. */
static void write_keys(struct pair *p, const char *options_of_line)
{
    char line[300], text[500] = "";

    alk_key_format_public(alk_key_blob(p->user), ALK_KEY_BLOB_SIZE, NULL, line, sizeof(line));
    if (options_of_line != NULL)
        snprintf(text, sizeof(text), "%s %s\n", options_of_line, line);
    scratch_text(p->scratch, "authorized_keys", text);
}

static struct alk_server_options options_of(struct pair *p)
{
    struct alk_server_options options = ALK_SERVER_OPTIONS_INIT;

    options.host_key = p->host;
    options.authorized_keys = scratch_path(p->scratch, "authorized_keys");
    options.workers = 2;
    return options;
}

static void pair_begin(struct pair *p, struct scratch *scratch, const char *options_of_line,
                       const struct alk_server_options *with)
{
    struct alk_error error;

    *p = (struct pair){.scratch = scratch, .state = -1};
    assert_int_equal(alk_key_generate(&p->host), ALK_OK);
    assert_int_equal(alk_key_generate(&p->user), ALK_OK);
    alk_key_fingerprint(alk_key_blob(p->host), ALK_KEY_BLOB_SIZE, p->fingerprint);
    write_keys(p, options_of_line);
    struct alk_server_options options = options_of(p);
    if (with != NULL) {
        options.identity_provider = with->identity_provider;
        options.login_grace_s = with->login_grace_s;
        options.token = with->token;
        options.api_keys = with->api_keys;
        options.api_key_count = with->api_key_count;
    }
    if (alk_server_new(&p->server, &options, &error) != ALK_OK ||
        alk_server_listen(p->server, "127.0.0.1:0", &error) != ALK_OK)
        fail_msg("%s", error.text);
}

static void on_state(void *user, enum alk_client_state state, int status, const char *sentence)
{
    struct pair *p = user;

    (void)sentence;
    if (state == ALK_CLIENT_CONNECTING)
        return;
    p->status = status;
    set(&p->state, (int)state);
}

static void pair_connect(struct pair *p)
{
    struct alk_client_options options = ALK_CLIENT_OPTIONS_INIT;
    const struct alk_key *key = p->user;
    struct alk_error error;

    assert_int_equal(alk_server_start(p->server, &error), ALK_OK);
    options.host = "127.0.0.1";
    options.port = (uint16_t)atoi(strrchr(alk_server_address(p->server, 0), ':') + 1);
    options.keys = &key;
    options.key_count = 1;
    options.fingerprint = p->fingerprint;
    options.on_state = on_state;
    options.user_data = p;
    if (alk_client_new(&p->client, &options, &error) != ALK_OK ||
        alk_client_start(p->client, &error) != ALK_OK)
        fail_msg("%s", error.text);
}

static void pair_end_client(struct pair *p)
{
    if (p->client != NULL)
        alk_client_stop(p->client);
    alk_client_free(p->client);
    p->client = NULL;
}

static void pair_end_server(struct pair *p)
{
    alk_server_free(p->server);
    p->server = NULL;
}

static void pair_end(struct pair *p)
{
    pair_end_client(p);
    pair_end_server(p);
    alk_key_free(p->host);
    alk_key_free(p->user);
}

/* ---- a channel through the session ---- */

static int channel_status;

static void on_channel(void *user, int status)
{
    (void)user;
    set(&channel_status, status);
}

/* What becomes of a channel to a listening socket. */
static int open_channel(struct pair *p)
{
    struct alk_address address;
    int listener = net_listen(false, &address);

    channel_status = 1;
    int fd = alk_client_connect(p->client, "127.0.0.1", alk_address_port(&address), on_channel, p);
    assert_true(fd >= 0);
    int status = wait_change(&channel_status, 1);
    close(fd);
    close(listener);
    return status;
}

/* ---- logins ---- */

static void test_a_late_yes_logs_in(void **state)
{
    struct slow slow;
    struct pair p;
    struct alk_server_options with = {.identity_provider =
                                          &slow_init(&slow, ALK_OK, "relay:connect")->provider};

    pair_begin(&p, *state, NULL, &with);
    slow_answers(&slow);
    pair_connect(&p);
    assert_int_equal(wait_change(&p.state, -1), ALK_CLIENT_ONLINE);
    assert_int_equal(open_channel(&p), ALK_OK);
    pair_end(&p);
    slow_end(&slow);
    assert_true(slow.asked >= 1);
}

static void test_an_identity_without_the_scope_opens_nothing(void **state)
{
    struct slow slow;
    struct pair p;
    struct alk_server_options with = {.identity_provider =
                                          &slow_init(&slow, ALK_OK, "metrics:read")->provider};

    pair_begin(&p, *state, "", &with);
    slow_answers(&slow);
    pair_connect(&p);
    assert_int_equal(wait_change(&p.state, -1), ALK_CLIENT_ONLINE);
    assert_int_equal(open_channel(&p), ALK_E_DENIED);
    pair_end(&p);
    slow_end(&slow);
}

/* authorized_keys would let it in: the provider alone decides. */
static void test_a_late_no_refuses(void **state)
{
    struct slow slow;
    struct pair p;
    struct alk_server_options with = {.identity_provider =
                                          &slow_init(&slow, ALK_E_AUTH, NULL)->provider};

    pair_begin(&p, *state, "", &with);
    slow_answers(&slow);
    pair_connect(&p);
    assert_int_equal(wait_change(&p.state, -1), ALK_CLIENT_FAILED);
    assert_int_equal(p.status, ALK_E_AUTH);
    pair_end(&p);
    slow_end(&slow);
}

/* Nobody answers: the login ends when its time is over; the answer comes when even the server is
 * gone. */
static void test_a_login_that_ends_cancels_its_question(void **state)
{
    struct slow slow;
    struct pair p;
    struct alk_server_options with = {
        .identity_provider = &slow_init(&slow, ALK_OK, "relay:connect")->provider,
        .login_grace_s = 1,
    };

    pair_begin(&p, *state, "", &with);
    pair_connect(&p);
    wait_change(&slow.cancelled, 0);
    assert_int_equal(wait_change(&p.state, -1), ALK_CLIENT_FAILED);
    pair_end(&p);
    slow_end(&slow);
    assert_int_equal(slow.taken, slow.asked);
}

/* The server ends first. */
static void test_a_server_that_ends_cancels_questions(void **state)
{
    struct slow slow;
    struct pair p;
    struct alk_server_options with = {.identity_provider =
                                          &slow_init(&slow, ALK_OK, "relay:connect")->provider};

    pair_begin(&p, *state, NULL, &with);
    pair_connect(&p);
    wait_change(&slow.asked, 0);
    pair_end_server(&p);
    assert_int_equal(slow.cancelled, 1);
    slow_end(&slow);
    pair_end(&p);
}

/* Restrictions of authorized_keys reach the session through a chain with a late first link. */
static void test_restrictions_travel_through_a_chain(void **state)
{
    static const struct {
        const char *options;
        int status;
    } table[] = {{"", ALK_OK}, {"permitopen=\"127.0.0.1:1\"", ALK_E_DENIED}};

    for (size_t i = 0; i < 2; i++) {
        struct slow slow;
        struct pair p;
        struct alk_identity_chain *chain;
        pair_begin(&p, *state, table[i].options, NULL);
        slow_init(&slow, ALK_E_NOTFOUND, NULL);
        const struct alk_identity_provider *links[] = {&slow.provider,
                                                       alk_server_identity_provider(p.server)};
        assert_int_equal(alk_identity_chain_new(&chain, links, 2), ALK_OK);
        assert_int_equal(
            alk_server_set_identity_provider(p.server, alk_identity_chain_provider(chain)), ALK_OK);
        slow_answers(&slow);
        pair_connect(&p);
        assert_int_equal(wait_change(&p.state, -1), ALK_CLIENT_ONLINE);
        assert_int_equal(alk_server_set_identity_provider(p.server, NULL), ALK_E_INVAL);
        assert_int_equal(open_channel(&p), table[i].status);
        pair_end(&p);
        slow_end(&slow);
        alk_identity_chain_free(chain);
    }
}

/* A reload asks again; who is refused now is sent away. */
static void test_a_reload_asks_again(void **state)
{
    struct slow slow;
    struct pair p;
    struct alk_server_options with = {.identity_provider =
                                          &slow_init(&slow, ALK_OK, "relay:connect")->provider};

    pair_begin(&p, *state, NULL, &with);
    slow_answers(&slow);
    pair_connect(&p);
    assert_int_equal(wait_change(&p.state, -1), ALK_CLIENT_ONLINE);
    slow.status = ALK_E_IO; /* it cannot find out: the session stays */
    int asked = slow.asked;
    assert_int_equal(alk_server_reload(p.server, NULL, NULL), ALK_OK);
    wait_change(&slow.asked, asked);
    assert_int_equal(open_channel(&p), ALK_OK);
    slow.status = ALK_E_AUTH;
    assert_int_equal(alk_server_reload(p.server, NULL, NULL), ALK_OK);
    assert_int_equal(wait_change(&p.state, ALK_CLIENT_ONLINE), ALK_CLIENT_OFFLINE);
    pair_end(&p);
    slow_end(&slow);
}

/* ---- the server's own provider ---- */

struct heard {
    int status;
    char reason[32];
    struct alk_identity *identity;
};

static void on_answer(void *user, const struct alk_identity_answer *answer)
{
    struct heard *h = user;

    h->status = answer->status;
    h->identity = alk_identity_ref(answer->identity);
    if (answer->reason != NULL)
        strncpy(h->reason, answer->reason, sizeof(h->reason) - 1);
}

static struct heard ask(struct pair *p, struct alk_identity_request request)
{
    struct alk_identity_question *pending;
    struct heard heard = {.status = 1};

    request.address = "203.0.113.5";
    request.now = (uint64_t)time(NULL);
    alk_identity_ask(&pending, alk_server_identity_provider(p->server), &request, on_answer,
                     &heard);
    assert_null(pending);
    return heard;
}

static struct heard ask_token(struct pair *p, const char *token)
{
    return ask(p, (struct alk_identity_request){.kind = ALK_IDENTITY_BY_TOKEN, .token = token});
}

static struct heard ask_key(struct pair *p, const struct alk_key *key)
{
    return ask(p, (struct alk_identity_request){.kind = ALK_IDENTITY_BY_KEY,
                                                .blob = alk_key_blob(key),
                                                .blob_len = ALK_KEY_BLOB_SIZE,
                                                .login = "me",
                                                .proven = true});
}

static void says(struct heard heard, int status, const char *reason)
{
    if (heard.status != status || strcmp(heard.reason, reason) != 0)
        fail_msg("expected %d %s, got %d %s", status, reason, heard.status, heard.reason);
    alk_identity_unref(heard.identity);
}

static void make_token(struct pair *p, const struct alk_key *by, bool bound,
                       char token[ALK_TOKEN_TEXT_SIZE])
{
    uint8_t audience[ALK_TOKEN_AUDIENCE_SIZE];

    alk_token_audience(alk_key_blob(p->host), ALK_KEY_BLOB_SIZE, audience);
    alk_token_make(by, bound ? audience : NULL, (uint64_t)time(NULL), token);
}

static void test_a_token_and_a_key_are_one_identity(void **state)
{
    struct alk_server_options with = {.token = {.enabled = true, .deny_replay = true}};
    char token[ALK_TOKEN_TEXT_SIZE];
    struct pair p;

    pair_begin(&p, *state,
               "alk-scopes=\"relay:connect,metrics:read\",alk-resources=\"service:gitea\"", &with);
    struct heard by_key = ask_key(&p, p.user);
    make_token(&p, p.user, true, token);
    struct heard by_token = ask_token(&p, token);
    assert_int_equal(by_key.status, ALK_OK);
    assert_int_equal(by_token.status, ALK_OK);
    assert_true(alk_identity_equal(by_key.identity, by_token.identity));
    assert_true(alk_identity_has_scope(by_token.identity, "metrics:read"));
    assert_true(alk_identity_may_use(by_token.identity, "service", "gitea"));
    says(ask_token(&p, token), ALK_E_AUTH, "replayed");
    /* what was resolved outlives the settings that it came from, and the server */
    write_keys(&p, NULL);
    assert_int_equal(alk_server_reload(p.server, NULL, NULL), ALK_OK);
    says(ask_token(&p, token), ALK_E_NOTFOUND, "unknown-key");
    pair_end(&p);
    assert_true(alk_identity_has_scope(by_token.identity, "metrics:read"));
    alk_identity_unref(by_key.identity);
    alk_identity_unref(by_token.identity);
}

/* Keys of tokens of their own: those log in nowhere, and others make no tokens. */
static void test_tokens_have_keys_of_their_own(void **state)
{
    struct alk_server_options with = {.token = {.enabled = true}};
    char token[ALK_TOKEN_TEXT_SIZE], line[300], text[400];
    struct pair p;

    pair_begin(&p, *state, "", &with);
    alk_key_format_public(alk_key_blob(p.host), ALK_KEY_BLOB_SIZE, NULL, line, sizeof(line));
    snprintf(text, sizeof(text), "alk-scopes=\"metrics:read\" %s\n", line);
    scratch_text(p.scratch, "token_keys", text);
    struct alk_server_options options = options_of(&p);
    options.token = with.token;
    options.token_keys = scratch_path(p.scratch, "token_keys");
    assert_int_equal(alk_server_reload(p.server, &options, NULL), ALK_OK);
    make_token(&p, p.user, true, token);
    says(ask_token(&p, token), ALK_E_NOTFOUND, "unknown-key");
    make_token(&p, p.host, true, token);
    struct heard heard = ask_token(&p, token);
    assert_int_equal(heard.status, ALK_OK);
    assert_true(alk_identity_has_scope(heard.identity, "metrics:read"));
    alk_identity_unref(heard.identity);
    says(ask_key(&p, p.host), ALK_E_NOTFOUND, "unknown-key");
    scratch_text(p.scratch, "token_keys", "");
    assert_int_equal(alk_server_reload(p.server, NULL, NULL), ALK_OK);
    says(ask_token(&p, token), ALK_E_NOTFOUND, "unknown-key");
    assert_int_equal(unlink(scratch_path(p.scratch, "token_keys")), 0);
    assert_int_equal(alk_server_reload(p.server, NULL, NULL), ALK_E_NOTFOUND);
    pair_end(&p);
}

static void test_tokens_that_are_refused(void **state)
{
    struct alk_server_options with = {.token = {.enabled = true, .require_audience = true}};
    char token[ALK_TOKEN_TEXT_SIZE];
    struct pair p;

    pair_begin(&p, *state, "from=\"198.51.100.1\"", &with);
    make_token(&p, p.user, true, token);
    says(ask_token(&p, token), ALK_E_AUTH, "not-admitted");
    make_token(&p, p.user, false, token);
    says(ask_token(&p, token), ALK_E_AUTH, "no-audience");
    make_token(&p, p.host, true, token);
    says(ask_token(&p, token), ALK_E_NOTFOUND, "unknown-key");
    says(ask_token(&p, "nonsense"), ALK_E_NOTFOUND, "malformed-token");
    struct alk_server_options off = options_of(&p);
    assert_int_equal(alk_server_reload(p.server, &off, NULL), ALK_OK);
    says(ask_token(&p, token), ALK_E_NOTFOUND, "tokens-disabled");
    pair_end(&p);
}

/* An unknown key costs as much as a known one with a signature that does not hold. */
static void test_unknown_keys_cost_the_same(void **state)
{
    struct alk_server_options with = {.token = {.enabled = true}};
    char token[ALK_TOKEN_TEXT_SIZE];
    struct work work[2];
    struct pair p;

    pair_begin(&p, *state, "", &with);
    for (unsigned i = 0; i < 2; i++) {
        make_token(&p, i == 0 ? p.user : p.host, true, token);
        token[120] = token[120] == 'A' ? 'B' : 'A'; /* of the nonce */
        work_done();
        says(ask_token(&p, token), ALK_E_NOTFOUND, i == 0 ? "bad-signature" : "unknown-key");
        work[i] = work_done();
    }
    assert_int_equal(work[0].verifications, 1);
    assert_int_equal(work[1].verifications, 1);
    assert_int_equal(work[0].comparisons, work[1].comparisons);
    pair_end(&p);
}

static void test_api_keys_of_the_server(void **state)
{
    char good[ALK_API_KEY_SIZE], bad[ALK_API_KEY_SIZE], hashes[2][ALK_API_KEY_HASH_SIZE];
    struct alk_api_key keys[] = {{.name = "dashboard", .hash = hashes[0], .scopes = "metrics:read"},
                                 {.name = "old", .hash = hashes[1], .disabled = true}};
    struct alk_server_options with = {.api_keys = keys, .api_key_count = 2};
    uint64_t count, last;
    struct pair p;

    alk_api_key_generate(good);
    alk_api_key_generate(bad);
    alk_api_key_hash(good, ALK_API_KEY_LEN, hashes[0]);
    alk_api_key_hash(bad, ALK_API_KEY_LEN, hashes[1]);
    pair_begin(&p, *state, NULL, &with);
    memset(hashes, 0, sizeof(hashes)); /* the server has its own copy, also for reloads */
    assert_int_equal(alk_server_reload(p.server, NULL, NULL), ALK_OK);
    struct heard heard = ask_token(&p, good);
    assert_int_equal(heard.status, ALK_OK);
    assert_memory_equal(heard.identity->id, good + 4, 8);
    says(heard, ALK_OK, "");
    says(ask_token(&p, bad), ALK_E_AUTH, "disabled");
    bad[20] = bad[20] == 'A' ? 'B' : 'A';
    says(ask_token(&p, bad), ALK_E_NOTFOUND, "unknown-key");
    assert_int_equal(alk_server_reload(p.server, NULL, NULL), ALK_OK);
    assert_true(alk_server_api_key_used(p.server, "dashboard", &count, &last));
    assert_int_equal(count, 1);
    assert_true(last > 0);
    pair_end(&p);
}

static int setup(void **state)
{
    (void)state;
    return alk_crypto_init();
}

#define SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_make, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH(test_a_late_yes_logs_in),
        SCRATCH(test_an_identity_without_the_scope_opens_nothing),
        SCRATCH(test_a_late_no_refuses),
        SCRATCH(test_a_login_that_ends_cancels_its_question),
        SCRATCH(test_a_server_that_ends_cancels_questions),
        SCRATCH(test_restrictions_travel_through_a_chain),
        SCRATCH(test_a_reload_asks_again),
        SCRATCH(test_a_token_and_a_key_are_one_identity),
        SCRATCH(test_tokens_that_are_refused),
        SCRATCH(test_tokens_have_keys_of_their_own),
        SCRATCH(test_unknown_keys_cost_the_same),
        SCRATCH(test_api_keys_of_the_server),
    };

    return cmocka_run_group_tests(tests, setup, NULL);
}
