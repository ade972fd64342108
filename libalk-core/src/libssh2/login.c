/* Handshake and authentication. libssh2 asks the server about a key before it wants a signature. */
#include "libssh2/internal.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- handshake ---- */

static void no_handshake(struct lib_engine *e, int rc)
{
    char sentence[200];

    switch (rc) {
    case LIBSSH2_ERROR_BANNER_RECV:
        lib_over(e, ALK_E_PROTO, "the peer does not speak SSH");
        break;
    case LIBSSH2_ERROR_KEX_FAILURE:
        snprintf(sentence, sizeof(sentence),
                 "the server and libssh2 %s have no algorithm in common for the key exchange, its "
                 "host key, encryption or integrity, or the server did not prove its key",
                 libssh2_version(0));
        lib_over(e, ALK_E_UNSUPPORTED, sentence);
        break;
    default:
        lib_fail(e, rc);
    }
}

bool lib_handshake_step(struct lib_engine *e, struct alk_ssh_event *event)
{
    int rc = libssh2_session_handshake(e->session, e->null_fd);
    int type;

    if (rc != 0) {
        if (rc != LIBSSH2_ERROR_EAGAIN)
            no_handshake(e, rc);
        return false;
    }
    const char *cipher = libssh2_session_methods(e->session, LIBSSH2_METHOD_CRYPT_CS);
    if (cipher != NULL)
        snprintf(e->cipher, sizeof(e->cipher), "%s", cipher);
    e->phase = LIB_VERDICT;
    lib_emit(event, ALK_SSH_HOST_KEY, NULL);
    event->data = (const uint8_t *)libssh2_session_hostkey(e->session, &event->len, &type);
    return true;
}

void lib_host_key_accept(struct alk_ssh *ssh)
{
    struct lib_engine *e = lib_of(ssh);

    if (e->phase == LIB_VERDICT)
        e->phase = LIB_LOGIN;
}

/* ---- what is tried ---- */

void lib_login_clear(struct lib_engine *e)
{
    struct lib_login *l = &e->login;

    free(l->user);
    free(l->blob);
    free(l->to_sign);
    if (l->signature != NULL)
        sodium_memzero(l->signature, l->signature_len);
    free(l->signature);
    *l = (struct lib_login){.user = NULL};
}

static uint8_t *copy_of(const void *data, size_t len)
{
    uint8_t *copy = malloc(len + 1);

    if (copy != NULL && len > 0)
        memcpy(copy, data, len);
    return copy;
}

/* Called by libssh2 when the server would take the key; EAGAIN makes it ask again. */
static LIBSSH2_USERAUTH_PUBLICKEY_SIGN_FUNC(sign)
{
    struct lib_engine *e = *abstract;
    struct lib_login *l = &e->login;

    (void)session;
    if (l->abandoned)
        return LIBSSH2_ERROR_AUTHENTICATION_FAILED;
    if (l->signature == NULL) {
        free(l->to_sign);
        l->to_sign = copy_of(data, data_len);
        l->to_sign_len = data_len;
        return l->to_sign != NULL ? LIBSSH2_ERROR_EAGAIN : LIBSSH2_ERROR_ALLOC;
    }
    *sig = copy_of(l->signature, l->signature_len); /* libssh2 frees it */
    *sig_len = l->signature_len;
    return *sig != NULL ? 0 : LIBSSH2_ERROR_ALLOC;
}

static int try_key(struct lib_engine *e)
{
    struct lib_login *l = &e->login;
    void *abstract = e;

    if (l->text != NULL)
        return libssh2_userauth_publickey_frommemory(e->session, l->user, strlen(l->user), NULL, 0,
                                                     l->text, strlen(l->text), l->passphrase);
    return libssh2_userauth_publickey(e->session, l->user, l->blob, l->blob_len, sign, &abstract);
}

/* One that waits for its signature must come to an end before another can be tried. */
static void abandon(struct lib_engine *e)
{
    if (e->login.trying && e->login.to_sign != NULL && e->login.signature == NULL) {
        e->login.abandoned = true;
        try_key(e);
    }
    lib_login_clear(e);
}

static int begin(struct lib_engine *e, const char *user)
{
    abandon(e);
    if (e->over || e->phase != LIB_LOGIN)
        return ALK_E_CLOSED;
    e->login.user = strdup(user);
    return e->login.user != NULL ? ALK_OK : ALK_E_NOMEM;
}

