#include "auth/timespec.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>
#include <time.h>

/* A number of exactly `digits` digits; advances *at. The digits are known to be there. */
static int number(const char **at, int digits)
{
    int value = 0;

    while (digits-- > 0)
        value = value * 10 + (*(*at)++ - '0');
    return value;
}

bool alk_timespec_parse(const char *text, uint64_t *unix_seconds)
{
    enum { ONE_DAY = 24 * 60 * 60 };
    size_t digits = strspn(text, "0123456789");
    const char *zone = text + digits;
    bool utc = strcasecmp(zone, "Z") == 0 || strcasecmp(zone, "UTC") == 0;
    struct tm tm = {.tm_isdst = -1}, asked;
    time_t t;

    if ((digits != 8 && digits != 12 && digits != 14) || (!utc && *zone != '\0'))
        return false;
    tm.tm_year = number(&text, 4) - 1900;
    tm.tm_mon = number(&text, 2) - 1;
    tm.tm_mday = number(&text, 2);
    if (digits >= 12) {
        tm.tm_hour = number(&text, 2);
        tm.tm_min = number(&text, 2);
    }
    if (digits == 14)
        tm.tm_sec = number(&text, 2);
    if (tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 60)
        return false;
    asked = tm;
    t = utc ? timegm(&tm) : mktime(&tm);
    /* the 30th of February was carried over into March; a leap second may carry a day */
    if (asked.tm_sec < 60 && (tm.tm_mon != asked.tm_mon || tm.tm_mday != asked.tm_mday))
        return false;
    if (asked.tm_mon > 11 || asked.tm_mon < 0 || asked.tm_mday > 31 || asked.tm_mday < 1)
        return false;
    /* 0 would read as "never", and a zone may lie before it */
    if (t < ONE_DAY)
        return false;
    *unix_seconds = (uint64_t)t;
    return true;
}
