/* Which identity of a file is better had from the ssh-agent. */
#ifndef ALKNET_CLIENT_AGENT_IDENTITY_H
#define ALKNET_CLIENT_AGENT_IDENTITY_H

#include <alk/key.h>

#include <stdbool.h>

/* As ssh: a public key (path, or path.pub where there is no path) stands for the private one in the
 * agent; a private key that would need a passphrase is had from the agent if that holds it. Then
 * in_agent, and blob is the key. Otherwise the file is to be read. agent: its socket, or NULL. */
int agent_identity_find(bool *in_agent, uint8_t blob[ALK_KEY_BLOB_SIZE], const char *path,
                        const char *agent, struct alk_error *error);

#endif
