/*
 * A recorded session, cut anywhere and changed in every byte, played to a fresh engine. There is
 * no cipher, so that changes reach the messages, and the randomness repeats, so that what is not
 * changed fits. Nobody may log in but with the user's key, under the user's name.
 */
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
    bool logged_in;
    size_t received;
    uint8_t bytes[4000]; /* all that came to it */
    size_t len;
};

static struct alk_key *key;
static uint64_t random_state[2];
static int random_of; /* each end has a sequence of its own */

static const char *random_name(void)
{
    return "repeating";
}

static uint32_t random_next(void)
{
    random_state[random_of] =
        random_state[random_of] * 6364136223846793005ULL + 1442695040888963407ULL;
    return (uint32_t)(random_state[random_of] >> 32);
}

static void random_fill(void *const out, const size_t len)
{
    for (size_t i = 0; i < len; i++)
        ((uint8_t *)out)[i] = (uint8_t)random_next();
}

static struct randombytes_implementation repeating = {
    .implementation_name = random_name,
    .random = random_next,
    .buf = random_fill,
};

static void start(struct end *end, enum alk_ssh_role role)
{
    struct alk_ssh_options options = ALK_SSH_OPTIONS_INIT;

    memset(end, 0, sizeof(*end));
    options.role = role;
    options.host_key = key;
    options.ciphers = "none";
    random_of = (int)role;
    random_state[role] = 1 + (uint64_t)role;
    random_of = role;
    assert_int_equal(alk_ssh_new(&end->ssh, &options, 1), 0);
}

static void log_in(struct end *end)
{
    uint8_t signature[ALK_SIGNATURE_BLOB_SIZE];
    const uint8_t *data;
    size_t len;

    if (alk_ssh_auth_to_sign(end->ssh, "user", alk_key_blob(key), ALK_KEY_BLOB_SIZE, &data, &len) !=
        0)
        return;
    alk_key_sign(key, data, len, signature);
    alk_ssh_auth_signed(end->ssh, signature, sizeof(signature));
}

static void handle(struct end *end, const struct alk_ssh_event *event)
{
    switch (event->type) {
    case ALK_SSH_HOST_KEY:
        assert_memory_equal(event->data, alk_key_blob(key), ALK_KEY_BLOB_SIZE);
        alk_ssh_host_key_accept(end->ssh);
        break;
    case ALK_SSH_AUTH_READY:
        log_in(end);
        break;
    case ALK_SSH_AUTH_REQUEST:
        if (event->proven) {
            assert_string_equal(event->user, "user");
            assert_memory_equal(event->data, alk_key_blob(key), ALK_KEY_BLOB_SIZE);
            end->logged_in = true;
        }
        alk_ssh_auth_reply(end->ssh, true);
        break;
    case ALK_SSH_AUTHENTICATED:
        end->logged_in = true;
        break;
    case ALK_SSH_CHANNEL_REQUEST:
        alk_ssh_channel_accept(end->ssh, event->channel);
        end->channel = event->channel;
        break;
    case ALK_SSH_CHANNEL_DATA:
        end->received += event->len;
        alk_ssh_channel_consumed(end->ssh, event->channel, event->len);
        break;
    case ALK_SSH_FORWARD_REQUEST:
        alk_ssh_forward_reply(end->ssh, true, 4242);
        break;
    default:
        break;
    }
}

static void feed(struct end *end, int role, const uint8_t *bytes, size_t len)
{
    struct alk_ssh_event event;

    random_of = role;
    while (len > 0) {
        size_t taken = alk_ssh_input(end->ssh, bytes, len, 1);
        while ((end->status = alk_ssh_next(end->ssh, &event)) > 0)
            handle(end, &event);
        if (taken == 0 || end->status < 0)
            break;
        bytes += taken;
        len -= taken;
    }
}

static bool carry(struct end *from, struct end *to, int role)
{
    const uint8_t *bytes;
    size_t len = alk_ssh_output(from->ssh, &bytes);

    assert_true(to->len + len <= sizeof(to->bytes));
    if (len == 0)
        return false;
    memcpy(to->bytes + to->len, bytes, len);
    to->len += len;
    alk_ssh_output_done(from->ssh, len);
    feed(to, role, to->bytes + to->len - len, len);
    return true;
}

static void run(struct end ends[2])
{
    bool moved = true;

    while (moved) {
        moved = carry(&ends[ALK_SSH_CLIENT], &ends[ALK_SSH_SERVER], ALK_SSH_SERVER);
        moved |= carry(&ends[ALK_SSH_SERVER], &ends[ALK_SSH_CLIENT], ALK_SSH_CLIENT);
    }
}

