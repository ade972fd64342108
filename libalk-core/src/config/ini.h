/*
 * An INI file as strictly as people need it, through inih. Pure: text in, calls out.
 *
 * inih is lax in ways that would lose something in silence: it cuts long lines and long section
 * names, ignores what stands behind "]", takes an indented line for more of the value before it,
 * stops at a NUL, and tells one fault only. So each line is judged before inih sees it, and what
 * is wrong with it is told with its number.
 */
#ifndef ALK_CONFIG_INI_H
#define ALK_CONFIG_INI_H

#include <stddef.h>

enum {
    ALK_INI_LINE_MAX = 16384, /* bytes of a line without its end */
    ALK_INI_SECTION_MAX = 49, /* what inih has room for */
};

struct alk_ini_visitor {
    /* name NULL: a header at fault, which has been told; what follows belongs to no section */
    void (*section)(void *user, unsigned line, const char *name);
    void (*entry)(void *user, unsigned line, const char *name, const char *value);
    void (*fault)(void *user, unsigned line, const char *sentence);
};

/* Visits a text from its first line to its last. Entries that follow a faulty section header
 * are visited all the same. ALK_OK, whatever the text, or ALK_E_NOMEM. */
int alk_ini_visit(const char *text, size_t len, const struct alk_ini_visitor *visitor, void *user);

#endif
