/*
 * Subtyping: the table in subtype_pairs.json, and soundness: where the answer is
 * yes, every document made from the output schema fits the input schema.
 */
#include "alk/opgraph.h"
#include "alk/schema.h"
#include "random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const answers[] = {"yes", "no", "unknown"};

static json_t *load_pairs(void)
{
    json_error_t error;
    json_t *pairs = json_load_file("test/unit/flowgraph/subtype_pairs.json", 0, &error);
    if (!pairs)
        fail_msg("subtype_pairs.json (tests run in the top folder): %s", error.text);
    return pairs;
}

static void test_table(void **state)
{
    (void)state;
    json_t *pairs = load_pairs(), *pair;
    size_t i;
    assert_true(json_array_size(pairs) >= 120);
    json_array_foreach(pairs, i, pair)
    {
        struct alk_graph_error error;
        const char *sentence = json_string_value(json_object_get(pair, "sentence"));
        bool closed = json_object_get(pair, "reading") != NULL;
        enum alk_compat answer =
            alk_type_compat(json_object_get(pair, "output"), json_object_get(pair, "input"),
                            closed ? ALK_COMPAT_CLOSED : ALK_COMPAT_STRICT, &error);
        const char *expected = json_string_value(json_object_get(pair, "answer"));
        if (strcmp(answers[answer], expected) != 0)
            fail_msg("%s\nexpected %s, got %s (%s)", json_dumps(pair, 0), expected, answers[answer],
                     error.text);
        if (sentence && strcmp(error.text, sentence) != 0)
            fail_msg("%s\nexpected \"%s\", got \"%s\"", json_dumps(pair, 0), sentence, error.text);
        assert_int_equal(error.text[0] == '\0', answer == ALK_COMPAT_YES);
    }
    json_decref(pairs);
}

/* ---- documents from a schema: a good guess, checked afterwards --------------------------- */

static json_t *guess(const json_t *root, const json_t *schema, struct random *random, int depth);

static json_t *guess_any(struct random *random, int depth)
{
    static const char *const strings[] = {"", "a", "b", "abc", "xyz", "abcdef"};
    json_t *out;
    switch (random_below(random, depth > 0 ? 8 : 6)) {
    case 0:
        return json_null();
    case 1:
        return json_boolean(random_below(random, 2));
    case 2:
        return json_integer((json_int_t)random_below(random, 12) - 2);
    case 3:
        return json_real((random_below(random, 40) - 8.0) / 4);
    case 4:
    case 5:
        return json_string(strings[random_below(random, 6)]);
    case 6:
        out = json_array();
        for (uint32_t n = random_below(random, 4); n > 0; n--)
            json_array_append_new(out, guess_any(random, depth - 1));
        return out;
    default:
        out = json_object();
        for (uint32_t n = random_below(random, 4); n > 0; n--) {
            const char name[2] = {(char)('a' + random_below(random, 4)), 0};
            json_object_set_new(out, name, guess_any(random, depth - 1));
        }
        return out;
    }
}

static void guess_members(const json_t *root, const json_t *schema, json_t *out,
                          struct random *random, int depth)
{
    const char *name;
    json_t *member, *names = json_object_get(schema, "required");
    json_object_foreach(json_object_get(schema, "properties"), name,
                        member) if (random_below(random, 3))
        json_object_set_new(out, name, guess(root, member, random, depth - 1));
    for (size_t i = 0; i < json_array_size(names); i++) {
        name = json_string_value(json_array_get(names, i));
        member = json_object_get(json_object_get(schema, "properties"), name);
        if (!json_object_get(out, name))
            json_object_set_new(out, name, guess(root, member, random, depth - 1));
    }
    if (random_below(random, 3) == 0) {
        const char extra[2] = {(char)('a' + random_below(random, 4)), 0};
        member = json_object_get(schema, "additionalProperties");
        if (!json_object_get(out, extra))
            json_object_set_new(out, extra, guess(root, member, random, depth - 1));
    }
}

static json_t *guess_array(const json_t *root, const json_t *schema, struct random *random,
                           int depth)
{
    json_t *out = json_array(), *prefix = json_object_get(schema, "prefixItems");
    size_t count = random_below(random, 4);
    for (size_t i = 0; i < count; i++) {
        const json_t *item = i < json_array_size(prefix) ? json_array_get(prefix, i)
                                                         : json_object_get(schema, "items");
        json_array_append_new(out, guess(root, item, random, depth - 1));
    }
    return out;
}

