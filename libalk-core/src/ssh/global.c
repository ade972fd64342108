/* Global requests (RFC 4254 sections 4 and 7, OpenSSH's PROTOCOL): remote forwards and
 * keepalive. Replies carry no number, so ours wait in a queue in the order of asking. */
#include "ssh/engine.h"

#include <stdlib.h>
#include <string.h>

/* ---- asking ---- */

static int push(struct alk_ssh *ssh, struct request request)
{
    struct request *r = malloc(sizeof(*r));

    if (r == NULL)
        return ALK_E_NOMEM;
    *r = request;
    r->next = NULL;
    *ssh->requests_end = r;
    ssh->requests_end = &r->next;
    return ALK_OK;
}

static bool pop(struct alk_ssh *ssh, struct request *out)
{
    struct request *r = ssh->requests;

    if (r == NULL)
        return false;
    *out = *r;
    ssh->requests = r->next;
    if (ssh->requests == NULL)
        ssh->requests_end = &ssh->requests;
    free(r);
    return true;
}

void ssh_requests_free(struct alk_ssh *ssh)
{
    struct request r;

    while (pop(ssh, &r))
        ;
}

int ssh_send_keepalive(struct alk_ssh *ssh, bool probe)
{
    uint8_t payload[64];
    struct alk_writer w = alk_writer(payload, sizeof(payload));

    if (push(ssh, (struct request){.what = probe ? REQUEST_PROBE : REQUEST_KEEPALIVE}) != ALK_OK)
        return ALK_E_NOMEM;
    alk_put_u8(&w, SSH_MSG_GLOBAL_REQUEST);
    alk_put_text(&w, "keepalive@openssh.com");
    alk_put_u8(&w, 1);
    ssh_send_writer(ssh, &w);
    return ALK_OK;
}

int alk_ssh_forward_request(struct alk_ssh *ssh, enum alk_ssh_channel_kind kind, bool cancel,
                            const char *host, uint32_t port, void *tag)
{
    bool tcp = kind == ALK_SSH_FORWARDED_TCPIP;
    uint8_t payload[CONTROL_MAX];
    struct alk_writer w = alk_writer(payload, sizeof(payload));

    if (ssh->phase != PHASE_OPEN)
        return ALK_E_CLOSED;
    if (strlen(host) > ALK_SSH_HOST_MAX)
        return ALK_E_INVAL;
    struct request request = {
        .what = REQUEST_FORWARD, .tag = tag, .wants_port = tcp && !cancel && port == 0};
    if (push(ssh, request) != ALK_OK)
        return ALK_E_NOMEM;
    alk_put_u8(&w, SSH_MSG_GLOBAL_REQUEST);
    if (tcp)
        alk_put_text(&w, cancel ? "cancel-tcpip-forward" : "tcpip-forward");
    else
        alk_put_text(&w, cancel ? "cancel-streamlocal-forward@openssh.com"
                                : "streamlocal-forward@openssh.com");
    alk_put_u8(&w, 1);
    alk_put_text(&w, host);
    if (tcp)
        alk_put_u32(&w, port);
    ssh_send_writer(ssh, &w);
    return ALK_OK;
}

static int on_reply(struct alk_ssh *ssh, struct alk_reader *r, bool ok)
{
    struct request request;

    if (!pop(ssh, &request))
        return ssh_fail(ssh, ALK_SSH_BY_PROTOCOL_ERROR, ALK_E_PROTO,
                        "a reply to a request that was never made");
    if (request.what == REQUEST_PROBE)
        ssh_window_probe_answered(ssh);
    if (request.what != REQUEST_FORWARD)
        return ALK_OK;
    uint32_t port = ok && request.wants_port ? alk_get_u32(r) : 0;
    if (port > 65535)
        return ssh_fail(ssh, ALK_SSH_BY_PROTOCOL_ERROR, ALK_E_PROTO,
                        "a remote listener on port %u, which there is not", port);
    struct alk_ssh_event *event = ssh_emit(ssh, ALK_SSH_FORWARD_REPLY);
    event->ok = ok;
    event->port = port;
    event->tag = request.tag;
    return ALK_OK;
}

