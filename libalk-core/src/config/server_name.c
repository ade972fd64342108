/* [user@]host[:port] */
#include <alk/config.h>
#include <alk/status.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Bytes without a space or a control character. */
static bool is_word(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)text[i] <= ' ' || text[i] == 0x7f)
            return false;
    }
    return len > 0;
}

/* What stands before the last @, if there is one; *host behind it. */
static bool take_user(const char *text, const char **host, struct alk_server_name *out)
{
    const char *at = strrchr(text, '@');

    *host = at == NULL ? text : at + 1;
    out->user[0] = '\0';
    if (at == NULL)
        return true;
    if (at == text || (size_t)(at - text) >= sizeof(out->user))
        return false;
    memcpy(out->user, text, (size_t)(at - text));
    out->user[at - text] = '\0';
    return true;
}

/* The bounds of the host, and the text of the port or NULL. False for brackets that do not fit. */
static bool split(const char **host, size_t *host_len, const char **port)
{
    const char *colon = strchr(*host, ':');

    *port = NULL;
    *host_len = strlen(*host);
    if ((*host)[0] == '[') {
        const char *end = strchr(*host, ']');
        if (end == NULL || (end[1] != '\0' && end[1] != ':'))
            return false;
        *port = end[1] == ':' ? end + 2 : NULL;
        ++*host;
        *host_len = (size_t)(end - *host);
    } else if (colon != NULL && colon == strrchr(*host, ':')) {
        *port = colon + 1;
        *host_len = (size_t)(colon - *host);
    }
    return true;
}

static bool take_port(const char *text, unsigned *port)
{
    size_t digits = strspn(text, "0123456789");
    unsigned long number = digits > 0 && text[digits] == '\0' ? strtoul(text, NULL, 10) : 0;

    *port = number <= 65535 ? (unsigned)number : 0;
    return *port != 0;
}

int alk_server_name_parse(const char *given, size_t len, struct alk_server_name *out,
                          struct alk_error *error)
{
    char text[sizeof(out->user) + sizeof(out->host) + 16];
    const char *host, *port;
    size_t host_len;

    if (len >= sizeof(text))
        return alk_error_set(error, ALK_E_PARSE, "the name of a server is too long");
    memcpy(text, given, len);
    text[len] = '\0';
    if (strstr(text, "://") != NULL)
        return alk_error_set(
            error, ALK_E_PARSE,
            "a server is named by [user@]host[:port], not by a URL; a proxy on the "
            "way to it by --proxy");
    if (!take_user(text, &host, out))
        return alk_error_set(error, ALK_E_PARSE, "'%s' has no usable user name before the @", text);
    if (!split(&host, &host_len, &port))
        return alk_error_set(error, ALK_E_PARSE, "'%s' is not [user@]host[:port]", text);
    if (host_len >= sizeof(out->host) || !is_word(host, host_len))
        return alk_error_set(error, ALK_E_PARSE, "'%s' names no server: use [user@]host[:port]",
                             text);
    memcpy(out->host, host, host_len);
    out->host[host_len] = '\0';
    out->port = 0;
    if (port != NULL && !take_port(port, &out->port))
        return alk_error_set(error, ALK_E_PARSE,
                             "'%s': the server's port must be a number from 1 to 65535", text);
    return ALK_OK;
}
