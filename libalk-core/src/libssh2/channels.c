/* Opening and closing channels, and their turns. */
#include "libssh2/internal.h"

#include <stdlib.h>
#include <string.h>

enum {
    MESSAGE_MAX = 2 * ALK_SSH_HOST_MAX + 32,
    UNSENT_MAX = 2 * LIB_PACKET,
};

/* Its answer is a failure, whatever the server: nobody knows such channels. */
static const char ping_type[] = "ping@alknet";

/* ---- life ---- */

void lib_channel_free(struct lib_channel *c)
{
    if (c == NULL)
        return;
    free(c->message);
    alk_buffer_free(&c->unsent);
    free(c);
}

struct lib_channel *lib_channel_new(struct lib_engine *e, LIBSSH2_CHANNEL *lib)
{
    struct lib_channel *c = calloc(1, sizeof(*c));

    if (c == NULL)
        return NULL;
    c->unsent = alk_buffer(UNSENT_MAX);
    c->lib = lib;
    if (lib != NULL) {
        libssh2_channel_handle_extended_data2(lib, LIBSSH2_CHANNEL_EXTENDED_DATA_IGNORE);
        TAILQ_INSERT_TAIL(&e->channels, c, entry);
    }
    e->channel_count++;
    return c;
}

/* It is gone for libssh2, and for the caller after the event that tells so. */
static void doom(struct lib_engine *e, struct lib_channels *list, struct lib_channel *c)
{
    TAILQ_REMOVE(list, c, entry);
    c->lib = NULL;
    e->channel_count--;
    e->doomed = c;
}

/* ---- opening ---- */

static int enqueue(struct lib_engine *e, const char *type, const uint8_t *message, size_t len,
                   struct lib_channel **out)
{
    struct lib_channel *c = lib_channel_new(e, NULL);

    if (c == NULL)
        return ALK_E_NOMEM;
    c->type = type;
    c->message = malloc(len + 1);
    if (c->message == NULL) {
        e->channel_count--;
        lib_channel_free(c);
        return ALK_E_NOMEM;
    }
    if (len > 0)
        memcpy(c->message, message, len);
    c->message_len = len;
    TAILQ_INSERT_TAIL(&e->opening, c, entry);
    *out = c;
    return ALK_OK;
}

/* Any request to open that is under way will have an answer, too. */
void lib_ping(struct lib_engine *e)
{
    struct lib_channel *c;

    if (TAILQ_EMPTY(&e->opening) && enqueue(e, ping_type, NULL, 0, &c) == ALK_OK)
        c->ping = true;
}

int lib_channel_open(struct alk_ssh *ssh, enum alk_ssh_channel_kind kind, const char *host,
                     uint32_t port, const char *origin, uint32_t origin_port,
                     struct alk_ssh_channel **out)
{
    struct lib_engine *e = lib_of(ssh);
    uint8_t message[MESSAGE_MAX];
    struct alk_writer w = alk_writer(message, sizeof(message));
    bool is_path = kind == ALK_SSH_DIRECT_UNIX;
    struct lib_channel *c;

    if (e->over || e->phase != LIB_READY)
        return ALK_E_CLOSED;
    if (e->channel_count >= e->options.max_channels)
        return ALK_E_LIMIT;
    alk_put_text(&w, host);
    if (!is_path)
        alk_put_u32(&w, port);
    alk_put_text(&w, is_path ? "" : origin != NULL ? origin : "127.0.0.1");
    alk_put_u32(&w, is_path ? 0 : origin_port);
    if (w.broken)
        return ALK_E_INVAL;
    int status = enqueue(e, is_path ? "direct-streamlocal@openssh.com" : "direct-tcpip", message,
                         alk_writer_len(&w), &c);
    if (status == ALK_OK)
        *out = &c->base;
    return status;
}

/* What libssh2 makes of the server's reason (RFC 4254 section 5.1). */
static void describe_failure(struct lib_engine *e, struct alk_ssh_event *event)
{
    char *said = NULL;

    libssh2_session_last_error(e->session, &said, NULL, 0);
    event->text = said != NULL ? said : "";
    event->reason = ALK_SSH_OPEN_CONNECT_FAILED;
    if (strstr(event->text, "prohibited") != NULL)
        event->reason = ALK_SSH_OPEN_PROHIBITED;
    else if (strstr(event->text, "unknown channel type") != NULL)
        event->reason = ALK_SSH_OPEN_UNKNOWN_TYPE;
    else if (strstr(event->text, "shortage") != NULL)
        event->reason = ALK_SSH_OPEN_SHORTAGE;
}

static bool not_opened(struct lib_engine *e, struct lib_channel *c, struct alk_ssh_event *event)
{
    bool for_itself = c->ping;

    doom(e, &e->opening, c);
    if (for_itself) {
        lib_channel_free(c);
        e->doomed = NULL;
        return false;
    }
    lib_emit(event, ALK_SSH_CHANNEL_FAILED, c);
    describe_failure(e, event);
    return true;
}

static bool opened(struct lib_engine *e, struct lib_channel *c, struct alk_ssh_event *event)
{
    TAILQ_REMOVE(&e->opening, c, entry);
    TAILQ_INSERT_TAIL(&e->channels, c, entry);
    libssh2_channel_handle_extended_data2(c->lib, LIBSSH2_CHANNEL_EXTENDED_DATA_IGNORE);
    c->closing |= c->ping;
    return !c->closing && lib_emit(event, ALK_SSH_CHANNEL_OPENED, c);
}

