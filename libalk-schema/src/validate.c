/* The entry points: whether a document is valid, and why not. */
#include "error.h"
#include "judge.h"
#include "output.h"

bool give_up(struct run *run, int status)
{
    if (!run->status)
        run->status = status;
    run->steps = 0; /* so that nothing is evaluated any more */
    return false;
}

static int run_root(struct run *run, const struct alk_schema *schema, const json_t *document)
{
    struct member pool[MEMBERS_POOL];
    run->schema = schema;
    run->pool = pool;
    run->pool_left = MEMBERS_POOL;
    run->depth = schema->options.max_depth;
    run->steps = schema->options.max_steps;
    bool valid = run->units ? evaluate(run, schema->root, document, NULL)
                            : judge(run, schema->root, document, schema->options.max_depth);
    if (run->scratch)
        pcre2_match_data_free(run->scratch);
    run->pool = NULL;
    if (run->status)
        return run->status;
    return valid ? ALK_SCHEMA_OK : ALK_SCHEMA_E_INVALID;
}

/* Look at an invalid document once more, to say why it is. */
static int explain(const struct alk_schema *schema, const json_t *document,
                   struct alk_schema_error *error)
{
    struct units units = {.open = NO_INDEX, .max_said = schema->options.max_errors};
    struct run run = {.units = &units};
    int status = run_root(&run, schema, document);
    error_set(error, status, "", "the document does not fit the schema");
    if (status == ALK_SCHEMA_E_INVALID)
        units_first_error(&units, error);
    units_free(&units);
    return status;
}

int alk_schema_validate(const struct alk_schema *schema, const json_t *document,
                        struct alk_schema_error *error)
{
    struct run run = {0};
    int status = run_root(&run, schema, document);
    if (error && status == ALK_SCHEMA_E_INVALID)
        status = explain(schema, document, error);
    if (status == ALK_SCHEMA_E_LIMIT)
        error_set(error, status, "", "validation needs more work or nesting than is allowed");
    if (status == ALK_SCHEMA_E_NOMEM)
        error_set(error, status, "", "out of memory");
    return status;
}

int alk_schema_output(const struct alk_schema *schema, const json_t *document,
                      enum alk_schema_format format, json_t **output)
{
    bool flag = format == ALK_SCHEMA_FLAG;
    struct units units = {
        .open = NO_INDEX, .max_said = schema->options.max_errors, .annotations = true};
    struct run run = {.units = flag ? NULL : &units, .all = !flag};
    *output = NULL;
    int status = run_root(&run, schema, document);
    if (status == ALK_SCHEMA_OK || status == ALK_SCHEMA_E_INVALID) {
        *output = units_write(&units, status == ALK_SCHEMA_OK, format);
        if (!*output)
            status = ALK_SCHEMA_E_NOMEM;
    }
    units_free(&units);
    return status;
}
