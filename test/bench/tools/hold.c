/*
 * Opens --count connections through a SOCKS5 proxy to an echo target of its own, exchanges one
 * byte on each, says so in one line of JSON, and keeps them until standard input ends.
 */
#include "pump.h"
#include "tool.h"

#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    unsigned socks = 0, count = 1;
    const struct tool_option options[] = {{"--socks", TOOL_NUMBER, &socks},
                                          {"--count", TOOL_NUMBER, &count},
                                          {NULL, TOOL_FLAG, NULL}};
    char byte = 'x';

    tool_start();
    tool_options(argc, argv, options);
    uint16_t target = pump_listen(pump_new(PUMP_ECHO, false));
    for (unsigned i = 0; i < count; i++) {
        int fd = tool_reach((uint16_t)socks, target);
        tool_write_all(fd, &byte, 1, "echo");
        tool_read_all(fd, &byte, 1, "echo");
    }
    printf("{\"held\": %u}\n", count);
    fflush(stdout);
    while (read(STDIN_FILENO, &byte, 1) > 0)
        ;
    return 0;
}
