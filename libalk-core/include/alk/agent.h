/*
 * What an ssh-agent holds (draft-ietf-sshm-ssh-agent), for programs that choose an identity before
 * they make a client. The client itself talks to the agent without blocking.
 */
#ifndef ALK_AGENT_PUBLIC_H
#define ALK_AGENT_PUBLIC_H

#include <alk/key.h>

/* Does the agent at this socket hold the private half of the key? Blocks, for some seconds at most
 * when the agent does not answer. ALK_OK; ALK_E_NOTFOUND: it does not; ALK_E_IO: nobody is there;
 * ALK_E_TIMEOUT; ALK_E_PROTO: it is no agent. Any thread. */
int alk_agent_holds(const char *socket_path, const uint8_t blob[ALK_KEY_BLOB_SIZE]);

#endif
