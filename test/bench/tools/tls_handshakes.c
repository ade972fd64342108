/*
 * Full TLS 1.3 handshakes per second with a server on loopback: --parallel connections are under
 * way at any time, a thread each. One counts when the server has sent its tickets, so when it has
 * done its part too. Nothing is resumed and no certificate is verified. Prints one JSON object.
 *
 *     tls_handshakes --port PORT --seconds S --parallel N
 */
#include "tool.h"

#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

enum { PARALLEL_MAX = 256, PATIENCE_MS = 10000 };

struct load {
    SSL_CTX *ctx;
    unsigned port;
    uint64_t end;
    atomic_uint done;
};

static void shake_hands(struct load *load)
{
    int fd = tool_connect((uint16_t)load->port);
    SSL *ssl = SSL_new(load->ctx);
    struct pollfd readable = {.fd = fd, .events = POLLIN};

    if (ssl == NULL || SSL_set_fd(ssl, fd) != 1 || SSL_connect(ssl) != 1)
        tool_die("the TLS handshake failed");
    if (SSL_has_pending(ssl) == 0 && poll(&readable, 1, PATIENCE_MS) != 1)
        tool_die("the server did not finish the handshake");
    SSL_free(ssl);
    close(fd);
    atomic_fetch_add(&load->done, 1);
}

static void *run(void *user)
{
    struct load *load = user;

    while (tool_now() < load->end)
        shake_hands(load);
    return NULL;
}

int main(int argc, char **argv)
{
    struct load load = {.ctx = SSL_CTX_new(TLS_client_method())};
    unsigned parallel = 16;
    double seconds = 2;
    const struct tool_option options[] = {{"--port", TOOL_NUMBER, &load.port},
                                          {"--parallel", TOOL_NUMBER, &parallel},
                                          {"--seconds", TOOL_REAL, &seconds},
                                          {NULL, TOOL_FLAG, NULL}};
    pthread_t threads[PARALLEL_MAX];

    tool_start();
    tool_options(argc, argv, options);
    if (load.ctx == NULL || load.port == 0 || parallel == 0 || parallel > PARALLEL_MAX)
        tool_die("wrong arguments");
    SSL_CTX_set_min_proto_version(load.ctx, TLS1_3_VERSION);
    SSL_CTX_set_session_cache_mode(load.ctx, SSL_SESS_CACHE_OFF);
    uint64_t start = tool_now();
    load.end = start + (uint64_t)(seconds * 1e9);
    for (unsigned i = 0; i < parallel; i++) {
        if (pthread_create(&threads[i], NULL, run, &load) != 0)
            tool_die("no thread");
    }
    for (unsigned i = 0; i < parallel; i++)
        pthread_join(threads[i], NULL);
    unsigned done = atomic_load(&load.done);
    printf("{\"handshakes\": %u, \"per_second\": %.1f}\n", done,
           done / ((double)(tool_now() - start) / 1e9));
    SSL_CTX_free(load.ctx);
    return 0;
}
