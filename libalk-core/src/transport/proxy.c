#include "transport/proxy.h"

#include <alk/status.h>

#include <sodium.h>
#include <string.h>
#include <strings.h>

static const struct {
    const char *scheme;
    enum alk_proxy_kind kind;
} schemes[] = {
    {"socks5://", ALK_PROXY_SOCKS5},
    {"socks5h://", ALK_PROXY_SOCKS5}, /* as curl says that names stay names */
    {"http://", ALK_PROXY_HTTP},
};

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Percent-decodes; false for a bad escape, an encoded NUL, or too much text. */
static bool decode(const char *text, size_t len, char out[ALK_PROXY_LOGIN_MAX + 1])
{
    size_t have = 0;

    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (c == '%') {
            int high = i + 2 < len ? hex(text[i + 1]) : -1, low = high >= 0 ? hex(text[i + 2]) : -1;
            if (low < 0 || high * 16 + low == 0)
                return false;
            c = (char)(high * 16 + low);
            i += 2;
        }
        if (have == ALK_PROXY_LOGIN_MAX)
            return false;
        out[have++] = c;
    }
    out[have] = '\0';
    return true;
}

/* What is wrong with "user:password", or NULL. */
static const char *parse_login(struct alk_proxy *proxy, const char *text, size_t len)
{
    const char *colon = memchr(text, ':', len);
    size_t user_len = colon != NULL ? (size_t)(colon - text) : len;

    if (!decode(text, user_len, proxy->user) || proxy->user[0] == '\0' ||
        (colon != NULL && !decode(colon + 1, len - user_len - 1, proxy->password)))
        return "its user and password are 1 to 255 bytes, with %XX for those that have a meaning "
               "in URLs";
    if (proxy->kind == ALK_PROXY_HTTP && strchr(proxy->user, ':') != NULL)
        return "a user of an HTTP proxy has no colon in its name";
    proxy->login = true;
    return NULL;
}

/* What is wrong with "[login@]host:port[/]", or NULL. */
static const char *parse_rest(struct alk_proxy *proxy, const char *rest)
{
    char address[ALK_HOST_MAX + 16];
    struct alk_endpoint endpoint;
    const char *at = strrchr(rest, '@');

    if (at != NULL) {
        const char *why = parse_login(proxy, rest, (size_t)(at - rest));
        if (why != NULL)
            return why;
        rest = at + 1;
    }
    size_t len = strlen(rest);
    if (len > 0 && rest[len - 1] == '/')
        len--;
    if (len < sizeof(address)) {
        memcpy(address, rest, len);
        address[len] = '\0';
    }
    if (len >= sizeof(address) || !alk_endpoint_parse_host(address, &endpoint) ||
        endpoint.port == 0)
        return "its end is not host:port";
    memcpy(proxy->host, endpoint.host, sizeof(proxy->host));
    proxy->port = endpoint.port;
    return NULL;
}

int alk_proxy_parse(const char *url, struct alk_proxy *out, struct alk_error *error)
{
    const char *why = "it begins with neither socks5:// nor http://";

    memset(out, 0, sizeof(*out));
    if (url == NULL || url[0] == '\0')
        return ALK_OK;
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        size_t len = strlen(schemes[i].scheme);
        if (strncasecmp(url, schemes[i].scheme, len) != 0)
            continue;
        out->kind = schemes[i].kind;
        why = parse_rest(out, url + len);
    }
    if (why == NULL)
        return ALK_OK;
    alk_proxy_wipe(out);
    return alk_error_set(error, ALK_E_PARSE,
                         "the proxy is not socks5://[user:password@]host:port or "
                         "http://[user:password@]host:port: %s",
                         why);
}

void alk_proxy_wipe(struct alk_proxy *proxy)
{
    sodium_memzero(proxy, sizeof(*proxy));
}
