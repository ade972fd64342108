/* Identities, and the ways of asking for one: at once, later, from another thread, never. */
#include "auth/identity.h"
#include "support/alloc.h"
#include "support/net.h"

#include <alk/key.h>
#include <alk/loop.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <string.h>

/* ---- identities ---- */

static struct alk_identity *parse(const char *id, const char *scopes, const char *resources)
{
    struct alk_identity *identity;
    struct alk_error error;

    if (alk_identity_parse(&identity, id, scopes, resources, &error) != ALK_OK)
        fail_msg("%s", error.text);
    return identity;
}

static void test_lists_are_read(void **state)
{
    struct alk_identity *a = parse("me", " relay:connect ,metrics:read\t", "service:gitea");
    struct alk_identity *none = parse("me", NULL, "  ");

    (void)state;
    assert_string_equal(a->id, "me");
    assert_int_equal(a->scope_count, 2);
    assert_string_equal(a->scopes[0], "relay:connect");
    assert_string_equal(a->scopes[1], "metrics:read");
    assert_int_equal(a->resource_count, 1);
    assert_string_equal(a->resources[0].type, "service");
    assert_string_equal(a->resources[0].name, "gitea");
    assert_int_equal(none->scope_count + none->resource_count, 0);
    alk_identity_unref(a);
    alk_identity_unref(none);
}

static void test_unusable_lists_are_refused(void **state)
{
    static const struct {
        const char *id, *scopes, *resources;
        int status;
    } table[] = {
        {"", NULL, NULL, ALK_E_INVAL},         {"a b", NULL, NULL, ALK_E_INVAL},
        {"me", "a,,b", NULL, ALK_E_INVAL},     {"me", "a,", NULL, ALK_E_INVAL},
        {"me", "a:*", NULL, ALK_E_INVAL},      {"me", "a\nb", NULL, ALK_E_INVAL},
        {"me", NULL, "gitea", ALK_E_PARSE},    {"me", NULL, ":gitea", ALK_E_INVAL},
        {"me", NULL, "service:", ALK_E_INVAL}, {"me", "\xc3\xa4", NULL, ALK_E_INVAL},
    };
    char many[ALK_IDENTITY_SCOPES_MAX * 2 + 2] = "a";
    struct alk_identity *identity;

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct alk_error error = {0};
        int status =
            alk_identity_parse(&identity, table[i].id, table[i].scopes, table[i].resources, &error);
        if (status != table[i].status || error.text[0] == '\0' || identity != NULL)
            fail_msg("case %zu: got %d, '%s'", i, status, error.text);
    }
    for (int i = 0; i < ALK_IDENTITY_SCOPES_MAX; i++)
        strcat(many, ",a");
    assert_int_equal(alk_identity_parse(&identity, "me", many, NULL, NULL), ALK_E_LIMIT);
    many[strlen(many) - 2] = '\0';
    assert_int_equal(alk_identity_parse(&identity, "me", many, NULL, NULL), ALK_OK);
    alk_identity_unref(identity);
}

static void test_scopes_and_resources(void **state)
{
    struct alk_identity *me = parse("me", "relay:connect,metrics:read", "service:gitea,folder:a");

    (void)state;
    assert_true(alk_identity_has_scope(me, "relay:connect"));
    assert_false(alk_identity_has_scope(me, "relay:connect2"));
    assert_false(alk_identity_has_scope(me, "relay:"));
    assert_true(alk_identity_has_scope(me, "metrics:read"));
    assert_false(alk_identity_has_scope(me, "metric"));
    assert_true(alk_identity_may_use(me, "service", "gitea"));
    assert_false(alk_identity_may_use(me, "service", "wiki"));
    assert_false(alk_identity_may_use(me, "folder", "gitea"));
    alk_identity_unref(me);
}

static void test_equality_knows_no_order(void **state)
{
    struct alk_identity *a = parse("me", "x,y", "s:a,s:b"), *b = parse("me", "y,x", "s:b,s:a");
    struct alk_identity *others[] = {parse("he", "x,y", "s:a,s:b"), parse("me", "x", "s:a,s:b"),
                                     parse("me", "x,y,z", "s:a,s:b"), parse("me", "x,y", "s:a"),
                                     parse("me", "x,y", "s:a,t:b")};

    (void)state;
    assert_true(alk_identity_equal(a, b));
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        assert_false(alk_identity_equal(a, others[i]));
        assert_false(alk_identity_equal(others[i], a));
        alk_identity_unref(others[i]);
    }
    alk_identity_unref(a);
    alk_identity_unref(b);
}

