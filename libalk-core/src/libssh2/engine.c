#include "libssh2/internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
    READ_MOST = 64 * 1024,
    OUTPUT_FULL = 256 * 1024,
    LOOK_MS = 5000,  /* libssh2 counts the seconds of a request itself, when it is asked */
    OPEN_MS = 65000, /* by then it has given up a request to open */
};

/* ---- the end ---- */

void lib_over(struct lib_engine *e, int status, const char *sentence)
{
    if (e->over)
        return;
    e->over = true;
    alk_error_set(&e->error, status, "%s", sentence);
}

static int status_of(int rc)
{
    switch (rc) {
    case LIBSSH2_ERROR_SOCKET_RECV:
    case LIBSSH2_ERROR_SOCKET_SEND:
        return ALK_E_CLOSED;
    case LIBSSH2_ERROR_ALLOC:
        return ALK_E_NOMEM;
    case LIBSSH2_ERROR_KEX_FAILURE:
    case LIBSSH2_ERROR_METHOD_NONE:
        return ALK_E_UNSUPPORTED;
    case LIBSSH2_ERROR_INVALID_MAC:
    case LIBSSH2_ERROR_DECRYPT:
    case LIBSSH2_ERROR_ENCRYPT:
    case LIBSSH2_ERROR_HOSTKEY_SIGN:
    case LIBSSH2_ERROR_KEY_EXCHANGE_FAILURE:
        return ALK_E_CRYPTO;
    default:
        return ALK_E_PROTO;
    }
}

/* libssh2's own words: they may hold some of the peer's, so only plain text passes. */
void lib_fail(struct lib_engine *e, int rc)
{
    char sentence[160], *said = NULL;

    if (rc == LIBSSH2_ERROR_SOCKET_DISCONNECT) {
        lib_over(e, ALK_E_CLOSED, "the peer disconnected");
        return;
    }
    libssh2_session_last_error(e->session, &said, NULL, 0);
    snprintf(sentence, sizeof(sentence), "libssh2: %s (%d)", said != NULL ? said : "", rc);
    for (char *c = sentence; *c != '\0'; c++) {
        if (*c < ' ' || *c >= 0x7f)
            *c = '?';
    }
    lib_over(e, status_of(rc), sentence);
}

/* What concerns one request or channel is listed; anything else broke the session. */
bool lib_failed(struct lib_engine *e, ssize_t rc)
{
    if (rc >= 0)
        return false;
    switch (rc) {
    case LIBSSH2_ERROR_EAGAIN:
    case LIBSSH2_ERROR_TIMEOUT:
    case LIBSSH2_ERROR_INVAL:
    case LIBSSH2_ERROR_REQUEST_DENIED:
    case LIBSSH2_ERROR_CHANNEL_FAILURE:
    case LIBSSH2_ERROR_CHANNEL_UNKNOWN:
    case LIBSSH2_ERROR_CHANNEL_CLOSED:
    case LIBSSH2_ERROR_CHANNEL_EOF_SENT:
        return false;
    default:
        lib_fail(e, (int)rc);
        return true;
    }
}

/* ---- bytes ---- */

LIBSSH2_SEND_FUNC(lib_take_output)
{
    struct lib_engine *e = *abstract;

    (void)socket;
    (void)flags;
    return alk_buffer_append(&e->out, buffer, length) == ALK_OK ? (ssize_t)length : -ENOMEM;
}

LIBSSH2_RECV_FUNC(lib_give_input)
{
    struct lib_engine *e = *abstract;
    size_t len = alk_buffer_len(&e->in);

    (void)socket;
    (void)flags;
    if (len == 0)
        return e->input_ended ? 0 : -EAGAIN;
    if (len > length)
        len = length;
    memcpy(buffer, alk_buffer_head(&e->in), len);
    alk_buffer_consume(&e->in, len);
    return (ssize_t)len;
}

static size_t input_space(struct alk_ssh *ssh, uint8_t **at)
{
    *at = alk_buffer_reserve(&lib_of(ssh)->in, READ_MOST);
    return *at == NULL ? 0 : READ_MOST;
}

static void input_commit(struct alk_ssh *ssh, size_t len, uint64_t now)
{
    struct lib_engine *e = lib_of(ssh);

    e->now = e->heard = now;
    alk_buffer_commit(&e->in, len);
}

static size_t output(struct alk_ssh *ssh, const uint8_t **bytes)
{
    struct lib_engine *e = lib_of(ssh);

    *bytes = alk_buffer_head(&e->out);
    return alk_buffer_len(&e->out);
}

static void output_done(struct alk_ssh *ssh, size_t len)
{
    alk_buffer_consume(&lib_of(ssh)->out, len);
}

/* The handles are opaque: const is given back only to look. */
static const struct lib_engine *look(const struct alk_ssh *ssh)
{
    return (const struct lib_engine *)(const void *)ssh;
}

/* What comes provokes answers, so nothing is taken while these are not sent. */
static bool wants_input(const struct alk_ssh *ssh)
{
    const struct lib_engine *e = look(ssh);

    return !e->over && e->phase != LIB_VERDICT && alk_buffer_len(&e->out) < 2 * OUTPUT_FULL &&
           alk_buffer_len(&e->in) < READ_MOST;
}

bool lib_has_room(const struct alk_ssh *ssh)
{
    const struct lib_engine *e = look(ssh);

    return e->phase == LIB_READY && !e->over && alk_buffer_len(&e->out) < OUTPUT_FULL;
}

/* libssh2 sends in the order that it is given: there is nothing to keep short. */
static void only_bulk(struct alk_ssh *ssh, bool only_bulk)
{
    (void)ssh;
    (void)only_bulk;
}

/* ---- events ---- */

