/* Remote forwards. libssh2 accepts what the server opens for one at once, before anybody has
 * reached the target; it has no forwards of Unix sockets. */
#include "libssh2/internal.h"

#include <stdlib.h>
#include <string.h>

enum { QUEUE_MOST = 64 }; /* channels that wait inside libssh2 for their turn */

void lib_forward_free(struct lib_forward *f)
{
    free(f->host);
    free(f);
}

int lib_forward_request(struct alk_ssh *ssh, enum alk_ssh_channel_kind kind, bool cancel,
                        const char *host, uint32_t port, void *tag)
{
    struct lib_engine *e = lib_of(ssh);

    if (kind != ALK_SSH_FORWARDED_TCPIP)
        return ALK_E_UNSUPPORTED;
    struct lib_forward *f = calloc(1, sizeof(*f));
    if (f != NULL)
        f->host = strdup(host);
    if (f == NULL || f->host == NULL) {
        free(f);
        return ALK_E_NOMEM;
    }
    f->kind = kind;
    f->port = (int)port;
    f->cancel = cancel;
    f->tag = tag;
    TAILQ_INSERT_TAIL(&e->asked, f, entry);
    return ALK_OK;
}

static struct lib_forward *find(struct lib_engine *e, const struct lib_forward *like)
{
    struct lib_forward *f;

    TAILQ_FOREACH(f, &e->forwards, entry)
    {
        if (f->port == like->port && strcmp(f->host, like->host) == 0)
            return f;
    }
    return NULL;
}

static int cancel(struct lib_engine *e, const struct lib_forward *asked)
{
    struct lib_forward *f = find(e, asked);

    if (f == NULL)
        return LIBSSH2_ERROR_REQUEST_DENIED;
    int rc = libssh2_channel_forward_cancel(f->listener);
    if (rc == 0) {
        TAILQ_REMOVE(&e->forwards, f, entry);
        lib_forward_free(f);
    }
    return rc;
}

static int request(struct lib_engine *e, struct lib_forward *f)
{
    int bound = f->port;

    if (f->cancel)
        return cancel(e, f);
    f->listener =
        libssh2_channel_forward_listen_ex(e->session, f->host, f->port, &bound, QUEUE_MOST);
    if (f->listener == NULL)
        return libssh2_session_last_errno(e->session);
    f->port = bound;
    return 0;
}

/* No answer within a minute is a protocol error to libssh2; one that comes too late would be taken
 * for that to the next request. */
static bool is_undecided(struct lib_engine *e, int rc)
{
    if (rc == LIBSSH2_ERROR_PROTO)
        lib_over(e, ALK_E_TIMEOUT, "the server does not answer a request to listen");
    return rc == LIBSSH2_ERROR_EAGAIN || lib_failed(e, rc);
}

static bool asked_step(struct lib_engine *e, struct alk_ssh_event *event)
{
    struct lib_forward *f = TAILQ_FIRST(&e->asked);

    if (f == NULL)
        return false;
    int rc = request(e, f);
    if (is_undecided(e, rc))
        return false;
    TAILQ_REMOVE(&e->asked, f, entry);
    lib_emit(event, ALK_SSH_FORWARD_REPLY, NULL);
    event->ok = rc == 0;
    event->port = (uint32_t)f->port;
    event->tag = f->tag;
    if (f->listener != NULL)
        TAILQ_INSERT_TAIL(&e->forwards, f, entry);
    else
        lib_forward_free(f);
    return true;
}

/* One that the server opened, if there is any. */
static bool accept_step(struct lib_engine *e, struct lib_forward *f, struct alk_ssh_event *event)
{
    LIBSSH2_CHANNEL *lib = libssh2_channel_forward_accept(f->listener);

    if (lib == NULL) {
        lib_failed(e, libssh2_session_last_errno(e->session));
        return false;
    }
    struct lib_channel *c = lib_channel_new(e, lib);
    if (c == NULL) {
        lib_over(e, ALK_E_NOMEM, "out of memory");
        return false;
    }
    if (e->channel_count > e->options.max_channels) {
        c->closing = true;
        return false;
    }
    c->unaccepted = true;
    lib_emit(event, ALK_SSH_CHANNEL_REQUEST, c);
    event->kind = f->kind;
    event->host = f->host;
    event->port = (uint32_t)f->port;
    event->origin = ""; /* libssh2 does not tell */
    return true;
}

bool lib_forwards_step(struct lib_engine *e, struct alk_ssh_event *event)
{
    struct lib_forward *f;

    if (asked_step(e, event))
        return true;
    TAILQ_FOREACH(f, &e->forwards, entry)
    {
        if (!e->over && accept_step(e, f, event))
            return true;
    }
    return false;
}
