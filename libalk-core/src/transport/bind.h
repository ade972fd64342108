/*
 * Bound, listening sockets, and the file that a Unix socket leaves behind.
 */
#ifndef ALK_TRANSPORT_BIND_H
#define ALK_TRANSPORT_BIND_H

#include <sys/types.h>

#include "transport/address.h"

struct alk_error;

/* The file of a Unix socket, known by inode so that only our own is removed. */
struct alk_socket_file {
    char path[ALK_PATH_MAX + 1]; /* "" when there is none */
    dev_t device;
    ino_t inode;
};

/* Whether several sockets of ours share a TCP address. Alone and first are refused
 * a port that anyone serves; further ones join the first. */
enum alk_bind_share { ALK_BIND_ALONE, ALK_BIND_FIRST, ALK_BIND_FURTHER };

/* Opens, binds and listens; -1 in *fd on failure. *address is updated with what the
 * kernel bound. */
int alk_bind(int *fd, struct alk_address *address, enum alk_bind_share share,
             struct alk_socket_file *file, struct alk_error *error);

/* Removes the file if it is still the socket that alk_bind made. */
void alk_socket_file_remove(struct alk_socket_file *file);

/* Whether a Unix socket could be at this path, as far as what is there tells: nothing, or a socket.
 * ALK_E_EXISTS for anything else. */
int alk_bind_check_path(const char *path, struct alk_error *error);

#endif
