/* Configuration files: each key, each fault, each oddity of the format. */
#include "config/values.h"
#include "support/scratch.h"

#include <alk/config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct alk_config *parse_len(enum alk_config_kind kind, const char *text, size_t len)
{
    struct alk_config *config;

    assert_int_equal(alk_config_parse(&config, kind, "/etc/x/a.conf", text, len, "/home/me"),
                     ALK_OK);
    return config;
}

static struct alk_config *parse(enum alk_config_kind kind, const char *text)
{
    return parse_len(kind, text, strlen(text));
}

static void assert_clean(const struct alk_config *config)
{
    if (alk_config_fault_count(config) != 0)
        fail_msg("unexpected fault: %s", alk_config_fault(config, 0));
}

/* Exactly these faults, by a part of each sentence, in this order. */
static void assert_faults(const struct alk_config *config, const char *const *parts)
{
    size_t n = 0;

    for (; parts[n] != NULL; n++) {
        const char *said = alk_config_fault(config, n);
        if (said == NULL || strstr(said, parts[n]) == NULL)
            fail_msg("expected '%s' in: %s", parts[n], said != NULL ? said : "(no more faults)");
    }
    if (alk_config_fault_count(config) != n)
        fail_msg("unexpected fault: %s", alk_config_fault(config, n));
}

#define FAULTS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void expect(enum alk_config_kind kind, const char *text, const char *const *parts)
{
    struct alk_config *config = parse(kind, text);

    assert_faults(config, parts);
    alk_config_free(config);
}

/* ---- every key ---- */

struct key_case {
    const char *section, *key, *good, *bad; /* bad NULL: any text is good */
    const char *reads;                      /* what the field holds then */
    void (*read)(const struct alk_config *config, char *out, size_t size);
};

#define READ(name, format, value)                                                                  \
    static void read_##name(const struct alk_config *c, char *out, size_t size)                    \
    {                                                                                              \
        snprintf(out, size, format, value);                                                        \
    }
#define SERVER(field)  alk_config_server(c)->field
#define PROFILE(field) alk_config_profile(c, "p")->field

READ(host_key, "%s", SERVER(host_key))
READ(generate_key, "%d", SERVER(generate_key))
READ(workers, "%u", SERVER(options.workers))
READ(user, "%s", SERVER(user))
READ(status_socket, "%s", SERVER(status_socket))
READ(log_level, "%s", SERVER(log_level))
READ(log_format, "%s", SERVER(log_format))
READ(no_confine, "%d", SERVER(no_confine))
READ(keepalive, "%u", SERVER(options.keepalive_s))
READ(rekey, "%u", SERVER(options.rekey_s))
READ(proxy, "%s", SERVER(options.proxy))
READ(stealth_backend, "%s", SERVER(options.stealth_backend))
READ(stealth_server, "%s", SERVER(options.stealth_server))
READ(login_grace, "%u", SERVER(options.login_grace_s))
READ(connect_timeout, "%u", SERVER(options.connect_timeout_s))
READ(listen, "%s", SERVER(listeners)[0].listen[0])
READ(listener_name, "%s", SERVER(listeners)[0].name)
READ(authorized_keys, "%s", SERVER(options.authorized_keys))
READ(authority, "%s", SERVER(options.cert_authority))
READ(revoked, "%s", SERVER(options.revoked_keys))
READ(keep_revoked, "%d", SERVER(options.keep_revoked))
READ(per_ip, "%u", SERVER(options.limits.max_connections_per_ip))
READ(unauthenticated, "%u", SERVER(options.limits.max_unauthenticated))
READ(unauthenticated_per_ip, "%u", SERVER(options.limits.max_unauthenticated_per_ip))
READ(attempts, "%u", SERVER(options.limits.max_auth_attempts))
READ(token_enabled, "%d", SERVER(options.token.enabled))
READ(token_age, "%u", SERVER(options.token.max_age_s))
READ(token_replay, "%d", SERVER(options.token.deny_replay))
READ(token_keys, "%s", SERVER(options.token_keys) != NULL ? SERVER(options.token_keys) : "keys")
READ(token_audience, "%d", SERVER(options.token.require_audience))
READ(forwarding, "%d", (int)SERVER(options.forwarding.action))
READ(loopback, "%d", (int)SERVER(options.forwarding.loopback))
READ(link_local, "%d", (int)SERVER(options.forwarding.link_local))
READ(rate, "%ju", (uintmax_t)(SERVER(options.limits.rate_up) + SERVER(options.limits.rate_down)))
READ(memory, "%ju", (uintmax_t)SERVER(options.limits.memory))
READ(exempt, "%s", SERVER(options.limits.penalty_exempt))
READ(max_channels, "%u", SERVER(options.limits.max_channels))
READ(connection_rate_per_ip, "%u", SERVER(options.limits.connection_rate_per_ip))
READ(login_failures, "%u", SERVER(options.limits.login_failures))
READ(penalty_s, "%u", SERVER(options.limits.penalty_s))
READ(penalty_max_s, "%u", SERVER(options.limits.penalty_max_s))
READ(max_sessions_per_identity, "%u", SERVER(options.limits.max_sessions_per_identity))
READ(max_channels_per_identity, "%u", SERVER(options.limits.max_channels_per_identity))
READ(max_sessions, "%u", SERVER(options.limits.max_sessions))
READ(key_hash, "%s", SERVER(options.api_keys)[0].hash)
READ(key_scopes, "%s", SERVER(options.api_keys)[0].scopes)
READ(key_resources, "%s", SERVER(options.api_keys)[0].resources)
READ(key_description, "%s", SERVER(options.api_keys)[0].description)
READ(key_expires, "%ju", (uintmax_t)SERVER(options.api_keys)[0].expires)
READ(key_created, "%ju", (uintmax_t)SERVER(options.api_keys)[0].created)
READ(key_ttl_s, "%ju", (uintmax_t)SERVER(options.api_keys)[0].ttl_s)
READ(key_disabled, "%d", SERVER(options.api_keys)[0].disabled)

