/*
 * A scripted peer: it speaks SSH to one engine, in either role, message by message, so that a
 * test can send anything in any state. Its key exchange and packets (plain, and then
 * chacha20-poly1305@openssh.com) are its own, made of libsodium's functions; for the other
 * ciphers it builds packets itself and seals them with the engine's.
 */
#ifndef TEST_SCRIPT_H
#define TEST_SCRIPT_H

#include "ssh/cipher.h"
#include "ssh/message.h"
#include "ssh/wire.h"

#include <alk/ssh.h>

enum { SCRIPT_LISTS = 10, SCRIPT_HASH = 32 };

/* Where a session stands. */
enum script_at {
    AT_START,      /* nothing was said */
    AT_INIT,       /* identified; the engine waits for KEXINIT */
    AT_DH,         /* the engine waits for ECDH_INIT / _REPLY */
    AT_NEWKEYS,    /* ... for NEWKEYS */
    AT_SERVICE,    /* ... for the service's request or acceptance */
    AT_AUTH,       /* ... for a login, or, as a client, for the answer to one */
    AT_OPEN,       /* logged in */
    AT_REKEY_INIT, /* the engine has sent a second KEXINIT and waits for ours */
    AT_REKEY_DH,
    AT_REKEY_NEWKEYS,
    AT_COUNT,
};

struct script_direction {
    bool keyed;
    uint8_t key[64];
    struct alk_cipher other; /* its type is NULL under chacha20 */
    uint32_t sequence;
};

struct script {
    /* the engine under test */
    struct alk_ssh *ssh;
    enum alk_ssh_role role;
    struct alk_key *host_key, *user_key;
    uint64_t now;
    int status;                                                  /* what alk_ssh_next said last */
    unsigned events[32];                                         /* count by type */
    struct alk_ssh_event last;                                   /* its pointers are stale */
    char user[ALK_SSH_USER_MAX + 1], host[ALK_SSH_HOST_MAX + 1]; /* of the last request */
    struct alk_ssh_channel *channel;                             /* the last one of an event */
    size_t received;                                             /* bytes of channel data */
    bool hold;                                                   /* do not consume data */
    bool ask; /* leave AUTH_REQUEST, CHANNEL_REQUEST, FORWARD_REQUEST to the test */
    bool (*on_event)(struct script *s, const struct alk_ssh_event *event); /* true: handled */

    enum script_at at; /* how far script_to has come */

    /* the peer: change these before the step that uses them */
    bool strict;                     /* offers strict key exchange; true at the start */
    const char *lists[SCRIPT_LISTS]; /* of KEXINIT; the names that the engine prefers */
    bool guess;                      /* says that a guess follows */
    bool spoil_signature;

    struct script_direction out, in;
    uint8_t *wire; /* from the engine, not yet read */
    size_t wire_len, wire_size;
    uint8_t payload[40000]; /* the last message read */
    size_t len;
    bool init_read;
    uint8_t my_init[36000], their_init[2048];
    size_t my_init_len, their_init_len;
    uint8_t secret[32], public[32], shared[32], hash[SCRIPT_HASH], session_id[SCRIPT_HASH];
    bool has_session_id;
};

/* Makes the engine. Options may be NULL; role and host key are filled in, and chacha20 unless they
 * name ciphers: then choose one of them in lists[2] and [3], and its MAC in [4] and [5]. */
void script_start(struct script *s, enum alk_ssh_role role, const struct alk_ssh_options *options);
void script_free(struct script *s);

/* Goes on from where it stands until the session stands there. */
void script_to(struct script *s, enum script_at at);

/* script_start, then script_to. */
void script_begin(struct script *s, enum alk_ssh_role role, enum script_at at);

/* The steps of it. */
void script_ident(struct script *s);
void script_kexinit(struct script *s);
void script_reply(struct script *s); /* ECDH_INIT or ECDH_REPLY */
void script_ecdh(struct script *s);  /* the same, and ends with the engine's NEWKEYS */
void script_newkeys(struct script *s);

/* Lets the engine handle what it has, and collects what it sends. */
void script_run(struct script *s);
void script_bytes(struct script *s, const void *data, size_t len);
void script_send(struct script *s, const void *payload, size_t len);
void script_send_writer(struct script *s, const struct alk_writer *w);
void script_send_type(struct script *s, uint8_t type); /* nothing but the number */

/* A packet as it goes over the wire, at most size bytes; padding 0 = as short as may be. */
size_t script_seal(struct script *s, const void *payload, size_t len, size_t padding, uint8_t *out);
/* The same for whatever stands behind out's first four bytes, which become its length, len. */
size_t script_seal_body(struct script *s, uint8_t *out, size_t len);

/* The next message of the engine, into payload and len; false when there is none. */
bool script_next(struct script *s);
/* Reads on to a message of this type, which must come; a reader behind its number. */
struct alk_reader script_take(struct script *s, uint8_t type);
/* Reads on to the end; did one of this type come? */
bool script_saw(struct script *s, uint8_t type);
/* Reads on to the end: the reason of the disconnect message, 0 when there is none. */
uint32_t script_reason(struct script *s);

/* The engine must have ended with this status and said why (0 = silently). */
void script_ended(struct script *s, int status, uint32_t reason);
void script_alive(struct script *s);

/* A signed login request of the scripted client. */
void script_put_login(struct script *s, struct alk_writer *w, const char *user,
                      const struct alk_key *key);

/* Opens a channel from the peer and lets the engine's caller accept it: id of the engine. */
uint32_t script_open_channel(struct script *s, uint32_t my_id, uint32_t window, uint32_t packet);

#endif
