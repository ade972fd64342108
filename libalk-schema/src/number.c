#include "number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* 2^63, the first double above every json_int_t */
#define TWO_63 9223372036854775808.0

static int compare_mixed(json_int_t integer, double real)
{
    if (real >= TWO_63)
        return -1;
    if (real < -TWO_63)
        return 1;
    json_int_t whole = (json_int_t)real; /* towards zero */
    if (integer != whole)
        return integer < whole ? -1 : 1;
    return real > (double)whole ? -1 : real < (double)whole;
}

int number_compare(const json_t *a, const json_t *b)
{
    if (json_is_integer(a) && json_is_integer(b)) {
        json_int_t x = json_integer_value(a), y = json_integer_value(b);
        return (x > y) - (x < y);
    }
    if (json_is_integer(a))
        return compare_mixed(json_integer_value(a), json_real_value(b));
    if (json_is_integer(b))
        return -compare_mixed(json_integer_value(b), json_real_value(a));
    double x = json_real_value(a), y = json_real_value(b);
    return (x > y) - (x < y);
}

bool number_is_integer(const json_t *number)
{
    if (json_is_integer(number))
        return true;
    double real = json_real_value(number);
    if (real >= TWO_63 || real <= -TWO_63)
        return isfinite(real);
    return real >= (double)(json_int_t)real && real <= (double)(json_int_t)real;
}

static struct decimal normalised(uint64_t digits, int exponent)
{
    if (digits == 0)
        return (struct decimal){0, 0};
    while (digits % 10 == 0)
        digits /= 10, exponent++;
    return (struct decimal){digits, exponent};
}

/* Few decimals, as most prices and measures have. What has up to 15 digits is the only such decimal
 * that reads back as `real`, and a quotient of two exact doubles is rounded as reading does. */
static bool few_decimals(double real, struct decimal *decimal)
{
    static const double powers[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6};
    for (int decimals = 0; decimals <= 6 && real * powers[decimals] < 1e15; decimals++) {
        double power = powers[decimals];
        double digits = (double)(uint64_t)(real * power + 0.5);
        if (digits / power >= real && digits / power <= real) {
            *decimal = normalised((uint64_t)digits, -decimals);
            return true;
        }
    }
    return false;
}

/* The shortest decimal that reads back as `real` has 15 to 17 digits, or fewer with zeros. */
static struct decimal decimal_of_real(double real)
{
    real = fabs(real);
    if (real < 9007199254740992.0 && real <= (double)(uint64_t)real)
        return normalised((uint64_t)real, 0);
    struct decimal decimal;
    if (few_decimals(real, &decimal))
        return decimal;

    char text[40];
    for (int precision = 14; precision <= 16; precision++) {
        snprintf(text, sizeof text, "%.*e", precision, real);
        if (strtod(text, NULL) >= real && strtod(text, NULL) <= real)
            break;
    }
    uint64_t digits = 0;
    int count = 0;
    const char *at = text;
    for (; *at != 'e'; at++) {
        if (*at >= '0' && *at <= '9') { /* passes over the locale's decimal point */
            digits = digits * 10 + (uint64_t)(*at - '0');
            count++;
        }
    }
    return normalised(digits, (int)strtol(at + 1, NULL, 10) - (count - 1));
}

struct decimal decimal_of(const json_t *number)
{
    if (!json_is_integer(number))
        return decimal_of_real(json_real_value(number));
    json_int_t value = json_integer_value(number);
    return normalised(value < 0 ? -(uint64_t)value : (uint64_t)value, 0);
}

__extension__ typedef unsigned __int128 wide;

bool decimal_is_multiple(struct decimal value, struct decimal divisor)
{
    if (value.digits == 0)
        return true;
    /* without trailing zeros, digits are never a multiple of something times ten */
    if (value.exponent < divisor.exponent)
        return false;
    uint64_t rest = value.digits % divisor.digits, power = 10 % divisor.digits;
    for (unsigned n = (unsigned)(value.exponent - divisor.exponent); n; n >>= 1) {
        if (n & 1)
            rest = (uint64_t)((wide)rest * power % divisor.digits);
        power = (uint64_t)((wide)power * power % divisor.digits);
    }
    return rest == 0;
}