static void read_place(const struct alk_config *c, char *out, size_t size)
{
    const struct alk_credential_place *place = &SERVER(options.credentials)[0].places[0];

    snprintf(out, size, "%s=%s%s:%u", place->name, place->value != NULL ? place->value : "",
             place->path != NULL ? place->path : "", place->line);
}
READ(credential_kind, "%s", alk_credential_kind_text(SERVER(options.credentials)[0].kind))
READ(credential_expires, "%ju", (uintmax_t)SERVER(options.credentials)[0].expires)

static void read_rule(const struct alk_config *c, char *out, size_t size)
{
    const struct alk_policy_rule_text *rule = &SERVER(options.rules)[0];

    snprintf(out, size, "%s|%s|%u|%zu", rule->text, rule->file, rule->line,
             SERVER(options.rule_count));
}
READ(tls_cert, "%s", SERVER(options.tls_cert))
READ(tls_key, "%s", SERVER(options.tls_key))
READ(transport, "%d", (int)alk_config_server(c)->listeners[0].options.transport)
READ(p_transport, "%d", (int)PROFILE(options.transport))
READ(p_tls_ca, "%s", PROFILE(options.tls_ca))
READ(p_tls_pin, "%s", PROFILE(options.tls_pin))
READ(p_tls_server_name, "%s", PROFILE(options.tls_server_name))
READ(p_insecure, "%d", PROFILE(options.tls_insecure))
READ(p_status, "%d", PROFILE(status))
READ(p_server, "%s", PROFILE(server))
READ(p_identity, "%s", PROFILE(identity))
READ(p_certificate, "%s", PROFILE(certificate))
READ(p_open_timeout, "%u", PROFILE(options.open_timeout_s))
READ(p_known_hosts, "%s", PROFILE(options.known_hosts))
READ(p_accept_new, "%d", PROFILE(options.accept_new))
READ(p_fingerprint, "%s", PROFILE(options.fingerprint))
READ(p_socks5, "%s", PROFILE(socks5))
READ(p_socks5_user, "%s", PROFILE(socks5_user))
READ(p_http_proxy, "%s", PROFILE(http_proxy))
READ(p_proxy, "%s", PROFILE(options.proxy))
READ(p_forward, "%s", PROFILE(forwards)[0])
READ(p_remote_forward, "%s", PROFILE(remote_forwards)[0])
READ(p_jump, "%s", PROFILE(jumps)[0])
READ(p_connect_timeout, "%u", PROFILE(options.connect_timeout_s))
READ(p_keepalive, "%u", PROFILE(options.keepalive_s))
READ(p_rekey, "%u", PROFILE(options.rekey_s))
READ(p_log_level, "%s", PROFILE(log_level))
READ(p_log_format, "%s", PROFILE(log_format))

#define HASH  "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define PRINT "SHA256:abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"

#define PIN "sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="

