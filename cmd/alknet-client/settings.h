/* What the command line and the environment ask of alknet-client. */
#ifndef ALKNET_CLIENT_SETTINGS_H
#define ALKNET_CLIENT_SETTINGS_H

#include "mnemonic_key.h"
#include "server_name.h"

#include <alk/client.h>
#include <alk/config.h>

#include <stdbool.h>

enum { SPECS_MAX = 256 };

struct spec_list {
    const char *item[SPECS_MAX];
    unsigned count;
};

struct settings {
    const char *config_file, *profile_name;
    struct alk_config *config; /* holds what comes from the file; NULL without one */
    const struct alk_config_profile *profile;
    const char *server; /* [user@]host[:port] */
    const char *identity, *certificate;
    struct mnemonic_source mnemonic; /* the identity, instead of a file or the agent */
    const char *socks, *http;        /* addresses; NULL = not wanted */
    const char *socks_login;         /* NAME:PASSWORD-FILE */
    const char *proxy;               /* on the way to the server; may hold a password */
    char proxy_argument[2048];
    const char *stdio; /* host:port or a path */
    struct spec_list forwards, remotes, jump_lists;
    const char *known_hosts, *fingerprint;
    bool accept_new;
    enum alk_transport transport;
    bool transport_given;
    const char *tls_ca, *tls_pin, *tls_server_name;
    bool insecure;
    const char *bind_address;
    int family; /* 0: any */
    enum alk_client_engine engine;
    bool engine_given;
    unsigned connect_timeout, open_timeout, keepalive, rekey;
    bool check;
    bool status; /* show it while running */
    struct alk_log log;
    bool log_level_given, log_format_given;

    /* taken apart from server and jump_lists */
    struct alk_server_name place, jumps[ALK_CLIENT_JUMPS_MAX];
    unsigned jump_count;

    /* taken apart from stdio; port 0: host is a path */
    char stdio_host[256];
    unsigned stdio_port;
};

/* Reads argv and the environment. Returns -1 to go on, else the exit code; what was wrong
 * has been printed. */
int settings_parse(struct settings *settings, int argc, char **argv);

#endif
