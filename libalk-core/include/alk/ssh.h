/*
 * The SSH engine: both roles of the protocol, without sockets, clock or threads.
 *
 * The caller feeds bytes that came from the peer, passes the time, takes events, and
 * sends the bytes that the engine wants sent:
 *
 *     space = alk_ssh_input_space(ssh, &at);        read up to `space` bytes into `at`
 *     alk_ssh_input_commit(ssh, n, now);
 *     while ((r = alk_ssh_next(ssh, &event)) > 0)   act on the event
 *     n = alk_ssh_output(ssh, &bytes);              write them
 *     alk_ssh_output_done(ssh, written);
 *
 * RFC 4251-4254, 8308, 8709, 8731; OpenSSH's PROTOCOL (strict key exchange, aes-gcm and
 * chacha20-poly1305, streamlocal forwarding, keepalive, ping). See docs/adr for why
 * alknet has an engine of its own.
 *
 * An engine belongs to one thread at a time. What an event points to is borrowed: strings
 * and the channel until the next call of alk_ssh_next, the bytes of CHANNEL_DATA until the
 * next call of alk_ssh_input_space, so that several pieces can be written at once, the key of
 * AUTH_REQUEST until alk_ssh_auth_reply. The
 * engine never calls back. After a negative status it is finished: write out what is left of the
 * output (it may hold a disconnect message) and free it.
 */
#ifndef ALK_SSH_H
#define ALK_SSH_H

#include <alk/key.h>
#include <alk/status.h>
#include <alk/user_key.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct alk_ssh;
struct alk_ssh_channel;

enum alk_ssh_role { ALK_SSH_SERVER, ALK_SSH_CLIENT };

enum {
    ALK_SSH_USER_MAX = 256,          /* bytes of a user name */
    ALK_SSH_HOST_MAX = 1024,         /* bytes of a host name or socket path */
    ALK_SSH_DATA_MAX = 32 * 1024,    /* data of one packet, both ways */
    ALK_SSH_PARTS_MAX = 8,           /* packets of one channel that are filled together */
    ALK_SSH_URGENT_MAX = 4096,       /* data of one packet that overtakes others */
    ALK_SSH_WINDOW = 2 * 1024 * 1024 /* receive window that a channel starts with */
};

/* Start from ALK_SSH_OPTIONS_INIT; 0 in a number means the default beside it. */
struct alk_ssh_options {
    enum alk_ssh_role role;
    const struct alk_key *host_key; /* server; borrowed for the life of the engine */
    const char *ciphers;            /* comma list, best first; NULL = all, by CPU */
    const char *macs;               /* comma list; NULL = all */
    unsigned max_channels;          /* 1024 */
    unsigned max_auth_attempts;     /* 10 */
    uint64_t grace_ms;         /* 30,000: until the user is authenticated; UINT64_MAX = never */
    uint64_t keepalive_ms;     /* 30,000 of silence, then a probe; UINT64_MAX = never */
    unsigned keepalive_misses; /* 3 unanswered probes end the session */
    uint64_t rekey_bytes;      /* the cipher's own bound */
    uint64_t rekey_packets;    /* 2^31 */
    uint64_t rekey_ms;         /* 3,600,000; UINT64_MAX = never for the time */
    /* client: comma list of host key types on record, to be preferred by an engine that has
     * several (the native one has ssh-ed25519 only); NULL = none; borrowed for the creation */
    const char *host_key_types;
    uint32_t window_max; /* 64 MiB: how far a channel's window may grow; ALK_SSH_WINDOW at least */
};

/* clang-format off */
#define ALK_SSH_OPTIONS_INIT {.role = ALK_SSH_SERVER}
/* clang-format on */

/* RFC 4250 section 4.2.2 and 4.3 */
enum alk_ssh_disconnect {
    ALK_SSH_BY_PROTOCOL_ERROR = 2,
    ALK_SSH_BY_KEX_FAILED = 3,
    ALK_SSH_BY_MAC_ERROR = 5,
    ALK_SSH_BY_SERVICE_NOT_AVAILABLE = 7,
    ALK_SSH_BY_HOST_KEY = 9,
    ALK_SSH_BY_CONNECTION_LOST = 10,
    ALK_SSH_BY_APPLICATION = 11,
    ALK_SSH_BY_TOO_MANY = 12,
    ALK_SSH_BY_NO_MORE_METHODS = 14,
};

