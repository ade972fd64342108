/* Making the table of what is asserted of the members of an object. */
#ifndef ALK_SCHEMA_MEMBERS_H
#define ALK_SCHEMA_MEMBERS_H

#include "node.h"

/* Room for so many properties; false when memory is out. */
bool members_reserve(struct members_rule *members, struct arena *arena, size_t count);

/* The property of that name, a new one if need be, for which there must be room. */
struct property *members_add(struct members_rule *members, const struct name *name);

void members_require(struct members_rule *members, struct property *property);

#endif
