/*
 * The first pass over a document: find every schema in it, with its base URI and
 * its anchors. Iterative: nesting is only bounded by the document's size.
 */
#include "compiler.h"
#include "registry.h"
#include "uri.h"

#include <stdlib.h>
#include <string.h>

/* ---- places by address ------------------------------------------------------------ */

static size_t place_slot(const struct compiler *c, const json_t *schema)
{
    size_t i = (size_t)(((uintptr_t)schema >> 4) * 0x9e3779b97f4a7c15u >> 20);
    while (c->places[i & (c->place_size - 1)] &&
           c->places[i & (c->place_size - 1)]->schema != schema)
        i++;
    return i & (c->place_size - 1);
}

struct place *index_find(const struct compiler *c, const json_t *schema)
{
    return c->place_size ? c->places[place_slot(c, schema)] : NULL;
}

static bool places_grow(struct compiler *c)
{
    size_t old_size = c->place_size;
    struct place **old = c->places;
    c->place_size = old_size ? old_size * 2 : 64;
    c->places = calloc(c->place_size, sizeof *c->places);
    if (!c->places) {
        c->places = old;
        c->place_size = old_size;
        compiler_no_memory(c);
        return false;
    }
    for (size_t i = 0; i < old_size; i++)
        if (old[i])
            c->places[place_slot(c, old[i]->schema)] = old[i];
    free(old);
    return true;
}

static struct place *place_add(struct compiler *c, json_t *schema, struct resource *resource,
                               const char *pointer)
{
    if (c->place_count * 2 >= c->place_size && !places_grow(c))
        return NULL;
    struct place *place = arena_alloc(&c->out->arena, sizeof *place);
    if (!place) {
        compiler_no_memory(c);
        return NULL;
    }
    *place = (struct place){schema, resource, pointer, NULL};
    c->places[place_slot(c, schema)] = place;
    c->place_count++;
    return place;
}

/* ---- resources and anchors ------------------------------------------------------------ */

static bool index_put(struct compiler *c, json_t *index, const char *key, size_t number)
{
    if (json_object_set_new(index, key, json_integer((json_int_t)number)) == 0)
        return true;
    compiler_no_memory(c);
    return false;
}

static struct resource *resource_add(struct compiler *c, const char *uri, json_t *root,
                                     const struct dialect *dialect)
{
    struct resource *resource = arena_alloc(&c->out->arena, sizeof *resource);
    char *copy = arena_text(&c->out->arena, uri);
    if (!resource || !copy) {
        compiler_no_memory(c);
        return NULL;
    }
    *resource = (struct resource){copy, dialect, root, NULL};
    if (!compiler_grow(c, &c->resources, c->resource_count, &c->resource_size,
                       sizeof *c->resources) ||
        !index_put(c, c->resource_index, uri, c->resource_count))
        return NULL;
    c->resources[c->resource_count++] = resource;
    return resource;
}

static int anchor_add(struct compiler *c, struct place *place, const char *keyword,
                      const char *name)
{
    const char *key = arena_format(&c->out->arena, "%s#%s", place->resource->uri, name);
    if (!key)
        return compiler_no_memory(c);
    json_t *known = json_object_get(c->anchor_index, key);
    if (known && c->anchors[json_integer_value(known)] != place)
        return compiler_fail(c, ALK_SCHEMA_E_SCHEMA, place, keyword,
                             "the anchor \"%s\" is there twice", name);
    if (!compiler_grow(c, &c->anchors, c->anchor_count, &c->anchor_size, sizeof *c->anchors) ||
        !index_put(c, c->anchor_index, key, c->anchor_count))
        return c->status;
    c->anchors[c->anchor_count++] = place;
    return 0;
}

static int dynamic_anchor_add(struct compiler *c, struct place *place, const char *name)
{
    struct dynamic_anchor *anchor = arena_alloc(&c->out->arena, sizeof *anchor);
    if (!anchor)
        return compiler_no_memory(c);
    anchor->name = name;
    anchor->node = compiler_node(c, place->schema, place->resource, place->pointer);
    anchor->next = place->resource->dynamic_anchors;
    place->resource->dynamic_anchors = anchor;
    return c->status;
}

static int index_anchors(struct compiler *c, struct place *place)
{
    if (place->resource->dialect->draft == 7)
        return 0;
    const char *name = json_string_value(json_object_get(place->schema, "$anchor"));
    if (name)
        anchor_add(c, place, "$anchor", name);
    name = json_string_value(json_object_get(place->schema, "$dynamicAnchor"));
    if (name && !c->status && anchor_add(c, place, "$dynamicAnchor", name) == 0)
        dynamic_anchor_add(c, place, name);
    return c->status;
}

/* ---- "$schema" and "$id" ---------------------------------------------------------------- */

/* The dialect of a meta-schema that is not a published one: by its "$vocabulary". */
static const struct dialect *custom_dialect(struct compiler *c, const struct place *at,
                                            const char *uri)
{
    const json_t *meta = registry_find(c->registry, uri, NULL);
    json_t *vocabularies = json_object_get(meta, "$vocabulary");
    const char *parent = json_string_value(json_object_get(meta, "$schema"));
    char *base = parent ? uri_resolve("", parent) : NULL;
    if (base)
        uri_cut_fragment(base);
    const struct dialect *draft = base ? dialect_published(base) : &dialect_2020_12;
    free(base);
    if (!meta || !draft) {
        compiler_fail(c, ALK_SCHEMA_E_REF, at, "$schema", "the dialect %s is not known", uri);
        return NULL;
    }
    struct dialect *dialect = arena_alloc(&c->out->arena, sizeof *dialect);
    if (!dialect) {
        compiler_no_memory(c);
        return NULL;
    }
    *dialect = *draft;
    if (!vocabularies)
        return dialect;
    dialect->vocabularies = VOCAB_CORE;
    const char *name;
    json_t *needed;
    json_object_foreach(vocabularies, name, needed)
    {
        unsigned bit = dialect_vocabulary(name);
        if (!bit && json_is_true(needed)) {
            compiler_fail(c, ALK_SCHEMA_E_REF, at, "$schema", "the vocabulary %s is not known",
                          name);
            return NULL;
        }
        dialect->vocabularies |= bit;
    }
    return dialect;
}