enum alk_ssh_open_failure {
    ALK_SSH_OPEN_PROHIBITED = 1,
    ALK_SSH_OPEN_CONNECT_FAILED = 2,
    ALK_SSH_OPEN_UNKNOWN_TYPE = 3,
    ALK_SSH_OPEN_SHORTAGE = 4,
};

enum alk_ssh_event_type {
    ALK_SSH_HOST_KEY = 1,    /* client: judge it, then alk_ssh_host_key_accept */
    ALK_SSH_AUTH_READY,      /* client: offer a key */
    ALK_SSH_AUTH_KEY_OK,     /* client: the probed key would do; sign with it */
    ALK_SSH_AUTH_FAILED,     /* client: the offered key was refused; offer another */
    ALK_SSH_AUTH_BANNER,     /* client: text from the server, unsanitised */
    ALK_SSH_AUTH_REQUEST,    /* server: answer with alk_ssh_auth_reply */
    ALK_SSH_AUTH_REFUSED,    /* server: has refused another method, or a type of key unknown here */
    ALK_SSH_AUTHENTICATED,   /* client: channels may be opened now */
    ALK_SSH_CHANNEL_REQUEST, /* an inbound open: alk_ssh_channel_accept or _reject */
    ALK_SSH_CHANNEL_OPENED,  /* our open succeeded */
    ALK_SSH_CHANNEL_FAILED,  /* our open failed; the channel is gone */
    ALK_SSH_CHANNEL_DATA,    /* tell alk_ssh_channel_consumed when it is passed on */
    ALK_SSH_CHANNEL_EOF,     /* the peer sends no more data */
    ALK_SSH_CHANNEL_CLOSED,  /* last event; the channel is gone at the next call of next */
    ALK_SSH_CHANNEL_ROOM,    /* a channel that had no window may send again */
    ALK_SSH_FORWARD_REQUEST, /* server: alk_ssh_forward_reply, before anything else */
    ALK_SSH_FORWARD_REPLY,   /* client: the answer to alk_ssh_forward_request */
};

enum alk_ssh_channel_kind {
    ALK_SSH_DIRECT_TCPIP,
    ALK_SSH_DIRECT_UNIX,
    ALK_SSH_FORWARDED_TCPIP,
    ALK_SSH_FORWARDED_UNIX,
};

struct alk_ssh_event {
    enum alk_ssh_event_type type;
    struct alk_ssh_channel *channel; /* the CHANNEL_ events */
    const uint8_t *data; /* CHANNEL_DATA, AUTH_BANNER; a key blob for HOST_KEY, AUTH_* */
    size_t len;
    const char *user;               /* AUTH_REQUEST, AUTH_REFUSED */
    bool proven;                    /* AUTH_REQUEST: signed by the key, not just asked about */
    struct alk_presence presence;   /* AUTH_REQUEST, proven: what a security key saw */
    enum alk_ssh_channel_kind kind; /* CHANNEL_REQUEST, FORWARD_REQUEST (forwarded-*) */
    const char *host;               /* CHANNEL_REQUEST: destination or listening address; or path */
    uint32_t port;
    const char *origin; /* CHANNEL_REQUEST: who connected, as the peer tells it */
    uint32_t origin_port;
    bool cancel;      /* FORWARD_REQUEST: end the listener */
    bool ok;          /* FORWARD_REPLY; AUTH_FAILED: partial success */
    uint32_t reason;  /* CHANNEL_FAILED: enum alk_ssh_open_failure */
    const char *text; /* CHANNEL_FAILED: from the peer; AUTH_FAILED: methods left; unsanitised.
                         AUTH_REFUSED: the method if it is one that clients have, else "other" */
    void *tag;        /* FORWARD_REPLY: as passed with the request */
};

/* Makes an engine; its identification is ready to send at once. now: milliseconds of
 * any monotonic clock, the same in all calls. */
