/*
 * The official JSON-Schema-Test-Suite, from the Debian package
 * libtest-json-schema-acceptance-perl (or the folder in ALK_SCHEMA_SUITE): every
 * required case of draft 2020-12 and draft 7 must pass; an optional case may only
 * fail with its reason in the table below.
 */
#include "alk/schema.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#define PACKAGED "/usr/share/perl5/auto/share/dist/Test-JSON-Schema-Acceptance"
#define HOST     "http://localhost:1234"

/* Optional cases that do not pass: where, and why. */
static const struct {
    const char *file, *group, *why;
} excused[] = {
    {"format/idn-hostname.json", "", "needs the IDNA tables; the format only annotates"},
    {"cross-draft.json", "", "draft 2019-09 is not implemented"},
    {"type.json", "basic", "units without annotation; later editions of the suite dropped it"},
    {"content.json", "", "content is an annotation, never an assertion"},
};

struct tally {
    unsigned passed, failed, excused;
};

struct context {
    struct alk_schema_registry *registry;
    struct alk_schema_options options;
    struct tally tally;
    bool optional;
    const char *file; /* below the draft's folder, without "optional/" */
};

static const char *suite_folder(void)
{
    const char *chosen = getenv("ALK_SCHEMA_SUITE");
    return chosen ? chosen : PACKAGED;
}

/* JSON of a file; numbers beyond 64 bit are read as reals, as the suite has some. */
static json_t *load(const char *path)
{
    json_error_t error;
    json_t *value = json_load_file(path, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    if (!value && json_error_code(&error) == json_error_numeric_overflow)
        value = json_load_file(path, JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL,
                               &error);
    if (!value)
        fail_msg("%s: %s", path, error.text);
    return value;
}

static const char *excuse(const struct context *context, const char *group)
{
    for (size_t i = 0; context->optional && i < sizeof excused / sizeof *excused; i++)
        if (strcmp(excused[i].file, context->file) == 0 && strstr(group, excused[i].group))
            return excused[i].why;
    return NULL;
}

static void count(struct context *context, bool passed, const char *group, const char *test,
                  const char *detail)
{
    const char *why = passed ? NULL : excuse(context, group);
    if (passed) {
        context->tally.passed++;
    } else if (why) {
        context->tally.excused++;
        print_message("optional, not passed: %s: %s: %s (%s)\n", context->file, group, test, why);
    } else {
        context->tally.failed++;
        print_error("%s: %s: %s: %s\n", context->file, group, test, detail);
    }
}

static void run_case(struct context *context, const struct alk_schema *schema, const char *group,
                     const json_t *test)
{
    char detail[512];
    struct alk_schema_error error;
    bool expected = json_is_true(json_object_get(test, "valid"));
    int status = alk_schema_validate(schema, json_object_get(test, "data"), &error);
    bool passed = status == (expected ? ALK_SCHEMA_OK : ALK_SCHEMA_E_INVALID);
    snprintf(detail, sizeof detail, "expected %s, got status %d %s", expected ? "valid" : "invalid",
             status, status ? error.text : "");
    /* the other ways in must agree */
    json_t *output = NULL;
    if (passed && (alk_schema_validate(schema, json_object_get(test, "data"), NULL) != status ||
                   alk_schema_output(schema, json_object_get(test, "data"), ALK_SCHEMA_BASIC,
                                     &output) != status)) {
        passed = false;
        snprintf(detail, sizeof detail, "flag, error and basic output disagree");
    }
    json_decref(output);
    count(context, passed, group, json_string_value(json_object_get(test, "description")), detail);
}

static void run_group(struct context *context, const json_t *group)
{
    struct alk_schema *schema;
    struct alk_schema_error error;
    const char *name = json_string_value(json_object_get(group, "description"));
    const json_t *tests = json_object_get(group, "tests");
    int status =
        alk_schema_compile(json_object_get(group, "schema"), &context->options, &schema, &error);
    for (size_t i = 0; i < json_array_size(tests); i++) {
        const json_t *test = json_array_get(tests, i);
        if (status)
            count(context, false, name, json_string_value(json_object_get(test, "description")),
                  error.text);
        else
            run_case(context, schema, name, test);
    }
    alk_schema_free(schema);
}

/* Call `each` for the JSON files below a folder; `below` is the path from where it began. */
typedef void file_fn(struct context *context, const char *path, const char *below);

static void each_file(struct context *context, const char *folder, const char *below, bool deep,
                      file_fn *each)
{
    struct dirent **entries;
    int n = scandir(folder, &entries, NULL, alphasort);
    if (n < 0)
        fail_msg("no test suite in %s; run `make deps`", folder);
    for (int i = 0; i < n; i++) {
        char path[1024], name[512];
        struct stat about;
        snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        snprintf(name, sizeof name, "%s%s%s", below, *below ? "/" : "", entries[i]->d_name);
        size_t length = strlen(name);
        if (entries[i]->d_name[0] != '.' && stat(path, &about) == 0) {
            if (S_ISDIR(about.st_mode) && deep)
                each_file(context, path, name, true, each);
            else if (length > 5 && strcmp(name + length - 5, ".json") == 0)
                each(context, path, name);
        }
        free(entries[i]);
    }
    free(entries);
}

static void run_file(struct context *context, const char *path, const char *below)
{
    json_t *groups = load(path);
    context->file = below;
    context->options.assert_format =
        context->optional &&
        (strncmp(below, "format/", 7) == 0 || strcmp(below, "ecmascript-regex.json") == 0);
    for (size_t i = 0; i < json_array_size(groups); i++)
        run_group(context, json_array_get(groups, i));
    json_decref(groups);
}

/* What the suite expects to find on its web server. */
static void add_remote(struct context *context, const char *path, const char *below)
{
    char uri[1024];
    struct alk_schema_error error;
    if (strncmp(below, "draft", 5) == 0 && strncmp(below, "draft2020-12/", 13) != 0 &&
        strncmp(below, "draft7/", 7) != 0)
        return;
    json_t *schema = load(path);
    snprintf(uri, sizeof uri, HOST "/%s", below);
    if (alk_schema_registry_add(context->registry, uri, schema, &error))
        print_message("remote %s left out: %s\n", below, error.text);
    json_decref(schema);
}

static void run_draft(const char *draft, enum alk_schema_draft number, bool optional)
{
    char folder[1024];
    struct context context = {.options = ALK_SCHEMA_OPTIONS_INIT, .optional = optional};
    context.registry = alk_schema_registry_new();
    context.options.registry = context.registry;
    context.options.draft = number;
    snprintf(folder, sizeof folder, "%s/remotes", suite_folder());
    each_file(&context, folder, "", true, add_remote);

    snprintf(folder, sizeof folder, "%s/tests/%s%s", suite_folder(), draft,
             optional ? "/optional" : "");
    each_file(&context, folder, "", optional, run_file);
    print_message("%s %s: %u passed, %u failed, %u excused\n", draft,
                  optional ? "optional" : "required", context.tally.passed, context.tally.failed,
                  context.tally.excused);
    assert_int_equal(context.tally.failed, 0);
    assert_true(context.tally.passed > 200);
    alk_schema_registry_free(context.registry);
}

static void test_required_2020_12(void **state)
{
    (void)state;
    run_draft("draft2020-12", ALK_SCHEMA_DRAFT_2020_12, false);
}

static void test_required_draft_7(void **state)
{
    (void)state;
    run_draft("draft7", ALK_SCHEMA_DRAFT_7, false);
}

static void test_optional_2020_12(void **state)
{
    (void)state;
    run_draft("draft2020-12", ALK_SCHEMA_DRAFT_2020_12, true);
}

static void test_optional_draft_7(void **state)
{
    (void)state;
    run_draft("draft7", ALK_SCHEMA_DRAFT_7, true);
}

/* ---- output ------------------------------------------------------------------------ */

/* Each test has, for some output formats, a schema that the output must fit. */
static void run_output_case(struct context *context, const struct alk_schema *schema,
                            const json_t *test)
{
    static const struct {
        const char *name;
        enum alk_schema_format format;
    } formats[] = {
        {"flag", ALK_SCHEMA_FLAG}, {"basic", ALK_SCHEMA_BASIC}, {"detailed", ALK_SCHEMA_DETAILED}};
    const char *name = json_string_value(json_object_get(test, "description"));
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        const json_t *form = json_object_get(json_object_get(test, "output"), formats[i].name);
        struct alk_schema *expected;
        struct alk_schema_error error = {0};
        json_t *output;
        if (!form)
            continue;
        assert_true(alk_schema_output(schema, json_object_get(test, "data"), formats[i].format,
                                      &output) >= ALK_SCHEMA_E_INVALID);
        if (alk_schema_compile(form, &context->options, &expected, &error))
            fail_msg("%s: %s", name, error.text);
        int status = alk_schema_validate(expected, output, &error);
        count(context, status == ALK_SCHEMA_OK, formats[i].name, name, error.text);
        if (status)
            json_dumpf(output, stderr, JSON_INDENT(1));
        alk_schema_free(expected);
        json_decref(output);
    }
}

