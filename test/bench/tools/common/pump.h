/*
 * A thread that serves many sockets in one of three ways: it sends a known pattern as fast
 * as the socket takes it, it swallows and counts what comes, or it sends back what comes.
 * Both ends of a bulk transfer are pumps: the target (which listens) and the load tool's side.
 */
#ifndef PUMP_H
#define PUMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum pump_role { PUMP_SOURCE, PUMP_SINK, PUMP_ECHO };

struct pump;

/* verify: a sink compares every byte with the pattern that a source sends. Never freed. */
struct pump *pump_new(enum pump_role role, bool verify);

/* Accepts connections on a port of the kernel's choice. */
uint16_t pump_listen(struct pump *pump);

void pump_add(struct pump *pump, int fd);

/* Bytes moved so far by each connection that is open, in order of their slots. */
size_t pump_snapshot(struct pump *pump, uint64_t *bytes, size_t max);

uint64_t pump_faults(struct pump *pump); /* blocks that differed from the pattern */

#endif
