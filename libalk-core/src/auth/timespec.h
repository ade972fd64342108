/* Points in time as OpenSSH's files write them: YYYYMMDD[HHMM[SS]][Z]. */
#ifndef ALK_AUTH_TIMESPEC_H
#define ALK_AUTH_TIMESPEC_H

#include <stdbool.h>
#include <stdint.h>

/* Unix seconds of text; in the system's time zone unless it ends with Z (or UTC). False
 * for anything malformed, a date that does not exist, or one before 1970-01-02. */
bool alk_timespec_parse(const char *text, uint64_t *unix_seconds);

#endif
