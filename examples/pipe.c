/*
 * Connects standard input and output to HOST:PORT as seen from an SSH server, like `ssh -W`:
 *
 *     pipe SERVER PORT KEY FINGERPRINT HOST PORT < request > answer
 *
 * FINGERPRINT is the server's host key, as `alknet-ctl fingerprint` prints it (SHA256:...).
 */
#include <alk/client.h>

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* Called on the client's thread. */
static void on_state(void *user, enum alk_client_state state, int status, const char *sentence)
{
    (void)user;
    (void)status;
    if (state != ALK_CLIENT_FAILED)
        return;
    fprintf(stderr, "pipe: %s\n", sentence);
    _exit(1);
}

static void on_answer(void *user, int status)
{
    (void)user;
    if (status == ALK_OK)
        return;
    fprintf(stderr, "pipe: the server could not connect: %s\n", alk_status_text(status));
    _exit(1);
}

/* One read and one complete write; false at the end or on an error. */
static int copy_some(int from, int to)
{
    char buffer[64 * 1024];
    ssize_t n = read(from, buffer, sizeof(buffer));

    for (ssize_t done = 0, m; done < n; done += m) {
        m = write(to, buffer + done, (size_t)(n - done));
        if (m <= 0)
            return 0;
    }
    return n > 0;
}

/* Both directions until the far side has sent everything. */
static void copy_both(int fd)
{
    struct pollfd fds[2] = {{.fd = STDIN_FILENO, .events = POLLIN}, {.fd = fd, .events = POLLIN}};

    while (poll(fds, 2, -1) >= 0) {
        if (fds[0].revents != 0 && !copy_some(STDIN_FILENO, fd)) {
            shutdown(fd, SHUT_WR);
            fds[0].fd = -1;
        }
        if (fds[1].revents != 0 && !copy_some(fd, STDOUT_FILENO))
            return;
    }
}

int main(int argc, char **argv)
{
    struct alk_client_options options = ALK_CLIENT_OPTIONS_INIT;
    struct alk_client *client = NULL;
    struct alk_key *key = NULL;
    struct alk_error error = {.code = ALK_OK};
    int fd = -1;

    if (argc != 7) {
        fprintf(stderr, "usage: pipe SERVER PORT KEY FINGERPRINT HOST PORT\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    if (alk_crypto_init() != ALK_OK || alk_key_load(&key, argv[3], NULL, NULL, &error) != ALK_OK)
        goto out;
    const struct alk_key *keys = key;
    options.host = argv[1];
    options.port = (uint16_t)strtoul(argv[2], NULL, 10);
    options.keys = &keys;
    options.key_count = 1;
    options.fingerprint = argv[4];
    options.on_state = on_state;
    if (alk_client_new(&client, &options, &error) != ALK_OK ||
        alk_client_start(client, &error) != ALK_OK)
        goto out;
    fd = alk_client_connect(client, argv[5], (uint16_t)strtoul(argv[6], NULL, 10), on_answer, NULL);
    if (fd >= 0)
        copy_both(fd);
out:
    if (error.code != ALK_OK)
        fprintf(stderr, "pipe: %s\n", error.text);
    alk_client_free(client);
    alk_key_free(key);
    return fd < 0;
}
