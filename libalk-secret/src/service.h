/* What the two halves of the service share: its tenants (service.c) and what an unlocked
 * tenant does (operations.c). */
#ifndef ALK_SERVICE_PRIVATE_H
#define ALK_SERVICE_PRIVATE_H

#include <alk/secret_service.h>

#include "vault.h"

/* Finds the vault of an unlocked tenant and keeps it from being locked until leave. On error
 * (ALK_SECRET_E_LOCKED) nothing is held. */
int alk_secret_service_enter(struct alk_secret_service *service, const char *tenant,
                             struct alk_vault **vault);

/* Ends what enter began, and wipes what the work has left on the stack. */
void alk_secret_service_leave(struct alk_secret_service *service);

uint64_t alk_secret_service_now(const struct alk_secret_service *service);

#endif
