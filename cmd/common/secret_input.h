/* Secrets coming in from descriptors, files and the terminal, into guarded memory only.
 *
 * All return ALK_OK, or a code with the sentence in *error. */
#ifndef ALKNET_SECRET_INPUT_H
#define ALKNET_SECRET_INPUT_H

#include <alk/secret_mnemonic.h>
#include <alk/status.h>

#include <stddef.h>

/* Bytes in guarded memory. */
struct secret_bytes {
    char *data;
    size_t len, size;
};

/* Room for a mnemonic or a passphrase, a line end, a NUL, and to notice that there is more. */
enum { SECRET_INPUT_SIZE = ALK_MNEMONIC_INPUT_MAX + 4 };

int secret_bytes_new(struct secret_bytes *bytes, size_t size, struct alk_error *error);
void secret_bytes_free(struct secret_bytes *bytes); /* wipes; an empty one is fine */

/* Appends all of a descriptor or a file, at most size - 1 bytes. name is for messages. */
int secret_input_fd(struct secret_bytes *bytes, int fd, const char *name, struct alk_error *error);
int secret_input_file(struct secret_bytes *bytes, const char *path, struct alk_error *error);

/* Appends a line that is asked for as `what` on the terminal, without echo. instead ends the
 * sentence for when there is none: "--mnemonic-fd". */
int secret_input_ask(struct secret_bytes *bytes, const char *what, const char *instead,
                     struct alk_error *error);

/* Makes a string of what has been read: takes one line end off and ends it with a NUL. Refuses
 * a NUL within, naming `what`: "mnemonic". */
int secret_input_text(struct secret_bytes *bytes, const char *what, struct alk_error *error);

#endif
