/* Reading test vectors: text files with one vector a line, fields between "|". */
#ifndef TEST_VECTORS_H
#define TEST_VECTORS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define VECTOR_FIELDS 12

struct vector {
    unsigned line;
    unsigned count;
    char *field[VECTOR_FIELDS]; /* valid until the next read */
    char text[8192];
};

/* Opens test/unit/secret/vectors/NAME, from the top of the tree. */
FILE *vectors_open(const char *name);

/* Reads the next vector; 0 at the end. Lines that start with # are comments. */
int vectors_next(FILE *file, struct vector *v);

/* Hex to bytes; returns the number of bytes. */
size_t from_hex(const char *hex, uint8_t *out, size_t size);

/* Fails the test with both values and the line of the vector. */
void expect_hex(const struct vector *v, const char *what, const uint8_t *got, size_t len,
                const char *expected);
void expect_text(const struct vector *v, const char *what, const char *got, const char *expected);

/* Fails the test unless a code is the expected one, naming what was tried. */
void expect_code(const char *what, int got, int expected);

#endif
