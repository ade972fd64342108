/* Which fields the kinds of credentials have. */
#ifndef ALK_CREDENTIALS_KIND_H
#define ALK_CREDENTIALS_KIND_H

#include <alk/credential.h>

bool credential_field_is_name(const char *name);

/* Whether a credential of the kind may have the field. */
bool credential_kind_has(enum alk_credential_kind kind, const char *field);

#endif
