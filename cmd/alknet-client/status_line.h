/* What --status shows: on a terminal one line that is kept up to date, below whatever else is
 * written; elsewhere a line for each change of the state. */
#ifndef ALKNET_CLIENT_STATUS_LINE_H
#define ALKNET_CLIENT_STATUS_LINE_H

#include <alk/client.h>

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* A zeroed one shows nothing. */
struct status_line {
    const struct alk_client *client; /* NULL: not wanted */
    atomic_int state;                /* enum alk_client_state, or -1 at first */
    int terminal;                    /* the descriptor, or -1 */
    int from, to;                    /* a pipe that stands in for standard error meanwhile */
    bool over;
    bool open_line; /* what came last through it was not the end of a line */
    struct alk_client_figures before;
    uint64_t drawn_ms; /* when, with these figures; 0: never */
    char text[128];
};

/* Before the client starts. On a terminal standard error is a pipe from here on, so that what comes
 * from the client's thread and the line do not run into each other. */
void status_line_begin(struct status_line *line, const struct alk_client *client);
void status_line_end(struct status_line *line); /* takes the line away, and passes on the rest */

/* What poll is to wait for, besides: a descriptor or -1, milliseconds or -1. */
int status_line_fd(const struct status_line *line);
int status_line_timeout(const struct status_line *line);
/* After poll: passes on what has been written, and draws the line when it is time. */
void status_line_turn(struct status_line *line);

/* From the client's thread. */
void status_line_state(struct status_line *line, enum alk_client_state state, const char *sentence);

#endif
