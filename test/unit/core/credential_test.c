/* Credentials that we present: the fields of each kind, the store, chains. */
#include "support/alloc.h"
#include "support/scratch.h"

#include <alk/credential.h>
#include <alk/key.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#define FIELDS(...)                                                                                \
    (const struct alk_credential_field[]){__VA_ARGS__},                                            \
        sizeof((const struct alk_credential_field[]){__VA_ARGS__}) /                               \
            sizeof(struct alk_credential_field)

static const struct {
    const char *kind;
    const struct alk_credential_field *fields;
    size_t count;
    const char *fault; /* NULL: fine */
} table[] = {
    {"api-key", FIELDS({"key", "SECRET"}), NULL},
    {"api-key", FIELDS({"key", "SECRET"}, {"header", "X-Key"}), NULL},
    {"api-key", FIELDS({"header", "X-Key"}), "needs the field key"},
    {"basic", FIELDS({"username", "me"}, {"password", "SECRET"}), NULL},
    {"basic", FIELDS({"username", "me"}), "needs the field password"},
    {"basic", FIELDS({"username", "me"}, {"password", "SECRET"}, {"token", "SECRET"}),
     "kind basic has no field token"},
    {"bearer", FIELDS({"token", "SECRET"}), NULL},
    {"bearer", FIELDS({"token", ""}), "field token is empty"},
    {"bearer", FIELDS({"token", "SECRET"}, {"token", "SECRET"}), "field token is there twice"},
    {"s3", FIELDS({"access_key_id", "AK"}, {"secret_access_key", "SECRET"}, {"region", "r"}), NULL},
    {"s3", FIELDS({"access_key_id", "AK"}), "needs the field secret_access_key"},
    {"oidc",
     FIELDS({"issuer", "https://id.example"}, {"client_id", "c"}, {"client_secret", "SECRET"},
            {"refresh_token", "SECRET"}),
     NULL},
    {"oidc", FIELDS({"client_id", "c"}), "needs the field issuer"},
    {"custom", FIELDS({"anything-at_all1", "SECRET"}), NULL},
    {"custom", FIELDS({"Upper", "SECRET"}), "name of a field"},
    {"custom", FIELDS({"", "SECRET"}), "name of a field"},
};

static void test_the_fields_of_each_kind(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct alk_credential credential = {.fields = table[i].fields,
                                            .field_count = table[i].count};
        struct alk_credential_set *set;
        struct alk_error error = {0};
        assert_int_equal(alk_credential_kind_parse(table[i].kind, &credential.kind), ALK_OK);
        assert_string_equal(alk_credential_kind_text(credential.kind), table[i].kind);
        int status = alk_credential_set_new(&set, &credential, &error);
        if (status != (table[i].fault == NULL ? ALK_OK : ALK_E_INVAL) ||
            (table[i].fault != NULL && strstr(error.text, table[i].fault) == NULL))
            fail_msg("case %zu: got %d, '%s'", i, status, error.text);
        assert_null(strstr(error.text, "SECRET"));
        for (size_t k = 0; status == ALK_OK && k < table[i].count; k++) {
            assert_string_equal(alk_credential_set_field(set, k), table[i].fields[k].name);
            assert_string_equal(alk_credential_set_get(set, table[i].fields[k].name),
                                table[i].fields[k].value);
        }
        if (status == ALK_OK) {
            assert_null(alk_credential_set_field(set, table[i].count));
            assert_null(alk_credential_set_get(set, "nothing"));
        }
        alk_credential_set_unref(set);
    }
}

static void test_bounds(void **state)
{
    static char huge[ALK_CREDENTIAL_VALUE_MAX + 1];
    struct alk_credential credential = {.kind = ALK_CREDENTIAL_BEARER,
                                        .fields = &(struct alk_credential_field){"token", huge},
                                        .field_count = 1};
    struct alk_credential_set *set;
    enum alk_credential_kind kind;

    (void)state;
    memset(huge, 'x', sizeof(huge) - 1);
    assert_int_equal(alk_credential_set_new(&set, &credential, NULL), ALK_E_LIMIT);
    huge[ALK_CREDENTIAL_VALUE_MAX - 1] = '\0';
    assert_int_equal(alk_credential_set_new(&set, &credential, NULL), ALK_OK);
    alk_credential_set_unref(set);
    assert_int_equal(alk_credential_kind_parse("password", &kind), ALK_E_INVAL);
}

/* ---- asking ---- */

static const struct alk_credential_entry entries[] = {
    {"backup", {ALK_CREDENTIAL_BEARER, FIELDS({"token", "one"}), 0}},
    {"short-lived", {ALK_CREDENTIAL_BEARER, FIELDS({"token", "two"}), 100}},
};