static const struct key_case server_cases[] = {
    {"server", "host_key", "/a/key", "\"x\"", "/a/key", read_host_key},
    {"server", "host_key", "key", "~/a\x01", "/etc/x/key", read_host_key},
    {"server", "generate_key", "yes", "maybe", "1", read_generate_key},
    {"server", "workers", "4", "0", "4", read_workers},
    {"server", "workers", "auto", " many", "0", read_workers},
    {"server", "user", "nobody", "", "nobody", read_user},
    {"server", "status_socket", "s", "", "/etc/x/s", read_status_socket},
    {"server", "log_level", "debug", "loud", "debug", read_log_level},
    {"server", "log_format", "json", "xml", "json", read_log_format},
    {"server", "confine", "no", "No", "1", read_no_confine},
    {"server", "keepalive", "5m", "5", "300", read_keepalive},
    {"server", "rekey", "10m", "0", "600", read_rekey},
    {"server", "stealth_backend", "h:80", "h", "h:80", read_stealth_backend},
    {"server", "stealth_server", "nginx", "<b>", "nginx", read_stealth_server},
    {"server", "proxy", "socks5://a:b@h:1", "ftp://h:1", "socks5://a:b@h:1", read_proxy},
    {"server", "login_grace", "30s", "30 s", "30", read_login_grace},
    {"server", "connect_timeout", "1h", "2h", "3600", read_connect_timeout},
    {"listener one", "listen", "127.0.0.1:22, [::1]:22", "here", "127.0.0.1:22", read_listen},
    {"listener one", "listen", "unix:/a", "127.0.0.1:1,,[::1]:1", "one", read_listener_name},
    {"auth", "authorized_keys", "/a", "", "/a", read_authorized_keys},
    {"auth", "cert_authority", "ca", "", "/etc/x/ca", read_authority},
    {"tls", "cert", "c.pem", "", "/etc/x/c.pem", read_tls_cert},
    {"tls", "key", "/k.pem", "", "/k.pem", read_tls_key},
    {"listener one", "transport", "tls", "ssl", "1", read_transport},
    {"auth", "revoked_keys", "/krl", "", "/krl", read_revoked},
    {"auth", "disconnect_revoked", "no", "off", "1", read_keep_revoked},
    {"limits", "max_connections_per_ip", "0", "-1", "0", read_per_ip},
    {"limits", "max_unauthenticated", "5", "0x5", "5", read_unauthenticated},
    {"limits", "max_unauthenticated_per_ip", "5", "+5", "5", read_unauthenticated_per_ip},
    {"limits", "max_auth_attempts", "6", "1001", "6", read_attempts},
    {"limits", "max_channels", "7", "0", "7", read_max_channels},
    {"limits", "connection_rate_per_ip", "60", "many", "60", read_connection_rate_per_ip},
    {"limits", "login_failures", "none", "0", "4294967295", read_login_failures},
    {"limits", "login_failures", "3", "never", "3", read_login_failures},
    {"limits", "penalty", "5s", "5", "5", read_penalty_s},
    {"limits", "penalty_max", "10m", "2d", "600", read_penalty_max_s},
    {"limits", "penalty_exempt", "10.0.0.0/8,::1", "example.com", "10.0.0.0/8,::1", read_exempt},
    {"limits", "max_sessions_per_identity", "2", "two", "2", read_max_sessions_per_identity},
    {"limits", "max_channels_per_identity", "9", "-9", "9", read_max_channels_per_identity},
    {"limits", "max_sessions", "100", "1e2", "100", read_max_sessions},
    {"limits", "rate", "10MB/s", "10MB", "20971520", read_rate},
    {"limits", "rate_up", "1KB/s", "0B/s", "1024", read_rate},
    {"limits", "rate_down", "1B/s", "1b/s", "1", read_rate},
    {"limits", "memory", "512MB", "512", "536870912", read_memory},
    {"auth.token", "enabled", "yes", "on", "1", read_token_enabled},
    {"auth.token", "max_age", "5m", "25h", "300", read_token_age},
    {"auth.token", "replay", "deny", "no", "1", read_token_replay},
    {"auth.token", "key_source", "tokens", "", "/etc/x/tokens", read_token_keys},
    {"auth.token", "key_source", "shared", "", "keys", read_token_keys},
    {"auth.token", "require_audience", "yes", "y", "1", read_token_audience},
    {"forwarding", "default", "deny", "reject", "2", read_forwarding},
    {"forwarding", "allow_loopback", "yes", "deny", "1", read_loopback},
    {"forwarding", "allow_link_local", "no", "maybe", "2", read_link_local},
    {"forwarding", "rule", "allow *:443", "", "allow *:443|/etc/x/a.conf|2|1", read_rule},
    {"api_key k", "hash", HASH, "sha256:12", HASH, read_key_hash},
    {"api_key k", "scopes", "relay:connect, a:b", "", "relay:connect, a:b", read_key_scopes},
    {"api_key k", "resources", "service:gitea", "", "service:gitea", read_key_resources},
    {"api_key k", "description", "ticket #5", "", "ticket #5", read_key_description},
    {"api_key k", "expires", "2027-01-31", "tomorrow", "1801353600", read_key_expires},
    {"api_key k", "created", "2027-01-31T00:00:01Z", "2027-02-30", "1801353601", read_key_created},
    {"api_key k", "ttl", "30d", "30", "2592000", read_key_ttl_s},
    {"api_key k", "disabled", "yes", "1", "1", read_key_disabled},
    {"credential c", "kind", "custom", "secret", "custom", read_credential_kind},
    {"credential c", "expires", "2027-01-31", "soon", "1801353600", read_credential_expires},
    {"credential c", "field", "pin /p", "pin", "pin=/p:2", read_place},
    {"credential c", "field", "pin p", "Pin p", "pin=/etc/x/p:2", read_place},
    {"credential c", "key_file", "s", "", "key=/etc/x/s:2", read_place},
    {"credential c", "password_file", "s", "", "password=/etc/x/s:2", read_place},
    {"credential c", "token_file", "s", "", "token=/etc/x/s:2", read_place},
    {"credential c", "secret_access_key_file", "s", "", "secret_access_key=/etc/x/s:2", read_place},
    {"credential c", "session_token_file", "s", "", "session_token=/etc/x/s:2", read_place},
    {"credential c", "client_secret_file", "s", "", "client_secret=/etc/x/s:2", read_place},
    {"credential c", "refresh_token_file", "s", "", "refresh_token=/etc/x/s:2", read_place},
    {"credential c", "header", "a b", "", "header=a b:2", read_place},
    {"credential c", "username", "a b", "", "username=a b:2", read_place},
    {"credential c", "access_key_id", "a b", "", "access_key_id=a b:2", read_place},
    {"credential c", "region", "a b", "", "region=a b:2", read_place},
    {"credential c", "endpoint", "a b", "", "endpoint=a b:2", read_place},
    {"credential c", "issuer", "a b", "", "issuer=a b:2", read_place},
    {"credential c", "client_id", "a b", "", "client_id=a b:2", read_place},
    {"credential c", "scope", "a b", "", "scope=a b:2", read_place},
};

