/* alknet-ctl status: what a running server is doing, as its status socket tells. */
#include "ctl.h"
#include "program.h"

#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define USUAL_SOCKET "/run/alknet/status"

enum {
    TEXT_MAX = 16 * 1024 * 1024,
    WAIT_MS = 10000, /* for all of it */
};

static const char help[] =
    "Usage: alknet-ctl status [--socket PATH] [--json]\n"
    "Tell what a running alknet-server is doing: sessions, connections, addresses that are shut\n"
    "out, reloads. Where tunnels lead is not told, and the server does not tell it here either.\n"
    "\n"
    "      --socket PATH           the server's --status-socket (default " USUAL_SOCKET ")\n"
    "      --json                  print the JSON document as the server gives it\n"
    "      --help                  print this text\n"
    "\n"
    "Exit status: 0 done, 1 no server answers there, 2 wrong usage.\n"
    "\n"
    "Examples:\n"
    "  alknet-ctl status\n"
    "  alknet-ctl status --socket /run/alknet/status --json | jq .sessions\n";

struct request {
    const char *socket;
    bool json;
};

enum option_code { OPT_SOCKET = 256, OPT_JSON, OPT_HELP };

static const struct option long_options[] = {
    {"socket", required_argument, NULL, OPT_SOCKET},
    {"json", no_argument, NULL, OPT_JSON},
    {"help", no_argument, NULL, OPT_HELP},
    {NULL, 0, NULL, 0},
};

