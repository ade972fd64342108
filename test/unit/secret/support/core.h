/* Core dumps of a process that a test makes up. */
#ifndef TEST_CORE_H
#define TEST_CORE_H

#include <stdbool.h>

/* Forks a process that runs live(arg), and writes its core dump over the file `path`. */
typedef void core_maker(const char *path, void (*live)(void *), void *arg);

/* As gcore does it: the process stops, and its registers and every mapping that is not marked
 * "leave out of core dumps" are read through ptrace and /proc. Always possible. */
void core_by_hand(const char *path, void (*live)(void *), void *arg);

/* By the kernel, which needs core_files_are_plain(). */
void core_by_kernel(const char *path, void (*live)(void *), void *arg);

/* Whether core_pattern makes files in the working directory, and not input of a program, and
 * no limit forbids them. */
bool core_files_are_plain(void);

#endif
