/*
 * Memory that runs out: a session of two engines is run over and over, and each time another
 * allocation fails. It must end with an error or work all the same, and lose nothing. Also: what
 * was secret is wiped before it is freed.
 */
#include "support/alloc.h"

#include <alk/ssh.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <sodium.h>

struct end {
    struct alk_ssh *ssh;
    struct alk_ssh_channel *channel;
    int status;
    size_t received;
    unsigned replies;
};

static struct alk_key *key;
static const char *cipher;

static void log_in(struct alk_ssh *ssh)
{
    uint8_t signature[ALK_SIGNATURE_BLOB_SIZE];
    const uint8_t *data;
    size_t len;

    if (alk_ssh_auth_to_sign(ssh, "user", alk_key_blob(key), ALK_KEY_BLOB_SIZE, &data, &len) != 0) {
        alk_ssh_disconnect(ssh, ALK_SSH_BY_APPLICATION, "no memory for a login");
        return;
    }
    alk_key_sign(key, data, len, signature);
    alk_ssh_auth_signed(ssh, signature, sizeof(signature));
}

static void handle(struct end *end, const struct alk_ssh_event *event)
{
    switch (event->type) {
    case ALK_SSH_HOST_KEY:
        alk_ssh_host_key_accept(end->ssh);
        break;
    case ALK_SSH_AUTH_READY:
        log_in(end->ssh);
        break;
    case ALK_SSH_AUTH_REQUEST:
        alk_ssh_auth_reply(end->ssh, true);
        break;
    case ALK_SSH_CHANNEL_REQUEST:
        alk_ssh_channel_accept(end->ssh, event->channel);
        end->channel = event->channel;
        break;
    case ALK_SSH_CHANNEL_DATA:
        end->received += event->len;
        alk_ssh_channel_consumed(end->ssh, event->channel, event->len);
        break;
    case ALK_SSH_CHANNEL_FAILED:
    case ALK_SSH_CHANNEL_CLOSED:
        end->channel = NULL;
        break;
    case ALK_SSH_FORWARD_REQUEST:
        alk_ssh_forward_reply(end->ssh, true, 1);
        break;
    case ALK_SSH_FORWARD_REPLY:
        end->replies++;
        break;
    default:
        break;
    }
}

static bool carry(struct end *from, struct end *to)
{
    struct alk_ssh_event event;
    const uint8_t *bytes;
    size_t len = alk_ssh_output(from->ssh, &bytes);
    size_t taken = alk_ssh_input(to->ssh, bytes, len, 1);

    alk_ssh_output_done(from->ssh, taken);
    while ((to->status = alk_ssh_next(to->ssh, &event)) > 0)
        handle(to, &event);
    if (to->status < 0 || len == 0)
        return false;
    /* no room for input means that memory is short, as everything is read at once here */
    if (taken == 0)
        to->status = ALK_E_NOMEM;
    return taken > 0;
}

static void run(struct end *server, struct end *client)
{
    bool moved = true;

    while (moved) {
        moved = carry(client, server);
        moved |= carry(server, client);
    }
}

static void use(struct end *server, struct end *client)
{
    static const uint8_t data[30000];

    run(server, client);
    if (alk_ssh_channel_open(client->ssh, ALK_SSH_DIRECT_TCPIP, "h", 1, NULL, 0,
                             &client->channel) != 0)
        return;
    alk_ssh_forward_request(client->ssh, ALK_SSH_FORWARDED_TCPIP, false, "", 0, NULL);
    run(server, client);
    if (client->channel != NULL)
        alk_ssh_channel_write(client->ssh, client->channel, data, sizeof(data));
    alk_ssh_rekey(server->ssh);
    run(server, client);
    if (server->channel != NULL)
        alk_ssh_channel_write(server->ssh, server->channel, data, sizeof(data));
    alk_ssh_rekey(client->ssh);
    alk_ssh_tick(client->ssh, 40000);
    run(server, client);
    if (client->channel != NULL)
        alk_ssh_channel_close(client->ssh, client->channel);
    run(server, client);
}

