/* A terminal whose echo is off while a secret is typed, and on again whatever happens. */
#ifndef ALKNET_QUIET_TERMINAL_H
#define ALKNET_QUIET_TERMINAL_H

#include <signal.h>
#include <stdbool.h>
#include <termios.h>

enum { QUIET_SIGNALS = 4 };

struct quiet_terminal {
    int tty;
    bool changed;
    sigset_t mask;
    struct termios before;
    struct sigaction actions[QUIET_SIGNALS];
};

/* Turns these local modes off (ECHO ...). A signal that would end the program only ends
 * quiet_terminal_wait, until quiet_terminal_end. One at a time. False when tty is no terminal; then
 * the other two do nothing. */
bool quiet_terminal_begin(struct quiet_terminal *quiet, int tty, tcflag_t off);

/* Before each read: waits for something to read. False when a signal came instead. */
bool quiet_terminal_wait(const struct quiet_terminal *quiet);

/* Gives the terminal back as it was, and has a signal that came meanwhile take its effect. */
void quiet_terminal_end(struct quiet_terminal *quiet);

#endif
