/*
 * One log line per event, in logfmt, on a file descriptor (standard error).
 *
 *   level=info msg="auth attempt" remote_addr=203.0.113.5 user=bob result=accept
 *
 * Values are quoted and escaped where they need it, so a peer cannot forge a
 * line. A line is written with one write(2) and never blocks for a lock, so any
 * thread may log. Tunnel destinations, keys and tokens must never be passed.
 */
#ifndef ALK_LOG_H
#define ALK_LOG_H

enum alk_log_level { ALK_LOG_ERROR, ALK_LOG_WARN, ALK_LOG_INFO, ALK_LOG_DEBUG };

struct alk_log {
    enum alk_log_level level; /* lines above this level are dropped */
    int fd;                   /* where lines go; 2 is standard error */
};

/* Writes one line: the message, then pairs of key and value (const char *) up
 * to a NULL key. A NULL value drops its pair. log may be NULL: nothing happens. Never waits
 * for a reader: a line for which a pipe or terminal has no room is dropped and counted. */
void alk_log(const struct alk_log *log, enum alk_log_level level, const char *message, ...)
    __attribute__((sentinel));

/* "error", "warn", "info" or "debug" to *level; ALK_E_INVAL for anything else. */
int alk_log_level_parse(const char *text, enum alk_log_level *level);

#endif