static const struct key_case client_cases[] = {
    {"profile p", "server", "me@host:22", "me@", "me@host:22", read_p_server},
    {"profile p", "identity", "~/.ssh/id", "", "/home/me/.ssh/id", read_p_identity},
    {"profile p", "certificate", "c.pub", "", "/etc/x/c.pub", read_p_certificate},
    {"profile p", "open_timeout", "1m", "2h", "60", read_p_open_timeout},
    {"profile p", "transport", "tls", "dns", "1", read_p_transport},
    {"profile p", "tls_ca", "ca.pem", "", "/etc/x/ca.pem", read_p_tls_ca},
    {"profile p", "tls_pin", PIN, "sha256//short", PIN, read_p_tls_pin},
    {"profile p", "tls_server_name", "a.test", "a b", "a.test", read_p_tls_server_name},
    {"profile p", "insecure", "yes", "1", "1", read_p_insecure},
    {"profile p", "status", "yes", "1", "1", read_p_status},
    {"profile p", "known_hosts", "hosts", "", "/etc/x/hosts", read_p_known_hosts},
    {"profile p", "accept_new", "yes", "true", "1", read_p_accept_new},
    {"profile p", "host_key_fingerprint", PRINT, "MD5:1", PRINT, read_p_fingerprint},
    {"profile p", "socks5", "127.0.0.1:1", "x", "127.0.0.1:1", read_p_socks5},
    {"profile p", "socks5", "none", "no", "none", read_p_socks5},
    {"profile p", "socks5_user", "a:f", "a", "a:/etc/x/f", read_p_socks5_user},
    {"profile p", "http_proxy", "[::1]:8", "8", "[::1]:8", read_p_http_proxy},
    {"profile p", "forward", "1:h:2", "1:h", "1:h:2", read_p_forward},
    {"profile p", "remote_forward", "1:h:2", "1:h:0", "1:h:2", read_p_remote_forward},
    {"profile p", "jump", "a@h:2,i", "a@h:2,,i", "a@h:2,i", read_p_jump},
    {"profile p", "connect_timeout", "15s", "15", "15", read_p_connect_timeout},
    {"profile p", "keepalive", "2m", "m", "120", read_p_keepalive},
    {"profile p", "rekey", "1d", "25h", "86400", read_p_rekey},
    {"profile p", "proxy", "http://a:b@h:1", "http://h", "http://a:b@h:1", read_p_proxy},
    {"profile p", "log_level", "error", "err", "error", read_p_log_level},
    {"profile p", "log_format", "journal", "syslog", "journal", read_p_log_format},
};

/* What else a section must have. */
static const char *needed(const struct key_case *k)
{
    if (strcmp(k->section, "tls") == 0)
        return strcmp(k->key, "cert") == 0 ? "key = k\n" : "cert = c\n";
    if (strcmp(k->key, "transport") == 0 && strcmp(k->section, "profile p") != 0)
        return "listen = *:1\n"; /* each section must have its own */
    if (strcmp(k->section, "credential c") == 0)
        return strcmp(k->key, "kind") == 0 ? "" : "kind = custom\n";
    if (strcmp(k->section, "api_key k") != 0 || strcmp(k->key, "hash") == 0)
        return "";
    return strcmp(k->key, "ttl") == 0 ? "hash = " HASH "\ncreated = 2026-01-01\n"
                                      : "hash = " HASH "\n";
}

static void check_key(enum alk_config_kind kind, const struct key_case *k)
{
    char text[512], read[128] = "";

    snprintf(text, sizeof(text), "[%s]\n%s = %s\n%s", k->section, k->key, k->good, needed(k));
    struct alk_config *config = parse(kind, text);
    assert_clean(config);
    k->read(config, read, sizeof(read));
    assert_string_equal(read, k->reads);
    alk_config_free(config);

    snprintf(text, sizeof(text), "[%s]\n%s = %s\n%s", k->section, k->key, k->bad, needed(k));
    config = parse(kind, text);
    if (alk_config_fault_count(config) != 1)
        fail_msg("%s = %s: %zu faults", k->key, k->bad, alk_config_fault_count(config));
    assert_non_null(strstr(alk_config_fault(config, 0), "/etc/x/a.conf:2: "));
    alk_config_free(config);

    snprintf(text, sizeof(text), "[%s]\n%s = %s\n\n%s = %s\n%s", k->section, k->key, k->good,
             k->key, k->good, needed(k));
    config = parse(kind, text);
    bool repeats = strstr(k->key, "forward") != NULL || strcmp(k->key, "rule") == 0 ||
                   strcmp(k->key, "jump") == 0;
    assert_int_equal(alk_config_fault_count(config), repeats ? 0 : 1);
    if (!repeats)
        assert_non_null(strstr(alk_config_fault(config, 0), "a.conf:4: "));
    alk_config_free(config);
}

