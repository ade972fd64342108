/*
 * The inside of an SSH engine, shared by the files of this folder only.
 *
 * engine.c     life, bytes in and out
 * messages.c   the table of legal messages
 * send.c       messages on their way out; the end of a session
 * clock.c      what time alone brings about
 * ident.c      identification lines
 * kex.c        key exchange, first and later ones; kexinit.c, kex_keys.c, negotiate.c its parts
 * auth_server.c, auth_client.c
 * channel.c    channel life and flow control; channel_open.c how they begin
 * global.c     global requests: remote forwards and keepalive
 */
#ifndef ALK_SSH_ENGINE_H
#define ALK_SSH_ENGINE_H

#include "base/buffer.h"
#include "ssh/message.h"
#include "ssh/packet.h"
#include "ssh/wire.h"

#include <alk/ssh.h>

enum {
    IDENT_MAX = 255,            /* bytes of the line with its end (RFC 4253 section 4.2) */
    BANNER_LINES = 20,          /* lines before it that a client reads over */
    HASH_SIZE = 32,             /* SHA-256, the only exchange hash here */
    READ_FIRST = 4 * 1024,      /* room that is offered for input at first */
    OUTPUT_ROOMY = 32 * 1024,   /* channel data stops above this much unsent output */
    OUTPUT_BULKY = 192 * 1024,  /* the same while nothing but bulk data moves */
    OUTPUT_URGENT = 256 * 1024, /* the same for urgent data */
    OUTPUT_STALL = 512 * 1024,  /* above this the engine handles no more input */
    OUTPUT_MAX = 8 * 1024 * 1024,
    HELD_MAX = 2 * 1024 * 1024, /* during a key exchange: opens of every channel, and replies */
    REKEY_MS_MAX = 120 * 1000,  /* an exchange after the login lasts no longer; docs/adr */
    REKEY_BYTES_MAX = 256 * 1024 * 1024, /* and no more comes from the peer meanwhile */
    CONTROL_MAX = 4096, /* longest payload that is not channel data, KEXINIT or a login */
    AUTH_MAX = ALK_USER_KEY_MAX + CONTROL_MAX, /* a login, with the session id before it */
};

enum phase {
    PHASE_IDENT = 1 << 0,
    PHASE_KEX = 1 << 1,     /* the first key exchange */
    PHASE_SERVICE = 1 << 2, /* until ssh-userauth is requested / accepted */
    PHASE_AUTH = 1 << 3,
    PHASE_OPEN = 1 << 4,
    PHASE_OVER = 1 << 5,
};

/* What the key exchange expects from the peer. */
enum kex_wait { KEX_IDLE, KEX_WAIT_INIT, KEX_WAIT_DH, KEX_WAIT_CALLER, KEX_WAIT_NEWKEYS };

/* Events that stop the engine until the caller answers. */
enum answer { ANSWER_NONE, ANSWER_HOST_KEY, ANSWER_AUTH, ANSWER_FORWARD };

struct kex; /* a running exchange, see kex.h */

/* A global request of ours that waits for its reply; replies come in order. */
struct request {
    struct request *next;
    enum { REQUEST_KEEPALIVE, REQUEST_PROBE, REQUEST_FORWARD } what;
    bool wants_port; /* the reply of a tcpip-forward to port 0 carries one */
    void *tag;
};

enum channel_state { CHANNEL_OPENING, CHANNEL_ASKED, CHANNEL_OPEN };

struct alk_ssh_channel {
    enum channel_state state;
    uint32_t id, peer_id;
    uint32_t peer_window, peer_packet; /* what we may send */
    uint32_t window, window_target;    /* what the peer may send; how much we grant at most */
    uint32_t owed;                     /* consumed, not yet granted again */
    uint64_t received;                 /* bytes consumed in all */
    uint64_t measured;                 /* the same when the last round trip began or ended */
    bool eof_sent, eof_received, close_sent, close_received;
    bool starved;   /* reserve found no window: tell when there is some */
    bool abandoned; /* closed by the caller before the peer had answered the open */
    void *user;
    struct alk_ssh_channel *next_doomed;
};

struct alk_ssh {
    struct alk_ssh_options options;
    uint64_t now, started, heard, active; /* active: last byte in or out */
    enum phase phase;
    enum answer awaiting;
    struct alk_error error;

