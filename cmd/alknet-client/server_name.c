#include "server_name.h"

#include "program.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *login_name(void)
{
    const struct passwd *me = getpwuid(getuid());

    return me != NULL ? me->pw_name : "alknet";
}

bool server_name_is_word(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)text[i] <= ' ' || text[i] == 0x7f)
            return false;
    }
    return true;
}

/* What stands before the last @, if there is one; *host behind it. False when it is unusable. */
static bool take_user(const char *text, const char **host, struct server_name *out)
{
    const char *at = strrchr(text, '@');

    *host = at == NULL ? text : at + 1;
    if (at == NULL) {
        snprintf(out->user, sizeof(out->user), "%s", login_name());
        return true;
    }
    if (at == text || (size_t)(at - text) >= sizeof(out->user))
        return false;
    memcpy(out->user, text, (size_t)(at - text));
    out->user[at - text] = '\0';
    return true;
}

int server_name_parse(const char *given, size_t len, unsigned default_port, struct server_name *out)
{
    char text[sizeof(out->user) + sizeof(out->host) + 16];
    const char *host, *port = NULL, *colon;

    if (len >= sizeof(text))
        return program_usage("the name of a server is too long");
    memcpy(text, given, len);
    text[len] = '\0';
    if (strstr(text, "://") != NULL) /* not repeated: it may hold a password */
        return program_usage(
            "a server is named by [user@]host[:port], not by a URL; a proxy on the "
            "way to it by --proxy");
    if (!take_user(text, &host, out))
        return program_usage("'%s' has no usable user name before the @", program_shown(text));
    size_t host_len = strlen(host);
    if (host[0] == '[') {
        const char *end = strchr(host, ']');
        if (end == NULL || (end[1] != '\0' && end[1] != ':'))
            return program_usage("'%s' is not [user@]host[:port]", program_shown(text));
        port = end[1] == ':' ? end + 2 : NULL;
        host++;
        host_len = (size_t)(end - host);
    } else if ((colon = strchr(host, ':')) != NULL && colon == strrchr(host, ':')) {
        port = colon + 1;
        host_len = (size_t)(colon - host);
    }
    if (host_len == 0 || host_len >= sizeof(out->host) || !server_name_is_word(host, host_len))
        return program_usage("'%s' names no server: use [user@]host[:port]", program_shown(text));
    memcpy(out->host, host, host_len);
    out->host[host_len] = '\0';
    out->port = default_port;
    return port == NULL || program_number("the server's port", port, 1, 65535, &out->port)
               ? -1
               : EXIT_USAGE;
}
