/*
 * Configuration files: INI text becomes option structs.
 *
 * One call reads a whole file and finds all that is wrong with it; each fault is a sentence that
 * names file, line and mend. What a file with faults yields is not to be used. Parsing is pure:
 * it opens nothing. Relative paths are taken from the folder of the file that names them.
 *
 * An alk_config owns the memory of everything that it hands out, and is immutable once made
 * (alk_config_check_files apart). Different ones may be used by different threads. inih, which
 * parses below, has settings for the whole process: a program that uses inih itself must not do
 * so on another thread meanwhile.
 *
 *     alk_config_load(&config, ALK_CONFIG_SERVER, "/etc/alknet/alknet.conf", NULL, &error);
 *     for (size_t i = 0; i < alk_config_fault_count(config); i++)
 *         puts(alk_config_fault(config, i));
 *     struct alk_server_options options = alk_config_server(config)->options;
 */
#ifndef ALK_CONFIG_H
#define ALK_CONFIG_H

#include <alk/client.h>
#include <alk/log.h>
#include <alk/server.h>
#include <alk/status.h>
#include <stdbool.h>
#include <stddef.h>

struct alk_config;

enum alk_config_kind {
    ALK_CONFIG_SERVER,
    ALK_CONFIG_CLIENT,
};

enum {
    ALK_CONFIG_FILE_MAX = 4 << 20, /* bytes of a file */
    ALK_CONFIG_FAULTS_MAX = 1000,  /* told of one file */
};

/* A [listener NAME]. */
struct alk_config_listener {
    const char *name;
    const char *const *listen; /* "ADDR:PORT", "[v6]:PORT", "unix:PATH"; at least one */
    size_t listen_count;
    struct alk_listen_options options;
};

/* A server's file. Strings that the file does not give are NULL. */
struct alk_config_server {
    struct alk_server_options options; /* all but host_key and log, which are to be filled in */
    const char *host_key;              /* path */
    bool generate_key;
    const char *user;                   /* to become after binding */
    const char *log_level, *log_format; /* valid for alk_log_level_parse and _format_parse */
    bool no_confine;
    const char *status_socket; /* path */
    const struct alk_config_listener *listeners;
    size_t listener_count;
};

/* A [profile NAME] of a client's file: the flags of alknet-client. */
struct alk_config_profile {
    const char *name;
    /* known_hosts, accept_new, fingerprint, proxy, connect_timeout_s, open_timeout_s,
     * keepalive_s, rekey_s, transport, tls_* */
    struct alk_client_options options;
    const char *server; /* [user@]host[:port] */
    const char *identity, *certificate;
    const char *socks5, *socks5_user, *http_proxy;
    bool status; /* show it while running */
    const char *log_level, *log_format;
    const char *const *forwards, *const *remote_forwards;
    size_t forward_count, remote_forward_count;
    const char *const *jumps; /* each "[user@]host[:port],..." or "none" */
    size_t jump_count;
};

/* [user@]host[:port], as it is given for servers and jump hosts. */
struct alk_server_name {
    char user[256]; /* "": none is given */
    char host[256]; /* brackets are off */
    unsigned port;  /* 0: none is given */
};

/* Takes the first len bytes of text apart; the host is in brackets when it is an IPv6 address with a
 * port. ALK_E_PARSE with a sentence that does not repeat a URL, which may hold a password. */
int alk_server_name_parse(const char *text, size_t len, struct alk_server_name *out,
                          struct alk_error *error);

/* Parses text as the file of this name, which need not exist. home is what ~/ stands for, or
 * NULL: then ~/ is a fault. ALK_OK, also with faults, or ALK_E_NOMEM. */
int alk_config_parse(struct alk_config **out, enum alk_config_kind kind, const char *file,
                     const char *text, size_t len, const char *home);

/* Reads and parses a file. It must be a regular file that neither group nor others can write
 * (ALK_E_DENIED). Also ALK_E_NOTFOUND, ALK_E_INVAL, ALK_E_LIMIT, ALK_E_IO, ALK_E_NOMEM; when the
 * file could be read, ALK_OK, also with faults. */
int alk_config_load(struct alk_config **out, enum alk_config_kind kind, const char *path,
                    const char *home, struct alk_error *error);
void alk_config_free(struct alk_config *config); /* NULL is fine */

/* Opens the files that the configuration names, changes nothing, and adds what is wrong with them
 * to the faults: a private key that others can read, a list that others can write, a folder that
 * is not there. */
int alk_config_check_files(struct alk_config *config);

/* Whether a host key that is to be made, if it is not there, could be made or is in order. */
int alk_config_check_new_key(const char *path, struct alk_error *error);

/* "FILE:LINE: sentence"; NULL beyond the last. Borrowed. */
size_t alk_config_fault_count(const struct alk_config *config);
const char *alk_config_fault(const struct alk_config *config, size_t index);
/* The line that it is about; 0 beyond the last. */
unsigned alk_config_fault_line(const struct alk_config *config, size_t index);

/* Of a server's file. */
const struct alk_config_server *alk_config_server(const struct alk_config *config);

/* Of a client's file: the profile of that name, or NULL; the index-th one, or NULL. */
const struct alk_config_profile *alk_config_profile(const struct alk_config *config,
                                                    const char *name);
const struct alk_config_profile *alk_config_profile_at(const struct alk_config *config,
                                                       size_t index);

/* Which settings differ between two files of a server that only a restart puts in force.
 * setting is "[section] key". */
typedef void (*alk_config_difference_fn)(void *user, const char *setting);
void alk_config_static_differences(const struct alk_config *running, const struct alk_config *fresh,
                                   alk_config_difference_fn fn, void *user);

#endif
