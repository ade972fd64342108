/* User authentication, the server's side (RFC 4252): publickey only. */
#include "ssh/engine.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

void ssh_auth_clear(struct alk_ssh *ssh)
{
    free(ssh->auth_data);
    ssh->auth_data = NULL;
    ssh->auth_len = 0;
    free(ssh->auth_blob);
    ssh->auth_blob = NULL;
    ssh->auth_blob_len = 0;
}

int ssh_auth_keep_key(struct alk_ssh *ssh, const uint8_t *blob, size_t len)
{
    struct alk_user_key key;
    uint8_t *kept;

    if (!alk_user_key_parse(blob, len, &key)) {
        ssh_auth_clear(ssh);
        return ALK_E_UNSUPPORTED;
    }
    kept = malloc(len);
    if (kept != NULL)
        memcpy(kept, blob, len);
    ssh_auth_clear(ssh); /* not before: blob may be the last one */
    if (kept == NULL)
        return ALK_E_NOMEM;
    ssh->auth_blob = kept;
    ssh->auth_blob_len = len;
    ssh->auth_algorithm = key.algorithm;
    return ALK_OK;
}

int ssh_on_service_request(struct alk_ssh *ssh, struct alk_reader *r)
{
    uint8_t payload[32];
    struct alk_writer w = alk_writer(payload, sizeof(payload));

    if (!alk_bytes_equal(alk_get_string(r), "ssh-userauth"))
        return ssh_fail(ssh, ALK_SSH_BY_SERVICE_NOT_AVAILABLE, ALK_E_PROTO,
                        "no such service before authentication");
    alk_put_u8(&w, SSH_MSG_SERVICE_ACCEPT);
    alk_put_text(&w, "ssh-userauth");
    ssh_send_writer(ssh, &w);
    ssh->phase = PHASE_AUTH;
    return ALK_OK;
}

static int send_failure(struct alk_ssh *ssh, bool counts)
{
    uint8_t payload[32];
    struct alk_writer w = alk_writer(payload, sizeof(payload));

    if (counts && ++ssh->auth_failures >= ssh->options.max_auth_attempts)
        return ssh_fail(ssh, ALK_SSH_BY_NO_MORE_METHODS, ALK_E_AUTH,
                        "too many authentication failures");
    alk_put_u8(&w, SSH_MSG_USERAUTH_FAILURE);
    alk_put_text(&w, "publickey");
    alk_put_u8(&w, 0);
    ssh_send_writer(ssh, &w);
    return ALK_OK;
}

/* Refused without asking the caller, who is told. */
static int refuse(struct alk_ssh *ssh, const char *method)
{
    int status = send_failure(ssh, true);

    if (status == ALK_OK) {
        struct alk_ssh_event *event = ssh_emit(ssh, ALK_SSH_AUTH_REFUSED);
        event->user = ssh->origin;
        event->text = method;
    }
    return status;
}

void ssh_auth_write_request(const struct alk_ssh *ssh, struct alk_writer *w, struct alk_bytes user,
                            bool with_signature)
{
    alk_put_u8(w, SSH_MSG_USERAUTH_REQUEST);
    alk_put_string(w, user.data, user.len);
    alk_put_text(w, "ssh-connection");
    alk_put_text(w, "publickey");
    alk_put_u8(w, with_signature);
    alk_put_text(w, ssh->auth_algorithm);
    alk_put_string(w, ssh->auth_blob, ssh->auth_blob_len);
}

/* What the client signed: the session's id, then its request up to the signature. */
static bool signature_holds(struct alk_ssh *ssh, struct alk_bytes user, struct alk_bytes signature)
{
    uint8_t text[AUTH_MAX];
    struct alk_writer w = alk_writer(text, sizeof(text));

    alk_put_string(&w, ssh->session_id, HASH_SIZE);
    ssh_auth_write_request(ssh, &w, user, true);
    return !w.broken &&
           alk_user_key_verify(ssh->auth_blob, ssh->auth_blob_len, text, alk_writer_len(&w),
                               signature.data, signature.len, &ssh->auth_presence) == ALK_OK;
}

/* One request with a key: the caller decides, whether or not the signature holds, so that
 * the answer takes the same path for a known and an unknown key. */
