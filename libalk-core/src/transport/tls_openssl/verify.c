#include "transport/tls_openssl/internal.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* ---- what a sentence names ---- */

static void day(const ASN1_TIME *time, char out[32])
{
    struct tm parts = {0};

    if (ASN1_TIME_to_tm(time, &parts) != 1 || strftime(out, 32, "%Y-%m-%d %H:%M UTC", &parts) == 0)
        snprintf(out, 32, "a time that cannot be read");
}

/* Names come from a stranger and go to a terminal. */
static void add_name(char *out, size_t size, const char *name, size_t len)
{
    size_t used = strlen(out);

    if (used + len + 4 > size)
        return;
    if (used > 0) {
        memcpy(out + used, ", ", 2);
        used += 2;
    }
    for (size_t i = 0; i < len; i++)
        out[used++] = name[i] > ' ' && name[i] < 0x7f ? name[i] : '?';
    out[used] = '\0';
}

static void add_address(char *out, size_t size, const ASN1_OCTET_STRING *address)
{
    int len = ASN1_STRING_length(address);
    char text[INET6_ADDRSTRLEN];

    if ((len == 4 || len == 16) && inet_ntop(len == 4 ? AF_INET : AF_INET6,
                                             ASN1_STRING_get0_data(address), text, sizeof(text)))
        add_name(out, size, text, strlen(text));
}

/* As many of the certificate's names as fit; "" when there are none. */
static void names_of(const X509 *certificate, char *out, size_t size)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);

    out[0] = '\0';
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        int kind;
        const void *value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, i), &kind);
        if (kind == GEN_DNS)
            add_name(out, size, (const char *)ASN1_STRING_get0_data(value),
                     (size_t)ASN1_STRING_length(value));
        else if (kind == GEN_IPADD)
            add_address(out, size, value);
    }
    GENERAL_NAMES_free(names);
}

/* ---- why not ---- */

static void explain_name(struct alk_tls *tls, const X509 *leaf)
{
    char names[200];

    names_of(leaf, names, sizeof(names));
    alk_error_set(&tls->error, ALK_E_CERT,
                  "its TLS certificate is for %s, not for %s: connect by a name that it has, or "
                  "name one with --tls-server-name",
                  names[0] != '\0' ? names : "no name at all", tls->server_name);
}

static void explain_time(struct alk_tls *tls, const X509 *certificate, int depth, bool expired)
{
    char when[32];
    const char *whose = depth == 0 ? "its TLS certificate" : "an authority of its TLS certificate";

    day(expired ? X509_get0_notAfter(certificate) : X509_get0_notBefore(certificate), when);
    if (expired)
        alk_error_set(&tls->error, ALK_E_CERT,
                      "%s expired on %s: it must be renewed on the server, if the clock here is "
                      "right",
                      whose, when);
    else
        alk_error_set(&tls->error, ALK_E_CERT, "%s is valid only from %s: is the clock here right?",
                      whose, when);
}

static void pin_of(const X509 *leaf, uint8_t out[ALK_TLS_PIN_SIZE])
{
    unsigned char *der = NULL;
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(leaf), &der);

    memset(out, 0, ALK_TLS_PIN_SIZE);
    if (len > 0)
        crypto_hash_sha256(out, der, (size_t)len);
    OPENSSL_free(der);
}

static void explain_stranger(struct alk_tls *tls, const X509 *leaf, bool alone)
{
    uint8_t pin[ALK_TLS_PIN_SIZE];
    char text[ALK_TLS_PIN_TEXT];

    pin_of(leaf, pin);
    alk_tls_pin_text(pin, text);
    alk_error_set(&tls->error, ALK_E_CERT,
                  alone ? "its TLS certificate is self-signed and nobody vouches for it: name the "
                          "certificate with --tls-ca, or pin its key, %s, with --tls-pin once you "
                          "have compared it with the server's"
                        : "its TLS certificate comes from an authority that is not trusted here: "
                          "name the authority's certificate with --tls-ca, or pin the server's "
                          "key, %s, with --tls-pin once you have compared it with the server's",
                  text);
}

static void explain(struct alk_tls *tls, X509_STORE_CTX *store)
{
    const X509 *leaf = X509_STORE_CTX_get0_cert(store);
    const X509 *at = X509_STORE_CTX_get_current_cert(store);
    int depth = X509_STORE_CTX_get_error_depth(store);
    int code = X509_STORE_CTX_get_error(store);

    switch (code) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        explain_name(tls, leaf);
        break;
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
        explain_time(tls, at != NULL ? at : leaf, depth, code == X509_V_ERR_CERT_HAS_EXPIRED);
        break;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        explain_stranger(tls, leaf, true);
        break;
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        explain_stranger(tls, leaf, false);
        break;
    default:
        alk_error_set(&tls->error, ALK_E_CERT, "its TLS certificate is not good: %s",
                      X509_verify_cert_error_string(code));
    }
}

/* ---- judging ---- */

static bool key_is_pinned(struct alk_tls *tls, const X509 *leaf)
{
    const struct alk_tls_context *context = tls->context;
    uint8_t pin[ALK_TLS_PIN_SIZE];
    char text[ALK_TLS_PIN_TEXT];

    pin_of(leaf, pin);
    for (int i = 0; i < context->pin_count; i++) {
        if (sodium_memcmp(pin, context->pins[i], sizeof(pin)) == 0)
            return true;
    }
    alk_tls_pin_text(pin, text);
    alk_error_set(&tls->error, ALK_E_CERT,
                  "its TLS key is %s, not the pinned one: somebody may be intercepting the "
                  "connection; if the server's key was changed on purpose, pin the new one",
                  text);
    return false;
}

int tls_verify(X509_STORE_CTX *store, void *user)
{
    const SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct alk_tls *tls = tls_of(ssl);

    (void)user;
    tls->untrusted = true;
    if (tls->context->pin_count > 0 && !key_is_pinned(tls, X509_STORE_CTX_get0_cert(store))) {
        X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
        return 0;
    }
    if (tls->context->verify_chain && X509_verify_cert(store) != 1) {
        explain(tls, store);
        ERR_clear_error();
        return 0;
    }
    tls->untrusted = false;
    X509_STORE_CTX_set_error(store, X509_V_OK);
    return 1;
}
