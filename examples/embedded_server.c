/*
 * A tunnel server inside a program of one's own:
 *
 *     embedded_server AUTHORIZED_KEYS [ADDR:PORT]
 *
 * Makes a host key that lives as long as the program, prints "ADDR:PORT FINGERPRINT" on
 * standard output and serves until SIGTERM or SIGINT.
 */
#include <alk/server.h>

#include <pthread.h>
#include <signal.h>
#include <stdio.h>

static void print_address(const struct alk_server *server, const struct alk_key *key)
{
    char fingerprint[ALK_FINGERPRINT_SIZE];

    alk_key_fingerprint(alk_key_blob(key), ALK_KEY_BLOB_SIZE, fingerprint);
    printf("%s %s\n", alk_server_address(server, 0), fingerprint);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    struct alk_server_options options = ALK_SERVER_OPTIONS_INIT;
    struct alk_log log = {.level = ALK_LOG_INFO, .fd = 2};
    struct alk_server *server = NULL;
    struct alk_key *key = NULL;
    struct alk_error error = {.code = ALK_OK};
    sigset_t signals;
    int number;

    if (argc < 2 || argc > 3) {
        fprintf(stderr, "usage: embedded_server AUTHORIZED_KEYS [ADDR:PORT]\n");
        return 2;
    }
    /* blocked before the server starts its threads, which inherit the mask */
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);

    if (alk_crypto_init() != ALK_OK || alk_key_generate(&key) != ALK_OK)
        return 1;
    options.host_key = key;
    options.authorized_keys = argv[1];
    options.log = &log;
    if (alk_server_new(&server, &options, &error) == ALK_OK &&
        alk_server_listen(server, argc == 3 ? argv[2] : "127.0.0.1:0", &error) == ALK_OK &&
        alk_server_start(server, &error) == ALK_OK) {
        print_address(server, key);
        sigwait(&signals, &number);
        alk_server_stop(server);
    } else {
        fprintf(stderr, "embedded_server: %s\n", error.text);
    }
    alk_server_free(server);
    alk_key_free(key);
    return error.code != ALK_OK;
}
