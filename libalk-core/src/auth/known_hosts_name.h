/* The spelling of a server in known_hosts files. */
#ifndef ALK_KNOWN_HOSTS_NAME_H
#define ALK_KNOWN_HOSTS_NAME_H

#include <stdbool.h>

enum { ALK_KNOWN_HOSTS_NAME_SIZE = 1024 + 16 };

/* "host", or "[host]:port" for another port than 22, in lower case. False when the host is empty
 * or longer than 1024 bytes. */
bool alk_known_hosts_name(const char *host, unsigned port, char name[ALK_KNOWN_HOSTS_NAME_SIZE]);

#endif
