/* Dates, times and durations of RFC 3339 (with appendix A). */
#include "format.h"

#include <string.h>

struct cursor {
    const char *at, *end;
};

static bool take(struct cursor *c, const char *any)
{
    if (c->at == c->end || !*c->at || !strchr(any, *c->at))
        return false;
    c->at++;
    return true;
}

/* Exactly `count` digits. */
static bool number(struct cursor *c, int count, int *value)
{
    *value = 0;
    for (; count > 0; count--, c->at++) {
        if (c->at == c->end || *c->at < '0' || *c->at > '9')
            return false;
        *value = *value * 10 + (*c->at - '0');
    }
    return true;
}

static bool full_date(struct cursor *c)
{
    static const char days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int y, m, d;
    if (!number(c, 4, &y) || !take(c, "-") || !number(c, 2, &m) || !take(c, "-") ||
        !number(c, 2, &d))
        return false;
    bool leap = y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);
    return m >= 1 && m <= 12 && d >= 1 && d <= days[m - 1] && (m != 2 || d < 29 || leap);
}

static bool full_time(struct cursor *c)
{
    int h, m, s, offset = 0, oh, om;
    if (!number(c, 2, &h) || !take(c, ":") || !number(c, 2, &m) || !take(c, ":") ||
        !number(c, 2, &s))
        return false;
    if (take(c, ".")) {
        if (!take(c, "0123456789"))
            return false;
        while (take(c, "0123456789"))
            ;
    }
    if (!take(c, "Zz")) {
        bool minus = c->at < c->end && *c->at == '-';
        if (!take(c, "+-") || !number(c, 2, &oh) || !take(c, ":") || !number(c, 2, &om) ||
            oh > 23 || om > 59)
            return false;
        offset = (minus ? -1 : 1) * (oh * 60 + om);
    }
    if (h > 23 || m > 59 || s > 60)
        return false;
    /* a leap second ends a day of UTC */
    return s < 60 || (h * 60 + m - offset + 2 * 1440) % 1440 == 1439;
}

bool format_date(const char *text, size_t length)
{
    struct cursor c = {text, text + length};
    return full_date(&c) && c.at == c.end;
}

bool format_time(const char *text, size_t length)
{
    struct cursor c = {text, text + length};
    return full_time(&c) && c.at == c.end;
}

bool format_date_time(const char *text, size_t length)
{
    struct cursor c = {text, text + length};
    return full_date(&c) && take(&c, "Tt") && full_time(&c) && c.at == c.end;
}

/* Numbers with units from `units`, each followed by none or the next one; the count. */
static int amounts(struct cursor *c, const char *units)
{
    int count = 0;
    const char *allowed = units;
    while (c->at < c->end && *c->at >= '0' && *c->at <= '9') {
        while (take(c, "0123456789"))
            ;
        const char *unit = c->at < c->end && *c->at ? strchr(allowed, *c->at) : NULL;
        if (!unit || (count > 0 && unit != allowed))
            return -1;
        c->at++;
        allowed = unit + 1;
        count++;
    }
    return count;
}

bool format_duration(const char *text, size_t length)
{
    struct cursor c = {text, text + length};
    if (!take(&c, "P"))
        return false;
    if (length >= 3 && text[length - 1] == 'W')
        return amounts(&c, "W") == 1 && c.at == c.end;
    int dates = amounts(&c, "YMD"), times = 0;
    if (dates >= 0 && take(&c, "T")) {
        times = amounts(&c, "HMS");
        if (times <= 0)
            return false;
    }
    return dates >= 0 && dates + times > 0 && c.at == c.end;
}