static const json_t *choose(const json_t *list, struct random *random)
{
    return json_array_get(list, random_below(random, (uint32_t)json_array_size(list)));
}

static json_t *guess_type(const json_t *root, const json_t *schema, const char *type,
                          struct random *random, int depth)
{
    if (strcmp(type, "object") == 0) {
        json_t *out = json_object();
        guess_members(root, schema, out, random, depth);
        return out;
    }
    if (strcmp(type, "array") == 0)
        return guess_array(root, schema, random, depth);
    for (int i = 0; i < 60; i++) { /* until the type is right */
        json_t *value = guess_any(random, 0);
        bool number = json_is_integer(value) || (json_is_real(value) && type[0] == 'n');
        if ((type[0] == 's' && json_is_string(value)) ||
            (type[0] == 'b' && json_is_boolean(value)) ||
            (type[1] == 'u' && type[2] == 'l' && json_is_null(value)) ||
            ((type[0] == 'i' || type[2] == 'm') && number))
            return value;
        json_decref(value);
    }
    return json_null();
}

static json_t *guess(const json_t *root, const json_t *schema, struct random *random, int depth)
{
    static const char *const cases[] = {"anyOf", "oneOf", "allOf", "enum"};
    const json_t *type = json_object_get(schema, "type");
    const char *reference = json_string_value(json_object_get(schema, "$ref"));
    if (depth <= 0 || !json_is_object(schema))
        return guess_any(random, depth > 0 ? 1 : 0);
    if (json_object_get(schema, "const"))
        return json_incref(json_object_get(schema, "const"));
    if (reference && strncmp(reference, "#/$defs/", 8) == 0)
        return guess(root, json_object_get(json_object_get(root, "$defs"), reference + 8), random,
                     depth);
    for (size_t i = 0; i < 4; i++) {
        const json_t *list = json_object_get(schema, cases[i]);
        if (json_array_size(list) && random_below(random, 4))
            return i == 3 ? json_incref((json_t *)(uintptr_t)choose(list, random))
                          : guess(root, choose(list, random), random, depth);
    }
    if (json_is_array(type))
        type = choose(type, random);
    if (type)
        return guess_type(root, schema, json_string_value(type), random, depth);
    return guess_any(random, 2);
}

/* Documents of the output that were tried against the input. */
static unsigned check_sound(const json_t *output, const json_t *input, struct random *random,
                            unsigned attempts)
{
    struct alk_schema *from, *to;
    unsigned tried = 0;
    if (alk_schema_compile(output, NULL, &from, NULL))
        return 0;
    if (alk_schema_compile(input, NULL, &to, NULL)) {
        alk_schema_free(from);
        return 0;
    }
    for (unsigned i = 0; i < attempts; i++) {
        json_t *document = guess(output, output, random, 4);
        if (alk_schema_validate(from, document, NULL) == ALK_SCHEMA_OK) {
            tried++;
            if (alk_schema_validate(to, document, NULL) != ALK_SCHEMA_OK)
                fail_msg("said to be compatible:\n%s\n%s\nbut not for %s", json_dumps(output, 0),
                         json_dumps(input, 0), json_dumps(document, JSON_ENCODE_ANY));
        }
        json_decref(document);
    }
    alk_schema_free(from);
    alk_schema_free(to);
    return tried;
}

static void test_table_is_sound(void **state)
{
    (void)state;
    json_t *pairs = load_pairs(), *pair;
    struct random random = {7};
    unsigned tried = 0;
    size_t i;
    json_array_foreach(pairs, i, pair)
    {
        const char *answer = json_string_value(json_object_get(pair, "answer"));
        if (strcmp(answer, "yes") == 0 && !json_object_get(pair, "reading"))
            tried += check_sound(json_object_get(pair, "output"), json_object_get(pair, "input"),
                                 &random, 100);
    }
    print_message("%u documents\n", tried);
    assert_true(tried > 2000);
    json_decref(pairs);
}

/* ---- random pairs ------------------------------------------------------------------------------ */

static json_t *invent(struct random *random, int depth);

static json_t *invent_list(struct random *random, int depth)
{
    json_t *list = json_array();
    for (uint32_t n = 1 + random_below(random, 2); n > 0; n--)
        json_array_append_new(list, invent(random, depth));
    return list;
}

