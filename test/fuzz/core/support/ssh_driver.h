/*
 * What stands behind an engine in the SSH fuzz targets: it answers events as a real program
 * would, guided by bytes of the input, and aborts when the engine breaks a promise of
 * <alk/ssh.h>.
 */
#ifndef FUZZ_SSH_DRIVER_H
#define FUZZ_SSH_DRIVER_H

#include <alk/ssh.h>

enum { DRIVER_CHANNELS = 256, DRIVER_POLICY = 8 };

struct driver_channel {
    struct alk_ssh_channel *channel; /* NULL = free */
    bool asked;                      /* waits for accept or reject */
    bool ended;                      /* EOF came */
    bool closing;                    /* we have closed it */
    size_t held;                     /* received and not consumed */
    uint64_t received, sent;
};

struct driver {
    struct alk_ssh *ssh;
    enum alk_ssh_role role;
    uint64_t now;
    int status;
    uint8_t policy[DRIVER_POLICY]; /* how to answer, byte by byte in turn */
    unsigned policy_at;
    bool clear_output; /* the cipher is "none": what is sent can be checked */
    bool numbered;     /* data is driver_byte of its position, and must be */
    unsigned login_tries;
    struct driver_channel channels[DRIVER_CHANNELS];
};

/* Made once, the same in every run; the randomness of libsodium becomes a sequence that
 * driver_start begins anew. */
const struct alk_key *driver_host_key(void);

/* role, options: the host key is filled in. Aborts when there is no memory. */
void driver_start(struct driver *d, enum alk_ssh_role role, struct alk_ssh_options options);
void driver_free(struct driver *d);

/* Handles every event that there is. */
void driver_events(struct driver *d);

/* Passes bytes from the peer in pieces of `piece` (0 = at once), with events in between. */
void driver_input(struct driver *d, const uint8_t *data, size_t len, size_t piece);

/* Takes up to len bytes of output away. */
void driver_drain(struct driver *d, size_t len);

/* ---- what a program does of its own accord; `which` picks a channel ---- */

void driver_open(struct driver *d, unsigned kind, const char *host, uint32_t port);
void driver_write(struct driver *d, unsigned which, size_t len);
void driver_eof(struct driver *d, unsigned which);
void driver_close(struct driver *d, unsigned which);
void driver_consume(struct driver *d, unsigned which, size_t len);
void driver_answer(struct driver *d, unsigned which, bool accept);
void driver_tick(struct driver *d, uint64_t ms);

uint8_t driver_byte(enum alk_ssh_role sender, uint64_t position);

#endif
