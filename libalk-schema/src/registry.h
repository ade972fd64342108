#ifndef ALK_SCHEMA_REGISTRY_H
#define ALK_SCHEMA_REGISTRY_H

#include "alk/schema.h"

/*
 * The document in which `uri` (without fragment) is, and in `*document_uri`, when
 * asked, the URI under which it was added. NULL when there is none. Borrowed.
 */
json_t *registry_find(const struct alk_schema_registry *registry, const char *uri,
                      const char **document_uri);

#endif
