#include "passphrase.h"

#include "quiet_terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Reads one line from the terminal with echo off. */
static int read_line(int tty, char *buffer, size_t size)
{
    size_t len = 0;
    char c;

    while (read(tty, &c, 1) == 1 && c != '\n') {
        if (len + 1 < size)
            buffer[len++] = c;
    }
    buffer[len] = '\0';
    return 0;
}

static int prompt(const char *question, const char *path, char *buffer, size_t size)
{
    struct quiet_terminal quiet;
    int tty = open("/dev/tty", O_RDWR | O_CLOEXEC);

    if (tty < 0)
        return -1;
    (void)quiet_terminal_begin(&quiet, tty, ECHO);
    /* asked only now: the flush drops what was typed before */
    dprintf(tty, "%s %s: ", question, path);
    read_line(tty, buffer, size);
    dprintf(tty, "\n");
    quiet_terminal_end(&quiet);
    close(tty);
    return 0;
}

int passphrase_ask(char *buffer, size_t size, const char *path, unsigned attempt, void *user)
{
    const char *given = getenv("ALKNET_IDENTITY_PASSPHRASE");

    (void)user;
    if (given == NULL)
        return prompt("Passphrase for", path, buffer, size);
    if (attempt > 1 || strlen(given) >= size) /* the same would be wrong again */
        return -1;
    memcpy(buffer, given, strlen(given) + 1);
    return 0;
}

int passphrase_new(char *buffer, size_t size, const char *path)
{
    char again[1024];

    if (prompt("New passphrase (empty for none) for", path, buffer, size) != 0)
        return -1;
    if (prompt("The same again for", path, again, sizeof(again)) != 0)
        return -1;
    int differs = strncmp(buffer, again, sizeof(again)) != 0;
    explicit_bzero(again, sizeof(again));
    return differs ? PASSPHRASE_DIFFERS : 0;
}
