#include "support/pki.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

enum { DAY = 24 * 60 * 60 };

static void text_of(BIO *bio, char *out, int size)
{
    int len = BIO_read(bio, out, size - 1);

    assert_true(len > 0 && len < size - 1);
    out[len] = '\0';
    BIO_free(bio);
}

void pki_make(struct pki_pair *pair, const char *name, int days)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    BIO *cert_text = BIO_new(BIO_s_mem()), *key_text = BIO_new(BIO_s_mem());
    char names[128];

    assert_true(key != NULL && cert != NULL && cert_text != NULL && key_text != NULL);
    snprintf(names, sizeof(names), "DNS:%s", name);
    X509_set_version(cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), days < 0 ? 2L * days * DAY : -60);
    X509_gmtime_adj(X509_getm_notAfter(cert), (long)days * DAY);
    X509_set_pubkey(cert, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
                               (const unsigned char *)"test", -1, -1, 0);
    X509_set_issuer_name(cert, X509_get_subject_name(cert));
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, names);
    assert_int_equal(X509_add_ext(cert, extension, -1), 1);
    X509_EXTENSION_free(extension);
    assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
    assert_int_equal(PEM_write_bio_X509(cert_text, cert), 1);
    assert_int_equal(PEM_write_bio_PrivateKey(key_text, key, NULL, NULL, 0, NULL, NULL), 1);
    text_of(cert_text, pair->cert, sizeof(pair->cert));
    text_of(key_text, pair->key, sizeof(pair->key));
    X509_free(cert);
    EVP_PKEY_free(key);
}
