/* The status socket: whole texts for those who read, an end for those who do not. */
#include "support/scratch.h"

#include <alk/server.h>

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

enum {
    TEXT_LEN = 4 * 1024 * 1024, /* more than any socket takes at once */
    READERS_MAX = 8,
};

struct site {
    struct alk_key *key;
    struct alk_server *server;
    char path[512];
    atomic_uint asked;
};

static char *big_text(void *user, size_t *len)
{
    struct site *site = user;
    char *text = malloc(TEXT_LEN);

    atomic_fetch_add(&site->asked, 1);
    if (text != NULL)
        memset(text, 'x', TEXT_LEN);
    *len = TEXT_LEN;
    return text;
}

static char *no_text(void *user, size_t *len)
{
    (void)user;
    *len = 0;
    return NULL;
}

static void open_site(struct site *site, struct scratch *scratch, alk_status_text_fn text)
{
    struct alk_server_options options = ALK_SERVER_OPTIONS_INIT;
    char keys[512];

    assert_int_equal(alk_key_generate(&site->key), ALK_OK);
    scratch_text(scratch, "keys", "");
    snprintf(keys, sizeof(keys), "%s", scratch_path(scratch, "keys"));
    snprintf(site->path, sizeof(site->path), "%s", scratch_path(scratch, "status"));
    options.host_key = site->key;
    options.authorized_keys = keys;
    options.workers = 2;
    assert_int_equal(alk_server_new(&site->server, &options, NULL), ALK_OK);
    assert_int_equal(alk_server_serve_status(site->server, site->path, text, site, NULL), ALK_OK);
    assert_int_equal(alk_server_start(site->server, NULL), ALK_OK);
}

static void close_site(struct site *site)
{
    alk_server_free(site->server);
    alk_key_free(site->key);
}

static int dial(const struct site *site)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    strcpy(address.sun_path, site->path);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

/* All that comes, and closes. */
static size_t drain(int fd)
{
    static char buffer[64 * 1024];
    size_t total = 0;
    ssize_t n;

    while ((n = read(fd, buffer, sizeof(buffer))) > 0)
        total += (size_t)n;
    assert_int_equal(n, 0);
    close(fd);
    return total;
}

static void test_each_reader_gets_the_whole(void **state)
{
    struct site site = {.server = NULL};
    struct stat st;

    open_site(&site, *state, big_text);
    assert_int_equal(stat(site.path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    for (int i = 0; i < 2 * READERS_MAX; i++)
        assert_int_equal(drain(dial(&site)), TEXT_LEN);
    close_site(&site);
    assert_int_equal(stat(site.path, &st), -1);
}

static void test_slow_readers_are_few_and_cut_off(void **state)
{
    struct site site = {.server = NULL};
    int slow[READERS_MAX];

    open_site(&site, *state, big_text);
    for (int i = 0; i < READERS_MAX; i++)
        slow[i] = dial(&site);
    assert_int_equal(drain(dial(&site)), 0); /* accepted in turn: the others are there by now */
    assert_int_equal(atomic_load(&site.asked), READERS_MAX);
    for (int i = 0; i < READERS_MAX; i++) {
        struct pollfd end = {.fd = slow[i], .events = POLLRDHUP};
        assert_int_equal(poll(&end, 1, 60000), 1);
        assert_in_range(drain(slow[i]), 1, TEXT_LEN - 1);
    }
    assert_int_equal(drain(dial(&site)), TEXT_LEN);
    close_site(&site);
}

static void test_readers_stop_no_server(void **state)
{
    struct site site = {.server = NULL};

    open_site(&site, *state, big_text);
    int fd = dial(&site);
    struct pollfd some = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&some, 1, 60000), 1);
    close_site(&site);
    assert_in_range(drain(fd), 1, TEXT_LEN - 1);
}

static void test_without_a_text_there_is_an_end(void **state)
{
    struct site site = {.server = NULL};

    open_site(&site, *state, no_text);
    for (int i = 0; i < 2 * READERS_MAX; i++)
        assert_int_equal(drain(dial(&site)), 0);
    close_site(&site);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_each_reader_gets_the_whole, scratch_make,
                                        scratch_remove),
        cmocka_unit_test_setup_teardown(test_slow_readers_are_few_and_cut_off, scratch_make,
                                        scratch_remove),
        cmocka_unit_test_setup_teardown(test_readers_stop_no_server, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(test_without_a_text_there_is_an_end, scratch_make,
                                        scratch_remove),
    };

    if (alk_crypto_init() != ALK_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
