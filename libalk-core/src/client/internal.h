/*
 * The inside of a client, shared by the files of this folder only.
 *
 * client.c     options, thread, start and stop
 * link.c       the session: dial, come online, lose it, try again
 * login.c      which key is offered when; agent_login.c those that an agent holds
 * trust.c      is this the right host?
 * jump.c       the way through other SSH servers
 * entrances.c  local listeners and adopted sockets
 * remote.c     the listeners that we ask the server to hold
 */
#ifndef ALK_CLIENT_INTERNAL_H
#define ALK_CLIENT_INTERNAL_H

#include "auth/agent.h"
#include "base/buffer.h"
#include "interface/session.h"
#include "transport/address.h"
#include "transport/dial.h"
#include "transport/listener.h"
#include "transport/proxy.h"
#include "transport/resolver.h"
#include "transport/tls.h"
#include "transport/tls_stream.h"
#include "tunnel/channel_stream.h"
#include "tunnel/forward_spec.h"
#include "tunnel/inlet.h"
#include "tunnel/relay.h"
#include "tunnel/socks.h"

#include <alk/client.h>

#include <pthread.h>
#include <stdatomic.h>

/* ---- agent_login.c: one conversation with an ssh-agent ---- */

struct agent_talk;

/* The keys that are wanted came (status ALK_OK, count) / a signature came; any failure: negative status. Both are
 * borrowed for the call. */
typedef void (*agent_keys_fn)(void *user, int status, const struct alk_agent_identity *keys,
                              size_t count);
typedef void (*agent_signature_fn)(void *user, int status, const uint8_t *signature, size_t len);

int agent_talk_start(struct agent_talk **out, struct alk_loop *loop, const char *path,
                     alk_agent_wanted_fn wanted, agent_keys_fn fn, void *user);
int agent_talk_sign(struct agent_talk *talk, const uint8_t *blob, size_t blob_len,
                    const uint8_t *data, size_t len, agent_signature_fn fn);
void agent_talk_free(struct agent_talk *talk); /* NULL is fine; no callback follows */

/* ---- link.c ---- */

struct agent_key {
    uint8_t *blob;
    size_t len;
};

struct login {   /* of one session */
    size_t next; /* the next of our own keys, then of the agent's */
    struct agent_talk *agent;
    struct agent_key *agent_keys;
    size_t agent_count;
    bool agent_asked, wants_key, foreign_offered;
    const struct alk_key *own; /* signs what was probed; NULL: the agent does */
    size_t next_certificate;   /* to look at for the next key */
    const uint8_t *offered;    /* the key that signs; NULL: none was offered yet */
    size_t offered_len;
    const uint8_t *shown; /* what the server sees of it: the same, or a certificate */
    size_t shown_len;
    bool certified;                          /* some certificate has been offered */
    char unsigned_key[ALK_FINGERPRINT_SIZE]; /* taken by the server, but the agent did not sign */
    unsigned refused, banners;
};

/* A jump host is a client of its own, without thread and entrances, that is not online for local
 * programs but for the client that is reached through it. */
struct jump {
    struct alk_client *host;             /* the last one before the server; NULL: none */
    struct alk_client *beyond;           /* of a jump host: who is reached through it */
    struct alk_channel_opening *opening; /* to the server */
    bool used;                           /* an attempt is under way, or a session */
    bool blamed;                         /* the attempt's or session's end was its fault */
};

struct entrance {
    struct alk_client *client;
    struct alk_listener *listener;
    struct alk_inlet_route route;
    struct alk_forward_spec *spec; /* of a fixed target */
    struct alk_socks_auth auth;
    char *user, *password;
    char *address;
};

struct remote {
    struct alk_client *client;
    char *text; /* as the user gave it */
    struct alk_forward_spec *spec;
    uint16_t port; /* where the server listens now */
    bool up, asked, told;
    unsigned refusals; /* in a row */
    uint64_t again;    /* not asked for before this time */
};

struct alk_client {
    struct alk_client_options options;
    uint8_t *agent_key; /* NULL: any */
    char *host, *user, *agent, *known_hosts, *fingerprint, *tls_server_name;
    const struct alk_key **keys;
    struct alk_client_certificate *certificates;
    struct alk_proxy proxy;
    struct alk_loop *loop;
    struct alk_resolver *resolver;
    pthread_t thread;
    bool running, stopping, was_online, online;

