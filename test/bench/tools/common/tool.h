/* What every load tool needs: errors that end it, a clock, options, loopback sockets, SOCKS. */
#ifndef TOOL_H
#define TOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Prints to standard error and exits 1: a load tool cannot go on after a failure. */
void tool_die(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

void *tool_alloc(size_t count, size_t size); /* zeroed; never NULL */

uint64_t tool_now(void); /* nanoseconds, monotonic */
void tool_sleep(double seconds);
void tool_sleep_until(uint64_t when);

/* Raises the limit of open files, ignores SIGPIPE, dies with the parent. */
void tool_start(void);

/* ---- options: --name VALUE, all of them optional ---- */

enum tool_kind { TOOL_NUMBER, TOOL_REAL, TOOL_TEXT, TOOL_FLAG };
struct tool_option {
    const char *name; /* "--seconds"; NULL ends the table */
    enum tool_kind kind;
    void *value; /* unsigned, double, const char * or bool, holding the default */
};

/* Returns the index of the first argument that is no option (after "--" or at the end). */
int tool_options(int argc, char **argv, const struct tool_option *table);

/* ---- sockets on loopback, blocking unless said otherwise ---- */

int tool_listen(uint16_t *port); /* port: in, 0 = the kernel's choice; out */
int tool_connect(uint16_t port); /* with TCP_NODELAY */
void tool_nonblocking(int fd);
void tool_read_all(int fd, void *data, size_t len, const char *what);
void tool_write_all(int fd, const void *data, size_t len, const char *what);

/* A connection to the target on loopback: through the SOCKS5 proxy at `socks`, or straight
 * to it when socks is 0. */
int tool_reach(uint16_t socks, uint16_t target);

enum { TOOL_SOCKS_GREETING = 3, TOOL_SOCKS_REQUEST = 10, TOOL_SOCKS_REPLY = 10 };
extern const uint8_t tool_socks_greeting[TOOL_SOCKS_GREETING];
void tool_socks_request(uint8_t request[TOOL_SOCKS_REQUEST], uint16_t target);

/* ---- samples ---- */

void tool_sort(double *samples, size_t count);
double tool_quantile(const double *sorted, size_t count, double q);

#endif