/* Its signatures are what a signature blob holds behind the name of its algorithm. Those of
 * security keys are not. */
bool lib_takes_key(const uint8_t *blob, size_t len)
{
    static const char *const types[] = {"ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384",
                                        "ecdsa-sha2-nistp521", "ssh-rsa"};
    struct alk_reader r = alk_reader(blob, len);
    struct alk_bytes type = alk_get_string(&r);

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (alk_reader_ok(&r) && alk_bytes_equal(type, types[i]))
            return true;
    }
    return false;
}

int lib_auth_probe(struct alk_ssh *ssh, const char *user, const uint8_t *blob, size_t len)
{
    struct lib_engine *e = lib_of(ssh);

    if (!lib_takes_key(blob, len))
        return ALK_E_UNSUPPORTED;
    int status = begin(e, user);
    if (status != ALK_OK)
        return status;
    e->login.blob = copy_of(blob, len);
    e->login.blob_len = len;
    e->login.trying = e->login.blob != NULL;
    return e->login.trying ? ALK_OK : ALK_E_NOMEM;
}

int lib_auth_file(struct alk_ssh *ssh, const char *user, const char *text, const char *passphrase)
{
    struct lib_engine *e = lib_of(ssh);
    int status = begin(e, user);

    if (status != ALK_OK)
        return status;
    e->login.text = text;
    e->login.passphrase = passphrase;
    e->login.trying = true;
    return ALK_OK;
}

int lib_auth_to_sign(struct alk_ssh *ssh, const char *user, const uint8_t *blob, size_t blob_len,
                     const uint8_t **data, size_t *len)
{
    struct lib_login *l = &lib_of(ssh)->login;

    (void)user;
    (void)blob;
    (void)blob_len;
    if (l->to_sign == NULL)
        return ALK_E_CLOSED;
    *data = l->to_sign;
    *len = l->to_sign_len;
    return ALK_OK;
}

/* libssh2 wants what is inside the signature blob. */
int lib_auth_signed(struct alk_ssh *ssh, const uint8_t *signature, size_t len)
{
    struct lib_login *l = &lib_of(ssh)->login;
    struct alk_reader r = alk_reader(signature, len);

    alk_get_string(&r);
    struct alk_bytes inner = alk_get_string(&r);
    if (!alk_reader_done(&r) || !l->trying || l->to_sign == NULL)
        return ALK_E_PROTO;
    if (l->signature != NULL)
        return ALK_E_PROTO;
    l->signature = copy_of(inner.data, inner.len);
    l->signature_len = inner.len;
    return l->signature != NULL ? ALK_OK : ALK_E_NOMEM;
}

/* ---- the turn ---- */

/* What concerns this key only; after these the next one can be tried. */
static bool is_refusal(const struct lib_login *l, int rc)
{
    if (l->text != NULL && rc == LIBSSH2_ERROR_PROTO) /* a file that it cannot read */
        return true;
    return rc == LIBSSH2_ERROR_AUTHENTICATION_FAILED || rc == LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED ||
           rc == LIBSSH2_ERROR_FILE || rc == LIBSSH2_ERROR_METHOD_NONE ||
           rc == LIBSSH2_ERROR_METHOD_NOT_SUPPORTED || rc == LIBSSH2_ERROR_KEYFILE_AUTH_FAILED;
}

bool lib_login_step(struct lib_engine *e, struct alk_ssh_event *event)
{
    struct lib_login *l = &e->login;

    if (!e->login_began) {
        e->login_began = true;
        return lib_emit(event, ALK_SSH_AUTH_READY, NULL);
    }
    if (!l->trying || (l->to_sign != NULL && l->signature == NULL))
        return false;
    int rc = try_key(e);
    if (rc == LIBSSH2_ERROR_EAGAIN)
        return l->to_sign != NULL && l->signature == NULL &&
               lib_emit(event, ALK_SSH_AUTH_KEY_OK, NULL);
    if (rc != 0 && !is_refusal(l, rc)) {
        lib_fail(e, rc);
        return false;
    }
    lib_login_clear(e);
    if (rc == 0)
        e->phase = LIB_READY;
    lib_emit(event, rc == 0 ? ALK_SSH_AUTHENTICATED : ALK_SSH_AUTH_FAILED, NULL);
    event->text = "";
    return true;
}
