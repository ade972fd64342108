#include "transport/tls_openssl/internal.h"

#include <openssl/err.h>
#include <stdlib.h>

enum { READ_BUFFER = 64 * 1024 }; /* several records a read when there are */

/* What servers of today choose, in the order in which they are written down everywhere; the
 * client's order counts. No CBC, no key exchange without forward secrecy. */
static const char ciphers_of_12[] =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

const char *tls_library_reason(void)
{
    unsigned long code = ERR_peek_error();
    const char *reason = code != 0 ? ERR_reason_error_string(code) : NULL;

    ERR_clear_error();
    return reason != NULL ? reason : "unknown reason";
}

int tls_context_new(struct alk_tls_context **out, const SSL_METHOD *method)
{
    struct alk_tls_context *context = calloc(1, sizeof(*context));

    if (context == NULL)
        return ALK_E_NOMEM;
    atomic_init(&context->references, 1);
    context->ctx = SSL_CTX_new(method);
    if (context->ctx == NULL || SSL_CTX_set_min_proto_version(context->ctx, TLS1_2_VERSION) != 1 ||
        SSL_CTX_set_cipher_list(context->ctx, ciphers_of_12) != 1) {
        ERR_clear_error();
        alk_tls_context_release(context);
        return ALK_E_NOMEM;
    }
    SSL_CTX_set_options(context->ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_mode(context->ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
                                       SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                       SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_read_ahead(context->ctx, 1);
    SSL_CTX_set_default_read_buffer_len(context->ctx, READ_BUFFER);
    *out = context;
    return ALK_OK;
}

struct alk_tls_context *alk_tls_context_hold(struct alk_tls_context *context)
{
    atomic_fetch_add(&context->references, 1);
    return context;
}

void alk_tls_context_release(struct alk_tls_context *context)
{
    if (context == NULL || atomic_fetch_sub(&context->references, 1) != 1)
        return;
    SSL_SESSION_free(context->ticket);
    SSL_CTX_free(context->ctx);
    free(context);
}
