/* The sections and keys of a server's file. */
#include "config/parser.h"

#include "interface/decoy.h"
#include "policy/rule.h"
#include "transport/address.h"

#include <alk/identity.h>

#include <string.h>

#define COUNT(array)  (sizeof(array) / sizeof((array)[0]))
#define SERVER(field) offsetof(struct alk_config_server, field)
#define OPTION(field) offsetof(struct alk_config_server, options.field)
#define LISTEN(field) offsetof(struct alk_config_listener, options.field)

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

static void set_backend(struct alk_config *config, const struct key_def *key, void *base,
                        const char *value)
{
    struct alk_endpoint endpoint;

    if (!alk_endpoint_parse_host(value, &endpoint) || endpoint.host[0] == '\0' ||
        endpoint.port == 0)
        config_fault(config, "%s wants HOST:PORT, not '%s'", key->name, value);
    else
        set_text(config, key, base, value);
}

static void set_product(struct alk_config *config, const struct key_def *key, void *base,
                        const char *value)
{
    if (!alk_decoy_server_is_valid(value))
        config_fault(config,
                     "%s wants the name of a product such as " ALK_DECOY_SERVER ", not '%s'",
                     key->name, value);
    else
        set_text(config, key, base, value);
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
    {.name = "user", .set = set_text, .offset = SERVER(user), .fixed = true, .check = check_user},
    {.name = "log_level", .set = set_log_level, .offset = SERVER(log_level), .fixed = true},
    {.name = "log_format", .set = set_log_format, .offset = SERVER(log_format), .fixed = true},
    {.name = "confine", .set = set_no, .offset = SERVER(no_confine), .fixed = true},
    {.name = "status_socket",
     .set = set_path,
     .offset = SERVER(status_socket),
     .fixed = true,
     .check = check_socket},
    {.name = "keepalive",
     .set = set_seconds,
     .offset = OPTION(keepalive_s),
     .low = 1,
     .high = 3600,
     .fixed = true},
    {.name = "rekey",
     .set = set_seconds,
     .offset = OPTION(rekey_s),
     .low = 1,
     .high = 86400,
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
    {.name = "proxy", .set = set_proxy, .offset = OPTION(proxy), .fixed = true},
    {.name = "stealth_backend",
     .set = set_backend,
     .offset = OPTION(stealth_backend),
     .fixed = true},
    {.name = "stealth_server", .set = set_product, .offset = OPTION(stealth_server), .fixed = true},
};

/* ---- [listener NAME] ---- */

static void *begin_listener(struct alk_config *config, const char *name)
{
    if (config->listener_count == LISTENERS_MAX) {
        config_fault(config, "there are more than %d listeners", LISTENERS_MAX);
        return NULL;
    }
    struct config_listener *listener = config_alloc(config, sizeof(*listener));
    if (listener == NULL)
        return NULL;
    listener->listener.name = config_text(config, name, strlen(name));
    listener->next = config->listeners;
    config->listeners = listener;
    config->listener_count++;
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

static void set_interface(struct alk_config *config, const struct key_def *key, void *base,
                          const char *value)
{
    static const char *const elsewhere[] = {"raw", NULL};

    (void)base;
    take_word(config, key, value, "ssh", elsewhere);
}

static const struct key_def listener_keys[] = {
    {.name = "listen", .set = set_listen, .fixed = true},
    {.name = "transport", .set = set_transport, .offset = LISTEN(transport), .fixed = true},
    {.name = "interface", .set = set_interface, .fixed = true},
    {.name = "stealth", .set = set_yes, .offset = LISTEN(stealth), .fixed = true},
    {.name = "tls", .set = set_absent_yes, .fixed = true},
};

static void end_listener(struct alk_config *config, void *base)
{
    const struct alk_config_listener *listener = base;

    if (config->seen[0] == 0) /* of listen, the first key */
        config_fault(config, "[listener %s] has no listen = ADDR:PORT", listener->name);
    if (listener->options.stealth && listener->options.transport != ALK_TRANSPORT_TLS)
        config_fault(config,
                     "[listener %s] stealth needs transport = tls: without it SSH is plain to see",
                     listener->name);
}

/* ---- [tls] ---- */

static const struct key_def tls_keys[] = {
    {.name = "cert", .set = set_path, .offset = OPTION(tls_cert), .check = check_readable},
    {.name = "key", .set = set_path, .offset = OPTION(tls_key), .check = check_readable},
};

static void end_tls(struct alk_config *config, void *base)
{
    (void)base;
    if (config->seen[0] == 0 || config->seen[1] == 0) /* of the two keys above */
        config_fault(config, "[tls] wants cert and key, both");
}

/* ---- who may do what ---- */

static const struct key_def auth_keys[] = {
    {.name = "authorized_keys",
     .set = set_path,
     .offset = OPTION(authorized_keys),
     .check = check_authorized_keys},
    {.name = "cert_authority",
     .set = set_path,
     .offset = OPTION(cert_authority),
     .check = check_authorities},
    {.name = "revoked_keys",
     .set = set_path,
     .offset = OPTION(revoked_keys),
     .check = check_revocations},
    {.name = "disconnect_revoked", .set = set_no, .offset = OPTION(keep_revoked)},
    {.name = "database", .set = set_absent},
};

/* ---- [auth.token] ---- */

static void set_replay(struct alk_config *config, const struct key_def *key, void *base,
                       const char *value)
{
    struct alk_config_server *server = base;

    if (strcmp(value, "deny") != 0 && strcmp(value, "allow") != 0)
        config_fault(config, "%s wants deny or allow, not '%s'", key->name, value);
    server->options.token.deny_replay = strcmp(value, "deny") == 0;
}

/* The keys that may log in, or those of a file. */
static void set_key_source(struct alk_config *config, const struct key_def *key, void *base,
                           const char *value)
{
    if (strcmp(value, SHARED_KEYS) != 0)
        set_path(config, key, base, value);
}

static const struct key_def token_keys[] = {
    {.name = "enabled", .set = set_yes, .offset = OPTION(token.enabled)},
    {.name = "max_age",
     .set = set_seconds,
     .offset = OPTION(token.max_age_s),
     .low = 1,
     .high = ALK_TOKEN_AGE_LIMIT_S},
    {.name = "replay", .set = set_replay},
    {.name = "require_audience", .set = set_yes, .offset = OPTION(token.require_audience)},
    {.name = "key_source",
     .set = set_key_source,
     .offset = OPTION(token_keys),
     .check = check_key_source},
};

/* ---- [api_key NAME] ---- */

#define API_KEY(field) offsetof(struct alk_api_key, field)

static void *begin_api_key(struct alk_config *config, const char *name)
{
    struct config_api_key *key = config_alloc(config, sizeof(*key));

    if (key == NULL)
        return NULL;
    key->key.name = config_text(config, name, strlen(name));
    key->next = config->api_keys;
    config->api_keys = key;
    config->api_key_count++;
    return &key->key;
}

static void set_hash(struct alk_config *config, const struct key_def *key, void *base,
                     const char *value)
{
    if (strncmp(value, "sha256:", 7) != 0 || strlen(value) != 7 + 64 ||
        strspn(value + 7, "0123456789abcdef") != 64)
        config_fault(config,
                     "%s wants sha256: and 64 digits 0-9a-f, as 'alknet-ctl api-key new' prints "
                     "them",
                     key->name);
    else
        set_text(config, key, base, value);
}

/* scopes or resources */
static void set_names(struct alk_config *config, const struct key_def *key, void *base,
                      const char *value)
{
    bool scopes = strcmp(key->name, "scopes") == 0;
    struct alk_identity *identity = NULL;
    struct alk_error error;

    if (alk_identity_parse(&identity, "-", scopes ? value : NULL, scopes ? NULL : value, &error) !=
        ALK_OK)
        config_fault(config, "%s: %s", key->name, error.text);
    else
        set_text(config, key, base, value);
    alk_identity_unref(identity);
}

static const struct key_def api_key_keys[] = {
    {.name = "hash", .set = set_hash, .offset = API_KEY(hash)},
    {.name = "scopes", .set = set_names, .offset = API_KEY(scopes)},
    {.name = "resources", .set = set_names, .offset = API_KEY(resources)},
    {.name = "description", .set = set_text, .offset = API_KEY(description), .words = true},
    {.name = "expires", .set = set_time64, .offset = API_KEY(expires)},
    {.name = "created", .set = set_time64, .offset = API_KEY(created)},
    {.name = "ttl", .set = set_seconds64, .offset = API_KEY(ttl_s)},
    {.name = "disabled", .set = set_yes, .offset = API_KEY(disabled)},
};

static void end_api_key(struct alk_config *config, void *base)
{
    const struct alk_api_key *key = base;

    if (config->seen[0] == 0) /* of hash */
        config_fault(config, "[api_key %s] has no hash", key->name);
    if (key->ttl_s != 0 && key->created == 0 && config->seen[5] == 0)
        config_fault(config, "[api_key %s] has a ttl but does not say when it was created",
                     key->name);
}

/* ---- [forwarding] ---- */

static bool take_choice(struct alk_config *config, const struct key_def *key, const char *value,
                        const char *allow, const char *deny, enum alk_policy_choice *out)
{
    if (strcmp(value, allow) == 0)
        *out = ALK_POLICY_ALLOW;
    else if (strcmp(value, deny) == 0)
        *out = ALK_POLICY_DENY;
    else
        config_fault(config, "%s wants %s or %s, not '%s'", key->name, allow, deny, value);
    return *out != ALK_POLICY_UNSET;
}

static void set_default(struct alk_config *config, const struct key_def *key, void *base,
                        const char *value)
{
    struct alk_config_server *server = base;

    take_choice(config, key, value, "allow", "deny", &server->options.forwarding.action);
}

static void set_choice(struct alk_config *config, const struct key_def *key, void *base,
                       const char *value)
{
    enum alk_policy_choice choice = ALK_POLICY_UNSET;

    if (take_choice(config, key, value, "yes", "no", &choice))
        memcpy((char *)base + key->offset, &choice, sizeof(choice));
}

/* What a rule means is the policy's to say, and said of each by itself: all faults in one run. */
static bool is_rule(struct alk_config *config, const char *value)
{
    struct policy_rule rule;
    char why[256];
    const char *wrong = policy_rule_parse(&rule, value, why);

    if (wrong != NULL)
        config_fault(config, "rule \"%.100s\": %s", value, wrong);
    return wrong == NULL;
}

static void set_rule(struct alk_config *config, const struct key_def *key, void *base,
                     const char *value)
{
    struct config_rule *rule;

    (void)base;
    if (config->rule_count == ALK_POLICY_RULES_MAX) {
        config_fault(config, "%s: there are more than %d", key->name, ALK_POLICY_RULES_MAX);
        return;
    }
    if (!is_rule(config, value) || (rule = config_alloc(config, sizeof(*rule))) == NULL)
        return;
    rule->rule.text = config_text(config, value, strlen(value));
    rule->rule.file = config->file;
    rule->rule.line = config->line;
    rule->next = config->rules;
    config->rules = rule;
    config->rule_count++;
}

static const struct key_def forwarding_keys[] = {
    {.name = "default", .set = set_default},
    {.name = "rule", .set = set_rule, .repeats = true},
    {.name = "allow_loopback", .set = set_choice, .offset = OPTION(forwarding.loopback)},
    {.name = "allow_link_local", .set = set_choice, .offset = OPTION(forwarding.link_local)},
};

/* ---- [limits] ---- */

static void set_rate(struct alk_config *config, const struct key_def *key, void *base,
                     const char *value)
{
    struct key_def up = {.name = key->name, .offset = OPTION(limits.rate_up)};
    struct key_def down = {.name = key->name, .offset = OPTION(limits.rate_down)};
    struct alk_config_server *server = base;

    if (server->options.limits.rate_up != 0 || server->options.limits.rate_down != 0) {
        config_fault(config, "rate stands for rate_up and rate_down; remove it or them");
        return;
    }
    set_rate64(config, &up, base, value);
    if (server->options.limits.rate_up != 0)
        set_rate64(config, &down, base, value);
}

static void set_number_or_none(struct alk_config *config, const struct key_def *key, void *base,
                               const char *value)
{
    const unsigned none = ALK_LIMIT_NONE;

    if (strcmp(value, "none") == 0)
        memcpy((char *)base + key->offset, &none, sizeof(none));
    else
        set_number(config, key, base, value);
}

#define NUMBER(key, least, most)                                                                   \
    {                                                                                              \
        .name = #key, .set = set_number, .offset = OPTION(limits.key), .low = (least),             \
        .high = (most)                                                                             \
    }

static const struct key_def limit_keys[] = {
    NUMBER(max_connections_per_ip, 0, 1000000),
    NUMBER(connection_rate_per_ip, 0, 1000000),
    NUMBER(max_unauthenticated_per_ip, 1, 1000000),
    {.name = "login_failures",
     .set = set_number_or_none,
     .offset = OPTION(limits.login_failures),
     .low = 1,
     .high = 1000000},
    {.name = "penalty",
     .set = set_seconds,
     .offset = OPTION(limits.penalty_s),
     .low = 1,
     .high = 86400},
    {.name = "penalty_max",
     .set = set_seconds,
     .offset = OPTION(limits.penalty_max_s),
     .low = 1,
     .high = 86400},
    {.name = "penalty_exempt", .set = set_networks, .offset = OPTION(limits.penalty_exempt)},
    NUMBER(max_auth_attempts, 1, 1000),
    NUMBER(max_channels, 1, 65536),
    NUMBER(max_sessions_per_identity, 0, 1000000),
    NUMBER(max_channels_per_identity, 0, 100000000),
    {.name = "rate", .set = set_rate},
    {.name = "rate_up", .set = set_rate64, .offset = OPTION(limits.rate_up)},
    {.name = "rate_down", .set = set_rate64, .offset = OPTION(limits.rate_down)},
    NUMBER(max_sessions, 0, 10000000),
    NUMBER(max_unauthenticated, 1, 1000000),
    {.name = "memory", .set = set_size64, .offset = OPTION(limits.memory)},
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
    {.name = "auth.token",
     .begin = begin_server,
     .keys = token_keys,
     .key_count = COUNT(token_keys)},
    {.name = "api_key",
     .named = true,
     .begin = begin_api_key,
     .end = end_api_key,
     .keys = api_key_keys,
     .key_count = COUNT(api_key_keys)},
    {.name = "forwarding",
     .begin = begin_server,
     .keys = forwarding_keys,
     .key_count = COUNT(forwarding_keys)},
    {.name = "credential",
     .named = true,
     .begin = begin_credential,
     .end = end_credential,
     .keys = credential_keys,
     .key_count = CREDENTIAL_KEYS},
    {.name = "tls",
     .begin = begin_server,
     .end = end_tls,
     .keys = tls_keys,
     .key_count = COUNT(tls_keys)},
    {.name = "acme", .absent = "ACME"},
    {.name = "iroh", .absent = "iroh"},
};
const size_t alk_config_server_section_count = COUNT(alk_config_server_sections);
