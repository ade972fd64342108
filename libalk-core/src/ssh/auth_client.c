/* User authentication, the client's side (RFC 4252): publickey with one key after another. */
#include "ssh/engine.h"

#include <stdlib.h>
#include <string.h>

void ssh_auth_client_start(struct alk_ssh *ssh)
{
    uint8_t payload[32];
    struct alk_writer w = alk_writer(payload, sizeof(payload));

    alk_put_u8(&w, SSH_MSG_SERVICE_REQUEST);
    alk_put_text(&w, "ssh-userauth");
    ssh_send_writer(ssh, &w);
}

int ssh_on_service_accept(struct alk_ssh *ssh, struct alk_reader *r)
{
    if (!alk_bytes_equal(alk_get_string(r), "ssh-userauth"))
        return ssh_fail(ssh, ALK_SSH_BY_PROTOCOL_ERROR, ALK_E_PROTO,
                        "the server accepted another service than was asked for");
    ssh->phase = PHASE_AUTH;
    ssh_emit(ssh, ALK_SSH_AUTH_READY);
    return ALK_OK;
}

static int start_request(struct alk_ssh *ssh, const char *user, struct alk_bytes key, bool sign,
                         struct alk_writer *w)
{
    struct alk_bytes name = {.data = (const uint8_t *)user, .len = strlen(user)};
    size_t size = CONTROL_MAX + key.len;

    if (ssh->phase != PHASE_AUTH)
        return ALK_E_CLOSED;
    if (name.len > ALK_SSH_USER_MAX)
        return ALK_E_INVAL;
    int status = ssh_auth_keep_key(ssh, key.data, key.len);
    if (status != ALK_OK)
        return status;
    ssh->auth_data = malloc(size);
    if (ssh->auth_data == NULL)
        return ALK_E_NOMEM;
    *w = alk_writer(ssh->auth_data, size);
    if (sign)
        alk_put_string(w, ssh->session_id, HASH_SIZE);
    ssh_auth_write_request(ssh, w, name, sign);
    ssh->auth_len = alk_writer_len(w);
    ssh->auth_probing = !sign;
    return ALK_OK;
}

int alk_ssh_auth_probe(struct alk_ssh *ssh, const char *user, const uint8_t *blob, size_t blob_len)
{
    struct alk_bytes key = {.data = blob, .len = blob_len};
    struct alk_writer w;
    int status = start_request(ssh, user, key, false, &w);

    if (status != ALK_OK)
        return status;
    ssh->auth_asked = true;
    ssh_send_writer(ssh, &w);
    return ALK_OK;
}

int alk_ssh_auth_to_sign(struct alk_ssh *ssh, const char *user, const uint8_t *blob,
                         size_t blob_len, const uint8_t **data, size_t *len)
{
    struct alk_bytes key = {.data = blob, .len = blob_len};
    struct alk_writer w;
    int status = start_request(ssh, user, key, true, &w);

    if (status != ALK_OK)
        return status;
    *data = ssh->auth_data;
    *len = ssh->auth_len;
    return ALK_OK;
}

int alk_ssh_auth_signed(struct alk_ssh *ssh, const uint8_t *signature, size_t len)
{
    uint8_t payload[AUTH_MAX + 512];
    struct alk_writer w = alk_writer(payload, sizeof(payload));
    size_t skip = 4 + HASH_SIZE; /* the session id is signed, not sent */

    if (ssh->phase != PHASE_AUTH || ssh->auth_data == NULL || ssh->auth_probing)
        return ALK_E_INVAL;
    alk_put_bytes(&w, ssh->auth_data + skip, ssh->auth_len - skip);
    alk_put_string(&w, signature, len);
    ssh->auth_asked = true;
    ssh_send_writer(ssh, &w);
    ssh_auth_clear(ssh);
    return ALK_OK;
}

/* One request, one answer: what comes unasked must not be taken for the answer to the next. */
static int take_answer(struct alk_ssh *ssh)
{
    if (!ssh->auth_asked)
        return ssh_fail(ssh, ALK_SSH_BY_PROTOCOL_ERROR, ALK_E_PROTO,
                        "the server answered a login that was not asked for");
    ssh->auth_asked = false;
    return ALK_OK;
}

int ssh_on_userauth_failure(struct alk_ssh *ssh, struct alk_reader *r)
{
    if (take_answer(ssh) != ALK_OK)
        return ssh->error.code;
    struct alk_bytes methods = alk_get_string(r);
    bool partial = alk_get_bool(r);
    size_t len = methods.len < sizeof(ssh->host) - 1 ? methods.len : sizeof(ssh->host) - 1;

    memcpy(ssh->host, methods.data, len);
    ssh->host[len] = '\0';
    struct alk_ssh_event *event = ssh_emit(ssh, ALK_SSH_AUTH_FAILED);
    event->text = ssh->host;
    event->ok = partial;
    return ALK_OK;
}

int ssh_on_userauth_success(struct alk_ssh *ssh, struct alk_reader *r)
{
    (void)r;
    if (take_answer(ssh) != ALK_OK)
        return ssh->error.code;
    ssh_auth_clear(ssh);
    ssh->phase = PHASE_OPEN;
    ssh->heard = ssh->now;
    ssh_emit(ssh, ALK_SSH_AUTHENTICATED);
    return ALK_OK;
}

int ssh_on_userauth_banner(struct alk_ssh *ssh, struct alk_reader *r)
{
    struct alk_bytes text = alk_get_string(r);

    struct alk_ssh_event *event = ssh_emit(ssh, ALK_SSH_AUTH_BANNER);
    event->data = text.data;
    event->len = text.len;
    return ALK_OK;
}

int ssh_on_userauth_pk_ok(struct alk_ssh *ssh, struct alk_reader *r)
{
    struct alk_bytes algorithm = alk_get_string(r);
    struct alk_bytes blob = alk_get_string(r);

    if (!ssh->auth_probing || ssh->auth_blob == NULL || blob.len != ssh->auth_blob_len ||
        memcmp(blob.data, ssh->auth_blob, blob.len) != 0 ||
        !alk_bytes_equal(algorithm, ssh->auth_algorithm))
        return ssh_fail(ssh, ALK_SSH_BY_PROTOCOL_ERROR, ALK_E_PROTO,
                        "the server accepted a key that was not offered");
    if (take_answer(ssh) != ALK_OK)
        return ssh->error.code;
    ssh->auth_probing = false;
    struct alk_ssh_event *event = ssh_emit(ssh, ALK_SSH_AUTH_KEY_OK);
    event->data = ssh->auth_blob;
    event->len = ssh->auth_blob_len;
    return ALK_OK;
}
