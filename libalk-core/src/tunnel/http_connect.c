#include "tunnel/http_connect.h"

#include <alk/status.h>

#include <stdio.h>
#include <string.h>

/* Where in the request the next byte stands. */
enum place {
    REQUEST_LINE,
    REQUEST_LINE_CR, /* behind the CR that ends it */
    LINE_START,      /* of a header, or the empty line */
    NAME,
    VALUE,
    VALUE_CR,
    END_CR,
    DONE,
};

static const char METHOD[] = "CONNECT ";

void alk_http_connect_init(struct alk_http_connect *http)
{
    memset(http, 0, sizeof(*http));
}

static bool is_token(uint8_t byte) /* RFC 9110 section 5.6.2 */
{
    return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
           (byte >= 'A' && byte <= 'Z') || (byte != 0 && strchr("!#$%&'*+-.^_`|~", byte) != NULL);
}

static bool is_text(uint8_t byte)
{
    return byte == '\t' || (byte >= ' ' && byte != 0x7f);
}

/* ---- the request line --------------------------------------------------------- */

static bool parse_authority(struct alk_http_connect *http, const char *text)
{
    struct alk_endpoint endpoint;

    if (!alk_endpoint_parse_host(text, &endpoint) || endpoint.port == 0 ||
        strpbrk(endpoint.host, "@/?#\\") != NULL)
        return false;
    memcpy(http->host, endpoint.host, sizeof(http->host));
    http->port = endpoint.port;
    return true;
}

/* 0, or the status that refuses it. */
static int judge_line(struct alk_http_connect *http)
{
    static const char version[] = " HTTP/1.";
    char *line = http->line;
    size_t method = 0;

    while (is_token((uint8_t)line[method]))
        method++;
    if (method == 0 || line[method] != ' ')
        return 400;
    if (strncmp(line, METHOD, strlen(METHOD)) != 0)
        return 405;
    char *space = strchr(line + strlen(METHOD), ' ');
    if (space == NULL || strncmp(space, version, strlen(version)) != 0)
        return 400;
    const char *minor = space + strlen(version);
    if (minor[0] < '0' || minor[0] > '9' || minor[1] != '\0')
        return 400;
    *space = '\0';
    return parse_authority(http, line + strlen(METHOD)) ? 0 : 400;
}

static enum place end_of_line(struct alk_http_connect *http)
{
    size_t kept = http->line_len < ALK_HTTP_LINE_KEPT ? http->line_len : ALK_HTTP_LINE_KEPT;

    http->line[kept] = '\0';
    http->status = judge_line(http);
    return LINE_START;
}

/* ---- byte by byte --------------------------------------------------------------- */

/* A malformed byte: there is no telling where the request ends, so it ends here. */
static enum place malformed(struct alk_http_connect *http)
{
    http->status = 400;
    return DONE;
}

static enum place in_request_line(struct alk_http_connect *http, uint8_t byte)
{
    if (byte == '\r')
        return REQUEST_LINE_CR;
    if (byte == '\n')
        return end_of_line(http);
    if (!is_text(byte))
        return malformed(http);
    if (http->line_len < ALK_HTTP_LINE_KEPT)
        http->line[http->line_len] = (char)byte;
    http->line_len++;
    return REQUEST_LINE;
}

static enum place at_line_start(struct alk_http_connect *http, uint8_t byte)
{
    if (byte == '\r')
        return END_CR;
    if (byte == '\n')
        return DONE;
    return is_token(byte) ? NAME : malformed(http);
}

static enum place in_value(struct alk_http_connect *http, uint8_t byte)
{
    if (byte == '\r')
        return VALUE_CR;
    if (byte == '\n')
        return LINE_START;
    return is_text(byte) ? VALUE : malformed(http);
}

