/*
 * An alknet server: listens, lets authorised keys in, and connects their channels.
 *
 * The server runs its own threads, one loop each; a connection stays on the loop that
 * accepted it. The functions here may be called from any one thread at a time; they never
 * block for a peer.
 *
 *     struct alk_server_options options = ALK_SERVER_OPTIONS_INIT;
 *     options.host_key = key;
 *     options.authorized_keys = "/etc/alknet/authorized_keys";
 *     alk_server_new(&server, &options, &error);
 *     alk_server_listen(server, "0.0.0.0:22", &error);
 *     alk_server_start(server, &error);
 *     ...
 *     alk_server_stop(server);
 *     alk_server_free(server);
 */
#ifndef ALK_SERVER_H
#define ALK_SERVER_H

#include <alk/api_key.h>
#include <alk/credential.h>
#include <alk/identity.h>
#include <alk/key.h>
#include <alk/limits.h>
#include <alk/log.h>
#include <alk/policy.h>
#include <alk/status.h>
#include <alk/stream.h>
#include <alk/token.h>
#include <stdbool.h>

struct alk_server;

/* Numbers that are 0 take the default named beside them. A reload replaces those that are
 * marked with (r); the others stay as they were when the server was made. */
struct alk_server_options {
    const struct alk_key *host_key; /* borrowed until alk_server_free */
    const char *authorized_keys;    /* (r) path of the file */
    const char *cert_authority;     /* (r) path of a file of CA public keys, or NULL */
    const char *revoked_keys;       /* (r) path of an OpenSSH KRL or list of keys, or NULL */
    const char *tls_cert, *tls_key; /* (r) paths, PEM: the chain and its key; for TLS listeners */
    const struct alk_api_key *api_keys; /* (r) borrowed while it is read */
    size_t api_key_count;
    /* (r) what this server presents to others; borrowed while it is read, see
     * alk_server_credential_provider */
    const struct alk_credential_source *credentials;
    size_t credential_count;
    struct alk_token_rules token; /* (r) AuthTokens, for interfaces that carry text */
    /* (r) path of a file as authorized_keys, whose keys alone make AuthTokens that are accepted;
     * NULL: those of authorized_keys do */
    const char *token_keys;
    /* Who judges the logins; borrowed until alk_server_free. NULL: the server itself, from its
     * files and options (alk_server_identity_provider). */
    const struct alk_identity_provider *identity_provider;
    const struct alk_log *log;  /* borrowed; NULL: silent */
    unsigned workers;           /* loops and threads; one per core */
    unsigned keepalive_s;       /* 30 */
    unsigned rekey_s;           /* 3600: new keys at least so often */
    unsigned login_grace_s;     /* 30 */
    unsigned connect_timeout_s; /* 10, for a target to answer */
    /* Reach all hosts, but no Unix sockets, through this proxy: "socks5://[user:password@]host:port"
     * or "http://...", %XX in user and password; NULL or "": directly. Names are sent to it as
     * names: see alk_policy_judge_unseen. */
    const char *proxy;
    /* What a listener with stealth shows: the web server at "host:port", else a decoy that says
     * that it is stealth_server; NULL: nginx as Debian has it. */
    const char *stealth_backend, *stealth_server;
    bool keep_revoked; /* (r) a session goes on though a reload has removed its key */
    const struct alk_policy_rule_text *rules; /* (r) forwarding rules in order, see alk/policy.h */
    size_t rule_count;
    struct alk_policy_defaults forwarding; /* (r) what no rule decides */
    struct alk_limits limits;              /* (r) see alk/limits.h */
    bool dry_run; /* judge everything, bind nothing: for a check beside a running server */
};

/* clang-format off */
#define ALK_SERVER_OPTIONS_INIT {.host_key = NULL}
/* clang-format on */

struct alk_listen_options {
    enum alk_transport transport; /* of its connections; TLS needs tls_cert and tls_key */
    bool stealth; /* with TLS: looks like a web server to who does not begin as SSH clients do */
};

/* Reads the files that options name. Strings are copied. Errors: those of
 * alk_authorized_keys_load; ALK_E_INVAL without a host key; ALK_E_PARSE or ALK_E_UNSUPPORTED when
 * revoked_keys or the TLS certificate is not understood; ALK_E_CRYPTO when tls_key is not that of
 * tls_cert; ALK_E_PARSE for a proxy or a stealth_backend that is
 * none; those of alk_credential_store_load. */
int alk_server_new(struct alk_server **out, const struct alk_server_options *options,
                   struct alk_error *error);

/* Binds and listens: "ADDR:PORT", "[v6]:PORT" or "unix:PATH"; port 0 lets the kernel choose.
 * Before alk_server_start only. */
int alk_server_listen(struct alk_server *server, const char *address, struct alk_error *error);

/* The same with options (NULL: none). ALK_E_INVAL: TLS without a certificate. */
int alk_server_listen_as(struct alk_server *server, const char *address,
                         const struct alk_listen_options *options, struct alk_error *error);

/* The same with a socket that listens already, as systemd's socket activation hands it over; it
 * belongs to the server from then on. ALK_E_INVAL when it is no such socket. */
