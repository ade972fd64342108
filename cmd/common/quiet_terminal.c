#include "quiet_terminal.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>

static const int numbers[QUIET_SIGNALS] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT};
static volatile sig_atomic_t caught;

static void catch (int number)
{
    caught = number;
}

bool quiet_terminal_begin(struct quiet_terminal *quiet, int tty, tcflag_t off)
{
    struct sigaction catching = {.sa_handler = catch};
    sigset_t blocked;
    struct termios silent;

    *quiet = (struct quiet_terminal){.tty = tty};
    if (tcgetattr(tty, &quiet->before) != 0)
        return false;
    caught = 0;
    sigemptyset(&blocked);
    for (int i = 0; i < QUIET_SIGNALS; i++) {
        sigaction(numbers[i], NULL, &quiet->actions[i]);
        if (quiet->actions[i].sa_handler != SIG_IGN)
            sigaction(numbers[i], &catching, NULL);
        sigaddset(&blocked, numbers[i]);
    }
    /* they come while we wait only: none is missed between a look and a read */
    pthread_sigmask(SIG_BLOCK, &blocked, &quiet->mask);
    silent = quiet->before;
    silent.c_lflag &= ~off;
    tcsetattr(tty, TCSAFLUSH, &silent);
    quiet->changed = true;
    return true;
}

bool quiet_terminal_wait(const struct quiet_terminal *quiet)
{
    struct pollfd tty = {.fd = quiet->tty, .events = POLLIN};

    while (quiet->changed && caught == 0 && ppoll(&tty, 1, NULL, &quiet->mask) < 0 &&
           errno == EINTR)
        ;
    return !quiet->changed || caught == 0;
}

void quiet_terminal_end(struct quiet_terminal *quiet)
{
    if (!quiet->changed)
        return;
    tcsetattr(quiet->tty, TCSAFLUSH, &quiet->before);
    for (int i = 0; i < QUIET_SIGNALS; i++)
        sigaction(numbers[i], &quiet->actions[i], NULL);
    pthread_sigmask(SIG_SETMASK, &quiet->mask, NULL);
    if (caught != 0)
        raise(caught);
}
