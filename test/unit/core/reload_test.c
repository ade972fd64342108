/* A thousand reloads in a row, from one thread, while sessions on others carry data, log in and
 * are thrown out: what the sanitizers watch. */
#include "support/scratch.h"

#include <alk/client.h>
#include <alk/server.h>

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#ifdef __SANITIZE_THREAD__
/* libevent takes closed descriptors out of its epoll set only when it waits next. By then another
 * thread may have got the number for something of its own, which is in no set of this loop: the
 * kernel finds nothing to take out. */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
    return "race:epoll_ctl\n";
}
#endif

enum { RELOADS = 1000, CLIENTS = 3 };

struct site {
    struct scratch *scratch;
    struct alk_key *host, *keys[CLIENTS];
    struct alk_server *server;
    char host_fingerprint[ALK_FINGERPRINT_SIZE];
    int echo; /* a listening Unix socket */
    char echo_path[512];
    atomic_bool done;
};

struct visitor {
    struct site *site;
    struct alk_client *client;
    atomic_uint online, offline;
    unsigned echoes, failures;
    struct alk_client_figures figures;
    pthread_t thread;
};

/* ---- a target ---- */

static void *serve_echo(void *user)
{
    struct site *site = user;
    char byte;

    for (;;) {
        int fd = accept(site->echo, NULL, NULL);
        if (fd < 0)
            return NULL;
        while (read(fd, &byte, 1) == 1 && write(fd, &byte, 1) == 1)
            ;
        close(fd);
    }
}

static void open_echo(struct site *site)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    snprintf(site->echo_path, sizeof(site->echo_path), "%s", scratch_path(site->scratch, "echo"));
    strcpy(address.sun_path, site->echo_path);
    site->echo = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(site->echo, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(site->echo, 100), 0);
}

/* ---- visitors ---- */

static void on_state(void *user, enum alk_client_state state, int status, const char *sentence)
{
    struct visitor *v = user;

    (void)status;
    (void)sentence;
    if (state == ALK_CLIENT_ONLINE)
        atomic_fetch_add(&v->online, 1);
    else if (state == ALK_CLIENT_OFFLINE)
        atomic_fetch_add(&v->offline, 1);
}

/* One channel after the other, for as long as the reloads last, and once more. */
static void *talk(void *user)
{
    struct visitor *v = user;
    bool last = false;

    while (!last) {
        char byte = 'x';
        last = atomic_load(&v->site->done);
        int fd = alk_client_connect(v->client, v->site->echo_path, 0, NULL, NULL);
        bool good = fd >= 0 && write(fd, &byte, 1) == 1 && read(fd, &byte, 1) == 1;
        v->echoes += good;
        v->failures += !good;
        if (fd >= 0)
            close(fd);
        alk_client_figures(v->client, &v->figures);
    }
    return NULL;
}

static void start_visitor(struct site *site, struct visitor *v, int index)
{
    struct alk_client_options options = ALK_CLIENT_OPTIONS_INIT;
    const struct alk_key *key = site->keys[index];
    const char *address = alk_server_address(site->server, 0);

    v->site = site;
    options.host = "127.0.0.1";
    options.port = (uint16_t)atoi(strrchr(address, ':') + 1);
    options.keys = &key;
    options.key_count = 1;
    options.fingerprint = site->host_fingerprint;
    options.keep_trying = true;
    options.on_state = on_state;
    options.user_data = v;
    assert_int_equal(alk_client_new(&v->client, &options, NULL), ALK_OK);
    assert_int_equal(alk_client_start(v->client, NULL), ALK_OK);
    while (atomic_load(&v->online) == 0)
        usleep(1000);
    if (index < CLIENTS - 1) /* the last one has all to do to log in again */
        assert_int_equal(pthread_create(&v->thread, NULL, talk, v), 0);
}

/* ---- the list ---- */

/* The first `count` keys may log in. */
static void authorize(struct site *site, int count)
{
    char text[2048] = "", line[512];

    for (int i = 0; i < count; i++) {
        assert_int_equal(alk_key_format_public(alk_key_blob(site->keys[i]), ALK_KEY_BLOB_SIZE, "",
                                               line, sizeof(line)),
                         ALK_OK);
        strcat(strcat(text, line), "\n");
    }
    char from[512], to[512];
    scratch_text(site->scratch, "new", text);
    snprintf(from, sizeof(from), "%s", scratch_path(site->scratch, "new"));
    snprintf(to, sizeof(to), "%s", scratch_path(site->scratch, "keys"));
    assert_int_equal(rename(from, to), 0);
}

