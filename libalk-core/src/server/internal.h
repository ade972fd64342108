/*
 * The inside of a server, shared by the files of this folder only.
 *
 * server.c      options, listeners, start and stop
 * worker.c      one thread with its loop, and the connections on it
 * connection.c  one connection, from its begin to its end
 * arrival.c     what comes before SSH: TLS, and what the peer speaks
 * stealth.c     a port that looks like a web server
 * login.c       who is let in, and with which grant
 * channels.c    the channels that it asks for: policy and limits
 * accounts.c    what it counts for: its identity, channels, memory
 * remote.c      the listeners that clients ask for
 * takeover.c    a returning client gets the listener that its dead session still holds
 * snapshot.c    who may do what: what a reload replaces as a whole
 * credentials.c what it presents to others
 * figures.c     what it is doing, in numbers
 * status_port.c a socket that tells it
 */
#ifndef ALK_SERVER_INTERNAL_H
#define ALK_SERVER_INTERNAL_H

#include "auth/grant.h"
#include "base/arena.h"
#include "interface/decoy.h"
#include "interface/session.h"
#include "server/admission.h"
#include "server/identities.h"
#include "transport/listener.h"
#include "transport/proxy.h"
#include "transport/resolver.h"
#include "transport/tls.h"
#include "transport/tls_stream.h"
#include "tunnel/inlet.h"
#include "tunnel/relay.h"

#include <alk/authorized_keys.h>
#include <alk/server.h>

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

struct alk_server;
struct connection;

/* ---- snapshot.c ---- */

/* Everything that a reload replaces, as one: immutable but for the count. A session keeps the
 * one that let it in, until a reload has judged it by the next. */
struct snapshot {
    atomic_uint references;
    struct alk_arena strings;          /* what options points to */
    struct alk_server_options options; /* the reloadable ones count, the fixed do not; limits are
                                          never 0 */
    struct alk_policy *policy;
    struct alk_authorized_keys *keys, *authorities; /* authorities: NULL when no file is named */
    struct alk_revocations *revoked;                /* likewise */
    struct alk_api_keys *api_keys;
    struct alk_authorized_keys *own_token_keys; /* NULL: tokens are made with keys */
    struct alk_token_index *token_index;        /* of the one or the other */
    struct alk_tls_context *tls;                /* NULL when no certificate is named */
};

/* All or nothing: reads the files that options names. previous is the one that this will
 * replace, or NULL: API keys that are in both go on counting their uses. */
int snapshot_build(struct snapshot **out, const struct alk_server_options *options,
                   const struct snapshot *previous, struct alk_error *error);
/* Whose AuthTokens are accepted. */
const struct alk_authorized_keys *snapshot_token_keys(const struct snapshot *snapshot);
struct snapshot *snapshot_hold(struct snapshot *snapshot); /* one reference more */
void snapshot_release(struct snapshot *snapshot);          /* NULL is fine */

/* ---- config_provider.c ---- */

/* Fills the provider that the server is by itself. */
void config_provider_init(struct alk_server *server);

/* The grant of an identity that it gave, or NULL. Borrowed from the identity. */
const struct alk_grant *config_provider_grant(const struct alk_identity *identity);

/* ---- credentials.c ---- */

void credential_provider_init(struct alk_server *server);

/* ---- worker.c ---- */

LIST_HEAD(connections, connection);

/* A listener of one worker, and what it is for. */
struct port {
    struct worker *worker;
    struct alk_listener *listener;
    struct alk_listen_options options;
};

struct worker {
    struct alk_server *server;
    struct alk_loop *loop;
    pthread_t thread;
    bool running, stopping;
    struct connections connections;
    atomic_uint connection_count;    /* of them, for other threads */
    LIST_HEAD(, takeover) takeovers; /* whose holder is here */
    struct port **ports;
    unsigned port_count;
    struct snapshot *present; /* as worker_snapshot last found it */
    unsigned generation;
};

int worker_init(struct worker *worker, struct alk_server *server);
int worker_add_listener(struct worker *worker, struct alk_listener *listener,
                        const struct alk_listen_options *options);
