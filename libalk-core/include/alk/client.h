/*
 * An alknet client: keeps one SSH session to a server and lends it to local programs through
 * SOCKS, HTTP CONNECT and port forwards, or to the embedding program as plain sockets.
 *
 * It works against alknet-server and any SSH server with Ed25519 keys. The client runs a
 * thread of its own. Functions are called from any one thread at a time unless they say
 * otherwise; none blocks for the network. Callbacks come on the client's thread and must not
 * call alk_client_stop or alk_client_free.
 *
 *     struct alk_client_options options = ALK_CLIENT_OPTIONS_INIT;
 *     options.host = "tunnel.example.org";
 *     options.keys = &key, options.key_count = 1;
 *     options.known_hosts = "/home/me/.config/alknet/known_hosts";
 *     alk_client_new(&client, &options, &error);
 *     alk_client_add_socks(client, "127.0.0.1:1080", &error);
 *     alk_client_start(client, &error);
 */
#ifndef ALK_CLIENT_H
#define ALK_CLIENT_H

#include <alk/foreign_key.h>
#include <alk/key.h>
#include <alk/log.h>
#include <alk/status.h>
#include <alk/stream.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct alk_client;

enum alk_client_state {
    ALK_CLIENT_CONNECTING, /* a connection is being tried */
    ALK_CLIENT_ONLINE,     /* logged in: channels can be opened */
    ALK_CLIENT_OFFLINE,    /* lost or not reached; it will be tried again */
    ALK_CLIENT_FAILED,     /* the first connection failed: the client has given up */
};

/* sentence says why for OFFLINE and FAILED, else it is "". */
typedef void (*alk_client_state_fn)(void *user, enum alk_client_state state, int status,
                                    const char *sentence);

/* A remote forward came up at this port, or (ok false) was refused by the server; it is
 * tried again from time to time. spec is as given to alk_client_add_remote_forward. */
typedef void (*alk_client_remote_fn)(void *user, const char *spec, bool ok, uint16_t port);

/* What the server says before the login (RFC 4252, 5.4), or a jump host, which is then named as in
 * the options; else NULL. The text is any bytes, not to be shown to a terminal as they are. Comes
 * with each connection. */
typedef void (*alk_client_banner_fn)(void *user, const char *jump, const char *text, size_t len);

/* Who speaks SSH: alknet's own engine, or libssh2 for servers that share no algorithm with it. */
enum alk_client_engine { ALK_CLIENT_NATIVE, ALK_CLIENT_LIBSSH2 };

/* Bytes of a blob; borrowed. */
struct alk_client_certificate {
    const uint8_t *blob;
    size_t len;
};

enum { ALK_CLIENT_JUMPS_MAX = 16 };

/* An SSH server on the way. */
struct alk_client_jump {
    const char *host; /* name or numeric address */
    uint16_t port;    /* 22 */
    const char *user; /* login name; "alknet" */
};

/* Numbers that are 0 take the default named beside them. Strings and jumps are copied; keys,
 * certificates and log are borrowed until alk_client_free. */
