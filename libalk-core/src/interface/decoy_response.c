#include "interface/decoy_internal.h"

#include <stdio.h>
#include <string.h>
#include <zlib.h>

static const struct page {
    int status;
    const char *line;  /* of the status, and the heading */
    const char *title; /* NULL: the heading */
    const char *note;
} pages[] = {
    {400, "400 Bad Request", NULL, NULL},
    {404, "404 Not Found", NULL, NULL},
    {405, "405 Not Allowed", NULL, NULL},
    {413, "413 Request Entity Too Large", NULL, NULL},
    {414, "414 Request-URI Too Large", NULL, NULL},
    {DECOY_HEADERS_TOO_LARGE, "400 Bad Request", "400 Request Header Or Cookie Too Large",
     "Request Header Or Cookie Too Large"},
    {DECOY_PLAIN_TO_TLS, "400 Bad Request", "400 The plain HTTP request was sent to HTTPS port",
     "The plain HTTP request was sent to HTTPS port"},
    {501, "501 Not Implemented", NULL, NULL},
    {505, "505 HTTP Version Not Supported", NULL, NULL},
};

static const struct page *page_of(int status)
{
    const struct page *page = pages;

    while (page->status != status)
        page++;
    return page;
}

static size_t write_body(const struct alk_decoy *d, const struct page *page, char *out, size_t size)
{
    static const char padding[] =
        "<!-- a padding to disable MSIE and Chrome friendly error page -->\r\n";
    int len = snprintf(out, size,
                       "<html>\r\n<head><title>%s</title></head>\r\n<body>\r\n"
                       "<center><h1>%s</h1></center>\r\n%s%s%s<hr><center>%s</center>\r\n"
                       "</body>\r\n</html>\r\n",
                       page->title != NULL ? page->title : page->line, page->line,
                       page->note != NULL ? "<center>" : "", page->note != NULL ? page->note : "",
                       page->note != NULL ? "</center>\r\n" : "", d->server);

    for (int i = 0; i < 6 && d->request.pads && d->request.version >= 1000; i++)
        len += snprintf(out + len, size - (size_t)len, "%s", padding);
    return (size_t)len;
}

/* With a window and memory that fit the length, as nginx chooses them. 0 when memory is short. */
static size_t compress_body(char *body, size_t len, char *out, size_t size)
{
    int window = 15, memory = 8;
    z_stream z = {0};

    while (window > 8 && len < (1U << (window - 1)) - 262 && (1U << (window - 1)) > 262) {
        window--;
        memory = memory > 1 ? memory - 1 : 1;
    }
    if (deflateInit2(&z, 1, Z_DEFLATED, window + 16, memory, Z_DEFAULT_STRATEGY) != Z_OK)
        return 0;
    z.next_in = (Bytef *)body;
    z.avail_in = (uInt)len;
    z.next_out = (Bytef *)out;
    z.avail_out = (uInt)size;
    bool done = deflate(&z, Z_FINISH) == Z_STREAM_END;
    size_t have = size - z.avail_out;
    deflateEnd(&z);
    return done ? have : 0;
}

static void append(struct alk_buffer *out, const char *data, size_t len)
{
    (void)alk_buffer_append(out, data, len); /* there is room; without memory the answer is cut */
}

static void append_head(const struct alk_decoy *d, const struct page *page, time_t wall,
                        const char *framing, bool zipped, struct alk_buffer *out)
{
    char head[512], date[40];
    struct tm tm;
    int len;

    gmtime_r(&wall, &tm);
    strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &tm);
    len = snprintf(head, sizeof(head),
                   "HTTP/1.1 %s\r\nServer: %s\r\nDate: %s\r\nContent-Type: text/html\r\n%s"
                   "Connection: %s\r\n%s\r\n",
                   page->line, d->server, date, framing, d->keep ? "keep-alive" : "close",
                   zipped ? "Content-Encoding: gzip\r\n" : "");
    append(out, head, (size_t)len);
}

void decoy_respond(const struct alk_decoy *d, int status, time_t wall, struct alk_buffer *out)
{
    const struct decoy_request *r = &d->request;
    const struct page *page = page_of(status);
    char body[1024], zipped[1024], framing[64];
    size_t len = write_body(d, page, body, sizeof(body)), zipped_len = 0;

    if (status == 404 && r->takes_gzip && !r->has_via && r->version >= 1001)
        zipped_len = compress_body(body, len, zipped, sizeof(zipped));
    if (zipped_len > 0)
        snprintf(framing, sizeof(framing), "%s",
                 r->is_head ? "" : "Transfer-Encoding: chunked\r\n");
    else
        snprintf(framing, sizeof(framing), "Content-Length: %zu\r\n", len);
    if (r->version >= 1000)
        append_head(d, page, wall, framing, zipped_len > 0, out);
    if (r->is_head && r->version >= 1000)
        return;
    if (zipped_len == 0) {
        append(out, body, len);
        return;
    }
    snprintf(framing, sizeof(framing), "%zx\r\n", zipped_len);
    append(out, framing, strlen(framing));
    append(out, zipped, zipped_len);
    append(out, "\r\n0\r\n\r\n", 7);
}
