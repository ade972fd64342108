/* alknet-ctl credential remove: takes the lines of one section out of a file, and no other byte. */
#include "credential.h"

#include "edit_file.h"
#include "program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Behind the line that begins here. */
static const char *next_line(const char *line, const char *end)
{
    const char *newline = memchr(line, '\n', (size_t)(end - line));

    return newline != NULL ? newline + 1 : end;
}

/* A comment or nothing, which in front of the next section is more likely about that one. */
static bool says_nothing(const char *line, const char *end)
{
    while (line < end && (*line == ' ' || *line == '\t' || *line == '\r'))
        line++;
    return line == end || *line == '\n' || *line == ';' || *line == '#';
}

/* From the header to the last line with a key. The text is without a fault: every line that begins
 * with [ is a header. */
static void find_lines(const struct file_edit *edit, unsigned line, const char **from,
                       const char **to)
{
    const char *end = edit->text + edit->len, *at = edit->text;

    while (--line > 0)
        at = next_line(at, end);
    *from = at;
    *to = at = next_line(at, end);
    while (at < end && *at != '[') {
        const char *next = next_line(at, end);
        if (!says_nothing(at, next))
            *to = next;
        at = next;
    }
}

static void tell_files(const struct alk_credential_source *source)
{
    for (size_t i = 0; i < source->place_count; i++) {
        if (source->places[i].path != NULL)
            printf("alknet-ctl: the secret is still in %s\n", source->places[i].path);
    }
}

static int cut(const struct file_edit *edit, const struct credential_request *r, unsigned line,
               struct alk_error *error)
{
    const char *from, *to;
    struct alk_config *after = NULL;
    char *text = malloc(edit->len + 1);

    if (text == NULL)
        return alk_error_set(error, ALK_E_NOMEM, "out of memory");
    find_lines(edit, line, &from, &to);
    size_t head = (size_t)(from - edit->text), tail = edit->len - (size_t)(to - edit->text);
    memcpy(text, edit->text, head);
    memcpy(text + head, to, tail);
    int status = credential_parse(&after, r->config, text, head + tail, error);
    if (status == ALK_OK && credential_find(after, r->name) != NULL)
        status = alk_error_set(error, ALK_E_INVAL, "%s could not be understood; edit it by hand",
                               r->config);
    if (status == ALK_OK)
        status = file_edit_commit(edit, text, head + tail, error);
    alk_config_free(after);
    free(text);
    return status;
}

int credential_remove(const struct credential_request *r)
{
    struct alk_config *before = NULL;
    struct file_edit edit;
    struct alk_error error;
    int status = file_edit_begin(&edit, r->config, ALK_CONFIG_FILE_MAX, &error);

    if (status == ALK_OK)
        status = credential_parse(&before, r->config, edit.text, edit.len, &error);
    const struct alk_credential_source *source =
        status == ALK_OK ? credential_find(before, r->name) : NULL;
    if (status == ALK_OK && source == NULL)
        status =
            alk_error_set(&error, ALK_E_NOTFOUND, "%s has no [credential %s]", r->config, r->name);
    if (status == ALK_OK)
        status = cut(&edit, r, source->line, &error);
    if (status == ALK_OK)
        tell_files(source);
    alk_config_free(before);
    file_edit_free(&edit);
    return status == ALK_OK ? EXIT_SUCCESS : program_fail(EXIT_RUN, "%s", error.text);
}
