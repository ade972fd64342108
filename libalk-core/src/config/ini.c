#include "config/ini.h"

#include <alk/status.h>

#include <ini.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Builds of inih that fix their settings at compile time do not have these variables; Debian's
 * has. Then the line limit is what that build says, which the reader below obeys in any case. */
#pragma weak ini_max_line
#pragma weak ini_initial_alloc
#pragma weak ini_use_stack
extern int ini_max_line, ini_initial_alloc;
extern bool ini_use_stack;

enum { LINE_ENDING = 3 }; /* room for CR, LF and NUL in inih's count */

struct reader {
    const char *at, *end;
    const struct alk_ini_visitor *visitor;
    void *user;
    unsigned line;
    bool expects_entry; /* the line that inih has now must yield one */
};

__attribute__((format(printf, 2, 3))) static void fault(const struct reader *r, const char *format,
                                                        ...)
{
    char sentence[256];
    va_list args;

    va_start(args, format);
    vsnprintf(sentence, sizeof(sentence), format, args);
    va_end(args);
    r->visitor->fault(r->user, r->line, sentence);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool is_comment(char c)
{
    return c == ';' || c == '#';
}

/* The header's name, or false after telling what is wrong. text is "[...", ended by a NUL. */
static bool take_section(const struct reader *r, const char *text)
{
    char name[ALK_INI_SECTION_MAX + 1];
    const char *close = strchr(text, ']');

    if (close == NULL) {
        fault(r, "the section's ] is missing");
        return false;
    }
    const char *rest = close + 1;
    while (is_blank(*rest))
        rest++;
    if (*rest != '\0' && (!is_comment(*rest) || rest == close + 1)) {
        fault(r, "there is text behind the section's ]; put it on a line of its own");
        return false;
    }
    size_t len = (size_t)(close - text - 1);
    if (len > ALK_INI_SECTION_MAX) {
        fault(r, "the section's name is longer than %d bytes", ALK_INI_SECTION_MAX);
        return false;
    }
    memcpy(name, text + 1, len);
    name[len] = '\0';
    r->visitor->section(r->user, r->line, name);
    return true;
}

/* False after telling what is wrong: then inih does not get to see the line. */
static bool accepts(struct reader *r, const char *text, size_t len, size_t max)
{
    if (len > max) {
        fault(r, "the line is longer than %zu bytes; use a shorter one", max);
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if ((c < ' ' && c != '\t') || c == 0x7f) {
            fault(r, "the line holds a control character (byte 0x%02x); remove it", c);
            return false;
        }
    }
    return true;
}

/* Judges a line that is now a string; false when it is not for inih. */
static bool classify(struct reader *r, const char *text)
{
    const char *first = text;

    while (is_blank(*first))
        first++;
    if (*first == '\0' || is_comment(*first))
        return false; /* neither has inih any use for it */
    if (first != text) {
        fault(r, "the line begins with a blank; begin it at the margin (a value cannot go on "
                 "in a further line)");
        return false;
    }
    if (*text == '[') {
        bool good = take_section(r, text);
        if (!good)
            r->visitor->section(r->user, r->line, NULL);
        return good;
    }
    r->expects_entry = true;
    return true;
}

static void finish_line(struct reader *r)
{
    if (r->expects_entry)
        fault(r, "the line is neither a [section] nor 'key = value'");
    r->expects_entry = false;
}

/* inih's fgets: one line a call, an empty one in place of those that it must not see. */
static char *next_line(char *out, int size, void *user)
{
    struct reader *r = user;
    size_t max = (size_t)size - LINE_ENDING;

    finish_line(r);
    if (r->at == r->end)
        return NULL;
    const char *start = r->at;
    const char *newline = memchr(start, '\n', (size_t)(r->end - start));
    size_t len = (size_t)((newline != NULL ? newline : r->end) - start);
    r->at = newline != NULL ? newline + 1 : r->end;
    r->line++;
    if (len > 0 && start[len - 1] == '\r')
        len--;
    bool good = accepts(r, start, len, max);
    if (good) {
        memcpy(out, start, len);
        out[len] = '\0';
        good = classify(r, out);
    }
    snprintf(good ? out + len : out, LINE_ENDING, "\n");
    return out;
}

static int on_entry(void *user, const char *section, const char *name, const char *value)
{
    struct reader *r = user;

    (void)section; /* cut by some builds; the visitor was told the whole name */
    r->expects_entry = false;
    if (*name == '\0')
        fault(r, "there is no key before the =");
    else
        r->visitor->entry(r->user, r->line, name, value != NULL ? value : "");
    return 1;
}

/* inih's settings belong to the process: they are ours while we parse, and go back after. */
static int parse(struct reader *r)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    bool settable = &ini_max_line != NULL && &ini_initial_alloc != NULL && &ini_use_stack != NULL;
    int max = 0, initial = 0;
    bool stack = false;

    pthread_mutex_lock(&lock);
    if (settable) {
        max = ini_max_line;
        initial = ini_initial_alloc;
        stack = ini_use_stack;
        ini_max_line = ini_initial_alloc = ALK_INI_LINE_MAX + LINE_ENDING;
        ini_use_stack = false;
    }
    int result = ini_parse_stream(next_line, r, on_entry, r);
    if (settable) {
        ini_max_line = max;
        ini_initial_alloc = initial;
        ini_use_stack = stack;
    }
    pthread_mutex_unlock(&lock);
    return result;
}

int alk_ini_visit(const char *text, size_t len, const struct alk_ini_visitor *visitor, void *user)
{
    static const char bom[] = "\xef\xbb\xbf";
    struct reader r = {.visitor = visitor, .user = user};

    if (len == 0)
        return ALK_OK;
    if (len >= strlen(bom) && memcmp(text, bom, strlen(bom)) == 0) {
        text += strlen(bom);
        len -= strlen(bom);
    }
    r.at = text;
    r.end = text + len;
    /* a positive result is the line of a fault, which we have told with all others */
    return parse(&r) == -2 ? ALK_E_NOMEM : ALK_OK;
}
