/* What an authorised key may do: log in from an address, open a channel, listen. */
#include "auth/pattern.h"

#include <alk/authorized_keys.h>

#include <stdlib.h>
#include <string.h>
#include <strings.h>

bool alk_authorized_key_admits(const struct alk_authorized_key *key, const char *address,
                               uint64_t now_unix)
{
    if (key->expiry != 0 && now_unix > key->expiry)
        return false;
    return key->from == NULL || alk_address_list_admits(key->from, address);
}

/* An entry "host:port", taken apart; brackets are off. */
struct permit {
    const char *host;
    size_t host_len;
    const char *port;
};

static struct permit split(const char *entry)
{
    const char *colon = strrchr(entry, ':');
    struct permit permit = {.host = entry, .host_len = (size_t)(colon - entry), .port = colon + 1};

    if (entry[0] == '[') {
        permit.host++;
        permit.host_len -= 2;
    }
    return permit;
}

static bool port_matches(const struct permit *permit, unsigned port)
{
    return strcmp(permit->port, "*") == 0 || strtoul(permit->port, NULL, 10) == port;
}

/* Literal, as sshd judges permitopen; "*" alone is any host. */
static bool host_equals(const struct permit *permit, const char *host)
{
    if (permit->host_len == 1 && permit->host[0] == '*')
        return true;
    return strlen(host) == permit->host_len &&
           strncasecmp(permit->host, host, permit->host_len) == 0;
}

bool alk_authorized_key_may_open(const struct alk_authorized_key *key, const char *host,
                                 unsigned port)
{
    if (!key->port_forwarding)
        return false;
    if (key->open == NULL)
        return true;
    for (size_t i = 0; i < key->open_count; i++) {
        struct permit permit = split(key->open[i]);
        /* a Unix socket is under no permit but the one for everything */
        if (port == 0 && strcmp(key->open[i], "*:*") != 0)
            continue;
        if (port_matches(&permit, port) && host_equals(&permit, host))
            return true;
    }
    return false;
}

bool alk_authorized_key_may_listen(const struct alk_authorized_key *key, const char *host,
                                   unsigned port)
{
    if (!key->port_forwarding)
        return false;
    if (key->listen == NULL)
        return true;
    if (port == 0 && strchr(host, '/') != NULL)
        return false;
    for (size_t i = 0; i < key->listen_count; i++) {
        struct permit permit = split(key->listen[i]);
        if (port_matches(&permit, port) && alk_pattern_matches(permit.host, permit.host_len, host))
            return true;
    }
    return false;
}
