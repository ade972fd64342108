/* One line of an authorized_keys file: the parser behind authorized_keys.h. */
#ifndef ALK_AUTHORIZED_KEYS_LINE_H
#define ALK_AUTHORIZED_KEYS_LINE_H

#include "base/arena.h"

#include <alk/authorized_keys.h>

/* How a line is read: where its strings go, and who hears about it. */
struct alk_authorized_line {
    struct alk_arena *arena; /* of the set */
    alk_authorized_note_fn note;
    void *user;
    const char *file; /* what notes call it: "authorized_keys" */
    unsigned number;
    bool authorities; /* every line is a certificate authority */
    bool check_point; /* whether the key must be proven to be a point on the curve */
};

enum alk_line_kind { ALK_LINE_EMPTY, ALK_LINE_KEY, ALK_LINE_REFUSED, ALK_LINE_NOMEM };

/* Parses text[0..len), which has no newline. Fills *key when the answer is ALK_LINE_KEY;
 * a refused line has been reported. */
enum alk_line_kind alk_authorized_line_parse(const struct alk_authorized_line *line,
                                             const char *text, size_t len,
                                             struct alk_authorized_key *key);

/* Reports the line: "FILE line N: ...". */
void alk_authorized_line_note(const struct alk_authorized_line *line, bool skipped,
                              const char *format, ...) __attribute__((format(printf, 3, 4)));

/* ---- options (authorized_keys_options.c) ----------------------------------------- */

/* Parses the options at the start of text[0..len), which begin at its first character and end at
 * the first blank outside quotes. Fills the restrictions in *key. ALK_OK, ALK_E_PARSE
 * (reported), ALK_E_NOMEM. */
int alk_authorized_options_parse(const struct alk_authorized_line *line, const char *text,
                                 size_t len, struct alk_authorized_key *key);

/* ---- lists of names (authorized_keys_names.c) ------------------------------------- */

/* "a,b,c" into strings of the arena. ALK_OK, ALK_E_NOMEM, or ALK_E_PARSE for an empty entry. An
 * empty text is an empty list; *list is never NULL then. */
int alk_names_parse(struct alk_arena *arena, const char *text, size_t len, const char *const **list,
                    size_t *count);

/* The same for scopes: 64 of them at most, of at most 128 letters, digits and . _ : / - each. */
int alk_scopes_parse(struct alk_arena *arena, const char *text, size_t len,
                     const char *const **list, size_t *count);

/* "service:gitea,service:wiki": the type ends at the first colon; 256 of them at most. */
int alk_resources_parse(struct alk_arena *arena, const char *text, const struct alk_resource **list,
                        size_t *count);

#endif