static void test_each_key(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(server_cases) / sizeof(server_cases[0]); i++)
        check_key(ALK_CONFIG_SERVER, &server_cases[i]);
    for (size_t i = 0; i < sizeof(client_cases) / sizeof(client_cases[0]); i++)
        check_key(ALK_CONFIG_CLIENT, &client_cases[i]);
}

/* What an unknown key is answered with names all keys of the section: none is missing above. */
static void check_all_known(enum alk_config_kind kind, const char *section,
                            const struct key_case *cases, size_t count)
{
    /* stealth is tested below, with the transport that it needs */
    static const char absent[] = " stealth tls database interface peer iroh_relay "
                                 "ssh_engine ";
    char text[64], padded[80];

    snprintf(text, sizeof(text), "[%s]\nnonsense = 1\n", section);
    struct alk_config *config = parse(kind, text);
    char *names =
        strdup(strstr(alk_config_fault(config, alk_config_fault_count(config) - 1), "it has ") + 7);
    for (char *name = strtok(names, ", "); name != NULL; name = strtok(NULL, ", ")) {
        bool found = false;
        for (size_t i = 0; i < count; i++)
            found |= strcmp(cases[i].section, section) == 0 && strcmp(cases[i].key, name) == 0;
        snprintf(padded, sizeof(padded), " %s ", name);
        if (!found && strstr(absent, padded) == NULL)
            fail_msg("[%s] %s is not tested", section, name);
    }
    free(names);
    alk_config_free(config);
}

static void test_no_key_is_untested(void **state)
{
    static const char *const sections[] = {"server",    "listener one", "auth",
                                           "limits",    "auth.token",   "forwarding",
                                           "api_key k", "tls",          "credential c"};
    size_t servers = sizeof(server_cases) / sizeof(server_cases[0]);
    size_t clients = sizeof(client_cases) / sizeof(client_cases[0]);

    (void)state;
    for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++)
        check_all_known(ALK_CONFIG_SERVER, sections[i], server_cases, servers);
    check_all_known(ALK_CONFIG_CLIENT, "profile p", client_cases, clients);
}

/* ---- what this build does not have ---- */

static void test_absent_features_are_refused(void **state)
{
    static const char *const server[] = {
        "[listener a]\nlisten = *:1\ntransport = iroh\n",
        "[listener a]\nlisten = *:1\ntransport = http\n",
        "[listener a]\nlisten = *:1\ntransport = dns\n",
        "[listener a]\nlisten = *:1\ninterface = raw\n",
        "[listener a]\nlisten = *:1\ntls = yes\n",
        "[auth]\ndatabase = /x\n",
    };
    static const char *const client[] = {
        "transport = iroh",
        "peer = x",
        "iroh_relay = x",
    };
    char text[128];

    (void)state;
    for (size_t i = 0; i < sizeof(server) / sizeof(server[0]); i++)
        expect(ALK_CONFIG_SERVER, server[i], FAULTS("this build does not have"));
    for (size_t i = 0; i < sizeof(client) / sizeof(client[0]); i++) {
        snprintf(text, sizeof(text), "[profile p]\n%s\n", client[i]);
        expect(ALK_CONFIG_CLIENT, text, FAULTS("this build does not have"));
    }
    expect(ALK_CONFIG_CLIENT, "[profile p]\nssh_engine = libssh2\n", FAULTS(NULL));
    expect(ALK_CONFIG_CLIENT, "[profile p]\nssh_engine = native\n", FAULTS(NULL));
    expect(ALK_CONFIG_CLIENT, "[profile p]\nssh_engine = openssh\n",
           FAULTS("2: ssh_engine wants native or libssh2, not 'openssh'"));
    expect(ALK_CONFIG_SERVER,
           "[listener a]\nlisten = *:1\ntransport = tcp\ninterface = ssh\nstealth = no\ntls = no\n",
           FAULTS(NULL));
    expect(ALK_CONFIG_SERVER, "[listener a]\nlisten = *:1\nstealth = yes\n",
           FAULTS("stealth needs transport = tls"));
    expect(ALK_CONFIG_SERVER, "[listener a]\nlisten = *:1\nstealth = yes\ntransport = tls\n",
           FAULTS(NULL));
    expect(ALK_CONFIG_SERVER, "[listener a]\nlisten = *:1\ntransport = smoke\n",
           FAULTS("3: transport wants tcp"));
}

/* ---- credentials ---- */

