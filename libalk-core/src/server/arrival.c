/* What comes before SSH: TLS, if the port is for that, and then the question what the peer speaks. */
#include "server/internal.h"

#include <stdio.h>

enum { HANDSHAKE_MS = 10000 };

/* The stream is as the peer's program sees it: plain bytes, none of them read yet. Nothing has
 * been said on it either. */
static void find_out_what_it_speaks(struct connection *c, struct alk_stream *stream)
{
    if (c->stealth != NULL)
        stealth_go_on(c, stream);
    else
        connection_serve_ssh(c, stream);
}

static void on_handshake(void *user, int status, struct alk_stream *stream, const char *why)
{
    struct connection *c = user;
    const struct alk_log *log = c->worker->server->options.log;
    char what[600];

    c->handshake = NULL;
    if (status != ALK_OK) {
        snprintf(what, sizeof(what), "TLS handshake: %s", why);
        connection_abandon(c, what);
        return;
    }
    alk_tls_stream_describe(stream, what, sizeof(what));
    alk_log(log, ALK_LOG_DEBUG, "tls established", "remote_addr", c->address, "parameters", what,
            NULL);
    find_out_what_it_speaks(c, stream);
}

void arrival_start_tls(struct connection *c, struct alk_stream *stream, uint64_t timeout_ms)
{
    struct alk_tls_context *context = worker_snapshot(c->worker)->tls;
    int status = context == NULL ? ALK_E_INVAL
                                 : alk_tls_handshake_start(&c->handshake, stream, context, NULL,
                                                           timeout_ms, on_handshake, c);

    if (status == ALK_OK) {
        c->over_tls = true;
        accounts_update(c);
        return;
    }
    alk_stream_close(stream);
    connection_abandon(c, alk_status_text(status));
}

void arrival_start(struct connection *c, const struct port *port, struct alk_stream *stream)
{
    if (port->options.stealth)
        stealth_start(c, stream);
    else if (port->options.transport == ALK_TRANSPORT_TLS)
        arrival_start_tls(c, stream, HANDSHAKE_MS);
    else
        find_out_what_it_speaks(c, stream);
}

void arrival_cancel(struct connection *c)
{
    alk_tls_handshake_cancel(c->handshake);
    c->handshake = NULL;
    stealth_free(c->stealth);
    c->stealth = NULL;
}
