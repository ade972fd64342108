/* The formats of draft 2020-12, validation, section 7.3. Texts need not end with NUL. */
#ifndef ALK_SCHEMA_FORMAT_H
#define ALK_SCHEMA_FORMAT_H

#include <stdbool.h>
#include <stddef.h>

typedef bool format_fn(const char *text, size_t length);

/* The check of a format, or NULL for one that is not known. */
format_fn *format_find(const char *name);

/* format_time.c: RFC 3339 */
format_fn format_date, format_time, format_date_time, format_duration;

/* format_net.c: RFC 5321, 6531, 1123, 2673, 4291, 4122 */
format_fn format_email, format_idn_email, format_hostname, format_ipv4, format_ipv6, format_uuid;

/* format_uri.c: RFC 3986, 3987, 6570 */
format_fn format_uri, format_uri_reference, format_iri, format_iri_reference, format_uri_template;

/* format.c: RFC 6901, relative JSON pointers, ECMA 262 */
format_fn format_json_pointer, format_relative_json_pointer, format_regex;

#endif
