/*
 * Helpers of tests that use real sockets on loopback.
 */
#ifndef TEST_NET_H
#define TEST_NET_H

#include <stdbool.h>

struct alk_address;
struct alk_loop;

/* Runs the loop until *flag; fails the test after ten seconds. */
void net_run_until(struct alk_loop *loop, const bool *flag);

/* One pass over what is ready now, without waiting. */
void net_run_ready(struct alk_loop *loop);

/* How many descriptors this process has open. */
int net_open_fds(void);

/* A blocking client socket connected to address; fails the test otherwise. */
int net_connect(const struct alk_address *address);

/* A listening TCP socket on 127.0.0.1 (or ::1), its address in *address. */
int net_listen(bool v6, struct alk_address *address);

/* An address of loopback where nobody listens: its port is bound, to fd, so that no other
 * program takes it, but not listened on. */
int net_refusing(bool v6, struct alk_address *address);

#endif
