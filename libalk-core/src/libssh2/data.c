/* What goes through the channels. */
#include "libssh2/internal.h"

#include <string.h>

enum { OUTSTANDING_MOST = 1024 * 1024 }; /* of one channel, beside its window of ALK_SSH_WINDOW */

/* ---- receiving ---- */

bool lib_drain(struct lib_engine *e)
{
    struct lib_channel *c;

    TAILQ_FOREACH(c, &e->channels, entry)
    {
        if (c->closing || c->eof_told)
            continue;
        lib_failed(e, libssh2_channel_read(c->lib, (char *)e->scratch, 0));
        return true;
    }
    /* each of these reads when its turn comes */
    return !TAILQ_EMPTY(&e->channels) || !TAILQ_EMPTY(&e->opening) || !TAILQ_EMPTY(&e->asked) ||
           !TAILQ_EMPTY(&e->forwards);
}

/* libssh2 opens the window by itself when it is asked to read, but a key exchange can come between,
 * and then it would count what it is told at the next call and not what it sends. So the window
 * is opened here, before it finds it narrow. False during such an exchange. */
static bool widen(struct lib_engine *e, struct lib_channel *c)
{
    unsigned long initial, window = libssh2_channel_window_read_ex(c->lib, NULL, &initial);

    if (c->widening == 0) {
        if (window >= initial / 4 * 3 + 2 * LIB_PIECE)
            return true;
        c->widening = initial + LIB_PIECE - window;
    }
    int rc = libssh2_channel_receive_window_adjust2(c->lib, c->widening, 1, NULL);
    if (rc == LIBSSH2_ERROR_EAGAIN || lib_failed(e, rc))
        return false;
    c->widening = 0;
    return true;
}

bool lib_read_step(struct lib_engine *e, struct lib_channel *c, struct alk_ssh_event *event)
{
    if (c->eof_told || c->outstanding >= OUTSTANDING_MOST || !widen(e, c))
        return false;
    uint8_t *at = e->pieces + (size_t)e->piece * LIB_PIECE;
    ssize_t n = libssh2_channel_read(c->lib, (char *)at, LIB_PIECE);
    if (n > 0) {
        e->piece = (e->piece + 1) % LIB_PIECES;
        c->outstanding += (size_t)n;
        lib_emit(event, ALK_SSH_CHANNEL_DATA, c);
        event->data = at;
        event->len = (size_t)n;
        return true;
    }
    if (lib_failed(e, n) || libssh2_channel_eof(c->lib) != 1)
        return false;
    c->eof_told = true;
    return lib_emit(event, ALK_SSH_CHANNEL_EOF, c);
}

void lib_channel_consumed(struct alk_ssh *ssh, struct alk_ssh_channel *channel, size_t len)
{
    (void)ssh;
    lib_channel_of(channel)->outstanding -= len;
}

/* ---- sending ---- */

/* Returns how much libssh2 took; during a key exchange, that is nothing. */
static size_t offer(struct lib_engine *e, struct lib_channel *c, const uint8_t *data, size_t len)
{
    size_t taken = 0;

    while (taken < len) {
        ssize_t n = libssh2_channel_write(c->lib, (const char *)data + taken, len - taken);
        if (n == 0 || n == LIBSSH2_ERROR_EAGAIN || lib_failed(e, n))
            break;
        taken += n > 0 ? (size_t)n : len - taken; /* nobody wants it any more */
    }
    return taken;
}

bool lib_flush(struct lib_engine *e, struct lib_channel *c)
{
    size_t len = alk_buffer_len(&c->unsent);

    if (len > 0)
        alk_buffer_consume(&c->unsent, offer(e, c, alk_buffer_head(&c->unsent), len));
    return alk_buffer_len(&c->unsent) == 0;
}

static size_t room_of(struct alk_ssh *ssh, struct lib_channel *c)
{
    c->starved = false;
    if (!lib_has_room(ssh))
        return 0;
    size_t window = c->lib == NULL ? 0 : libssh2_channel_window_write(c->lib);
    if (window == 0 || c->eof_wanted || c->closing || alk_buffer_len(&c->unsent) > 0) {
        c->starved = true; /* the turn looks whether it can go on */
        return 0;
    }
    return window < LIB_PACKET ? window : LIB_PACKET;
}

bool lib_channel_blocked(const struct alk_ssh_channel *channel)
{
    return ((const struct lib_channel *)channel)->starved;
}

int lib_channel_reserve(struct alk_ssh *ssh, struct alk_ssh_channel *channel, struct iovec *parts,
                        int most)
{
    size_t room = room_of(ssh, lib_channel_of(channel));

    (void)most;
    parts[0] = (struct iovec){lib_of(ssh)->scratch, room};
    return room > 0;
}

/* Nothing can overtake in libssh2. */
int lib_channel_reserve_urgent(struct alk_ssh *ssh, struct alk_ssh_channel *channel,
                               struct iovec *part)
{
    return lib_channel_reserve(ssh, channel, part, 1);
}

static void send(struct lib_engine *e, struct lib_channel *c, const uint8_t *data, size_t len)
{
    size_t taken = offer(e, c, data, len);

    if (taken < len && alk_buffer_append(&c->unsent, data + taken, len - taken) != ALK_OK)
        lib_over(e, ALK_E_NOMEM, "out of memory");
}

void lib_channel_commit(struct alk_ssh *ssh, struct alk_ssh_channel *channel, size_t len)
{
    struct lib_engine *e = lib_of(ssh);

    send(e, lib_channel_of(channel), e->scratch, len);
}

size_t lib_channel_write(struct alk_ssh *ssh, struct alk_ssh_channel *channel, const void *data,
                         size_t len)
{
    struct lib_channel *c = lib_channel_of(channel);
    size_t room, done = 0;

    while (done < len && (room = room_of(ssh, c)) > 0) {
        if (room > len - done)
            room = len - done;
        send(lib_of(ssh), c, (const uint8_t *)data + done, room);
        done += room;
    }
    return done;
}
