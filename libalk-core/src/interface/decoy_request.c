/* The request line and the headers. What is wrong is noticed at the very character at which nginx
 * notices it, since it answers then and there. */
#include "interface/decoy_internal.h"

#include <string.h>

enum { SMALL_BUFFER = 1024, LARGE_BUFFERS = 4, HEADERS_MAX = 1000 };

enum {
    START,
    METHOD,
    BEFORE_URI,
    SCHEME,
    SCHEME_SLASH,
    SCHEME_SLASH_SLASH,
    HOST_START,
    HOST,
    HOST_LITERAL,
    HOST_END,
    PORT,
    URI,
    AFTER_URI,
    H,
    HT,
    HTT,
    HTTP,
    MAJOR_FIRST,
    MAJOR,
    MINOR_FIRST,
    MINOR,
    AFTER_VERSION,
    LINE_ALMOST_DONE,
    NAME_START, /* the headers */
    NAME,
    BEFORE_VALUE,
    VALUE,
    AFTER_VALUE,
    HEADER_ALMOST_DONE,
    ALMOST_OVER,
    OVER,
};

enum { PATH_USUAL, PATH_SLASH, PATH_DOT, PATH_DOT_DOT, PATH_CODE, PATH_CODE_SECOND };

static bool is_letter(unsigned char c)
{
    c |= 0x20;
    return c >= 'a' && c <= 'z';
}

static bool is_digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}

void decoy_request_begin(struct decoy_request *r)
{
    memset(r, 0, sizeof(*r));
    r->version = 1000;
    r->room = SMALL_BUFFER;
}

/* ---- the path ---- */

