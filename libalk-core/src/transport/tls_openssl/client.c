#include "transport/tls_openssl/internal.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sodium.h>
#include <string.h>

static int trust_authorities(SSL_CTX *ctx, const struct alk_tls_pem *pem, struct alk_error *error)
{
    BIO *text = pem->len <= ALK_TLS_FILE_MAX ? BIO_new_mem_buf(pem->text, (int)pem->len) : NULL;
    X509_STORE *store = SSL_CTX_get_cert_store(ctx);
    X509 *authority;
    unsigned count = 0;

    while (text != NULL && (authority = PEM_read_bio_X509(text, NULL, NULL, NULL)) != NULL) {
        count += X509_STORE_add_cert(store, authority) == 1;
        X509_free(authority);
    }
    ERR_clear_error();
    BIO_free(text);
    /* a certificate that is named is trusted as it is: also one in the middle of a chain */
    X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(ctx), X509_V_FLAG_PARTIAL_CHAIN);
    return count > 0 ? ALK_OK
                     : alk_error_set(error, ALK_E_PARSE,
                                     "%s holds no certificate; name a PEM file with those of the "
                                     "authorities to trust",
                                     pem->name);
}

/* Kept for the next connection; a ticket is good for one. A copy: the library spoils its own when a
 * connection breaks, which is just when one is wanted. */
static int keep_ticket(SSL *ssl, SSL_SESSION *session)
{
    struct alk_tls_context *context = tls_of(ssl)->context;

    SSL_SESSION_free(context->ticket);
    context->ticket = SSL_SESSION_dup(session); /* NULL: then there is none */
    return 0;
}

static int set_up(struct alk_tls_context *context, const struct alk_tls_trust *trust,
                  struct alk_error *error)
{
    static const char aes_first[] =
        "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
    static const char chacha_first[] =
        "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384";
    static const unsigned char protocols[] = "\x08http/1.1";
    SSL_CTX *ctx = context->ctx;
    int status = ALK_OK;

    /* what this machine encrypts fastest */
    if (SSL_CTX_set_ciphersuites(ctx, sodium_runtime_has_aesni() ? aes_first : chacha_first) != 1 ||
        SSL_CTX_set_alpn_protos(ctx, protocols, sizeof(protocols) - 1) != 0)
        return alk_error_set(error, ALK_E_NOMEM, "TLS could not be set up");
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_cert_verify_callback(ctx, tls_verify, NULL);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(ctx, keep_ticket);
    if (trust->pins != NULL) {
        context->pin_count = alk_tls_pins_parse(trust->pins, context->pins, error);
        if (context->pin_count < 0)
            return context->pin_count;
    }
    context->verify_chain = !trust->insecure && (trust->pins == NULL || trust->authorities != NULL);
    if (trust->authorities != NULL)
        status = trust_authorities(ctx, trust->authorities, error);
    else if (context->verify_chain && SSL_CTX_set_default_verify_paths(ctx) != 1)
        status = alk_error_set(error, ALK_E_IO, "the system's certificates cannot be used: %s",
                               tls_library_reason());
    return status;
}

int alk_tls_client_context(struct alk_tls_context **out, const struct alk_tls_trust *trust,
                           struct alk_error *error)
{
    struct alk_tls_context *context = NULL;
    int status = tls_context_new(&context, TLS_client_method());

    if (status != ALK_OK)
        return alk_error_set(error, status, "TLS could not be set up");
    status = set_up(context, trust, error);
    if (status != ALK_OK) {
        ERR_clear_error();
        alk_tls_context_release(context);
        return status;
    }
    *out = context;
    return ALK_OK;
}

/* A numeric address is no name that could be asked for (RFC 6066, 3), and is looked for as such. */
bool tls_client_prepare(struct alk_tls *tls)
{
    X509_VERIFY_PARAM *param = SSL_get0_param(tls->ssl);
    const char *name = tls->server_name;

    if (tls->context->ticket != NULL) {
        SSL_set_session(tls->ssl, tls->context->ticket);
        SSL_SESSION_free(tls->context->ticket);
        tls->context->ticket = NULL;
    }
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    if (X509_VERIFY_PARAM_set1_ip_asc(param, name) == 1)
        return true;
    ERR_clear_error();
    return X509_VERIFY_PARAM_set1_host(param, name, 0) == 1 &&
           SSL_set_tlsext_host_name(tls->ssl, tls->server_name) == 1;
}
