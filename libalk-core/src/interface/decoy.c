#include "interface/decoy_internal.h"

#include <alk/status.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    HEADER_MS = 60000,      /* client_header_timeout */
    IDLE_MS = 75000,        /* keepalive_timeout */
    DISCARD_MS = 5000,      /* lingering_timeout: between two reads of a body */
    DISCARD_ALL_MS = 30000, /* lingering_time */
    REQUESTS_MAX = 1000,    /* keepalive_requests */
    BODY_MAX = 1 << 20,     /* client_max_body_size */
};

bool alk_decoy_server_is_valid(const char *server)
{
    size_t len = strlen(server);

    for (const char *c = server; *c != '\0'; c++) {
        if (*c < ' ' || *c > '~' || strchr("<>&\"", *c) != NULL)
            return false;
    }
    return len > 0 && len <= ALK_DECOY_SERVER_MAX;
}

int alk_decoy_new(struct alk_decoy **out, const char *server, bool secure, uint64_t now)
{
    struct alk_decoy *d = calloc(1, sizeof(*d));

    if (d == NULL)
        return ALK_E_NOMEM;
    snprintf(d->server, sizeof(d->server), "%s", server);
    d->secure = secure;
    d->deadline = now + HEADER_MS;
    decoy_request_begin(&d->request);
    *out = d;
    return ALK_OK;
}

void alk_decoy_free(struct alk_decoy *d)
{
    free(d);
}

static void end(struct alk_decoy *d, enum alk_decoy_end how)
{
    d->phase = DECOY_OVER;
    d->end = how;
    d->deadline = UINT64_MAX;
}

/* ---- a request ---- */

/* What is wrong with a request whose headers are complete, or 0. */
static int judge_headers(const struct decoy_request *r)
{
    if (!r->has_host && r->version > 1000)
        return 400;
    if (r->bad_length)
        return 400;
    if (r->has_coding && (r->version < 1001 || (r->chunked_coding && r->has_length)))
        return 400;
    if (r->has_coding && !r->chunked_coding)
        return 501;
    return r->is_connect || r->is_trace ? 405 : 0;
}

static int judge(const struct alk_decoy *d)
{
    const struct decoy_request *r = &d->request;
    int error = r->error != 0 ? r->error : r->version == 9 ? 0 : judge_headers(r);

    if (error != 0)
        return error;
    if (!d->secure)
        return DECOY_PLAIN_TO_TLS;
    return r->length > BODY_MAX ? 413 : 404;
}

/* Has the client more to send than the headers, and did nginx get to know of it? */
static bool has_body(const struct decoy_request *r)
{
    if (r->error != 0 || (!r->has_host && r->version > 1000) || r->bad_length)
        return false;
    return r->length > 0 || (r->chunked_coding && !r->has_length && r->version >= 1001);
}

static bool keeps_alive(const struct alk_decoy *d, int status)
{
    const struct decoy_request *r = &d->request;

    if (status != 404 || d->requests >= REQUESTS_MAX)
        return false;
    if (r->is_old_msie && (r->has_length || r->has_coding)) /* its POST does not bear it */
        return false;
    return r->connection == DECOY_BY_VERSION ? r->version > 1000
                                             : r->connection == DECOY_CONNECTION_KEEP;
}

static void next_request(struct alk_decoy *d, uint64_t now)
{
    if (!d->keep) {
        end(d, ALK_DECOY_CLOSE);
        return;
    }
    d->phase = DECOY_IDLE;
    d->deadline = now + IDLE_MS;
    decoy_request_begin(&d->request);
}

static void linger(struct alk_decoy *d, uint64_t now)
{
    d->deadline = now + DISCARD_MS < d->last_moment ? now + DISCARD_MS : d->last_moment;
}

/* Part of the body has come with the headers: that decides what is answered. */
static size_t take_early_body(struct alk_decoy *d, const unsigned char *data, size_t len,
                              uint64_t now)
{
    size_t taken = 0;

    d->body = (struct decoy_body){.chunked = d->request.chunked_coding && !d->request.has_length,
                                  .left = d->request.length};
    switch (decoy_body_take(&d->body, data, len, &taken)) {
    case DECOY_BODY_BAD:
        d->keep = false;
        break;
    case DECOY_BODY_MORE:
        d->phase = DECOY_DISCARDING;
        d->last_moment = now + DISCARD_ALL_MS;
        linger(d, now);
        break;
    case DECOY_BODY_DONE:
        break;
    }
    return taken;
}

static size_t answer(struct alk_decoy *d, const unsigned char *rest, size_t len, uint64_t now,
                     time_t wall, struct alk_buffer *out)
{
    int status = judge(d);
    size_t taken = 0;

    d->requests++;
    d->keep = keeps_alive(d, status);
    if (has_body(&d->request))
        taken = take_early_body(d, rest, len, now);
    decoy_respond(d, status, wall, out);
    if (d->phase != DECOY_DISCARDING)
        next_request(d, now);
    return taken;
}

static size_t read_request(struct alk_decoy *d, const unsigned char *data, size_t len, uint64_t now,
                           time_t wall, struct alk_buffer *out)
{
    size_t taken = 0;

    if (d->phase == DECOY_IDLE)
        d->deadline = now + HEADER_MS;
    d->phase = DECOY_READING;
    while (taken < len) {
        if (!decoy_request_take(&d->request, d->line, data[taken++]))
            continue;
        return taken + answer(d, data + taken, len - taken, now, wall, out);
    }
    return taken;
}

static size_t discard(struct alk_decoy *d, const unsigned char *data, size_t len, uint64_t now)
{
    size_t taken;

    switch (decoy_body_take(&d->body, data, len, &taken)) {
    case DECOY_BODY_MORE:
        linger(d, now);
        break;
    case DECOY_BODY_DONE:
        next_request(d, now);
        break;
    case DECOY_BODY_BAD:
        end(d, ALK_DECOY_DROP);
        break;
    }
    return taken;
}

size_t alk_decoy_feed(struct alk_decoy *d, const void *data, size_t len, uint64_t now, time_t wall,
                      struct alk_buffer *out)
{
    if (d->phase == DECOY_OVER || len == 0)
        return len; /* what comes behind the end is nobody's */
    return d->phase == DECOY_DISCARDING ? discard(d, data, len, now)
                                        : read_request(d, data, len, now, wall, out);
}

/* ---- time, and the end ---- */

void alk_decoy_finish(struct alk_decoy *d)
{
    if (d->phase != DECOY_OVER)
        end(d, ALK_DECOY_CLOSE);
}

uint64_t alk_decoy_deadline(const struct alk_decoy *d)
{
    return d->deadline;
}

void alk_decoy_tick(struct alk_decoy *d, uint64_t now)
{
    if (now < d->deadline || d->phase == DECOY_OVER)
        return;
    end(d, d->phase == DECOY_READING || d->phase == DECOY_DISCARDING ? ALK_DECOY_DROP
                                                                     : ALK_DECOY_CLOSE);
}

enum alk_decoy_end alk_decoy_end(const struct alk_decoy *d)
{
    return d->end;
}