int worker_start(struct worker *worker);
void worker_stop(struct worker *worker); /* asks; the thread ends when its connections have */
void worker_join(struct worker *worker);
void worker_free(struct worker *worker);
void worker_connection_gone(struct worker *worker);
/* On the worker's own thread: what is in force now, without a lock unless it has changed. Borrowed
 * until the next call. */
const struct snapshot *worker_snapshot(struct worker *worker);
/* Any thread: its sessions are judged again by the snapshot that is in force then. */
int worker_rejudge(struct worker *worker);
/* On the worker's own thread: a connection of it, or NULL. */
struct connection *worker_find(struct worker *worker, uint64_t connection_id);

/* ---- server.c ---- */

struct place {
    char *address;
    struct alk_listen_options options;
};

/* How reloads have gone so far. */
struct reloads {
    pthread_mutex_t lock;
    unsigned done, failed;
    bool last_failed;
    char reason[ALK_RELOAD_REASON_MAX]; /* of the last, if it failed */
    time_t last;                        /* 0: there was none */
};

struct alk_server {
    struct alk_server_options options; /* the fixed ones; its strings are not kept */
    struct alk_admission *admission;
    struct alk_identities *identities;
    atomic_size_t memory;   /* that sessions hold, about */
    atomic_uint generation; /* of snapshot: counts reloads */
    struct alk_resolver *resolver;
    struct alk_proxy proxy;
    atomic_uint_least64_t proxy_line_due; /* the log is spared before, on the clock of the loops */
    struct alk_endpoint stealth_backend;  /* no host: the decoy */
    char stealth_server[ALK_DECOY_SERVER_MAX + 1];
    pthread_mutex_t lock; /* guards snapshot, credentials and held_ports */
    struct snapshot *snapshot;
    /* Of the snapshot's options, but not in it: sessions keep an old snapshot for a while, and old
     * secrets shall go at once. */
    struct alk_credential_store *credentials;
    struct alk_credential_provider credential_provider;
    LIST_HEAD(, held_port) held_ports;
    atomic_uint_least64_t last_connection_id;
    struct alk_identity_provider config_provider;
    const struct alk_identity_provider *identity_provider; /* who judges logins */
    struct alk_replay_guard *replay_guard;
    uint8_t audience[ALK_TOKEN_AUDIENCE_SIZE]; /* of AuthTokens: our host key */
    struct worker *workers;
    unsigned worker_count;
    struct place *places; /* where it listens */
    unsigned place_count;
    struct status_port *status_port; /* NULL: nobody may ask */
    struct reloads reloads;
    uint64_t started_at; /* on the clock of the loops */
    bool started;
    bool has_tls; /* a listener needs a certificate */
    bool ending;  /* the threads have ended; no loop is to be used any more */
};

/* The present one, with a reference for the caller. */
struct snapshot *server_snapshot(struct alk_server *server);

/* ---- figures.c ---- */

/* Counts a reload, and passes its outcome on. */
int figures_note_reload(struct alk_server *server, int status, const char *reason);

/* ---- status_port.c ---- */

struct status_port;

/* Answers from now on, on the loop of the first worker. */
int status_port_start(struct status_port *port, struct worker *worker);
/* On that worker's thread, or when it has ended: takes no more readers, drops those it has. */
void status_port_close(struct status_port *port);
void status_port_free(struct status_port *port); /* NULL is fine */

/* The clock of every loop. */
uint64_t server_now_ms(void);

/* ---- connection.c ---- */

struct remote_listener;
LIST_HEAD(remote_listeners, remote_listener);

struct connection {
    LIST_ENTRY(connection) entry;
    uint64_t id; /* unique within the server */
    struct worker *worker;
    struct alk_tls_handshake *handshake; /* before there is a session */
    struct stealth *stealth;             /* likewise: on a port that looks like a web server */
    struct alk_session *session;         /* NULL until the peer is known to speak SSH */
    struct alk_channel_users users;
    struct alk_inlets inlets; /* of remote listeners; they never wait for a session */
    struct remote_listeners remotes;
    struct remote_listener *wanted; /* waits for the outcome of a takeover */
    struct alk_identity *identity;  /* who it is, once it has logged in */
    struct alk_grant grant;         /* a view of the identity, and of its key's restrictions */
    struct login_memory *login;     /* what was presented: a reload judges it again */
    struct alk_identity_question *question; /* the provider has not answered yet */
    uint64_t opened;
    bool authenticated;
    bool failed;           /* a key, or another way to log in, was refused */
    const char *transport; /* static text */
    bool over_tls;
    struct alk_identity_account *account; /* NULL until it has logged in */
    unsigned channels;                    /* that account counts */
    struct alk_session_traffic traffic;   /* likewise */
    size_t memory;                        /* that the server counts */
    char address[64];
};