static unsigned dropped;

static void drop(void *attachment)
{
    (void)attachment;
    dropped++;
}

static void other_drop(void *attachment)
{
    (void)attachment;
}

static void test_an_attachment_goes_with_the_last_reference(void **state)
{
    struct alk_identity data = {.id = "me"}, bad = {.id = ""}, *identity;
    int thing;

    (void)state;
    dropped = 0;
    assert_int_equal(alk_identity_new_attached(&identity, &data, &thing, drop), ALK_OK);
    assert_ptr_equal(alk_identity_ref(identity), identity);
    assert_ptr_equal(alk_identity_attachment(identity, drop), &thing);
    assert_null(alk_identity_attachment(identity, other_drop));
    alk_identity_unref(identity);
    assert_int_equal(dropped, 0);
    alk_identity_unref(identity);
    assert_int_equal(dropped, 1);
    assert_int_equal(alk_identity_new_attached(&identity, &bad, &thing, drop), ALK_E_INVAL);
    assert_int_equal(dropped, 2);
}

/* ---- a provider that does as it is told ---- */

struct scripted {
    struct alk_identity_provider provider;
    int status;     /* what it answers */
    const char *id; /* with ALK_OK */
    bool later;     /* keeps the question */
    unsigned asked, cancelled;
    struct alk_identity_question *question;
};

static void give(struct scripted *s, struct alk_identity_question *question)
{
    struct alk_identity_answer answer = {.status = s->status, .reason = s->id};

    if (s->status == ALK_OK)
        answer.identity = parse(s->id, "relay:connect", NULL);
    alk_identity_question_answer(question, &answer);
}

static void on_resolve(void *user, struct alk_identity_question *question)
{
    struct scripted *s = user;

    s->asked++;
    s->question = question;
    if (!s->later)
        give(s, question);
}

/* Lets a cancelled question go at once. */
static void on_cancelled(void *user, struct alk_identity_question *question)
{
    struct scripted *s = user;

    s->cancelled++;
    assert_ptr_equal(question, s->question);
    give(s, question);
}

static void on_cancelled_but_slow(void *user, struct alk_identity_question *question)
{
    struct scripted *s = user;

    s->cancelled++;
    assert_ptr_equal(question, s->question);
}

static struct scripted *script(struct scripted *s, int status, const char *id, bool later)
{
    static const struct alk_identity_provider_ops ops = {.resolve = on_resolve,
                                                         .cancelled = on_cancelled};

    *s = (struct scripted){.status = status, .id = id, .later = later};
    s->provider = (struct alk_identity_provider){.ops = &ops, .user = s};
    return s;
}

/* ---- an asker ---- */

struct asker {
    bool heard;
    unsigned count;
    int status;
    char reason[32], id[32];
    pthread_t thread;
    struct alk_identity_question *pending;
};

static void on_answer(void *user, const struct alk_identity_answer *answer)
{
    struct asker *a = user;

    a->heard = true;
    a->count++;
    a->status = answer->status;
    a->thread = pthread_self();
    if (answer->reason != NULL)
        strncpy(a->reason, answer->reason, sizeof(a->reason) - 1);
    if (answer->identity != NULL)
        strncpy(a->id, answer->identity->id, sizeof(a->id) - 1);
}

static struct asker *ask(struct asker *a, const struct alk_identity_provider *provider,
                         struct alk_loop *loop)
{
    const struct alk_identity_request request = {.kind = ALK_IDENTITY_BY_TOKEN,
                                                 .token = "token",
                                                 .address = "203.0.113.5",
                                                 .now = 5,
                                                 .loop = loop};

    *a = (struct asker){.status = 1};
    alk_identity_ask(&a->pending, provider, &request, on_answer, a);
    return a;
}

/* ---- asking ---- */

static void test_an_answer_at_once(void **state)
{
    struct scripted s;
    struct asker a;

    (void)state;
    ask(&a, &script(&s, ALK_OK, "me", false)->provider, NULL);
    assert_int_equal(a.count, 1);
    assert_null(a.pending);
    assert_string_equal(a.id, "me");
    ask(&a, &script(&s, ALK_E_AUTH, "disabled", false)->provider, NULL);
    assert_int_equal(a.status, ALK_E_AUTH);
    assert_string_equal(a.reason, "disabled");
}