static int hex(unsigned char c)
{
    if (is_digit(c))
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The segment that the state says has ended. */
static void end_segment(struct decoy_path *p)
{
    if (p->state == PATH_USUAL)
        p->depth++;
    else if (p->state == PATH_DOT_DOT && p->depth-- == 0)
        p->is_bad = true;
}

static void take_code(struct decoy_path *p, unsigned char c)
{
    int digit = hex(c);

    if (digit < 0) {
        p->is_bad = true;
    } else if (p->state == PATH_CODE) {
        p->code = (unsigned)digit;
        p->state = PATH_CODE_SECOND;
        return;
    }
    p->code = p->code * 16 + (unsigned)(digit & 15);
    p->is_bad = p->is_bad || p->code == 0;
}

static void path_take(struct decoy_path *p, unsigned char c)
{
    bool decoded = false;

    if (p->is_bad || p->is_over)
        return;
    if (p->state == PATH_CODE || p->state == PATH_CODE_SECOND) {
        bool second = p->state == PATH_CODE_SECOND;
        take_code(p, c);
        if (!second || p->is_bad)
            return;
        c = (unsigned char)p->code;
        p->state = p->before_code;
        decoded = true;
    }
    if (!decoded && c == '%') {
        p->before_code = p->state;
        p->state = PATH_CODE;
        return;
    }
    if (!decoded && (c == '?' || c == '#')) {
        end_segment(p);
        p->is_over = true;
    } else if (c == '/') {
        end_segment(p);
        p->state = PATH_SLASH;
    } else if (c == '.' && p->state != PATH_USUAL) {
        p->state = p->state == PATH_SLASH ? PATH_DOT
                   : p->state == PATH_DOT ? PATH_DOT_DOT
                                          : PATH_USUAL;
    } else {
        p->state = PATH_USUAL;
    }
}

static void path_end(struct decoy_path *p)
{
    if (p->is_over)
        return;
    if (p->state == PATH_CODE || p->state == PATH_CODE_SECOND)
        p->is_bad = true;
    end_segment(p);
}

/* ---- the request line ---- */

static bool method_is(const char *line, size_t len, const char *method)
{
    return len == strlen(method) && memcmp(line, method, len) == 0;
}

static void end_method(struct decoy_request *r, const char *line)
{
    r->is_get = method_is(line, r->line_len, "GET");
    r->is_head = method_is(line, r->line_len, "HEAD");
    r->is_trace = method_is(line, r->line_len, "TRACE");
    r->is_connect = method_is(line, r->line_len, "CONNECT");
    r->state = BEFORE_URI;
}

static void end_line(struct decoy_request *r, const char *line)
{
    r->version = r->major * 1000 + r->minor;
    path_end(&r->path);
    if ((r->version == 9 && !r->is_get) || r->path.is_bad ||
        (r->host_end != 0 &&
         !decoy_host_is_valid(line + r->host_start, r->host_end - r->host_start)))
        r->error = 400;
    r->state = r->version == 9 ? OVER : NAME_START;
    r->line_len = 0;
}

/* A line without a version. */
static void end_short_line(struct decoy_request *r, const char *line, unsigned char c)
{
    r->major = 0;
    r->minor = 9;
    if (c == '\n')
        end_line(r, line);
    else
        r->state = LINE_ALMOST_DONE;
}

static void end_host(struct decoy_request *r, unsigned char c)
{
    if (r->state == HOST || r->state == HOST_END)
        r->host_end = r->line_len;
    if (c == ':' && r->state != PORT)
        r->state = PORT;
    else if (c == '/' || c == '?') {
        r->path.state = PATH_SLASH;
        r->path.is_over = c == '?';
        r->state = URI;
    } else if (c == ' ')
        r->state = AFTER_URI;
    else
        r->error = 400;
}

static void take_host(struct decoy_request *r, unsigned char c)
{
    static const char literal[] = ":-._~!$&'()*+,;=";

    if (r->state == HOST_START) {
        r->host_start = r->line_len;
        r->state = c == '[' ? HOST_LITERAL : HOST;
        if (c == '[')
            return;
    }
    if (r->state == HOST_LITERAL) {
        if (c == ']')
            r->state = HOST_END;
        else if (!is_letter(c) && !is_digit(c) && (c == '\0' || strchr(literal, c) == NULL))
            r->error = 400;
    } else if (r->state == PORT ? !is_digit(c)
                                : r->state == HOST_END ||
                                      (!is_letter(c) && !is_digit(c) && c != '.' && c != '-')) {
        end_host(r, c);
    }
}

static void take_uri(struct decoy_request *r, const char *line, unsigned char c)
{
    if (c == ' ')
        r->state = AFTER_URI;
    else if (c == '\r' || c == '\n')
        end_short_line(r, line, c);
    else if (c < 0x20 || c == 0x7f)
        r->error = 400;
    else
        path_take(&r->path, c);
}

static void take_before_uri(struct decoy_request *r, unsigned char c)
{
    if (c == '/') {
        r->path.state = PATH_SLASH;
        r->state = URI;
    } else if (is_letter(c)) {
        r->state = SCHEME;
    } else if (c != ' ') {
        r->error = 400;
    }
}

static void take_scheme(struct decoy_request *r, unsigned char c)
{
    if (r->state == SCHEME && (is_letter(c) || is_digit(c) || c == '+' || c == '-' || c == '.'))
        return;
    if (c != (r->state == SCHEME ? ':' : '/'))
        r->error = 400;
    r->state++;
}

static void take_version(struct decoy_request *r, const char *line, unsigned char c)
{
    bool digit = is_digit(c);

    if (r->state == MAJOR_FIRST) {
        r->major = c - 48U;
        if (c < '1' || c > '9')
            r->error = 400;
        else if (r->major > 1)
            r->error = 505;
        r->state = MAJOR;
    } else if (r->state == MAJOR && digit) {
        r->error = 505; /* 1x > 1 */
    } else if (r->state == MAJOR) {
        r->error = c == '.' ? 0 : 400;
        r->state = MINOR_FIRST;
    } else if (digit && r->state != AFTER_VERSION) {
        if (r->minor > 99)
            r->error = 400;
        r->minor = r->minor * 10 + (c - 48U);
        r->state = MINOR;
    } else if (r->state == MINOR_FIRST) {
        r->error = 400;
    } else if (c == '\n') {
        end_line(r, line);
    } else if (c == '\r' || c == ' ') {
        r->state = c == '\r' ? LINE_ALMOST_DONE : AFTER_VERSION;
    } else {
        r->error = 400;
    }
}

static void take_after_uri(struct decoy_request *r, const char *line, unsigned char c)
{
    if (c == 'H')
        r->state = H;
    else if (c == '\r' || c == '\n')
        end_short_line(r, line, c);
    else if (c != ' ')
        r->error = 400;
}

static void take_method(struct decoy_request *r, const char *line, unsigned char c)
{
    if (c == ' ' && r->state == METHOD)
        end_method(r, line);
    else if ((c < 'A' || c > 'Z') && c != '_' && c != '-')
        r->error = 400;
    else
        r->state = METHOD;
}

static void take_line(struct decoy_request *r, const char *line, unsigned char c)
{
    static const char protocol[] = "TTP/";

    if (r->state <= METHOD)
        take_method(r, line, c);
    else if (r->state == BEFORE_URI)
        take_before_uri(r, c);
    else if (r->state <= SCHEME_SLASH_SLASH)
        take_scheme(r, c);
    else if (r->state <= PORT)
        take_host(r, c);
    else if (r->state == URI)
        take_uri(r, line, c);
    else if (r->state == AFTER_URI)
        take_after_uri(r, line, c);
    else if (r->state <= HTTP)
        r->error = c == (unsigned char)protocol[r->state++ - H] ? 0 : 400;
    else if (r->state <= AFTER_VERSION)
        take_version(r, line, c);
    else if (c == '\n')
        end_line(r, line);
    else
        r->error = 400;
}

/* ---- headers ---- */

static void end_header(struct decoy_request *r, const char *line)
{
    if (!r->ignored && r->headers++ == HEADERS_MAX)
        r->error = DECOY_HEADERS_TOO_LARGE;
    else if (!r->ignored)
        decoy_header(r, line, r->name_end, line + r->value_start, r->value_end - r->value_start);
    r->state = NAME_START;
    r->line_len = 0;
}

static void take_name(struct decoy_request *r, const char *line, unsigned char c)
{
    bool first = r->state == NAME_START;

    if (first && (c == '\r' || c == '\n')) {
        r->state = c == '\n' ? OVER : ALMOST_OVER;
        return;
    }
    if (first)
        r->ignored = false;
    r->state = NAME;
    if (is_letter(c) || is_digit(c) || c == '-')
        return;
    r->name_end = r->value_start = r->value_end = r->line_len;
    if (!first && c == ':')
        r->state = BEFORE_VALUE;
    else if (!first && c == '\r')
        r->state = HEADER_ALMOST_DONE;
    else if (!first && c == '\n')
        end_header(r, line);
    else if (c <= 0x20 || c == 0x7f || c == ':')
        r->error = 400;
    else
        r->ignored = true;
}

static void take_value(struct decoy_request *r, const char *line, unsigned char c)
{
    if (c == '\0') {
        r->error = 400;
    } else if (c == '\n') {
        end_header(r, line);
    } else if (c == '\r') {
        r->state = HEADER_ALMOST_DONE;
    } else if (c == ' ') {
        if (r->state == VALUE)
            r->state = AFTER_VALUE;
    } else {
        if (r->state == BEFORE_VALUE)
            r->value_start = r->line_len;
        r->value_end = r->line_len + 1;
        r->state = VALUE;
    }
}

static void take_header(struct decoy_request *r, const char *line, unsigned char c)
{
    if (r->state <= NAME)
        take_name(r, line, c);
    else if (r->state <= AFTER_VALUE)
        take_value(r, line, c);
    else if (r->state == ALMOST_OVER)
        c == '\n' ? (r->state = OVER) : (r->error = 400);
    else if (c == '\n')
        end_header(r, line);
    else if (c != '\r')
        r->error = 400;
}

/* ---- both ---- */

/* nginx reads into one buffer of 1 KB, then into four of 8 KB; a line is moved as a whole. */
static void make_room(struct decoy_request *r)
{
    int too_large = r->state < NAME_START ? 414 : DECOY_HEADERS_TOO_LARGE;

    if (r->used < r->room)
        return;
    if (r->state == START) { /* nothing but line ends so far */
        r->used = 0;
        return;
    }
    if (r->line_len >= ALK_DECOY_LINE_MAX || r->buffers == LARGE_BUFFERS) {
        r->error = too_large;
        return;
    }
    r->buffers++;
    r->room = ALK_DECOY_LINE_MAX;
    r->used = r->line_len;
}

bool decoy_request_take(struct decoy_request *r, char *line, unsigned char byte)
{
    make_room(r);
    if (r->error != 0)
        return true;
    r->used++;
    if (r->state == START && (byte == '\r' || byte == '\n'))
        return false;
    size_t at = r->line_len;
    line[at] = (char)byte;
    if (r->state < NAME_START)
        take_line(r, line, byte);
    else
        take_header(r, line, byte);
    if (r->line_len == at && r->state != NAME_START)
        r->line_len++;
    return r->error != 0 || r->state == OVER;
}