static void add_keyword(json_t *schema, struct random *random, int depth)
{
    static const char *const bounds[] = {"minimum",   "maximum",  "exclusiveMinimum", "minLength",
                                         "maxLength", "minItems", "maxItems",         "multipleOf"};
    static const char *const lists[] = {"anyOf", "oneOf", "allOf", "prefixItems"};
    static const char *const inner[] = {"items", "additionalProperties", "not", "contains",
                                        "unevaluatedProperties"};
    static const char *const counts[] = {"minProperties", "maxProperties", "exclusiveMaximum"};
    const char name[2] = {(char)('a' + random_below(random, 3)), 0};
    switch (random_below(random, depth > 0 ? 13 : 3)) {
    case 0:
        json_object_set_new(schema, bounds[random_below(random, 8)],
                            json_integer(1 + random_below(random, 4)));
        return;
    case 1:
        json_object_set_new(schema, "enum",
                            json_pack("[o,o]", guess_any(random, 1), guess_any(random, 0)));
        return;
    case 2:
        json_object_set_new(schema, "uniqueItems", json_boolean(random_below(random, 2)));
        return;
    case 3:
        json_object_set_new(schema, lists[random_below(random, 4)], invent_list(random, depth - 1));
        return;
    case 4:
        json_object_set_new(schema, inner[random_below(random, 5)],
                            random_below(random, 2) ? json_false() : invent(random, depth - 1));
        return;
    case 5:
        json_object_set_new(schema, "required", json_pack("[s]", name));
        return;
    case 6:
        json_object_set_new(schema, counts[random_below(random, 3)],
                            json_integer(random_below(random, 3)));
        return;
    case 7:
        json_object_set_new(
            schema, "patternProperties",
            json_pack("{s:o}", random_below(random, 2) ? "^a" : "[bc]", invent(random, depth - 1)));
        return;
    case 8:
        json_object_set_new(schema, "dependentRequired", json_pack("{s:[s]}", "a", name));
        return;
    case 9:
        json_object_set_new(schema, "if", invent(random, depth - 1));
        json_object_set_new(schema, random_below(random, 2) ? "then" : "else",
                            invent(random, depth - 1));
        return;
    default:
        if (!json_object_get(schema, "properties"))
            json_object_set_new(schema, "properties", json_object());
        json_object_set_new(json_object_get(schema, "properties"), name, invent(random, depth - 1));
    }
}

static json_t *invent(struct random *random, int depth)
{
    static const char *const types[] = {"null",   "boolean", "integer", "number",
                                        "string", "array",   "object",  "object"};
    json_t *schema = json_object();
    if (random_below(random, 8))
        json_object_set_new(schema, "type", json_string(types[random_below(random, 8)]));
    else
        json_object_set_new(
            schema, "type",
            json_pack("[s,s]", types[random_below(random, 3)], types[3 + random_below(random, 4)]));
    for (uint32_t n = random_below(random, 4); n > 0; n--)
        add_keyword(schema, random, depth);
    return schema;
}

/* The input is often the output with a keyword more or less, so that many pairs are close. */
static json_t *vary(const json_t *schema, struct random *random)
{
    json_t *other = json_deep_copy(schema);
    if (random_below(random, 3))
        add_keyword(other, random, 1);
    void *at = json_object_iter(other);
    for (uint32_t n = random_below(random, (uint32_t)json_object_size(other)); n > 0; n--)
        at = json_object_iter_next(other, at);
    if (random_below(random, 3))
        json_object_del(other, json_object_iter_key(at));
    return other;
}

static void test_random_pairs_are_sound(void **state)
{
    (void)state;
    struct random random = {99};
    unsigned counts[3] = {0}, tried = 0;
    for (int i = 0; i < 12000; i++) {
        json_t *output = invent(&random, 2);
        json_t *input = random_below(&random, 4) ? vary(output, &random) : invent(&random, 2);
        enum alk_compat answer = alk_type_compat(output, input, ALK_COMPAT_STRICT, NULL);
        counts[answer]++;
        if (answer == ALK_COMPAT_YES)
            tried += check_sound(output, input, &random, 20);
        json_decref(output);
        json_decref(input);
    }
    print_message("yes %u, no %u, unknown %u; %u documents\n", counts[0], counts[1], counts[2],
                  tried);
    assert_true(counts[0] > 1000 && counts[1] > 1000 && tried > 10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_table_is_sound),
        cmocka_unit_test(test_random_pairs_are_sound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
