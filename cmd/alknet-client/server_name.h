/* [user@]host[:port], as it is given for servers and jump hosts. */
#ifndef ALKNET_CLIENT_SERVER_NAME_H
#define ALKNET_CLIENT_SERVER_NAME_H

#include <stdbool.h>
#include <stddef.h>

struct alk_server_name;

/* As alk_server_name_parse; no user: the one who runs the program. -1 to go on, else the exit code;
 * what was wrong has been printed. */
int server_name_parse(const char *text, size_t len, unsigned default_port,
                      struct alk_server_name *out);

/* Bytes without a space or a control character. */
bool server_name_is_word(const char *text, size_t len);

#endif
