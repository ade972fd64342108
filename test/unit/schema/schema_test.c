/* The public interface: errors that name the place, bounds, registry, dialects, threads. */
#include "alk/schema.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static json_t *parse(const char *text)
{
    json_error_t error;
    json_t *value = json_loads(text, JSON_DECODE_ANY, &error);
    if (!value)
        fail_msg("%s: %s", text, error.text);
    return value;
}

static struct alk_schema *compile(const char *text, const struct alk_schema_options *options)
{
    struct alk_schema *schema;
    struct alk_schema_error error;
    json_t *json = parse(text);
    if (alk_schema_compile(json, options, &schema, &error))
        fail_msg("%s: %s: %s", text, error.schema, error.text);
    json_decref(json);
    return schema;
}

static int validate(const struct alk_schema *schema, const char *text,
                    struct alk_schema_error *error)
{
    json_t *document = parse(text);
    int status = alk_schema_validate(schema, document, error);
    json_decref(document);
    return status;
}

/* ---- choices ------------------------------------------------------------------------ */

/* The schemas of a choice differ by "kind" and may be told apart by it; a report goes through all
 * of them. Both ways must come to the same answer. */
static void test_choices_by_a_property(void **state)
{
    (void)state;
    static const char *const branches[] = {
        "{\"properties\":{\"kind\":{\"const\":\"a\"},\"x\":{\"type\":\"integer\"}},"
        "\"required\":[\"kind\"]}",
        "{\"properties\":{\"kind\":{\"enum\":[\"b\",\"a\"]},\"y\":true}}",
        "{\"$ref\":\"#/$defs/c\"}",
        "{\"properties\":{\"kind\":{\"$ref\":\"#/$defs/d\"},\"z\":{\"$ref\":\"#\"}}}",
        "{\"properties\":{\"kind\":{\"enum\":[\"e\",1]}},\"required\":[\"y\"]}",
        "{\"properties\":{\"kind\":{\"const\":null}}}",
        "{\"required\":[\"x\",\"y\"]}",
        "false",
        "{\"$ref\":\"#/$defs/circle\"}",
    };
    static const char *const documents[] = {
        "{\"kind\":\"a\"}",
        "{\"kind\":\"a\",\"x\":1}",
        "{\"kind\":\"a\",\"x\":\"1\"}",
        "{\"kind\":\"b\",\"y\":1}",
        "{\"kind\":\"c\",\"w\":[]}",
        "{\"kind\":\"d\",\"z\":{\"kind\":\"a\"}}",
        "{\"kind\":\"e\",\"y\":0}",
        "{\"kind\":\"other\",\"x\":1,\"y\":2}",
        "{\"kind\":1,\"y\":1}",
        "{\"kind\":null}",
        "{\"kind\":[\"a\"]}",
        "{}",
        "{\"x\":1,\"y\":2}",
        "[\"a\"]",
        "\"a\"",
    };
    enum { BRANCHES = sizeof branches / sizeof *branches };
    unsigned valid = 0;
    for (unsigned set = 1; set < 1u << BRANCHES; set++) {
        char text[4096] = "";
        for (unsigned i = 0; i < BRANCHES; i++)
            if (set >> i & 1)
                strcat(strcat(text, *text ? "," : ""), branches[i]);
        char source[8192];
        snprintf(source, sizeof source,
                 "{\"$defs\":{\"c\":{\"properties\":{\"kind\":{\"const\":\"c\"},\"w\":{}}},"
                 "\"d\":{\"const\":\"d\"},\"circle\":{\"$ref\":\"#/$defs/round\"},"
                 "\"round\":{\"$ref\":\"#/$defs/c\"}},\"%s\":[%s]%s}",
                 set % 2 ? "oneOf" : "anyOf", text,
                 set % 3 ? ",\"unevaluatedProperties\":false" : "");
        struct alk_schema *schema = compile(source, NULL);
        for (size_t i = 0; i < sizeof documents / sizeof *documents; i++) {
            json_t *document = parse(documents[i]), *output;
            int quick = alk_schema_validate(schema, document, NULL);
            int thorough = alk_schema_output(schema, document, ALK_SCHEMA_BASIC, &output);
            if (quick != thorough)
                fail_msg("%s: %s is found to be %d, and %d in a report", source, documents[i],
                         quick, thorough);
            valid += thorough == ALK_SCHEMA_OK;
            json_decref(output);
            json_decref(document);
        }
        alk_schema_free(schema);
    }
    assert_true(valid > 500);
}

