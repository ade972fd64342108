/*
 * The second client engine: libssh2 behind the functions of alk/ssh.h (interface/engine.h). Like the
 * native one it does no I/O: libssh2's send and receive callbacks work on two buffers. Sending
 * always succeeds, so whenever libssh2 says "again" it waits for input.
 *
 * engine.c     bytes, time, and the turn in which everything has its chance; life.c makes and frees
 * login.c      handshake and authentication
 * channels.c   opening and ends; data.c what goes through; forwards.c remote forwards
 *
 * libssh2 keeps one queue of received packets for all channels, and whatever reads from the
 * connection fills it for all. So each turn first lets it take all the input that there is, and
 * then asks everyone in turn until nobody has anything. A channel's data is fetched from the queue
 * only while little of that channel's is on its way to the consumer; what is not fetched holds
 * the channel's window down, and nobody else's.
 */
#ifndef ALK_LIBSSH2_INTERNAL_H
#define ALK_LIBSSH2_INTERNAL_H

#include "base/buffer.h"
#include "interface/session.h"
#include "ssh/engine.h"

#include <libssh2.h>
#include <sys/queue.h>

enum {
    LIB_PIECE = ALK_SSH_DATA_MAX,     /* received at once */
    LIB_PIECES = ALK_GATHER_MOST + 2, /* those that a session may still be gathering, and more */
    LIB_PACKET = 32700,               /* what libssh2 sends in one packet at most */
};

enum lib_phase { LIB_HANDSHAKE, LIB_VERDICT, LIB_LOGIN, LIB_READY };

/* What stands behind a channel's handle. */
struct lib_channel {
    struct alk_ssh_channel base; /* its user only */
    TAILQ_ENTRY(lib_channel) entry;
    LIBSSH2_CHANNEL *lib; /* NULL while it is not open */
    const char *type;     /* and what the request to open it says besides */
    uint8_t *message;
    size_t message_len;
    struct alk_buffer unsent; /* libssh2 must be offered this again */
    size_t outstanding;       /* passed on and not consumed */
    unsigned long widening;   /* what the peer is about to be granted; 0: nothing */
    bool asked;               /* the server has been asked to open it */
    bool ping;                /* opened for the answer alone */
    bool unaccepted;          /* the caller has not decided yet: it gets nothing */
    bool starved;             /* reserve found no room here: tell when there is some */
    bool eof_wanted, eof_sent, eof_told, closing;
};

TAILQ_HEAD(lib_channels, lib_channel);

struct lib_forward {
    TAILQ_ENTRY(lib_forward) entry;
    LIBSSH2_LISTENER *listener;
    enum alk_ssh_channel_kind kind;
    char *host;
    int port; /* asked for, then bound */
    void *tag;
    bool cancel;
};

TAILQ_HEAD(lib_forwards, lib_forward);

/* The key that is tried: a public one, whose signature the caller makes, or a private key file. */
struct lib_login {
    char *user;
    uint8_t *blob;
    size_t blob_len;
    const char *text, *passphrase; /* of the file; borrowed */
    uint8_t *to_sign;
    size_t to_sign_len;
    uint8_t *signature;
    size_t signature_len;
    bool trying;
    bool abandoned; /* the caller has no signature */
};

struct lib_engine {
    struct alk_ssh_options options;
    LIBSSH2_SESSION *session;
    int null_fd; /* libssh2 wants a descriptor, and does nothing with it */
    enum lib_phase phase;
    bool over;
    bool input_ended; /* libssh2 is to find the end of the connection */
    struct alk_error error;
    uint64_t now, started, heard;
    struct alk_buffer in, out;
    struct lib_login login;
    bool login_began;            /* the caller was told that it may offer keys */
    struct lib_channels opening; /* the first one is being asked for */
    struct lib_channels channels;
    unsigned channel_count;
    struct lib_channel *doomed; /* freed at the next turn */
    struct lib_forwards asked, forwards;
    char cipher[64];
    uint8_t scratch[LIB_PACKET]; /* what a channel is about to send */
    uint8_t *pieces;             /* LIB_PIECES that were received */
    unsigned piece;
};

static inline struct lib_engine *lib_of(struct alk_ssh *ssh)
{
    return (struct lib_engine *)(void *)ssh;
}

static inline struct lib_channel *lib_channel_of(struct alk_ssh_channel *channel)
{
    return (struct lib_channel *)channel; /* the first member */
}

