#include "tunnel/forward_spec.h"

#include <alk/status.h>

#include <string.h>

static bool take_path(const char *text, size_t len, struct alk_endpoint *out)
{
    if (len < 1 || len > ALK_PATH_MAX)
        return false;
    out->is_path = true;
    memcpy(out->path, text, len);
    out->path[len] = '\0';
    return true;
}

static bool parse_target(const char *text, struct alk_endpoint *out)
{
    memset(out, 0, sizeof(*out));
    if (text[0] == '/')
        return take_path(text, strlen(text), out);
    return alk_endpoint_parse_host(text, out) && out->port != 0;
}

/* BIND, up to its colon, which is returned; NULL when there is none. */
static const char *take_bind(const char *text, struct alk_endpoint *out)
{
    bool bracket = text[0] == '[';
    const char *host = text + bracket;
    const char *end = strchr(host, bracket ? ']' : ':');

    if (end == NULL || end[bracket] != ':')
        return NULL;
    size_t len = (size_t)(end - host);
    if (len == 0 && !bracket) {
        strcpy(out->host, "*");
        return end;
    }
    if (!alk_host_valid(host, len) || (bracket && memchr(host, ':', len) == NULL))
        return NULL;
    memcpy(out->host, host, len);
    out->host[len] = '\0';
    return end + bracket;
}

/* PORT, up to its colon, which is returned. */
static const char *take_port(const char *text, struct alk_endpoint *out)
{
    const char *colon = strchr(text, ':');

    if (colon == NULL || !alk_port_parse(text, (size_t)(colon - text), &out->port))
        return NULL;
    return colon;
}

static bool parse(const char *text, struct alk_forward_spec *out)
{
    struct alk_endpoint *listen = &out->listen;
    const char *colon;

    memset(out, 0, sizeof(*out));
    if (text[0] == '/') {
        colon = strchr(text, ':');
        return colon != NULL && take_path(text, (size_t)(colon - text), listen) &&
               parse_target(colon + 1, &out->target);
    }
    colon = take_port(text, listen);
    if (colon != NULL && parse_target(colon + 1, &out->target))
        return true;
    colon = take_bind(text, listen);
    if (colon != NULL)
        colon = take_port(colon + 1, listen);
    return colon != NULL && parse_target(colon + 1, &out->target);
}

int alk_forward_spec_parse(const char *text, enum alk_forward_direction direction,
                           struct alk_forward_spec *out, struct alk_error *error)
{
    if (!parse(text, out))
        return alk_error_set(error, ALK_E_PARSE,
                             "\"%.300s\" is not a forward%s; write [BIND:]PORT:HOST:PORT, where a "
                             "path may stand for either side",
                             alk_address_shown(text), alk_address_hint(text));
    if (direction == ALK_FORWARD_LOCAL && !out->listen.is_path && out->listen.port == 0)
        return alk_error_set(error, ALK_E_PARSE,
                             "\"%.300s\": a local forward listens on a port from 1 to 65535, as in "
                             "8080:HOST:PORT",
                             text);
    return ALK_OK;
}