static void test_the_request_is_a_copy(void **state)
{
    uint8_t blob[] = {1, 2, 3}, audience[32] = {9};
    char login[] = "bob", address[] = "::1", token[] = "secret";
    struct alk_identity_request request = {.blob = blob,
                                           .blob_len = sizeof(blob),
                                           .login = login,
                                           .address = address,
                                           .token = token,
                                           .audience = audience};
    struct scripted s;
    struct asker a = {.status = 1};

    (void)state;
    script(&s, ALK_OK, "me", true);
    alk_identity_ask(&a.pending, &s.provider, &request, on_answer, &a);
    blob[0] = audience[0] = 0;
    login[0] = address[0] = token[0] = '-';
    const struct alk_identity_request *kept = alk_identity_question_request(s.question);
    assert_int_equal(kept->blob_len, 3);
    assert_memory_equal(kept->blob, "\1\2\3", 3);
    assert_int_equal(kept->audience[0], 9);
    assert_string_equal(kept->login, "bob");
    assert_string_equal(kept->address, "::1");
    assert_string_equal(kept->token, "secret");
    give(&s, s.question);
    assert_int_equal(a.count, 1);
}

static const char wiped_token[] = "wiped-token";
static bool seen_token;

static void look_for_token(const void *block, size_t size)
{
    seen_token = seen_token || memmem(block, size, wiped_token, sizeof(wiped_token) - 1) != NULL;
}

static void test_a_token_is_wiped(void **state)
{
    struct alk_identity_request request = {.token = wiped_token};
    struct scripted s;
    struct asker a = {.status = 1};

    (void)state;
    seen_token = false;
    alloc_watch_free(look_for_token);
    alk_identity_ask(&a.pending, &script(&s, ALK_E_AUTH, "no", false)->provider, &request,
                     on_answer, &a);
    alloc_watch_free(NULL);
    assert_int_equal(a.count, 1);
    assert_false(seen_token);
}

static void test_nonsense_is_no_yes(void **state)
{
    struct scripted s;
    struct asker a;
    struct alk_identity_answer yes = {.status = ALK_OK};
    struct alk_identity_answer no = {.status = ALK_E_AUTH, .identity = parse("me", NULL, NULL)};

    (void)state;
    ask(&a, &script(&s, ALK_OK, "me", true)->provider, NULL);
    alk_identity_question_answer(s.question, &yes);
    assert_int_equal(a.status, ALK_E_INVAL);
    ask(&a, &script(&s, ALK_OK, "me", true)->provider, NULL);
    alk_identity_question_answer(s.question, &no);
    assert_int_equal(a.status, ALK_E_INVAL);
    assert_string_equal(a.id, "");
}

static void *answer_from_a_thread(void *user)
{
    struct scripted *s = user;

    give(s, s->question);
    return NULL;
}

static void test_an_answer_of_another_thread_comes_on_the_loop(void **state)
{
    struct alk_loop *loop;
    struct scripted s;
    struct asker a;
    pthread_t thread;

    (void)state;
    assert_int_equal(alk_loop_new(&loop), ALK_OK);
    ask(&a, &script(&s, ALK_OK, "me", true)->provider, loop);
    assert_non_null(a.pending);
    assert_int_equal(pthread_create(&thread, NULL, answer_from_a_thread, &s), 0);
    pthread_join(thread, NULL);
    assert_false(a.heard);
    net_run_until(loop, &a.heard);
    assert_true(pthread_equal(a.thread, pthread_self()));
    assert_string_equal(a.id, "me");
    alk_loop_free(loop);
}

/* The answer is on its way through the loop's mailbox, and then nobody wants it. */
static void test_cancelled_after_the_answer(void **state)
{
    struct alk_loop *loop;
    struct scripted s;
    struct asker a;

    (void)state;
    long before = alloc_live();
    assert_int_equal(alk_loop_new(&loop), ALK_OK);
    ask(&a, &script(&s, ALK_OK, "me", true)->provider, loop);
    give(&s, s.question);
    alk_identity_cancel(a.pending);
    net_run_ready(loop);
    alk_loop_free(loop);
    assert_false(a.heard);
    assert_int_equal(s.cancelled, 0);
    assert_int_equal(alloc_live(), before);
}

