/*
 * JSON Schema, draft 2020-12 (and draft 7 where "$schema" says so): compile a
 * schema once, validate documents many times. Nothing here reads a file or the
 * network; schemas that others refer to are put into a registry first.
 *
 * Threads: a registry is used by one thread while it is filled; afterwards, like
 * every compiled schema, it is immutable and may be shared without a lock.
 *
 * Numbers are exact: 64-bit integers are compared as integers, 1.0 is an integer,
 * and multipleOf works on the shortest decimal text of a real.
 */
#ifndef ALK_SCHEMA_H
#define ALK_SCHEMA_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum alk_schema_status {
    ALK_SCHEMA_OK = 0,
    ALK_SCHEMA_E_INVALID = -1, /* the document does not fit the schema */
    ALK_SCHEMA_E_SCHEMA = -2,  /* the schema is malformed */
    ALK_SCHEMA_E_REF = -3,     /* a reference, dialect or vocabulary is not known */
    ALK_SCHEMA_E_LIMIT = -4,   /* a bound was reached, so there is no answer */
    ALK_SCHEMA_E_JSON = -5,    /* the text is not JSON, or not acceptable JSON */
    ALK_SCHEMA_E_NOMEM = -6
};

/* What went wrong first. Texts longer than the arrays are cut. */
struct alk_schema_error {
    char instance[256]; /* JSON pointer into the document, "" for its root */
    char schema[256];   /* location of the keyword, as URI#pointer */
    char text[384];     /* one sentence */
};

/* ---- registry ---------------------------------------------------------------- */

struct alk_schema_registry;

/* An empty registry (the published meta-schemas are always known), or NULL. */
struct alk_schema_registry *alk_schema_registry_new(void);
void alk_schema_registry_free(struct alk_schema_registry *registry);

/*
 * Make `schema` known under `uri`, and under every "$id" in it. The document is
 * copied. A URI that is already there is an ALK_SCHEMA_E_SCHEMA.
 */
int alk_schema_registry_add(struct alk_schema_registry *registry, const char *uri,
                            const json_t *schema, struct alk_schema_error *error);

/* ---- compile ----------------------------------------------------------------- */

enum alk_schema_draft { ALK_SCHEMA_DRAFT_2020_12 = 0, ALK_SCHEMA_DRAFT_7 = 7 };

struct alk_schema_options {
    const struct alk_schema_registry *registry; /* may be NULL; borrowed while compiling */
    const char *base_uri;                       /* where the schema came from, or NULL */
    enum alk_schema_draft draft;                /* for schemas without "$schema" */
    bool assert_format;                         /* "format" fails documents */
    unsigned max_depth;                         /* nested evaluations, default 1000 */
    uint64_t max_steps;                         /* schemas, members, items, default 100 million */
    uint32_t match_limit;                       /* backtracking per pattern, default 1 million */
    unsigned max_errors;                        /* listed by alk_schema_output, default 1000 */
};
#define ALK_SCHEMA_OPTIONS_INIT                                                                    \
    {                                                                                              \
        NULL, NULL, ALK_SCHEMA_DRAFT_2020_12, false, 1000, 100000000, 1000000, 1000                \
    }

struct alk_schema;

/*
 * Compile. `options` and `error` may be NULL. The schema is copied, so the
 * caller's JSON may change or go. Answers OK, E_SCHEMA, E_REF, E_LIMIT, E_NOMEM.
 */
int alk_schema_compile(const json_t *schema, const struct alk_schema_options *options,
                       struct alk_schema **out, struct alk_schema_error *error);
void alk_schema_free(struct alk_schema *schema);

/* ---- validate ---------------------------------------------------------------- */

/*
 * OK, E_INVALID, E_LIMIT or E_NOMEM. Without `error` the first violation ends the
 * work and no text is made; with it an invalid document is looked at once more.
 */
int alk_schema_validate(const struct alk_schema *schema, const json_t *document,
                        struct alk_schema_error *error);

/* The output formats of draft 2020-12, core, section 12.4. */
enum alk_schema_format { ALK_SCHEMA_FLAG, ALK_SCHEMA_BASIC, ALK_SCHEMA_DETAILED };

/*
 * As alk_schema_validate, and a new JSON object in `*output` (the caller drops
 * it) for OK and E_INVALID: errors, or on success the annotations.
 */
int alk_schema_output(const struct alk_schema *schema, const json_t *document,
                      enum alk_schema_format format, json_t **output);

/* ---- reading text ------------------------------------------------------------- */

struct alk_json_limits {
    size_t max_bytes;   /* default 16 MiB */
    unsigned max_depth; /* nested arrays and objects, default 64; at most 2000 */
};
#define ALK_JSON_LIMITS_INIT                                                                       \
    {                                                                                              \
        16 * 1024 * 1024, 64                                                                       \
    }

/*
 * Read one JSON text (RFC 8259, any value at the top): UTF-8, duplicate keys
 * refused, integers beyond 64 bit refused. `limits` and `error` may be NULL.
 * E_JSON, E_LIMIT (too long or too deep) or E_NOMEM; `*out` belongs to the caller.
 */
int alk_json_load(const char *text, size_t length, const struct alk_json_limits *limits,
                  json_t **out, struct alk_schema_error *error);

#endif
