/* The credentials of a server: who asks gets those of the last reload, whole or not at all. */
#include "support/scratch.h"

#include <alk/server.h>

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { RELOADS = 200 };

struct site {
    struct scratch *scratch;
    struct alk_key *key;
    char keys[512], first[512], second[512];
    struct alk_credential_place places[2];
    struct alk_credential_source source;
    struct alk_server_options options;
    struct alk_server *server;
    atomic_bool done;
    atomic_uint answers, broken;
};

static void write_secret(struct site *site, const char *name, unsigned number, mode_t mode)
{
    char text[32];

    snprintf(text, sizeof(text), "secret %u\n", number);
    scratch_write(site->scratch, name, text, strlen(text), mode);
}

static void open_site(struct site *site, struct scratch *scratch)
{
    site->scratch = scratch;
    assert_int_equal(alk_key_generate(&site->key), ALK_OK);
    scratch_text(scratch, "keys", "");
    write_secret(site, "first", 0, 0600);
    write_secret(site, "second", 0, 0600);
    snprintf(site->keys, sizeof(site->keys), "%s", scratch_path(scratch, "keys"));
    snprintf(site->first, sizeof(site->first), "%s", scratch_path(scratch, "first"));
    snprintf(site->second, sizeof(site->second), "%s", scratch_path(scratch, "second"));
    site->places[0] = (struct alk_credential_place){.name = "first", .path = site->first};
    site->places[1] = (struct alk_credential_place){.name = "second", .path = site->second};
    site->source = (struct alk_credential_source){.service = "store",
                                                  .kind = ALK_CREDENTIAL_CUSTOM,
                                                  .places = site->places,
                                                  .place_count = 2};
    site->options.host_key = site->key;
    site->options.authorized_keys = site->keys;
    site->options.workers = 2;
    site->options.credentials = &site->source;
    site->options.credential_count = 1;
    assert_int_equal(alk_server_new(&site->server, &site->options, NULL), ALK_OK);
}

static void close_site(struct site *site)
{
    alk_server_free(site->server);
    alk_key_free(site->key);
}

static void on_answer(void *user, const struct alk_credential_answer *answer)
{
    struct alk_credential_set **set = user;

    *set = alk_credential_set_ref(answer->set);
}

/* The set that the provider answers with at once; the caller's. */
static struct alk_credential_set *ask(struct alk_server *server, const char *service)
{
    const struct alk_credential_request request = {.service = service, .now = 1};
    struct alk_credential_question *pending;
    struct alk_credential_set *set = NULL;

    alk_credential_ask(&pending, alk_server_credential_provider(server), &request, on_answer, &set);
    assert_null(pending);
    return set;
}

static void assert_first(struct alk_server *server, const char *value)
{
    struct alk_credential_set *set = ask(server, "store");

    assert_non_null(set);
    assert_string_equal(alk_credential_set_get(set, "first"), value);
    alk_credential_set_unref(set);
}

static void test_a_reload_replaces_them(void **state)
{
    struct site site = {.done = false};
    struct alk_error error;

    open_site(&site, *state);
    struct alk_credential_set *old = ask(site.server, "store");
    assert_null(ask(site.server, "nothing"));
    write_secret(&site, "first", 1, 0600);
    assert_first(site.server, "secret 0");
    site.places[0].name = "gone"; /* the server has copied what it was told */
    assert_int_equal(alk_server_reload(site.server, NULL, &error), ALK_OK);
    assert_first(site.server, "secret 1");
    assert_string_equal(alk_credential_set_get(old, "first"), "secret 0");
    alk_credential_set_unref(old);

    site.options.credential_count = 0;
    assert_int_equal(alk_server_reload(site.server, &site.options, &error), ALK_OK);
    assert_null(ask(site.server, "store"));
    close_site(&site);
}

static void test_a_reload_that_fails_changes_nothing(void **state)
{
    struct site site = {.done = false};
    struct alk_error error;

    open_site(&site, *state);
    write_secret(&site, "first", 1, 0600);
    assert_int_equal(remove(site.second), 0);
    write_secret(&site, "second", 1, 0644);
    assert_int_equal(alk_server_reload(site.server, NULL, &error), ALK_E_DENIED);
    assert_non_null(strstr(error.text, "chmod 600"));
    assert_null(strstr(error.text, "secret 1"));
    assert_first(site.server, "secret 0");

    /* and a fault elsewhere keeps them back, too */
    scratch_run(site.scratch, NULL, 0, ARGV("chmod", "600", "second"));
    site.options.authorized_keys = "/no/such/file";
    assert_int_equal(alk_server_reload(site.server, &site.options, &error), ALK_E_NOTFOUND);
    assert_first(site.server, "secret 0");
    assert_int_equal(alk_server_reload(site.server, NULL, &error), ALK_OK);
    assert_first(site.server, "secret 1");
    close_site(&site);
}

/* Both halves are of one reload. */
static void *ask_on(void *user)
{
    struct site *site = user;

    while (!atomic_load(&site->done)) {
        struct alk_credential_set *set = ask(site->server, "store");
        if (strcmp(alk_credential_set_get(set, "first"), alk_credential_set_get(set, "second")) !=
            0)
            atomic_fetch_add(&site->broken, 1);
        atomic_fetch_add(&site->answers, 1);
        alk_credential_set_unref(set);
    }
    return NULL;
}

static void test_asking_during_reloads(void **state)
{
    struct site site = {.done = false};
    struct alk_error error;
    pthread_t asker;

    open_site(&site, *state);
    assert_int_equal(pthread_create(&asker, NULL, ask_on, &site), 0);
    for (unsigned i = 1; i <= RELOADS; i++) {
        write_secret(&site, "first", i, 0600);
        write_secret(&site, "second", i, 0600);
        assert_int_equal(alk_server_reload(site.server, NULL, &error), ALK_OK);
        unsigned before = atomic_load(&site.answers);
        while (atomic_load(&site.answers) == before)
            sched_yield();
    }
    atomic_store(&site.done, true);
    pthread_join(asker, NULL);
    assert_int_equal(atomic_load(&site.broken), 0);
    close_site(&site);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_reload_replaces_them, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(test_a_reload_that_fails_changes_nothing, scratch_make,
                                        scratch_remove),
        cmocka_unit_test_setup_teardown(test_asking_during_reloads, scratch_make, scratch_remove),
    };

    if (alk_crypto_init() != ALK_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