/* The first of the queue: libssh2 has one request under way at a time. It counts the seconds
 * itself, and gives one up after a minute. */
static bool open_first(struct lib_engine *e, struct alk_ssh_event *event)
{
    struct lib_channel *c = TAILQ_FIRST(&e->opening);

    if (c->closing && !c->asked)
        return not_opened(e, c, event);
    c->asked = true;
    c->lib = libssh2_channel_open_ex(e->session, c->type, (unsigned)strlen(c->type), ALK_SSH_WINDOW,
                                     LIB_PIECE, (const char *)c->message, (unsigned)c->message_len);
    if (c->lib != NULL)
        return opened(e, c, event);
    int rc = libssh2_session_last_errno(e->session);
    if (rc == LIBSSH2_ERROR_EAGAIN || lib_failed(e, rc))
        return false;
    if (rc == LIBSSH2_ERROR_TIMEOUT)
        e->heard = e->now; /* nobody could be asked for a sign of life until now */
    return not_opened(e, c, event);
}

bool lib_open_step(struct lib_engine *e, struct alk_ssh_event *event)
{
    struct lib_channel *before;

    do {
        before = TAILQ_FIRST(&e->opening);
        if (before != NULL && open_first(e, event))
            return true;
    } while (!e->over && before != TAILQ_FIRST(&e->opening));
    return false;
}

/* libssh2 has accepted it already. */
void lib_channel_accept(struct alk_ssh *ssh, struct alk_ssh_channel *channel)
{
    (void)ssh;
    lib_channel_of(channel)->unaccepted = false;
}

void lib_channel_reject(struct alk_ssh *ssh, struct alk_ssh_channel *channel,
                        enum alk_ssh_open_failure reason, const char *text)
{
    (void)reason;
    (void)text;
    lib_channel_close(ssh, channel);
}

/* ---- ends ---- */

void lib_channel_eof(struct alk_ssh *ssh, struct alk_ssh_channel *channel)
{
    (void)ssh;
    lib_channel_of(channel)->eof_wanted = true;
}

void lib_channel_close(struct alk_ssh *ssh, struct alk_ssh_channel *channel)
{
    (void)ssh;
    lib_channel_of(channel)->closing = true;
}

static bool close_step(struct lib_engine *e, struct lib_channel *c, struct alk_ssh_event *event)
{
    int rc = libssh2_channel_free(c->lib);

    if (rc == LIBSSH2_ERROR_EAGAIN || lib_failed(e, rc))
        return false;
    doom(e, &e->channels, c);
    return lib_emit(event, ALK_SSH_CHANNEL_CLOSED, c);
}

static void send_eof(struct lib_engine *e, struct lib_channel *c)
{
    int rc = libssh2_channel_send_eof(c->lib);

    if (!lib_failed(e, rc) && rc != LIBSSH2_ERROR_EAGAIN)
        c->eof_sent = true;
}

/* Has the peer closed it? Known only after its last data. */
static bool is_closed_by_peer(struct lib_engine *e, struct lib_channel *c)
{
    if (libssh2_channel_eof(c->lib) != 1)
        return false;
    int rc = libssh2_channel_wait_closed(c->lib);
    return !lib_failed(e, rc) && rc == 0;
}

/* ---- turns ---- */

/* What is left to send goes before the close, unless nobody is there to take it. */
static bool closing_step(struct lib_engine *e, struct lib_channel *c, struct alk_ssh_event *event)
{
    if (!lib_flush(e, c)) {
        if (e->over || !is_closed_by_peer(e, c))
            return false;
        alk_buffer_free(&c->unsent);
    }
    return !e->over && close_step(e, c, event);
}

static bool open_channel_step(struct lib_engine *e, struct lib_channel *c,
                              struct alk_ssh_event *event)
{
    bool flushed = lib_flush(e, c);

    if (flushed && c->eof_wanted && !c->eof_sent && !e->over)
        send_eof(e, c);
    if (!e->over && lib_read_step(e, c, event))
        return true;
    if (!e->over && c->eof_told && is_closed_by_peer(e, c)) {
        c->closing = true;
        return close_step(e, c, event);
    }
    if (!e->over && flushed && c->starved && libssh2_channel_window_write(c->lib) > 0) {
        c->starved = false;
        return lib_emit(event, ALK_SSH_CHANNEL_ROOM, c);
    }
    return false;
}

/* The channels in turn: who has had an event goes behind the others. */
bool lib_channels_step(struct lib_engine *e, struct alk_ssh_event *event)
{
    struct lib_channel *c, *after;

    for (c = TAILQ_FIRST(&e->channels); c != NULL && !e->over; c = after) {
        after = TAILQ_NEXT(c, entry);
        bool got = c->closing      ? closing_step(e, c, event)
                   : c->unaccepted ? false
                                   : open_channel_step(e, c, event);
        if (!got)
            continue;
        if (c->lib != NULL) {
            TAILQ_REMOVE(&e->channels, c, entry);
            TAILQ_INSERT_TAIL(&e->channels, c, entry);
        }
        return true;
    }
    return false;
}
