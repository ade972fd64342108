/* Which message is legal from whom and when, and who handles it (RFC 4250 section 4.1.2). */
#include "ssh/engine.h"

static int on_nothing(struct alk_ssh *ssh, struct alk_reader *r)
{
    (void)ssh;
    (void)r;
    return ALK_OK;
}

/* The peer's words go to a terminal or a log: only plain text does. */
static void plain_text(struct alk_bytes from, char *out, size_t size)
{
    size_t len = from.len < size - 1 ? from.len : size - 1;

    for (size_t i = 0; i < len; i++)
        out[i] = from.data[i] >= ' ' && from.data[i] < 0x7f ? (char)from.data[i] : '?';
    out[len] = '\0';
}

static int on_disconnect(struct alk_ssh *ssh, struct alk_reader *r)
{
    char text[200];
    uint32_t reason = alk_get_u32(r);

    plain_text(alk_get_string(r), text, sizeof(text));
    return ssh_fail(ssh, 0, ALK_E_CLOSED, "the peer disconnected (reason %u): %s", reason, text);
}

static int on_ping(struct alk_ssh *ssh, struct alk_reader *r)
{
    uint8_t payload[CONTROL_MAX];
    struct alk_bytes data = alk_get_string(r);
    struct alk_writer w = alk_writer(payload, sizeof(payload));

    alk_put_u8(&w, SSH_MSG_PONG);
    alk_put_string(&w, data.data, data.len);
    if (w.broken)
        return ssh_fail(ssh, ALK_SSH_BY_PROTOCOL_ERROR, ALK_E_PROTO, "oversized ping");
    ssh_send_writer(ssh, &w);
    return ALK_OK;
}

enum { SERVER = 1 << ALK_SSH_SERVER, CLIENT = 1 << ALK_SSH_CLIENT, BOTH = SERVER | CLIENT };
enum {
    KEYED = PHASE_SERVICE | PHASE_AUTH | PHASE_OPEN,
    ALWAYS = PHASE_KEX | KEYED,
};

/* Which message is legal from whom and when; what is not listed here ends the session.
 * The order within a key exchange is ssh_kex_filter's. */
