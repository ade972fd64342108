/* Why the other side did not open a channel, as a status. */
#ifndef ALK_TUNNEL_OPEN_FAILURE_H
#define ALK_TUNNEL_OPEN_FAILURE_H

#include <stdint.h>

/* From reason and text of an ALK_SSH_CHANNEL_FAILED event; enum alk_status. */
int alk_open_failure_status(uint32_t reason, const char *text);

#endif