    size_t roomy; /* one of the OUTPUT_ above */
    struct alk_buffer in, out;
    struct alk_buffer held; /* payloads that wait for the end of a key exchange */
    size_t read_size;       /* how much input to offer room for; follows the traffic */
    struct alk_packets rx, tx;

    char *my_version, *peer_version;
    unsigned banner_lines;

    struct kex *kex; /* NULL when none runs */
    enum kex_wait kex_wait;
    bool kex_sending; /* between our KEXINIT and our NEWKEYS */
    bool first_kex_done, strict, peer_ext_info;
    uint8_t session_id[HASH_SIZE];
    uint8_t host_blob[ALK_KEY_BLOB_SIZE]; /* client: the accepted host key */
    uint64_t kex_done;                    /* when */
    uint64_t kex_begun, kex_begun_bytes;  /* when, and what had come under the keys until then */

    unsigned auth_failures;
    bool auth_none_seen, auth_proven;
    uint8_t *auth_data; /* the text of the request that is being answered or signed */
    size_t auth_len;
    uint8_t *auth_blob; /* the key that is asked about */
    size_t auth_blob_len;
    const char *auth_algorithm; /* its own */
    struct alk_presence auth_presence;
    bool auth_probing;
    bool auth_asked; /* client: a request is on its way, an answer is due */

    struct alk_ssh_channel **channels; /* by our id; NULL = free */
    uint32_t *free_ids;
    uint32_t slots, free_count, channel_count;
    struct alk_ssh_channel *doomed; /* closed ones, freed at the next call of next */

    struct request *requests, **requests_end;
    unsigned keepalive_missed;
    uint64_t keepalive_sent; /* when the last one was */
    bool probing;            /* a round trip is being measured for probe_channel */
    uint32_t probe_channel;
    uint64_t probe_sent, round_trip; /* when; the shortest seen, ms, 0 = none yet */
    uint32_t window_growth; /* of all channels together, beyond the windows they began with */
    bool forward_wants_reply, forward_wants_port;

    struct alk_ssh_event event; /* built by handlers; type 0 = none */
    char host[ALK_SSH_HOST_MAX + 1], origin[ALK_SSH_USER_MAX + 1];

    const uint8_t *payload; /* the message being handled */
    size_t payload_len;
};

/* ---- messages.c ---- */
int ssh_dispatch(struct alk_ssh *ssh, uint8_t *payload, size_t len);

/* ---- send.c ---- */

/* Ends the session with a status and a sentence; sends a disconnect with `reason`
 * (0 = silently). Returns status, so handlers can `return ssh_fail(...)`. */
int ssh_fail(struct alk_ssh *ssh, enum alk_ssh_disconnect reason, int status, const char *format,
             ...) __attribute__((format(printf, 4, 5)));

/* Queues one message; holds it back while a key exchange forbids it. */
void ssh_send(struct alk_ssh *ssh, const uint8_t *payload, size_t len);
void ssh_send_writer(struct alk_ssh *ssh, const struct alk_writer *w);

/* Sends what a key exchange held back. */
void ssh_release_held(struct alk_ssh *ssh);

/* ---- engine.c ---- */
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
/* A new engine as it is after the login, but with the cipher "none". */
void ssh_fuzz_open(struct alk_ssh *ssh);
#endif

struct alk_ssh_event *ssh_emit(struct alk_ssh *ssh, enum alk_ssh_event_type type);

/* Has `after` passed since `start`? UINT64_MAX never does. */
static inline bool ssh_elapsed(const struct alk_ssh *ssh, uint64_t start, uint64_t after)
{
    return ssh->now >= start && ssh->now - start >= after;
}

static inline bool ssh_is_server(const struct alk_ssh *ssh)
{
    return ssh->options.role == ALK_SSH_SERVER;
}

/* ---- ident.c ---- */
int ssh_ident_start(struct alk_ssh *ssh);
int ssh_ident_read(struct alk_ssh *ssh); /* 1 when it is complete */

