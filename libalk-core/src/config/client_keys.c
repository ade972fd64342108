/* The sections and keys of a client's file: the flags of alknet-client. */
#include "config/parser.h"

#include "transport/address.h"
#include "transport/tls.h"
#include "tunnel/forward_spec.h"

#include <string.h>

#define COUNT(array)   (sizeof(array) / sizeof((array)[0]))
#define PROFILE(field) offsetof(struct alk_config_profile, field)
#define OPTION(field)  offsetof(struct alk_config_profile, options.field)

enum { SPECS_MAX = 256 };

static void *begin_profile(struct alk_config *config, const char *name)
{
    struct config_profile *profile = config_alloc(config, sizeof(*profile)), **last;

    if (profile == NULL)
        return NULL;
    profile->profile.name = config_text(config, name, strlen(name));
    for (last = &config->profiles; *last != NULL; last = &(*last)->next)
        ;
    *last = profile;
    return &profile->profile;
}

static void set_address(struct alk_config *config, const struct key_def *key, void *base,
                        const char *value)
{
    struct alk_address address;
    struct alk_error error;

    if (strcmp(value, "none") != 0 && alk_address_parse_listen(value, &address, &error) != ALK_OK)
        config_fault(config, "%s: %s", key->name, error.text);
    else
        set_text(config, key, base, value);
}

static void set_fingerprint(struct alk_config *config, const struct key_def *key, void *base,
                            const char *value)
{
    if (strncmp(value, "SHA256:", 7) != 0 || strlen(value) != 7 + 43)
        config_fault(config,
                     "%s wants SHA256: and 43 characters, as 'alknet-ctl fingerprint' and "
                     "'ssh-keygen -l' print it",
                     key->name);
    else
        set_text(config, key, base, value);
}

/* NAME:FILE; only the file is a path. */
static void set_socks5_user(struct alk_config *config, const struct key_def *key, void *base,
                            const char *value)
{
    const char *colon = strchr(value, ':');
    const char *path = NULL;
    struct key_def file = {.name = key->name, .offset = 0};

    if (colon == NULL || colon == value || colon[1] == '\0') {
        config_fault(config, "%s wants NAME:PASSWORD-FILE", key->name);
        return;
    }
    set_path(config, &file, &path, colon + 1);
    config->path = NULL;
    size_t name = (size_t)(colon - value) + 1;
    char *whole = path != NULL ? config_alloc(config, name + strlen(path) + 1) : NULL;
    if (whole == NULL)
        return;
    memcpy(whole, value, name);
    memcpy(whole + name, path, strlen(path) + 1);
    *(const char **)((char *)base + key->offset) = whole;
    config->path = whole; /* to be checked */
}

static void push(struct alk_config *config, const struct key_def *key, const char *const **list,
                 size_t *count, const char *value)
{
    if (*count == SPECS_MAX)
        config_fault(config, "%s may be given %d times at most", key->name, SPECS_MAX);
    else
        config_append(config, list, count, value);
}

static bool is_forward(struct alk_config *config, const struct key_def *key, const char *value,
                       enum alk_forward_direction direction)
{
    struct alk_forward_spec spec;
    struct alk_error error;

    if (alk_forward_spec_parse(value, direction, &spec, &error) == ALK_OK)
        return true;
    config_fault(config, "%s: %s", key->name, error.text);
    return false;
}

static void set_forward(struct alk_config *config, const struct key_def *key, void *base,
                        const char *value)
{
    struct alk_config_profile *p = base;

    if (is_forward(config, key, value, ALK_FORWARD_LOCAL))
        push(config, key, &p->forwards, &p->forward_count, value);
}

static void set_remote_forward(struct alk_config *config, const struct key_def *key, void *base,
                               const char *value)
{
    struct alk_config_profile *p = base;

    if (is_forward(config, key, value, ALK_FORWARD_REMOTE))
        push(config, key, &p->remote_forwards, &p->remote_forward_count, value);
}

static bool is_server(struct alk_config *config, const struct key_def *key, const char *value,
                      size_t len)
{
    struct alk_server_name name;
    struct alk_error error;

    if (alk_server_name_parse(value, len, &name, &error) == ALK_OK)
        return true;
    config_fault(config, "%s: %s", key->name, error.text);
    return false;
}

static void set_server(struct alk_config *config, const struct key_def *key, void *base,
                       const char *value)
{
    if (is_server(config, key, value, strlen(value)))
        set_text(config, key, base, value);
}

