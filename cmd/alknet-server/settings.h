/* What the command line of alknet-server asks for, and the file that it names. */
#ifndef ALKNET_SERVER_SETTINGS_H
#define ALKNET_SERVER_SETTINGS_H

#include "mnemonic_key.h"

#include <alk/config.h>

#include <stdbool.h>
#include <stdint.h>

enum { LISTEN_MAX = 64 };

struct settings {
    const char *config_file;
    struct alk_config *config; /* what it held at the start; NULL without a file */

    /* as given, completed from the file */
    const char *tls_cert, *tls_key;
    const char *key, *authorized_keys, *cert_authority, *revoked_keys, *user, *status_socket;
    bool generate_key, check, no_confine;
    struct mnemonic_source mnemonic;
    struct alk_log log;

    /* as given */
    const char *listen[LISTEN_MAX];
    unsigned listen_count;
    struct alk_listen_options listen_options; /* of these, and of the default */
    bool log_level_given, log_format_given;
    const char *stealth_backend, *stealth_server;
    const char *proxy; /* may hold a password */
    char proxy_argument[2048];
    struct alk_server_options flags; /* those whose bit is set in given */
    uint64_t given;
};

/* Reads argv. Returns -1 to go on, else the exit code; what was wrong has been printed. */
int settings_parse(struct settings *settings, int argc, char **argv);

/* Reads the file, if one is named, and completes the settings. The same; all faults of the file
 * are printed. */
int settings_load(struct settings *settings);

/* Where to listen when nothing says where. */
const char *settings_default_address(const struct settings *settings);

/* The server's options: those of the file, or the defaults when config is NULL, under those of
 * the command line. Strings are borrowed; host_key and log are to be filled in. */
struct alk_server_options settings_options(const struct settings *settings,
                                           const struct alk_config *config);

#endif
