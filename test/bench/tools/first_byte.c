/*
 * How long a client takes from its start to the first byte through its SOCKS5 port:
 *
 *     first_byte --socks PORT -- COMMAND...
 *
 * Starts the command, tries the port until it is served, asks for a target that sends, and
 * stops the clock at the first byte. Prints one JSON object and ends the command.
 */
#include "pump.h"
#include "tool.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static const double retry_after = 0.0005, give_up_after = 20;

static bool exchange(int fd, const void *out, size_t out_len, void *in, size_t in_len)
{
    return send(fd, out, out_len, MSG_NOSIGNAL) == (ssize_t)out_len &&
           recv(fd, in, in_len, MSG_WAITALL) == (ssize_t)in_len;
}

/* One attempt; a refusal only means that the client is not ready. */
static bool attempt(uint16_t socks, uint16_t target)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(socks)};
    struct sockaddr_in other = {.sin_family = AF_INET};
    uint8_t request[TOOL_SOCKS_REQUEST], reply[TOOL_SOCKS_REPLY], byte;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    /* from 127.0.0.2: as long as nobody listens, a connection from the port to itself would
     * succeed now and then, and hold the port */
    other.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1);
    tool_socks_request(request, target);
    bool ok = bind(fd, (struct sockaddr *)&other, sizeof(other)) == 0 &&
              connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
              exchange(fd, tool_socks_greeting, TOOL_SOCKS_GREETING, reply, 2) &&
              exchange(fd, request, sizeof(request), reply, sizeof(reply)) && reply[1] == 0 &&
              recv(fd, &byte, 1, 0) == 1;
    close(fd);
    return ok;
}

static pid_t launch(char **command)
{
    pid_t pid = fork();

    if (pid == 0) {
        int null = open("/dev/null", O_RDWR);
        dup2(null, STDIN_FILENO);
        dup2(null, STDOUT_FILENO);
        execvp(command[0], command);
        _exit(127);
    }
    return pid;
}

int main(int argc, char **argv)
{
    unsigned socks = 0;
    const struct tool_option options[] = {{"--socks", TOOL_NUMBER, &socks},
                                          {NULL, TOOL_FLAG, NULL}};

    tool_start();
    int command = tool_options(argc, argv, options);
    if (command >= argc)
        tool_die("no command");
    uint16_t target = pump_listen(pump_new(PUMP_SOURCE, false));
    uint64_t start = tool_now();
    pid_t pid = launch(argv + command);
    while (!attempt((uint16_t)socks, target)) {
        if (waitpid(pid, NULL, WNOHANG) != 0)
            tool_die("%s ended", argv[command]);
        if ((double)(tool_now() - start) > give_up_after * 1e9) {
            kill(pid, SIGKILL);
            tool_die("%s served nothing", argv[command]);
        }
        tool_sleep(retry_after);
    }
    printf("{\"milliseconds\": %.3f}\n", (double)(tool_now() - start) / 1e6);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    return 0;
}
