#include "base/log_record.h"

#include <alk/log.h>
#include <alk/status.h>

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static const char *const level_names[] = {"error", "warn", "info", "debug"};
static const char *const format_names[] = {"logfmt", "json", "journal"};

/* ---- the forms ---- */

static void build_lines(struct alk_log_text *out, enum alk_log_format format,
                        enum alk_log_level level, const char *message, va_list args)
{
    void (*pair)(struct alk_log_text *, const char *, const char *) =
        format == ALK_LOG_JSON ? alk_log_put_json : alk_log_put_logfmt;

    if (format != ALK_LOG_JOURNAL) /* whose records have a priority */
        pair(out, "level", level_names[level]);
    pair(out, "msg", message);
    for (const char *key = va_arg(args, const char *); key != NULL;
         key = va_arg(args, const char *)) {
        const char *value = va_arg(args, const char *);
        if (value != NULL)
            pair(out, key, value);
    }
}

/* MESSAGE is the logfmt line; the fields beside it hold the values as they are. */
static void build_fields(struct alk_log_text *out, const char *line, enum alk_log_level level,
                         va_list args)
{
    static const char *const priorities[] = {"3", "4", "6", "7"}; /* of syslog */

    alk_log_put_journal(out, "", "PRIORITY", priorities[level]);
    alk_log_put_journal(out, "", "SYSLOG_IDENTIFIER", program_invocation_short_name);
    alk_log_put_journal(out, "", "MESSAGE", line);
    for (const char *key = va_arg(args, const char *); key != NULL;
         key = va_arg(args, const char *)) {
        const char *value = va_arg(args, const char *);
        if (value != NULL)
            alk_log_put_journal(out, "ALKNET_", key, value);
    }
}

/* ---- writing ---- */

/* How much of the log did not get out. */
struct loss {
    unsigned dropped; /* lines since the last whole one */
    bool cut;         /* the file ends in a piece of a line */
};

static void put_dropped(enum alk_log_format format, struct alk_log_text *out, unsigned dropped)
{
    char number[16];

    snprintf(number, sizeof(number), "%u", dropped);
    if (format == ALK_LOG_LOGFMT)
        alk_log_put_logfmt(out, "lines_dropped_before", number);
    else if (format == ALK_LOG_JSON)
        alk_log_put_json(out, "lines_dropped_before", number);
    else
        alk_log_put_journal(out, "ALKNET_", "LINES_DROPPED_BEFORE", number);
}

/* A piece of a line, as a full disk leaves it, must not become one line with the next. */
static bool end_cut_line(const struct alk_log *log, struct loss *loss)
{
    if (loss->cut && write(log->fd, "\n", 1) == 1)
        loss->cut = false;
    return !loss->cut;
}

/* Whether the record got out whole. */
static bool put_record(const struct alk_log *log, struct alk_log_text *out, struct loss *loss)
{
    struct pollfd room = {.fd = log->fd, .events = POLLOUT};

    if (poll(&room, 1, 0) != 1 || (room.revents & POLLOUT) == 0)
        return false;
    if (log->format == ALK_LOG_JOURNAL)
        return send(log->fd, out->text, out->len, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
    if (!end_cut_line(log, loss))
        return false;
    ssize_t n = write(log->fd, out->text, out->len);
    loss->cut = n > 0 && (size_t)n < out->len;
    return n > 0 && !loss->cut;
}

/* A log that cannot be written must not stop the traffic: what nobody reads and what the disk has
 * no room for is dropped, and the next line that gets out says how much. The lock is for pipes,
 * where two threads could both find the room that there is for one. */
static void write_out(const struct alk_log *log, struct alk_log_text *out)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static struct loss loss;

    pthread_mutex_lock(&lock);
    if (loss.dropped > 0)
        put_dropped(log->format, out, loss.dropped);
    if (log->format == ALK_LOG_JSON)
        alk_log_end_json(out);
    if (log->format != ALK_LOG_JOURNAL)
        out->text[out->len++] = '\n';
    loss.dropped = put_record(log, out, &loss) ? 0 : loss.dropped + 1;
    pthread_mutex_unlock(&lock);
}

void alk_log(const struct alk_log *log, enum alk_log_level level, const char *message, ...)
{
    struct alk_log_text line, fields;
    va_list args;

    if (log == NULL || level > log->level)
        return;
    line.len = 0;
    line.full = false;
    va_start(args, message);
    build_lines(&line, log->format, level, message, args);
    va_end(args);
    if (log->format != ALK_LOG_JOURNAL) {
        write_out(log, &line);
        return;
    }
    line.text[line.len] = '\0';
    fields.len = 0;
    fields.full = false;
    va_start(args, message);
    build_fields(&fields, line.text, level, args);
    va_end(args);
    write_out(log, &fields);
}

int alk_log_open_journal(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return ALK_E_IO;
    if (path == NULL)
        path = "/run/systemd/journal/socket";
    if (snprintf(address.sun_path, sizeof(address.sun_path), "%s", path) >=
            (int)sizeof(address.sun_path) ||
        connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
        int number = errno;
        close(fd);
        return number == ENOENT || number == ECONNREFUSED ? ALK_E_NOTFOUND
               : number == EACCES                         ? ALK_E_DENIED
                                                          : ALK_E_IO;
    }
    return fd;
}

/* ---- names ---- */

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

int alk_log_format_parse(const char *text, enum alk_log_format *format)
{
    for (int i = 0; i <= ALK_LOG_JOURNAL; i++) {
        if (strcmp(text, format_names[i]) == 0) {
            *format = (enum alk_log_format)i;
            return ALK_OK;
        }
    }
    return ALK_E_INVAL;
}
