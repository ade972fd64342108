/* The values that a configuration file writes as text. Pure; each returns false for anything but
 * the form it names, blanks included. */
#ifndef ALK_CONFIG_VALUES_H
#define ALK_CONFIG_VALUES_H

#include <stdbool.h>
#include <stdint.h>

/* Decimal digits. */
bool alk_value_number(const char *text, uint64_t *out);

/* Digits and s, m, h or d, to seconds: 30s, 5m, 12h, 30d. */
bool alk_value_duration(const char *text, uint64_t *seconds);

/* Digits and B, KB, MB or GB, to bytes, in steps of 1024: 64KB, 512MB. */
bool alk_value_size(const char *text, uint64_t *bytes);

/* A size and "/s": 10MB/s. */
bool alk_value_rate(const char *text, uint64_t *bytes_per_second);

/* yes or no. */
bool alk_value_bool(const char *text, bool *out);

/* A moment, to Unix seconds: 2027-01-31 (its first second in UTC) or 2027-01-31T12:00:00Z. */
bool alk_value_time(const char *text, uint64_t *unix_seconds);

#endif