static int on_publickey(struct alk_ssh *ssh, struct alk_reader *r, struct alk_bytes user)
{
    bool has_signature = alk_get_bool(r);
    struct alk_bytes algorithm = alk_get_string(r);
    struct alk_bytes blob = alk_get_string(r);
    struct alk_bytes signature = {0};

    if (has_signature)
        signature = alk_get_string(r);
    if (!alk_reader_done(r))
        return ssh_fail(ssh, ALK_SSH_BY_PROTOCOL_ERROR, ALK_E_PROTO,
                        "a malformed authentication request");
    int status = ssh_auth_keep_key(ssh, blob.data, blob.len);
    if (status == ALK_E_NOMEM)
        return ssh_fail(ssh, ALK_SSH_BY_PROTOCOL_ERROR, status, "out of memory");
    if (status != ALK_OK || !alk_bytes_equal(algorithm, ssh->auth_algorithm))
        return refuse(ssh, "publickey");
    ssh->auth_probing = !has_signature;
    ssh->auth_presence = (struct alk_presence){0};
    ssh->auth_proven = has_signature && signature_holds(ssh, user, signature);
    ssh->awaiting = ANSWER_AUTH;
    struct alk_ssh_event *event = ssh_emit(ssh, ALK_SSH_AUTH_REQUEST);
    event->user = ssh->origin;
    event->data = ssh->auth_blob;
    event->len = ssh->auth_blob_len;
    event->proven = ssh->auth_proven;
    event->presence = ssh->auth_presence;
    return ALK_OK;
}

/* In words of our own: it may stand in a log. */
static const char *name_of(struct alk_bytes method)
{
    static const char *const names[] = {"none", "password", "keyboard-interactive", "hostbased",
                                        "gssapi-with-mic"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (alk_bytes_equal(method, names[i]))
            return names[i];
    }
    return "other";
}

int ssh_on_userauth_request(struct alk_ssh *ssh, struct alk_reader *r)
{
    struct alk_bytes user = alk_get_string(r);
    struct alk_bytes service = alk_get_string(r);
    struct alk_bytes method = alk_get_string(r);

    if (ssh->phase == PHASE_OPEN) /* RFC 4252 section 5.1: ignored after success */
        return ALK_OK;
    if (!alk_reader_ok(r))
        return ALK_OK; /* dispatch names the fault */
    if (!alk_bytes_equal(service, "ssh-connection"))
        return ssh_fail(ssh, ALK_SSH_BY_SERVICE_NOT_AVAILABLE, ALK_E_PROTO, "no such service");
    if (user.len >= sizeof(ssh->origin) || memchr(user.data, '\0', user.len) != NULL)
        return ssh_fail(ssh, ALK_SSH_BY_PROTOCOL_ERROR, ALK_E_PROTO, "an unusable user name");
    memcpy(ssh->origin, user.data, user.len);
    ssh->origin[user.len] = '\0';
    if (alk_bytes_equal(method, "publickey"))
        return on_publickey(ssh, r, user);
    /* the first "none" only asks which methods there are */
    bool first_none = alk_bytes_equal(method, "none") && !ssh->auth_none_seen;
    ssh->auth_none_seen = true;
    return first_none ? send_failure(ssh, false) : refuse(ssh, name_of(method));
}

static void send_pk_ok(struct alk_ssh *ssh)
{
    uint8_t payload[AUTH_MAX];
    struct alk_writer w = alk_writer(payload, sizeof(payload));

    alk_put_u8(&w, SSH_MSG_USERAUTH_PK_OK);
    alk_put_text(&w, ssh->auth_algorithm);
    alk_put_string(&w, ssh->auth_blob, ssh->auth_blob_len);
    ssh_send_writer(ssh, &w);
}

void alk_ssh_auth_reply(struct alk_ssh *ssh, bool accept)
{
    uint8_t success = SSH_MSG_USERAUTH_SUCCESS;

    if (ssh->awaiting != ANSWER_AUTH || ssh->phase != PHASE_AUTH)
        return;
    ssh->awaiting = ANSWER_NONE;
    if (!accept || (!ssh->auth_probing && !ssh->auth_proven)) {
        send_failure(ssh, true);
    } else if (ssh->auth_probing) {
        send_pk_ok(ssh);
    } else {
        ssh_send(ssh, &success, 1);
        ssh->phase = PHASE_OPEN;
        ssh->heard = ssh->now;
    }
    ssh_auth_clear(ssh);
}
