#include "members.h"

bool members_reserve(struct members_rule *members, struct arena *arena, size_t count)
{
    size_t size = 2;
    while (size < count * 2)
        size *= 2;
    if (size > UINT32_MAX / 2)
        return false;
    members->slot_mask = (uint32_t)size - 1;
    members->slots = arena_array(arena, size, sizeof *members->slots);
    members->properties = arena_array(arena, count, sizeof *members->properties);
    return members->slots && members->properties;
}

struct property *members_add(struct members_rule *members, const struct name *name)
{
    uint32_t at = name->number & members->slot_mask;
    while (members->slots[at].property && members->slots[at].name != name->number)
        at = (at + 1) & members->slot_mask;
    struct property_slot *slot = &members->slots[at];
    if (!slot->property) {
        struct property *property = &members->properties[members->property_count++];
        *property = (struct property){.name = *name};
        *slot = (struct property_slot){name->number, property};
    }
    return slot->property;
}

void members_require(struct members_rule *members, struct property *property)
{
    members->required_count += !property->required;
    property->required = true;
    members->required_bits |= name_bit(property->name.number);
}