/* A login and two channels. What came to the client ends with the login: it opened the channels
 * of its own accord, which no replay does. */
static void record(struct end ends[2])
{
    struct end *server = &ends[ALK_SSH_SERVER], *client = &ends[ALK_SSH_CLIENT];

    start(server, ALK_SSH_SERVER);
    start(client, ALK_SSH_CLIENT);
    run(ends);
    assert_true(server->logged_in && client->logged_in);
    size_t login = client->len;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(alk_ssh_channel_open(client->ssh, ALK_SSH_DIRECT_TCPIP, "h", 80, NULL, 0,
                                              &client->channel),
                         0);
        run(ends);
        assert_int_equal(alk_ssh_channel_write(client->ssh, client->channel, "question", 8), 8);
        assert_int_equal(alk_ssh_channel_write(server->ssh, server->channel, "answer", 6), 6);
        alk_ssh_channel_eof(client->ssh, client->channel);
        run(ends);
        alk_ssh_channel_close(server->ssh, server->channel);
        run(ends);
    }
    assert_int_equal(server->status, 0);
    assert_int_equal(client->status, 0);
    client->len = login;
    alk_ssh_free(server->ssh);
    alk_ssh_free(client->ssh);
}

static int replay(struct end *end, int role, const uint8_t *bytes, size_t len)
{
    start(end, (enum alk_ssh_role)role);
    feed(end, role, bytes, len);
    int status = end->status;
    assert_true(status <= 0);
    if (status < 0)
        assert_true(alk_ssh_error(end->ssh)->text[0] != '\0');
    alk_ssh_free(end->ssh);
    return status;
}

static struct end recorded[2];

static int setup(void **state)
{
    static const uint8_t seed[ALK_KEY_SEED_SIZE] = {42};

    (void)state;
    randombytes_set_implementation(&repeating);
    if (alk_crypto_init() != 0 || alk_key_from_seed(&key, seed) != 0)
        return -1;
    record(recorded);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    alk_key_free(key);
    return 0;
}

static void test_replay_of_what_was_recorded(void **state)
{
    struct end end;

    (void)state;
    assert_int_equal(replay(&end, ALK_SSH_SERVER, recorded[0].bytes, recorded[0].len), 0);
    assert_true(end.logged_in);
    assert_int_equal(end.received, 16);
    assert_int_equal(replay(&end, ALK_SSH_CLIENT, recorded[1].bytes, recorded[1].len), 0);
    assert_true(end.logged_in);
}

static void test_every_truncation(void **state)
{
    struct end end;

    (void)state;
    for (int role = 0; role < 2; role++) {
        for (size_t len = 0; len < recorded[role].len; len++)
            assert_int_equal(replay(&end, role, recorded[role].bytes, len), 0);
    }
}

static void test_every_byte_changed(void **state)
{
    static const uint8_t changes[] = {0x01, 0x04, 0x20, 0x80, 0xff};
    struct end end;

    (void)state;
    for (int role = 0; role < 2; role++) {
        unsigned ended = 0, tries = 0;
        for (size_t at = 0; at < recorded[role].len; at++) {
            for (size_t i = 0; i < sizeof(changes); i++) {
                uint8_t bytes[4000];
                memcpy(bytes, recorded[role].bytes, recorded[role].len);
                bytes[at] ^= changes[i];
                ended += replay(&end, role, bytes, recorded[role].len) < 0;
                tries++;
            }
        }
        assert_in_range(tries, 2000, 20000);
        assert_in_range(ended, tries / 4, tries - 100); /* padding and data may be anything */
    }
}

static void test_bytes_inserted_and_removed(void **state)
{
    struct end end;

    (void)state;
    for (int role = 0; role < 2; role++) {
        size_t len = recorded[role].len;
        for (size_t at = 0; at < len; at++) {
            uint8_t bytes[4001];
            memcpy(bytes, recorded[role].bytes, at);
            bytes[at] = (uint8_t)at;
            memcpy(bytes + at + 1, recorded[role].bytes + at, len - at);
            replay(&end, role, bytes, len + 1);
            memcpy(bytes + at, recorded[role].bytes + at + 1, len - at - 1);
            replay(&end, role, bytes, len - 1);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replay_of_what_was_recorded),
        cmocka_unit_test(test_every_truncation),
        cmocka_unit_test(test_every_byte_changed),
        cmocka_unit_test(test_bytes_inserted_and_removed),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
