#include "config/values.h"

#include "auth/timespec.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

struct unit {
    const char *name;
    uint64_t worth;
};

/* The digits at *text, which moves behind them. */
static bool take_digits(const char **text, uint64_t *out)
{
    uint64_t value = 0;
    const char *at = *text;

    for (; *at >= '0' && *at <= '9'; at++) {
        uint64_t digit = (uint64_t)(*at - '0');
        if (value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    if (at == *text)
        return false;
    *text = at;
    *out = value;
    return true;
}

static bool take_with_unit(const char *text, const struct unit *units, size_t count, uint64_t *out)
{
    uint64_t value;

    if (!take_digits(&text, &value))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(text, units[i].name) == 0) {
            *out = value * units[i].worth;
            return value <= UINT64_MAX / units[i].worth;
        }
    }
    return false;
}

bool alk_value_number(const char *text, uint64_t *out)
{
    static const struct unit none = {"", 1};

    return take_with_unit(text, &none, 1, out);
}

bool alk_value_duration(const char *text, uint64_t *seconds)
{
    static const struct unit units[] = {{"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}};

    return take_with_unit(text, units, 4, seconds);
}

bool alk_value_size(const char *text, uint64_t *bytes)
{
    static const struct unit units[] = {
        {"B", 1}, {"KB", 1 << 10}, {"MB", 1 << 20}, {"GB", 1 << 30}};

    return take_with_unit(text, units, 4, bytes);
}

bool alk_value_rate(const char *text, uint64_t *bytes_per_second)
{
    static const struct unit units[] = {
        {"B/s", 1}, {"KB/s", 1 << 10}, {"MB/s", 1 << 20}, {"GB/s", 1 << 30}};

    return take_with_unit(text, units, 4, bytes_per_second);
}

bool alk_value_bool(const char *text, bool *out)
{
    *out = strcmp(text, "yes") == 0;
    return *out || strcmp(text, "no") == 0;
}

/* Whether text has the shape, where 0 stands for any digit. */
static bool is_shaped(const char *text, const char *shape)
{
    for (; *shape != '\0'; shape++, text++) {
        if (*shape == '0' ? *text < '0' || *text > '9' : *text != *shape)
            return false;
    }
    return *text == '\0';
}

bool alk_value_time(const char *text, uint64_t *unix_seconds)
{
    char digits[24];
    size_t len = 0;

    if (!is_shaped(text, "0000-00-00") && !is_shaped(text, "0000-00-00T00:00:00Z"))
        return false;
    for (; *text != '\0'; text++) {
        if (*text >= '0' && *text <= '9')
            digits[len++] = *text;
    }
    digits[len++] = 'Z';
    digits[len] = '\0';
    return alk_timespec_parse(digits, unix_seconds);
}
