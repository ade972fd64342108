/*
 * Private keys that alknet itself does not use, RSA and ECDSA above all: only to log in somewhere
 * with the libssh2 engine (alk/client.h), which signs with them.
 *
 * Immutable once loaded, so any thread may use one. The secret lies in guarded memory and is wiped
 * when freed. Call alk_crypto_init once before.
 */
#ifndef ALK_FOREIGN_KEY_H
#define ALK_FOREIGN_KEY_H

#include <alk/key.h>

struct alk_foreign_key;

/* Reads a private key file in OpenSSH's or a PEM format, with the same demands on its mode and the
 * same questions for its passphrase as alk_key_load. ALK_E_UNSUPPORTED for a type that libssh2 does
 * not sign with, ALK_E_PARSE for what is no key, and the errors of alk_key_load. */
int alk_foreign_key_load(struct alk_foreign_key **out, const char *path, alk_passphrase_fn ask,
                         void *user, struct alk_error *error);
void alk_foreign_key_free(struct alk_foreign_key *key); /* NULL is fine */

/* The public key blob; borrowed from the key. */
const uint8_t *alk_foreign_key_blob(const struct alk_foreign_key *key, size_t *len);

/* The text of the file, and its passphrase or NULL; borrowed from the key. */
const char *alk_foreign_key_text(const struct alk_foreign_key *key);
const char *alk_foreign_key_passphrase(const struct alk_foreign_key *key);

#endif