/* ---- violations --------------------------------------------------------------------- */

static void test_first_error(void **state)
{
    (void)state;
    static const struct {
        const char *schema, *document, *instance, *keyword, *text;
    } cases[] = {
        {"{\"properties\":{\"a/b\":{\"items\":{\"type\":\"string\"}}}}", "{\"a/b\":[\"x\",1]}",
         "/a~1b/1", "#/properties/a~1b/items/type", "must be string"},
        {"{\"type\":[\"integer\",\"null\"]}", "1.5", "", "#/type", "must be null or integer"},
        {"{\"$id\":\"http://x/s\",\"required\":[\"a\",\"b\"]}", "{\"a\":1}", "",
         "http://x/s#/required", "the property \"b\" is missing"},
        {"{\"additionalProperties\":false}", "{\"x\":1}", "/x", "#/additionalProperties",
         "nothing is allowed here"},
        {"{\"anyOf\":[{\"type\":\"string\"},{\"minimum\":5}]}", "3", "", "#/anyOf",
         "fits none of the schemas"},
        {"{\"oneOf\":[{\"type\":\"integer\"},{\"minimum\":2}]}", "3", "", "#/oneOf",
         "fits more than one of the schemas"},
        {"{\"not\":{\"type\":\"null\"}}", "null", "", "#/not", "must not fit this schema"},
        {"{\"maximum\":3.5}", "4", "", "#/maximum", "must be at most 3.5"},
        {"{\"exclusiveMaximum\":3}", "3", "", "#/exclusiveMaximum", "must be less than 3"},
        {"{\"exclusiveMinimum\":3}", "3", "", "#/exclusiveMinimum", "must be greater than 3"},
        {"{\"minimum\":3}", "2", "", "#/minimum", "must be at least 3"},
        {"{\"maxLength\":2}", "\"\u00e9\u00e9\u00e9\"", "", "#/maxLength",
         "must have at most 2 characters"},
        {"{\"minItems\":1}", "[]", "", "#/minItems", "must have at least 1 items"},
        {"{\"contains\":{\"const\":1},\"minContains\":2}", "[1,2]", "", "#/minContains",
         "at least 2 items must fit \"contains\""},
        {"{\"contains\":{\"const\":1}}", "[2]", "", "#/contains", "no item fits"},
        {"{\"$ref\":\"#/$defs/p\",\"$defs\":{\"p\":{\"pattern\":\"^a\"}}}", "\"b\"", "",
         "#/$defs/p/pattern", "must match the pattern"},
        {"{\"dependentRequired\":{\"a\":[\"b\"]}}", "{\"a\":1}", "", "#/dependentRequired",
         "the property \"b\" is missing, which \"a\" needs"},
        {"{\"unevaluatedProperties\":false,\"properties\":{\"a\":{}}}", "{\"a\":1,\"b\":1}", "/b",
         "#/unevaluatedProperties", "nothing is allowed here"},
        {"{\"if\":{\"type\":\"string\"},\"then\":{\"minLength\":2},\"else\":false}", "\"a\"", "",
         "#/then/minLength", "must have at least 2 characters"},
        {"false", "1", "", "#", "nothing is allowed here"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct alk_schema_error error;
        struct alk_schema *schema = compile(cases[i].schema, NULL);
        assert_int_equal(validate(schema, cases[i].document, &error), ALK_SCHEMA_E_INVALID);
        assert_string_equal(error.instance, cases[i].instance);
        assert_string_equal(error.schema, cases[i].keyword);
        assert_string_equal(error.text, cases[i].text);
        alk_schema_free(schema);
    }
}

/* ---- malformed schemas --------------------------------------------------------------- */

static void test_malformed_schemas(void **state)
{
    (void)state;
    static const struct {
        const char *schema;
        int status;
        const char *keyword;
    } cases[] = {
        {"3", ALK_SCHEMA_E_SCHEMA, "#"},
        {"{\"type\":\"strnig\"}", ALK_SCHEMA_E_SCHEMA, "#/type"},
        {"{\"type\":[]}", ALK_SCHEMA_E_SCHEMA, "#/type"},
        {"{\"type\":[\"string\",3]}", ALK_SCHEMA_E_SCHEMA, "#/type"},
        {"{\"properties\":{\"a\":{\"properties\":3}}}", ALK_SCHEMA_E_SCHEMA,
         "#/properties/a/properties"},
        {"{\"properties\":{\"a\":1}}", ALK_SCHEMA_E_SCHEMA, "#/properties"},
        {"{\"patternProperties\":3,\"properties\":{}}", ALK_SCHEMA_E_SCHEMA, "#/patternProperties"},
        {"{\"patternProperties\":{\"(\":{}}}", ALK_SCHEMA_E_SCHEMA, "#/patternProperties"},
        {"{\"properties\":{},\"required\":\"a\"}", ALK_SCHEMA_E_SCHEMA, "#/required"},
        {"{\"required\":[1]}", ALK_SCHEMA_E_SCHEMA, "#/required"},
        {"{\"minLength\":-1}", ALK_SCHEMA_E_SCHEMA, "#/minLength"},
        {"{\"maxItems\":1.5}", ALK_SCHEMA_E_SCHEMA, "#/maxItems"},
        {"{\"multipleOf\":0}", ALK_SCHEMA_E_SCHEMA, "#/multipleOf"},
        {"{\"minimum\":\"1\"}", ALK_SCHEMA_E_SCHEMA, "#/minimum"},
        {"{\"enum\":3}", ALK_SCHEMA_E_SCHEMA, "#/enum"},
        {"{\"allOf\":[]}", ALK_SCHEMA_E_SCHEMA, "#/allOf"},
        {"{\"items\":[{}]}", ALK_SCHEMA_E_SCHEMA, "#/items"},
        {"{\"prefixItems\":{}}", ALK_SCHEMA_E_SCHEMA, "#/prefixItems"},
        {"{\"uniqueItems\":1}", ALK_SCHEMA_E_SCHEMA, "#/uniqueItems"},
        {"{\"pattern\":\"a**\"}", ALK_SCHEMA_E_SCHEMA, "#/pattern"},
        {"{\"contains\":{},\"minContains\":-1}", ALK_SCHEMA_E_SCHEMA, "#/minContains"},
        {"{\"dependentRequired\":{\"a\":1}}", ALK_SCHEMA_E_SCHEMA, "#/dependentRequired"},
        {"{\"$ref\":1}", ALK_SCHEMA_E_SCHEMA, "#/$ref"},
        {"{\"$id\":\"http://x/#frag\"}", ALK_SCHEMA_E_SCHEMA, "#/$id"},
        {"{\"$defs\":{\"a\":{\"$anchor\":\"x\"},\"b\":{\"$anchor\":\"x\"}}}", ALK_SCHEMA_E_SCHEMA,
         NULL},
        {"{\"$defs\":{\"a\":{\"$id\":\"x\"},\"b\":{\"$id\":\"x\"}}}", ALK_SCHEMA_E_SCHEMA, NULL},
        {"{\"items\":{\"$ref\":\"#/nowhere\"}}", ALK_SCHEMA_E_REF, "#/items/$ref"},
        {"{\"$ref\":\"http://elsewhere/\"}", ALK_SCHEMA_E_REF, "#/$ref"},
        {"{\"$ref\":\"#no\"}", ALK_SCHEMA_E_REF, "#/$ref"},
        {"{\"$ref\":\"#/%zz\"}", ALK_SCHEMA_E_REF, "#/$ref"},
        {"{\"$schema\":\"http://unknown/\"}", ALK_SCHEMA_E_REF, "#/$schema"},
        {"{\"$ref\":\"#/const\",\"const\":5}", ALK_SCHEMA_E_SCHEMA, "#/const"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct alk_schema *schema;
        struct alk_schema_error error;
        json_t *json = parse(cases[i].schema);
        int status = alk_schema_compile(json, NULL, &schema, &error);
        if (status != cases[i].status ||
            (cases[i].keyword && strcmp(error.schema, cases[i].keyword)))
            fail_msg("%s: expected %d at %s, got %d at %s (%s)", cases[i].schema, cases[i].status,
                     cases[i].keyword, status, error.schema, error.text);
        assert_null(schema);
        assert_true(error.text[0] != '\0');
        json_decref(json);
    }
}

/* ---- bounds -------------------------------------------------------------------------------- */

static void test_bounds(void **state)
{
    (void)state;
    struct alk_schema_error error;
    /* a reference that goes in a circle without entering the document */
    struct alk_schema *schema =
        compile("{\"$ref\":\"#/$defs/a\",\"$defs\":{\"a\":{\"$ref\":\"#/$defs/b\"},"
                "\"b\":{\"$ref\":\"#/$defs/a\"}}}",
                NULL);
    assert_int_equal(validate(schema, "1", &error), ALK_SCHEMA_E_LIMIT);
    alk_schema_free(schema);

    /* "not" must not turn a bound into an answer */
    schema = compile("{\"not\":{\"$ref\":\"#\"}}", NULL);
    assert_int_equal(validate(schema, "1", NULL), ALK_SCHEMA_E_LIMIT);
    alk_schema_free(schema);

    schema = compile("{\"pattern\":\"^(a+)+$\"}", NULL);
    assert_int_equal(validate(schema, "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\"", &error),
                     ALK_SCHEMA_E_LIMIT);
    alk_schema_free(schema);

    /* each level doubles the work */
    char text[4096] = "{\"$ref\":\"#/$defs/0\",\"$defs\":{";
    for (int i = 0; i < 40; i++)
        sprintf(text + strlen(text),
                "\"%d\":{\"allOf\":[{\"$ref\":\"#/$defs/%d\"},{\"$ref\":\"#/$defs/%d\"}]},", i,
                i + 1, i + 1);
    strcat(text, "\"40\":true}}");
    struct alk_schema_options options = ALK_SCHEMA_OPTIONS_INIT;
    options.max_steps = 100000;
    schema = compile(text, &options);
    assert_int_equal(validate(schema, "1", &error), ALK_SCHEMA_E_LIMIT);
    assert_true(error.text[0] != '\0');
    alk_schema_free(schema);
}

static json_t *nested(unsigned depth, const char *key)
{
    json_t *inner = json_object();
    for (unsigned i = 0; i < depth; i++) {
        json_t *outer = json_object();
        json_object_set_new(outer, key, inner);
        inner = outer;
    }
    return inner;
}

/* 5000 schemas below a name of 60,000 characters would need 300 MB of pointers. */
static void test_long_names(void **state)
{
    (void)state;
    char name[60001];
    memset(name, 'k', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    json_t *inner = json_object(), *below = json_object();
    for (int i = 0; i < 5000; i++) {
        char key[16];
        snprintf(key, sizeof key, "a%d", i);
        json_object_set_new(below, key, json_object());
    }
    json_object_set_new(inner, "properties", below);
    json_t *properties = json_pack("{s:o}", name, inner);
    json_t *source = json_pack("{s:o}", "properties", properties);
    struct alk_schema_error error;
    struct alk_schema *schema;
    assert_int_equal(alk_schema_compile(source, NULL, &schema, &error), ALK_SCHEMA_E_LIMIT);
    assert_non_null(strstr(error.text, "too long"));
    json_decref(source);
}

/* What is cheap for once is counted when there is much of it. */
static void test_bounds_of_many(void **state)
{
    (void)state;
    struct alk_schema_options options = ALK_SCHEMA_OPTIONS_INIT;
    static const char *const schemas[] = {
        "{\"items\":{\"anyOf\":[{\"minLength\":90},{\"minLength\":91},{\"minLength\":92},true]}"
        "}",
        "{\"allOf\":[{\"items\":true},{\"items\":true},{\"items\":true},{\"items\":true}]}",
        "{\"items\":{\"enum\":[1,2,3,\"aaaaaaaaaaaaaaaaa!\"]},\"not\":{\"contains\":{\"const\":[1]}"
        "}"
        "}",
        "{\"items\":{\"pattern\":\"^(a+)+$|!$\"}}", /* far from its own limit, each of them */
    };
    json_t *document = json_array();
    for (int i = 0; i < 200; i++)
        json_array_append_new(document, json_string("aaaaaaaaaaaaaaaaa!"));
    for (size_t i = 0; i < sizeof schemas / sizeof *schemas; i++) {
        options.max_steps = i == 3 ? 10000000 : 400;
        struct alk_schema *schema = compile(schemas[i], &options);
        assert_int_equal(alk_schema_validate(schema, document, NULL), ALK_SCHEMA_E_LIMIT);
        alk_schema_free(schema);
        options.max_steps = 1000000000;
        schema = compile(schemas[i], &options);
        assert_int_equal(alk_schema_validate(schema, document, NULL), ALK_SCHEMA_OK);
        alk_schema_free(schema);
    }
    json_decref(document);
}

static void test_depth(void **state)
{
    (void)state;
    struct alk_schema *schema = compile("{\"additionalProperties\":{\"$ref\":\"#\"}}", NULL);
    json_t *shallow = nested(400, "a"), *deep = nested(1800, "a"), *deeper = nested(1500, "not");
    assert_int_equal(alk_schema_validate(schema, shallow, NULL), ALK_SCHEMA_OK);
    assert_int_equal(alk_schema_validate(schema, deep, NULL), ALK_SCHEMA_E_LIMIT);
    alk_schema_free(schema);
    assert_int_equal(alk_schema_compile(deeper, NULL, &schema, NULL), ALK_SCHEMA_E_LIMIT);
    json_decref(shallow);
    json_decref(deep);
    json_decref(deeper);
}

/* Errors of a hostile document are bounded in number. */
static void test_error_bound(void **state)
{
    (void)state;
    struct alk_schema_options options = ALK_SCHEMA_OPTIONS_INIT;
    options.max_errors = 5;
    struct alk_schema *schema = compile("{\"items\":{\"type\":\"string\"}}", &options);
    json_t *document = json_array(), *output;
    for (int i = 0; i < 1000; i++)
        json_array_append_new(document, json_integer(i));
    assert_int_equal(alk_schema_output(schema, document, ALK_SCHEMA_BASIC, &output),
                     ALK_SCHEMA_E_INVALID);
    assert_int_equal(json_array_size(json_object_get(output, "errors")), 5);
    json_decref(output);
    json_decref(document);
    alk_schema_free(schema);
}

/* ---- output ---------------------------------------------------------------------------------- */

static void expect_output(const char *schema_text, const char *document_text,
                          enum alk_schema_format format, const char *expected_text)
{
    struct alk_schema *schema = compile(schema_text, NULL);
    json_t *document = parse(document_text), *expected = parse(expected_text), *output = NULL;
    alk_schema_output(schema, document, format, &output);
    if (!json_equal(output, expected))
        fail_msg("expected %s\n     got %s", expected_text, json_dumps(output, JSON_COMPACT));
    json_decref(output);
    json_decref(expected);
    json_decref(document);
    alk_schema_free(schema);
}

static void test_output(void **state)
{
    (void)state;
    static const char schema[] =
        "{\"$id\":\"http://x/s\",\"properties\":{\"a\":{\"$ref\":\"#/$defs/n\"},"
        "\"b\":{\"type\":\"null\"}},\"$defs\":{\"n\":{\"anyOf\":[{\"minimum\":5},"
        "{\"type\":\"string\",\"title\":\"T\"}]}}}";
    static const char at_a[] = "\"keywordLocation\":\"/properties/a/$ref/anyOf%s\","
                               "\"absoluteKeywordLocation\":\"http://x/s#/$defs/n/anyOf%s\","
                               "\"instanceLocation\":\"/a\",";
    char any[256], first[256], second[256], expected[2048];
    snprintf(any, sizeof any, at_a, "", "");
    snprintf(first, sizeof first, at_a, "/0/minimum", "/0/minimum");
    snprintf(second, sizeof second, at_a, "/1/type", "/1/type");
    static const char b[] = "{\"valid\":false,\"keywordLocation\":\"/properties/b/type\","
                            "\"absoluteKeywordLocation\":\"http://x/s#/properties/b/type\","
                            "\"instanceLocation\":\"/b\",\"error\":\"must be null\"}";

    expect_output(schema, "{\"a\":1,\"b\":2}", ALK_SCHEMA_FLAG, "{\"valid\":false}");
    expect_output(schema, "{\"a\":6}", ALK_SCHEMA_BASIC, "{\"valid\":true,\"annotations\":[]}");
    snprintf(expected, sizeof expected,
             "{\"valid\":false,\"errors\":["
             "{\"valid\":false,%s\"error\":\"fits none of the schemas\"},"
             "{\"valid\":false,%s\"error\":\"must be at least 5\"},"
             "{\"valid\":false,%s\"error\":\"must be string\"},%s]}",
             any, first, second, b);
    expect_output(schema, "{\"a\":1,\"b\":2}", ALK_SCHEMA_BASIC, expected);
    snprintf(expected, sizeof expected,
             "{\"valid\":false,\"errors\":[{\"valid\":false,\"keywordLocation\":\"\","
             "\"absoluteKeywordLocation\":\"http://x/s#\",\"instanceLocation\":\"\",\"errors\":["
             "{\"valid\":false,%s\"error\":\"fits none of the schemas\",\"errors\":["
             "{\"valid\":false,%s\"error\":\"must be at least 5\"},"
             "{\"valid\":false,%s\"error\":\"must be string\"}]},%s]}]}",
             any, first, second, b);
    expect_output(schema, "{\"a\":1,\"b\":2}", ALK_SCHEMA_DETAILED, expected);
    snprintf(expected, sizeof expected,
             "{\"valid\":true,\"annotations\":[{\"valid\":true,"
             "\"keywordLocation\":\"/properties/a/$ref/anyOf/1/title\","
             "\"absoluteKeywordLocation\":\"http://x/s#/$defs/n/anyOf/1/title\","
             "\"instanceLocation\":\"/a\",\"annotation\":\"T\"}]}");
    expect_output(schema, "{\"a\":\"s\"}", ALK_SCHEMA_BASIC, expected);
}

/* ---- registry and dialects ---------------------------------------------------------------------- */

static void test_registry(void **state)
{
    (void)state;
    struct alk_schema_registry *registry = alk_schema_registry_new();
    struct alk_schema_options options = ALK_SCHEMA_OPTIONS_INIT;
    options.registry = registry;
    json_t *shared = parse("{\"$defs\":{\"n\":{\"$id\":\"http://other/n\",\"type\":\"number\"}}}");
    assert_int_equal(alk_schema_registry_add(registry, "http://lib/a#", shared, NULL), 0);
    assert_int_equal(alk_schema_registry_add(registry, "http://lib/a", shared, NULL),
                     ALK_SCHEMA_E_SCHEMA);
    json_object_clear(shared); /* it was copied */
    json_decref(shared);

    struct alk_schema *schema = compile("{\"$ref\":\"http://lib/a#/$defs/n\"}", &options);
    struct alk_schema *embedded = compile("{\"$ref\":\"http://other/n\"}", &options);
    options.base_uri = "http://lib/b";
    struct alk_schema *relative = compile("{\"$ref\":\"a#/$defs/n\"}", &options);
    alk_schema_registry_free(registry); /* not needed any more */
    assert_int_equal(validate(schema, "1", NULL), ALK_SCHEMA_OK);
    assert_int_equal(validate(schema, "\"1\"", NULL), ALK_SCHEMA_E_INVALID);
    assert_int_equal(validate(embedded, "\"1\"", NULL), ALK_SCHEMA_E_INVALID);
    assert_int_equal(validate(relative, "\"1\"", NULL), ALK_SCHEMA_E_INVALID);
    alk_schema_free(schema);
    alk_schema_free(embedded);
    alk_schema_free(relative);
}

static void test_dialects(void **state)
{
    (void)state;
    /* in draft 7 the neighbours of $ref do not count, and items may be an array */
    struct alk_schema *schema =
        compile("{\"$schema\":\"http://json-schema.org/draft-07/schema#\","
                "\"properties\":{\"a\":{\"$ref\":\"#/definitions/any\",\"type\":\"string\"},"
                "\"b\":{\"items\":[{\"type\":\"null\"}],\"additionalItems\":false}},"
                "\"definitions\":{\"any\":true}}",
                NULL);
    assert_int_equal(validate(schema, "{\"a\":1,\"b\":[null]}", NULL), ALK_SCHEMA_OK);
    assert_int_equal(validate(schema, "{\"b\":[null,null]}", NULL), ALK_SCHEMA_E_INVALID);
    alk_schema_free(schema);

    struct alk_schema_options options = ALK_SCHEMA_OPTIONS_INIT;
    schema = compile("{\"format\":\"date\"}", &options);
    assert_int_equal(validate(schema, "\"2023-02-30\"", NULL), ALK_SCHEMA_OK);
    alk_schema_free(schema);
    options.assert_format = true;
    schema = compile("{\"format\":\"date\"}", &options);
    assert_int_equal(validate(schema, "\"2023-02-30\"", NULL), ALK_SCHEMA_E_INVALID);
    assert_int_equal(validate(schema, "\"2024-02-29\"", NULL), ALK_SCHEMA_OK);
    alk_schema_free(schema);
}

/* Every schema must fit its own meta-schema, which is read through dynamic references. */
static void test_metaschemas(void **state)
{
    (void)state;
    struct alk_schema *meta =
        compile("{\"$ref\":\"https://json-schema.org/draft/2020-12/schema\"}", NULL);
    assert_int_equal(validate(meta, "{\"properties\":{\"a\":{\"type\":\"string\"}}}", NULL),
                     ALK_SCHEMA_OK);
    assert_int_equal(validate(meta, "{\"properties\":{\"a\":{\"type\":\"strnig\"}}}", NULL),
                     ALK_SCHEMA_E_INVALID);
    alk_schema_free(meta);
}

/* ---- threads ---------------------------------------------------------------------------------------- */

static void *validate_often(void *user)
{
    const struct alk_schema *schema = user;
    size_t wrong = 0;
    for (int i = 0; i < 2000; i++) {
        json_t *good = json_pack("{s:i,s:s}", "n", i, "name", "abc");
        json_t *bad = json_pack("{s:s,s:s}", "n", "x", "name", "ABC");
        struct alk_schema_error error;
        wrong += alk_schema_validate(schema, good, NULL) != ALK_SCHEMA_OK;
        wrong += alk_schema_validate(schema, bad, &error) != ALK_SCHEMA_E_INVALID;
        json_decref(good);
        json_decref(bad);
    }
    return (void *)wrong;
}

static void test_threads(void **state)
{
    (void)state;
    struct alk_schema *schema =
        compile("{\"properties\":{\"n\":{\"type\":\"integer\",\"multipleOf\":1},"
                "\"name\":{\"pattern\":\"^[a-z]+$\"}},\"unevaluatedProperties\":false}",
                NULL);
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, validate_often, schema), 0);
    for (size_t i = 0; i < 4; i++) {
        void *wrong;
        pthread_join(threads[i], &wrong);
        assert_null(wrong);
    }
    alk_schema_free(schema);
}

/* ---- text --------------------------------------------------------------------------------------------- */

static void test_load(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int status;
    } cases[] = {
        {"{\"a\":[1,2.5,\"x\"]}", ALK_SCHEMA_OK},
        {"3", ALK_SCHEMA_OK},
        {"9223372036854775807", ALK_SCHEMA_OK},
        {"9223372036854775808", ALK_SCHEMA_E_JSON},
        {"1e999", ALK_SCHEMA_E_JSON},
        {"{\"a\":1,\"a\":2}", ALK_SCHEMA_E_JSON},
        {"{\"a\":1,\"\\u0061\":2}", ALK_SCHEMA_E_JSON},
        {"\"\xff\"", ALK_SCHEMA_E_JSON},
        {"\"\\ud800\"", ALK_SCHEMA_E_JSON},
        {"[1,]", ALK_SCHEMA_E_JSON},
        {"[1] 2", ALK_SCHEMA_E_JSON},
        {"", ALK_SCHEMA_E_JSON},
        {"[[[[[]]]]]", ALK_SCHEMA_OK},
        {"[[[[[[]]]]]]", ALK_SCHEMA_E_LIMIT},
        {"\"[[[[[[[[\\\"[[[[\"", ALK_SCHEMA_OK},
        {"\"\\\"[[[[[[[[\"", ALK_SCHEMA_OK},
        {"[\"0123456789012345678901234567890123456789012345678901234567890\"]", ALK_SCHEMA_E_LIMIT},
    };
    const struct alk_json_limits limits = {60, 5};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct alk_schema_error error;
        json_t *value;
        int status = alk_json_load(cases[i].text, strlen(cases[i].text), &limits, &value, &error);
        if (status != cases[i].status)
            fail_msg("%s: expected %d, got %d", cases[i].text, cases[i].status, status);
        assert_true(status == 0 || error.text[0] != '\0');
        json_decref(value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_error),    cmocka_unit_test(test_malformed_schemas),
        cmocka_unit_test(test_bounds),         cmocka_unit_test(test_depth),
        cmocka_unit_test(test_bounds_of_many), cmocka_unit_test(test_long_names),
        cmocka_unit_test(test_error_bound),    cmocka_unit_test(test_output),
        cmocka_unit_test(test_registry),       cmocka_unit_test(test_dialects),
        cmocka_unit_test(test_metaschemas),    cmocka_unit_test(test_threads),
        cmocka_unit_test(test_load),           cmocka_unit_test(test_choices_by_a_property),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
