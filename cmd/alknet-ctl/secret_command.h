/* What the commands of alknet-ctl secret share: options, secrets coming in, results going out.
 *
 * Secrets are in sodium_malloc() memory from the read(2) that brings them to the write(2) that
 * takes them away; they are never arguments and never in the environment.
 */
#ifndef CTL_SECRET_COMMAND_H
#define CTL_SECRET_COMMAND_H

#include "secret_input.h"

#include <alk/secret_service.h>

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { STATUS_OK = 0, STATUS_FAILED = 1, STATUS_USAGE = 2 };

#define CTL_TENANT "ctl" /* the one tenant of the one service of a run */

/* Which options a command takes. */
enum secret_option {
    OPT_MNEMONIC = 1 << 0, /* --mnemonic-file, --mnemonic-fd */
    OPT_IN = 1 << 1,
    OPT_OUT = 1 << 2,
    OPT_WORDS = 1 << 3,
    OPT_KIND = 1 << 4, /* --kind and --private */
    OPT_SITE = 1 << 5, /* --site and --length */
    OPT_VERSION = 1 << 6,
    OPT_TO = 1 << 7,
    OPT_COMMENT = 1 << 8,     /* --comment and --public */
    OPT_PATH = 1 << 9,        /* a path as the one argument */
    OPT_PASSPHRASE = 1 << 10, /* --passphrase, --passphrase-file, --passphrase-fd */
    OPT_SECRETS = OPT_MNEMONIC | OPT_PASSPHRASE, /* what the seed comes from */
};

struct secret_args {
    const char *command; /* for messages */
    bool json, help, ask_passphrase, show_private, public_only;
    const char *mnemonic_file, *passphrase_file, *in, *out, *kind, *site, *comment, *path;
    int mnemonic_fd, passphrase_fd; /* -1 for none */
    uint32_t words, length, key_version, to;
};

struct secret_command {
    const char *name, *summary, *help;
    unsigned options;
    int (*run)(const struct secret_args *args);
};

extern const struct secret_command secret_new, secret_validate, secret_derive, secret_password,
    secret_ssh_key, secret_encrypt, secret_decrypt, secret_rotate;

/* Reads the options of a command; 0 or STATUS_USAGE, after saying what is wrong. */
int secret_parse(const struct secret_command *command, int argc, char **argv,
                 struct secret_args *args);

/* Prints "alknet-ctl secret COMMAND: MESSAGE" on standard error and returns status. */
int secret_complain(const struct secret_args *args, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The status of a library error, after printing its sentence. Errors in a path or a number are
 * wrong usage. */
int secret_failed(const struct secret_args *args, int code, const struct alk_secret_error *error);

/* secret_bytes_new() for commands. */
int secret_bytes_init(const struct secret_args *args, struct secret_bytes *bytes, size_t size);

/* Appends; what does not fit is a programming error and ends the program. */
void secret_add(struct secret_bytes *bytes, const char *text);
void secret_add_bytes(struct secret_bytes *bytes, const void *data, size_t len);
void secret_add_hex(struct secret_bytes *bytes, const uint8_t *data, size_t len);
void secret_add_json(struct secret_bytes *bytes, const char *text, size_t len); /* quoted */

/* "name":"value", after a comma, or after "{" when it is the first. */
void secret_add_member(struct secret_bytes *bytes, const char *name, const char *value);

/* Reads the mnemonic from where the options say; the result is NUL-terminated. */
int secret_read_mnemonic(const struct secret_args *args, struct secret_bytes *mnemonic);

/* Reads mnemonic and passphrase and unlocks a new service. */
int secret_unlock(const struct secret_args *args, struct alk_secret_service **service);

/* --in or standard input as a stream of what is no secret, for the caller to close. */
int secret_open_input(const struct secret_args *args, FILE **input);

/* Reads all of --in or standard input, at most max bytes. */
int secret_read_input(const struct secret_args *args, size_t max, struct secret_bytes *input);

/* Writes all to standard output, or to a new file of mode 0600. */
int secret_write_output(const struct secret_args *args, const struct secret_bytes *output);
int secret_write_file(const struct secret_args *args, const char *path, unsigned mode,
                      const struct secret_bytes *output);

#endif
