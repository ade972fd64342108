/* The sections and keys of a server's file. */
#include "config/parser.h"

#include "transport/address.h"

#include <string.h>

#define COUNT(array)  (sizeof(array) / sizeof((array)[0]))
#define SERVER(field) offsetof(struct alk_config_server, field)
#define OPTION(field) offsetof(struct alk_config_server, options.field)

enum { LISTENERS_MAX = 64, LISTEN_MAX = 64 };

/* Sections that stand for the server as a whole fill one struct. */
static void *begin_server(struct alk_config *config, const char *name)
{
    (void)name;
    return &config->server;
}

/* A number, or auto: 0, one for each core. */
static void set_workers(struct alk_config *config, const struct key_def *key, void *base,
                        const char *value)
{
    if (strcmp(value, "auto") != 0)
        set_number(config, key, base, value);
}

static const struct key_def server_keys[] = {
    {.name = "host_key",
     .set = set_path,
     .offset = SERVER(host_key),
     .fixed = true,
     .check = check_host_key},
    {.name = "generate_key", .set = set_yes, .offset = SERVER(generate_key), .fixed = true},
    {.name = "workers",
     .set = set_workers,
     .offset = OPTION(workers),
     .low = 1,
     .high = 256,
     .fixed = true},
    {.name = "user", .set = set_text, .offset = SERVER(user), .fixed = true},
    {.name = "log_level", .set = set_log_level, .offset = SERVER(log_level), .fixed = true},
    {.name = "log_format", .set = set_log_format, .offset = SERVER(log_format), .fixed = true},
    {.name = "confine", .set = set_no, .offset = SERVER(no_confine), .fixed = true},
    {.name = "max_channels",
     .set = set_number,
     .offset = OPTION(limits.max_channels),
     .low = 1,
     .high = 65536,
     .fixed = true},
    {.name = "keepalive",
     .set = set_seconds,
     .offset = OPTION(keepalive_s),
     .low = 1,
     .high = 3600,
     .fixed = true},
    {.name = "login_grace",
     .set = set_seconds,
     .offset = OPTION(login_grace_s),
     .low = 1,
     .high = 3600,
     .fixed = true},
    {.name = "connect_timeout",
     .set = set_seconds,
     .offset = OPTION(connect_timeout_s),
     .low = 1,
     .high = 3600,
     .fixed = true},
    {.name = "proxy", .set = set_absent},
};

/* ---- [listener NAME] ---- */

static void *begin_listener(struct alk_config *config, const char *name)
{
    unsigned count = 0;

    for (struct config_listener *l = config->listeners; l != NULL; l = l->next)
        count++;
    if (count == LISTENERS_MAX) {
        config_fault(config, "there are more than %d listeners", LISTENERS_MAX);
        return NULL;
    }
    struct config_listener *listener = config_alloc(config, sizeof(*listener));
    if (listener == NULL)
        return NULL;
    listener->listener.name = config_text(config, name, strlen(name));
    listener->next = config->listeners;
    config->listeners = listener;
    return &listener->listener;
}

static void add_address(struct alk_config *config, void *base, const char *word)
{
    struct alk_config_listener *listener = base;
    struct alk_address address;
    struct alk_error error;

    if (alk_address_parse_listen(word, &address, &error) != ALK_OK)
        config_fault(config, "listen: %s", error.text);
    else if (listener->listen_count == LISTEN_MAX)
        config_fault(config, "listen: there are more than %d addresses", LISTEN_MAX);
    else
        config_append(config, &listener->listen, &listener->listen_count, word);
}

static void set_listen(struct alk_config *config, const struct key_def *key, void *base,
                       const char *value)
{
    config_list(config, key, value, add_address, base);
}

/* A word of several, of which this build has one. */
static void take_word(struct alk_config *config, const struct key_def *key, const char *value,
                      const char *here, const char *const *elsewhere)
{
    if (strcmp(value, here) == 0)
        return;
    for (; *elsewhere != NULL; elsewhere++) {
        if (strcmp(value, *elsewhere) == 0) {
            config_fault(config, "%s: this build does not have %s; it has %s", key->name, value,
                         here);
            return;
        }
    }
    config_fault(config, "%s wants %s, not '%s'", key->name, here, value);
}

static void set_transport(struct alk_config *config, const struct key_def *key, void *base,
                          const char *value)
{
    static const char *const elsewhere[] = {"tls", "iroh", "http", "dns", NULL};

    (void)base;
    take_word(config, key, value, "tcp", elsewhere);
}

static void set_interface(struct alk_config *config, const struct key_def *key, void *base,
                          const char *value)
{
    static const char *const elsewhere[] = {"raw", NULL};

    (void)base;
    take_word(config, key, value, "ssh", elsewhere);
}

static const struct key_def listener_keys[] = {
    {.name = "listen", .set = set_listen, .fixed = true},
    {.name = "transport", .set = set_transport, .fixed = true},
    {.name = "interface", .set = set_interface, .fixed = true},
    {.name = "stealth", .set = set_absent_yes, .fixed = true},
    {.name = "tls", .set = set_absent_yes, .fixed = true},
};

static void end_listener(struct alk_config *config, void *base)
{
    const struct alk_config_listener *listener = base;

    if (config->seen[0] == 0) /* of listen, the first key */
        config_fault(config, "[listener %s] has no listen = ADDR:PORT", listener->name);
}

/* ---- who may do what ---- */

static const struct key_def auth_keys[] = {
    {.name = "authorized_keys",
     .set = set_path,
     .offset = OPTION(authorized_keys),
     .check = check_authorized_keys},
    {.name = "disconnect_revoked", .set = set_no, .offset = OPTION(keep_revoked)},
    {.name = "database", .set = set_absent},
};

static const struct key_def limit_keys[] = {
    {.name = "max_connections_per_ip",
     .set = set_number,
     .offset = OPTION(limits.max_connections_per_ip),
     .low = 0,
     .high = 1000000,
     .fixed = true},
    {.name = "max_unauthenticated",
     .set = set_number,
     .offset = OPTION(limits.max_unauthenticated),
     .low = 1,
     .high = 1000000,
     .fixed = true},
    {.name = "max_unauthenticated_per_ip",
     .set = set_number,
     .offset = OPTION(limits.max_unauthenticated_per_ip),
     .low = 1,
     .high = 1000000,
     .fixed = true},
    {.name = "max_auth_attempts",
     .set = set_number,
     .offset = OPTION(limits.max_auth_attempts),
     .low = 1,
     .high = 1000,
     .fixed = true},
};

const struct section_def alk_config_server_sections[] = {
    {.name = "server", .begin = begin_server, .keys = server_keys, .key_count = COUNT(server_keys)},
    {.name = "listener",
     .named = true,
     .begin = begin_listener,
     .end = end_listener,
     .keys = listener_keys,
     .key_count = COUNT(listener_keys)},
    {.name = "auth", .begin = begin_server, .keys = auth_keys, .key_count = COUNT(auth_keys)},
    {.name = "limits", .begin = begin_server, .keys = limit_keys, .key_count = COUNT(limit_keys)},
    {.name = "auth.token", .absent = "tokens"},
    {.name = "api_key", .named = true, .absent = "API keys"},
    {.name = "forwarding", .absent = "forwarding rules"},
    {.name = "credential", .named = true, .absent = "credentials"},
    {.name = "tls", .absent = "TLS"},
    {.name = "acme", .absent = "TLS"},
    {.name = "iroh", .absent = "iroh"},
};
const size_t alk_config_server_section_count = COUNT(alk_config_server_sections);
