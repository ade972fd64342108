/*
 * A folder of one test's own, and programs run in it. Every function ends the test with
 * cmocka's fail() when something goes wrong.
 */
#ifndef SCRATCH_H
#define SCRATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* For cmocka_unit_test_setup_teardown: *state becomes a struct scratch. */
int scratch_make(void **state);
int scratch_remove(void **state);

struct scratch {
    char dir[64];
    char path[4][512]; /* ring behind scratch_path */
    unsigned next;
};

/* Absolute path of a file in the folder; good until the fourth call after it. */
const char *scratch_path(struct scratch *scratch, const char *name);

/* Writes a file with these bytes and this mode. */
void scratch_write(struct scratch *scratch, const char *name, const void *data, size_t len,
                   mode_t mode);
void scratch_text(struct scratch *scratch, const char *name, const char *text);

/* Reads a file as text; the caller frees it. */
char *scratch_read(struct scratch *scratch, const char *name, size_t *len);

/* Runs a program with the folder as its working directory, standard input empty. Returns its exit
 * status; output (may be NULL) gets its standard output, cut to size. argv ends with NULL. */
int scratch_try(struct scratch *scratch, char *output, size_t size, const char *const argv[]);

/* The same, and the program must succeed. */
void scratch_run(struct scratch *scratch, char *output, size_t size, const char *const argv[]);

#define ARGV(...) ((const char *const[]){__VA_ARGS__, NULL})

#endif
