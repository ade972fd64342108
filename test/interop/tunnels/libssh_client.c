/* libssh as a client; see README. */
#include "tunnel.h"

#include <libssh/libssh.h>

#include <stdint.h>
#include <stdlib.h>

static ssh_session session;

static const char *version(void)
{
    return ssh_version(0);
}

static void check_host(const char *path)
{
    ssh_key expected, key;

    if (ssh_pki_import_pubkey_file(path, &expected) != SSH_OK ||
        ssh_get_server_publickey(session, &key) != SSH_OK ||
        ssh_key_cmp(expected, key, SSH_KEY_CMP_PUBLIC) != 0)
        die("host key", "does not match");
    ssh_key_free(expected);
    ssh_key_free(key);
}

static int login(const struct options *o, int fd)
{
    uint64_t rekey_after = 1 << 20;
    int no_config = 0;
    ssh_key key;

    session = ssh_new();
    ssh_options_set(session, SSH_OPTIONS_PROCESS_CONFIG, &no_config);
    ssh_options_set(session, SSH_OPTIONS_HOST, o->host);
    ssh_options_set(session, SSH_OPTIONS_USER, o->user);
    ssh_options_set(session, SSH_OPTIONS_FD, &fd);
    if (o->rekey) {
        ssh_set_log_level(SSH_LOG_PACKET); /* 0.10 tells of key exchanges below that */
        ssh_options_set(session, SSH_OPTIONS_REKEY_DATA, &rekey_after);
    }
    if (ssh_connect(session) != SSH_OK)
        die("connect", ssh_get_error(session));
    check_host(o->host_key);
    if (ssh_pki_import_privkey_file(o->key, NULL, NULL, NULL, &key) != SSH_OK)
        die("no key", o->key);
    int result = ssh_userauth_publickey(session, NULL, key);
    ssh_key_free(key);
    ssh_set_blocking(session, 0);
    return result != SSH_AUTH_SUCCESS;
}

static void *open_channel(const char *host, int port)
{
    ssh_channel channel = ssh_channel_new(session);

    ssh_set_blocking(session, 1);
    int result = ssh_channel_open_forward(channel, host, port, "127.0.0.1", 1);
    ssh_set_blocking(session, 0);
    if (result == SSH_OK)
        return channel;
    ssh_channel_free(channel);
    return NULL;
}

static void listen_there(int port)
{
    ssh_set_blocking(session, 1);
    if (ssh_channel_listen_forward(session, "127.0.0.1", port, NULL) != SSH_OK)
        die("forward", ssh_get_error(session));
    ssh_set_blocking(session, 0);
}

static void *accept_channel(int *port)
{
    return ssh_channel_open_forward_port(session, 0, port, NULL, NULL);
}

static ssize_t read_channel(void *channel, void *data, size_t size)
{
    int n = ssh_channel_read_nonblocking(channel, data, (uint32_t)size, 0);

    if (n > 0)
        return n;
    if (n == SSH_ERROR)
        die("read", ssh_get_error(session));
    return ssh_channel_is_eof(channel) ? 0 : NOTHING_NOW;
}

static ssize_t write_channel(void *channel, const void *data, size_t size)
{
    uint32_t window = ssh_channel_window_size(channel);

    if (window == 0)
        return NOTHING_NOW;
    int n = ssh_channel_write(channel, data, (uint32_t)(size < window ? size : window));
    if (n == SSH_ERROR)
        die("write", ssh_get_error(session));
    return n > 0 ? n : NOTHING_NOW;
}

static void finish_channel(void *channel)
{
    ssh_channel_send_eof(channel);
}

static void close_channel(void *channel)
{
    ssh_channel_close(channel);
    ssh_channel_free(channel);
}

static void leave(void)
{
    ssh_set_blocking(session, 1);
    ssh_disconnect(session);
    ssh_free(session);
}

int main(int argc, char **argv)
{
    static const struct backend backend = {
        .version = version,
        .login = login,
        .open = open_channel,
        .listen = listen_there,
        .accept = accept_channel,
        .read = read_channel,
        .write = write_channel,
        .finish = finish_channel,
        .close = close_channel,
        .leave = leave,
    };

    return tunnel_main(argc, argv, &backend);
}
