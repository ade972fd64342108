/* One log record being built, in the forms that alk_log writes. */
#ifndef ALK_BASE_LOG_RECORD_H
#define ALK_BASE_LOG_RECORD_H

#include <alk/log.h>
#include <stdbool.h>
#include <stddef.h>

/* Built on the stack; what does not fit is cut, never overrun. */
struct alk_log_text {
    char text[4096];
    size_t len;
    bool full; /* a pair did not fit: no more are taken */
};

/* key=value, with a blank before it unless it is the first. */
void alk_log_put_logfmt(struct alk_log_text *text, const char *key, const char *value);

/* "key":"value", with what has to stand before it; a value that is too long is cut so that
 * alk_log_end_json still yields a whole object. */
void alk_log_put_json(struct alk_log_text *text, const char *key, const char *value);
void alk_log_end_json(struct alk_log_text *text);

/* A field as the journal's native protocol has it: NAME=value, or with its length when the value
 * has line ends. key is written in capitals after the prefix. A field that does not fit is left
 * out. */
void alk_log_put_journal(struct alk_log_text *text, const char *prefix, const char *key,
                         const char *value);

#endif
