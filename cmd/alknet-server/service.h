/* What a service manager and we tell each other, in systemd's documented protocols, without its
 * library: readiness (sd_notify(3)) and sockets that are open already (sd_listen_fds(3)). */
#ifndef ALKNET_SERVER_SERVICE_H
#define ALKNET_SERVER_SERVICE_H

/* Takes what the environment says, and removes it from there. Before any thread. */
void service_begin(void);

/* Sends lines such as "READY=1\nSTATUS=..." if somebody wants to hear them. */
void service_tell(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* "RELOADING=1" with the time that systemd wants beside it. */
void service_tell_reloading(void);

/* How many sockets were handed over, and the index-th one and its name ("" when it has none). */
unsigned service_socket_count(void);
int service_socket(unsigned index);
const char *service_socket_name(unsigned index);

#endif
