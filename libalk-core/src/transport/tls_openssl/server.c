#include "transport/tls_openssl/internal.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>
#include <time.h>

enum { TICKET_LIFE_S = 300 }; /* as long as web servers let sessions be resumed */

/* Nobody can be asked for a passphrase while a server runs. */
static int no_passphrase(char *buffer, int size, int writing, void *user)
{
    (void)buffer;
    (void)size;
    (void)writing;
    *(bool *)user = true;
    return -1;
}

static BIO *text_of(const struct alk_tls_pem *pem)
{
    return pem->len <= ALK_TLS_FILE_MAX ? BIO_new_mem_buf(pem->text, (int)pem->len) : NULL;
}

/* The rest of the file: who vouches for the certificate. */
static bool add_chain(SSL_CTX *ctx, BIO *text)
{
    X509 *next;

    while ((next = PEM_read_bio_X509(text, NULL, NULL, NULL)) != NULL) {
        if (SSL_CTX_add0_chain_cert(ctx, next) != 1) {
            X509_free(next);
            return false;
        }
    }
    bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    ERR_clear_error();
    return at_end;
}

static int use_chain(SSL_CTX *ctx, const struct alk_tls_pem *pem, struct alk_error *error)
{
    BIO *text = text_of(pem);
    X509 *own = text != NULL ? PEM_read_bio_X509_AUX(text, NULL, NULL, NULL) : NULL;
    int status = ALK_OK;

    if (own == NULL)
        status = alk_error_set(error, ALK_E_PARSE,
                               "%s holds no certificate; name a PEM file with the server's "
                               "certificate and then those that vouch for it",
                               pem->name);
    else if (SSL_CTX_use_certificate(ctx, own) != 1)
        status = alk_error_set(error, ALK_E_UNSUPPORTED, "the certificate in %s cannot be used: %s",
                               pem->name, tls_library_reason());
    else if (!add_chain(ctx, text))
        status =
            alk_error_set(error, ALK_E_PARSE,
                          "one of the certificates after the first in %s is broken", pem->name);
    ERR_clear_error();
    X509_free(own);
    BIO_free(text);
    return status;
}

static int use_key(SSL_CTX *ctx, const struct alk_tls_pem *chain, const struct alk_tls_pem *pem,
                   struct alk_error *error)
{
    bool encrypted = false;
    BIO *text = text_of(pem);
    EVP_PKEY *key =
        text != NULL ? PEM_read_bio_PrivateKey(text, NULL, no_passphrase, &encrypted) : NULL;
    int status = ALK_OK;

    if (key == NULL && encrypted)
        status = alk_error_set(error, ALK_E_PARSE,
                               "the key in %s is encrypted; a server has nobody to ask for the "
                               "passphrase: openssl pkey removes it",
                               pem->name);
    else if (key == NULL)
        status = alk_error_set(error, ALK_E_PARSE, "%s holds no private key in PEM", pem->name);
    else if (X509_check_private_key(SSL_CTX_get0_certificate(ctx), key) != 1)
        status = alk_error_set(error, ALK_E_CRYPTO,
                               "the key in %s is not that of the certificate in %s; name the pair "
                               "that was made together",
                               pem->name, chain->name);
    else if (SSL_CTX_use_PrivateKey(ctx, key) != 1)
        status = alk_error_set(error, ALK_E_UNSUPPORTED, "the key in %s cannot be used: %s",
                               pem->name, tls_library_reason());
    ERR_clear_error();
    EVP_PKEY_free(key);
    BIO_free(text);
    return status;
}

/* As a web server without HTTP/2 does. */
static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                           const unsigned char *in, unsigned in_len, void *user)
{
    static const unsigned char ours[] = "\x08http/1.1\x08http/1.0\x08http/0.9";
    unsigned char *chosen = NULL;

    (void)ssl;
    (void)user;
    if (SSL_select_next_proto(&chosen, out_len, ours, sizeof(ours) - 1, in, in_len) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

/* Any name will do, and having heard it is confirmed: so do web servers with one site. */
static int take_name(SSL *ssl, int *alert, void *user)
{
    (void)ssl;
    (void)alert;
    (void)user;
    return SSL_TLSEXT_ERR_OK;
}

int alk_tls_server_context(struct alk_tls_context **out, const struct alk_tls_pem *chain,
                           const struct alk_tls_pem *key, struct alk_error *error)
{
    static const unsigned char id[] = "alknet";
    struct alk_tls_context *context = NULL;
    int status = tls_context_new(&context, TLS_server_method());

    if (status != ALK_OK)
        return alk_error_set(error, status, "TLS could not be set up");
    context->is_server = true;
    SSL_CTX_set_session_id_context(context->ctx, id, sizeof(id) - 1);
    /* sessions live in the tickets that clients keep */
    SSL_CTX_set_session_cache_mode(context->ctx,
                                   SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_set_timeout(context->ctx, TICKET_LIFE_S);
    SSL_CTX_set_alpn_select_cb(context->ctx, choose_protocol, NULL);
    SSL_CTX_set_tlsext_servername_callback(context->ctx, take_name);
    status = use_chain(context->ctx, chain, error);
    if (status == ALK_OK)
        status = use_key(context->ctx, chain, key, error);
    if (status != ALK_OK) {
        alk_tls_context_release(context);
        return status;
    }
    *out = context;
    return ALK_OK;
}

static int64_t seconds(const ASN1_TIME *time)
{
    struct tm parts = {0};

    return ASN1_TIME_to_tm(time, &parts) == 1 ? (int64_t)timegm(&parts) : 0;
}

void alk_tls_validity(const struct alk_tls_context *context, int64_t *from, int64_t *until)
{
    const X509 *own = SSL_CTX_get0_certificate(context->ctx);

    *from = seconds(X509_get0_notBefore(own));
    *until = seconds(X509_get0_notAfter(own));
}
