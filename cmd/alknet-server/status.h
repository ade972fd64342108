/* What the server is doing, as a JSON document. */
#ifndef ALKNET_SERVER_STATUS_H
#define ALKNET_SERVER_STATUS_H

#include <stddef.h>

/* Fits alk_status_text_fn; user is the struct alk_server. Names identities, addresses that knock and
 * listeners of the server itself; nothing of where a tunnel leads. */
char *status_text(void *user, size_t *len);

#endif