static void open_site(struct site *site, struct scratch *scratch)
{
    struct alk_server_options options = ALK_SERVER_OPTIONS_INIT;
    struct alk_error error;
    char keys[512];

    site->scratch = scratch;
    assert_int_equal(alk_key_generate(&site->host), ALK_OK);
    for (int i = 0; i < CLIENTS; i++)
        assert_int_equal(alk_key_generate(&site->keys[i]), ALK_OK);
    alk_key_fingerprint(alk_key_blob(site->host), ALK_KEY_BLOB_SIZE, site->host_fingerprint);
    authorize(site, CLIENTS);
    open_echo(site);
    snprintf(keys, sizeof(keys), "%s", scratch_path(scratch, "keys"));
    options.host_key = site->host;
    options.authorized_keys = keys;
    options.workers = 2;
    assert_int_equal(alk_server_new(&site->server, &options, &error), ALK_OK);
    assert_int_equal(alk_server_listen(site->server, "127.0.0.1:0", &error), ALK_OK);
    assert_int_equal(alk_server_start(site->server, &error), ALK_OK);
}

/* Meanwhile somebody wants to know what the server is doing. */
static void *ask(void *user)
{
    struct site *site = user;
    struct alk_server_figures figures;
    struct alk_identity_use uses[CLIENTS];
    struct alk_penalty penalties[4];

    while (!atomic_load(&site->done)) {
        alk_server_figures(site->server, &figures);
        alk_server_identity_uses(site->server, uses, CLIENTS);
        alk_server_penalties(site->server, penalties, 4);
        sched_yield();
    }
    return NULL;
}

static void check_figures(const struct site *site)
{
    struct alk_server_figures figures;
    struct alk_identity_use uses[CLIENTS];

    alk_server_figures(site->server, &figures);
    assert_int_equal(figures.reloads, RELOADS + 1);
    assert_int_equal(figures.reloads_failed, RELOADS / 100);
    assert_false(figures.last_reload_failed);
    assert_int_equal(figures.sessions, CLIENTS - 1);
    assert_int_equal(alk_server_identity_uses(site->server, uses, CLIENTS), CLIENTS - 1);
    for (int i = 0; i < CLIENTS - 1; i++) {
        assert_int_equal(uses[i].sessions, 1);
        assert_true(uses[i].bytes_up > 0 && uses[i].bytes_down > 0);
    }
}

static void test_a_thousand_reloads(void **state)
{
    struct site site = {.echo = -1};
    struct visitor visitors[CLIENTS] = {{.echoes = 0}};
    struct alk_error error;
    pthread_t echo, asker;

    open_site(&site, *state);
    assert_int_equal(pthread_create(&echo, NULL, serve_echo, &site), 0);
    for (int i = 0; i < CLIENTS; i++)
        start_visitor(&site, &visitors[i], i);
    assert_int_equal(pthread_create(&asker, NULL, ask, &site), 0);
    for (int i = 0; i < RELOADS; i++) {
        /* the last client's key comes and goes; a list that is not there changes nothing */
        authorize(&site, CLIENTS - i % 2);
        assert_int_equal(alk_server_reload(site.server, NULL, &error), ALK_OK);
        if (i % 100 == 0) {
            struct alk_server_options absent = {.authorized_keys = "/no/such/file"};
            absent.host_key = site.host;
            assert_int_equal(alk_server_reload(site.server, &absent, &error), ALK_E_NOTFOUND);
        }
    }
    authorize(&site, CLIENTS - 1);
    assert_int_equal(alk_server_reload(site.server, NULL, &error), ALK_OK);
    while (atomic_load(&visitors[CLIENTS - 1].offline) == 0)
        usleep(1000);
    atomic_store(&site.done, true);
    pthread_join(asker, NULL);
    for (int i = 0; i < CLIENTS - 1; i++)
        pthread_join(visitors[i].thread, NULL);
    check_figures(&site);
    for (int i = 0; i < CLIENTS; i++) {
        alk_client_free(visitors[i].client);
    }
    for (int i = 0; i < CLIENTS - 1; i++) {
        assert_int_equal(atomic_load(&visitors[i].offline), 0);
        assert_int_equal(visitors[i].failures, 0);
        assert_true(visitors[i].echoes > 0);
        assert_true(visitors[i].figures.bytes_up > 0 && visitors[i].figures.bytes_down > 0);
    }
    alk_server_stop(site.server);
    alk_server_free(site.server);
    shutdown(site.echo, SHUT_RDWR);
    pthread_join(echo, NULL);
    close(site.echo);
    for (int i = 0; i < CLIENTS; i++)
        alk_key_free(site.keys[i]);
    alk_key_free(site.host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_thousand_reloads, scratch_make, scratch_remove),
    };

    if (alk_crypto_init() != ALK_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
