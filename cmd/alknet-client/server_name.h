/* [user@]host[:port], as it is given for servers and jump hosts. */
#ifndef ALKNET_CLIENT_SERVER_NAME_H
#define ALKNET_CLIENT_SERVER_NAME_H

#include <stdbool.h>
#include <stddef.h>

struct server_name {
    char user[256], host[256];
    unsigned port;
};

/* Takes the first len bytes of text apart, the host being in brackets when it is an IPv6 address
 * with a port. No user: the one who runs the program. -1 to go on, else the exit code; what was
 * wrong has been printed. */
int server_name_parse(const char *text, size_t len, unsigned default_port, struct server_name *out);

/* Bytes without a space or a control character. */
bool server_name_is_word(const char *text, size_t len);

#endif