static void test_what_each_kind_of_credential_needs(void **state)
{
    (void)state;
    expect(ALK_CONFIG_SERVER,
           "[credential a]\n"              /* 1 */
           "[credential b]\n"              /* 2 */
           "kind = basic\n"                /* 3 */
           "token_file = t\n"              /* 4 */
           "[credential c]\n"              /* 5 */
           "kind = s3\n"                   /* 6 */
           "access_key_id = AK\n"          /* 7 */
           "secret_access_key = hunter2\n" /* 8 */
           "[credential d]\n"              /* 9 */
           "kind = custom\n"               /* 10 */
           "field = one 1\n"               /* 11 */
           "field = one 2\n"               /* 12 */
           "username = me\n"               /* 13 */
           "field = username 3\n",         /* 14 */
           FAULTS("conf:1: [credential a] has no kind", "conf:2: [credential b] has no username",
                  "conf:2: [credential b] has no password_file",
                  "conf:4: a credential of kind basic has no field token",
                  "conf:5: [credential c] has no secret_access_key_file",
                  "conf:8: secret_access_key is a secret",
                  "conf:12: the field one is there already, in line 11",
                  "conf:14: the field username is there already, in line 13"));
    struct alk_config *config =
        parse(ALK_CONFIG_SERVER, "[credential a]\nkind = bearer\ntoken = hunter2\n"
                                 "[credential b]\nkind = bearer\ntoken_file = t\n");
    assert_null(strstr(alk_config_fault(config, 1), "hunter2"));
    const struct alk_config_server *server = alk_config_server(config);
    assert_int_equal(server->options.credential_count, 2);
    assert_string_equal(server->options.credentials[1].service, "b");
    assert_int_equal(server->options.credentials[1].place_count, 1);
    assert_int_equal(server->options.credentials[1].line, 4);
    alk_config_free(config);
}

static void test_a_credential_has_a_bound(void **state)
{
    char text[2048] = "[credential a]\nkind = custom\n";

    (void)state;
    for (int i = 0; i <= ALK_CREDENTIAL_FIELDS_MAX; i++)
        sprintf(text + strlen(text), "field = f%d p\n", i);
    expect(ALK_CONFIG_SERVER, text, FAULTS("conf:35: there are more than 32 fields"));
}

/* ---- the format ---- */

static void test_all_faults_in_one_run(void **state)
{
    (void)state;
    expect(ALK_CONFIG_SERVER,
           "stray = 1\n"                /* 1 */
           "[server]\n"                 /* 2 */
           "workers = lots\n"           /* 3 */
           "no equals sign\n"           /* 4 */
           "wrokers = 3\n"              /* 5 */
           "= 7\n"                      /* 6 */
           "user =\n"                   /* 7 */
           "  keepalive = 30s\n"        /* 8 */
           "[sevrer]\n"                 /* 9 */
           "keepalive = bad\n"          /* 10: of no section: told with its header */
           "[listener]\n"               /* 11 */
           "[listener a b]\n"           /* 12 */
           "[server]\n"                 /* 13 */
           "[listener two]\n"           /* 14 */
           "[auth\n"                    /* 15 */
           "authorized_keys = x\n"      /* 16 */
           "[auth] trailing\n"          /* 17 */
           "[auth]\n"                   /* 18 */
           "authorized_keys = a # b\n", /* 19 */
           FAULTS("conf:1: stray stands before", "conf:3: workers wants",
                  "conf:4: the line is neither",
                  "conf:5: [server] has no key wrokers; it has host_key, generate_key, workers",
                  "conf:6: there is no key before", "conf:7: user has no value",
                  "conf:8: the line begins with a blank", "conf:9: there is no section [sevrer]",
                  "conf:11: [listener] wants a name", "conf:12: [listener a b] wants a name",
                  "conf:13: [server] is there already, in line 2",
                  "conf:14: [listener two] has no listen", "conf:15: the section's ] is missing",
                  "conf:17: there is text behind", "conf:19: authorized_keys: a comment"));
}

static void test_line_forms(void **state)
{
    struct alk_config *config;

    (void)state;
    /* a byte order mark, CR LF, comments, blanks, a colon, no newline at the end */
    config = parse(ALK_CONFIG_SERVER, "\xef\xbb\xbf; comment\r\n# comment\r\n\r\n[server] ; c\r\n"
                                      "workers=3;x\r\n\t \r\nuser : joe ; the user\r\n"
                                      "keepalive = 1m");
    assert_faults(config, FAULTS("conf:5: workers wants"));
    assert_string_equal(alk_config_server(config)->user, "joe");
    assert_int_equal(alk_config_server(config)->options.keepalive_s, 60);
    alk_config_free(config);
    expect(ALK_CONFIG_SERVER, "", FAULTS(NULL));
    expect(ALK_CONFIG_SERVER, "\n\n", FAULTS(NULL));
    expect(ALK_CONFIG_SERVER, "[server]\nuser = a\rb\n", FAULTS("2: the line holds a control"));
    expect(ALK_CONFIG_SERVER, "[server]\nuser = a\x1b[2J\n", FAULTS("byte 0x1b"));
}

static void test_nul_bytes_end_nothing(void **state)
{
    static const char text[] = "[server]\nuser = a\0b\nworkers = none\n";
    struct alk_config *config = parse_len(ALK_CONFIG_SERVER, text, sizeof(text) - 1);

    (void)state;
    assert_faults(config,
                  FAULTS("2: the line holds a control character (byte 0x00)", "3: workers wants"));
    alk_config_free(config);
}

/* A line of len bytes that names a user. */
static struct alk_config *with_line(size_t len)
{
    char *text = malloc(len + 64);
    size_t begin = (size_t)sprintf(text, "[server]\n");

    memset(text + begin, 'u', len);
    memcpy(text + begin, "user = ", 7);
    strcpy(text + begin + len, "\nworkers = 3\n");
    struct alk_config *config = parse(ALK_CONFIG_SERVER, text);
    free(text);
    return config;
}

