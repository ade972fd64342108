/*
 * Revoked keys and certificates: an OpenSSH key revocation list (PROTOCOL.krl, as ssh-keygen -k
 * makes it) or a plain list of public keys, one a line. Immutable once loaded; any thread may ask.
 */
#ifndef ALK_AUTH_REVOCATION_H
#define ALK_AUTH_REVOCATION_H

#include "auth/certificate.h"

struct alk_revocations;

/* ALK_E_PARSE for anything that is not understood as a whole, since it may revoke something;
 * ALK_E_UNSUPPORTED for a critical extension; ALK_E_NOMEM. what names the list in the error. */
int alk_revocations_parse(struct alk_revocations **out, const char *what, const void *data,
                          size_t len, struct alk_error *error);

/* Opens without blocking; must be a regular file of at most 64 MiB, not writable by others. */
int alk_revocations_load(struct alk_revocations **out, const char *path, struct alk_error *error);
void alk_revocations_free(struct alk_revocations *list);

/* Is the key itself (a blob without certificate) on the list? NULL lists nothing. */
bool alk_revoked_key(const struct alk_revocations *list, const uint8_t *blob, size_t len);

/* Is the certificate on it, by serial, key id, its key or its authority's key? */
bool alk_revoked_certificate(const struct alk_revocations *list,
                             const struct alk_certificate *certificate);

#endif