static const struct rule {
    uint8_t type;
    uint8_t roles; /* the role that receives it */
    uint8_t phases;
    int (*handle)(struct alk_ssh *ssh, struct alk_reader *r);
    bool whole; /* nothing may follow what handle reads */
} rules[] = {
    {SSH_MSG_CHANNEL_DATA, BOTH, PHASE_OPEN, ssh_on_channel_data, true},
    {SSH_MSG_CHANNEL_WINDOW_ADJUST, BOTH, PHASE_OPEN, ssh_on_channel_window, true},
    {SSH_MSG_CHANNEL_OPEN, BOTH, PHASE_OPEN, ssh_on_channel_open, false},
    {SSH_MSG_CHANNEL_OPEN_CONFIRMATION, BOTH, PHASE_OPEN, ssh_on_channel_confirmation, false},
    {SSH_MSG_CHANNEL_OPEN_FAILURE, BOTH, PHASE_OPEN, ssh_on_channel_open_failure, false},
    {SSH_MSG_CHANNEL_EXTENDED_DATA, BOTH, PHASE_OPEN, ssh_on_channel_extended, true},
    {SSH_MSG_CHANNEL_EOF, BOTH, PHASE_OPEN, ssh_on_channel_eof, true},
    {SSH_MSG_CHANNEL_CLOSE, BOTH, PHASE_OPEN, ssh_on_channel_close, true},
    {SSH_MSG_CHANNEL_REQUEST, BOTH, PHASE_OPEN, ssh_on_channel_request, false},
    {SSH_MSG_CHANNEL_SUCCESS, BOTH, PHASE_OPEN, ssh_on_channel_reply, false},
    {SSH_MSG_CHANNEL_FAILURE, BOTH, PHASE_OPEN, ssh_on_channel_reply, false},
    {SSH_MSG_GLOBAL_REQUEST, BOTH, PHASE_OPEN, ssh_on_global_request, false},
    {SSH_MSG_REQUEST_SUCCESS, BOTH, PHASE_OPEN, ssh_on_request_success, false},
    {SSH_MSG_REQUEST_FAILURE, BOTH, PHASE_OPEN, ssh_on_request_failure, false},
    {SSH_MSG_DISCONNECT, BOTH, ALWAYS, on_disconnect, false},
    {SSH_MSG_IGNORE, BOTH, ALWAYS, on_nothing, false},
    {SSH_MSG_UNIMPLEMENTED, BOTH, ALWAYS, on_nothing, false},
    {SSH_MSG_DEBUG, BOTH, ALWAYS, on_nothing, false},
    {SSH_MSG_KEXINIT, BOTH, ALWAYS, ssh_on_kexinit, false},
    {SSH_MSG_KEX_ECDH_INIT, SERVER, ALWAYS, ssh_on_ecdh_init, false},
    {SSH_MSG_KEX_ECDH_REPLY, CLIENT, ALWAYS, ssh_on_ecdh_reply, false},
    {SSH_MSG_NEWKEYS, BOTH, ALWAYS, ssh_on_newkeys, false},
    {SSH_MSG_EXT_INFO, BOTH, PHASE_SERVICE | PHASE_AUTH, ssh_on_ext_info, false},
    /* some clients (Paramiko) ask for the service with every key that they try */
    {SSH_MSG_SERVICE_REQUEST, SERVER, PHASE_SERVICE | PHASE_AUTH, ssh_on_service_request, false},
    {SSH_MSG_SERVICE_ACCEPT, CLIENT, PHASE_SERVICE, ssh_on_service_accept, false},
    {SSH_MSG_USERAUTH_REQUEST, SERVER, PHASE_AUTH | PHASE_OPEN, ssh_on_userauth_request, false},
    {SSH_MSG_USERAUTH_FAILURE, CLIENT, PHASE_AUTH, ssh_on_userauth_failure, false},
    {SSH_MSG_USERAUTH_SUCCESS, CLIENT, PHASE_AUTH, ssh_on_userauth_success, false},
    {SSH_MSG_USERAUTH_BANNER, CLIENT, PHASE_AUTH, ssh_on_userauth_banner, false},
    {SSH_MSG_USERAUTH_PK_OK, CLIENT, PHASE_AUTH, ssh_on_userauth_pk_ok, false},
    {SSH_MSG_PING, BOTH, KEYED, on_ping, false},
    {SSH_MSG_PONG, BOTH, KEYED, on_nothing, false},
};

static const struct rule *rule_for(uint8_t type)
{
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        if (rules[i].type == type)
            return &rules[i];
    }
    return NULL;
}

static int unknown_message(struct alk_ssh *ssh)
{
    uint8_t payload[5];
    struct alk_writer w = alk_writer(payload, sizeof(payload));

    alk_put_u8(&w, SSH_MSG_UNIMPLEMENTED);
    alk_put_u32(&w, ssh->rx.sequence - 1);
    ssh_send_writer(ssh, &w);
    return ALK_OK;
}

/* RFC 4252 section 6: what runs after the login has these numbers, known here or not. */
static bool is_too_early(const struct alk_ssh *ssh, uint8_t type)
{
    return ssh->phase != PHASE_OPEN && type >= SSH_MSG_GLOBAL_REQUEST && type < 128;
}

int ssh_dispatch(struct alk_ssh *ssh, uint8_t *payload, size_t len)
{
    struct alk_reader r = alk_reader(payload, len);
    uint8_t type = alk_get_u8(&r);
    const struct rule *rule = rule_for(type);
    bool skip = false;

    int status = ssh_kex_filter(ssh, type, &skip);
    if (status != ALK_OK || skip)
        return status;
    if (rule == NULL && !is_too_early(ssh, type))
        return unknown_message(ssh);
    if (rule == NULL || (rule->roles & 1 << ssh->options.role) == 0 ||
        (rule->phases & ssh->phase) == 0)
        return ssh_fail(ssh, ALK_SSH_BY_PROTOCOL_ERROR, ALK_E_PROTO, "message %u came out of turn",
                        type);
    ssh->payload = payload;
    ssh->payload_len = len;
    status = rule->handle(ssh, &r);
    if (status == ALK_OK && !(rule->whole ? alk_reader_done(&r) : alk_reader_ok(&r)))
        status =
            ssh_fail(ssh, ALK_SSH_BY_PROTOCOL_ERROR, ALK_E_PROTO, "message %u is malformed", type);
    return status;
}
