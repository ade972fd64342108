/* Giving up what the program needs no more once it is bound: root, files, system calls. */
#ifndef ALKNET_SERVER_PRIVILEGE_H
#define ALKNET_SERVER_PRIVILEGE_H

#include <alk/log.h>
#include <alk/status.h>

#include <stddef.h>

/* Becomes the user, with its group and its further groups, for good. Before any thread.
 * ALK_E_NOTFOUND, ALK_E_DENIED; when the process is that user already, ALK_OK. */
int privilege_drop(const char *user, struct alk_error *error);

/* Whether there is such a user and this process could become it. */
int privilege_check(const char *user, struct alk_error *error);

/* Confines the process and the threads to come, as far as the kernel can: with Landlock, files
 * are read only below the folders of `files`, where names are looked up and where libraries are,
 * nothing is written, and of all files only sockets are made and removed; with seccomp, system
 * calls that a tunnel never needs fail. Logs what it could not do. `files` holds count paths
 * that a reload reads, NULL ones being passed over. */
void privilege_confine(const char *const *files, size_t count, const struct alk_log *log);

#endif