/* ---- kex.c ---- */
int ssh_kex_start(struct alk_ssh *ssh);
bool ssh_kex_due(const struct alk_ssh *ssh);
/* Ends the session when the peer leaves an exchange unfinished for too long or too much. */
int ssh_kex_check(struct alk_ssh *ssh);
void ssh_kex_free(struct alk_ssh *ssh);
int ssh_on_kexinit(struct alk_ssh *ssh, struct alk_reader *r);
int ssh_on_ecdh_init(struct alk_ssh *ssh, struct alk_reader *r);
int ssh_on_ecdh_reply(struct alk_ssh *ssh, struct alk_reader *r);
int ssh_on_newkeys(struct alk_ssh *ssh, struct alk_reader *r);
int ssh_on_ext_info(struct alk_ssh *ssh, struct alk_reader *r);
/* Is this message legal while the exchange waits? Skips a wrong guess. */
int ssh_kex_filter(struct alk_ssh *ssh, uint8_t type, bool *skip);

/* ---- auth_server.c, auth_client.c ---- */
int ssh_on_service_request(struct alk_ssh *ssh, struct alk_reader *r);
int ssh_on_userauth_request(struct alk_ssh *ssh, struct alk_reader *r);
void ssh_auth_clear(struct alk_ssh *ssh);
void ssh_auth_client_start(struct alk_ssh *ssh);
int ssh_on_service_accept(struct alk_ssh *ssh, struct alk_reader *r);
int ssh_on_userauth_failure(struct alk_ssh *ssh, struct alk_reader *r);
int ssh_on_userauth_success(struct alk_ssh *ssh, struct alk_reader *r);
int ssh_on_userauth_banner(struct alk_ssh *ssh, struct alk_reader *r);
int ssh_on_userauth_pk_ok(struct alk_ssh *ssh, struct alk_reader *r);
/* Keeps a copy of the key as auth_blob. ALK_E_UNSUPPORTED, ALK_E_NOMEM. */
int ssh_auth_keep_key(struct alk_ssh *ssh, const uint8_t *blob, size_t len);
/* Writes the request that publickey authentication signs (RFC 4252 section 7), with auth_blob. */
void ssh_auth_write_request(const struct alk_ssh *ssh, struct alk_writer *w, struct alk_bytes user,
                            bool with_signature);

/* ---- channel.c, channel_open.c ---- */
int ssh_channel_new(struct alk_ssh *ssh, struct alk_ssh_channel **out);
void ssh_channel_free(struct alk_ssh *ssh, struct alk_ssh_channel *channel);
void ssh_channel_free_doomed(struct alk_ssh *ssh);
void ssh_channel_send_close(struct alk_ssh *ssh, struct alk_ssh_channel *channel);
int ssh_on_channel_open(struct alk_ssh *ssh, struct alk_reader *r);
int ssh_on_channel_confirmation(struct alk_ssh *ssh, struct alk_reader *r);
int ssh_on_channel_open_failure(struct alk_ssh *ssh, struct alk_reader *r);
int ssh_on_channel_window(struct alk_ssh *ssh, struct alk_reader *r);
int ssh_on_channel_data(struct alk_ssh *ssh, struct alk_reader *r);
int ssh_on_channel_extended(struct alk_ssh *ssh, struct alk_reader *r);
int ssh_on_channel_eof(struct alk_ssh *ssh, struct alk_reader *r);
int ssh_on_channel_close(struct alk_ssh *ssh, struct alk_reader *r);
int ssh_on_channel_request(struct alk_ssh *ssh, struct alk_reader *r);
int ssh_on_channel_reply(struct alk_ssh *ssh, struct alk_reader *r);
struct alk_ssh_channel *ssh_channel_by_id(struct alk_ssh *ssh, uint32_t id);

/* ---- window.c ---- */
/* A round trip took so long. */
void ssh_round_trip(struct alk_ssh *ssh, uint64_t ms);
void ssh_window_probe_answered(struct alk_ssh *ssh);

/* ---- global.c ---- */
int ssh_on_global_request(struct alk_ssh *ssh, struct alk_reader *r);
int ssh_on_request_success(struct alk_ssh *ssh, struct alk_reader *r);
int ssh_on_request_failure(struct alk_ssh *ssh, struct alk_reader *r);
int ssh_send_keepalive(struct alk_ssh *ssh, bool probe);
void ssh_requests_free(struct alk_ssh *ssh);

#endif
