/* Which fields the kinds of credentials have. */
#ifndef ALK_CREDENTIALS_KIND_H
#define ALK_CREDENTIALS_KIND_H

#include <alk/credential.h>

#include <stdbool.h>

bool credential_field_is_name(const char *name);

/* Whether a credential of the kind may have the field. */
bool credential_kind_has(enum alk_credential_kind kind, const char *field);

/* The index-th field that a credential of the kind must have, or NULL. */
const char *credential_kind_needs(enum alk_credential_kind kind, size_t index);

#endif
