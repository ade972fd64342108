/*
 * Schemas of objects that are made of parts: the judgement merges them where it can, the report goes
 * through them one by one. Every selection of parts is held against every selection of members.
 */
#include "alk/schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char DEFS[] =
    "\"$defs\":{"
    "\"base\":{\"type\":\"object\",\"properties\":{\"x\":{\"type\":\"integer\"}},\"required\":["
    "\"x\"]},"
    "\"more\":{\"allOf\":[{\"$ref\":\"#/$defs/base\"}],\"properties\":{\"y\":{\"minimum\":1}}},"
    "\"closed\":{\"properties\":{\"x\":true,\"kind\":true},\"additionalProperties\":false},"
    "\"a\":{\"properties\":{\"kind\":{\"const\":\"a\"},\"x\":{\"type\":[\"integer\",\"string\"]}}},"
    "\"b\":{\"properties\":{\"kind\":{\"enum\":[\"b\",\"c\"]}},\"required\":[\"y\"]},"
    "\"either\":{\"oneOf\":[{\"$ref\":\"#/$defs/a\"},{\"$ref\":\"#/$defs/b\"}]},"
    "\"deep\":{\"properties\":{\"kind\":{\"const\":\"c\"}},\"unevaluatedProperties\":true}}";

static const char *const PARTS[] = {
    "\"properties\":{\"kind\":true,\"x\":{\"maximum\":5},\"n-2\":{\"type\":\"integer\"}},"
    "\"required\":[\"kind\"]",
    "\"patternProperties\":{\"^n-\":{\"type\":\"integer\"},\"x\":true}",
    "\"$ref\":\"#/$defs/more\"",
    "\"$ref\":\"#/$defs/either\"",
    "\"allOf\":[{\"$ref\":\"#/$defs/base\"},{\"required\":[\"y\"]},{\"minProperties\":3}]",
    "\"allOf\":[{\"$ref\":\"#/$defs/base\"},{\"required\":[\"y\"]},{\"properties\":{\"y\":{}}}]",
    "\"allOf\":[{\"$ref\":\"#/$defs/closed\"},true]",
    "\"oneOf\":[{\"$ref\":\"#/$defs/a\"},{\"$ref\":\"#/$defs/b\"}]",
    "\"oneOf\":[{\"$ref\":\"#/$defs/a\"},{\"$ref\":\"#/$defs/b\"},{\"$ref\":\"#/$defs/deep\"}]",
    "\"anyOf\":[{\"$ref\":\"#/$defs/a\"},{\"$ref\":\"#/$defs/b\"},{\"required\":[\"z\"]}]",
    "\"minProperties\":2,\"maxProperties\":4",
    "\"unevaluatedProperties\":false",
    "\"unevaluatedProperties\":{\"type\":\"integer\"}",
    "\"type\":[\"object\",\"null\"]",
    "\"not\":{\"required\":[\"z\"]}",
};

static const char *const MEMBERS[] = {
    "\"x\":1",        "\"y\":0",     "\"y\":2",        "\"z\":\"\"",
    "\"n-1\":1",      "\"n-2\":1.5", "\"kind\":\"a\"", "\"kind\":\"b\"",
    "\"kind\":\"c\"", "\"kind\":7",  "\"x\":\"1\"",
};

enum {
    PART_COUNT = sizeof PARTS / sizeof *PARTS,
    MEMBER_COUNT = sizeof MEMBERS / sizeof *MEMBERS,
    DOCUMENTS = 1 << MEMBER_COUNT
};

/* The selected texts with commas between them; false when a name would be there twice. */
static bool join(char *out, const char *const *texts, unsigned count, unsigned set)
{
    for (unsigned i = 0; i < count; i++) {
        if (!(set >> i & 1))
            continue;
        size_t name = (size_t)(strchr(texts[i], ':') - texts[i]);
        for (unsigned j = 0; j < i; j++)
            if (set >> j & 1 && strncmp(texts[i], texts[j], name + 1) == 0)
                return false;
        strcat(strcat(out, *out ? "," : ""), texts[i]);
    }
    return true;
}

static unsigned make_documents(json_t **documents)
{
    unsigned made = 0;
    for (unsigned set = 0; set < DOCUMENTS; set++) {
        char inner[512] = "", text[600];
        if (!join(inner, MEMBERS, MEMBER_COUNT, set))
            continue;
        snprintf(text, sizeof text, "{%s}", inner);
        documents[made] = json_loads(text, 0, NULL);
        assert_non_null(documents[made++]);
    }
    return made;
}

static bool is_valid(const struct alk_schema *schema, const json_t *document, const char *source)
{
    json_t *output;
    int judged = alk_schema_validate(schema, document, NULL);
    int reported = alk_schema_output(schema, document, ALK_SCHEMA_BASIC, &output);
    if (judged != reported)
        fail_msg("%s\non %s\njudged %d, reported %d", source, json_dumps(document, JSON_COMPACT),
                 judged, reported);
    json_decref(output);
    return judged == ALK_SCHEMA_OK;
}

static void test_every_selection_of_parts(void **state)
{
    static json_t *documents[DOCUMENTS];
    unsigned count = make_documents(documents), valid = 0, schemas = 0;
    (void)state;
    for (unsigned set = 0; set < 1u << PART_COUNT; set++) {
        char parts[2048] = "", source[4096];
        struct alk_schema *schema;
        if (!join(parts, PARTS, PART_COUNT, set))
            continue;
        snprintf(source, sizeof source, "{%s%s%s}", DEFS, *parts ? "," : "", parts);
        json_t *json = json_loads(source, 0, NULL);
        assert_non_null(json);
        assert_int_equal(alk_schema_compile(json, NULL, &schema, NULL), ALK_SCHEMA_OK);
        for (unsigned i = set % 11; i < count; i += 11)
            valid += is_valid(schema, documents[i], source);
        alk_schema_free(schema);
        json_decref(json);
        schemas++;
    }
    for (unsigned i = 0; i < count; i++)
        json_decref(documents[i]);
    print_message("%u schemas, %u documents of each, %u valid\n", schemas, count / 11, valid);
    assert_true(valid > schemas);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_selection_of_parts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