static void test_cancelled_before_the_answer(void **state)
{
    static const struct alk_identity_provider_ops slow = {.resolve = on_resolve,
                                                          .cancelled = on_cancelled_but_slow};
    static const struct alk_identity_provider_ops deaf = {.resolve = on_resolve};
    struct alk_loop *loop;
    struct scripted s;
    struct asker a;

    (void)state;
    long before = alloc_live();
    assert_int_equal(alk_loop_new(&loop), ALK_OK);
    ask(&a, &script(&s, ALK_OK, "me", true)->provider, loop);
    alk_identity_cancel(a.pending);
    assert_int_equal(s.cancelled, 1);
    script(&s, ALK_OK, "me", true)->provider.ops = &slow;
    ask(&a, &s.provider, loop);
    alk_identity_cancel(a.pending);
    assert_int_equal(s.cancelled, 1);
    struct alk_identity_question *late = s.question;
    struct scripted t;
    script(&t, ALK_OK, "me", true)->provider.ops = &deaf;
    ask(&a, &t.provider, loop);
    alk_identity_cancel(a.pending);
    alk_loop_free(loop); /* whoever is late touches neither loop nor asker */
    give(&s, late);
    give(&t, t.question);
    assert_false(a.heard);
    assert_int_equal(alloc_live(), before);
}

/* ---- chains ---- */

struct trio {
    struct scripted s[3];
    struct alk_identity_chain *chain;
};

static void link_up(struct trio *t, bool later, int first, int second, int third)
{
    const int statuses[] = {first, second, third};
    static const char *const ids[] = {"first", "second", "third"};
    const struct alk_identity_provider *links[3];

    for (size_t i = 0; i < 3; i++)
        links[i] = &script(&t->s[i], statuses[i], ids[i], later)->provider;
    assert_int_equal(alk_identity_chain_new(&t->chain, links, 3), ALK_OK);
}

static void test_a_chain_goes_on_only_when_it_is_unknown(void **state)
{
    static const struct {
        int statuses[3], status;
        const char *reason;
        unsigned asked;
    } table[] = {
        {{ALK_OK, ALK_OK, ALK_OK}, ALK_OK, "first", 1},
        {{ALK_E_NOTFOUND, ALK_OK, ALK_OK}, ALK_OK, "second", 2},
        {{ALK_E_NOTFOUND, ALK_E_NOTFOUND, ALK_OK}, ALK_OK, "third", 3},
        {{ALK_E_NOTFOUND, ALK_E_NOTFOUND, ALK_E_NOTFOUND}, ALK_E_NOTFOUND, "third", 3},
        {{ALK_E_AUTH, ALK_OK, ALK_OK}, ALK_E_AUTH, "first", 1},
        {{ALK_E_NOTFOUND, ALK_E_IO, ALK_OK}, ALK_E_IO, "second", 2},
    };

    (void)state;
    for (size_t i = 0; i < 2 * sizeof(table) / sizeof(table[0]); i++) {
        const int *statuses = table[i / 2].statuses;
        bool later = i % 2 == 1;
        struct trio t;
        struct asker a;
        long before = alloc_live();
        link_up(&t, later, statuses[0], statuses[1], statuses[2]);
        ask(&a, alk_identity_chain_provider(t.chain), NULL);
        for (size_t k = 0; later && !a.heard; k++)
            give(&t.s[k], t.s[k].question);
        if (a.count != 1 || a.status != table[i / 2].status ||
            strcmp(a.reason, table[i / 2].reason) != 0 ||
            t.s[0].asked + t.s[1].asked + t.s[2].asked != table[i / 2].asked)
            fail_msg("case %zu: got %d, %s", i / 2, a.status, a.reason);
        assert_string_equal(a.id, a.status == ALK_OK ? table[i / 2].reason : "");
        alk_identity_chain_free(t.chain);
        assert_int_equal(alloc_live(), before);
    }
}

