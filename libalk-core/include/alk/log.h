/*
 * One record per event on a file descriptor: a line of logfmt or JSON (standard error), or a
 * datagram for systemd's journal.
 *
 *   level=info msg="auth attempt" remote_addr=203.0.113.5 user=bob result=accept
 *   {"level":"info","msg":"auth attempt","remote_addr":"203.0.113.5",...}
 *   MESSAGE=msg="auth attempt" remote_addr=203.0.113.5 ...
 *   PRIORITY=6, SYSLOG_IDENTIFIER=alknet-server, ALKNET_REMOTE_ADDR=203.0.113.5, ...
 *
 * Values are quoted and escaped where they need it, so a peer cannot forge a
 * line. A record is written with one system call, so any
 * thread may log. Tunnel destinations, keys and tokens must never be passed.
 */
#ifndef ALK_LOG_H
#define ALK_LOG_H

enum alk_log_level { ALK_LOG_ERROR, ALK_LOG_WARN, ALK_LOG_INFO, ALK_LOG_DEBUG };

enum alk_log_format { ALK_LOG_LOGFMT, ALK_LOG_JSON, ALK_LOG_JOURNAL };

struct alk_log {
    enum alk_log_level level; /* lines above this level are dropped */
    int fd;                   /* where lines go; 2 is standard error */
    enum alk_log_format format;
};

/* Writes one line: the message, then pairs of key and value (const char *) up
 * to a NULL key. A NULL value drops its pair. log may be NULL: nothing happens. Never waits
 * for a reader: a line for which a pipe or terminal has no room is dropped and counted. */
void alk_log(const struct alk_log *log, enum alk_log_level level, const char *message, ...)
    __attribute__((sentinel));

/* "error", "warn", "info" or "debug" to *level; ALK_E_INVAL for anything else. */
int alk_log_level_parse(const char *text, enum alk_log_level *level);

/* "logfmt", "json" or "journal" to *format; ALK_E_INVAL for anything else. */
int alk_log_format_parse(const char *text, enum alk_log_format *format);

/* A socket for ALK_LOG_JOURNAL, connected to the journal's: path NULL is
 * /run/systemd/journal/socket. The descriptor, or ALK_E_NOTFOUND, ALK_E_DENIED, ALK_E_IO. */
int alk_log_open_journal(const char *path);

#endif
