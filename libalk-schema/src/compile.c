/* Compilation: index the document, then turn every schema that is reachable into a node. */
#include "program.h"
#include "uri.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_SCHEMA_DEPTH 1000

/* Of all pointers to schemas. Long names above many schemas make more of them than memory holds. */
#define MAX_POINTER_BYTES ((size_t)256 << 20)

/* ---- errors and memory ------------------------------------------------------------------ */

int compiler_no_memory(struct compiler *c)
{
    if (!c->status)
        c->status = error_set(c->error, ALK_SCHEMA_E_NOMEM, "", "out of memory");
    return c->status;
}

int compiler_fail(struct compiler *c, int status, const struct place *at, const char *keyword,
                  const char *format, ...)
{
    if (c->status)
        return c->status;
    c->status = status;
    if (!c->error)
        return status;
    char text[sizeof c->error->text], where[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    struct text token = {0};
    if (keyword)
        text_pointer_token(&token, keyword);
    char *escaped = text_take(&token);
    snprintf(where, sizeof where, "%s#%s%s", at->resource->uri, at->pointer,
             escaped ? escaped : "");
    free(escaped);
    return error_set(c->error, status, where, "%s", text);
}

bool compiler_grow(struct compiler *c, void *array, size_t count, size_t *size, size_t element_size)
{
    void *old;
    if (count < *size)
        return true;
    memcpy(&old, array, sizeof old);
    size_t wanted = *size ? *size * 2 : 16;
    void *grown = reallocarray(old, wanted, element_size);
    if (!grown) {
        compiler_no_memory(c);
        return false;
    }
    memcpy(array, &grown, sizeof grown);
    *size = wanted;
    return true;
}

const char *compiler_pointer(struct compiler *c, const char *base, const char *keyword,
                             const char *name, size_t index)
{
    struct text text = {0};
    text_put(&text, base);
    text_pointer_token(&text, keyword);
    if (name)
        text_pointer_token(&text, name);
    else if (index != SIZE_MAX)
        text_printf(&text, "/%zu", index);
    c->pointer_bytes += text.length;
    if (c->pointer_bytes > MAX_POINTER_BYTES && !c->status)
        c->status = error_set(c->error, ALK_SCHEMA_E_LIMIT, "",
                              "the names above the schemas are too long for so many schemas");
    char *pointer = text_take(&text);
    if (c->status) {
        free(pointer);
        return NULL;
    }
    const char *kept = pointer ? arena_text(&c->out->arena, pointer) : NULL;
    free(pointer);
    if (!kept)
        compiler_no_memory(c);
    return kept;
}

static bool too_deep(json_t *value, unsigned left)
{
    if (!json_is_object(value) && !json_is_array(value))
        return false;
    if (left == 0)
        return true;
    const char *key;
    json_t *member;
    json_object_foreach(value, key, member) if (too_deep(member, left - 1)) return true;
    for (size_t i = 0; i < json_array_size(value); i++)
        if (too_deep(json_array_get(value, i), left - 1))
            return true;
    return false;
}

int compiler_copy(const json_t *schema, json_t **copy, struct alk_schema_error *error)
{
    if (too_deep((json_t *)(uintptr_t)schema, MAX_SCHEMA_DEPTH))
        return error_set(error, ALK_SCHEMA_E_LIMIT, "", "the schema is nested too deeply");
    *copy = json_deep_copy(schema);
    return *copy ? 0 : error_set(error, ALK_SCHEMA_E_NOMEM, "", "out of memory");
}

/* ---- nodes --------------------------------------------------------------------------------- */

static struct node *node_new(struct compiler *c, enum node_kind kind,
                             const struct resource *resource, const char *pointer)
{
    struct node *node = arena_alloc(&c->out->arena, sizeof *node);
    if (!node) {
        compiler_no_memory(c);
        return NULL;
    }
    node->kind = kind;
    node->types = T_ANY;
    node->leads_to = node;
    node->accepts = kind == NODE_TRUE ? T_ANY : 0;
    node->refuses = kind == NODE_FALSE ? T_ANY : 0;
    node->resource = resource;
    node->pointer = pointer;
    return node;
}

struct node *compiler_node(struct compiler *c, json_t *schema, struct resource *resource,
                           const char *pointer)
{
    if (json_is_boolean(schema))
        return node_new(c, json_is_true(schema) ? NODE_TRUE : NODE_FALSE, resource, pointer);
    struct place *place = index_find(c, schema);
    if (!place && json_is_object(schema))
        place = index_stray(c, schema, resource, pointer);
    if (!place) {
        const struct place at = {schema, resource, pointer, NULL};
        compiler_fail(c, ALK_SCHEMA_E_SCHEMA, &at, NULL, "a schema is an object or a boolean");
        return NULL;
    }
    if (place->node)
        return place->node;
    if (!compiler_grow(c, &c->queue, c->queue_count, &c->queue_size, sizeof *c->queue))
        return NULL;
    place->node = node_new(c, NODE_RULES, place->resource, place->pointer);
    c->queue[c->queue_count++] = place;
    return place->node;
}

struct node *compiler_sub(struct compiler *c, const struct place *at, const char *keyword,
                          const char *name, size_t index, json_t *schema)
{
    const char *pointer = compiler_pointer(c, at->pointer, keyword, name, index);
    return pointer ? compiler_node(c, schema, at->resource, pointer) : NULL;
}

struct rule *compiler_rule(struct node *node, enum check check, rule_fn *report,
                           const char *keyword, unsigned applies)
{
    /* the array has room for one rule per keyword, see compile_place() */
    struct rule *rule = &node->rules[node->rule_count++];
    rule->check = (unsigned char)check;
    rule->report = report;
    rule->keyword = keyword;
    rule->applies = (unsigned char)applies;
    return rule;
}

struct regex *compiler_regex(struct compiler *c, const struct place *at, const char *keyword,
                             const char *pattern)
{
    char problem[160] = "";
    struct alk_schema *out = c->out;
    struct regex *regex = arena_alloc(&out->arena, sizeof *regex);
    if (!regex || !compiler_grow(c, &out->regexes, out->regex_count, &c->regex_size,
                                 sizeof(struct regex *))) {
        compiler_no_memory(c);
        return NULL;
    }
    int status = regex_compile(regex, pattern, strlen(pattern), out->options.match_limit, problem);
    if (status == ALK_SCHEMA_E_NOMEM)
        compiler_no_memory(c);
    else if (status)
        compiler_fail(c, status, at, keyword, "\"%s\" is no regular expression: %s", pattern,
                      problem);
    if (status)
        return NULL;
    out->regexes[out->regex_count++] = regex;
    return regex;
}

bool compiler_name(struct compiler *c, const char *text, struct name *name)
{
    struct keytable *table = &c->out->name_table;
    size_t length = strlen(text);
    uint32_t next = table->count;
    if (length > UINT32_MAX ||
        !compiler_grow(c, &c->out->names, next, &c->name_size, sizeof *c->out->names))
        return false;
    uint32_t number = keytable_add(table, &c->out->arena, text, length, next);
    *name = (struct name){text, keytable_head(text, length), keytable_tail(text, length),
                          (uint32_t)length, number};
    if (number == next)
        c->out->names[next] = *name;
    if (number == KEYTABLE_NONE)
        compiler_no_memory(c);
    return number != KEYTABLE_NONE;
}

int compiler_count(struct compiler *c, const struct place *at, const char *keyword,
                   const json_t *value, size_t *count)
{
    if (!json_is_number(value) || !number_is_integer(value) || json_number_value(value) < 0)
        return compiler_fail(c, ALK_SCHEMA_E_SCHEMA, at, keyword,
                             "must be an integer that is not negative");
    double real = json_number_value(value);
    *count = real < 9007199254740992.0 ? (size_t)real : SIZE_MAX;
    return 0;
}

/* ---- one schema ------------------------------------------------------------------------------ */

static const char *const shape_texts[] = {
    [SHAPE_TEXT] = "must be a string",
    [SHAPE_SCHEMA] = "must be a schema",
    [SHAPE_LIST] = "must be an array of schemas that is not empty",
    [SHAPE_MAP] = "must be an object of schemas",
    [SHAPE_SCHEMA_OR_LIST] = "must be a schema or an array of schemas",
    [SHAPE_MAP_OR_NAMES] = "must be an object of schemas or arrays of names",
};

static int compile_keyword(struct compiler *c, struct place *place, const char *name, json_t *value)
{
    const struct keyword *keyword = keyword_find(place->resource->dialect, name);
    if (!keyword)
        return keyword_annotation(c, place->node, place, name, value);
    if (!keyword_shape_ok(keyword, value))
        return compiler_fail(c, ALK_SCHEMA_E_SCHEMA, place, name, "%s",
                             shape_texts[keyword->shape]);
    return keyword->compile ? keyword->compile(c, place->node, place, keyword->name, value) : 0;
}

static int by_check(const void *a, const void *b)
{
    const struct rule *left = a, *right = b;
    if (left->check != right->check)
        return left->check < right->check ? -1 : 1;
    return strcmp(left->keyword, right->keyword);
}

/* About which types no assertion has to be asked. A real may be an integer, so it is asked. */
static void summarise(struct node *node)
{
    unsigned possible = node->types | (node->types & T_INTEGER ? T_REAL : 0);
    unsigned asked = possible & ~node->types;
    for (uint32_t i = 0; i < node->rule_count && node->rules[i].check != CHECK_NOTHING; i++) {
        asked |= node->rules[i].applies;
        possible &= keyword_types(&node->rules[i]);
        node->assertion_count++;
    }
    node->accepts = (unsigned char)(possible & ~asked);
    node->refuses = (unsigned char)(T_ANY & ~possible);
}

static int compile_place(struct compiler *c, struct place *place)
{
    struct node *node = place->node;
    json_t *reference = json_object_get(place->schema, "$ref");
    node->rules =
        arena_array(&c->out->arena, json_object_size(place->schema) + 1, sizeof *node->rules);
    if (!node->rules)
        return compiler_no_memory(c);
    /* in draft 7 nothing beside "$ref" counts */
    if (reference && place->resource->dialect->draft == 7) {
        compile_keyword(c, place, "$ref", reference);
        summarise(node);
        return c->status;
    }
    const char *name;
    json_t *value;
    json_object_foreach(place->schema, name, value)
    {
        if (compile_keyword(c, place, name, value))
            return c->status;
    }
    qsort(node->rules, node->rule_count, sizeof *node->rules, by_check);
    summarise(node);
    return c->status;
}

static int compile_all(struct compiler *c)
{
    while (c->queue_count && !c->status)
        compile_place(c, c->queue[--c->queue_count]);
    return c->status;
}

/* ---- from outside -------------------------------------------------------------------------------- */

static void compiler_end(struct compiler *c)
{
    json_decref(c->resource_index);
    json_decref(c->anchor_index);
    free(c->places);
    free(c->resources);
    free(c->anchors);
    free(c->queue);
}

static int compiler_begin(struct compiler *c, struct alk_schema *out,
                          const struct alk_schema_options *options, struct alk_schema_error *error)
{
    *c = (struct compiler){.out = out, .error = error, .registry = options->registry};
    c->default_dialect = options->draft == ALK_SCHEMA_DRAFT_7 ? &dialect_draft_7 : &dialect_2020_12;
    c->resource_index = json_object();
    c->anchor_index = json_object();
    out->options = *options;
    out->documents = json_array();
    if (!keytable_init(&out->name_table, &out->arena, 0))
        return compiler_no_memory(c);
    if (!c->resource_index || !c->anchor_index || !out->documents)
        return compiler_no_memory(c);
    return 0;
}

static int compile_document(struct compiler *c, json_t *document, const char *base_uri)
{
    char *uri = uri_resolve("", base_uri ? base_uri : "");
    if (!uri)
        return compiler_no_memory(c);
    uri_cut_fragment(uri);
    struct resource *resource = index_document(c, document, uri);
    free(uri);
    if (resource)
        c->out->root = compiler_node(c, document, resource, "");
    return c->status || compile_all(c) ? c->status : program_make(c);
}

int alk_schema_compile(const json_t *schema, const struct alk_schema_options *options,
                       struct alk_schema **out, struct alk_schema_error *error)
{
    static const struct alk_schema_options defaults = ALK_SCHEMA_OPTIONS_INIT;
    struct compiler c;
    json_t *copy = NULL;
    *out = NULL;
    struct alk_schema *made = calloc(1, sizeof *made);
    if (!made)
        return error_set(error, ALK_SCHEMA_E_NOMEM, "", "out of memory");
    if (!options)
        options = &defaults;
    int status = compiler_begin(&c, made, options, error);
    if (!status)
        status = compiler_copy(schema, &copy, error);
    if (!status && json_array_append_new(made->documents, copy))
        status = compiler_no_memory(&c);
    if (!status)
        status = compile_document(&c, copy, options->base_uri);
    compiler_end(&c);
    made->options.registry = NULL; /* both were only lent */
    made->options.base_uri = NULL;
    if (status)
        alk_schema_free(made);
    else
        *out = made;
    return status;
}

int compiler_survey(json_t *document, const char *uri, json_t **uris,
                    struct alk_schema_error *error)
{
    const struct alk_schema_options options = ALK_SCHEMA_OPTIONS_INIT;
    struct alk_schema scratch = {0};
    struct compiler c;
    int status = compiler_begin(&c, &scratch, &options, error);
    c.surveying = true;
    if (!status)
        index_document(&c, document, uri);
    status = c.status;
    if (!status)
        *uris = json_incref(c.resource_index);
    compiler_end(&c);
    json_decref(scratch.documents);
    free(scratch.names);
    arena_free(&scratch.arena);
    return status;
}

void alk_schema_free(struct alk_schema *schema)
{
    if (!schema)
        return;
    for (size_t i = 0; i < schema->regex_count; i++)
        regex_free(schema->regexes[i]);
    free(schema->regexes);
    free(schema->names);
    json_decref(schema->documents);
    arena_free(&schema->arena);
    free(schema);
}