int alk_ssh_new(struct alk_ssh **out, const struct alk_ssh_options *options, uint64_t now);
void alk_ssh_free(struct alk_ssh *ssh);

/* ---- bytes ---- */

/* Where to put received bytes; returns how many fit, 0 when the engine takes no more
 * until events are handled or output is sent. */
size_t alk_ssh_input_space(struct alk_ssh *ssh, uint8_t **at);
void alk_ssh_input_commit(struct alk_ssh *ssh, size_t len, uint64_t now);

/* The same with a copy; returns how many bytes were taken. */
size_t alk_ssh_input(struct alk_ssh *ssh, const void *data, size_t len, uint64_t now);

/* The next event: 1 and *event filled, 0 when there is none for now, or negative when
 * the session is over: ALK_E_CLOSED after the peer's disconnect, ALK_E_PROTO,
 * ALK_E_CRYPTO, ALK_E_TIMEOUT, ALK_E_AUTH, ALK_E_HOSTKEY... see alk_ssh_error. */
int alk_ssh_next(struct alk_ssh *ssh, struct alk_ssh_event *event);

/* Bytes that wait to be sent; returns how many. */
size_t alk_ssh_output(struct alk_ssh *ssh, const uint8_t **bytes);
void alk_ssh_output_done(struct alk_ssh *ssh, size_t len);

/* False while the engine handles no input: it waits for an answer of the caller, or for
 * output to be sent. Reading from the peer should pause. */
bool alk_ssh_wants_input(const struct alk_ssh *ssh);

/* True while channel data may be added: no key exchange is sending and little output
 * waits. */
bool alk_ssh_has_room(const struct alk_ssh *ssh);

/* Whether nothing but bulk data moves at present: then more of it may wait as output. With it
 * false, as at the start, little does, and what is small and urgent is soon sent. */
void alk_ssh_only_bulk(struct alk_ssh *ssh, bool only_bulk);

/* ---- time ---- */

/* When alk_ssh_tick wants to be called at the latest; UINT64_MAX = never. */
uint64_t alk_ssh_deadline(const struct alk_ssh *ssh);
void alk_ssh_tick(struct alk_ssh *ssh, uint64_t now);

/* ---- the session ---- */

/* Ends the session: queues a disconnect message with an English text. */
void alk_ssh_disconnect(struct alk_ssh *ssh, enum alk_ssh_disconnect reason, const char *text);

/* Why the session ended: code and a sentence (of printable ASCII, also where the peer's own
 * words are in it). */
const struct alk_error *alk_ssh_error(const struct alk_ssh *ssh);

/* The peer's identification ("SSH-2.0-OpenSSH_9.2"), "" until it came. */
const char *alk_ssh_peer_version(const struct alk_ssh *ssh);
const char *alk_ssh_cipher_name(const struct alk_ssh *ssh); /* "none" before the exchange */

bool alk_ssh_authenticated(const struct alk_ssh *ssh);

/* When the last whole packet came from the peer. */
uint64_t alk_ssh_heard(const struct alk_ssh *ssh);

/* Asks the peer for a sign of life now (a keepalive request). */
void alk_ssh_probe(struct alk_ssh *ssh);

/* Starts a key exchange now, if none is running. */
void alk_ssh_rekey(struct alk_ssh *ssh);

/* ---- authentication ---- */

void alk_ssh_host_key_accept(struct alk_ssh *ssh);

/* Client: asks whether the server would take this key (answer: AUTH_KEY_OK or _FAILED). The blob
 * is of any type that alk_user_key_parse knows, else ALK_E_UNSUPPORTED. */
int alk_ssh_auth_probe(struct alk_ssh *ssh, const char *user, const uint8_t *blob, size_t blob_len);

/* Client: what must be signed to log in with this key. Borrowed until the next call of
 * any alk_ssh_auth_ function. Then pass the signature blob to alk_ssh_auth_signed. */
int alk_ssh_auth_to_sign(struct alk_ssh *ssh, const char *user, const uint8_t *blob,
                         size_t blob_len, const uint8_t **data, size_t *len);
