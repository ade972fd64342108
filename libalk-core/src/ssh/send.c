/* Messages on their way out: sealed at once, or held back while keys are exchanged. */
#include "ssh/engine.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void send_now(struct alk_ssh *ssh, const uint8_t *payload, size_t len)
{
    uint8_t *at = alk_packet_reserve(&ssh->out, len);

    if (at == NULL) {
        ssh_fail(ssh, 0, ALK_E_LIMIT, "the peer does not read what it asks for");
        return;
    }
    memcpy(at, payload, len);
    int status = alk_packet_seal(&ssh->tx, &ssh->out, len);
    if (status != ALK_OK)
        ssh_fail(ssh, 0, status, "a packet could not be encrypted");
}

/* RFC 4253 section 7.1: what may be sent between our KEXINIT and our NEWKEYS. */
static bool allowed_in_kex(uint8_t type)
{
    return type <= SSH_MSG_DEBUG || (type >= SSH_MSG_KEXINIT && type < SSH_MSG_USERAUTH_REQUEST);
}

static void hold(struct alk_ssh *ssh, const uint8_t *payload, size_t len)
{
    uint8_t *at = alk_buffer_reserve(&ssh->held, 4 + len);

    if (at == NULL) {
        ssh_fail(ssh, 0, ALK_E_LIMIT, "too much waits for the end of a key exchange");
        return;
    }
    struct alk_writer w = alk_writer(at, 4 + len);
    alk_put_string(&w, payload, len);
    alk_buffer_commit(&ssh->held, 4 + len);
}

void ssh_send(struct alk_ssh *ssh, const uint8_t *payload, size_t len)
{
    if (ssh->phase == PHASE_OVER)
        return;
    if (ssh->kex_sending && !allowed_in_kex(payload[0]))
        hold(ssh, payload, len);
    else
        send_now(ssh, payload, len);
}

void ssh_send_writer(struct alk_ssh *ssh, const struct alk_writer *w)
{
    if (w->broken)
        ssh_fail(ssh, 0, ALK_E_LIMIT, "a message was too long to send");
    else
        ssh_send(ssh, w->start, alk_writer_len(w));
}

void ssh_release_held(struct alk_ssh *ssh)
{
    while (alk_buffer_len(&ssh->held) > 0 && ssh->phase != PHASE_OVER) {
        struct alk_reader r = alk_reader(alk_buffer_head(&ssh->held), alk_buffer_len(&ssh->held));
        struct alk_bytes payload = alk_get_string(&r);
        send_now(ssh, payload.data, payload.len);
        alk_buffer_consume(&ssh->held, 4 + payload.len);
    }
    alk_buffer_trim(&ssh->held);
}

static void send_disconnect(struct alk_ssh *ssh, uint32_t reason, const char *text)
{
    uint8_t payload[1 + 4 + 4 + sizeof(ssh->error.text) + 4];
    struct alk_writer w = alk_writer(payload, sizeof(payload));

    alk_put_u8(&w, SSH_MSG_DISCONNECT);
    alk_put_u32(&w, reason);
    alk_put_text(&w, text);
    alk_put_text(&w, "");
    uint8_t *at = alk_packet_reserve(&ssh->out, alk_writer_len(&w));
    if (at == NULL || w.broken)
        return;
    memcpy(at, payload, alk_writer_len(&w));
    (void)alk_packet_seal(&ssh->tx, &ssh->out, alk_writer_len(&w));
}

int ssh_fail(struct alk_ssh *ssh, enum alk_ssh_disconnect reason, int status, const char *format,
             ...)
{
    va_list args;

    if (ssh->phase == PHASE_OVER)
        return ssh->error.code;
    ssh->error.code = status;
    va_start(args, format);
    vsnprintf(ssh->error.text, sizeof(ssh->error.text), format, args);
    va_end(args);
    if (reason != 0 && ssh->phase != PHASE_IDENT)
        send_disconnect(ssh, reason, ssh->error.text);
    ssh->phase = PHASE_OVER;
    return status;
}

void alk_ssh_disconnect(struct alk_ssh *ssh, enum alk_ssh_disconnect reason, const char *text)
{
    ssh_fail(ssh, reason, ALK_E_CLOSED, "%s", text);
}
