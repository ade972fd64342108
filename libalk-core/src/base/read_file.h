/* Opening and reading small files: keys, certificates, settings. */
#ifndef ALK_BASE_READ_FILE_H
#define ALK_BASE_READ_FILE_H

#include <alk/status.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

/* Opens a regular file for reading without ever blocking on it (a FIFO, a device).
 * Returns the descriptor and fills *st, or returns a status: ALK_E_NOTFOUND,
 * ALK_E_DENIED, ALK_E_INVAL (a folder or no regular file), ALK_E_IO. */
int alk_file_open(const char *path, struct stat *st, struct alk_error *error);

/* Reads to the end of the file. Returns the number of bytes, ALK_E_LIMIT when there are
 * more than size, or ALK_E_IO. */
ssize_t alk_file_read(int fd, const char *path, void *data, size_t size, struct alk_error *error);

/* Opens a file and reads it into memory from malloc: *text, *len. ALK_E_LIMIT when it has
 * more than max bytes, ALK_E_DENIED when it has any of the mode bits `forbidden`. */
int alk_file_load(const char *path, size_t max, mode_t forbidden, char **text, size_t *len,
                  struct alk_error *error);

#endif
