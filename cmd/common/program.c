#include "program.h"

#include <errno.h>
#include <malloc.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

enum { BIG_BLOCK = 128 * 1024 }; /* goes back to the system when it is freed */

__attribute__((format(printf, 1, 0))) static void say(const char *format, va_list args)
{
    fprintf(stderr, "%s: ", program_invocation_short_name);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
}

int program_fail(int code, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say(format, args);
    va_end(args);
    return code;
}

bool program_take_url(char *argument, char *url, size_t size)
{
    size_t len = strlen(argument);
    char *at = strrchr(argument, '@'), *slashes = strstr(argument, "://");
    char *from = slashes != NULL ? slashes + 3 : argument;

    if (len < size)
        memcpy(url, argument, len + 1);
    if (at != NULL && at > from)
        memset(from, '*', (size_t)(at - from));
    return len < size;
}

const char *program_shown(const char *text)
{
    const char *at = strrchr(text, '@'), *colon = strchr(text, ':');

    return at != NULL && colon != NULL && colon < at ? "(not shown: it may hold a password)" : text;
}

bool program_is_empty(int code, const char *value, const struct option *options)
{
    if (value == NULL || *value != '\0' || code == '?')
        return false;
    for (; options->name != NULL; options++) {
        if (options->val == code && options->has_arg == required_argument) {
            program_usage("--%s is empty: give it a value, or leave it out", options->name);
            return true;
        }
    }
    return false;
}

const char *program_size(char out[PROGRAM_SIZE_TEXT], uint64_t bytes)
{
    static const char *const units[] = {"B", "KB", "MB", "GB", "TB", "PB", "EB"};
    double amount = (double)bytes;
    size_t unit = 0;

    while (amount >= 999.5 && unit + 1 < sizeof(units) / sizeof(units[0])) {
        amount /= 1024;
        unit++;
    }
    snprintf(out, PROGRAM_SIZE_TEXT, amount < 9.95 && unit > 0 ? "%.1f %s" : "%.0f %s", amount,
             units[unit]);
    return out;
}

int program_usage(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say(format, args);
    va_end(args);
    fprintf(stderr, "Try '%s --help'.\n", program_invocation_short_name);
    return EXIT_USAGE;
}

bool program_transport(const char *text, enum alk_transport *out)
{
    bool tls = strcmp(text, "tls") == 0;

    if (!tls && strcmp(text, "tcp") != 0) {
        program_usage("--transport wants tcp or tls, not '%s'", text);
        return false;
    }
    *out = tls ? ALK_TRANSPORT_TLS : ALK_TRANSPORT_TCP;
    return true;
}

bool program_number(const char *option, const char *text, unsigned low, unsigned high,
                    unsigned *out)
{
    char *end;

    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    /* strtoul takes blanks and signs before the digits */
    if (errno != 0 || text[0] < '0' || text[0] > '9' || *end != '\0' || value < low ||
        value > high) {
        program_usage("%s wants a whole number from %u to %u, not '%s'", option, low, high, text);
        return false;
    }
    *out = (unsigned)value;
    return true;
}

/* Stands in for standard descriptors that the caller closed, or the next files opened would be
 * taken for them. Input is at its end; output fails, so that nobody takes for written what is
 * lost; messages go nowhere. */
static void open_missing(void)
{
    static const int modes[] = {O_RDONLY, O_RDONLY, O_WRONLY};

    for (int fd = 0; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", modes[fd]) < 0)
            return;
    }
}

int program_finish(int code)
{
    if (code != EXIT_SUCCESS || (fflush(stdout) == 0 && !ferror(stdout)))
        return code;
    return program_fail(EXIT_RUN, "cannot write standard output: %s", strerror(errno));
}

void program_begin(void)
{
    struct rlimit files, none = {0, 0};

    open_missing();
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0);
    /* glibc would learn from the first freed buffers to keep all later ones for itself */
    mallopt(M_MMAP_THRESHOLD, BIG_BLOCK);
    mallopt(M_TRIM_THRESHOLD, BIG_BLOCK);
}