/* Returns -1 to go on, else the exit code. */
static int parse(int argc, char **argv, struct request *r)
{
    int code;

    while ((code = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        switch (code) {
        case OPT_SOCKET:
            r->socket = optarg;
            break;
        case OPT_JSON:
            r->json = true;
            break;
        case OPT_HELP:
            fputs(help, stdout);
            return EXIT_SUCCESS;
        default:
            fprintf(stderr, "Try 'alknet-ctl status --help'.\n"); /* getopt has named the fault */
            return EXIT_USAGE;
        }
    }
    if (optind < argc)
        return program_usage("status: unexpected argument '%s'", argv[optind]);
    if (strlen(r->socket) >= sizeof(((struct sockaddr_un *)0)->sun_path))
        return program_usage("status: the path of a socket is not as long as that");
    return -1;
}

/* ---- asking ---- */

static int dial(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    strcpy(address.sun_path, path);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Up to the end; the number of bytes, or -1. */
static ssize_t read_all(int fd, char *text)
{
    uint64_t end = now_ms() + WAIT_MS;
    size_t len = 0;

    for (uint64_t now = now_ms(); now < end && len < TEXT_MAX; now = now_ms()) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        if (poll(&ready, 1, (int)(end - now)) <= 0)
            continue;
        ssize_t n = read(fd, text + len, TEXT_MAX - len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n == 0 ? (ssize_t)len : -1;
        len += (size_t)n;
    }
    return -1;
}

static int fetch(json_t **document, const char *path)
{
    json_error_t error;
    int fd = dial(path);
    char *text = fd >= 0 ? malloc(TEXT_MAX) : NULL;

    if (fd < 0)
        return program_fail(EXIT_RUN,
                            "no server answers on %s: %s; start it with --status-socket, and ask "
                            "as its user",
                            path, strerror(errno));
    ssize_t len = text != NULL ? read_all(fd, text) : -1;
    close(fd);
    *document = len > 0 ? json_loadb(text, (size_t)len, 0, &error) : NULL;
    free(text);
    if (!json_is_integer(json_object_get(*document, "pid"))) {
        json_decref(*document);
        return program_fail(EXIT_RUN,
                            len == 0 ? "the server on %s has too many to answer; ask again"
                                     : "what answers on %s is not alknet-server",
                            path);
    }
    return -1;
}

/* ---- telling ---- */

static long long number(const json_t *object, const char *name)
{
    return (long long)json_integer_value(json_object_get(object, name));
}

/* In UTF-8, of both kinds: terminals heed U+0080 to U+009F, too. */
static bool is_control(const char *c)
{
    return (unsigned char)*c < ' ' || *c == 0x7f ||
           ((unsigned char)c[0] == 0xc2 && (unsigned char)c[1] < 0xa0);
}

/* Text of the server's, of which a terminal gets no control characters. */
static const char *text(const json_t *object, const char *name)
{
    const char *value = json_string_value(json_object_get(object, name));

    for (const char *c = value; c != NULL && *c != '\0'; c++) {
        if (is_control(c))
            return "?";
    }
    return value != NULL ? value : "?";
}

static const char *duration(long long seconds, char out[32])
{
    if (seconds >= 86400)
        snprintf(out, 32, "%lldd %lldh", seconds / 86400, seconds % 86400 / 3600);
    else if (seconds >= 3600)
        snprintf(out, 32, "%lldh %lldm", seconds / 3600, seconds % 3600 / 60);
    else if (seconds >= 60)
        snprintf(out, 32, "%lldm %llds", seconds / 60, seconds % 60);
    else
        snprintf(out, 32, "%llds", seconds);
    return out;
}

static void print_head(const json_t *d)
{
    char up[32], memory[PROGRAM_SIZE_TEXT];
    const json_t *listeners = json_object_get(d, "listeners");
    const json_t *workers = json_object_get(d, "workers"), *reloads = json_object_get(d, "reloads");

    printf("alknet-server %s, process %lld, up %s, memory of sessions %s\n", text(d, "version"),
           number(d, "pid"), duration(number(d, "uptime_s"), up),
           program_size(memory, (uint64_t)number(d, "memory")));
    for (size_t i = 0; i < json_array_size(listeners); i++) {
        const json_t *item = json_array_get(listeners, i);
        printf("listens on %s, %s%s\n", text(item, "address"), text(item, "transport"),
               json_is_true(json_object_get(item, "stealth")) ? ", stealth" : "");
    }
    printf("%lld connections, %lld not logged in; %lld sessions; by worker:",
           number(d, "connections"), number(d, "unauthenticated"), number(d, "sessions"));
    for (size_t i = 0; i < json_array_size(workers); i++)
        printf(" %lld", number(json_array_get(workers, i), "connections"));
    printf("\n%lld reloads, %lld failed", number(reloads, "done"), number(reloads, "failed"));
    if (json_object_get(reloads, "last") != NULL)
        printf("; the last at %s: %s", text(reloads, "last"), text(reloads, "last_result"));
    if (json_object_get(reloads, "reason") != NULL)
        printf("\n  %s", text(reloads, "reason"));
    putchar('\n');
}

static void print_rest(const json_t *d, const char *count, size_t shown)
{
    long long more = number(d, count) - (long long)shown;

    if (more > 0)
        printf("... and %lld more\n", more);
}

static void print_identities(const json_t *d)
{
    const json_t *list = json_object_get(d, "identities");

    if (json_array_size(list) > 0)
        printf("\n%-50s %8s %8s %10s %10s\n", "IDENTITY", "SESSIONS", "CHANNELS", "UP", "DOWN");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        char up[PROGRAM_SIZE_TEXT], down[PROGRAM_SIZE_TEXT];
        printf("%-50s %8lld %8lld %10s %10s\n", text(item, "id"), number(item, "sessions"),
               number(item, "channels"), program_size(up, (uint64_t)number(item, "bytes_up")),
               program_size(down, (uint64_t)number(item, "bytes_down")));
    }
    print_rest(d, "identity_count", json_array_size(list));
}

static void print_penalties(const json_t *d)
{
    const json_t *list = json_object_get(d, "penalties");

    if (json_array_size(list) > 0)
        printf("\n%-50s %8s %s\n", "ADDRESS", "FAILURES", "SHUT OUT FOR");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        char left[32] = "-";
        if (number(item, "left_s") > 0)
            duration(number(item, "left_s"), left);
        printf("%-50s %8lld %s\n", text(item, "address"), number(item, "failures"), left);
    }
    print_rest(d, "penalty_count", json_array_size(list));
}

int ctl_status(int argc, char **argv)
{
    struct request request = {.socket = USUAL_SOCKET};
    json_t *document = NULL;
    int code = parse(argc, argv, &request);

    if (code >= 0 || (code = fetch(&document, request.socket)) >= 0)
        return code;
    if (request.json) {
        json_dumpf(document, stdout, JSON_INDENT(2));
        putchar('\n');
    } else {
        print_head(document);
        print_identities(document);
        print_penalties(document);
    }
    json_decref(document);
    return EXIT_SUCCESS;
}
