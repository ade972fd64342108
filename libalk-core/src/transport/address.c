#include "transport/address.h"

#include <alk/status.h>

#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

static const char UNIX_PREFIX[] = "unix:";

bool alk_host_valid(const char *host, size_t len)
{
    if (len < 1 || len > ALK_HOST_MAX)
        return false;
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)host[i] <= ' ' || host[i] == 0x7f)
            return false;
    }
    return true;
}

bool alk_port_parse(const char *text, size_t len, uint16_t *port)
{
    unsigned value = 0;

    if (len < 1 || len > 5)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        value = value * 10 + (unsigned)(text[i] - '0');
    }
    if (value > UINT16_MAX)
        return false;
    *port = (uint16_t)value;
    return true;
}

const char *alk_address_shown(const char *text)
{
    return strchr(text, '@') != NULL ? "..." : text;
}

const char *alk_address_hint(const char *text)
{
    while (*text != '\0') {
        size_t len = strcspn(text, ":"); /* groups of an IPv6 address have four digits at most */
        uint16_t port;
        if (len >= 5 && strspn(text, "0123456789") == len && !alk_port_parse(text, len, &port))
            return ": a port is 65535 at most";
        text += len + (text[len] == ':');
    }
    return "";
}

bool alk_endpoint_parse_host(const char *text, struct alk_endpoint *out)
{
    bool bracket = text[0] == '[';
    const char *host = text + bracket;
    const char *host_end = strchr(host, bracket ? ']' : ':');

    if (host_end == NULL)
        return false;
    const char *colon = host_end + bracket;
    size_t len = (size_t)(host_end - host);
    if (*colon != ':' || !alk_host_valid(host, len) ||
        !alk_port_parse(colon + 1, strlen(colon + 1), &out->port))
        return false;
    memcpy(out->host, host, len);
    out->host[len] = '\0';
    return !bracket || strchr(out->host, ':') != NULL;
}

int alk_endpoint_parse(const char *text, struct alk_endpoint *out, struct alk_error *error)
{
    memset(out, 0, sizeof(*out));
    if (strncmp(text, UNIX_PREFIX, strlen(UNIX_PREFIX)) == 0) {
        const char *path = text + strlen(UNIX_PREFIX);
        size_t len = strlen(path);
        if (len < 1 || len > ALK_PATH_MAX)
            return alk_error_set(error, ALK_E_PARSE,
                                 "\"%.64s\": the path of a Unix socket has 1 to %d bytes", text,
                                 (int)ALK_PATH_MAX);
        out->is_path = true;
        memcpy(out->path, path, len + 1);
        return ALK_OK;
    }
    if (!alk_endpoint_parse_host(text, out) || out->port == 0)
        return alk_error_set(
            error, ALK_E_PARSE,
            "\"%.300s\" is not an address%s; write HOST:PORT, [IPV6]:PORT or unix:PATH",
            alk_address_shown(text), alk_address_hint(text));
    return ALK_OK;
}

static int parse_listen_host(const struct alk_endpoint *endpoint, struct alk_address *out)
{
    const char *host = endpoint->host;

    if (strcmp(host, "localhost") == 0)
        host = "127.0.0.1";
    else if (strcmp(host, "*") == 0)
        host = "0.0.0.0";
    return alk_address_numeric(host, endpoint->port, out) ? ALK_OK : ALK_E_PARSE;
}

int alk_address_parse_listen(const char *text, struct alk_address *out, struct alk_error *error)
{
    struct alk_endpoint endpoint;

    memset(&endpoint, 0, sizeof(endpoint));
    if (strncmp(text, UNIX_PREFIX, strlen(UNIX_PREFIX)) == 0) {
        int r = alk_endpoint_parse(text, &endpoint, error);
        return r != ALK_OK ? r : alk_address_unix(endpoint.path, out);
    }
    if (!alk_endpoint_parse_host(text, &endpoint) || parse_listen_host(&endpoint, out) != ALK_OK)
        return alk_error_set(error, ALK_E_PARSE,
                             "cannot listen on \"%.300s\"%s; write a numeric ADDR:PORT such as "
                             "127.0.0.1:1080 or [::1]:1080, or unix:PATH",
                             alk_address_shown(text), alk_address_hint(text));
    return ALK_OK;
}