static struct alk_credential_store *store_of(size_t first, size_t count)
{
    struct alk_credential_store *store;

    assert_int_equal(alk_credential_store_new(&store, entries + first, count, NULL), ALK_OK);
    return store;
}

struct asker {
    unsigned count;
    int status;
    char token[16];
    struct alk_credential_question *pending;
};

static void on_answer(void *user, const struct alk_credential_answer *answer)
{
    struct asker *a = user;

    a->count++;
    a->status = answer->status;
    if (answer->set != NULL)
        strncpy(a->token, alk_credential_set_get(answer->set, "token"), sizeof(a->token) - 1);
}

static struct asker *ask(struct asker *a, const struct alk_credential_provider *provider,
                         const char *service, uint64_t now)
{
    const struct alk_credential_request request = {.service = service, .now = now};

    *a = (struct asker){.status = 1};
    alk_credential_ask(&a->pending, provider, &request, on_answer, a);
    return a;
}

static void test_the_store_answers(void **state)
{
    struct alk_credential_store *store = store_of(0, 2);
    const struct alk_credential_provider *provider = alk_credential_store_provider(store);
    char longest[ALK_CREDENTIAL_NAME_MAX + 2];
    struct asker a;

    (void)state;
    memset(longest, 'x', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    assert_string_equal(ask(&a, provider, "backup", 1)->token, "one");
    assert_int_equal(ask(&a, provider, "nothing", 1)->status, ALK_E_NOTFOUND);
    assert_int_equal(ask(&a, provider, longest, 1)->status, ALK_E_NOTFOUND);
    assert_string_equal(ask(&a, provider, "short-lived", 99)->token, "two");
    assert_int_equal(ask(&a, provider, "short-lived", 100)->status, ALK_E_LIMIT);
    alk_credential_store_free(store);
}

static void test_a_store_that_is_refused_names_the_service(void **state)
{
    const struct alk_credential_entry twice[] = {entries[0], entries[0]};
    const struct alk_credential_entry bad = {"mail", {.kind = ALK_CREDENTIAL_BASIC}};
    struct alk_credential_store *store;
    struct alk_error error;

    (void)state;
    assert_int_equal(alk_credential_store_new(&store, twice, 2, &error), ALK_E_EXISTS);
    assert_non_null(strstr(error.text, "backup"));
    assert_int_equal(alk_credential_store_new(&store, &bad, 1, &error), ALK_E_INVAL);
    assert_non_null(strstr(error.text, "mail"));
}

/* ---- values in files ---- */

static void write_secret(struct scratch *scratch, const char *name, const char *text, size_t len)
{
    scratch_write(scratch, name, text, len, 0600);
}

static void test_values_come_from_files(void **state)
{
    struct scratch *scratch = *state;
    char password[512], token[512];
    struct alk_credential_store *store;
    struct alk_error error;

    write_secret(scratch, "password", "two words\r\n", 11);
    write_secret(scratch, "token", "\n\n", 2);
    snprintf(password, sizeof(password), "%s", scratch_path(scratch, "password"));
    snprintf(token, sizeof(token), "%s", scratch_path(scratch, "token"));
    struct alk_credential_place places[] = {{.name = "username", .value = "me"},
                                            {.name = "password", .path = password, .line = 7}};
    struct alk_credential_source source = {.service = "mail",
                                           .kind = ALK_CREDENTIAL_BASIC,
                                           .places = places,
                                           .place_count = 2,
                                           .expires = 5,
                                           .file = "a.conf",
                                           .line = 6};
    assert_int_equal(alk_credential_store_load(&store, &source, 1, &error), ALK_OK);
    struct alk_credential_set *set = alk_credential_store_get(store, "mail");
    alk_credential_store_free(store);
    assert_string_equal(alk_credential_set_get(set, "username"), "me");
    assert_string_equal(alk_credential_set_get(set, "password"), "two words");
    assert_int_equal(alk_credential_set_expires(set), 5);
    alk_credential_set_unref(set);

    places[1].path = token; /* one line end is taken off, one is left */
    assert_int_equal(alk_credential_store_load(&store, &source, 1, &error), ALK_OK);
    set = alk_credential_store_get(store, "mail");
    assert_string_equal(alk_credential_set_get(set, "password"), "\n");
    assert_null(alk_credential_store_get(store, "post"));
    alk_credential_set_unref(set);
    alk_credential_store_free(store);

    places[1].path = "/no/such/file";
    assert_int_equal(alk_credential_store_load(&store, &source, 1, &error), ALK_E_NOTFOUND);
    assert_string_equal(error.text, "a.conf:7: credential mail: /no/such/file does not exist");
    assert_null(store);
    places[1] = places[0];
    assert_int_equal(alk_credential_store_load(&store, &source, 1, &error), ALK_E_INVAL);
    assert_non_null(strstr(error.text, "a.conf:6: credential mail: the field username is there"));
}

static void test_files_have_a_bound(void **state)
{
    static char longest[ALK_CREDENTIAL_VALUE_MAX + 1];
    struct scratch *scratch = *state;
    struct alk_credential_store *store;
    struct alk_credential_place places[3];
    struct alk_credential_source source = {
        .service = "all", .kind = ALK_CREDENTIAL_CUSTOM, .places = places};
    char path[512];

    memset(longest, 'x', sizeof(longest));
    longest[ALK_CREDENTIAL_VALUE_MAX - 1] = '\n'; /* with the NUL that takes its place: the most */
    write_secret(scratch, "longest", longest, ALK_CREDENTIAL_VALUE_MAX);
    snprintf(path, sizeof(path), "%s", scratch_path(scratch, "longest"));
    for (size_t i = 0; i < 3; i++)
        places[i] = (struct alk_credential_place){.name = i == 0   ? "a"
                                                          : i == 1 ? "b"
                                                                   : "c",
                                                  .path = path};
    for (source.place_count = 1; source.place_count <= 3; source.place_count++) {
        assert_int_equal(alk_credential_store_load(&store, &source, 1, NULL),
                         source.place_count == 1 ? ALK_OK : ALK_E_LIMIT);
        alk_credential_store_free(store);
    }
    source.place_count = ALK_CREDENTIAL_FIELDS_MAX + 1;
    assert_int_equal(alk_credential_store_load(&store, &source, 1, NULL), ALK_E_LIMIT);
}

static struct alk_credential_question *kept;
static unsigned cancelled;

static void keep(void *user, struct alk_credential_question *question)
{
    (void)user;
    kept = question;
}

static void on_cancelled(void *user, struct alk_credential_question *question)
{
    const struct alk_credential_answer answer = {.status = ALK_E_CLOSED};

    (void)user;
    cancelled++;
    alk_credential_question_answer(question, &answer);
}

static void test_a_chain_waits_goes_on_and_is_cancelled(void **state)
{
    static const struct alk_credential_provider_ops ops = {.resolve = keep,
                                                           .cancelled = on_cancelled};
    const struct alk_credential_provider slow = {.ops = &ops};
    const struct alk_credential_answer unknown = {.status = ALK_E_NOTFOUND};
    long before = alloc_live();
    struct alk_credential_store *store = store_of(0, 1);
    const struct alk_credential_provider *links[] = {&slow, alk_credential_store_provider(store)};
    struct alk_credential_chain *chain;
    struct asker a;

    (void)state;
    assert_int_equal(alk_credential_chain_new(&chain, links, 2), ALK_OK);
    ask(&a, alk_credential_chain_provider(chain), "backup", 1);
    assert_int_equal(a.count, 0);
    assert_string_equal(alk_credential_question_request(kept)->service, "backup");
    alk_credential_question_answer(kept, &unknown);
    assert_int_equal(a.count, 1);
    assert_string_equal(a.token, "one");
    ask(&a, alk_credential_chain_provider(chain), "backup", 1);
    alk_credential_cancel(a.pending);
    assert_int_equal(cancelled, 1);
    assert_int_equal(a.count, 0);
    alk_credential_chain_free(chain);
    alk_credential_store_free(store);
    assert_int_equal(alloc_live(), before);
}

static void test_failing_allocations_lose_nothing(void **state)
{
    unsigned n = 1;

    (void)state;
    for (bool failed = true; failed; n++) {
        long before = alloc_live();
        struct alk_credential_store *store;
        struct asker a = {0};
        alloc_fail_at(n, false);
        if (alk_credential_store_new(&store, entries, 2, NULL) == ALK_OK)
            ask(&a, alk_credential_store_provider(store), "backup", 1);
        failed = alloc_failed();
        alloc_fail_at(0, false);
        assert_int_equal(store != NULL && a.status == ALK_OK, !failed);
        alk_credential_store_free(store);
        assert_int_equal(alloc_live(), before);
    }
    assert_in_range(n, 4, 50); /* the sweep went over something */
}

static int setup(void **state)
{
    (void)state;
    return alk_crypto_init();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_fields_of_each_kind),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_the_store_answers),
        cmocka_unit_test(test_a_store_that_is_refused_names_the_service),
        cmocka_unit_test_setup_teardown(test_values_come_from_files, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(test_files_have_a_bound, scratch_make, scratch_remove),
        cmocka_unit_test(test_a_chain_waits_goes_on_and_is_cancelled),
        cmocka_unit_test(test_failing_allocations_lose_nothing),
    };

    return cmocka_run_group_tests(tests, setup, NULL);
}
