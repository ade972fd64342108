/* Standard input and output as a socket, for --stdio. */
#ifndef ALKNET_CLIENT_STDIO_SOCKET_H
#define ALKNET_CLIENT_STDIO_SOCKET_H

/* Starts two threads that copy standard input to a new socket pair and back to standard
 * output; returns the end to hand to the client, or -1. *done_fd becomes readable when
 * everything that came has been written to standard output. Files, pipes and terminals all
 * work, since the threads may block. */
int stdio_socket(int *done_fd);

#endif