static void set_jump(struct alk_config *config, const struct key_def *key, void *base,
                     const char *value)
{
    struct alk_config_profile *p = base;
    bool good = true;

    for (const char *at = value; strcmp(value, "none") != 0 && at != NULL;) {
        size_t len = strcspn(at, ",");
        good &= is_server(config, key, at, len);
        at = at[len] == ',' ? at + len + 1 : NULL;
    }
    if (good)
        push(config, key, &p->jumps, &p->jump_count, value);
}

static void set_pin(struct alk_config *config, const struct key_def *key, void *base,
                    const char *value)
{
    uint8_t pins[ALK_TLS_PINS_MAX][ALK_TLS_PIN_SIZE];
    struct alk_error error;

    if (alk_tls_pins_parse(value, pins, &error) < 0)
        config_fault(config, "%s: %s", key->name, error.text);
    else
        set_text(config, key, base, value);
}

static void set_host(struct alk_config *config, const struct key_def *key, void *base,
                     const char *value)
{
    if (alk_host_valid(value, strlen(value)))
        set_text(config, key, base, value);
    else
        config_fault(config, "%s wants the name of a host, or its address, not '%s'", key->name,
                     value);
}

static void set_engine(struct alk_config *config, const struct key_def *key, void *base,
                       const char *value)
{
    enum alk_client_engine engine = ALK_CLIENT_NATIVE;

    if (strcmp(value, "libssh2") == 0)
        engine = ALK_CLIENT_LIBSSH2;
    else if (strcmp(value, "native") != 0)
        config_fault(config, "%s wants native or libssh2, not '%s'", key->name, value);
    memcpy((char *)base + key->offset, &engine, sizeof(engine));
}

static const struct key_def profile_keys[] = {
    {.name = "server", .set = set_server, .offset = PROFILE(server)},
    {.name = "identity", .set = set_path, .offset = PROFILE(identity), .check = check_identity},
    {.name = "certificate",
     .set = set_path,
     .offset = PROFILE(certificate),
     .check = check_readable},
    {.name = "known_hosts", .set = set_path, .offset = OPTION(known_hosts)},
    {.name = "accept_new", .set = set_yes, .offset = OPTION(accept_new)},
    {.name = "host_key_fingerprint", .set = set_fingerprint, .offset = OPTION(fingerprint)},
    {.name = "socks5", .set = set_address, .offset = PROFILE(socks5)},
    {.name = "socks5_user",
     .set = set_socks5_user,
     .offset = PROFILE(socks5_user),
     .check = check_password_file},
    {.name = "http_proxy", .set = set_address, .offset = PROFILE(http_proxy)},
    {.name = "forward", .set = set_forward, .repeats = true},
    {.name = "remote_forward", .set = set_remote_forward, .repeats = true},
    {.name = "jump", .set = set_jump, .repeats = true},
    {.name = "connect_timeout",
     .set = set_seconds,
     .offset = OPTION(connect_timeout_s),
     .low = 1,
     .high = 3600},
    {.name = "open_timeout",
     .set = set_seconds,
     .offset = OPTION(open_timeout_s),
     .low = 1,
     .high = 3600},
    {.name = "keepalive",
     .set = set_seconds,
     .offset = OPTION(keepalive_s),
     .low = 1,
     .high = 3600},
    {.name = "rekey", .set = set_seconds, .offset = OPTION(rekey_s), .low = 1, .high = 86400},
    {.name = "status", .set = set_yes, .offset = PROFILE(status)},
    {.name = "log_level", .set = set_log_level, .offset = PROFILE(log_level)},
    {.name = "log_format", .set = set_log_format, .offset = PROFILE(log_format)},
    {.name = "transport", .set = set_transport, .offset = OPTION(transport)},
    {.name = "peer", .set = set_absent},
    {.name = "proxy", .set = set_proxy, .offset = OPTION(proxy)},
    {.name = "iroh_relay", .set = set_absent},
    {.name = "tls_server_name", .set = set_host, .offset = OPTION(tls_server_name)},
    {.name = "tls_ca",
     .set = set_path,
     .offset = OPTION(tls_ca),
     .check = check_authorities_of_tls},
    {.name = "tls_pin", .set = set_pin, .offset = OPTION(tls_pin)},
    {.name = "insecure", .set = set_yes, .offset = OPTION(tls_insecure)},
    {.name = "ssh_engine", .set = set_engine, .offset = OPTION(engine)},
};

const struct section_def alk_config_client_sections[] = {
    {.name = "profile",
     .named = true,
     .begin = begin_profile,
     .keys = profile_keys,
     .key_count = COUNT(profile_keys)},
};
const size_t alk_config_client_section_count = COUNT(alk_config_client_sections);