static void test_long_lines_are_whole_or_a_fault(void **state)
{
    struct alk_config *config = with_line(16384);

    (void)state;
    assert_clean(config);
    assert_int_equal(strlen(alk_config_server(config)->user), 16384 - 7);
    alk_config_free(config);
    config = with_line(16385);
    assert_faults(config, FAULTS("conf:2: the line is longer than 16384 bytes"));
    assert_int_equal(alk_config_server(config)->options.workers, 3);
    alk_config_free(config);
}

static void test_long_section_names_are_a_fault(void **state)
{
    (void)state;
    expect(ALK_CONFIG_SERVER,
           "[listener 01234567890123456789012345678901234567890123456789]\nlisten = *:1\n",
           FAULTS("1: the section's name is longer than 49 bytes"));
}

static void test_lists(void **state)
{
    struct alk_config *config =
        parse(ALK_CONFIG_SERVER, "[listener b]\nlisten = 127.0.0.1:1 ,\t[::1]:2,unix:/x y\n"
                                 "[listener a]\nlisten = *:3\n");
    const struct alk_config_server *s = alk_config_server(config);

    (void)state;
    assert_clean(config);
    assert_int_equal(s->listener_count, 2);
    assert_string_equal(s->listeners[0].name, "b");
    assert_int_equal(s->listeners[0].listen_count, 3);
    assert_string_equal(s->listeners[0].listen[1], "[::1]:2");
    assert_string_equal(s->listeners[0].listen[2], "unix:/x y");
    assert_string_equal(s->listeners[1].listen[0], "*:3");
    alk_config_free(config);
}

static void test_many_faults_are_cut_openly(void **state)
{
    char *text = malloc(64 * 1024), *at = text;

    (void)state;
    for (int i = 0; i < 3000; i++)
        at += sprintf(at, "nonsense\n");
    struct alk_config *config = parse(ALK_CONFIG_SERVER, text);
    size_t count = alk_config_fault_count(config);
    assert_int_equal(count, ALK_CONFIG_FAULTS_MAX + 1);
    assert_non_null(strstr(alk_config_fault(config, count - 1), "there are more faults"));
    alk_config_free(config);
    free(text);
}

/* ---- values ---- */

static void test_values(void **state)
{
    uint64_t v;

    (void)state;
    assert_true(alk_value_duration("30d", &v) && v == 30 * 86400);
    assert_true(alk_value_duration("12h", &v) && v == 12 * 3600);
    assert_false(alk_value_duration("1.5h", &v) || alk_value_duration("-1s", &v) ||
                 alk_value_duration("s", &v) || alk_value_duration("1S", &v) ||
                 alk_value_duration("18446744073709551615d", &v) ||
                 alk_value_duration("99999999999999999999s", &v));
    assert_true(alk_value_size("64KB", &v) && v == 65536);
    assert_true(alk_value_size("512MB", &v) && v == 512ULL << 20);
    assert_true(alk_value_size("1B", &v) && v == 1);
    assert_false(alk_value_size("64", &v) || alk_value_size("64K", &v) ||
                 alk_value_size("64 KB", &v) || alk_value_size("99999999999999GB", &v));
    assert_true(alk_value_rate("10MB/s", &v) && v == 10ULL << 20);
    assert_false(alk_value_rate("10MB", &v) || alk_value_rate("10/s", &v));
    assert_true(alk_value_time("2027-01-31", &v) && v == 1801353600);
    assert_true(alk_value_time("2027-01-31T00:00:01Z", &v) && v == 1801353601);
    assert_false(alk_value_time("2027-02-30", &v) || alk_value_time("31.1.2027", &v) ||
                 alk_value_time("2027-01-31 ", &v) || alk_value_time("20270131", &v));
}

/* ---- static and dynamic ---- */

struct told {
    char text[512];
};

static void tell(void *user, const char *setting)
{
    struct told *told = user;

    strcat(strcat(told->text, setting), ";");
}

static void test_static_differences(void **state)
{
    struct alk_config *a = parse(ALK_CONFIG_SERVER, "[server]\nworkers = 1\nuser = a\n"
                                                    "[listener x]\nlisten = *:1\n"
                                                    "[auth]\nauthorized_keys = /a\n");
    struct alk_config *b = parse(ALK_CONFIG_SERVER, "[auth]\nauthorized_keys = /b\n"
                                                    "[listener x]\nlisten = *:2\n"
                                                    "[server]\nworkers = 1\nkeepalive = 1m\n");
    struct told told = {""};

    (void)state;
    alk_config_static_differences(a, b, tell, &told);
    assert_string_equal(told.text, "[server] user;[listener x] listen;[server] keepalive;");
    told.text[0] = '\0';
    alk_config_static_differences(a, a, tell, &told);
    assert_string_equal(told.text, "");
    alk_config_free(a);
    alk_config_free(b);
}

/* ---- files ---- */