int alk_server_listen_fd(struct alk_server *server, int fd,
                         const struct alk_listen_options *options, struct alk_error *error);

/* Whether alk_server_listen would understand the text: ALK_E_PARSE; ALK_E_EXISTS for the path of
 * what is no socket. Binds nothing. */
int alk_server_check_address(const char *address, struct alk_error *error);

/* The bound address of the index-th listener ("127.0.0.1:41234"), NULL beyond the last.
 * Borrowed. */
const char *alk_server_address(const struct alk_server *server, unsigned index);

/* How the index-th listener listens; NULL beyond the last. Borrowed. */
const struct alk_listen_options *alk_server_listen_options(const struct alk_server *server,
                                                           unsigned index);

/* Starts the threads; from now on connections are accepted. */
int alk_server_start(struct alk_server *server, struct alk_error *error);

/* Puts the reloadable options in force, and reads the files that they name again; options may
 * be NULL: those in force. All or nothing: on failure the old ones stay in force. What comes
 * from now on is judged by the new ones, and so are the sessions that stand: one whose key may
 * not log in any more (removed, expired, from elsewhere) ends, unless keep_revoked. Strings are
 * copied. */
int alk_server_reload(struct alk_server *server, const struct alk_server_options *options,
                      struct alk_error *error);

/* The provider that answers from the server's own settings, those of the last reload: keys and
 * certificates, AuthTokens, API keys. Any thread may ask it; good until alk_server_free. */
const struct alk_identity_provider *alk_server_identity_provider(struct alk_server *server);

/* The provider that answers from the credentials of the options, those of the last reload, at once.
 * What a reload has replaced is wiped as soon as nobody holds a set of it. Any thread may ask; good
 * until alk_server_free. */
const struct alk_credential_provider *alk_server_credential_provider(struct alk_server *server);

/* Who judges the logins from now on, in place of the option; for chains in which the server's own
 * provider has a place. Before alk_server_start only, else ALK_E_INVAL. Borrowed until
 * alk_server_free; NULL: the server itself. */
int alk_server_set_identity_provider(struct alk_server *server,
                                     const struct alk_identity_provider *provider);

/* How often the API key of this name has been used since the server started, and when last (Unix
 * seconds; 0 = never). Any thread. False when there is no such key. */
bool alk_server_api_key_used(struct alk_server *server, const char *name, uint64_t *count,
                             uint64_t *last);

enum { ALK_RELOAD_REASON_MAX = 256 }; /* room for why a reload failed, NUL included */

/* What the server is doing. */
struct alk_server_figures {
    uint64_t uptime_s; /* since it was made */
    unsigned workers;
    unsigned connections; /* live, of all kinds */
    unsigned unauthenticated, sessions;
    size_t memory; /* as alk_server_memory */
    unsigned reloads, reloads_failed;
    bool last_reload_failed;
    char last_reload_reason[ALK_RELOAD_REASON_MAX]; /* one sentence that quotes no setting, or "" */
    uint64_t last_reload;                           /* Unix seconds; 0: there was none */
};

/* Any thread. The numbers are read one after the other, not at one moment. */
void alk_server_figures(struct alk_server *server, struct alk_server_figures *out);

/* Live connections of one of the workers; 0 beyond the last. Any thread. */
unsigned alk_server_worker_connections(const struct alk_server *server, unsigned index);

/* What an identity with sessions has open, and has moved since the first of those that are open
 * began. */
struct alk_identity_use {
    char id[ALK_IDENTITY_ID_MAX + 1]; /* "SHA256:..." */
    unsigned sessions, channels;
    uint64_t bytes_up, bytes_down; /* to targets, and from them */
};

/* Fills at most room of out and returns how many identities there are. Any thread. */
size_t alk_server_identity_uses(struct alk_server *server, struct alk_identity_use *out,
                                size_t room);

/* A reload that has failed before it came to alk_server_reload: counts for the figures. reason is
 * a sentence that quotes no setting, since those name targets. */
void alk_server_reload_failed(struct alk_server *server, const char *reason);

/* Makes the text that the status socket answers with, from malloc; NULL: none. On a thread of the
 * server: the functions above that any thread may call may be called from there. */
typedef char *(*alk_status_text_fn)(void *user, size_t *len);

/* Serves a Unix socket of mode 0600, whose every connection gets one text and is closed. At most
 * eight read at once, further ones are closed without a byte, and who has not taken all within five
 * seconds is cut off. Before alk_server_start only. Errors as alk_server_listen. */
int alk_server_serve_status(struct alk_server *server, const char *path, alk_status_text_fn text,
                            void *user, struct alk_error *error);

/* Addresses with failed logins that still count, and how long they are shut out: fills at most room
 * of out and returns how many there are. Any thread. */
size_t alk_server_penalties(struct alk_server *server, struct alk_penalty *out, size_t room);

/* Bytes that sessions hold at present, as limits.memory counts them. Any thread. */
size_t alk_server_memory(struct alk_server *server);

/* Stops accepting, says goodbye to every session, waits at most about 2 s for what is on
 * its way, and ends the threads. */
void alk_server_stop(struct alk_server *server);

void alk_server_free(struct alk_server *server);

#endif