/* ---- life.c ---- */
int lib_create(struct alk_ssh **out, const struct alk_ssh_options *options, uint64_t now);
void lib_destroy(struct alk_ssh *ssh);

/* ---- engine.c ---- */

/* The end of the session, with what libssh2 says of its last error. */
void lib_fail(struct lib_engine *e, int rc);
void lib_over(struct lib_engine *e, int status, const char *sentence);
/* True when rc ends the session, which is noted; false for "again" and for what concerns one
 * request or channel. */
bool lib_failed(struct lib_engine *e, ssize_t rc);
/* Fills the event; true, for who tells that there is one. */
bool lib_emit(struct alk_ssh_event *event, enum alk_ssh_event_type type, struct lib_channel *c);
bool lib_has_room(const struct alk_ssh *ssh);
LIBSSH2_SEND_FUNC(lib_take_output);
LIBSSH2_RECV_FUNC(lib_give_input);

/* ---- login.c; the steps are true when *event was filled ---- */
bool lib_handshake_step(struct lib_engine *e, struct alk_ssh_event *event);
bool lib_login_step(struct lib_engine *e, struct alk_ssh_event *event);
void lib_login_clear(struct lib_engine *e);
void lib_host_key_accept(struct alk_ssh *ssh);
bool lib_takes_key(const uint8_t *blob, size_t len);
int lib_auth_probe(struct alk_ssh *ssh, const char *user, const uint8_t *blob, size_t len);
int lib_auth_to_sign(struct alk_ssh *ssh, const char *user, const uint8_t *blob, size_t blob_len,
                     const uint8_t **data, size_t *len);
int lib_auth_signed(struct alk_ssh *ssh, const uint8_t *signature, size_t len);
int lib_auth_file(struct alk_ssh *ssh, const char *user, const char *text, const char *passphrase);

/* ---- channels.c ---- */
bool lib_open_step(struct lib_engine *e, struct alk_ssh_event *event);
bool lib_channels_step(struct lib_engine *e, struct alk_ssh_event *event);
/* One that is open already; NULL without memory. */
struct lib_channel *lib_channel_new(struct lib_engine *e, LIBSSH2_CHANNEL *lib);
void lib_channel_free(struct lib_channel *c);
/* Asks for a sign of life, by a request that no server can leave unanswered. */
void lib_ping(struct lib_engine *e);
int lib_channel_open(struct alk_ssh *ssh, enum alk_ssh_channel_kind kind, const char *host,
                     uint32_t port, const char *origin, uint32_t origin_port,
                     struct alk_ssh_channel **out);
void lib_channel_accept(struct alk_ssh *ssh, struct alk_ssh_channel *channel);
void lib_channel_reject(struct alk_ssh *ssh, struct alk_ssh_channel *channel,
                        enum alk_ssh_open_failure reason, const char *text);
void lib_channel_eof(struct alk_ssh *ssh, struct alk_ssh_channel *channel);
void lib_channel_close(struct alk_ssh *ssh, struct alk_ssh_channel *channel);

/* ---- data.c ---- */
/* Lets libssh2 take all the input that there is. False when nobody is there to do it. */
bool lib_drain(struct lib_engine *e);
bool lib_read_step(struct lib_engine *e, struct lib_channel *c, struct alk_ssh_event *event);
/* Offers what waits to libssh2; true when nothing is left. */
bool lib_flush(struct lib_engine *e, struct lib_channel *c);
int lib_channel_reserve(struct alk_ssh *ssh, struct alk_ssh_channel *channel, struct iovec *parts,
                        int most);
int lib_channel_reserve_urgent(struct alk_ssh *ssh, struct alk_ssh_channel *channel,
                               struct iovec *part);
void lib_channel_commit(struct alk_ssh *ssh, struct alk_ssh_channel *channel, size_t len);
bool lib_channel_blocked(const struct alk_ssh_channel *channel);
size_t lib_channel_write(struct alk_ssh *ssh, struct alk_ssh_channel *channel, const void *data,
                         size_t len);
void lib_channel_consumed(struct alk_ssh *ssh, struct alk_ssh_channel *channel, size_t len);

/* ---- forwards.c ---- */
bool lib_forwards_step(struct lib_engine *e, struct alk_ssh_event *event);
void lib_forward_free(struct lib_forward *f);
int lib_forward_request(struct alk_ssh *ssh, enum alk_ssh_channel_kind kind, bool cancel,
                        const char *host, uint32_t port, void *tag);

#endif