static void test_load_judges_the_file(void **state)
{
    struct scratch *scratch = *state;
    struct alk_config *config;
    struct alk_error error;

    scratch_write(scratch, "loose", "[server]\n", 9, 0666);
    assert_int_equal(
        alk_config_load(&config, ALK_CONFIG_SERVER, scratch_path(scratch, "loose"), NULL, &error),
        ALK_E_DENIED);
    assert_non_null(strstr(error.text, "chmod"));
    assert_null(config);
    assert_int_equal(
        alk_config_load(&config, ALK_CONFIG_SERVER, scratch_path(scratch, "absent"), NULL, &error),
        ALK_E_NOTFOUND);
}

static void test_files_that_are_named(void **state)
{
    struct scratch *scratch = *state;
    struct alk_config *config;
    struct alk_error error;

    scratch_run(scratch, NULL, 0,
                ARGV("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "loose"));
    scratch_run(scratch, NULL, 0,
                ARGV("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "good"));
    scratch_run(scratch, NULL, 0, ARGV("chmod", "644", "loose"));
    scratch_write(scratch, "keys", "\n", 1, 0666);
    scratch_text(scratch, "a.conf", "[server]\nhost_key = loose\n[auth]\nauthorized_keys = keys\n");
    assert_int_equal(
        alk_config_load(&config, ALK_CONFIG_SERVER, scratch_path(scratch, "a.conf"), NULL, &error),
        ALK_OK);
    assert_clean(config);
    assert_int_equal(alk_config_check_files(config), ALK_OK);
    assert_faults(config, FAULTS("a.conf:2: host_key: ", "a.conf:4: authorized_keys: "));
    alk_config_free(config);

    scratch_text(scratch, "b.conf",
                 "[server]\nhost_key = no/such/folder/key\ngenerate_key = yes\n");
    assert_int_equal(
        alk_config_load(&config, ALK_CONFIG_SERVER, scratch_path(scratch, "b.conf"), NULL, &error),
        ALK_OK);
    alk_config_check_files(config);
    assert_faults(config, FAULTS("b.conf:2: host_key: "));
    alk_config_free(config);

    scratch_text(scratch, "c.conf", "[profile p]\nidentity = good\n[profile q]\nidentity = no\n");
    assert_int_equal(
        alk_config_load(&config, ALK_CONFIG_CLIENT, scratch_path(scratch, "c.conf"), NULL, &error),
        ALK_OK);
    alk_config_check_files(config);
    assert_faults(config, FAULTS("c.conf:4: identity: "));
    alk_config_free(config);
}

static void test_files_of_credentials(void **state)
{
    static char half[ALK_CREDENTIAL_VALUE_MAX / 2 + 1];
    struct scratch *scratch = *state;
    struct alk_config *config;
    struct alk_error error;

    scratch_write(scratch, "good", "hunter2\n", 8, 0600);
    scratch_write(scratch, "loose", "hunter2\n", 8, 0640);
    scratch_write(scratch, "empty", "\n", 1, 0600);
    scratch_write(scratch, "nul", "hunter2\0\n", 9, 0600);
    memset(half, 'x', sizeof(half));
    scratch_write(scratch, "half", half, sizeof(half), 0600);
    scratch_text(scratch, "a.conf",
                 "[credential a]\nkind = bearer\ntoken_file = loose\n"
                 "[credential b]\nkind = custom\nfield = a absent\nfield = b empty\n"
                 "field = c nul\nfield = d good\nfield = e .\n");
    assert_int_equal(
        alk_config_load(&config, ALK_CONFIG_SERVER, scratch_path(scratch, "a.conf"), NULL, &error),
        ALK_OK);
    assert_int_equal(alk_config_check_files(config), ALK_OK);
    assert_faults(config, FAULTS("a.conf:3: token_file: the secret", "a.conf:6: field: ",
                                 "a.conf:7: field: ", "a.conf:8: field: ", "a.conf:10: field: "));
    assert_non_null(strstr(alk_config_fault(config, 0), "chmod 600 "));
    alk_config_free(config);

    scratch_text(scratch, "b.conf",
                 "[credential a]\nkind = bearer\ntoken_file = half\n"
                 "[credential b]\nkind = custom\nfield = a half\n"
                 "field = b half\n");
    assert_int_equal(
        alk_config_load(&config, ALK_CONFIG_SERVER, scratch_path(scratch, "b.conf"), NULL, &error),
        ALK_OK);
    assert_int_equal(alk_config_check_files(config), ALK_OK);
    assert_faults(config, FAULTS("b.conf:4: credential b: "));
    alk_config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_key),
        cmocka_unit_test(test_no_key_is_untested),
        cmocka_unit_test(test_absent_features_are_refused),
        cmocka_unit_test(test_what_each_kind_of_credential_needs),
        cmocka_unit_test(test_a_credential_has_a_bound),
        cmocka_unit_test(test_all_faults_in_one_run),
        cmocka_unit_test(test_line_forms),
        cmocka_unit_test(test_nul_bytes_end_nothing),
        cmocka_unit_test(test_long_lines_are_whole_or_a_fault),
        cmocka_unit_test(test_long_section_names_are_a_fault),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_many_faults_are_cut_openly),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_static_differences),
        cmocka_unit_test_setup_teardown(test_load_judges_the_file, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(test_files_that_are_named, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(test_files_of_credentials, scratch_make, scratch_remove),
    };

    if (alk_crypto_init() != ALK_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