/* Takes the stream of a new connection, or refuses it. */
void connection_start(const struct port *port, struct alk_stream *stream);
/* SSH begins on the stream, which is taken. */
void connection_serve_ssh(struct connection *connection, struct alk_stream *stream);
/* It ended before SSH began: logs and frees. why is borrowed. */
void connection_abandon(struct connection *connection, const char *why);
/* Says goodbye, if there is a session; else it is over with this call. */
void connection_end(struct connection *connection, const char *text);

/* ---- arrival.c ---- */

/* Takes the stream that a port has accepted; ends in connection_serve_ssh or connection_abandon,
 * perhaps with this call. */
void arrival_start(struct connection *connection, const struct port *port,
                   struct alk_stream *stream);
/* Gives up what has not come so far. */
void arrival_cancel(struct connection *connection);

/* TLS begins on the stream, which is taken; to be over within timeout_ms. */
void arrival_start_tls(struct connection *connection, struct alk_stream *stream,
                       uint64_t timeout_ms);

/* ---- stealth.c ---- */

/* The first bytes say whether TLS begins, then whether SSH does; everything else meets a web
 * server. */
void stealth_start(struct connection *connection, struct alk_stream *stream);
/* TLS has been established. */
void stealth_go_on(struct connection *connection, struct alk_stream *stream);
void stealth_free(struct stealth *stealth); /* NULL is fine */

/* ---- login.c ---- */

/* Answers an AUTH_REQUEST event. */
void login_request(struct connection *connection, const struct alk_ssh_event *event);
/* The engine has refused a request by itself. */
void login_refused(struct connection *connection, const struct alk_ssh_event *event);

/* A reload has put another snapshot in force: the provider is asked again. A session that it
 * would let in goes on with what it is granted now, any other ends, unless the snapshot says to
 * keep such. */
void login_rejudge(struct connection *connection);

/* Gives back what a login has left in the connection. */
void login_forget(struct connection *connection);

/* ---- accounts.c ---- */

/* Is there memory for a further session, or channel? */
bool accounts_have_room_for_session(struct alk_server *server);
bool accounts_have_room_for_channel(struct connection *connection);
/* It has logged in. NULL when it may stay, else why not, for its disconnect message. */
const char *accounts_enter(struct connection *connection);
/* Counts what has changed. */
void accounts_update(struct connection *connection);
void accounts_leave(struct connection *connection);
/* Another channel, besides those that are open? */
bool accounts_admit_channel(struct connection *connection);

/* ---- channels.c ---- */

/* Answers a CHANNEL_REQUEST event. */
void channel_request(struct connection *connection, const struct alk_ssh_event *event);
/* Who asks, for the policy; strings are borrowed from the connection. */
struct alk_policy_subject channel_subject(const struct connection *connection);

/* ---- remote.c ---- */

/* Answers a FORWARD_REQUEST event. */
void remote_request(struct connection *connection, const struct alk_ssh_event *event);
void remote_close_all(struct connection *connection);
/* The holder of the wanted listener has given it up, or is alive: answer at last. */
void remote_retry(struct connection *connection, bool is_free);

/* ---- takeover.c ---- */

struct held_port;

/* Remembers who holds a listener, as long as it is open. NULL when memory is short: then it
 * cannot be taken over. */
struct held_port *takeover_register(struct connection *connection, enum alk_ssh_channel_kind kind,
                                    const char *host, uint32_t port);
void takeover_unregister(struct alk_server *server, struct held_port *held); /* NULL is fine */

/* The address that the event asks for is in use: if a session of the same key holds it, it is
 * asked for a sign of life; remote_retry follows. False when there is no such session. */
bool takeover_start(struct connection *newcomer, const struct alk_ssh_event *event);

/* The server ends: those under way on this worker are given up. */
void takeover_end_all(struct worker *worker);

#endif
