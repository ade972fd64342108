/*
 * TLS by libssl: the inside of tls.h, shared by the files of this folder only.
 *
 * context.c     what the contexts of both roles have in common
 * server.c      a server's context: certificate, key, what it offers
 * client.c      a client's context: roots, pins, the ticket for the next time
 * verify.c      may this server be trusted, and if not, why
 * connection.c  one connection
 */
#ifndef ALK_TRANSPORT_TLS_OPENSSL_INTERNAL_H
#define ALK_TRANSPORT_TLS_OPENSSL_INTERNAL_H

#include "transport/tls.h"

#include <alk/status.h>

#include <openssl/ssl.h>
#include <stdatomic.h>

struct alk_tls_context {
    atomic_uint references;
    SSL_CTX *ctx;
    bool is_server;

    /* of a client */
    bool verify_chain;
    int pin_count;
    uint8_t pins[ALK_TLS_PINS_MAX][ALK_TLS_PIN_SIZE];
    SSL_SESSION *ticket; /* of the last connection, or NULL */
};

struct alk_tls {
    struct alk_tls_context *context;
    SSL *ssl;
    struct alk_tls_io io;
    int io_status; /* what broke the connection below, or ALK_OK */
    bool ended;    /* no more bytes come from below */
    bool failed;
    bool untrusted; /* verify.c has refused the server */
    char server_name[256];
    struct alk_error error;
};

/* ---- context.c ---- */

/* With everything that both roles want. */
int tls_context_new(struct alk_tls_context **out, const SSL_METHOD *method);
/* What the library has to say about its last failure, for a sentence; never NULL. Clears its
 * queue. */
const char *tls_library_reason(void);

/* ---- verify.c ---- */

/* For SSL_CTX_set_cert_verify_callback. */
int tls_verify(X509_STORE_CTX *store, void *user);

/* ---- client.c ---- */

/* The name to ask for and to look for, and the last ticket. False: out of memory, or no name. */
bool tls_client_prepare(struct alk_tls *tls);

/* ---- connection.c ---- */

struct alk_tls *tls_of(const SSL *ssl);

#endif