int alk_ssh_auth_signed(struct alk_ssh *ssh, const uint8_t *signature, size_t len);

/* Server: the answer to AUTH_REQUEST. Accepting an unproven request only says that the
 * key would do. */
void alk_ssh_auth_reply(struct alk_ssh *ssh, bool accept);

/* ---- channels ---- */

/* Opens a channel; the answer is CHANNEL_OPENED or CHANNEL_FAILED. For a Unix kind, host
 * is the path and ports are ignored. origin may be NULL. ALK_E_LIMIT when max_channels
 * are open, ALK_E_CLOSED when the session is not authenticated or over. */
int alk_ssh_channel_open(struct alk_ssh *ssh, enum alk_ssh_channel_kind kind, const char *host,
                         uint32_t port, const char *origin, uint32_t origin_port,
                         struct alk_ssh_channel **out);
void alk_ssh_channel_accept(struct alk_ssh *ssh, struct alk_ssh_channel *channel);
void alk_ssh_channel_reject(struct alk_ssh *ssh, struct alk_ssh_channel *channel,
                            enum alk_ssh_open_failure reason, const char *text);

void alk_ssh_channel_set_user(struct alk_ssh_channel *channel, void *user);
void *alk_ssh_channel_user(const struct alk_ssh_channel *channel);

/* Where the channel may put what it sends now: up to `most` parts (and no more than
 * ALK_SSH_PARTS_MAX), a packet each. Returns how many there are. Fill them in order, with no
 * gap, then commit the sum; the last ones may stay empty. 0: no window, the session's output
 * is full, or a key exchange is running; CHANNEL_ROOM or more room in the output tells when to
 * try again. Call commit or nothing right after; no other engine call may come between. */
int alk_ssh_channel_reserve(struct alk_ssh *ssh, struct alk_ssh_channel *channel,
                            struct iovec *parts, int most);

/* The same for one part of at most ALK_SSH_URGENT_MAX bytes, but there is room when the output
 * is full for bulk data already: for a channel that sends little, so that it does not queue
 * behind those that send much. */
int alk_ssh_channel_reserve_urgent(struct alk_ssh *ssh, struct alk_ssh_channel *channel,
                                   struct iovec *part);
void alk_ssh_channel_commit(struct alk_ssh *ssh, struct alk_ssh_channel *channel, size_t len);

/* True when reserve returned 0 for want of the peer's window (CHANNEL_ROOM will come),
 * false when the session as a whole cannot send now. */
bool alk_ssh_channel_blocked(const struct alk_ssh_channel *channel);

/* Copies as much as may be sent now; returns how many bytes were taken. */
size_t alk_ssh_channel_write(struct alk_ssh *ssh, struct alk_ssh_channel *channel, const void *data,
                             size_t len);

/* len bytes of CHANNEL_DATA have left our hands: the peer may send as many again. */
void alk_ssh_channel_consumed(struct alk_ssh *ssh, struct alk_ssh_channel *channel, size_t len);

/* No more data from us (half close); once only, later calls do nothing. */
void alk_ssh_channel_eof(struct alk_ssh *ssh, struct alk_ssh_channel *channel);

/* Closes the channel both ways. Data that still comes is dropped; CHANNEL_CLOSED follows
 * when the peer has closed too. Also for a channel that is still being opened; one that waits
 * for accept or reject is rejected. */
void alk_ssh_channel_close(struct alk_ssh *ssh, struct alk_ssh_channel *channel);

unsigned alk_ssh_channel_count(const struct alk_ssh *ssh);

/* About how many bytes of memory the engine holds at present: buffers and channels. */
size_t alk_ssh_memory(const struct alk_ssh *ssh);

/* ---- remote forwards ---- */

/* Client: asks the server to listen (kind FORWARDED_*), or with cancel to stop. */
int alk_ssh_forward_request(struct alk_ssh *ssh, enum alk_ssh_channel_kind kind, bool cancel,
                            const char *host, uint32_t port, void *tag);

/* Server: the answer to FORWARD_REQUEST; port is the bound one. */
void alk_ssh_forward_reply(struct alk_ssh *ssh, bool ok, uint32_t port);

#endif