static void test_a_chain_is_cancelled_where_it_stands(void **state)
{
    struct alk_loop *loop;
    struct trio t;
    struct asker a;

    (void)state;
    long before = alloc_live();
    assert_int_equal(alk_loop_new(&loop), ALK_OK);
    link_up(&t, true, ALK_E_NOTFOUND, ALK_OK, ALK_OK);
    ask(&a, alk_identity_chain_provider(t.chain), loop);
    give(&t.s[0], t.s[0].question);
    net_run_ready(loop);
    assert_int_equal(t.s[1].asked, 1);
    alk_identity_cancel(a.pending);
    assert_int_equal(t.s[1].cancelled, 1);
    assert_int_equal(t.s[2].asked, 0);
    alk_loop_free(loop);
    assert_false(a.heard);
    alk_identity_chain_free(t.chain);
    assert_int_equal(alloc_live(), before);
}

static void test_chains_within_chains(void **state)
{
    struct trio inner;
    struct scripted last;
    struct alk_identity_chain *outer;
    struct asker a;

    (void)state;
    link_up(&inner, false, ALK_E_NOTFOUND, ALK_E_NOTFOUND, ALK_E_NOTFOUND);
    const struct alk_identity_provider *links[] = {alk_identity_chain_provider(inner.chain),
                                                   &script(&last, ALK_OK, "last", false)->provider};
    assert_int_equal(alk_identity_chain_new(&outer, links, 2), ALK_OK);
    ask(&a, alk_identity_chain_provider(outer), NULL);
    assert_string_equal(a.id, "last");
    alk_identity_chain_free(outer);
    alk_identity_chain_free(inner.chain);
}

static void test_a_chain_has_links_but_not_too_many(void **state)
{
    const struct alk_identity_provider *links[ALK_IDENTITY_CHAIN_MAX + 1] = {NULL};
    struct alk_identity_chain *chain;

    (void)state;
    assert_int_equal(alk_identity_chain_new(&chain, links, 0), ALK_E_INVAL);
    assert_int_equal(alk_identity_chain_new(&chain, links, ALK_IDENTITY_CHAIN_MAX + 1),
                     ALK_E_LIMIT);
}

/* The asker hears of it, whichever allocation fails, and nothing is lost. */
static void test_failing_allocations_are_heard_of(void **state)
{
    unsigned n = 1, refused = 0;
    struct alk_loop *loop;

    (void)state;
    assert_int_equal(alk_loop_new(&loop), ALK_OK);
    for (bool failed = true; failed; n++) {
        struct trio t;
        struct asker a;
        link_up(&t, true, ALK_E_NOTFOUND, ALK_E_NOTFOUND, ALK_E_AUTH);
        long before = alloc_live();
        alloc_fail_at(n, false);
        ask(&a, alk_identity_chain_provider(t.chain), loop);
        for (size_t k = 0; k < 3 && !a.heard; k++) {
            give(&t.s[k], t.s[k].question);
            net_run_ready(loop);
            net_run_ready(loop);
        }
        failed = alloc_failed();
        alloc_fail_at(0, false);
        assert_int_equal(a.count, 1);
        assert_int_equal(a.status, failed ? ALK_E_NOMEM : ALK_E_AUTH);
        refused += failed;
        assert_int_equal(alloc_live(), before);
        alk_identity_chain_free(t.chain);
    }
    assert_in_range(refused, 5, 50); /* the sweep went over something */
    alk_loop_free(loop);
}

static int setup(void **state)
{
    (void)state;
    return alk_crypto_init();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lists_are_read),
        cmocka_unit_test(test_unusable_lists_are_refused),
        cmocka_unit_test(test_scopes_and_resources),
        cmocka_unit_test(test_equality_knows_no_order),
        cmocka_unit_test(test_an_attachment_goes_with_the_last_reference),
        cmocka_unit_test(test_an_answer_at_once),
        cmocka_unit_test(test_the_request_is_a_copy),
        cmocka_unit_test(test_a_token_is_wiped),
        cmocka_unit_test(test_nonsense_is_no_yes),
        cmocka_unit_test(test_an_answer_of_another_thread_comes_on_the_loop),
        cmocka_unit_test(test_cancelled_after_the_answer),
        cmocka_unit_test(test_cancelled_before_the_answer),
        cmocka_unit_test(test_a_chain_goes_on_only_when_it_is_unknown),
        cmocka_unit_test(test_a_chain_is_cancelled_where_it_stands),
        cmocka_unit_test(test_chains_within_chains),
        cmocka_unit_test(test_a_chain_has_links_but_not_too_many),
        cmocka_unit_test(test_failing_allocations_are_heard_of),
    };

    return cmocka_run_group_tests(tests, setup, NULL);
}
