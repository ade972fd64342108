#include "client/internal.h"

#include <alk/known_hosts.h>

#include <string.h>

static int judge_pin(const struct alk_client *client, const char *fingerprint,
                     struct alk_error *error)
{
    if (strcmp(client->fingerprint, fingerprint) == 0)
        return ALK_OK;
    return alk_error_set(
        error, ALK_E_HOSTKEY,
        "%s has the host key %s, not the pinned %s: either this is not your server "
        "or its key was changed",
        client->host, fingerprint, client->fingerprint);
}

static int meet(const struct alk_client *client, const uint8_t *blob, size_t len,
                const char *fingerprint, struct alk_error *error)
{
    if (!client->options.accept_new)
        return alk_error_set(
            error, ALK_E_HOSTKEY,
            "the host key of %s is not known: %s; compare it with the one that the server printed, "
            "then use --accept-new or --host-key-fingerprint",
            client->host, fingerprint);
    int status = alk_known_hosts_add(client->known_hosts, client->host, client->options.port, blob,
                                     len, error);
    if (status == ALK_OK)
        alk_log(client->options.log, ALK_LOG_INFO, "host key stored", "fingerprint", fingerprint,
                NULL);
    return status;
}

void trust_known_types(const struct alk_client *client, char types[TRUST_TYPES_SIZE])
{
    static const char *const all[] = {"ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384",
                                      "ecdsa-sha2-nistp521", "ssh-rsa"};
    struct alk_known_hosts *hosts;

    types[0] = '\0';
    if (client->known_hosts == NULL ||
        alk_known_hosts_load(&hosts, client->known_hosts, NULL) != ALK_OK)
        return;
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        if (!alk_known_hosts_has_type(hosts, client->host, client->options.port, all[i]))
            continue;
        if (types[0] != '\0')
            strcat(types, ",");
        strcat(types, all[i]);
    }
    alk_known_hosts_free(hosts);
}

/* The native engine knows one type, and what is on record of others says nothing about it. libssh2
 * asks for the types on record first, so a host that shows none of them has lost its key, or is
 * another host. */
static int judge_unknown(const struct alk_client *client, const uint8_t *blob, size_t len,
                         const char *fingerprint, struct alk_error *error)
{
    char types[TRUST_TYPES_SIZE] = "";

    if (client->options.engine == ALK_CLIENT_LIBSSH2)
        trust_known_types(client, types);
    if (types[0] == '\0')
        return meet(client, blob, len, fingerprint, error);
    return alk_error_set(error, ALK_E_HOSTKEY,
                         "the host key of %s has changed to %s, of another type than those in %s "
                         "(%s): someone may be intercepting the connection",
                         client->host, fingerprint, client->known_hosts, types);
}

static int judge_known(const struct alk_client *client, const uint8_t *blob, size_t len,
                       const char *fingerprint, struct alk_error *error)
{
    struct alk_known_hosts *hosts;
    unsigned line;
    int status = alk_known_hosts_load(&hosts, client->known_hosts, error);

    if (status != ALK_OK)
        return status;
    enum alk_host_trust trust =
        alk_known_hosts_check(hosts, client->host, client->options.port, blob, len, &line);
    alk_known_hosts_free(hosts);
    switch (trust) {
    case ALK_HOST_KNOWN:
        return ALK_OK;
    case ALK_HOST_UNKNOWN:
        return judge_unknown(client, blob, len, fingerprint, error);
    case ALK_HOST_REVOKED:
        return alk_error_set(error, ALK_E_HOSTKEY,
                             "the host key %s of %s is marked as revoked (%s line %u)", fingerprint,
                             client->host, client->known_hosts, line);
    case ALK_HOST_CHANGED:
        break;
    }
    return alk_error_set(error, ALK_E_HOSTKEY,
                         "the host key of %s has changed to %s: someone may be intercepting the "
                         "connection; if you know of the change, remove line %u of %s",
                         client->host, fingerprint, line, client->known_hosts);
}

int trust_judge(const struct alk_client *client, const uint8_t *blob, size_t len,
                struct alk_error *error)
{
    char fingerprint[ALK_FINGERPRINT_SIZE];

    alk_key_fingerprint(blob, len, fingerprint);
    if (client->fingerprint != NULL)
        return judge_pin(client, fingerprint, error);
    if (client->known_hosts == NULL)
        return alk_error_set(error, ALK_E_HOSTKEY,
                             "nothing vouches for the host key %s: name a known_hosts file or a "
                             "fingerprint",
                             fingerprint);
    return judge_known(client, blob, len, fingerprint, error);
}
