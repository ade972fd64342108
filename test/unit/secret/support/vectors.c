#include "vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <cmocka.h>

#include <alk/secret_error.h>

#include <sodium.h>
#include <string.h>

FILE *vectors_open(const char *name)
{
    char path[256];
    FILE *file;

    snprintf(path, sizeof path, "test/unit/secret/vectors/%s", name);
    file = fopen(path, "r");
    if (file == NULL)
        fail_msg("cannot open %s: run the test from the top of the tree", path);
    return file;
}

int vectors_next(FILE *file, struct vector *v)
{
    do {
        if (fgets(v->text, sizeof v->text, file) == NULL)
            return 0;
        v->line++;
    } while (v->text[0] == '#');
    v->text[strcspn(v->text, "\n")] = '\0';
    v->count = 0;
    for (char *rest = v->text; rest != NULL && v->count < VECTOR_FIELDS;)
        v->field[v->count++] = strsep(&rest, "|");
    return 1;
}

size_t from_hex(const char *hex, uint8_t *out, size_t size)
{
    size_t len = 0;

    if (sodium_hex2bin(out, size, hex, strlen(hex), NULL, &len, NULL) != 0)
        fail_msg("not the hex of at most %zu bytes: %s", size, hex);
    return len;
}

void expect_hex(const struct vector *v, const char *what, const uint8_t *got, size_t len,
                const char *expected)
{
    char hex[2 * 1024 + 1];

    sodium_bin2hex(hex, sizeof hex, got, len);
    expect_text(v, what, hex, expected);
}

void expect_text(const struct vector *v, const char *what, const char *got, const char *expected)
{
    if (strcmp(got, expected) != 0)
        fail_msg("line %u, %s:\n  expected %s\n  got      %s", v->line, what, expected, got);
}

void expect_code(const char *what, int got, int expected)
{
    if (got != expected)
        fail_msg("%s:\n  expected %d, %s\n  got      %d, %s", what, expected,
                 alk_secret_strerror(expected), got, alk_secret_strerror(got));
}