int ssh_on_request_success(struct alk_ssh *ssh, struct alk_reader *r)
{
    return on_reply(ssh, r, true);
}

int ssh_on_request_failure(struct alk_ssh *ssh, struct alk_reader *r)
{
    return on_reply(ssh, r, false);
}

/* ---- answering ---- */

static const struct forward_name {
    const char *name;
    enum alk_ssh_channel_kind kind;
    bool cancel;
} forward_names[] = {
    {"tcpip-forward", ALK_SSH_FORWARDED_TCPIP, false},
    {"cancel-tcpip-forward", ALK_SSH_FORWARDED_TCPIP, true},
    {"streamlocal-forward@openssh.com", ALK_SSH_FORWARDED_UNIX, false},
    {"cancel-streamlocal-forward@openssh.com", ALK_SSH_FORWARDED_UNIX, true},
};

static const struct forward_name *forward_named(struct alk_bytes name)
{
    for (size_t i = 0; i < sizeof(forward_names) / sizeof(forward_names[0]); i++) {
        if (alk_bytes_equal(name, forward_names[i].name))
            return &forward_names[i];
    }
    return NULL;
}

static void reply(struct alk_ssh *ssh, bool wanted, bool ok)
{
    uint8_t message = ok ? SSH_MSG_REQUEST_SUCCESS : SSH_MSG_REQUEST_FAILURE;

    if (wanted)
        ssh_send(ssh, &message, 1);
}

int ssh_on_global_request(struct alk_ssh *ssh, struct alk_reader *r)
{
    struct alk_bytes name = alk_get_string(r);
    bool wants_reply = alk_get_bool(r);
    const struct forward_name *forward = ssh_is_server(ssh) ? forward_named(name) : NULL;

    if (!alk_reader_ok(r))
        return ALK_OK; /* dispatch names the fault */
    if (forward == NULL) {
        /* no session can be had here anyway, so the promise costs nothing */
        reply(ssh, wants_reply, alk_bytes_equal(name, "no-more-sessions@openssh.com"));
        return ALK_OK;
    }
    alk_get_text(r, ssh->host, sizeof(ssh->host));
    uint32_t port = forward->kind == ALK_SSH_FORWARDED_TCPIP ? alk_get_u32(r) : 0;
    if (!alk_reader_ok(r))
        return ALK_OK;
    if (port > 65535) {
        reply(ssh, wants_reply, false);
        return ALK_OK;
    }
    ssh->forward_wants_reply = wants_reply;
    ssh->forward_wants_port =
        forward->kind == ALK_SSH_FORWARDED_TCPIP && !forward->cancel && port == 0;
    ssh->awaiting = ANSWER_FORWARD;
    struct alk_ssh_event *event = ssh_emit(ssh, ALK_SSH_FORWARD_REQUEST);
    event->kind = forward->kind;
    event->cancel = forward->cancel;
    event->host = ssh->host;
    event->port = port;
    return ALK_OK;
}

void alk_ssh_forward_reply(struct alk_ssh *ssh, bool ok, uint32_t port)
{
    uint8_t payload[5];
    struct alk_writer w = alk_writer(payload, sizeof(payload));

    if (ssh->awaiting != ANSWER_FORWARD)
        return;
    ssh->awaiting = ANSWER_NONE;
    if (!ok || !ssh->forward_wants_port) {
        reply(ssh, ssh->forward_wants_reply, ok);
    } else if (ssh->forward_wants_reply) {
        alk_put_u8(&w, SSH_MSG_REQUEST_SUCCESS);
        alk_put_u32(&w, port);
        ssh_send_writer(ssh, &w);
    }
}
