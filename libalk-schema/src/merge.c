#include "merge.h"

#include "discriminate.h"
#include "members.h"

/* What is worth it, so that hostile schemas gain nothing by it. */
enum { PARTS_MAX = 16, VISITS_MAX = 64, PROPERTIES_MAX = 256 };

struct parts {
    const struct node *whole;
    const struct members_rule *parts[PARTS_MAX];
    size_t count;
    const struct rule *choice;
    const struct node *others; /* unevaluatedProperties */
    unsigned visits;
};

static bool gather(struct parts *p, const struct node *node);

static bool gather_members(struct parts *p, const struct members_rule *members)
{
    if (members->others.node || p->count == PARTS_MAX)
        return false;
    p->parts[p->count++] = members;
    return true;
}

static bool gather_list(struct parts *p, const struct rule *rule)
{
    for (size_t i = 0; i < rule->u.list.count; i++)
        if (!gather(p, rule->u.list.nodes[i]))
            return false;
    return true;
}

static bool gather_choice(struct parts *p, const struct rule *rule)
{
    const struct choice *choice = rule->u.list.choice;
    if (p->choice || !choice || !choice->discriminator)
        return false;
    p->choice = rule;
    return true;
}

static bool gather_rule(struct parts *p, const struct node *node, const struct rule *rule)
{
    switch (rule->check) {
    case CHECK_MIN_SIZE:
    case CHECK_MAX_SIZE:
        return node == p->whole; /* whose row says it */
    case CHECK_REQUIRED:
    case CHECK_MEMBERS:
        return gather_members(p, rule->u.members);
    case CHECK_REF:
        return gather(p, rule->u.node);
    case CHECK_ALL_OF:
        return gather_list(p, rule);
    case CHECK_ANY_OF:
    case CHECK_ONE_OF:
        return gather_choice(p, rule);
    case CHECK_UNEVALUATED_MEMBERS:
        p->others = rule->u.node;
        return node == p->whole;
    default:
        return false;
    }
}

/* False when there is something that no table of members can say. */
static bool gather(struct parts *p, const struct node *node)
{
    node = node->leads_to;
    if (node->accepts & T_OBJECT)
        return true;
    if (node->refuses & T_OBJECT || p->visits++ == VISITS_MAX)
        return false;
    for (uint32_t i = 0; i < node->assertion_count; i++)
        if (node->rules[i].applies & T_OBJECT && !gather_rule(p, node, &node->rules[i]))
            return false;
    return true;
}

/* Two schemas for one property are one if either lets everything pass. */
static bool add_schema(struct property *property, const struct node *node)
{
    if (!property->node || property->node->accepts == T_ANY)
        property->node = node;
    return property->node == node || node->accepts == T_ANY;
}

static bool add_part(struct members_rule *all, const struct members_rule *part)
{
    for (uint32_t i = 0; i < part->property_count; i++) {
        const struct property *from = &part->properties[i];
        struct property *property = members_add(all, &from->name);
        if (from->required)
            members_require(all, property);
        if (from->node && !add_schema(property, from->node))
            return false;
    }
    for (uint32_t i = 0; i < part->pattern_count; i++)
        all->patterns[all->pattern_count++] = part->patterns[i];
    return true;
}

/* What is required alone has not been evaluated. */
static void close_with(struct members_rule *all, const struct node *others)
{
    all->others.node = others;
    for (uint32_t i = 0; i < all->property_count && !all->pattern_count; i++)
        if (!all->properties[i].node)
            all->properties[i].node = others;
}

/* One table for all parts; `room` is for how many properties and patterns. */
static const struct members_rule *unite(struct compiler *c, const struct parts *p, size_t *room)
{
    struct arena *arena = &c->out->arena;
    size_t properties = 0, patterns = 0;
    for (size_t i = 0; i < p->count; i++) {
        properties += p->parts[i]->property_count;
        patterns += p->parts[i]->pattern_count;
    }
    if (properties + patterns > *room)
        return NULL;
    *room -= properties + patterns;
    struct members_rule *all = arena_alloc(arena, sizeof *all);
    if (!all || !members_reserve(all, arena, properties) ||
        !(all->patterns = arena_array(arena, patterns, sizeof *all->patterns))) {
        compiler_no_memory(c);
        return NULL;
    }
    for (size_t i = 0; i < p->count; i++)
        if (!add_part(all, p->parts[i]))
            return NULL;
    close_with(all, p->others);
    all->only_named = !p->others && !patterns;
    return all;
}

static const struct members_rule *unite_chosen(struct compiler *c, const struct parts *p,
                                               const struct node *chosen, size_t *room)
{
    struct parts with = *p;
    with.visits = 0;
    return gather(&with, chosen) ? unite(c, &with, room) : NULL;
}

/* False when none of the schemas is worth it. */
static bool unite_choice(struct compiler *c, const struct parts *p, struct merged *merged)
{
    const struct node **nodes = p->choice->u.list.nodes;
    size_t count = p->choice->u.list.count, room = PROPERTIES_MAX;
    bool any = false;
    merged->chosen = arena_array(&c->out->arena, count, sizeof *merged->chosen);
    if (!merged->chosen) {
        compiler_no_memory(c);
        return false;
    }
    merged->discriminator = p->choice->u.list.choice->discriminator;
    merged->fitting = p->choice->u.list.choice->fitting[JSON_OBJECT];
    for (size_t i = 0; i < count && !c->status; i++) {
        merged->chosen[i] = unite_chosen(c, p, nodes[i], &room);
        any = any || merged->chosen[i];
    }
    return any;
}

const struct merged *merge_make(struct compiler *c, const struct node *node)
{
    struct parts p = {.whole = node};
    size_t room = PROPERTIES_MAX;
    if (c->out->dynamic || !gather(&p, node) || (p.count < 2 && !p.others && !p.choice))
        return NULL;
    struct merged *merged = arena_alloc(&c->out->arena, sizeof *merged);
    if (!merged) {
        compiler_no_memory(c);
        return NULL;
    }
    if (p.choice)
        return unite_choice(c, &p, merged) ? merged : NULL;
    merged->members = unite(c, &p, &room);
    return merged->members ? merged : NULL;
}