    struct alk_tls_context *tls; /* NULL: plain */
    struct alk_address local;    /* of bind_address */
    uint64_t began;              /* the attempt that is under way, or was the last */
    struct alk_dial *dial;
    struct alk_tls_handshake *handshake;
    struct jump jump;
    struct alk_session *session;
    struct alk_channel_users users;
    atomic_uint channel_count;                  /* of the session, for other threads */
    atomic_uint_least64_t bytes_up, bytes_down; /* of all sessions, likewise */
    struct alk_session_traffic counted;         /* of the session: what these know of */
    struct login login;
    struct alk_error trouble; /* more exact than what the session will say */
    unsigned attempts;        /* since the link was last up */
    struct alk_timer *retry, *tick;
    bool ticking; /* the tick is set */

    struct alk_inlets inlets;
    struct entrance **entrances;
    unsigned entrance_count;
    struct remote **remotes;
    unsigned remote_count;
};

int link_init(struct alk_client *client);
void link_start(struct alk_client *client);
void link_stop(struct alk_client *client);
/* One attempt, of those that make a connection; client->began says since when. */
void link_attempt(struct alk_client *client);
/* Milliseconds of what connect_timeout allows an attempt, the login included. */
uint64_t link_time_left(const struct alk_client *client);
/* The stream to the server, or why there is none; as alk_dial_fn. */
void link_dialled(void *user, int status, struct alk_stream *stream, const char *cause);
/* The attempt or the session has come to its end. */
void link_lost(struct alk_client *client, int status, const char *sentence);
/* Of an attempt: what comes before the session. */
void link_cancel(struct alk_client *client);
/* Ends all of it at once, jump hosts included, and tells nobody. From none of their events. */
void link_discard(struct alk_client *client);
/* Something waits that needs a look every second. */
void link_need_tick(struct alk_client *client);

/* ---- login.c ---- */
void login_begin(struct alk_client *client); /* AUTH_READY */
void login_next(struct alk_client *client);  /* AUTH_FAILED */
void login_sign(struct alk_client *client);  /* AUTH_KEY_OK */
void login_clear(struct alk_client *client);
/* The server has ended the session: true when that was because of the keys offered, with trouble
 * set to the sentence. */
bool login_blames_keys(struct alk_client *client, const char *why);

/* ---- trust.c ---- */
/* ALK_OK when the host key may be used, else ALK_E_HOSTKEY with a sentence. */
int trust_judge(const struct alk_client *client, const uint8_t *blob, size_t len,
                struct alk_error *error);
/* Comma list of the types of the keys that are on record for the host. */
enum { TRUST_TYPES_SIZE = 128 };
void trust_known_types(const struct alk_client *client, char types[TRUST_TYPES_SIZE]);

/* ---- client.c ---- */
/* beyond: who is to be reached through the new client, and has the loop; or NULL. */
int client_new(struct alk_client **out, const struct alk_client_options *options,
               struct alk_client *beyond, struct alk_error *error);

/* ---- jump.c ---- */
int jump_new(struct alk_client *client, const struct alk_client_options *options,
             struct alk_error *error);
void jump_start(struct alk_client *client); /* link_dialled or link_lost follows */
void jump_leave(struct alk_client *client); /* the session through it has ended */
/* The client has said goodbye: its jump host is to do so, then whoever is beyond is told. False
 * when there is nobody left. */
bool jump_stop(struct alk_client *client);
unsigned jump_depth(const struct alk_client *client);

/* ---- entrances.c ---- */
int entrances_start(struct alk_client *client);
void entrances_close(struct alk_client *client);
void entrances_free(struct alk_client *client);

/* ---- remote.c ---- */
void remotes_request(struct alk_client *client); /* asks for those that are not up */
void remotes_lost(struct alk_client *client);
bool remotes_missing(const struct alk_client *client);
void remote_on_reply(const struct alk_ssh_event *event);
void remote_on_channel(struct alk_client *client, const struct alk_ssh_event *event);
void remotes_free(struct alk_client *client);

#endif