/* Returns whether all of it worked. */
static bool session(void)
{
    struct alk_ssh_options options = ALK_SSH_OPTIONS_INIT;
    struct end server = {0}, client = {0};
    bool whole = false;

    options.host_key = key;
    options.ciphers = cipher;
    if (alk_ssh_new(&server.ssh, &options, 1) != 0)
        return false;
    options.role = ALK_SSH_CLIENT;
    if (alk_ssh_new(&client.ssh, &options, 1) == 0) {
        use(&server, &client);
        whole = server.received == 30000 && client.received == 30000 && client.replies == 1 &&
                server.status == 0 && client.status == 0;
        if (!whole && !alloc_failed())
            print_error("server: %s; client: %s\n", alk_ssh_error(server.ssh)->text,
                        alk_ssh_error(client.ssh)->text);
    }
    alk_ssh_free(client.ssh);
    alk_ssh_free(server.ssh);
    return whole;
}

static unsigned sweep(bool goes_on)
{
    unsigned ended = 0;

    for (unsigned n = 1; n < 10000; n++) {
        long before = alloc_live();
        alloc_fail_at(n, goes_on);
        bool whole = session();
        bool failed = alloc_failed();
        alloc_fail_at(0, false);
        if (alloc_live() != before)
            fail_msg("call %u failed: %ld blocks were lost", n, alloc_live() - before);
        if (!failed) {
            assert_true(whole);
            assert_in_range(n, 25, 1000); /* the sweep went over something */
            return ended;
        }
        ended += !whole;
    }
    fail_msg("the session never ran without a failure");
    return 0;
}

static void test_each_allocation_may_fail(void **state)
{
    static const char *const ciphers[] = {"aes256-gcm@openssh.com", "chacha20-poly1305@openssh.com",
                                          "aes256-ctr"};

    (void)state;
    for (int i = 0; i < 3; i++) {
        cipher = ciphers[i];
        assert_true(sweep(false) > 15);
        assert_true(sweep(true) > 15);
    }
}

/* ---- wiping ---- */

static const uint8_t *searched;
static size_t searched_len;
static unsigned found;

static void search(const void *block, size_t size)
{
    found += searched != NULL && memmem(block, size, searched, searched_len) != NULL;
}

static void test_plain_bytes_are_wiped(void **state)
{
    static const uint8_t secret[] = "what the user sent through the tunnel";
    struct alk_ssh_options options = ALK_SSH_OPTIONS_INIT;
    struct end server = {0}, client = {0};

    (void)state;
    cipher = options.ciphers = "chacha20-poly1305@openssh.com";
    options.host_key = key;
    assert_int_equal(alk_ssh_new(&server.ssh, &options, 1), 0);
    options.role = ALK_SSH_CLIENT;
    assert_int_equal(alk_ssh_new(&client.ssh, &options, 1), 0);
    use(&server, &client);
    assert_int_equal(
        alk_ssh_channel_open(client.ssh, ALK_SSH_DIRECT_TCPIP, "h", 1, NULL, 0, &client.channel),
        0);
    run(&server, &client);
    searched = secret;
    searched_len = sizeof(secret) - 1;
    alloc_watch_free(search);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(alk_ssh_channel_write(client.ssh, client.channel, secret, sizeof(secret)),
                         sizeof(secret));
        if (i % 10 == 0)
            run(&server, &client);
    }
    alk_ssh_free(client.ssh);
    alk_ssh_free(server.ssh);
    alloc_watch_free(NULL);
    assert_int_equal(found, 0);
    /* the search does find what is not wiped */
    uint8_t *copy = malloc(100);
    memcpy(copy + 7, secret, sizeof(secret));
    assert_memory_equal(copy + 7, secret, sizeof(secret)); /* so that it is really written */
    alloc_watch_free(search);
    free(copy);
    alloc_watch_free(NULL);
    assert_int_equal(found, 1);
}

static int make_key(void **state)
{
    (void)state;
    return alk_crypto_init() != 0 || alk_key_generate(&key) != 0;
}

static int free_key(void **state)
{
    (void)state;
    alk_key_free(key);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_allocation_may_fail),
        cmocka_unit_test(test_plain_bytes_are_wiped),
    };
    return cmocka_run_group_tests(tests, make_key, free_key);
}
