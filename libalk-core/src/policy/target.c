/* What a client asks for, in its only spelling. */
#include "policy/rule.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void write_numeric(struct alk_policy_target *out, const char *zone)
{
    out->kind = ALK_POLICY_NUMERIC;
    inet_ntop(out->address.v6 ? AF_INET6 : AF_INET, out->address.bytes, out->host,
              sizeof(out->host));
    size_t len = strlen(out->host);
    snprintf(out->host + len, sizeof(out->host) - len, "%s", zone);
}

/* Every spelling of an address that the system takes. */
static bool numeric(struct alk_policy_target *out, const char *host)
{
    const char *zone = strchr(host, ':') != NULL ? strchr(host, '%') : NULL;
    size_t len = zone != NULL ? (size_t)(zone - host) : strlen(host);
    char plain[ALK_POLICY_HOST_MAX + 1];
    struct in_addr v4;

    memcpy(plain, host, len);
    plain[len] = '\0';
    if (alk_policy_address_parse(&out->address, plain)) {
        if (!out->listen)
            policy_any_to_loopback(&out->address);
        write_numeric(out, out->address.v6 && zone != NULL ? zone : "");
        return true;
    }
    if (zone != NULL || inet_aton(plain, &v4) == 0)
        return false;
    memcpy(out->address.bytes, &v4, sizeof(v4));
    if (!out->listen)
        policy_any_to_loopback(&out->address);
    write_numeric(out, "");
    return true;
}

int alk_policy_target_host(struct alk_policy_target *out, const char *host, unsigned long port)
{
    char name[ALK_POLICY_HOST_MAX + 1];

    memset(out, 0, sizeof(*out));
    if (port > UINT16_MAX || !policy_name(host, strnlen(host, ALK_POLICY_HOST_MAX + 2), name))
        return ALK_E_INVAL;
    out->port = (unsigned)port;
    if (policy_is_internal(name)) {
        out->kind = ALK_POLICY_INTERNAL;
        memcpy(out->host, name, sizeof(out->host));
        return ALK_OK;
    }
    if (numeric(out, name))
        return ALK_OK;
    if (strchr(name, ':') != NULL || policy_name_ends_in_number(name))
        return ALK_E_INVAL;
    out->kind = ALK_POLICY_NAME;
    memcpy(out->host, name, sizeof(out->host));
    return ALK_OK;
}

int alk_policy_target_path(struct alk_policy_target *out, const char *path)
{
    memset(out, 0, sizeof(*out));
    if (strnlen(path, sizeof(out->host)) == sizeof(out->host) || !policy_path_is_plain(path))
        return ALK_E_INVAL;
    out->kind = ALK_POLICY_PATH;
    memcpy(out->host, path, strlen(path) + 1);
    return ALK_OK;
}

int alk_policy_target_listen(struct alk_policy_target *out, const char *host, unsigned long port)
{
    char name[ALK_POLICY_HOST_MAX + 1];

    memset(out, 0, sizeof(*out));
    out->listen = true;
    if (host[0] == '\0' || strcmp(host, "*") == 0)
        host = "0.0.0.0";
    if (port > UINT16_MAX || !policy_name(host, strnlen(host, ALK_POLICY_HOST_MAX + 2), name))
        return ALK_E_INVAL;
    out->port = (unsigned)port;
    return numeric(out, strcmp(name, "localhost") == 0 ? "127.0.0.1" : name) ? ALK_OK : ALK_E_INVAL;
}

int alk_policy_target_listen_path(struct alk_policy_target *out, const char *path)
{
    int status = alk_policy_target_path(out, path);

    out->listen = true;
    return status;
}

/* ---- for people ---- */

/* "HOST:PORT" or "[V6]:PORT". */
static bool split(const char *text, char host[ALK_POLICY_HOST_MAX + 3], unsigned long *port)
{
    bool bracket = text[0] == '[';
    const char *end = strchr(text, bracket ? ']' : ':');
    const char *colon = end == NULL ? NULL : end + bracket;
    char *rest;

    if (colon == NULL || *colon != ':' || colon[1] < '0' || colon[1] > '9')
        return false;
    size_t len = (size_t)(end - text) - bracket;
    if (len > ALK_POLICY_HOST_MAX + 1)
        return false;
    memcpy(host, text + bracket, len);
    host[len] = '\0';
    *port = strtoul(colon + 1, &rest, 10);
    return *rest == '\0' && (!bracket || strchr(host, ':') != NULL);
}

int alk_policy_target_parse(struct alk_policy_target *out, const char *text,
                            struct alk_error *error)
{
    bool listen = strncasecmp(text, "listen:", 7) == 0;
    const char *rest = listen ? text + 7 : text;
    char host[ALK_POLICY_HOST_MAX + 3];
    unsigned long port;
    int status = ALK_E_INVAL;

    if (strncasecmp(rest, "unix:", 5) == 0)
        status = listen ? alk_policy_target_listen_path(out, rest + 5)
                        : alk_policy_target_path(out, rest + 5);
    else if (!listen && policy_is_internal(rest) && strchr(rest, ':') == NULL)
        status = alk_policy_target_host(out, rest, 0);
    else if (split(rest, host, &port))
        status = listen ? alk_policy_target_listen(out, host, port)
                        : alk_policy_target_host(out, host, port);
    if (status == ALK_OK)
        return ALK_OK;
    return alk_error_set(error, ALK_E_PARSE,
                         "\"%.300s\" is no target; write HOST:PORT, [IPV6]:PORT, unix:/PATH or "
                         "alknet-NAME, for a listener with listen: before it",
                         text);
}