static bool numeric_v6(const char *host, struct sockaddr_in6 *out)
{
    char plain[INET6_ADDRSTRLEN];
    const char *scope = strchr(host, '%');
    size_t len = scope != NULL ? (size_t)(scope - host) : strlen(host);

    if (len >= sizeof(plain))
        return false;
    memcpy(plain, host, len);
    plain[len] = '\0';
    if (inet_pton(AF_INET6, plain, &out->sin6_addr) != 1)
        return false;
    if (scope != NULL)
        out->sin6_scope_id = if_nametoindex(scope + 1);
    return scope == NULL || out->sin6_scope_id != 0;
}

void alk_address_unmap(struct alk_address *address)
{
    const struct sockaddr_in6 v6 = address->sa.v6;

    if (v6.sin6_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr))
        return;
    memset(address, 0, sizeof(*address));
    address->len = sizeof(address->sa.v4);
    address->sa.v4.sin_family = AF_INET;
    address->sa.v4.sin_port = v6.sin6_port;
    memcpy(&address->sa.v4.sin_addr, &v6.sin6_addr.s6_addr[12], sizeof(struct in_addr));
}

bool alk_address_numeric(const char *host, uint16_t port, struct alk_address *out)
{
    memset(out, 0, sizeof(*out));
    if (inet_pton(AF_INET, host, &out->sa.v4.sin_addr) == 1) {
        out->len = sizeof(out->sa.v4);
        out->sa.any.sa_family = AF_INET;
    } else if (numeric_v6(host, &out->sa.v6)) {
        out->len = sizeof(out->sa.v6);
        out->sa.any.sa_family = AF_INET6;
    } else {
        return false;
    }
    alk_address_set_port(out, port);
    alk_address_unmap(out);
    return true;
}

bool alk_address_is_loopback(const struct alk_address *address)
{
    struct alk_address plain = *address;

    alk_address_unmap(&plain);
    if (plain.sa.any.sa_family == AF_INET)
        return ntohl(plain.sa.v4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    return plain.sa.any.sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&plain.sa.v6.sin6_addr);
}

int alk_address_unix(const char *path, struct alk_address *out)
{
    size_t len = strlen(path);

    if (len < 1 || len > ALK_PATH_MAX)
        return ALK_E_INVAL;
    memset(out, 0, sizeof(*out));
    out->sa.un.sun_family = AF_UNIX;
    memcpy(out->sa.un.sun_path, path, len + 1);
    out->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + 1);
    return ALK_OK;
}

static void v6_text(const struct sockaddr_in6 *v6, char *out, size_t size)
{
    char name[IF_NAMESIZE];

    if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
        inet_ntop(AF_INET, &v6->sin6_addr.s6_addr[12], out, (socklen_t)size);
        return;
    }
    inet_ntop(AF_INET6, &v6->sin6_addr, out, (socklen_t)size);
    if (v6->sin6_scope_id == 0)
        return;
    size_t len = strlen(out);
    if (if_indextoname(v6->sin6_scope_id, name) != NULL)
        snprintf(out + len, size - len, "%%%s", name);
}

void alk_address_host(const struct alk_address *address, char *out, size_t size)
{
    out[0] = '\0';
    if (address->sa.any.sa_family == AF_INET)
        inet_ntop(AF_INET, &address->sa.v4.sin_addr, out, (socklen_t)size);
    else if (address->sa.any.sa_family == AF_INET6)
        v6_text(&address->sa.v6, out, size);
}

uint16_t alk_address_port(const struct alk_address *address)
{
    if (address->sa.any.sa_family == AF_INET)
        return ntohs(address->sa.v4.sin_port);
    if (address->sa.any.sa_family == AF_INET6)
        return ntohs(address->sa.v6.sin6_port);
    return 0;
}

void alk_address_set_port(struct alk_address *address, uint16_t port)
{
    if (address->sa.any.sa_family == AF_INET)
        address->sa.v4.sin_port = htons(port);
    else if (address->sa.any.sa_family == AF_INET6)
        address->sa.v6.sin6_port = htons(port);
}

void alk_address_text(const struct alk_address *address, char out[ALK_ADDRESS_TEXT])
{
    char host[INET6_ADDRSTRLEN + IF_NAMESIZE + 1];

    if (address->sa.any.sa_family == AF_UNIX) {
        snprintf(out, ALK_ADDRESS_TEXT, "%s%s", UNIX_PREFIX, address->sa.un.sun_path);
        return;
    }
    alk_address_host(address, host, sizeof(host));
    snprintf(out, ALK_ADDRESS_TEXT, strchr(host, ':') != NULL ? "[%s]:%u" : "%s:%u", host,
             alk_address_port(address));
}