bool lib_emit(struct alk_ssh_event *event, enum alk_ssh_event_type type, struct lib_channel *c)
{
    *event = (struct alk_ssh_event){.type = type, .channel = c == NULL ? NULL : &c->base};
    return true;
}

static bool ready_step(struct lib_engine *e, struct alk_ssh_event *event)
{
    /* libssh2 reads only for somebody; with nobody there, requests of the server would lie */
    if (!lib_drain(e) && alk_buffer_len(&e->in) > 0)
        lib_ping(e);
    return !e->over &&
           (lib_open_step(e, event) || lib_forwards_step(e, event) || lib_channels_step(e, event));
}

static int next(struct alk_ssh *ssh, struct alk_ssh_event *event)
{
    struct lib_engine *e = lib_of(ssh);
    bool got = false;

    lib_channel_free(e->doomed);
    e->doomed = NULL;
    if (!e->over && e->phase == LIB_HANDSHAKE)
        got = lib_handshake_step(e, event);
    else if (!e->over && e->phase == LIB_LOGIN)
        got = lib_login_step(e, event);
    else if (!e->over && e->phase == LIB_READY)
        got = ready_step(e, event);
    return got ? 1 : e->over ? e->error.code : 0;
}

/* ---- time ---- */

static bool has_passed(const struct lib_engine *e, uint64_t start, uint64_t after)
{
    return e->now >= start && e->now - start >= after;
}

static uint64_t later(uint64_t start, uint64_t after)
{
    return after == UINT64_MAX ? UINT64_MAX : start + after;
}

/* How long a silence may be at all. A server may be dialling for us meanwhile, and libssh2 has one
 * request to open under way at a time, so that a ping would have to wait for it. */
static uint64_t longest_silence(const struct lib_engine *e)
{
    const struct alk_ssh_options *o = &e->options;
    const struct lib_channel *asked_for = TAILQ_FIRST(&e->opening);

    if (o->keepalive_ms == UINT64_MAX)
        return UINT64_MAX;
    uint64_t longest = o->keepalive_ms * (o->keepalive_misses + 1);
    return asked_for != NULL && !asked_for->ping && longest < OPEN_MS ? OPEN_MS : longest;
}

static uint64_t deadline(const struct alk_ssh *ssh)
{
    const struct lib_engine *e = look(ssh);

    if (e->over)
        return UINT64_MAX;
    if (e->phase != LIB_READY)
        return later(e->started, e->options.grace_ms);
    bool waits = !TAILQ_EMPTY(&e->opening);
    uint64_t at = later(e->heard, waits ? longest_silence(e) : e->options.keepalive_ms);
    if ((waits || !TAILQ_EMPTY(&e->asked)) && at > e->now + LOOK_MS)
        at = e->now + LOOK_MS;
    return at;
}

static void tick(struct alk_ssh *ssh, uint64_t now)
{
    struct lib_engine *e = lib_of(ssh);

    e->now = now;
    if (e->phase != LIB_READY) {
        if (has_passed(e, e->started, e->options.grace_ms))
            lib_over(e, ALK_E_TIMEOUT, "the login was not finished in time");
    } else if (has_passed(e, e->heard, longest_silence(e))) {
        lib_over(e, ALK_E_TIMEOUT, "the peer does not answer any more");
    } else if (has_passed(e, e->heard, e->options.keepalive_ms)) {
        lib_ping(e);
    }
}

/* ---- the session ---- */

static void disconnect(struct alk_ssh *ssh, enum alk_ssh_disconnect reason, const char *text)
{
    struct lib_engine *e = lib_of(ssh);

    if (e->over)
        return;
    if (e->phase != LIB_HANDSHAKE)
        libssh2_session_disconnect_ex(e->session, (int)reason, text, "");
    lib_over(e, ALK_E_CLOSED, text);
}

static const struct alk_error *error(const struct alk_ssh *ssh)
{
    return &look(ssh)->error;
}

static const char *cipher_name(const struct alk_ssh *ssh)
{
    return look(ssh)->cipher;
}

static bool authenticated(const struct alk_ssh *ssh)
{
    return look(ssh)->phase == LIB_READY;
}

/* libssh2's own queues are not counted: it does not tell. */
static size_t memory(const struct alk_ssh *ssh)
{
    const struct lib_engine *e = look(ssh);

    return sizeof(*e) + e->in.capacity + e->out.capacity + (size_t)LIB_PIECES * LIB_PIECE;
}

const struct alk_engine alk_engine_libssh2 = {
    .create = lib_create,
    .destroy = lib_destroy,
    .input_space = input_space,
    .input_commit = input_commit,
    .next = next,
    .output = output,
    .output_done = output_done,
    .wants_input = wants_input,
    .has_room = lib_has_room,
    .only_bulk = only_bulk,
    .deadline = deadline,
    .tick = tick,
    .disconnect = disconnect,
    .error = error,
    .cipher_name = cipher_name,
    .authenticated = authenticated,
    .memory = memory,
    .host_key_accept = lib_host_key_accept,
    .takes_key = lib_takes_key,
    .probes_first = true,
    .auth_probe = lib_auth_probe,
    .auth_to_sign = lib_auth_to_sign,
    .auth_signed = lib_auth_signed,
    .auth_file = lib_auth_file,
    .channel_open = lib_channel_open,
    .channel_accept = lib_channel_accept,
    .channel_reject = lib_channel_reject,
    .channel_reserve = lib_channel_reserve,
    .channel_reserve_urgent = lib_channel_reserve_urgent,
    .channel_commit = lib_channel_commit,
    .channel_blocked = lib_channel_blocked,
    .channel_write = lib_channel_write,
    .channel_consumed = lib_channel_consumed,
    .channel_eof = lib_channel_eof,
    .channel_close = lib_channel_close,
    .forward_request = lib_forward_request,
};
