#include <alk/log.h>
#include <alk/status.h>

#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *const level_names[] = {"error", "warn", "info", "debug"};

/* One line is built on the stack; what does not fit is cut, never overrun. */
struct line {
    char text[2048];
    size_t len;
};

static void put(struct line *line, char c)
{
    if (line->len < sizeof(line->text) - 1) /* the newline always fits */
        line->text[line->len++] = c;
}

static void put_text(struct line *line, const char *text)
{
    while (*text != '\0')
        put(line, *text++);
}

static bool needs_quotes(const char *value)
{
    if (*value == '\0')
        return true;
    for (; *value != '\0'; value++) {
        unsigned char c = (unsigned char)*value;
        if (c <= ' ' || c == '"' || c == '=' || c == '\\' || c >= 0x7f)
            return true;
    }
    return false;
}

static void put_value(struct line *line, const char *value)
{
    static const char hex[] = "0123456789abcdef";

    if (!needs_quotes(value)) {
        put_text(line, value);
        return;
    }
    put(line, '"');
    for (; *value != '\0'; value++) {
        unsigned char c = (unsigned char)*value;
        if (c == '"' || c == '\\') {
            put(line, '\\');
            put(line, (char)c);
        } else if (c < ' ' || c >= 0x7f) { /* bytes above too: C1 controls, marks that turn text */
            put_text(line, "\\x");
            put(line, hex[c >> 4]);
            put(line, hex[c & 15]);
        } else {
            put(line, (char)c);
        }
    }
    put(line, '"');
}

static void put_pair(struct line *line, const char *key, const char *value)
{
    if (line->len > 0)
        put(line, ' ');
    put_text(line, key);
    put(line, '=');
    put_value(line, value);
}

/* A log that cannot be written must not stop the traffic: what nobody reads is dropped, and the
 * next line that gets out says how much. The lock is for pipes, where two threads could both
 * find the room that there is for one. */
static void write_line(int fd, struct line *line)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static unsigned dropped;
    struct pollfd room = {.fd = fd, .events = POLLOUT};
    char number[16];

    pthread_mutex_lock(&lock);
    if (poll(&room, 1, 0) == 1 && (room.revents & POLLOUT) != 0) {
        snprintf(number, sizeof(number), "%u", dropped);
        if (dropped > 0)
            put_pair(line, "lines_dropped_before", number);
        line->text[line->len++] = '\n';
        ssize_t ignored = write(fd, line->text, line->len);
        (void)ignored;
        dropped = 0;
    } else {
        dropped++;
    }
    pthread_mutex_unlock(&lock);
}

void alk_log(const struct alk_log *log, enum alk_log_level level, const char *message, ...)
{
    struct line line = {.len = 0};
    va_list args;

    if (log == NULL || level > log->level)
        return;
    put_pair(&line, "level", level_names[level]);
    put_pair(&line, "msg", message);
    va_start(args, message);
    for (const char *key = va_arg(args, const char *); key != NULL;
         key = va_arg(args, const char *)) {
        const char *value = va_arg(args, const char *);
        if (value != NULL)
            put_pair(&line, key, value);
    }
    va_end(args);
    write_line(log->fd, &line);
}

int alk_log_level_parse(const char *text, enum alk_log_level *level)
{
    for (int i = 0; i <= ALK_LOG_DEBUG; i++) {
        if (strcmp(text, level_names[i]) == 0) {
            *level = (enum alk_log_level)i;
            return ALK_OK;
        }
    }
    return ALK_E_INVAL;
}
