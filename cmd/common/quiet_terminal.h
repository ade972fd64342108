/* A terminal whose echo is off while a secret is typed, and on again whatever happens. */
#ifndef ALKNET_QUIET_TERMINAL_H
#define ALKNET_QUIET_TERMINAL_H

#include <signal.h>
#include <stdbool.h>
#include <termios.h>

enum { QUIET_SIGNALS = 3 };

struct quiet_terminal {
    int tty;
    bool changed;
    struct termios before;
    struct sigaction actions[QUIET_SIGNALS];
};

/* Turns these local modes off (ECHO ...). A signal that would end the program only ends a read of
 * the terminal, with EINTR, until quiet_terminal_end. One at a time. False when tty is no
 * terminal; then nothing is to be ended. */
bool quiet_terminal_begin(struct quiet_terminal *quiet, int tty, tcflag_t off);

/* Gives the terminal back as it was, and has a signal that came meanwhile take its effect. */
void quiet_terminal_end(struct quiet_terminal *quiet);

#endif
