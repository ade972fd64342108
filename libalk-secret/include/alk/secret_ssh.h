/* A derived Ed25519 key as SSH knows it: OpenSSH private key file (PROTOCOL.key, not
 * encrypted), authorized_keys line, SHA-256 fingerprint. Any thread. */
#ifndef ALK_SECRET_SSH_H
#define ALK_SECRET_SSH_H

#include <alk/secret_error.h>

#include <stddef.h>
#include <stdint.h>

#define ALK_SECRET_SSH_COMMENT_MAX      255
#define ALK_SECRET_SSH_PRIVATE_SIZE     1024 /* a private key file with any comment, and a NUL */
#define ALK_SECRET_SSH_PUBLIC_SIZE      384 /* an authorized_keys line with any comment, and a NUL */
#define ALK_SECRET_SSH_FINGERPRINT_SIZE 51

/* The private key file of the Ed25519 seed, with every line ended. The same key and comment
 * give the same text. The comment is printable UTF-8 without line ends; "" for none. The
 * result is a secret: give it sodium_malloc() memory and write it with mode 0600.
 * E_ARGUMENT for a comment with control characters, E_TOO_LONG, E_SPACE, E_MEMORY. */
int alk_secret_ssh_private(const uint8_t seed[32], const char *comment, char *out, size_t size);

/* "ssh-ed25519 BASE64 comment", without a line end. Errors as above. */
int alk_secret_ssh_public(const uint8_t public_key[32], const char *comment, char *out,
                          size_t size);

/* "SHA256:…", as ssh-keygen -l prints it. */
void alk_secret_ssh_fingerprint(const uint8_t public_key[32],
                                char out[ALK_SECRET_SSH_FINGERPRINT_SIZE]);

#endif
