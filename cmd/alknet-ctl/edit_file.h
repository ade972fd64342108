/* Making files, and changing one as a whole. Errors are told in *error. */
#ifndef CTL_EDIT_FILE_H
#define CTL_EDIT_FILE_H

#include <alk/status.h>

#include <stddef.h>
#include <sys/stat.h>

/* Makes a file that is not there yet, and leaves none behind when it fails. */
int file_create(const char *path, mode_t mode, const void *data, size_t len,
                struct alk_error *error);

/* A text file that is to be changed. */
struct file_edit {
    char *path; /* behind all links */
    char *text; /* with a NUL behind it */
    size_t len;
    struct stat was;
    int fd; /* of the file as it was read */
};

/* ALK_E_LIMIT when it has more than max bytes, ALK_E_PARSE for a NUL. To be freed in any case. */
int file_edit_begin(struct file_edit *edit, const char *path, size_t max, struct alk_error *error);

/* Puts another text into its place, at once: whoever reads it meanwhile has the one or the other.
 * Owner, mode and access control list stay. ALK_E_EXISTS when somebody else has changed the file in the meantime. */
int file_edit_commit(const struct file_edit *edit, const char *text, size_t len,
                     struct alk_error *error);
void file_edit_free(struct file_edit *edit);

#endif
