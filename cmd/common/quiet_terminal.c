#include "quiet_terminal.h"

#include <stddef.h>

static const int numbers[QUIET_SIGNALS] = {SIGTERM, SIGINT, SIGHUP};
static volatile sig_atomic_t caught;

static void catch (int number)
{
    caught = number;
}

bool quiet_terminal_begin(struct quiet_terminal *quiet, int tty, tcflag_t off)
{
    struct sigaction catching = {.sa_handler = catch}; /* without SA_RESTART: reads end */
    struct termios silent;

    *quiet = (struct quiet_terminal){.tty = tty};
    if (tcgetattr(tty, &quiet->before) != 0)
        return false;
    caught = 0;
    for (int i = 0; i < QUIET_SIGNALS; i++) {
        sigaction(numbers[i], NULL, &quiet->actions[i]);
        if (quiet->actions[i].sa_handler != SIG_IGN)
            sigaction(numbers[i], &catching, NULL);
    }
    silent = quiet->before;
    silent.c_lflag &= ~off;
    tcsetattr(tty, TCSAFLUSH, &silent);
    quiet->changed = true;
    return true;
}

void quiet_terminal_end(struct quiet_terminal *quiet)
{
    if (!quiet->changed)
        return;
    tcsetattr(quiet->tty, TCSAFLUSH, &quiet->before);
    for (int i = 0; i < QUIET_SIGNALS; i++)
        sigaction(numbers[i], &quiet->actions[i], NULL);
    if (caught != 0)
        raise(caught);
}
