/* Two SSH engines joined by memory: time is a number, and a seeded generator decides how
 * the bytes between them are cut. */
#ifndef TEST_PAIR_H
#define TEST_PAIR_H

#include "interface/engine.h"

#include <alk/ssh.h>

enum { PAIR_CHANNELS = 64 };

struct pair_end {
    const struct alk_engine *engine;
    struct alk_ssh *ssh;
    int status;      /* what alk_ssh_next said last */
    size_t received; /* bytes of channel data */
    uint64_t sum;    /* order-sensitive checksum of them */
    bool hold;       /* do not tell the engine that data was consumed */
    size_t held;
    struct alk_ssh_channel *channels[PAIR_CHANNELS]; /* opened or accepted, in order */
    unsigned channel_count, eofs, closed, failed;
    unsigned events[32];       /* count by type */
    struct alk_ssh_event last; /* the last event; its pointers are stale */
    char host[64];             /* of the last request */
    void (*on_event)(struct pair_end *end, struct alk_ssh_event *event);
};

struct pair {
    struct pair_end server, client;
    struct alk_key *host_key, *user_key;
    uint64_t now;
    uint32_t random;     /* state of the generator */
    bool to_client_held; /* bytes to the client wait: a long way back */
    size_t piece_max;    /* longest piece of bytes handed over at once; 0 = no cutting */
    void (*on_wire)(struct pair *pair, bool to_server, uint8_t *bytes, size_t len);
};

/* Makes both ends with these options (role and host key are filled in). */
void pair_init(struct pair *pair, struct alk_ssh_options server, struct alk_ssh_options client);
/* The same with another engine as the client. */
void pair_init_with(struct pair *pair, struct alk_ssh_options server, struct alk_ssh_options client,
                    const struct alk_engine *engine);
void pair_free(struct pair *pair);

/* Moves bytes and handles events until nothing moves any more: accepts every host key,
 * the user key, every channel and every forward (port 4242). */
void pair_run(struct pair *pair);

/* pair_init with defaults, then run until both are authenticated. */
void pair_login(struct pair *pair);

/* Opens a channel from the client and runs until both ends have it. */
void pair_open(struct pair *pair);

#endif