static enum place step(struct alk_http_connect *http, uint8_t byte)
{
    switch ((enum place)http->place) {
    case REQUEST_LINE:
        return in_request_line(http, byte);
    case REQUEST_LINE_CR:
        return byte == '\n' ? end_of_line(http) : malformed(http);
    case LINE_START:
        return at_line_start(http, byte);
    case NAME:
        return byte == ':' ? VALUE : is_token(byte) ? NAME : malformed(http);
    case VALUE:
        return in_value(http, byte);
    case VALUE_CR:
        return byte == '\n' ? LINE_START : malformed(http);
    case END_CR:
        return byte == '\n' ? DONE : malformed(http);
    case DONE:
        break;
    }
    return DONE;
}

/* ---- replies ---------------------------------------------------------------------- */

static size_t refuse(int status, const char *why, uint8_t out[ALK_HTTP_REPLY_MAX])
{
    static const struct {
        int status;
        const char *phrase, *headers;
    } lines[] = {
        {400, "Bad Request", ""},
        {403, "Forbidden", ""},
        {405, "Method Not Allowed", "Allow: CONNECT\r\n"},
        {431, "Request Header Fields Too Large", ""},
        {502, "Bad Gateway", ""},
        {503, "Service Unavailable", ""},
        {504, "Gateway Timeout", ""},
    };
    size_t i = 0;

    while (lines[i].status != status)
        i++;
    int n = snprintf((char *)out, ALK_HTTP_REPLY_MAX,
                     "HTTP/1.1 %d %s\r\n%sContent-Type: text/plain\r\nContent-Length: %zu\r\n"
                     "Connection: close\r\n\r\n%s\n",
                     status, lines[i].phrase, lines[i].headers, strlen(why) + 1, why);
    return n < ALK_HTTP_REPLY_MAX ? (size_t)n : ALK_HTTP_REPLY_MAX - 1;
}

static const char *why_refused(int status)
{
    switch (status) {
    case 405:
        return "This proxy does CONNECT only.";
    case 431:
        return "The request is longer than 16 KiB.";
    default:
        return "Malformed request; expected CONNECT HOST:PORT HTTP/1.1.";
    }
}

enum alk_dialogue_state alk_http_connect_feed(struct alk_http_connect *http, const uint8_t *data,
                                              size_t len, size_t *consumed,
                                              uint8_t reply[ALK_HTTP_REPLY_MAX], size_t *reply_len)
{
    size_t i = 0;

    *reply_len = 0;
    while (i < len && http->state == ALK_DIALOGUE_MORE) {
        http->place = (int)step(http, data[i++]);
        if (++http->taken == ALK_HTTP_REQUEST_MAX && http->place != DONE) {
            http->status = 431;
            http->place = DONE;
        }
        if (http->place != DONE)
            continue;
        http->state = http->status == 0 ? ALK_DIALOGUE_REQUEST : ALK_DIALOGUE_FAILED;
        if (http->status != 0)
            *reply_len = refuse(http->status, why_refused(http->status), reply);
    }
    *consumed = i;
    return http->state;
}

size_t alk_http_connect_reply(int outcome, uint8_t reply[ALK_HTTP_REPLY_MAX])
{
    static const char established[] = "HTTP/1.1 200 Connection established\r\n\r\n";

    switch (outcome) {
    case ALK_OK:
        memcpy(reply, established, sizeof(established) - 1);
        return sizeof(established) - 1;
    case ALK_E_DENIED:
    case ALK_OPEN_PROHIBITED:
        return refuse(403, "The server does not permit this destination.", reply);
    case ALK_E_REFUSED:
    case ALK_E_UNREACHABLE:
    case ALK_E_RESOLVE:
        return refuse(502, alk_status_text(outcome), reply);
    case ALK_OPEN_CONNECT_FAILED:
        return refuse(502, "The server could not connect.", reply);
    case ALK_E_TIMEOUT:
        return refuse(504, alk_status_text(outcome), reply);
    default:
        return refuse(503, "The tunnel cannot serve this now.", reply);
    }
}
