/*
 * What the two C libraries have in common as clients: options, listeners, and the loop that carries bytes.
 * README has the command line. A library fills struct backend; its functions may block until the server
 * has answered, except read, write and accept.
 */
#ifndef TUNNEL_H
#define TUNNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct options {
    const char *host, *user, *key, *host_key;
    int port;
    bool rekey;
};

enum { NOTHING_NOW = -1 };

struct backend {
    const char *(*version)(void);
    /* 0, or 1 when the server takes no key; anything else ends the program inside. */
    int (*login)(const struct options *options, int fd);
    void *(*open)(const char *host, int port); /* a direct-tcpip channel, NULL when refused */
    void (*listen)(int port);
    void *(*accept)(int *port);                              /* a forwarded channel, or NULL */
    ssize_t (*read)(void *channel, void *data, size_t size); /* 0: ended */
    ssize_t (*write)(void *channel, const void *data, size_t size);
    void (*finish)(void *channel); /* no more from us */
    void (*close)(void *channel);
    void (*leave)(void);
};

int tunnel_main(int argc, char **argv, const struct backend *backend);
void die(const char *what, const char *why);

#endif
