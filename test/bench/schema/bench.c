/*
 * Documents validated and schemas compiled per second, for each case in a file
 * that cases.js wrote: bench CASES SECONDS prints one JSON line per figure.
 */
#include "alk/schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void die(const char *what)
{
    fprintf(stderr, "bench: %s\n", what);
    exit(1);
}

/* All the documents in turn; `valid` is how many of them must be so. */
static double validations(const struct alk_schema *schema, const json_t *documents,
                          json_int_t valid, double seconds)
{
    double start = now(), end = start + seconds, time;
    unsigned long count = 0;
    do {
        json_int_t found = 0;
        for (size_t i = 0; i < json_array_size(documents); i++)
            found += alk_schema_validate(schema, json_array_get(documents, i), NULL) == 0;
        if (found != valid)
            die("not the expected number of valid documents");
        count += json_array_size(documents);
    } while ((time = now()) < end);
    return (double)count / (time - start);
}

static double compilations(const json_t *source, double seconds)
{
    double start = now(), end = start + seconds, time;
    unsigned long count = 0;
    do {
        struct alk_schema *schema;
        if (alk_schema_compile(source, NULL, &schema, NULL))
            die("the schema does not compile");
        alk_schema_free(schema);
        count++;
    } while ((time = now()) < end);
    return (double)count / (time - start);
}

int main(int argc, char **argv)
{
    if (argc != 3)
        die("usage: bench CASES SECONDS");
    json_t *cases = json_load_file(argv[1], 0, NULL);
    double seconds = atof(argv[2]);
    for (size_t i = 0; i < json_array_size(cases); i++) {
        json_t *one = json_array_get(cases, i), *source = json_object_get(one, "schema");
        json_t *documents = json_object_get(one, "documents");
        json_int_t valid = json_integer_value(json_object_get(one, "valid"));
        const char *name = json_string_value(json_object_get(one, "name"));
        struct alk_schema *schema;
        if (alk_schema_compile(source, NULL, &schema, NULL))
            die("the schema does not compile");
        printf("{\"figure\": \"validate %s\", \"value\": %.0f}\n", name,
               validations(schema, documents, valid, seconds));
        printf("{\"figure\": \"compile %s\", \"value\": %.0f}\n", name,
               compilations(source, seconds));
        alk_schema_free(schema);
    }
    json_decref(cases);
    return 0;
}
