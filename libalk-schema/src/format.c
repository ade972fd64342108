#include "format.h"

#include "alk/schema.h"
#include "regex.h"

#include <string.h>

format_fn *format_find(const char *name)
{
    static const struct {
        const char *name;
        format_fn *check;
    } formats[] = {
        {"date", format_date},
        {"date-time", format_date_time},
        {"duration", format_duration},
        {"email", format_email},
        {"hostname", format_hostname},
        {"idn-email", format_idn_email},
        {"ipv4", format_ipv4},
        {"ipv6", format_ipv6},
        {"iri", format_iri},
        {"iri-reference", format_iri_reference},
        {"json-pointer", format_json_pointer},
        {"regex", format_regex},
        {"relative-json-pointer", format_relative_json_pointer},
        {"time", format_time},
        {"uri", format_uri},
        {"uri-reference", format_uri_reference},
        {"uri-template", format_uri_template},
        {"uuid", format_uuid},
    };
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (strcmp(name, formats[i].name) == 0)
            return formats[i].check;
    return NULL;
}

bool format_json_pointer(const char *text, size_t length)
{
    if (length && text[0] != '/')
        return false;
    for (size_t i = 0; i < length; i++)
        if (text[i] == '~' && (i + 1 == length || (text[i + 1] != '0' && text[i + 1] != '1')))
            return false;
    return true;
}

bool format_relative_json_pointer(const char *text, size_t length)
{
    size_t n = 0;
    while (n < length && text[n] >= '0' && text[n] <= '9')
        n++;
    if (n == 0 || (text[0] == '0' && n > 1))
        return false;
    if (n + 1 == length && text[n] == '#')
        return true;
    return format_json_pointer(text + n, length - n);
}

bool format_regex(const char *text, size_t length)
{
    struct regex regex;
    char problem[160];
    if (regex_compile(&regex, text, length, 1, problem))
        return false;
    regex_free(&regex);
    return true;
}