static const struct dialect *read_dialect(struct compiler *c, const struct place *at,
                                          const struct dialect *otherwise)
{
    const char *name = json_string_value(json_object_get(at->schema, "$schema"));
    if (!name)
        return otherwise;
    char *uri = uri_resolve("", name);
    if (!uri) {
        compiler_no_memory(c);
        return NULL;
    }
    uri_cut_fragment(uri);
    const struct dialect *dialect = dialect_published(uri);
    if (!dialect && c->surveying)
        dialect = otherwise;
    if (!dialect)
        dialect = custom_dialect(c, at, uri);
    free(uri);
    return dialect;
}

/* In draft 7 nothing beside "$ref" counts. */
static bool id_counts(const json_t *schema, const struct dialect *dialect)
{
    return dialect->draft != 7 || !json_object_get(schema, "$ref");
}

/* Apply "$id": a new resource, or in draft 7 an anchor. */
static int index_id(struct compiler *c, struct place *place)
{
    const char *id = json_string_value(json_object_get(place->schema, "$id"));
    const struct dialect *dialect = place->resource->dialect;
    if (!id || !id_counts(place->schema, dialect))
        return 0;
    char *uri = uri_resolve(place->resource->uri, id);
    if (!uri)
        return compiler_no_memory(c);
    const char *fragment = uri_cut_fragment(uri);
    if (fragment && *fragment && dialect->draft != 7 && !c->surveying)
        compiler_fail(c, ALK_SCHEMA_E_SCHEMA, place, "$id", "\"%s\" must have no fragment", id);

    if (*id != '#' && !c->status) {
        bool known = json_object_get(c->resource_index, uri) != NULL;
        bool same = place->schema == place->resource->root;
        if (known && !(same && strcmp(uri, place->resource->uri) == 0))
            compiler_fail(c, ALK_SCHEMA_E_SCHEMA, place, "$id", "%s is there twice", uri);
        else if (same && !known)
            place->resource->uri = arena_text(&c->out->arena, uri);
        if (same && !c->status && !place->resource->uri)
            compiler_no_memory(c);
        if (same && !known && !c->status)
            index_put(c, c->resource_index, uri, c->resource_count - 1);
        if (!same && !c->status) {
            const struct dialect *own = read_dialect(c, place, dialect);
            place->resource = own ? resource_add(c, uri, place->schema, own) : NULL;
            place->pointer = "";
        }
    }
    if (fragment && *fragment && !c->status)
        anchor_add(c, place, "$id", fragment);
    free(uri);
    return c->status;
}

/* ---- the walk ------------------------------------------------------------------------------ */

struct walk {
    struct compiler *c;
    struct place **stack;
    size_t count, size;
    const struct place *at;
    const char *keyword;
};

static void walk_push(struct walk *walk, json_t *schema, struct resource *resource,
                      const char *pointer)
{
    struct compiler *c = walk->c;
    if (c->status || !json_is_object(schema) || index_find(c, schema))
        return;
    struct place *place = place_add(c, schema, resource, pointer);
    if (place && compiler_grow(c, &walk->stack, walk->count, &walk->size, sizeof *walk->stack))
        walk->stack[walk->count++] = place;
}

static void walk_child(void *user, const char *name, size_t index, json_t *schema)
{
    struct walk *walk = user;
    if (walk->c->status || !json_is_object(schema))
        return;
    const char *pointer = compiler_pointer(walk->c, walk->at->pointer, walk->keyword, name, index);
    if (pointer)
        walk_push(walk, schema, walk->at->resource, pointer);
}

static int walk_place(struct walk *walk, struct place *place)
{
    if (index_id(walk->c, place) || index_anchors(walk->c, place))
        return walk->c->status;
    walk->at = place;
    json_t *value;
    json_object_foreach(place->schema, walk->keyword, value)
    {
        const struct keyword *known = keyword_find(place->resource->dialect, walk->keyword);
        if (known)
            keyword_schemas(known, value, walk_child, walk);
    }
    return walk->c->status;
}

static int walk_all(struct walk *walk)
{
    while (walk->count && !walk->c->status)
        walk_place(walk, walk->stack[--walk->count]);
    free(walk->stack);
    return walk->c->status;
}

struct resource *index_document(struct compiler *c, json_t *root, const char *uri)
{
    struct resource *resource = resource_add(c, uri, root, c->default_dialect);
    if (!resource || !json_is_object(root))
        return resource;
    struct place at = {root, resource, "", NULL};
    resource->dialect = read_dialect(c, &at, c->default_dialect);
    if (!resource->dialect)
        return NULL;
    struct walk walk = {.c = c};
    walk_push(&walk, root, resource, "");
    return walk_all(&walk) ? NULL : resource;
}

struct place *index_stray(struct compiler *c, json_t *schema, struct resource *resource,
                          const char *pointer)
{
    struct walk walk = {.c = c};
    walk_push(&walk, schema, resource, pointer);
    return walk_all(&walk) ? NULL : index_find(c, schema);
}
