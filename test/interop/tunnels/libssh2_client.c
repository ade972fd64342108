/* libssh2 as a client; see README. */
#include "tunnel.h"

#include <libssh2.h>

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FORWARDS_MAX = 8 };

static LIBSSH2_SESSION *session;
static LIBSSH2_LISTENER *listeners[FORWARDS_MAX];
static int ports[FORWARDS_MAX], listener_count;

static const char *version(void)
{
    return libssh2_version(0);
}

static void fail(const char *what)
{
    char *why;

    libssh2_session_last_error(session, &why, NULL, 0);
    die(what, why);
}

/* The host key, as the second word of the file has it. */
static void check_host(const char *path)
{
    char line[4096], *expected;
    FILE *f = fopen(path, "r");
    size_t len;
    int type;

    if (f == NULL || fgets(line, sizeof(line), f) == NULL || strtok(line, " ") == NULL ||
        (expected = strtok(NULL, " \n")) == NULL)
        die("no host key", path);
    fclose(f);
    LIBSSH2_KNOWNHOSTS *hosts = libssh2_knownhost_init(session);
    libssh2_knownhost_addc(hosts, "host", NULL, expected, strlen(expected), NULL, 0,
                           LIBSSH2_KNOWNHOST_TYPE_PLAIN | LIBSSH2_KNOWNHOST_KEYENC_BASE64 |
                               LIBSSH2_KNOWNHOST_KEY_ED25519,
                           NULL);
    const char *key = libssh2_session_hostkey(session, &len, &type);
    if (libssh2_knownhost_check(hosts, "host", key, len,
                                LIBSSH2_KNOWNHOST_TYPE_PLAIN | LIBSSH2_KNOWNHOST_KEYENC_RAW,
                                NULL) != LIBSSH2_KNOWNHOST_CHECK_MATCH)
        die("host key", "does not match");
    libssh2_knownhost_free(hosts);
}

static int login(const struct options *o, int fd)
{
    if (libssh2_init(0) != 0 || (session = libssh2_session_init()) == NULL)
        die("libssh2", "cannot be set up");
    if (libssh2_session_handshake(session, fd) != 0)
        fail("handshake");
    check_host(o->host_key);
    return libssh2_userauth_publickey_fromfile(session, o->user, NULL, o->key, NULL) != 0;
}

/* Blocking for what the server must answer; the loop itself never blocks. */
static void *open_channel(const char *host, int port)
{
    libssh2_session_set_blocking(session, 1);
    void *channel = libssh2_channel_direct_tcpip_ex(session, host, port, "127.0.0.1", 1);
    libssh2_session_set_blocking(session, 0);
    return channel;
}

static void listen_there(int port)
{
    libssh2_session_set_blocking(session, 1);
    listeners[listener_count] =
        libssh2_channel_forward_listen_ex(session, "127.0.0.1", port, NULL, 64);
    if (listeners[listener_count] == NULL)
        fail("forward");
    ports[listener_count++] = port;
}

static void *accept_channel(int *port)
{
    libssh2_session_set_blocking(session, 0);
    for (int i = 0; i < listener_count; i++) {
        void *channel = libssh2_channel_forward_accept(listeners[i]);
        *port = ports[i];
        if (channel != NULL)
            return channel;
    }
    return NULL;
}

static ssize_t read_channel(void *channel, void *data, size_t size)
{
    ssize_t n = libssh2_channel_read(channel, data, size);

    if (n > 0)
        return n;
    if (n < 0 && n != LIBSSH2_ERROR_EAGAIN)
        fail("read");
    return libssh2_channel_eof(channel) ? 0 : NOTHING_NOW;
}

static ssize_t write_channel(void *channel, const void *data, size_t size)
{
    ssize_t n = libssh2_channel_write(channel, data, size);

    if (n < 0 && n != LIBSSH2_ERROR_EAGAIN)
        fail("write");
    return n;
}

static void finish_channel(void *channel)
{
    libssh2_session_set_blocking(session, 1);
    libssh2_channel_send_eof(channel);
    libssh2_session_set_blocking(session, 0);
}

static void close_channel(void *channel)
{
    libssh2_session_set_blocking(session, 1);
    libssh2_channel_free(channel);
    libssh2_session_set_blocking(session, 0);
}

static void leave(void)
{
    libssh2_session_set_blocking(session, 1);
    libssh2_session_disconnect(session, "done");
    libssh2_session_free(session);
    libssh2_exit();
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
