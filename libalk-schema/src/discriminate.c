#include "discriminate.h"

#include <string.h>

/* ---- while validating ------------------------------------------------------------------------ */

uint64_t discriminator_candidates(const struct discriminator *discriminator, const json_t *value)
{
    if (!value)
        return UINT64_MAX; /* no schema says that it has to be there, as far as is known here */
    uint32_t found = KEYTABLE_NONE;
    if (json_is_string(value))
        found = keytable_find(&discriminator->texts, json_string_value(value),
                              json_string_length(value));
    return discriminator->others | (found != KEYTABLE_NONE ? discriminator->fitting[found] : 0);
}

/* ---- compiling ------------------------------------------------------------------------------- */

/* What is worth a look, so that much of it costs no more: */
enum { PROPERTIES_MAX = 32, TEXTS_MAX = 64 };

/* Through references, of which there may be a circle. */
static const struct node *behind_references(const struct node *node)
{
    for (int links = 0; links < 32; links++) {
        const struct node *to = keyword_only_reference(node);
        if (!to)
            return node;
        node = to;
    }
    return node;
}

/* The schema of a property that says which texts it admits, or NULL. */
static const struct node *texts_of(const struct property *property)
{
    const struct node *node = property->node ? behind_references(property->node) : NULL;
    return node && keyword_text(node, 0) && !keyword_text(node, TEXTS_MAX) ? node : NULL;
}

static const struct node *find_texts(const struct node *schema, const struct name *name)
{
    const struct members_rule *members = keyword_members_of(behind_references(schema));
    return members ? texts_of(members_property(members, name->number)) : NULL;
}

static size_t count_telling(const struct node **schemas, size_t count, const struct name *name)
{
    size_t telling = 0;
    for (size_t i = 0; i < count; i++)
        telling += find_texts(schemas[i], name) != NULL;
    return telling;
}

/* The property that tells most schemas apart. */
static const struct property *choose(const struct node **schemas, size_t count)
{
    const struct property *best = NULL;
    size_t most = 1; /* one alone is not worth a look */
    for (size_t i = 0; i < count && most < count; i++) {
        const struct members_rule *members = keyword_members_of(behind_references(schemas[i]));
        for (uint32_t j = 0; members && j < members->property_count && j < PROPERTIES_MAX; j++) {
            const struct property *property = &members->properties[j];
            size_t telling =
                texts_of(property) ? count_telling(schemas, count, &property->name) : 0;
            if (telling > most) {
                most = telling;
                best = property;
            }
        }
    }
    return best;
}

static size_t count_texts(const struct node **schemas, size_t count, const struct name *name)
{
    size_t texts = 0;
    for (size_t i = 0; i < count; i++) {
        const struct node *node = find_texts(schemas[i], name);
        for (size_t j = 0; node && keyword_text(node, j); j++)
            texts++;
    }
    return texts;
}

/* There is room for all of them. */
static void add_texts(struct arena *arena, struct discriminator *d, const struct node *node,
                      uint64_t schema, uint32_t *next)
{
    for (size_t i = 0; keyword_text(node, i); i++) {
        const json_t *text = keyword_text(node, i);
        uint32_t index = keytable_add(&d->texts, arena, json_string_value(text),
                                      json_string_length(text), *next);
        *next += index == *next;
        d->fitting[index] |= schema;
    }
}

const struct discriminator *discriminator_make(struct compiler *c, const struct node **schemas,
                                               size_t count)
{
    const struct property *property = choose(schemas, count);
    if (!property)
        return NULL;
    struct discriminator *d = arena_alloc(&c->out->arena, sizeof *d);
    size_t texts = count_texts(schemas, count, &property->name);
    uint32_t next = 0;
    if (!d || !keytable_init(&d->texts, &c->out->arena, texts) ||
        !(d->fitting = arena_array(&c->out->arena, texts, sizeof *d->fitting))) {
        compiler_no_memory(c);
        return NULL;
    }
    d->name = property->name;
    for (size_t i = 0; i < count; i++) {
        const struct node *node = find_texts(schemas[i], &d->name);
        if (node)
            add_texts(&c->out->arena, d, node, (uint64_t)1 << i, &next);
        else
            d->others |= (uint64_t)1 << i;
    }
    return d;
}
