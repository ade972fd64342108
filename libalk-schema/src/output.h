/* Collecting what an evaluation says, and writing it in the output formats. */
#ifndef ALK_SCHEMA_OUTPUT_H
#define ALK_SCHEMA_OUTPUT_H

#include "report.h"

struct unit {
    size_t parent;             /* NO_INDEX at the root */
    const struct frame *frame; /* while it is open; the locations are made when it is kept */
    const char *keyword;
    bool valid;
    char *keyword_location, *absolute_location, *instance_location;
    char *sentence;     /* of an error */
    json_t *annotation; /* or of an annotation */
};

/* Units in the order in which they were opened: parents before their children. */
struct units {
    struct unit *list;
    size_t count, size;
    size_t open; /* the innermost open unit */
    size_t said; /* errors and annotations so far */
    size_t max_said;
    bool annotations; /* wanted */
};

/* Open a unit for a schema (`keyword` NULL) or for one of its keywords. */
size_t unit_open(struct run *run, const struct frame *frame, const char *keyword);

/*
 * Close it with its verdict. A valid unit forgets the errors below it, an invalid
 * one the annotations. `sentence` may be NULL; it is taken over. A unit that has
 * nothing to say and nothing below it vanishes.
 */
void unit_close(struct run *run, size_t unit, bool valid, char *sentence);

json_t *units_write(const struct units *units, bool valid, enum alk_schema_format format);

/* The first violation, as close to the cause as its applicators let one see. */
void units_first_error(const struct units *units, struct alk_schema_error *error);
void units_free(struct units *units);

#endif
