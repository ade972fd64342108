/*
 * A public key as a user presents it at a login: an Ed25519 key (RFC 8709), one that lives in a
 * security key (OpenSSH's PROTOCOL.u2f), or either of them inside an OpenSSH certificate
 * (PROTOCOL.certkeys). Pure functions; any thread. Call alk_crypto_init once before.
 */
#ifndef ALK_USER_KEY_H
#define ALK_USER_KEY_H

#include <alk/key.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    ALK_USER_KEY_MAX = 8 * 1024, /* bytes of a blob, certificates included */
    ALK_APPLICATION_MAX = 256,   /* bytes of a security key's application, "ssh:..." */
    ALK_PLAIN_KEY_MAX = 384,     /* bytes of a blob without its certificate */
};

/* The algorithms that a login may use, best first, as server-sig-algs and servers name them. */
#define ALK_USER_KEY_ALGORITHMS                                                                    \
    "ssh-ed25519-cert-v01@openssh.com,sk-ssh-ed25519-cert-v01@openssh.com,ssh-ed25519,"            \
    "sk-ssh-ed25519@openssh.com"

/* A view into a blob, which it borrows. */
struct alk_user_key {
    const char *algorithm;      /* static: the name that the blob begins with */
    bool certified;             /* inside a certificate, which is not judged here */
    const uint8_t *raw;         /* the 32 bytes of the Ed25519 key */
    const uint8_t *application; /* NULL when it is no security key's */
    size_t application_len;
};

/* False for another type and for what is malformed. Of a certificate only the key is read. */
bool alk_user_key_parse(const uint8_t *blob, size_t len, struct alk_user_key *key);

/* Writes the blob of the key itself, without a certificate; returns its length. It names the key
 * in authorized_keys, fingerprints and revocation lists. */
size_t alk_user_key_plain(const struct alk_user_key *key, uint8_t out[ALK_PLAIN_KEY_MAX]);

/* "SHA256:..." of the key itself; of the whole blob when it cannot be parsed. */
void alk_user_key_fingerprint(const uint8_t *blob, size_t len, char out[ALK_FINGERPRINT_SIZE]);

/* What a signature says besides who made it. Only security keys say something. */
struct alk_presence {
    bool touched;  /* somebody was present */
    bool verified; /* and has proven who they are, by PIN or finger */
};

/* ALK_OK when the signature (a blob) over data was made by the owner of the key; ALK_E_CRYPTO
 * otherwise. presence may be NULL. */
int alk_user_key_verify(const uint8_t *blob, size_t blob_len, const void *data, size_t len,
                        const uint8_t *signature, size_t signature_len,
                        struct alk_presence *presence);

#endif