struct alk_client_options {
    const char *bind_address;     /* numeric: connect from there; NULL = as the system chooses */
    int family;                   /* AF_INET or AF_INET6: use no other; 0 = any */
    const char *host;             /* name or numeric address of the server */
    uint16_t port;                /* 22; 443 over TLS */
    enum alk_transport transport; /* what carries SSH */
    /* Over TLS: who vouches for the server (a PEM file; NULL: the system's certificates), keys that
     * need nobody else to vouch for them (sha256//BASE64;..., as curl takes it; with tls_ca both
     * must hold), whom the certificate must name (NULL: host), and: nobody needs to vouch. */
    const char *tls_ca, *tls_pin, *tls_server_name;
    bool tls_insecure;
    const char *user; /* login name; "alknet" */
    const struct alk_key *const *keys;
    size_t key_count;
    /* of any of the keys, here or in the agent; offered before the key itself */
    const struct alk_client_certificate *certificates;
    size_t certificate_count;
    enum alk_client_engine engine;
    /* With ALK_CLIENT_LIBSSH2 only: offered after the keys; must outlive the client; or NULL. */
    const struct alk_foreign_key *foreign_key;
    const char *agent;        /* path of an ssh-agent's socket, or NULL */
    const uint8_t *agent_key; /* the blob of the one key to use of the agent's, copied; NULL: any */
    size_t agent_key_len;
    const char *known_hosts; /* path, or NULL: then only fingerprint can vouch for the host */
    bool accept_new;         /* store the key of a host that is not known yet */
    const char *fingerprint; /* "SHA256:...": accept this host key and no other */
    /* Reach the server through this proxy: "socks5://[user:password@]host:port" or "http://...",
     * %XX in user and password; NULL or "": directly */
    const char *proxy;
    /* Reach the server through these, in this order: log in at each as at the server, with the same
     * keys, and by its own name in known_hosts; the last one connects to the server. bind_address,
     * family and proxy are for the way to the first; transport, tls_* and fingerprint for the
     * server. */
    const struct alk_client_jump *jumps;
    size_t jump_count;
    const struct alk_log *log;
    unsigned connect_timeout_s; /* 15; for everything up to the login's end, jumps included */
    unsigned open_timeout_s;    /* 60, for the server to answer a request for a channel */
    unsigned keepalive_s;       /* 30 */
    unsigned rekey_s;           /* 3600: new keys at least so often */
    unsigned max_channels;      /* 1024 */
    bool dry_run;               /* judge everything, bind nothing; not to be started */
    bool keep_trying;           /* also when the first connection fails */
    alk_client_state_fn on_state;
    alk_client_remote_fn on_remote;
    alk_client_banner_fn on_banner; /* may be NULL */
    void *user_data;                /* for the callbacks */
};

/* clang-format off */
#define ALK_CLIENT_OPTIONS_INIT {.host = NULL}
/* clang-format on */

/* ALK_E_INVAL without a host, ALK_E_LIMIT with too many jumps; ALK_E_PARSE for a proxy that is
 * none. */
int alk_client_new(struct alk_client **out, const struct alk_client_options *options,
                   struct alk_error *error);

/* Local listeners; they bind at once. Before alk_client_start only. address is "ADDR:PORT" or
 * "unix:PATH". user and password may be NULL: then everybody who reaches the port may use it. */
int alk_client_add_socks(struct alk_client *client, const char *address, const char *user,
                         const char *password, struct alk_error *error);
int alk_client_add_http(struct alk_client *client, const char *address, struct alk_error *error);

/* "[bind:]port:host:port" and the forms with socket paths, as ssh -L and -R take them. */
int alk_client_add_forward(struct alk_client *client, const char *spec, struct alk_error *error);
int alk_client_add_remote_forward(struct alk_client *client, const char *spec,
                                  struct alk_error *error);

/* The bound address of the index-th local listener, in the order of adding; NULL beyond. */
const char *alk_client_address(const struct alk_client *client, unsigned index);

int alk_client_start(struct alk_client *client, struct alk_error *error);

struct alk_client_figures {
    unsigned channels; /* open at present, or being opened */
    uint64_t bytes_up,
        bytes_down; /* carried so far, over all sessions: to the server, and from it */
};

/* Any thread, until alk_client_free. The numbers are read one after the other. */
void alk_client_figures(const struct alk_client *client, struct alk_client_figures *out);

/* Any thread, after start: a socket that is connected to host:port as seen from the server.
 * Returns its descriptor at once, or a negative status; answered (may be NULL) tells later
 * how the server's attempt went. When it failed, the socket reads end of file. port 0: host
 * is the path of a Unix socket. */
typedef void (*alk_client_answer_fn)(void *user, int status);
int alk_client_connect(struct alk_client *client, const char *host, uint16_t port,
                       alk_client_answer_fn answered, void *user);

/* Hands a connected socket (blocking or not) over: it is relayed to host:port as above, and
 * closed when done. */
int alk_client_adopt(struct alk_client *client, int fd, const char *host, uint16_t port,
                     alk_client_answer_fn answered, void *user);

/* Says goodbye, closes the listeners, ends the thread; about 2 s at most, and 2 s for each jump. */
void alk_client_stop(struct alk_client *client);
void alk_client_free(struct alk_client *client);

#endif
