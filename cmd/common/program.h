/* What the programs share: messages, number options, limits of the process. */
#ifndef ALKNET_PROGRAM_H
#define ALKNET_PROGRAM_H

#include <alk/stream.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { EXIT_RUN = 1, EXIT_USAGE = 2 }; /* run-time failure, wrong usage */

/* Prints "NAME: sentence" on standard error and returns the exit code, so that
 * `return program_fail(EXIT_USAGE, "...")` reads well. */
int program_fail(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same, then points to --help. Returns EXIT_USAGE. */
int program_usage(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The value of --transport; on failure prints a usage error. */
bool program_transport(const char *text, enum alk_transport *out);

/* A whole number from low to high; on failure prints a usage error naming the option. */
bool program_number(const char *option, const char *text, unsigned low, unsigned high,
                    unsigned *out);

/* Whether getopt_long has found an option with an empty value, which is told as a usage error; code
 * is what it returned, value its optarg. */
struct option;
bool program_is_empty(int code, const char *value, const struct option *options);

/* The text, for a message; a sentence in brackets instead when it may hold a password, as
 * "socks5://user:password@host" does. */
const char *program_shown(const char *text);

/* "512 B", "3.4 KB", "1.2 GB"; in steps of 1024. Returns out. */
enum { PROGRAM_SIZE_TEXT = 16 };
const char *program_size(char out[PROGRAM_SIZE_TEXT], uint64_t bytes);

/* Takes a URL that may hold "user:password@" from the command line, where others see it, and puts
 * stars over that part. False when it does not fit. */
bool program_take_url(char *argument, char *url, size_t size);

/* Before anything is opened: standard streams that are closed become /dev/null, lest a file or
 * a connection take their number and receive what is meant for people; writing to standard
 * output then fails. As many open files as the system lets this process have, and no core dumps:
 * memory holds keys. */
void program_begin(void);

/* At the end of main(): the code to exit with, after what stdio still holds for standard output
 * is written. When it cannot be written, success becomes EXIT_RUN, with a message. */
int program_finish(int code);

#endif
