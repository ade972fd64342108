/*
 * Small helpers on sockets that the dialer, the listener and the streams share.
 */
#ifndef ALK_TRANSPORT_SOCKET_H
#define ALK_TRANSPORT_SOCKET_H

struct alk_address;

/* The enum alk_status that says what errno says; never ALK_OK. */
int alk_status_from_errno(int number);

/* A few words for a person on why a socket call failed. Static text, never a
 * destination, so it may be shown and logged. */
const char *alk_socket_cause(int number);

/* A new non-blocking, close-on-exec stream socket for the family of address;
 * -1 and errno on failure. */
int alk_socket_open(const struct alk_address *address);

/* TCP_NODELAY, SO_KEEPALIVE, and what suits a connection from or to the address (the end that
 * is known, ours or theirs). Set on a listening socket, Linux hands it all down to the sockets
 * it accepts. */
void alk_socket_tune_tcp(int fd, const struct alk_address *end);

/* For an accepted socket whose listener could not know where its peers are. */
void alk_socket_tune_accepted(int fd, const struct alk_address *peer);

#endif
