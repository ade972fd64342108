#include "transport/tls_openssl/internal.h"

#include <openssl/err.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct alk_tls *tls_of(const SSL *ssl)
{
    return SSL_get_app_data(ssl);
}

/* ---- the bytes below: a BIO ---- */

static int bio_read(BIO *bio, char *data, int len)
{
    struct alk_tls *tls = BIO_get_data(bio);

    BIO_clear_retry_flags(bio);
    if (len <= 0 || tls->io_status != ALK_OK)
        return -1;
    ssize_t n = tls->io.receive(tls->io.user, data, (size_t)len);
    if (n == ALK_E_AGAIN)
        BIO_set_retry_read(bio);
    else if (n < 0)
        tls->io_status = (int)n;
    tls->ended |= n == 0;
    return n > 0 ? (int)n : n == 0 ? 0 : -1;
}

static int bio_write(BIO *bio, const char *data, int len)
{
    struct alk_tls *tls = BIO_get_data(bio);

    BIO_clear_retry_flags(bio);
    if (len <= 0 || tls->io_status != ALK_OK)
        return -1;
    ssize_t n = tls->io.send(tls->io.user, data, (size_t)len);
    if (n == ALK_E_AGAIN)
        BIO_set_retry_write(bio);
    else if (n < 0)
        tls->io_status = (int)n;
    return n >= 0 ? (int)n : -1;
}

static long bio_control(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH;
}

static BIO_METHOD *method;

static void make_method(void)
{
    method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "alknet");
    if (method != NULL &&
        (BIO_meth_set_read(method, bio_read) != 1 || BIO_meth_set_write(method, bio_write) != 1 ||
         BIO_meth_set_ctrl(method, bio_control) != 1)) {
        BIO_meth_free(method);
        method = NULL;
    }
}

static bool attach(struct alk_tls *tls)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, make_method);
    BIO *bio = method != NULL ? BIO_new(method) : NULL;
    if (bio == NULL)
        return false;
    BIO_set_data(bio, tls);
    BIO_set_init(bio, 1);
    SSL_set_bio(tls->ssl, bio, bio); /* freed with ssl */
    return true;
}

/* ---- life ---- */

int alk_tls_new(struct alk_tls **out, struct alk_tls_context *context, const char *server_name,
                const struct alk_tls_io *io)
{
    struct alk_tls *tls = calloc(1, sizeof(*tls));

    if (tls == NULL)
        return ALK_E_NOMEM;
    tls->context = alk_tls_context_hold(context);
    tls->io = *io;
    tls->ssl = SSL_new(context->ctx);
    bool ok = tls->ssl != NULL && attach(tls);
    if (ok) {
        SSL_set_app_data(tls->ssl, tls);
        size_t len = server_name != NULL ? strnlen(server_name, sizeof(tls->server_name) - 1) : 0;
        memcpy(tls->server_name, server_name != NULL ? server_name : "", len);
        if (context->is_server)
            SSL_set_accept_state(tls->ssl);
        else
            SSL_set_connect_state(tls->ssl);
        ok = context->is_server || tls_client_prepare(tls);
    }
    ERR_clear_error();
    if (!ok) {
        alk_tls_free(tls);
        return ALK_E_NOMEM;
    }
    *out = tls;
    return ALK_OK;
}

void alk_tls_free(struct alk_tls *tls)
{
    if (tls == NULL)
        return;
    SSL_free(tls->ssl);
    alk_tls_context_release(tls->context);
    free(tls);
}

/* ---- what a call of the library came to ---- */

static int fail(struct alk_tls *tls, int status, const char *why)
{
    tls->failed = true;
    ERR_clear_error();
    return alk_error_set(&tls->error, status, "%s", why);
}

/* An alert that says what the peer thinks of us. */
static bool is_alert(unsigned long code)
{
    int reason = ERR_GET_REASON(code);

    return ERR_GET_LIB(code) == ERR_LIB_SSL && reason > SSL_AD_REASON_OFFSET &&
           reason < SSL_AD_REASON_OFFSET + 256;
}

static int judge_failure(struct alk_tls *tls)
{
    unsigned long code = ERR_peek_error();

    if (tls->untrusted) { /* the sentence stands already */
        tls->failed = true;
        ERR_clear_error();
        return ALK_E_CERT;
    }
    if (tls->io_status != ALK_OK)
        return fail(tls, tls->io_status, alk_status_text(tls->io_status));
    if (tls->ended)
        return fail(tls, ALK_E_CLOSED, "the connection was closed without a farewell");
    if (is_alert(code)) {
        tls->failed = true;
        return alk_error_set(&tls->error, ALK_E_PROTO, "the peer refused: %s",
                             tls_library_reason());
    }
    return fail(tls, ALK_E_PROTO, tls_library_reason());
}

/* rc is not a success. 0 for the peer's farewell. */
static int outcome(struct alk_tls *tls, int rc)
{
    switch (SSL_get_error(tls->ssl, rc)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return ALK_E_AGAIN;
    case SSL_ERROR_ZERO_RETURN:
        return 0;
    default:
        return judge_failure(tls);
    }
}

/* ---- using it ---- */

int alk_tls_handshake(struct alk_tls *tls)
{
    if (tls->failed)
        return tls->error.code;
    ERR_clear_error();
    int rc = SSL_do_handshake(tls->ssl);
    if (rc == 1)
        return ALK_OK;
    int status = outcome(tls, rc);
    return status != 0 ? status : fail(tls, ALK_E_CLOSED, "the peer said goodbye at once");
}

ssize_t alk_tls_read(struct alk_tls *tls, void *data, size_t len)
{
    size_t done = 0;
    int status = ALK_OK;

    if (len == 0)
        return ALK_E_INVAL;
    if (tls->failed)
        return tls->error.code;
    ERR_clear_error();
    while (done < len) {
        size_t n = 0;
        int rc = SSL_read_ex(tls->ssl, (uint8_t *)data + done, len - done, &n);
        if (rc != 1) {
            status = outcome(tls, rc);
            break;
        }
        done += n;
    }
    /* a failure comes again with the next call */
    return done > 0 ? (ssize_t)done : status;
}

ssize_t alk_tls_write(struct alk_tls *tls, const void *data, size_t len)
{
    size_t n = 0;

    if (tls->failed)
        return tls->error.code;
    if (len == 0)
        return 0;
    ERR_clear_error();
    int rc = SSL_write_ex(tls->ssl, data, len < ALK_TLS_RECORD ? len : ALK_TLS_RECORD, &n);
    if (rc == 1)
        return (ssize_t)n;
    int status = outcome(tls, rc);
    return status != 0 ? status : fail(tls, ALK_E_CLOSED, alk_status_text(ALK_E_CLOSED));
}

bool alk_tls_has_input(const struct alk_tls *tls)
{
    return SSL_has_pending(tls->ssl) == 1;
}

int alk_tls_finish(struct alk_tls *tls)
{
    if (tls->failed)
        return tls->error.code;
    ERR_clear_error();
    int rc = SSL_shutdown(tls->ssl);
    if (rc >= 0)
        return ALK_OK;
    return outcome(tls, rc);
}

const char *alk_tls_error(const struct alk_tls *tls)
{
    return tls->error.text;
}

const char *alk_tls_version(const struct alk_tls *tls)
{
    return SSL_get_version(tls->ssl);
}

const char *alk_tls_cipher(const struct alk_tls *tls)
{
    return SSL_get_cipher_name(tls->ssl);
}

bool alk_tls_resumed(const struct alk_tls *tls)
{
    return SSL_session_reused(tls->ssl) == 1;
}
