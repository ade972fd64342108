/*
 * Memory that runs out at the n-th allocation, for every n: the answer is the
 * right one or E_NOMEM, and nothing crashes. Sanitised builds keep their own
 * allocator, so there the sweep is not made.
 */
#include "alk/schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#endif

static long left = -1; /* allocations until they fail; negative: never */

#ifndef SANITIZED
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

static int exhausted(void)
{
    if (left < 0)
        return 0;
    if (left == 0)
        return 1;
    left--;
    return 0;
}

void *malloc(size_t size)
{
    return exhausted() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return exhausted() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    return exhausted() ? NULL : __libc_realloc(old, size);
}
#endif

static const char schema_text[] =
    "{\"$id\":\"http://x/s\",\"properties\":{\"a\":{\"$ref\":\"#/$defs/n\"},"
    "\"b\":{\"enum\":[\"x\",\"y\"],\"pattern\":\"^[xy]\"},\"c\":{\"uniqueItems\":true,"
    "\"contains\":{\"const\":{\"k\":1}}}},\"required\":[\"a\"],\"unevaluatedProperties\":false,"
    "\"dependentRequired\":{\"a\":[\"b\"]},\"$defs\":{\"n\":{\"$dynamicAnchor\":\"d\","
    "\"anyOf\":[{\"minimum\":5},{\"type\":\"string\",\"title\":\"T\"}],"
    "\"$schema\":\"https://json-schema.org/draft/2020-12/schema\"},\"m\":{\"$dynamicRef\":\"#d\"}},"
    "\"propertyNames\":{\"maxLength\":3}}";
static const char good_text[] =
    "{\"a\":6,\"b\":\"x\",\"c\":[1,2,3,4,5,6,7,8,9,{\"k\":1},{\"j\":1}]}";
static const char bad_text[] = "{\"a\":1,\"b\":\"z\",\"c\":[1,1,2,3,4,5,6,7,8,9,10],\"long\":0}";

/* What a whole use answers when only `allocations` succeed: OK or E_NOMEM. */
static int whole_use(long allocations, const json_t *schema_json, const json_t *good,
                     const json_t *bad)
{
    struct alk_schema *schema = NULL;
    struct alk_schema_error error;
    json_t *output = NULL;
    left = allocations;
    int status = alk_schema_compile(schema_json, NULL, &schema, &error);
    if (!status)
        status = alk_schema_validate(schema, good, &error);
    if (!status) {
        status = alk_schema_validate(schema, bad, &error);
        status = status == ALK_SCHEMA_E_INVALID ? 0 : status;
    }
    if (!status) {
        status = alk_schema_output(schema, bad, ALK_SCHEMA_DETAILED, &output);
        status = status == ALK_SCHEMA_E_INVALID ? 0 : status;
    }
    left = -1;
    json_decref(output);
    alk_schema_free(schema);
    return status;
}

static void test_every_allocation(void **state)
{
    (void)state;
    json_t *schema = json_loads(schema_text, 0, NULL);
    json_t *good = json_loads(good_text, 0, NULL), *bad = json_loads(bad_text, 0, NULL);
    assert_non_null(schema);
    assert_non_null(good);
    assert_non_null(bad);
    assert_int_equal(whole_use(-1, schema, good, bad), 0);
#ifndef SANITIZED
    long n = 0;
    int status;
    while ((status = whole_use(n, schema, good, bad)) != 0 && n < 100000) {
        if (status != ALK_SCHEMA_E_NOMEM)
            fail_msg("allocation %ld fails: expected E_NOMEM, got %d", n, status);
        n++;
    }
    assert_true(n > 100);
    print_message("failed at each of %ld allocations\n", n);
#endif
    json_decref(schema);
    json_decref(good);
    json_decref(bad);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_allocation)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