static void run_output_file(struct context *context, const char *path, const char *below)
{
    json_t *groups = load(path);
    context->file = below;
    for (size_t i = 0; i < json_array_size(groups); i++) {
        const json_t *group = json_array_get(groups, i);
        const json_t *tests = json_object_get(group, "tests");
        struct alk_schema *schema;
        assert_int_equal(
            alk_schema_compile(json_object_get(group, "schema"), &context->options, &schema, NULL),
            ALK_SCHEMA_OK);
        for (size_t t = 0; t < json_array_size(tests); t++)
            run_output_case(context, schema, json_array_get(tests, t));
        alk_schema_free(schema);
    }
    json_decref(groups);
}

static void test_output_2020_12(void **state)
{
    (void)state;
    char path[1024];
    struct context context = {.options = ALK_SCHEMA_OPTIONS_INIT, .optional = true};
    context.registry = alk_schema_registry_new();
    context.options.registry = context.registry;
    snprintf(path, sizeof path, "%s/output-tests/draft2020-12/output-schema.json", suite_folder());
    json_t *form = load(path);
    assert_int_equal(alk_schema_registry_add(context.registry, "test:output", form, NULL), 0);
    json_decref(form);
    snprintf(path, sizeof path, "%s/output-tests/draft2020-12/content", suite_folder());
    each_file(&context, path, "", false, run_output_file);
    print_message("output: %u passed, %u failed\n", context.tally.passed, context.tally.failed);
    assert_int_equal(context.tally.failed, 0);
    assert_true(context.tally.passed >= 4);
    alk_schema_registry_free(context.registry);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_required_2020_12), cmocka_unit_test(test_required_draft_7),
        cmocka_unit_test(test_optional_2020_12), cmocka_unit_test(test_optional_draft_7),
        cmocka_unit_test(test_output_2020_12),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
