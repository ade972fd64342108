/*
 * Writes the seeds of the ssh_*_before_auth and ssh_*_after_auth targets from a session of two
 * engines without a cipher: what each side sent, before the login and after it. Only needed
 * when the format of the inputs changes. From the top of the tree, after `make libs`:
 *
 *     cc -std=c11 -D_GNU_SOURCE -Ilibalk-core/include -Ilibalk-core/src -Itest/fuzz/core \
 *        test/fuzz/core/record_ssh_seeds.c -o build/record_ssh_seeds build/lib/libalk-core.a \
 *        $(pkg-config --libs libsodium libcrypto libssh libevent_core)
 *     build/record_ssh_seeds test/fuzz/core/seeds
 */
#include "support/ssh_login.h"
#include "support/ssh_open.h"

#include <alk/ssh.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct end {
    const char *name;
    struct alk_ssh *ssh;
    struct alk_ssh_channel *channel;
    uint8_t bytes[20000]; /* what came to it */
    size_t len, open_at;  /* open_at: where the part after the login begins */
};

static struct alk_key *key;

static void must(int holds)
{
    if (!holds)
        abort();
}

static void log_in(struct alk_ssh *ssh)
{
    uint8_t signature[ALK_SIGNATURE_BLOB_SIZE];
    const uint8_t *data;
    size_t len;

    must(alk_ssh_auth_to_sign(ssh, "user", alk_key_blob(key), ALK_KEY_BLOB_SIZE, &data, &len) == 0);
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
        alk_ssh_auth_probe(end->ssh, "user", alk_key_blob(key), ALK_KEY_BLOB_SIZE);
        break;
    case ALK_SSH_AUTH_KEY_OK:
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
        alk_ssh_channel_consumed(end->ssh, event->channel, event->len);
        break;
    case ALK_SSH_FORWARD_REQUEST:
        alk_ssh_forward_reply(end->ssh, true, 4242);
        break;
    default:
        break;
    }
}

static int carry(struct end *from, struct end *to)
{
    struct alk_ssh_event event;
    const uint8_t *bytes;
    size_t len = alk_ssh_output(from->ssh, &bytes);

    must(to->len + len <= sizeof(to->bytes));
    memcpy(to->bytes + to->len, bytes, len);
    to->len += len;
    must(alk_ssh_input(to->ssh, bytes, len, 1) == len);
    alk_ssh_output_done(from->ssh, len);
    while (alk_ssh_next(to->ssh, &event) > 0)
        handle(to, &event);
    return len > 0;
}

static void run(struct end *server, struct end *client)
{
    int moved = 1;

    while (moved) {
        moved = carry(client, server);
        moved += carry(server, client);
    }
}

static void session(struct end *server, struct end *client)
{
    run(server, client);
    must(alk_ssh_authenticated(server->ssh) && alk_ssh_authenticated(client->ssh));
    server->open_at = server->len;
    client->open_at = client->len;
    must(alk_ssh_channel_open(client->ssh, ALK_SSH_DIRECT_TCPIP, "example.test", 80, NULL, 0,
                              &client->channel) == 0);
    run(server, client);
    must(alk_ssh_channel_write(client->ssh, client->channel, "GET /", 5) == 5);
    must(alk_ssh_channel_write(server->ssh, server->channel, "200 OK", 6) == 6);
    alk_ssh_channel_eof(client->ssh, client->channel);
    run(server, client);
    alk_ssh_rekey(client->ssh);
    run(server, client);
    alk_ssh_channel_close(server->ssh, server->channel);
    must(alk_ssh_forward_request(client->ssh, ALK_SSH_FORWARDED_TCPIP, false, "", 0, NULL) == 0);
    run(server, client);
    must(alk_ssh_channel_open(server->ssh, ALK_SSH_FORWARDED_TCPIP, "", 4242, "10.0.0.1", 5,
                              &server->channel) == 0);
    run(server, client);
}

static FILE *create(const char *folder, const char *role, const char *part)
{
    char path[512];

    snprintf(path, sizeof(path), "%s/ssh_%s_%s/session", folder, role, part);
    FILE *file = fopen(path, "wb");
    if (file == NULL)
        perror(path);
    must(file != NULL);
    return file;
}

static void write_login(const char *folder, const struct end *end, const uint8_t head[LOGIN_HEAD])
{
    FILE *file = create(folder, end->name, "before_auth");

    fwrite(head, 1, LOGIN_HEAD, file);
    fwrite(end->bytes, 1, end->len, file);
    must(fclose(file) == 0);
}

static void put_record(FILE *file, uint8_t operation, const void *body, size_t len)
{
    uint8_t head[3] = {operation, (uint8_t)(len >> 8), (uint8_t)len};

    fwrite(head, 1, sizeof(head), file);
    fwrite(body, 1, len, file);
}

/* The messages of the session, and what a program does beside them. */
static void write_open(const char *folder, const struct end *end, const uint8_t head[OPEN_HEAD])
{
    static const uint8_t write[] = {0, 0, 0, 4, 0}, first = 0;
    FILE *file = create(folder, end->name, "after_auth");

    fwrite(head, 1, OPEN_HEAD, file);
    put_record(file, OPEN_CHANNEL, "\1path", 5);
    put_record(file, OPEN_FORWARD, "\4", 1);
    for (size_t at = end->open_at; at < end->len;) {
        const uint8_t *p = end->bytes + at;
        size_t length = (size_t)p[2] << 8 | p[3];
        put_record(file, OPEN_MESSAGE, p + 5, length - 1 - p[4]);
        put_record(file, OPEN_WRITE, write, sizeof(write));
        at += 4 + length;
    }
    put_record(file, OPEN_DATA, "\0\50\0\0\200\0", 6);
    put_record(file, OPEN_EOF, &first, 1);
    put_record(file, OPEN_REKEY, "", 0);
    put_record(file, OPEN_TICK, "\0\1\0\0", 4);
    put_record(file, OPEN_DRAIN, "", 0);
    must(fclose(file) == 0);
}

int main(int argc, char **argv)
{
    static const uint8_t yes[LOGIN_HEAD] = {1, 1, 1, 1, 1, 1, 1, 1, 0};
    static const uint8_t first_probe[LOGIN_HEAD] = {0, 1, 0, 0, 1, 1, 1, 1, 0};
    static struct end server = {.name = "server"}, client = {.name = "client"};
    struct alk_ssh_options options = ALK_SSH_OPTIONS_INIT;

    must(argc == 2 && alk_crypto_init() == 0 && alk_key_generate(&key) == 0);
    options.ciphers = "none";
    options.host_key = key;
    must(alk_ssh_new(&server.ssh, &options, 1) == 0);
    options.role = ALK_SSH_CLIENT;
    must(alk_ssh_new(&client.ssh, &options, 1) == 0);
    session(&server, &client);
    write_login(argv[1], &server, yes);
    write_login(argv[1], &client, first_probe);
    write_open(argv[1], &server, yes);
    write_open(argv[1], &client, first_probe);
    alk_ssh_free(server.ssh);
    alk_ssh_free(client.ssh);
    alk_key_free(key);
    return 0;
}
